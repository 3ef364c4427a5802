/**
 * The real card reader: PC/SC, held at arm's length. Supervises the helper process (pcsc-process.ts) that owns pcsclite,
 * and starts it anew when it dies or hangs. FARTHING_DEBUG=1 lets the helper's own error output through.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type CardChannel,
  CardFault,
  type CardReader,
  type PresentCard,
  type ReaderSlot,
  type ReaderSnapshot,
} from './card-reader.ts'
import { type FromHelper, parseFromHelper, type ToHelper } from './pcsc-messages.ts'

export interface PcscReaderOptions {
  /** The helper's module; beside this one unless told. */
  readonly processPath?: URL | string
  /** How long one connect, transmit or disconnect may take. After that the helper is killed. */
  readonly apduTimeoutMs?: number
  /**
   * How long all answers of one use may take together. A card that is slow enough, and says again and again that more is to be
   * fetched, would keep the kiosk busy for a quarter of an hour.
   */
  readonly useTimeoutMs?: number
  /** How long the helper may be silent before it is taken to hang; at least twice `apduTimeoutMs`. */
  readonly hangTimeoutMs?: number
  /** How long to wait for another program to let go of the card. */
  readonly busyTimeoutMs?: number
}

type Work = Pick<ToHelper, 'action' | 'command'>
type HelperCard = NonNullable<Extract<FromHelper, { kind: 'state' }>['slots'][number]['card']>

interface Pending {
  readonly resolve: (response: Uint8Array | undefined) => void
  readonly reject: (fault: CardFault) => void
  readonly timer: NodeJS.Timeout
}

/** What Node, pcsclite and Windows look at. The rest of the environment is no business of a native addon. */
const environmentNames = [
  'PATH',
  'LD_LIBRARY_PATH',
  'PCSCLITE_CSOCK_NAME',
  'SystemRoot',
  // Node's options, and what a clock that is driven with main's (faults/clock) is found by.
  'NODE_OPTIONS',
  'FARTHING_CLOCK_SOCKET',
  'FARTHING_CLOCK_FROM_MS',
] as const

const restartMsMin = 50
const restartMsMax = 5000
const busyRetryMs = 100
/**
 * A card that falls silent or breaks off, and was not seen to leave, is offered anew: perhaps it slipped. After this many it
 * counts as mute until it is taken away, or it would hold the till for as long as it lies there.
 */
const failuresMax = 3
const closeGraceMs = 1000
const starting = 'The card reader is starting.'
const restarting =
  'The card reader stopped answering and is being restarted; if this stays, unplug it and plug it in again.'

const restartFault = () => new CardFault('reader', 'the card reader had to be restarted')

const environment = () => ({
  ...Object.fromEntries(environmentNames.map((name) => [name, process.env[name]])),
  ELECTRON_RUN_AS_NODE: '1',
})

const modulePath = () =>
  new URL(import.meta.url.endsWith('.ts') ? './pcsc-process.ts' : './pcsc-process.js', import.meta.url)

/** One card, from insertion to removal. Its uses wait for each other. */
class PcscCard implements PresentCard {
  readonly readerName: string
  readonly atr: Uint8Array
  readonly removed: AbortSignal
  /** PC/SC's count of comings and goings when it was put in. */
  readonly eventCount: number
  /** How often it failed before, as it lies there. */
  readonly failuresBefore: number
  /** It fell silent or broke off. */
  failed = false
  readonly #departure = new AbortController()
  readonly #ask: (work: Work) => Promise<Uint8Array | undefined>
  readonly #busyTimeoutMs: number
  readonly #useTimeoutMs: number
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: {
    readerName: string
    atr: Uint8Array
    eventCount: number
    failuresBefore: number
    busyTimeoutMs: number
    useTimeoutMs: number
    ask: (work: Work) => Promise<Uint8Array | undefined>
  }) {
    this.readerName = options.readerName
    this.atr = options.atr
    this.eventCount = options.eventCount
    this.failuresBefore = options.failuresBefore
    this.removed = this.#departure.signal
    this.#busyTimeoutMs = options.busyTimeoutMs
    this.#useTimeoutMs = options.useTimeoutMs
    this.#ask = async (work) => {
      try {
        return await options.ask(work)
      } catch (error) {
        if (error instanceof CardFault && (error.code === 'timeout' || error.code === 'removed')) this.failed = true
        throw error
      }
    }
  }

  leave(fault: CardFault) {
    this.#departure.abort(fault)
  }

  use<Result>(work: (channel: CardChannel) => Promise<Result>): Promise<Result> {
    const result = this.#tail.then(() => this.#useNow(work))
    this.#tail = result.catch(() => undefined)
    return result
  }

  async #useNow<Result>(work: (channel: CardChannel) => Promise<Result>): Promise<Result> {
    await this.#connect()
    let open = true
    let answeringMs = 0
    const transmit = async (command: Uint8Array): Promise<Uint8Array> => {
      if (!open) throw new Error('the channel was used after its use() ended')
      this.removed.throwIfAborted()
      if (answeringMs > this.#useTimeoutMs)
        throw new CardFault('timeout', `the card took more than ${this.#useTimeoutMs} ms for its answers`)
      const askedMs = performance.now()
      const response = await this.#ask({ action: 'transmit', command })
      answeringMs += performance.now() - askedMs
      if (response === undefined) throw new CardFault('reader', 'the helper process gave no response')
      return response
    }
    try {
      return await work({ transmit })
    } finally {
      open = false
      await this.#ask({ action: 'disconnect' }).catch(() => undefined)
    }
  }

  async #connect() {
    const deadlineMs = performance.now() + this.#busyTimeoutMs
    for (;;) {
      this.removed.throwIfAborted()
      try {
        await this.#ask({ action: 'connect' })
        return
      } catch (error) {
        const mayRetry = error instanceof CardFault && error.code === 'busy' && performance.now() < deadlineMs
        if (!mayRetry) throw error
      }
      await delay(busyRetryMs)
    }
  }
}

