/**
 * Journals of operators come in, are checked, kept and answered (PROTOCOL.md, Journal): the same bytes get the same answer, late
 * and out of order too. Each act is a row of the terminal's journal and of the audit log; a refund is kept until it can be decided.
 */
import { hash } from 'node:crypto'
import type { BatchVerdict } from '../protocol/acknowledgement.ts'
import { equalBytes, toHex } from '../protocol/bytes.ts'
import { ProtocolError, parsed } from '../protocol/errors.ts'
import {
  encodeJournalAnswer,
  firstJournalHead,
  isChained,
  type Journal,
  type JournalEntry,
  parseJournal,
  parseJournalEntry,
  requireJournalSeal,
} from '../protocol/journal.ts'
import { noteChange } from './audit-log.ts'
import { type DocumentRefusal, type RefusedDocument, refuseDocument } from './batch-intake.ts'
import { Books, findTerminals, type KnownTerminal } from './books.ts'
import type { Issuer } from './issuer.ts'
import { isTerminalVersionOver, noteTerminalVersion } from './key-versions.ts'
import { askRefund } from './refunds.ts'
import type { StoreReader, StoreWriter } from './store.ts'

/** How the console, alarms and the audit log call it. */
const journalName = ({ terminalId, epoch, journalNo }: Pick<Journal, 'terminalId' | 'epoch' | 'journalNo'>): string =>
  `journal ${terminalId}/${epoch}/${journalNo}`

interface OpenedJournal {
  readonly journal: Journal
  readonly bytes: Uint8Array
  readonly key: Uint8Array
}

const openJournal = (issuer: Issuer, bytes: Uint8Array): OpenedJournal | DocumentRefusal => {
  try {
    const journal = parseJournal(bytes)
    const key = issuer.keys.terminalKey(journal.keyVersion, journal.terminalId)
    if (key === undefined) return 'forged'
    requireJournalSeal(key, bytes)
    return { journal, bytes, key }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return error.code === 'forged' ? 'forged' : 'layout'
  }
}

/**
 * Takes a journal in and answers it. What it asks for is decided next (refunds.ts).
 * @param bytes as they came
 * @returns the sealed answer, or why there is none
 */
export const takeJournal = async (
  issuer: Issuer,
  bytes: Uint8Array,
): Promise<{ readonly answer: Uint8Array; readonly verdict: BatchVerdict } | RefusedDocument> => {
  const opened = openJournal(issuer, bytes)
  if (typeof opened === 'string') return refuseDocument(opened, 'The journal is refused')
  return issuer.store.write((db) => answerJournal(issuer, db, opened))
}

const findJournal = (db: StoreReader, terminalNo: number, place: { epoch: number; journalNo: number }) =>
  db
    .selectFrom('journal')
    .select(['bytes', 'answer', 'previous_head', 'head', 'first_entry', 'entry_count'])
    .where('terminal_no', '=', terminalNo)
    .where('epoch', '=', place.epoch)
    .where('journal_no', '=', place.journalNo)
    .executeTakeFirst()

const openBooks = (issuer: Issuer, db: StoreWriter, journal: Journal): Promise<Books> =>
  Books.open(db, { document: journalName(journal), now: issuer.clock(), counters: new Map(), terminals: [] })

const answerJournal = async (issuer: Issuer, db: StoreWriter, opened: OpenedJournal) => {
  const { journal, bytes, key } = opened
  const terminal = (await findTerminals(db, [journal.terminalId])).get(journal.terminalId)
  if (terminal === undefined) return refuseDocument('unknownTerminal', 'The journal is refused')
  const answer = (verdict: BatchVerdict) => ({ answer: encodeJournalAnswer(key, { ...journal, verdict }), verdict })
  const known = await findJournal(db, terminal.terminalNo, journal)
  if (known !== undefined) {
    if (equalBytes(Uint8Array.from(known.bytes), bytes))
      return { answer: Uint8Array.from(known.answer), verdict: 'taken' as const }
    const books = await openBooks(issuer, db, journal)
    const detail = `${journal.epoch}/${journal.journalNo}/${toHex(hash('sha256', bytes, 'buffer'))}`
    books.alarm({ kind: 'journalFork', terminal, detail })
    await books.write()
    return answer('fork')
  }
  if (journal.epoch !== terminal.epoch) return answer('epochEnded')
  if (await isTerminalVersionOver(issuer, db, journal.keyVersion)) return answer('keyVersionEnded')
  await noteTerminalVersion(db, terminal, journal.keyVersion)
  const entries = journal.entries.map((entry) => parsed(() => parseJournalEntry(entry)))
  const books = await openBooks(issuer, db, journal)
  const verdict = (await checkChain(books, journal, { terminal, entries })) ? 'outOfOrder' : 'taken'
  await keepEntries({ issuer, db, books }, journal, { terminal, entries })
  await books.write()
  const taken = answer(verdict)
  await db
    .insertInto('journal')
    .values({
      terminal_no: terminal.terminalNo,
      epoch: journal.epoch,
      journal_no: journal.journalNo,
      first_entry: journal.firstEntry,
      entry_count: journal.entries.length,
      previous_head: journal.previousHead,
      head: journal.head,
      bytes,
      answer: taken.answer,
      received_at: issuer.clock(),
    })
    .execute()
  return taken
}

