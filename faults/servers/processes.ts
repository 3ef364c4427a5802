/** Server processes of the issuer over one store, each on a port that it keeps, to be killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'

const program = path.join(import.meta.dirname, '../../cli/farthing.mjs')
const startsMax = 200

export class ServerProcess {
  readonly #store: string
  readonly #env: NodeJS.ProcessEnv
  #child: ChildProcess | undefined
  #port = 0
  #up: Promise<void>
  #complaints = ''
  kills = 0
  /** Ends that nobody asked for, with what it said. */
  readonly crashes: string[] = []

  /** @param env what it finds its keys by */
  constructor(store: string, env: NodeJS.ProcessEnv) {
    this.#store = store
    this.#env = env
    this.#up = this.#start()
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Until it answers. */
  up(): Promise<void> {
    return this.#up
  }

  /** kill -9, at once; `up` is when it is there again. */
  kill(): void {
    this.kills += 1
    const child = this.#child
    this.#child = undefined
    child?.kill('SIGKILL')
    this.#up = this.#start()
  }

  async stop(): Promise<void> {
    await this.#up
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  async #start(): Promise<void> {
    for (let starts = 0; starts < startsMax; starts += 1) if (await this.#startOnce()) return
    throw new Error(`the server does not start: ${this.#complaints}`)
  }

  /** @returns false: it ended before it was ready, as it does where the database is not there */
  async #startOnce(): Promise<boolean> {
    const argv = [program, 'issuer', 'serve', '--store', this.#store, '--port', String(this.#port)]
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'], env: this.#env })
    this.#child = child
    let said = ''
    child.stderr.on('data', (data: Buffer) => {
      said = `${said}${data.toString()}`.slice(-4000)
    })
    let isReady = false
    child.once('exit', (status, signal) => {
      this.#complaints = said
      // Whoever killed it has put another one in its place.
      if (isReady && this.#child === child) this.crashes.push(`${status ?? signal}: ${said}`)
    })
    for await (const text of createInterface({ input: child.stdout })) {
      const told: unknown = text.startsWith('{') ? JSON.parse(text) : {}
      if (typeof told !== 'object' || told === null || !('url' in told)) continue
      this.#port = Number(new URL(String(told.url)).port)
      isReady = true
      child.stdout.resume()
      return true
    }
    return false
  }
}
