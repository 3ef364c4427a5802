/**
 * From the stick into the terminal: acknowledgements, bulletin, keyring and goods, checked and kept as if they had come over
 * HTTP (main/sync/intake.ts). What is not for this terminal, older, damaged or no document at all stays where it is, with a
 * sentence. A stick that is pulled on the way loses nothing: the same again completes it.
 */
import type { Acknowledgement } from '../../protocol/acknowledgement.ts'
import { acknowledgementBytesMax, parseAcknowledgement } from '../../protocol/acknowledgement.ts'
import { batchBytesMax, parseBatch } from '../../protocol/batch.ts'
import { bulletinBytesMax } from '../../protocol/bulletin.ts'
import { parsed } from '../../protocol/errors.ts'
import { hotlistEntryLength, hotlistPageBytesMax } from '../../protocol/hotlist.ts'
import { journalAnswerLength, journalBytesMax, parseJournal, parseJournalAnswer } from '../../protocol/journal.ts'
import { keyringBytesMax } from '../../protocol/keyring.ts'
import { successionsBytesMax } from '../../protocol/succession.ts'
import {
  keepDocuments,
  missingGoods,
  missingHotlist,
  type OpenedDocument,
  openNewBulletin,
  openNewKeyring,
  takeAnswer,
  takeGoods,
  takeHotlistPage,
  takeJournalAnswer,
  takeSuccessions,
  WrongDocument,
} from '../sync/intake.ts'
import type { Terminal } from '../terminal.ts'
import { type LeftAlone, openStick, type Stick, shownName, stickHotlistEntriesMax, stickName } from './stick.ts'
import type { StickDisk } from './stick-disk.ts'

export interface TakeResult {
  /** Acknowledgements that were taken. */
  readonly answers: number
  /** Entries in their batches. */
  readonly entries: number
  readonly exceptions: number
  /** Journals that the issuer took. */
  readonly journals: number
  /** The issuer takes no more from this epoch: enrol again. */
  readonly stopped?: string
  /** The issuer lacks a batch that it had: the next export brings it. */
  readonly exportAgain: boolean
  /** Serials of what is new. */
  readonly bulletin?: number
  readonly keyring?: number
  /** Whether the hotlist that the bulletin names has not come whole. */
  readonly hotlistMissing: boolean
  /** Goods that came, and those that the bulletin names and that are still missing. */
  readonly goods: number
  readonly goodsMissing: number
  /** Acknowledgements for other terminals. */
  readonly others: number
  /** What this terminal wrote there still waits for its answer. */
  readonly waiting: boolean
  /** Documents that are older than those here. */
  readonly older: readonly string[]
  readonly refused: readonly LeftAlone[]
}

type Answer = Acknowledgement | 'other' | 'ended'

/** @throws WrongDocument */
const takeOne = (terminal: Terminal, bytes: Uint8Array): Answer => {
  const { identity, ledger } = terminal
  const ack = parsed(() => parseAcknowledgement(bytes))
  if (ack === undefined) throw new WrongDocument('It is not an acknowledgement, or it was damaged.')
  if (ack.terminalId !== identity.terminalId) return 'other'
  // What it acknowledges was appended again in this epoch, or was taken: it has nothing to say any more.
  if (ack.epoch < ledger.epoch) return 'ended'
  return takeAnswer(terminal, bytes)
}

/** Tries each of the work's documents, and keeps the sentence of those that are refused. */
const refusing =
  (refused: LeftAlone[]) =>
  <Result>(file: string, work: () => Result): Result | undefined => {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof WrongDocument)) throw error
      refused.push({ file: shownName(file), problem: 'wrongDocument', sentence: error.message })
      return undefined
    }
  }

