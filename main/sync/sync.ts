/**
 * Sync: an exchange of documents (PROTOCOL.md, Documents). Batches go out, only an authenticated acknowledgement settles
 * one; bulletin, keyring and goods come in. Online and offline are found out by trying.
 */
import { type Acknowledgement, isTaken } from '../../protocol/acknowledgement.ts'
import { encodeBatch } from '../../protocol/batch.ts'
import { encodeJournal } from '../../protocol/journal.ts'
import type { Terminal } from '../terminal.ts'
import { backoffMs, syncBackoff } from './backoff.ts'
import {
  keepDocuments,
  missingGoods,
  missingHotlist,
  needsSuccession,
  openNewBulletin,
  openNewKeyring,
  takeAnswer,
  takeGoods,
  takeHotlistPage,
  takeJournalAnswer,
  takeSuccessions,
  WrongDocument,
} from './intake.ts'
import { AnswerTooLarge, type IssuerClient, IssuerRefused, IssuerUnreachable } from './issuer-client.ts'

export interface SyncResult {
  readonly batches: number
  readonly entries: number
  readonly exceptions: number
  /** Journals that the issuer took; absent: none. */
  readonly journals?: number
  /** The issuer takes no more from this epoch: enrol again. */
  readonly stopped?: string
  /**
   * The bulletin names a hotlist behind the one in force, or one that the issuer has not got: it went back to a backup, or began
   * a new log meanwhile. The one in force stays, and ages.
   */
  readonly hotlist?: 'refused'
}

export interface SyncOptions {
  readonly signal?: AbortSignal
  /** The intent at the reader now, which is not yet in doubt. */
  readonly busyTerminalSeq?: () => number | undefined
  /** With nothing else to send, the newest batch goes once more: the issuer hears that the terminal is there, and one that went back to a backup then asks for what it lacks. */
  readonly makeSure?: boolean
  readonly onBatch?: (progress: { readonly entries: number; readonly left: number }) => void
}

/**
 * A tenth of what a batch may hold: 104 kB pass a line of 2 kB/s within a minute, and neither sealing one nor counting it
 * as taken holds up a sale. What is cut is never cut anew, so this is decided here.
 */
const entriesPerBatch = 1000
const notFound = 404
/** A batch before the one that was sent is asked for at most this often in one sync. */
const resendMax = 1000

/** Cuts what is due and stores it; nothing is sent. */
export const cutBatch = (terminal: Terminal, busyTerminalSeq?: number): boolean =>
  terminal.ledger.cutBatch(
    (batch) => encodeBatch(terminal.identity.terminalMacKey, { ...batch, keyVersion: terminal.identity.keyVersion }),
    { entriesMax: entriesPerBatch, ...(busyTerminalSeq === undefined ? {} : { busyTerminalSeq }) },
  )

/** As `cutBatch`, of the operators' journal. */
export const cutJournal = ({ ledger, identity }: Terminal): boolean =>
  ledger.cutJournal((journal) => encodeJournal(identity.terminalKey, { ...journal, keyVersion: identity.keyVersion }))

/** On this way whatever the issuer did not make was said by something in between. @throws IssuerUnreachable */
const fromIssuer = <Result>(what: string, work: () => Result): Result => {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof WrongDocument)) throw cause
    throw new IssuerUnreachable(`What answered is not ${what} of the issuer (a proxy or a login page?).`, { cause })
  }
}

/**
 * What operators did goes after the sales. An issuer that knows of no journals, or refuses one, holds up neither sales nor news.
 * @throws IssuerUnreachable
 */
const sendJournals = async (
  terminal: Terminal,
  client: IssuerClient,
  signal?: AbortSignal,
): Promise<{ readonly taken: number; readonly refused?: IssuerRefused }> => {
  const { ledger } = terminal
  for (let taken = 0; ; taken += 1) {
    if (taken === resendMax || ledger.stoppedVerdict !== undefined) return { taken }
    const due = ledger.journalDue() ?? (cutJournal(terminal) ? ledger.journalDue() : undefined)
    if (due === undefined) return { taken }
    try {
      const bytes = await client.sendJournal(due.bytes, signal)
      fromIssuer("the journal's answer", () => takeJournalAnswer(terminal, bytes))
    } catch (error) {
      if (!(error instanceof IssuerRefused)) throw error
      return error.status === notFound ? { taken } : { taken, refused: error }
    }
  }
}

/**
 * Sends everything that the issuer has not taken by now, oldest first, then fetches its news.
 * @throws IssuerUnreachable, IssuerRefused; what was acknowledged until then stays acknowledged
 */
