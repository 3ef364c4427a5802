/**
 * The whole system on one machine, as real processes: issuer, cards in vpcd's readers, terminal. For end-to-end tests
 * and the demo; everything is driven through the command line, as a technician would.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'

const root = path.join(import.meta.dirname, '..')
const cli = path.join(root, 'cli/farthing.mjs')
const readyMsMax = 20_000
const stopMsMax = 10_000

/** vpcd's two readers, by the port that a card is plugged into. */
export const virtualReaders = [
  { name: 'Virtual PCD 00 00', port: 35963 },
  { name: 'Virtual PCD 00 01', port: 35964 },
] as const
export type VirtualReader = (typeof virtualReaders)[number]

export interface CommandResult {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  /** Each line of stdout that is JSON. */
  readonly lines: readonly Record<string, unknown>[]
}

/** Runs `farthing ...args` to its end. */
export const farthing = (...args: readonly string[]): Promise<CommandResult> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8')
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8')
    })
    child.once('error', reject)
    child.once('close', (status) => {
      const lines = stdout
        .split('\n')
        .filter((text) => text.startsWith('{'))
        .map((text): Record<string, unknown> => JSON.parse(text))
      resolve({ status, stdout, stderr, lines })
    })
  })

/** Runs a command that must succeed. @returns its first line of JSON @throws with what it said */
export const must = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
  const done = await farthing(...args)
  if (done.status !== 0)
    throw new Error(`farthing ${args.join(' ')} ended with ${done.status}: ${done.stderr}${done.stdout}`)
  return done.lines[0] ?? {}
}

export interface RunningCommand {
  readonly ready: Record<string, unknown>
  readonly process: ChildProcess
  /** Every line of JSON after the ready one, as it comes; those that came with it at once. */
  onLine(listener: (line: Record<string, unknown>) => void): void
  /** Resolves when it has ended, by itself or not. */
  readonly ended: Promise<void>
  /** SIGTERM, unless another is named; resolves when it has ended. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Starts a command that runs until stopped. Resolves at its ready line. */
export const start = (...args: readonly string[]): Promise<RunningCommand> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stderr = ''
    let running = false
    const listeners = new Set<(line: Record<string, unknown>) => void>()
    /** After the ready one. */
    const told: Record<string, unknown>[] = []
    const ended = new Promise<void>((done) => child.once('close', () => done()))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`farthing ${args.join(' ')} was not ready in ${readyMsMax} ms: ${stderr}`))
    }, readyMsMax)
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8')
    })
    child.once('close', (status) => {
      clearTimeout(timer)
      if (!running) reject(new Error(`farthing ${args.join(' ')} ended with ${status}: ${stderr}`))
    })
    createInterface({ input: child.stdout }).on('line', (text) => {
      if (!text.startsWith('{')) return
      const line: Record<string, unknown> = JSON.parse(text)
      if (running) {
        told.push(line)
        for (const listener of listeners) listener(line)
        return
      }
      running = true
      clearTimeout(timer)
      resolve({
        ready: line,
        process: child,
        ended,
        onLine: (listener) => {
          for (const each of told) listener(each)
          listeners.add(listener)
        },
        stop: async (signal = 'SIGTERM') => {
          child.kill(signal)
          const kill = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
          await ended
          clearTimeout(kill)
        },
      })
    })
  })

/** Puts the card of a state file into a reader; `stop()` pulls it. */
export const insertCard = (
  stateFile: string,
  options: { readonly reader?: VirtualReader; readonly tear?: 'before' | 'after' } = {},
): Promise<RunningCommand> =>
  start(
    'card',
    'simulate',
    '--state',
    stateFile,
    '--port',
    String((options.reader ?? virtualReaders[0]).port),
    ...(options.tear === undefined ? [] : ['--tear', options.tear]),
  )

/** The keys of everyone's demo: play money, loudly. */
const playMasters = {
  pay: '0a'.repeat(32),
  settle: '0b'.repeat(32),
  load: '0c'.repeat(32),
  terminal: '0d'.repeat(32),
}

/** Whose kiosk it is. */
export const merchant = 'Old Town Station'

