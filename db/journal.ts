/**
 * The journal within the ledger's file: entries in a chain of their own, and the documents that carry them (PROTOCOL.md, Journal).
 * The ledger calls all of this inside its own commits; nothing here is kept in memory, for operators act seldom.
 */
import type { BatchVerdict } from '../protocol/acknowledgement.ts'
import { equalBytes } from '../protocol/bytes.ts'
import {
  encodeJournalEntry,
  firstJournalHead,
  type Journal,
  type JournalAct,
  type JournalEntry,
  journalEntriesMax,
  nextJournalHead,
  parseJournalEntry,
} from '../protocol/journal.ts'
import type { CardId, TerminalId } from '../protocol/quantities.ts'
import type { ReadableDatabase, WritableDatabase } from './open.ts'

export interface JournalOperator {
  readonly cardId: CardId
  readonly name: string
}

/** What a caller says of an act; number and time are the ledger's. */
export interface NewJournalEntry {
  readonly act: JournalAct
  readonly operator?: JournalOperator
  readonly details?: Readonly<Record<string, string | number | boolean>>
}

export interface JournalPlace {
  readonly epoch: number
  readonly journalNo: number
}

export interface StoredJournal extends JournalPlace {
  readonly count: number
  readonly bytes: Uint8Array
  /** The issuer has it. */
  readonly answered: boolean
}

interface EntryRow {
  epoch: number
  entry_no: number
  time: number
  act: string
  operator_card: string | null
  bytes: Uint8Array
  head: Uint8Array
}

/** The columns that questions are asked of say what the entry's bytes say. */
const repeatsItsBytes = (row: EntryRow): boolean => {
  const entry = parseJournalEntry(new Uint8Array(row.bytes))
  return (
    entry.no === row.entry_no &&
    Date.parse(entry.at) === row.time * 1000 &&
    entry.act === row.act &&
    (entry.operator?.cardId ?? null) === row.operator_card
  )
}

