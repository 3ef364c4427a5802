/**
 * Starts the built kiosk as its users do, and attaches Playwright to its page from outside.
 * Plain Chromium by default (chromium/run.mjs); FARTHING_ELECTRON=1 takes the real binary.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { type Browser, chromium, type Page } from '@playwright/test'

const root = path.join(import.meta.dirname, '..')
const readyMsMax = 30_000
const stopMsMax = 15_000

export interface LaunchOptions {
  readonly dataDir: string
  /** The window's content, in CSS pixels; 1080x1920 when absent. */
  readonly size?: { readonly width: number; readonly height: number }
  readonly env?: Readonly<Record<string, string>>
}

export interface LaunchedKiosk {
  readonly page: Page
  readonly process: ChildProcess
  readonly debugPort: number
  /** Everything that it wrote to its error output so far. */
  errorOutput(): string
  /** Attaches anew: after its page crashed, a Playwright page is of no more use. */
  reattach(): Promise<Page>
  /** Stops it with SIGTERM. Resolves to its exit status. */
  close(): Promise<number | null>
}

/** A port that nobody has now. */
const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port')),
      )
    })
  })

const commandOf = (dataDir: string): [string, string[]] => {
  if (process.env.FARTHING_ELECTRON !== '1')
    return [process.execPath, [path.join(root, 'chromium/run.mjs'), '--data', dataDir]]
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return [path.join(root, 'node_modules/.bin/electron'), [...sandbox, root, '--data', dataDir]]
}

/** Resolves at the line of JSON that says `ready`. */
const readiness = (child: ChildProcess, errorOutput: () => string) =>
  new Promise<void>((resolve, reject) => {
    const fail = (what: string) => reject(new Error(`the kiosk ${what}\n${errorOutput()}`))
    const timer = setTimeout(() => fail(`was not ready after ${readyMsMax} ms`), readyMsMax)
    child.once('exit', (status) => {
      clearTimeout(timer)
      fail(`ended with status ${status} before it was ready`)
    })
    if (child.stdout === null) return fail('has no output')
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return
      if (JSON.parse(line).ready !== true) return
      clearTimeout(timer)
      resolve()
    })
  })

/** Starts a kiosk on a data folder. @throws when it does not come up, with what it said */
export const launchKiosk = async (options: LaunchOptions): Promise<LaunchedKiosk> => {
  const { width, height } = options.size ?? { width: 1080, height: 1920 }
  const debugPort = await freePort()
  const [program, argv] = commandOf(options.dataDir)
  const child = spawn(program, argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      FARTHING_WINDOW: `${width}x${height}`,
      FARTHING_DEBUG_PORT: String(debugPort),
      // Nobody is to hear the tests, and a service that was begun for one would outlive it.
      SPEECHD_ADDRESS: 'unix_socket:/nonexistent',
      ...options.env,
    },
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8')
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  await readiness(child, () => errors).catch((error) => {
    child.kill('SIGKILL')
    throw error
  })

  let browser: Browser | undefined
  const reattach = async () => {
    await browser?.close()
    browser = await chromium.connectOverCDP(`http://127.0.0.1:${debugPort}`)
    const page = browser.contexts()[0]?.pages()[0]
    if (page === undefined) throw new Error('the kiosk shows no page')
    return page
  }
  const close = async () => {
    // Playwright only lets go here; the process belongs to us.
    await browser?.close()
    child.kill('SIGTERM')
    const deadline = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
    const status = await ended
    clearTimeout(deadline)
    return status
  }
  const page = await reattach()
  return { page, process: child, debugPort, errorOutput: () => errors, reattach, close }
}
