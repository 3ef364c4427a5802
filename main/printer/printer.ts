/**
 * The receipt printer. A job counts as printed when the printer itself has said so: after its last byte stands a command
 * (GS r) that is answered in its turn, when all before it is on paper. Meanwhile the printer is asked in real time
 * (DLE EOT) whether it has paper and is closed. Sources: Epson's ESC/POS command reference, DLE EOT, DLE DC4, GS r.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { AnswerKind } from './answers.ts'
import { type Connection, openConnection } from './connection.ts'
import { documentOf, type PrintJob } from './print-job.ts'
import type { PrinterSetting } from './printer-settings.ts'
import { type Page, renderApart } from './render-apart.ts'

export type PrinterStatus = 'ready' | 'offline' | 'paperOut' | 'coverOpen' | 'unknown'
export type PrinterFaultCode = 'offline' | 'paperOut' | 'coverOpen' | 'timeout' | 'unknown' | 'notDrawn'

/** The job is not known to be on paper whole; the message says what to do. */
export class PrinterFault extends Error {
  readonly code: PrinterFaultCode
  constructor(code: PrinterFaultCode, options?: ErrorOptions) {
    super(code === 'notDrawn' ? `${sentences[code]} ${String(options?.cause)}` : sentences[code], options)
    this.name = 'PrinterFault'
    this.code = code
  }
}

const sentences: Readonly<Record<PrinterFaultCode, string>> = {
  offline: 'The printer is not there, or is offline: look at its power, cable and address, and at its lamp.',
  paperOut: 'The printer has no paper: put in a new roll.',
  coverOpen: "The printer's cover is open: close it.",
  timeout: 'The printer did not say in time that the page is done: see whether it hangs.',
  unknown:
    'The printer does not say how it is: if it never does, set "answers" to false in kiosk.json, and what was sent counts as printed.',
  notDrawn:
    'The page could not be made, and the printer was sent nothing: try again, and restart the kiosk if it stays so.',
}

export interface Printer {
  /** Never rejects: one that is asked for too much at once, or closed, counts as offline. */
  status(): Promise<PrinterStatus>
  /** Resolves when the printer has said that all of it is printed; with `answers: false`, when it has taken all of it. @throws PrinterFault */
  print(job: PrintJob): Promise<void>
  /** After what it is doing now. */
  close(): Promise<void>
}

/** What is waited for: to be reached, one answer in real time, a whole job. */
export type PrinterWait = 'connect' | 'answer' | 'job'

export const printerWaitsMs: Readonly<Record<PrinterWait, number>> = { connect: 2_000, answer: 1_000, job: 12_000 }
/** Between two questions while it prints. */
const askEveryMs = 250

export interface PrinterClock {
  /** Aborted when it was waited for long enough. */
  deadline(wait: PrinterWait): AbortSignal
  /** Until the next question while it prints. */
  pause(): Promise<void>
}

const systemClock: PrinterClock = {
  deadline: (wait) => AbortSignal.timeout(printerWaitsMs[wait]),
  pause: () => pause(askEveryMs),
}

/** More wait for the printer than a kiosk ever prints at once. */
const jobsMax = 8

/** DLE EOT n: why it is offline, and the roll. */
const askCause = Uint8Array.of(0x10, 0x04, 0x02)
const askPaper = Uint8Array.of(0x10, 0x04, 0x04)
const askPrinter = Uint8Array.of(0x10, 0x04, 0x01)
/** GS r 1: the paper sensor, answered in its turn. */
const askInTurn = Uint8Array.of(0x1d, 0x72, 0x01)
/** DLE DC4 8: forgets what is not printed yet. Else a new roll would bring the rest of a sale that was undone. */
const forget = Uint8Array.of(0x10, 0x14, 0x08, 0x01, 0x03, 0x14, 0x01, 0x06, 0x02, 0x08)

const bits = {
  offline: 0x08,
  coverOpen: 0x04,
  stoppedByPaper: 0x20,
  failed: 0x40,
  noPaper: 0x60,
  noPaperInTurn: 0x0c,
} as const

/** The next answer of a kind. */
const nextAnswer = ({ gone, listen }: Connection, wanted: AnswerKind, signal: AbortSignal): Promise<number> =>
  new Promise((resolve, reject) => {
    const stop = AbortSignal.any([signal, gone])
    const fail = (): void => {
      unlisten()
      reject(stop.reason)
    }
    const unlisten = listen((kind, byte) => {
      if (kind !== wanted) return
      unlisten()
      stop.removeEventListener('abort', fail)
      resolve(byte)
    })
    if (stop.aborted) fail()
    else stop.addEventListener('abort', fail, { once: true })
  })

/** @returns undefined when it says nothing */
const ask = async (connection: Connection, question: Uint8Array, clock: PrinterClock): Promise<number | undefined> => {
  const signal = clock.deadline('answer')
  try {
    const answer = nextAnswer(connection, 'now', signal)
    answer.catch(() => {})
    await connection.write(question, signal)
    return await answer
  } catch (cause) {
    if (connection.gone.aborted) throw new PrinterFault('offline', { cause })
    return undefined
  }
}