export const syncOnce = async (
  terminal: Terminal,
  client: IssuerClient,
  options: SyncOptions = {},
): Promise<SyncResult> => {
  const { ledger } = terminal
  let batches = 0
  let entries = 0
  let exceptions = 0
  let resent = 0
  let sure = false

  const send = async (stored: { batchNo: number; bytes: Uint8Array }): Promise<Acknowledgement> => {
    const bytes = await client.sendBatch(stored.bytes, options.signal)
    return fromIssuer('the acknowledgement', () => takeAnswer(terminal, bytes, stored.batchNo))
  }

  const sendDue = async (): Promise<void> => {
    let due: number | undefined
    while (ledger.stoppedVerdict === undefined) {
      // The issuer lacks what came before (it was restored from a backup): back to the last one it knows.
      const missing = resent < resendMax ? ledger.nextToResend() : undefined
      if (missing !== undefined) {
        resent += 1
        await send(missing)
        continue
      }
      const next = ledger.nextUnanswered()
      if (next === undefined) {
        // What is sold meanwhile waits for the next sync: the news must not wait for a queue that sales keep filling.
        if (due !== undefined && entries >= due) break
        if (!cutBatch(terminal, options.busyTerminalSeq?.())) {
          const newest = options.makeSure && !sure && batches === 0 ? ledger.newestBatch() : undefined
          if (newest === undefined) break
          sure = true
          await send(newest)
          continue
        }
        due ??= entries + ledger.unsynced.count
        continue
      }
      const ack = await send(next)
      if (!isTaken(ack.verdict)) break
      batches += 1
      entries += next.count
      exceptions += ack.exceptions.length
      options.onBatch?.({ entries, left: ledger.unsynced.count })
    }
  }

  await sendDue()
  const journals = await sendJournals(terminal, client, options.signal)
  const news =
    ledger.stoppedVerdict === undefined
      ? await fetchNews(terminal, client, {
          ...(options.signal === undefined ? {} : { signal: options.signal }),
          between: sendDue,
        })
      : {}
  if (journals.refused !== undefined) throw journals.refused
  const stopped = ledger.stoppedVerdict
  return {
    batches,
    entries,
    exceptions,
    ...(journals.taken === 0 ? {} : { journals: journals.taken }),
    ...(stopped === undefined ? news : { stopped }),
  }
}

export interface NewsOptions {
  readonly signal?: AbortSignal
  /** Done between the pages of a long hotlist: on a slow line it comes for hours, and sales must not wait for it. */
  readonly between?: () => Promise<void>
}

/**
 * Bulletin, keyring, hotlist, and the goods that are new. A document that does not verify changes nothing; prices hold at
 * once, the hotlist when it is whole.
 */
export const fetchNews = async (
  terminal: Terminal,
  client: IssuerClient,
  options: NewsOptions = {},
): Promise<Pick<SyncResult, 'hotlist'>> => {
  const { signal } = options
  try {
    const bulletinBytes = await client.bulletin(signal)
    if (fromIssuer('the bulletin', () => needsSuccession(terminal, bulletinBytes))) {
      const successions = await client.successions(signal)
      fromIssuer('the succession of its signing keys', () => takeSuccessions(terminal, successions))
    }
    const bulletin = fromIssuer('the bulletin', () => openNewBulletin(terminal, bulletinBytes))
    const keyringBytes = await client.keyring(terminal.identity.terminalId, signal)
    const keyring = fromIssuer('the keyring', () => openNewKeyring(terminal, keyringBytes))
    keepDocuments(terminal, [bulletin, keyring])
    const stand = await fetchHotlist(terminal, client, options)
    await fetchGoods(terminal, client, signal)
    return stand === undefined ? {} : { hotlist: stand }
  } catch (error) {
    // Not published yet is no fault of the network: the sales that were sent are sent.
    if (error instanceof IssuerRefused && error.status === notFound) return {}
    throw error
  }
}