/** @returns undefined: it is not there, or it was refused */
const readFrom = (
  stick: Stick,
  wanted: { readonly name: string; readonly bytesMax: number; readonly refused: LeftAlone[] },
): Uint8Array | undefined => {
  const found = stick.read(wanted.name, wanted.bytesMax)
  if (found.outcome === 'read') return found.bytes
  if (found.outcome === 'refused')
    wanted.refused.push({ file: shownName(wanted.name), problem: found.problem, sentence: found.sentence })
  return undefined
}

const takeAnswers = (terminal: Terminal, stick: Stick, refused: LeftAlone[]) => {
  const sums = { answers: 0, entries: 0, exceptions: 0, others: 0 }
  for (const name of stick.names().filter((each) => /\.fack$/i.test(each))) {
    const bytes = readFrom(stick, { name, bytesMax: acknowledgementBytesMax, refused })
    const answer = bytes && refusing(refused)(name, () => takeOne(terminal, bytes))
    if (answer === undefined) continue
    if (answer === 'other') {
      sums.others += 1
      continue
    }
    if (answer !== 'ended') {
      sums.answers += 1
      sums.entries += answer.accepted + answer.exceptions.length
      sums.exceptions += answer.exceptions.length
    }
    // The ledger has it now. An answer is news once: left here, it would be taken for a new one after the next journey.
    stick.remove(name)
  }
  return sums
}

/** @returns how many journals the issuer took */
const takeJournalAnswers = (terminal: Terminal, stick: Stick, refused: LeftAlone[]): number => {
  const { identity, ledger } = terminal
  let taken = 0
  for (const name of stick.names().filter((each) => /\.fjra$/i.test(each))) {
    const bytes = readFrom(stick, { name, bytesMax: journalAnswerLength, refused })
    if (bytes === undefined) continue
    const answer = parsed(() => parseJournalAnswer(bytes))
    if (answer !== undefined && answer.terminalId !== identity.terminalId) continue
    const isEnded = answer !== undefined && answer.epoch < ledger.epoch
    if (!isEnded && refusing(refused)(name, () => takeJournalAnswer(terminal, bytes)) === undefined) continue
    if (!isEnded) taken += 1
    stick.remove(name)
  }
  return taken
}

/** Newer ones only: what is here already needs no second look. */
const takeDocuments = (terminal: Terminal, stick: Stick, refused: LeftAlone[]) => {
  const { ledger, identity } = terminal
  const older: string[] = []
  const open = (
    name: string,
    bytesMax: number,
    read: (from: Terminal, bytes: Uint8Array) => OpenedDocument,
  ): OpenedDocument[] => {
    const bytes = readFrom(stick, { name, bytesMax, refused })
    // An empty keyring is this terminal's own wish for one.
    if (bytes === undefined || bytes.length === 0) return []
    const document = refusing(refused)(name, () => read(terminal, bytes))
    if (document === undefined) return []
    const here = ledger.document(document.kind)?.serial ?? 0
    if (document.serial < here) older.push(name)
    return document.serial > here ? [document] : []
  }
  const successions = readFrom(stick, { name: stickName.successions, bytesMax: successionsBytesMax, refused })
  if (successions !== undefined) refusing(refused)(stickName.successions, () => takeSuccessions(terminal, successions))
  const fresh = keepDocuments(terminal, [
    ...open(stickName.keyring(identity.terminalId), keyringBytesMax, openNewKeyring),
    ...open(stickName.bulletin, bulletinBytesMax, openNewBulletin),
  ])
  const serials = Object.fromEntries(fresh.map(({ kind, serial }) => [kind, serial]))
  return { older, serials }
}

