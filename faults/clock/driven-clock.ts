/**
 * A day in minutes: the clocks of the kiosk's main process, of its reader process and of its page are one, which goes on by
 * itself and is driven further by `pass`. Nothing of the kiosk knows: inside.ts is loaded before main (NODE_OPTIONS), and
 * Playwright's clock into the page. The browser's own clock cannot be driven; what the page's styles move is moved on here.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import type { Page } from '@playwright/test'

/** Shorter than main's shortest patience (5 s, for its reader): it must hear from the others in every step. */
const stepMs = 4000

export interface DrivenClock {
  /** For the environment of a kiosk that is started now. */
  env(): Readonly<Record<string, string>>
  /** Takes the page in, which begins anew; after that, `pass` drives it too. */
  follow(page: Page): Promise<void>
  nowMs(): number
  /** Another time for kiosks that are started from now on; none runs now. */
  startAt(ms: number): void
  /** Nobody does anything for that long. */
  pass(ms: number): Promise<void>
  /** What main still reaches, after a collection; of its two processes the larger one is main's. */
  heldBytes(): Promise<number>
  /** The page stands still meanwhile: it hangs. */
  passWithoutPage(ms: number): Promise<void>
  close(): void
}

const partsOf = (ms: number): number[] =>
  Array.from({ length: Math.ceil(ms / stepMs) }, (_, at) => Math.min(stepMs, ms - at * stepMs))

/** Runs in the page: its moving styles go on, and all that it told main has arrived before this ends. */
const settle = (ms: number) => `(async () => {
  for (const animation of document.getAnimations())
    if (animation.currentTime !== null) animation.currentTime += ${ms}
  await window.farthing.alive(0)
})()`

export const driveClock = async (fromMs = Date.now()): Promise<DrivenClock> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-clock-'))
  const socketPath = path.join(folder, 'socket')
  /** Main's, and its reader's. */
  const processes = new Map<Socket, (line: string) => void>()
  const server = createServer((socket) => {
    const gone = () => {
      processes.get(socket)?.('')
      processes.delete(socket)
    }
    processes.set(socket, () => {})
    socket.on('error', gone).on('close', gone)
    createInterface({ input: socket })
      .on('line', (line) => processes.get(socket)?.(line))
      .on('error', gone)
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))

  const order = (socket: Socket, line: string) =>
    new Promise<number>((resolve) => {
      processes.set(socket, (answer) => resolve(Number(answer)))
      socket.write(`${line}\n`)
    })
  /** @returns the largest answer */
  const orderAll = async (line: string): Promise<number> =>
    Math.max(0, ...(await Promise.all([...processes.keys()].map((socket) => order(socket, line)))))
  let aheadMs = fromMs - Date.now()
  /** What the kiosk's clock says then is the time: on a busy machine it goes a little slower by itself than this one. */
  const passInside = async (ms: number) => {
    aheadMs += ms
    const now = await orderAll(String(ms))
    if (now > 0) aheadMs = now - Date.now()
  }
  let toldMs = 0
  /** Never back, since others read it too. */
  const nowMs = () => {
    toldMs = Math.max(toldMs, Date.now() + aheadMs)
    return toldMs
  }
  let page: Page | undefined

  return {
    env: () => ({
      NODE_OPTIONS: `--import ${pathToFileURL(path.join(import.meta.dirname, 'inside.ts')).href}`,
      FARTHING_CLOCK_SOCKET: socketPath,
      FARTHING_CLOCK_FROM_MS: String(nowMs()),
    }),
    nowMs,
    startAt(ms) {
      toldMs = 0
      aheadMs = ms - Date.now()
    },
    async follow(next) {
      page = next
      await passInside(0)
      await page.clock.install({ time: nowMs() })
      await page.reload()
    },
    async pass(ms) {
      for (const partMs of partsOf(ms)) {
        await passInside(partMs)
        await page?.clock.runFor(partMs)
        await page?.evaluate(settle(partMs))
      }
    },
    heldBytes: () => orderAll('held'),
    async passWithoutPage(ms) {
      for (const partMs of partsOf(ms)) await passInside(partMs)
    },
    close() {
      for (const socket of processes.keys()) socket.destroy()
      server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