/** @returns undefined: the issuer has no such entries */
const hotlistPage = async (
  client: IssuerClient,
  place: { readonly generation: number; readonly after: number },
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> => {
  try {
    return await client.hotlist(place, signal)
  } catch (error) {
    if (error instanceof IssuerRefused && error.status === notFound) return undefined
    throw error
  }
}

/** What is left of the log that the bulletin names, page by page; cut off, it goes on there with the next sync. */
const fetchHotlist = async (
  terminal: Terminal,
  client: IssuerClient,
  { signal, between }: NewsOptions,
): Promise<'refused' | undefined> => {
  for (let wanted = missingHotlist(terminal); wanted !== undefined; wanted = missingHotlist(terminal)) {
    if (wanted === 'refused') return wanted
    const page = await hotlistPage(client, wanted, signal)
    if (page === undefined) return 'refused'
    fromIssuer('the hotlist', () => takeHotlistPage(terminal, page))
    await between?.()
    if (terminal.ledger.stoppedVerdict !== undefined) return undefined
  }
  // What it took the place of goes in steps that hold up no sale.
  while (!signal?.aborted && terminal.hotlist.sweep()) await new Promise<void>((resolve) => setImmediate(resolve))
  return undefined
}

/**
 * Goods that are announced and not here yet. One that the issuer has not got does not hold up the next; nor does a picture that
 * is not what the bulletin says.
 */
const fetchGoods = async (terminal: Terminal, client: IssuerClient, signal?: AbortSignal): Promise<void> => {
  for (const goods of missingGoods(terminal)) {
    try {
      const blob = await client.goods(goods.contentHash, goods.bytesMax, signal)
      if (goods.isShown) takeGoods(terminal, goods, blob)
      else fromIssuer('the goods', () => takeGoods(terminal, goods, blob))
    } catch (error) {
      const isWrong = error instanceof WrongDocument || error instanceof AnswerTooLarge
      if (!(error instanceof IssuerRefused) && !(goods.isShown && isWrong)) throw error
    }
  }
}

export interface SyncLoop {
  readonly online: boolean
  /** Syncs now, or right after the sync that is running. */
  nudge(): void
  /** Syncs now, whether or not the issuer answered before. @throws IssuerUnreachable, IssuerRefused */
  now(): Promise<SyncResult>
  stop(): Promise<void>
}

/** When everything is settled, the issuer is asked for news this often. */
const idleMs = 60_000
/** With nothing to send, the newest batch goes once more this often: half of what the issuer takes for silence. */
const contactMs = 12 * 3_600_000

/** Keeps the terminal in step with the issuer for as long as it runs. Never in the way of a sale. */
export const startSync = (
  terminal: Terminal,
  client: IssuerClient,
  options: Omit<SyncOptions, 'signal'> & {
    readonly random?: () => number
    readonly monotonicMs?: () => number
    readonly onChange?: (online: boolean) => void
    readonly onFault?: (error: unknown) => void
  } = {},
): SyncLoop => {
  const monotonicMs = options.monotonicMs ?? (() => performance.now())
  const stopping = new AbortController()
  let online = false
  let nudged = false
  let asked: PromiseWithResolvers<SyncResult>[] = []
  let wake: () => void = () => {}

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const run = async () => {
    let failures = 0
    // At the start, and where nothing was sold for long: the issuer takes a kiosk that sends nothing for silent. A batch is up to 104 kB.
    let heardAt = Number.NEGATIVE_INFINITY
    while (!stopping.signal.aborted) {
      nudged = false
      const waiting = asked
      asked = []
      try {
        const makeSure = monotonicMs() - heardAt >= contactMs
        const result = await syncOnce(terminal, client, { ...options, makeSure, signal: stopping.signal })
        for (const { resolve } of waiting) resolve(result)
        const { stopped, batches } = result
        if (makeSure || batches > 0) heardAt = monotonicMs()
        failures = 0
        // A stopped terminal sends nothing, and so has learnt nothing of the network.
        online = stopped === undefined || (await client.reachable())
      } catch (error) {
        for (const { reject } of waiting) reject(error)
        if (stopping.signal.aborted) return
        failures += 1
        online = error instanceof IssuerRefused
        if (!(error instanceof IssuerUnreachable)) options.onFault?.(error)
      }
      options.onChange?.(online)
      // While the issuer is away, the backoff decides: a busy kiosk must not hammer it.
      if (!stopping.signal.aborted && !(nudged && online) && asked.length === 0)
        await pause(failures === 0 ? idleMs : backoffMs(failures, syncBackoff, (options.random ?? Math.random)()))
    }
  }
  const done = run()

  return {
    get online() {
      return online
    },
    nudge() {
      nudged = true
      if (online) wake()
    },
    now() {
      const waiting = Promise.withResolvers<SyncResult>()
      if (stopping.signal.aborted) waiting.reject(new IssuerUnreachable('The kiosk is stopping.'))
      else asked.push(waiting)
      wake()
      return waiting.promise
    },
    async stop() {
      stopping.abort()
      wake()
      await done
      for (const { reject } of asked) reject(new IssuerUnreachable('The kiosk is stopping.'))
    },
  }
}