export interface System {
  readonly dir: string
  readonly store: string
  readonly dataDir: string
  readonly terminalId: string
  readonly url: string
  startIssuer(): Promise<void>
  stopIssuer(): Promise<void>
  /** A new card with its file, personalised and loaded through the reader. The kiosk must not be running. */
  makeCard(name: string, amount?: string): Promise<{ readonly cardId: string; readonly stateFile: string }>
  report(): Promise<Record<string, unknown>>
  status(): Promise<Record<string, unknown>>
}

/** Issuer with our own goods, serving; one terminal, enrolled. */
export const makeSystem = async (
  dir: string,
  options: { readonly goods?: string; readonly diagonalMm?: number } = {},
): Promise<System> => {
  mkdirSync(dir, { recursive: true })
  const store = `sqlite:${path.join(dir, 'issuer.sqlite')}`
  const dataDir = path.join(dir, 'terminal')
  const goods = options.goods ?? path.join(root, 'resources/goods')
  const masters = path.join(dir, 'play-masters.json')
  writeFileSync(masters, JSON.stringify(playMasters))
  await must('issuer', 'init', '--store', store, '--dev', masters, '--currency', 'EUR')
  await must('issuer', 'merchant', 'add', merchant, '--store', store)
  const added = await must('issuer', 'terminal', 'add', '--merchant', merchant, '--store', store)
  await must(
    ...['catalogue', 'add', path.join(goods, 'walking-map.pdf'), '--store', store, '--id', 'walking-map'],
    ...['--price', '2.50', '--title', 'Old town walking map', '--title', 'de=Stadtplan zum Spazieren'],
    ...[
      '--summary',
      'Two hours on foot, with twelve sights',
      '--summary',
      'de=Zwei Stunden zu Fuß, mit zwölf Stationen',
    ],
  )
  await must(
    ...['catalogue', 'add', path.join(goods, 'article.md'), '--store', store, '--id', 'farthing-story'],
    ...['--price', '0.50', '--title', 'The smallest coin', '--title', 'de=Die kleinste Münze'],
    ...['--summary', 'A short history of the farthing', '--summary', 'de=Eine kurze Geschichte des Farthings'],
  )
  await must(
    ...['catalogue', 'add', path.join(goods, 'wifi-codes.txt'), '--store', store, '--id', 'wifi-day'],
    ...['--kind', 'code', '--price', '1.00', '--title', 'Wi-Fi for a day', '--title', 'de=WLAN für einen Tag'],
    ...['--summary', 'One code, one device, 24 hours', '--summary', 'de=Ein Code, ein Gerät, 24 Stunden'],
  )
  await must('catalogue', 'publish', '--store', store)

  let issuer: RunningCommand | undefined
  let url = ''
  const startIssuer = async () => {
    const port = url === '' ? '0' : new URL(url).port
    issuer = await start('issuer', 'serve', '--store', store, '--port', port)
    url = String(issuer.ready.url)
  }
  await startIssuer()
  await must('terminal', 'enrol', '--data', dataDir, '--issuer', url, '--code', String(added.code))
  if (options.diagonalMm !== undefined)
    writeFileSync(path.join(dataDir, 'kiosk.json'), JSON.stringify({ diagonalMm: options.diagonalMm }))

  return {
    dir,
    store,
    dataDir,
    terminalId: String(added.terminalId),
    get url() {
      return url
    },
    startIssuer,
    async stopIssuer() {
      await issuer?.stop()
      issuer = undefined
    },
    async makeCard(name, amount) {
      const stateFile = path.join(dir, `${name}.card.json`)
      const [reader] = virtualReaders
      const card = await insertCard(stateFile)
      try {
        const made = await must('card', 'personalise', '--store', store, '--reader', reader.name)
        if (amount !== undefined)
          await must('card', 'load', amount, '--data', dataDir, '--reader', reader.name, '--paid-by', 'cash')
        return { cardId: String(made.cardId), stateFile }
      } finally {
        await card.stop()
      }
    },
    report: () => must('issuer', 'report', '--store', store),
    status: () => must('terminal', 'status', '--data', dataDir),
  }
}