interface Read {
  readonly terminal: KnownTerminal
  /** undefined: its JSON is none of ours. */
  readonly entries: readonly (JournalEntry | undefined)[]
}

/**
 * Checks the chain within the journal and with its neighbours that are here; a break is an alarm, and the entries stand.
 * @returns whether the journal before it is missing
 */
const checkChain = async (books: Books, journal: Journal, { terminal, entries }: Read): Promise<boolean> => {
  const { epoch, journalNo } = journal
  const alarm = (no: number) => books.alarm({ kind: 'journalBreak', terminal, detail: `${epoch}/${no}` })
  const isNumbered = entries.every((entry, index) => entry === undefined || entry.no === journal.firstEntry + index)
  if (!isChained(journal) || !isNumbered) alarm(journalNo)
  const at = (no: number) => findJournal(books.db, terminal.terminalNo, { epoch, journalNo: no })
  const previous =
    journalNo === 1
      ? { head: firstJournalHead(journal.terminalId, epoch), first_entry: 1, entry_count: 0 }
      : await at(journalNo - 1)
  if (
    previous !== undefined &&
    (!equalBytes(Uint8Array.from(previous.head), journal.previousHead) ||
      previous.first_entry + previous.entry_count !== journal.firstEntry)
  )
    alarm(journalNo)
  const next = await at(journalNo + 1)
  if (
    next !== undefined &&
    (!equalBytes(Uint8Array.from(next.previous_head), journal.head) ||
      journal.firstEntry + journal.entries.length !== next.first_entry)
  )
    alarm(journalNo + 1)
  return previous === undefined
}

interface Desk {
  readonly issuer: Issuer
  readonly db: StoreWriter
  readonly books: Books
}

const keepEntries = async (
  { issuer, db, books }: Desk,
  journal: Journal,
  { terminal, entries }: Read,
): Promise<void> => {
  const document = journalName(journal)
  const now = issuer.clock()
  for (const [index, entry] of entries.entries()) {
    const entryNo = journal.firstEntry + index
    await db
      .insertInto('journal_entry')
      .values({
        terminal_no: terminal.terminalNo,
        epoch: journal.epoch,
        journal_no: journal.journalNo,
        entry_no: entryNo,
        at: entry === undefined ? now : Math.floor(Date.parse(entry.at) / 1000),
        act: entry?.act ?? 'unreadable',
        operator_card: entry?.operator?.cardId ?? null,
        operator_name: entry?.operator?.name ?? null,
        details: entry?.details === undefined ? null : JSON.stringify(entry.details),
        received_at: now,
      })
      .execute()
    const { operator, act = 'unreadable', at, details } = entry ?? {}
    await noteChange(
      db,
      {
        name: operator === undefined ? `terminal ${terminal.terminalId}` : `${operator.name} (${operator.cardId})`,
        at: now,
      },
      {
        action: `device.${act}`,
        subject: terminal.terminalId,
        // Whatever the terminal calls its details: where they stand is what we know.
        after: { ...details, journal: document, entry: entryNo, at },
      },
    )
    const isAsked = entry?.act !== 'refund' || (await askRefund(db, { terminal, entry, document, now }))
    if (!isAsked || entry === undefined)
      books.alarm({
        kind: isAsked ? 'journalBreak' : 'refundAsked',
        terminal,
        detail: `${journal.epoch}/entry ${entryNo}`,
      })
  }
}