/** As far as the stick has it: the rest comes with the next journey, and until then the list in force stays. */
const takeHotlist = (terminal: Terminal, stick: Stick, refused: LeftAlone[]): void => {
  for (let wanted = missingHotlist(terminal); wanted !== undefined && wanted !== 'refused'; ) {
    const { generation, after } = wanted
    const part = Math.floor(after / stickHotlistEntriesMax)
    const name = stickName.hotlist(generation, part)
    const found = readFrom(stick, { name, bytesMax: stickHotlistEntriesMax * hotlistEntryLength, refused })
    const left = found?.subarray((after - part * stickHotlistEntriesMax) * hotlistEntryLength)
    if (left === undefined || left.length === 0) return
    for (let at = 0; at < left.length; at += hotlistPageBytesMax) {
      const page = left.subarray(at, at + hotlistPageBytesMax)
      const taken = refusing(refused)(name, () => {
        takeHotlistPage(terminal, page)
        return true
      })
      if (!taken) return
      wanted = missingHotlist(terminal)
      if (wanted === undefined) break
    }
  }
  while (terminal.hotlist.sweep());
}

const takeAllGoods = (terminal: Terminal, stick: Stick, refused: LeftAlone[]): number => {
  let count = 0
  for (const goods of missingGoods(terminal)) {
    const name = stickName.goods(goods.contentHash)
    const blob = readFrom(stick, { name, bytesMax: goods.bytesMax, refused })
    if (blob === undefined) continue
    const taken = refusing(refused)(name, () => {
      takeGoods(terminal, goods, blob)
      return true
    })
    if (taken) count += 1
  }
  return count
}

/**
 * Takes batches off the stick that need no more journey: those of which the ledger has the very bytes and the answer.
 * @returns whether others of this terminal still wait there for theirs
 */
const clearBatches = ({ ledger, identity }: Terminal, stick: Stick): boolean => {
  let waiting = false
  for (const name of stick.names()) {
    if (!name.startsWith(`${identity.terminalId}-`) || !name.endsWith('.fbat')) continue
    const found = stick.read(name, batchBytesMax)
    if (found.outcome !== 'read') continue
    const place = parsed(() => parseBatch(found.bytes))
    const ours = place && ledger.batchAt(place)
    if (ours === undefined || Buffer.compare(ours.bytes, found.bytes) !== 0) continue
    if (ours.answered || ours.epoch < ledger.epoch) stick.remove(name)
    else waiting = true
  }
  const wish = stick.read(stickName.keyring(identity.terminalId), 0)
  return waiting || wish.outcome === 'read'
}

/** As `clearBatches`, of the journals. */
const clearJournals = ({ ledger, identity }: Terminal, stick: Stick): void => {
  for (const name of stick.names()) {
    if (!name.startsWith(`${identity.terminalId}-`) || !name.endsWith('.fjrn')) continue
    const found = stick.read(name, journalBytesMax)
    if (found.outcome !== 'read') continue
    const place = parsed(() => parseJournal(found.bytes))
    const ours = place && ledger.journalAt(place)
    if (ours === undefined || Buffer.compare(ours.bytes, found.bytes) !== 0) continue
    if (ours.answered || ours.epoch < ledger.epoch) stick.remove(name)
  }
}

/** @throws StickFault, LedgerFault; what was taken until then stays taken */
export const takeFromStick = (terminal: Terminal, dir: string, disk?: StickDisk): TakeResult => {
  const { ledger } = terminal
  const stick = openStick(dir, disk)
  const refused: LeftAlone[] = []
  const sums = takeAnswers(terminal, stick, refused)
  const journals = takeJournalAnswers(terminal, stick, refused)
  const stopped = ledger.stoppedVerdict
  const news = stopped === undefined ? takeDocuments(terminal, stick, refused) : { older: [], serials: {} }
  if (stopped === undefined) takeHotlist(terminal, stick, refused)
  const goods = stopped === undefined ? takeAllGoods(terminal, stick, refused) : 0
  const waiting = clearBatches(terminal, stick)
  clearJournals(terminal, stick)
  stick.flush()
  return {
    ...sums,
    journals,
    ...(stopped === undefined ? {} : { stopped }),
    exportAgain: ledger.nextToResend() !== undefined,
    ...news.serials,
    hotlistMissing: missingHotlist(terminal) !== undefined,
    goods,
    goodsMissing: missingGoods(terminal).length,
    waiting,
    older: news.older,
    refused,
  }
}