class PcscReader implements CardReader {
  readonly #processPath: URL | string
  readonly #apduTimeoutMs: number
  readonly #hangTimeoutMs: number
  readonly #busyTimeoutMs: number
  readonly #useTimeoutMs: number
  readonly #listeners = new Set<(snapshot: ReaderSnapshot) => void>()
  readonly #pending = new Map<number, Pending>()
  /** The present cards by the helper's number of their insertion. */
  #cards = new Map<number, PcscCard>()
  /** The last card of each reader, gone or not. */
  readonly #lastCards = new Map<string, PcscCard>()
  #helper: ChildProcess | undefined
  #snapshot: ReaderSnapshot = { service: 'down', detail: starting, slots: [] }
  #requestCount = 0
  #restartMs = restartMsMin
  #restartTimer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: PcscReaderOptions) {
    this.#processPath = options.processPath ?? modulePath()
    this.#apduTimeoutMs = options.apduTimeoutMs ?? 5000
    this.#hangTimeoutMs = Math.max(options.hangTimeoutMs ?? 10_000, 2 * this.#apduTimeoutMs)
    this.#busyTimeoutMs = options.busyTimeoutMs ?? 2000
    this.#useTimeoutMs = options.useTimeoutMs ?? 20_000
    this.#start()
  }

  get snapshot() {
    return this.#snapshot
  }

  subscribe(listener: (snapshot: ReaderSnapshot) => void) {
    // A wrapper of its own, so that one function may subscribe twice.
    const entry = (snapshot: ReaderSnapshot) => listener(snapshot)
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  async close() {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#restartTimer)
    const helper = this.#helper
    if (helper !== undefined) {
      const exited = once(helper, 'exit')
      const grace = setTimeout(() => helper.kill('SIGKILL'), closeGraceMs)
      if (helper.connected) helper.disconnect()
      else helper.kill('SIGKILL')
      await exited
      clearTimeout(grace)
    }
    this.#lose(new CardFault('reader', 'the card reader was closed'), 'The card reader is closed.')
    this.#listeners.clear()
  }

  #start() {
    const helper = fork(this.#processPath, [], {
      serialization: 'advanced',
      env: environment(),
      execArgv: [],
      stdio: ['ignore', 'ignore', process.env.FARTHING_DEBUG ? 'inherit' : 'ignore', 'ipc'],
    })
    this.#helper = helper

    // Counts ticks and reads no clock: a terminal that slept itself must not blame its helper.
    let silentTicks = 0
    const watchdog = setInterval(() => {
      silentTicks += 1
      if (silentTicks > 2) helper.kill('SIGKILL')
    }, this.#hangTimeoutMs / 2)

    let gone = false
    helper.on('message', (message) => {
      // The last words of a helper that is given up would bring back cards that are gone.
      if (gone || helper.killed) return
      silentTicks = 0
      this.#onMessage(parseFromHelper(message))
    })
    const onGone = () => {
      if (gone) return
      gone = true
      clearInterval(watchdog)
      this.#onHelperGone()
    }
    // `error`: it could not be started, or a message could not be sent.
    helper.on('error', () => {
      if (helper.pid === undefined) onGone()
      else helper.kill('SIGKILL')
    })
    helper.on('exit', onGone)
  }

  #onHelperGone() {
    this.#helper = undefined
    if (this.#closed) return
    const { detail } = this.#snapshot
    this.#lose(restartFault(), detail === undefined || detail === starting ? restarting : detail)
    this.#restartTimer = setTimeout(() => this.#start(), this.#restartMs)
    this.#restartMs = Math.min(this.#restartMs * 2, restartMsMax)
  }

  #onMessage(message: FromHelper) {
    switch (message.kind) {
      case 'alive':
        // A helper that lives for one beat and has a service is a good one: the next restart may be quick again.
        if (this.#snapshot.service === 'up') this.#restartMs = restartMsMin
        return
      case 'state':
        this.#onState(message)
        return
      case 'done':
        this.#settle(message.id)?.resolve(message.response)
        return
      case 'fault':
        this.#settle(message.id)?.reject(new CardFault(message.code, message.message))
    }
  }

  #onState({ detail, slots }: Extract<FromHelper, { kind: 'state' }>) {
    const before = this.#cards
    this.#cards = new Map()
    // A PC/SC service that is begun anew counts anew.
    if (detail !== undefined) this.#lastCards.clear()
    const seen = slots.map(({ name, card, mute }): ReaderSlot => {
      const present = card === undefined ? undefined : (before.get(card.insertion) ?? this.#newCard(name, card))
      if (card !== undefined && present !== undefined) this.#cards.set(card.insertion, present)
      const isMute = mute || (present !== undefined && present.failuresBefore >= failuresMax)
      return { name, ...(isMute ? { mute: true } : present === undefined ? {} : { card: present }) }
    })
    const departed = [...before].filter(([insertion]) => !this.#cards.has(insertion))
    this.#publish(
      detail === undefined ? { service: 'up', slots: seen } : { service: 'down', detail, slots: seen },
      departed.map(([, card]) => card),
      new CardFault('removed', 'the card has left the reader'),
    )
  }

  #newCard(readerName: string, { insertion, eventCount, atr }: HelperCard) {
    const ask = (work: Work) => this.#ask({ ...work, readerName, insertion })
    const timeouts = { busyTimeoutMs: this.#busyTimeoutMs, useTimeoutMs: this.#useTimeoutMs }
    const last = this.#lastCards.get(readerName)
    const failuresBefore = last?.eventCount === eventCount ? last.failuresBefore + Number(last.failed) : 0
    const card = new PcscCard({ readerName, atr, eventCount, failuresBefore, ...timeouts, ask })
    this.#lastCards.set(readerName, card)
    return card
  }

  /** No helper any more: every card counts as gone, every question as unanswered. */
  #lose(fault: CardFault, detail: string) {
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(fault)
    const departed = [...this.#cards.values()]
    this.#cards = new Map()
    this.#publish({ service: 'down', detail, slots: [] }, departed, fault)
  }

  /** The snapshot changes first, so that whoever hears of a departure sees the slot empty. */
  #publish(snapshot: ReaderSnapshot, departed: readonly PcscCard[], fault: CardFault) {
    this.#snapshot = snapshot
    for (const card of departed) card.leave(fault)
    for (const listener of [...this.#listeners]) listener(snapshot)
  }

  #ask(work: Omit<ToHelper, 'id'>): Promise<Uint8Array | undefined> {
    const helper = this.#helper
    if (helper === undefined || !helper.connected || helper.killed) return Promise.reject(restartFault())
    this.#requestCount += 1
    const id = this.#requestCount
    return new Promise((resolve, reject) => {
      // An answer that came while this process was held up counts: it is read before the immediate runs.
      const timer = setTimeout(() => setImmediate(() => this.#onTimeout(id, helper)), this.#apduTimeoutMs)
      this.#pending.set(id, { resolve, reject, timer })
      helper.send({ ...work, id })
    })
  }

  /** PC/SC cannot be told to give up on a card; only the end of the helper frees its thread. */
  #onTimeout(id: number, helper: ChildProcess) {
    const unanswered = this.#settle(id)
    if (unanswered === undefined) return
    unanswered.reject(new CardFault('timeout', `the card did not answer within ${this.#apduTimeoutMs} ms`))
    helper.kill('SIGKILL')
    this.#lose(restartFault(), restarting)
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    clearTimeout(pending?.timer)
    return pending
  }
}

/**
 * Opens the machine's PC/SC readers. Never fails: while there is no PC/SC the snapshot says so, and what to do.
 * Keeps the process running until `close()`.
 */
export const openPcscReader = (options: PcscReaderOptions = {}): CardReader => new PcscReader(options)

/**
 * The first snapshot that knows: readers were looked for, or it is plain why they could not be. For a command that
 * must say at once whether there is a reader.
 * @throws the signal's reason when it aborts first
 */
export const firstSnapshot = (reader: CardReader, { signal }: { signal: AbortSignal }) =>
  new Promise<ReaderSnapshot>((resolve, reject) => {
    const onAbort = () => {
      stop()
      reject(signal.reason)
    }
    const look = (snapshot: ReaderSnapshot) => {
      if (snapshot.detail === starting) return
      stop()
      resolve(snapshot)
    }
    const unsubscribe = reader.subscribe(look)
    const stop = () => {
      unsubscribe()
      signal.removeEventListener('abort', onAbort)
    }
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    else look(reader.snapshot)
  })