/** @returns the first entry that does not follow from those before it; undefined: the chain is whole */
export const brokenJournalEntry = (
  database: ReadableDatabase,
  terminal: TerminalId,
): { readonly epoch: number; readonly entryNo: number } | undefined => {
  // Who looks on may come before the program's first start, and so before the migration.
  if (database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'journal_entry'`).get() === undefined) return undefined
  let epoch = -1
  let expectedNo = 1
  let head = new Uint8Array()
  for (const row of database
    .prepare('SELECT * FROM journal_entry ORDER BY epoch, entry_no')
    .iterate() as IterableIterator<EntryRow>) {
    if (row.epoch !== epoch) {
      epoch = row.epoch
      expectedNo = 1
      head = new Uint8Array(firstJournalHead(terminal, epoch))
    }
    head = new Uint8Array(nextJournalHead(head, row.bytes))
    if (row.entry_no !== expectedNo || !equalBytes(head, row.head) || !repeatsItsBytes(row))
      return { epoch, entryNo: expectedNo }
    expectedNo += 1
  }
  return undefined
}

const columns = 'epoch, journal_no AS journalNo, count, bytes, verdict'

const stored = (row: unknown): StoredJournal | undefined => {
  if (row === undefined) return undefined
  const { verdict, bytes, ...rest } = row as StoredJournal & { readonly verdict: BatchVerdict | null }
  return { ...rest, bytes: new Uint8Array(bytes), answered: verdict !== null }
}

export const openJournal = (database: WritableDatabase, terminal: TerminalId) => {
  const last = (epoch: number) =>
    database
      .prepare('SELECT entry_no, head FROM journal_entry WHERE epoch = ? ORDER BY entry_no DESC LIMIT 1')
      .get(epoch) as { entry_no: number; head: Uint8Array } | undefined

  const append = (
    epoch: number,
    time: number,
    { act, operator, details }: Omit<JournalEntry, 'no' | 'at'>,
  ): JournalEntry => {
    const before = last(epoch)
    const entry: JournalEntry = {
      no: (before?.entry_no ?? 0) + 1,
      at: new Date(time * 1000).toISOString(),
      act,
      ...(operator === undefined ? {} : { operator }),
      ...(details === undefined ? {} : { details }),
    }
    const bytes = encodeJournalEntry(entry)
    const head = nextJournalHead(
      before === undefined ? firstJournalHead(terminal, epoch) : new Uint8Array(before.head),
      bytes,
    )
    database
      .prepare(
        'INSERT INTO journal_entry (epoch, entry_no, time, act, operator_card, bytes, head) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run(epoch, entry.no, time, act, operator?.cardId ?? null, bytes, head)
    return entry
  }

  /** The first entry of an epoch that is in no document yet. */
  const firstUncut = (epoch: number): number =>
    (
      database
        .prepare('SELECT coalesce(max(first_entry + count), 1) AS first FROM journal WHERE epoch = ?')
        .get(epoch) as { first: number }
    ).first

  return {
    append,
    isEmpty: (epoch: number): boolean => last(epoch) === undefined,

    /** The newest first. @param page.before only older ones than this `id` */
    entries(page: { readonly before?: number; readonly limit: number }): (JournalEntry & { readonly id: number })[] {
      const rows = database
        .prepare('SELECT id, bytes FROM journal_entry WHERE id < ? ORDER BY id DESC LIMIT ?')
        .all(page.before ?? Number.MAX_SAFE_INTEGER, page.limit) as { id: number; bytes: Uint8Array }[]
      return rows.map(({ id, bytes }) => ({ id, ...parseJournalEntry(new Uint8Array(bytes)) }))
    },

    /** The newest entry of any of these acts. */
    newest(acts: readonly JournalAct[]): JournalEntry | undefined {
      const row = database
        .prepare(
          'SELECT bytes FROM journal_entry WHERE act IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT 1',
        )
        .get(JSON.stringify(acts)) as { bytes: Uint8Array } | undefined
      return row === undefined ? undefined : parseJournalEntry(new Uint8Array(row.bytes))
    },

    /** Wrong PINs of this card since it last entered, and when the last one was given, UNIX seconds. */
    wrongPins(card: CardId): { readonly count: number; readonly lastTime: number } {
      return database
        .prepare(
          `SELECT count(*) AS count, coalesce(max(time), 0) AS lastTime FROM journal_entry
           WHERE operator_card = @card AND act = 'wrongPin' AND id > coalesce(
             (SELECT max(id) FROM journal_entry WHERE operator_card = @card AND act = 'enter'), 0)`,
        )
        .get({ card }) as { count: number; lastTime: number }
    },

    /** Cuts the next document of what is in none yet. @returns false when there is nothing to send */
    cut(epoch: number, seal: (journal: Omit<Journal, 'keyVersion'>) => Uint8Array): boolean {
      const firstEntry = firstUncut(epoch)
      const rows = database
        .prepare('SELECT bytes, head FROM journal_entry WHERE epoch = ? AND entry_no >= ? ORDER BY entry_no LIMIT ?')
        .all(epoch, firstEntry, journalEntriesMax) as { bytes: Uint8Array; head: Uint8Array }[]
      const newest = rows.at(-1)
      if (newest === undefined) return false
      const before = database
        .prepare('SELECT head FROM journal_entry WHERE epoch = ? AND entry_no = ?')
        .get(epoch, firstEntry - 1) as { head: Uint8Array } | undefined
      const { journalNo } = database
        .prepare('SELECT coalesce(max(journal_no), 0) + 1 AS journalNo FROM journal WHERE epoch = ?')
        .get(epoch) as { journalNo: number }
      const bytes = seal({
        terminalId: terminal,
        epoch,
        journalNo,
        firstEntry,
        previousHead: before === undefined ? firstJournalHead(terminal, epoch) : new Uint8Array(before.head),
        entries: rows.map((row) => new Uint8Array(row.bytes)),
        head: new Uint8Array(newest.head),
      })
      database
        .prepare('INSERT INTO journal (epoch, journal_no, first_entry, count, bytes) VALUES (?, ?, ?, ?, ?)')
        .run(epoch, journalNo, firstEntry, rows.length, bytes)
      return true
    },

    at: ({ epoch, journalNo }: JournalPlace): StoredJournal | undefined =>
      stored(
        database.prepare(`SELECT ${columns} FROM journal WHERE epoch = ? AND journal_no = ?`).get(epoch, journalNo),
      ),

    /** What goes next: the one that the issuer lacks (it was restored from a backup), or the oldest without an answer. */
    due: (epoch: number): StoredJournal | undefined =>
      stored(
        database
          .prepare(
            `SELECT ${columns} FROM journal WHERE epoch = @epoch AND journal_no =
               (SELECT max(journal_no) - 1 FROM journal WHERE epoch = @epoch AND verdict = 'outOfOrder')
             UNION ALL
             SELECT * FROM (SELECT ${columns} FROM journal WHERE epoch = @epoch AND verdict IS NULL ORDER BY journal_no LIMIT 1)
             LIMIT 1`,
          )
          .get({ epoch }),
      ),

    /** All that a messenger takes along, oldest first. */
    toCarry: (epoch: number): JournalPlace[] =>
      database
        .prepare(
          `SELECT epoch, journal_no AS journalNo FROM journal WHERE epoch = @epoch AND (verdict IS NULL
             OR journal_no = (SELECT max(journal_no) - 1 FROM journal WHERE epoch = @epoch AND verdict = 'outOfOrder'))
           ORDER BY journal_no`,
        )
        .all({ epoch }) as JournalPlace[],

    /** The issuer has this one. */
    taken(place: JournalPlace, verdict: BatchVerdict, answer: Uint8Array): void {
      database
        .prepare('UPDATE journal SET verdict = ?, answer = ? WHERE epoch = ? AND journal_no = ?')
        .run(place.journalNo === 1 ? 'taken' : verdict, answer, place.epoch, place.journalNo)
      // What the one after it was missing has come.
      database
        .prepare(`UPDATE journal SET verdict = 'taken' WHERE epoch = ? AND journal_no = ? AND verdict = 'outOfOrder'`)
        .run(place.epoch, place.journalNo + 1)
    },

    /** Entries that the issuer has not taken go into the new epoch's chain, with the times at which they were written. */
    beginEpoch(from: number, to: number): void {
      const { first } = database
        .prepare(
          `SELECT coalesce(
             (SELECT min(first_entry) FROM journal WHERE epoch = @epoch AND verdict IS NULL),
             (SELECT max(first_entry + count) FROM journal WHERE epoch = @epoch), 1) AS first`,
        )
        .get({ epoch: from }) as { first: number }
      const left = database
        .prepare('SELECT time, bytes FROM journal_entry WHERE epoch = ? AND entry_no >= ? ORDER BY entry_no')
        .all(from, first) as { time: number; bytes: Uint8Array }[]
      for (const { time, bytes } of left) append(to, time, parseJournalEntry(new Uint8Array(bytes)))
    },
  }
}