/** What a printer that is reached says of itself. @throws PrinterFault `offline` when it goes away */
const statusOf = async (connection: Connection, clock: PrinterClock): Promise<PrinterStatus> => {
  const cause = await ask(connection, askCause, clock)
  if (cause === undefined) return 'unknown'
  if (cause & bits.coverOpen) return 'coverOpen'
  const paper = await ask(connection, askPaper, clock)
  if (paper === undefined) return 'unknown'
  if (paper & bits.noPaper || cause & bits.stoppedByPaper) return 'paperOut'
  const printer = await ask(connection, askPrinter, clock)
  if (printer === undefined) return 'unknown'
  return printer & bits.offline || cause & bits.failed ? 'offline' : 'ready'
}

const requireReady = async (connection: Connection, clock: PrinterClock): Promise<void> => {
  const status = await statusOf(connection, clock)
  if (status !== 'ready') throw new PrinterFault(status)
}

/** As a promise that ends well: a later fault of it is no one's. */
const settled = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work
  } catch {
    // Whoever waits for it is told otherwise.
  }
}

/** Waits for the answer in turn, and looks meanwhile why it may not come. */
const confirmed = async (connection: Connection, signal: AbortSignal, clock: PrinterClock): Promise<void> => {
  let done = false
  const answer = nextAnswer(connection, 'inTurn', signal).then((byte) => {
    // One that does not stop without paper says so only here: nobody knows how much of the page there is.
    if (byte & bits.noPaperInTurn) throw new PrinterFault('paperOut')
    done = true
  })
  answer.catch(() => {})
  await connection.write(askInTurn, signal)
  for (;;) {
    await Promise.race([answer, clock.pause()])
    if (done) return
    const status = await statusOf(connection, clock)
    // Silent while it is busy: only the answer, or the time that is over, decides now. A late word is not taken for another.
    if (status === 'unknown') return answer
    // Twice: a picture's dots may read as a question, and bring an answer that was not asked for.
    if (status !== 'ready' && status === (await statusOf(connection, clock))) throw new PrinterFault(status)
  }
}

const drawn = async (page: Page, signal: AbortSignal): Promise<Uint8Array> => {
  try {
    return await renderApart(page, signal)
  } catch (cause) {
    throw new PrinterFault('notDrawn', { cause })
  }
}

const faultOf = (error: unknown, connection: Connection | undefined, signal: AbortSignal): PrinterFault => {
  if (error instanceof PrinterFault) return error
  if (connection === undefined || connection.gone.aborted) return new PrinterFault('offline', { cause: error })
  return new PrinterFault(signal.aborted ? 'timeout' : 'unknown', { cause: error })
}

/** @param clock driven in tests */
export const openPrinter = (setting: PrinterSetting, clock: PrinterClock = systemClock): Printer => {
  let queue: Promise<unknown> = Promise.resolve()
  let waiting = 0
  let closed = false

  const takesNone = (): boolean => closed || waiting >= jobsMax

  /** One errand after the other. */
  const inTurn = async <Result>(errand: () => Promise<Result>): Promise<Result> => {
    waiting += 1
    const turn = queue.then(errand)
    queue = settled(turn)
    try {
      return await turn
    } finally {
      waiting -= 1
    }
  }

  const connect = (): Promise<Connection> => openConnection(setting, clock.deadline('connect'))

  /** Over a connection of its own: the other one may be full of what the printer does not take. */
  const forgetRest = async (): Promise<void> => {
    const connection = await connect()
    try {
      await connection.write(forget, clock.deadline('answer'))
    } finally {
      await connection.close()
    }
  }

  const printNow = async (job: PrintJob): Promise<void> => {
    const signal = clock.deadline('job')
    const bytes = await drawn({ document: documentOf(job), setting }, signal)
    let connection: Connection | undefined
    let sending = false
    try {
      connection = await connect()
      if (setting.answers) await requireReady(connection, clock)
      sending = true
      await connection.write(bytes, signal)
      if (setting.answers) await confirmed(connection, signal, clock)
    } catch (error) {
      const fault = faultOf(error, connection, signal)
      await connection?.close()
      if (sending) await settled(forgetRest())
      throw fault
    }
    await connection.close()
  }

  const statusNow = async (): Promise<PrinterStatus> => {
    let connection: Connection | undefined
    try {
      connection = await connect()
      return setting.answers ? await statusOf(connection, clock) : 'ready'
    } catch {
      return 'offline'
    } finally {
      await connection?.close()
    }
  }

  return {
    status: async () => (takesNone() ? 'offline' : inTurn(statusNow)),
    async print(job) {
      if (takesNone()) throw new PrinterFault('offline')
      await inTurn(() => printNow(job))
    },
    close() {
      closed = true
      return settled(queue)
    },
  }
}
