/**
 * The ledger: intents, the append-only chain of entries, and the outbox (PROTOCOL.md, Recovery and Documents).
 * Every public method is at most one durable commit. All are synchronous: nothing awaits inside a transaction.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type Acknowledgement, type BatchVerdict, isTaken } from '../protocol/acknowledgement.ts'
import { type Batch, batchEntriesMax, batchHeaderLength } from '../protocol/batch.ts'
import { equalBytes } from '../protocol/bytes.ts'
import {
  type Entry,
  type EntryStatus,
  encodeEntry,
  entryLength,
  entryStatuses,
  firstHead,
  nextHead,
  parseEntry,
} from '../protocol/entry.ts'
import type { Journal, JournalAct, JournalAnswer, JournalEntry } from '../protocol/journal.ts'
import { orderTypes } from '../protocol/order.ts'
import {
  type CardId,
  type Counter,
  cardId,
  counter,
  type Mac,
  mac,
  type TerminalId,
  terminalId,
  unixTime,
  zeroMac,
} from '../protocol/quantities.ts'
import { type CardRecord, encodeRecord, parseRecord, recordLength } from '../protocol/record.ts'
import { readFigures } from './day-figures.ts'
import {
  brokenJournalEntry,
  type JournalOperator,
  type JournalPlace,
  type NewJournalEntry,
  openJournal,
  type StoredJournal,
} from './journal.ts'
import { asLedgerFault, LedgerFault, type ReadableDatabase, type WritableDatabase } from './open.ts'
import { firstUnsynced, readUnsynced, tallyUnsynced, type Unsynced, type UnsyncedTally } from './unsynced.ts'

export type { Unsynced } from './unsynced.ts'

export type IntentType = 'payment' | 'load' | 'reversal'
export type IntentState = 'open' | 'captured' | 'void' | 'abandoned' | 'reversed'
export type GoodsState = 'none' | 'due' | 'released' | 'owed' | 'withheld'

export interface Intent {
  readonly terminalSeq: number
  readonly epoch: number
  readonly type: IntentType
  readonly cardId: CardId
  readonly counter: Counter
  /** The whole record that the card will make if it commits, 80 bytes. */
  readonly record: Uint8Array
  /** What is sold, as its canonical JSON's text; payments only. */
  readonly itemJson: string | undefined
  /** The one-time code's SHA-256; codes and tickets only. */
  readonly unit: string | undefined
  /** The terminalSeq of the payment that a reversal undoes. */
  readonly reverses: number | undefined
  readonly state: IntentState
  readonly notedInDoubt: boolean
  readonly settlementMac: Mac | undefined
  readonly goods: GoodsState
  /** An operator took it back for its money: its goods are withheld for good. */
  readonly refunded: boolean
  readonly createdTime: number
  /** Of a captured payment: 1, 2, 3 and so on through all epochs of this ledger. A reversal of it takes nothing back. */
  readonly receiptNo: number | undefined
}

/** A captured payment as a line of a list. */
export interface ReceiptLine {
  readonly receiptNo: number
  readonly terminalSeq: number
  readonly epoch: number
  readonly time: number
  readonly itemJson: string
  readonly amountMinor: number
  readonly state: 'captured' | 'reversed'
  readonly goods: GoodsState
}

/** An operator takes a sale back; the issuer books the money (PROTOCOL.md, Refunds). */
export interface NewRefund {
  readonly operator: JournalOperator
  /** 1 to 200 characters. */
  readonly reason: string
  /** No more than the price; absent: the price. */
  readonly amountMinor?: number
}

export type RefundResult =
  | { readonly outcome: 'refunded'; readonly entry: JournalEntry }
  | {
      readonly outcome: 'refused'
      /** notCaptured: nothing was paid, or the card has it back; reversing: the card decides; refunded: it was before. */
      readonly reason: 'notCaptured' | 'reversing' | 'refunded' | 'amount'
    }

export interface NewIntent {
  readonly record: CardRecord
  readonly itemJson?: string
  readonly unit?: string
  readonly reverses?: number
}

export interface BatchPlace {
  readonly epoch: number
  readonly batchNo: number
}

export interface StoredBatch extends BatchPlace {
  readonly count: number
  readonly bytes: Uint8Array
}

export type DocumentKind = 'bulletin' | 'keyring'

/** Orders' numbers are reserved in blocks: one durable write for this many. A restart skips the rest of a block. */
const terminalSeqBlock = 64
export const alarmsMax = 1000

interface IntentRow {
  terminal_seq: number
  epoch: number
  type: IntentType
  card_id: string
  counter: number
  record: Uint8Array
  item_json: string | null
  unit: string | null
  reverses: number | null
  state: IntentState
  noted_in_doubt: number
  settlement_mac: Uint8Array | null
  goods: GoodsState
  refunded: number
  created_time: number
  receipt_no: number | null
}

const toIntent = (row: IntentRow): Intent => ({
  terminalSeq: row.terminal_seq,
  epoch: row.epoch,
  type: row.type,
  cardId: cardId(row.card_id),
  counter: counter(row.counter),
  record: new Uint8Array(row.record),
  itemJson: row.item_json ?? undefined,
  unit: row.unit ?? undefined,
  reverses: row.reverses ?? undefined,
  state: row.state,
  notedInDoubt: row.noted_in_doubt === 1,
  settlementMac: row.settlement_mac === null ? undefined : mac(new Uint8Array(row.settlement_mac)),
  goods: row.goods,
  refunded: row.refunded === 1,
  createdTime: row.created_time,
  receiptNo: row.receipt_no ?? undefined,
})

const toReceiptLine = ({ receiptNo, itemJson, state, ...intent }: Intent): ReceiptLine => {
  assert(receiptNo !== undefined && itemJson !== undefined, 'a receipt is of a payment')
  assert(state === 'captured' || state === 'reversed', 'a receipt is of what was captured')
  return {
    receiptNo,
    terminalSeq: intent.terminalSeq,
    epoch: intent.epoch,
    time: intent.createdTime,
    itemJson,
    amountMinor: parseRecord(intent.record).order.amountMinor,
    state,
    goods: intent.goods,
  }
}

/** What a merchant is owed for an entry: a captured payment, less a captured reversal; once a record. */
const valueMinorOf = (entry: Entry): number => {
  if (entry.status !== 'captured') return 0
  const { type, amountMinor } = entry.record.order
  return type === 'payment' ? amountMinor : type === 'reversal' ? -amountMinor : 0
}

/** A question; what the disk answers wrongly is a LedgerFault too. */
const look = <Result>(work: () => Result): Result => {
  try {
    return work()
  } catch (error) {
    throw asLedgerFault(error)
  }
}

const notEnrolled = (): LedgerFault =>
  new LedgerFault('missing', 'This terminal is not enrolled: run `farthing terminal enrol`.')

/** Makes the one terminal row of a new ledger. */
export const initialiseLedger = (
  database: WritableDatabase,
  terminal: { readonly terminalId: TerminalId; readonly epoch: number },
): void => {
  look(() =>
    database
      .prepare('INSERT INTO terminal (id, terminal_id, epoch, next_terminal_seq) VALUES (1, ?, ?, 1)')
      .run(terminal.terminalId, terminal.epoch),
  )
}

/** Who the ledger belongs to; undefined before the first enrolment. */
export const ledgerOwner = (
  database: ReadableDatabase,
): { readonly terminalId: TerminalId; readonly epoch: number } | undefined => {
  const row = look(() => database.prepare('SELECT terminal_id, epoch FROM terminal').get()) as
    | { terminal_id: string; epoch: number }
    | undefined
  return row === undefined ? undefined : { terminalId: terminalId(row.terminal_id), epoch: row.epoch }
}

/** How far a ledger has come: with it the issuer sees at an enrolment whether sales were forgotten. */
export interface LedgerStand {
  readonly terminalId: TerminalId
  readonly epoch: number
  /** The newest batch of that epoch; 0: none. */
  readonly batchNo: number
  /** The issuer called it a fork: it went back, and has forgotten what it sold. */
  readonly fork?: true
}

/** @returns undefined before the first enrolment */
export const ledgerStand = (database: ReadableDatabase): LedgerStand | undefined => {
  const owner = ledgerOwner(database)
  if (owner === undefined) return undefined
  const row = look(() =>
    database
      .prepare(
        `SELECT stopped_verdict AS verdict, coalesce((SELECT max(batch_no) FROM batch WHERE batch.epoch = terminal.epoch), 0) AS batchNo
         FROM terminal`,
      )
      .get(),
  ) as { verdict: string | null; batchNo: number }
  return { ...owner, batchNo: row.batchNo, ...(row.verdict === 'fork' ? { fork: true } : {}) }
}

/**
 * What anyone may look at, beside the writer. Amounts in minor units.
 */
export interface LedgerStatus {
  terminalId: TerminalId
  epoch: number
  unsynced: Unsynced
  inDoubt: number
  ledgerEntries: number
  issuerContactTime: number
  stoppedVerdict: string | undefined
  /** What a person should look at: forged answers, cards that went back in time. */
  alarms: { readonly count: number; readonly newest?: { readonly time: number; readonly detail: string } }
}

export const readLedgerStatus = (database: ReadableDatabase): LedgerStatus => look(() => readStatus(database))

const readStatus = (database: ReadableDatabase): LedgerStatus => {
  const terminal = database
    .prepare('SELECT terminal_id, epoch, issuer_contact_time, stopped_verdict FROM terminal')
    .get() as
    | { terminal_id: string; epoch: number; issuer_contact_time: number; stopped_verdict: string | null }
    | undefined
  if (terminal === undefined) throw notEnrolled()
  const counts = database
    .prepare(
      `SELECT (SELECT count(*) FROM entry) AS entries, (SELECT count(*) FROM intent WHERE state = 'open') AS open,
         (SELECT count(*) FROM alarm) AS alarms`,
    )
    .get() as { entries: number; open: number; alarms: number }
  const newest = database.prepare('SELECT time, detail FROM alarm ORDER BY id DESC LIMIT 1').get() as
    | { time: number; detail: string }
    | undefined
  return {
    terminalId: terminalId(terminal.terminal_id),
    epoch: terminal.epoch,
    unsynced: readUnsynced(database, terminal.epoch),
    inDoubt: counts.open,
    ledgerEntries: counts.entries,
    issuerContactTime: terminal.issuer_contact_time,
    stoppedVerdict: terminal.stopped_verdict ?? undefined,
    alarms: { count: counts.alarms, ...(newest === undefined ? {} : { newest }) },
  }
}

interface EntryRow {
  epoch: number
  entry_no: number
  bytes: Buffer
  head: Uint8Array
  card_id: string
  counter: number
  status: string
  value_minor: number
}

/**
 * The columns that questions are asked of say what the entry's bytes say. Read at their places in the layout, since a
 * whole parse of a year's entries would hold up the start.
 */
const repeatsItsBytes = ({ bytes, ...row }: EntryRow): boolean => {
  const type = orderTypes[bytes.readUInt8(20)]
  const sign = row.status !== 'captured' ? 0 : type === 'payment' ? 1 : type === 'reversal' ? -1 : 0
  return (
    row.card_id === bytes.toString('hex', 4, 12) &&
    row.counter === bytes.readUInt32BE(12) &&
    row.status === entryStatuses[bytes.readUInt8(96)] &&
    row.value_minor === (sign === 0 ? 0 : sign * bytes.readUInt32BE(24))
  )
}

const damaged = (what: string): LedgerFault =>
  new LedgerFault(
    'damaged',
    `${what}. Keep the file as it is, move the data folder away, and enrol the terminal again.`,
  )

/** What stands twice must agree: a captured intent with its entry, a batch with its entries. */
const requireCopies = (database: ReadableDatabase): void => {
  const stray = database
    .prepare(
      `SELECT terminal_seq FROM intent WHERE state IN ('captured', 'reversed') AND NOT EXISTS (
         SELECT 1 FROM entry WHERE entry.card_id = intent.card_id AND entry.counter = intent.counter
         AND substr(entry.bytes, 1, ${recordLength}) = intent.record) LIMIT 1`,
    )
    .get() as { terminal_seq: number } | undefined
  if (stray !== undefined) throw damaged(`Sale ${stray.terminal_seq} in the ledger does not agree with its entry`)
  const entries = database.prepare(
    'SELECT bytes FROM entry WHERE epoch = ? AND entry_no >= ? AND entry_no < ? ORDER BY entry_no',
  )
  for (const batch of database
    .prepare('SELECT epoch, batch_no, first_entry, count, bytes FROM batch')
    .iterate() as IterableIterator<{
    epoch: number
    batch_no: number
    first_entry: number
    count: number
    bytes: Uint8Array
  }>) {
    const rows = entries.all(batch.epoch, batch.first_entry, batch.first_entry + batch.count) as { bytes: Uint8Array }[]
    const within = batch.bytes.subarray(batchHeaderLength, batchHeaderLength + batch.count * entryLength)
    if (!equalBytes(Buffer.concat(rows.map((row) => row.bytes)), within))
      throw damaged(`Batch ${batch.batch_no} in the ledger does not agree with its entries`)
  }
}

/** Every captured payment has its number, and none is left out. */
const requireReceiptNumbers = (database: ReadableDatabase): void => {
  const { payments, numbers, newest } = database
    .prepare(
      `SELECT count(*) AS payments, count(receipt_no) AS numbers, coalesce(max(receipt_no), 0) AS newest
       FROM intent WHERE type = 'payment' AND state IN ('captured', 'reversed')`,
    )
    .get() as { payments: number; numbers: number; newest: number }
  if (numbers !== payments || newest !== payments) throw damaged("The ledger's receipt numbers have a gap")
}

/**
 * Recomputes every head from the entries' bytes, and compares what is kept of them elsewhere.
 * @throws LedgerFault `damaged`, naming the first entry that does not fit
 */
export const requireChain = (database: ReadableDatabase): void => look(() => checkChain(database))

const checkChain = (database: ReadableDatabase): void => {
  const owner = ledgerOwner(database)
  if (owner === undefined) return
  let epoch = -1
  let expectedNo = 1
  let head = new Uint8Array()
  for (const row of database
    .prepare(
      'SELECT epoch, entry_no, bytes, head, card_id, counter, status, value_minor FROM entry ORDER BY epoch, entry_no',
    )
    .iterate() as IterableIterator<EntryRow>) {
    if (row.epoch !== epoch) {
      epoch = row.epoch
      expectedNo = 1
      head = new Uint8Array(firstHead(owner.terminalId, epoch))
    }
    head = new Uint8Array(createHash('sha256').update(head).update(row.bytes).digest())
    if (row.entry_no !== expectedNo || !equalBytes(head, row.head) || !repeatsItsBytes(row))
      throw damaged(`The ledger's chain is broken at entry ${expectedNo} of epoch ${epoch}`)
    expectedNo += 1
  }
  requireCopies(database)
  const broken = brokenJournalEntry(database, owner.terminalId)
  if (broken !== undefined)
    throw damaged(`The journal's chain is broken at entry ${broken.entryNo} of epoch ${broken.epoch}`)
}

export type Ledger = ReturnType<typeof openLedger>

/**
 * @param clock UNIX seconds; only a hint, since `time` never goes behind the highest signed time that was seen
 */
export const openLedger = (database: WritableDatabase, options: { readonly clock: () => number }) => {
  const owner = ledgerOwner(database)
  if (owner === undefined) throw notEnrolled()
  requireChain(database)
  look(() => requireReceiptNumbers(database))
  const journal = openJournal(database, owner.terminalId)

  let epoch = owner.epoch
  let signedTimeMax = 0
  let head: Uint8Array = firstHead(owner.terminalId, epoch)
  let entryNo = 0
  let unsynced: UnsyncedTally
  let stoppedVerdict: string | undefined
  let closedFor: string | undefined
  let seqNext = 1
  let seqEnd = 1

  const reload = (): void => {
    const row = database.prepare('SELECT * FROM terminal').get() as {
      epoch: number
      next_terminal_seq: number
      signed_time_max: number
      stopped_verdict: string | null
    }
    epoch = row.epoch
    signedTimeMax = row.signed_time_max
    stoppedVerdict = row.stopped_verdict ?? undefined
    const last = database
      .prepare('SELECT entry_no, head FROM entry WHERE epoch = ? ORDER BY entry_no DESC LIMIT 1')
      .get(epoch) as { entry_no: number; head: Uint8Array } | undefined
    head = last === undefined ? firstHead(owner.terminalId, epoch) : new Uint8Array(last.head)
    entryNo = last?.entry_no ?? 0
    unsynced = tallyUnsynced(database, epoch)
    followDoor()
  }
  /** Open or closed is what an operator did last. */
  const followDoor = (): void => {
    const last = journal.newest(['outOfService', 'inService'])
    closedFor = last?.act === 'outOfService' ? String(last.details?.reason ?? '') : undefined
  }
  look(reload)

  const statements = {
    insertIntent: database.prepare(
      `INSERT INTO intent (terminal_seq, epoch, type, card_id, counter, record, item_json, unit, reverses, state, goods, created_time)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', 'none', ?)`,
    ),
    intent: database.prepare('SELECT * FROM intent WHERE terminal_seq = ?'),
    openOfCard: database.prepare(`SELECT * FROM intent WHERE card_id = ? AND state = 'open' ORDER BY terminal_seq`),
    dueOfCard: database.prepare(`SELECT * FROM intent WHERE card_id = ? AND goods = 'due' ORDER BY terminal_seq`),
    atCounter: database.prepare(
      `SELECT * FROM intent WHERE card_id = ? AND counter = ? AND type = 'payment' AND state IN ('captured', 'reversed') LIMIT 1`,
    ),
    capture: database.prepare(
      `UPDATE intent SET state = 'captured', settlement_mac = ?, goods = ?, receipt_no = CASE type WHEN 'payment' THEN (
         SELECT coalesce(max(receipt_no), 0) + 1 FROM intent WHERE receipt_no IS NOT NULL) END
       WHERE terminal_seq = ? AND state = 'open'`,
    ),
    receipts: database.prepare(
      'SELECT * FROM intent WHERE receipt_no IS NOT NULL AND receipt_no < ? ORDER BY receipt_no DESC LIMIT ?',
    ),
    decide: database.prepare(`UPDATE intent SET state = ? WHERE terminal_seq = ? AND state = 'open'`),
    reversalOf: database.prepare('SELECT 1 FROM intent WHERE reverses = ? LIMIT 1'),
    reversed: database.prepare(`UPDATE intent SET state = 'reversed' WHERE terminal_seq = ? AND state = 'captured'`),
    goods: database.prepare('UPDATE intent SET goods = ? WHERE terminal_seq = ?'),
    insertEntry: database.prepare(
      `INSERT INTO entry (epoch, entry_no, card_id, counter, status, value_minor, bytes, head, appended_time)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    settledRecord: database.prepare(
      `SELECT bytes FROM entry WHERE card_id = ? AND counter = ? AND status IN ('captured', 'witness', 'owed') LIMIT 1`,
    ),
    counterMax: database.prepare(
      `SELECT max(counter) AS counter FROM entry WHERE card_id = ? AND status IN ('captured', 'owed')`,
    ),
    cardUnsynced: database.prepare(
      // Left to itself SQLite goes through all that is unsynced, at every sale.
      `SELECT coalesce(sum(value_minor), 0) AS amount FROM entry INDEXED BY entry_of_card
       WHERE card_id = ? AND epoch = ? AND entry_no >= ?`,
    ),
    heldUnits: database.prepare(`SELECT unit FROM intent WHERE unit IS NOT NULL AND state NOT IN ('void', 'reversed')`),
  }

  /** After a fault memory follows the disk. While the disk does not even read, nothing is written from memory. */
  let behind = false
  const follow = (): void => {
    behind = true
    look(reload)
    behind = false
  }

  /** One durable commit; memory follows the disk, also when it fails. */
  const commit = <Result>(work: () => Result): Result => {
    if (behind) follow()
    try {
      return database.transaction(work).immediate()
    } catch (error) {
      const fault = asLedgerFault(error)
      try {
        follow()
      } catch (cause) {
        // The next commit follows first; the first fault says why.
        if (!(cause instanceof LedgerFault)) throw cause
      }
      throw fault
    }
  }

  /** Seconds: the clock, but never behind the highest signed time. */
  const now = (): number => Math.max(options.clock(), signedTimeMax)

  const append = (entry: Entry, appendedTime = now()): void => {
    const bytes = encodeEntry(entry)
    head = nextHead(head, bytes)
    entryNo += 1
    const { identity, counter: number } = entry.record
    const value = valueMinorOf(entry)
    statements.insertEntry.run(epoch, entryNo, identity.cardId, number, entry.status, value, bytes, head, appendedTime)
    unsynced.append({ entryNo, valueMinor: value, time: appendedTime })
  }

  const requireIntent = (terminalSeq: number): Intent => {
    const row = look(() => statements.intent.get(terminalSeq)) as IntentRow | undefined
    assert(row !== undefined, `intent ${terminalSeq} exists`)
    return toIntent(row)
  }

  const appendAbout = (intent: Intent, status: EntryStatus, settlementMac: Mac): void =>
    append({
      record: parseRecord(intent.record),
      settlementMac,
      status,
      resolvedTime: unixTime(intent.notedInDoubt || intent.state !== 'open' ? Math.max(1, now()) : 0),
    })

  const decide = ({ terminalSeq }: Intent, state: 'void' | 'abandoned'): void => {
    // As it is now: a batch may have been cut, and have noted the doubt, since the caller looked.
    const intent = requireIntent(terminalSeq)
    assert(statements.decide.run(state, intent.terminalSeq).changes === 1, 'an open intent is decided once')
    appendAbout(intent, state, zeroMac())
    // The reversal's outcome is known or never will be; its payment stands, and what it bought is owed.
    if (intent.reverses !== undefined) oweInCommit(requireIntent(intent.reverses))
  }

  const oweInCommit = (payment: Intent): void => {
    assert(payment.type === 'payment' && payment.state === 'captured' && payment.settlementMac !== undefined)
    if (payment.goods === 'owed' || payment.refunded) return
    assert(payment.goods !== 'released', 'what was handed over is not owed')
    statements.goods.run('owed', payment.terminalSeq)
    appendAbout(payment, 'owed', payment.settlementMac)
  }

  return {
    terminalId: owner.terminalId,
    get epoch() {
      return epoch
    },
    get unsynced() {
      return unsynced.sum()
    },
    /** Why the issuer takes no more from this epoch; a person enrols the terminal again. */
    get stoppedVerdict() {
      return stoppedVerdict
    },
    /** Why an operator has closed this kiosk; undefined: it is open. */
    get closedFor() {
      return closedFor
    },
    now,

    /** A number for an order, never given before. A commit every 64th time. */
    nextTerminalSeq(): number {
      if (seqNext === seqEnd) {
        const row = commit(
          () =>
            database
              .prepare('UPDATE terminal SET next_terminal_seq = next_terminal_seq + ? RETURNING next_terminal_seq')
              .get(terminalSeqBlock) as { next_terminal_seq: number },
        )
        seqEnd = row.next_terminal_seq
        seqNext = seqEnd - terminalSeqBlock
      }
      seqNext += 1
      return seqNext - 1
    },

    intent: requireIntent,
    openIntents: (card: CardId): Intent[] => look(() => statements.openOfCard.all(card) as IntentRow[]).map(toIntent),
    /** Captured here in this epoch and, as far as the ledger knows, not handed over. */
    goodsDue: (card: CardId): Intent[] =>
      look(() => statements.dueOfCard.all(card) as IntentRow[])
        .map(toIntent)
        .filter((intent) => intent.epoch === epoch),
    /** The payment that this terminal sold at that counter of the card. */
    soldAt(card: CardId, at: Counter): Intent | undefined {
      const row = look(() => statements.atCounter.get(card, at) as IntentRow | undefined)
      return row === undefined ? undefined : toIntent(row)
    },
    /** Captured payments, newest first. @param before only those below this number */
    receipts: ({ countMax, before }: { readonly countMax: number; readonly before?: number }): ReceiptLine[] =>
      look(() => statements.receipts.all(before ?? Number.MAX_SAFE_INTEGER, countMax) as IntentRow[])
        .map(toIntent)
        .map(toReceiptLine),
    /** Whether this terminal ever began to undo the payment: then it gives no goods and no claim for it. */
    reversalBegun: (payment: Intent): boolean =>
      look(() => statements.reversalOf.get(payment.terminalSeq)) !== undefined,
    /** The record (80 bytes) that this ledger holds, with a settlement MAC, at that counter of the card. */
    settledRecord(card: CardId, at: number): Uint8Array | undefined {
      const row = look(() => statements.settledRecord.get(card, at) as { bytes: Uint8Array } | undefined)
      return row === undefined ? undefined : new Uint8Array(row.bytes).slice(0, 80)
    },
    /** The highest counter at which the card paid or was loaded here; 0 for none. A witness may be an imitation's, and does not count. */
    counterMax: (card: CardId): number =>
      look(() => statements.counterMax.get(card) as { counter: number | null }).counter ?? 0,
    cardUnsyncedMinor: (card: CardId): number =>
      look(() => statements.cardUnsynced.get(card, epoch, firstUnsynced(database, epoch)) as { amount: number }).amount,
    heldUnits: (): ReadonlySet<string> =>
      new Set(look(() => statements.heldUnits.all() as { unit: string }[]).map((row) => row.unit)),

    /**
     * The first durable commit of a purchase: the intent, with the void entries of what this card's offer just proved void.
     * A reversal's intent also withholds the goods of its payment, for good.
     */
    writeIntent(intent: NewIntent, provedVoid: readonly Intent[] = []): Intent {
      const { order, identity } = intent.record
      assert(order.type === 'payment' || order.type === 'load' || order.type === 'reversal', 'an intent moves value')
      const { type } = order
      return commit(() => {
        for (const doubt of provedVoid) decide(doubt, 'void')
        if (intent.reverses !== undefined) {
          const payment = requireIntent(intent.reverses)
          assert(
            payment.state === 'captured' && payment.goods === 'due',
            'only a payment whose goods are here is undone',
          )
          statements.goods.run('withheld', payment.terminalSeq)
        }
        statements.insertIntent.run(
          order.terminalSeq,
          epoch,
          type,
          identity.cardId,
          intent.record.counter,
          encodeRecord(intent.record),
          intent.itemJson ?? null,
          intent.unit ?? null,
          intent.reverses ?? null,
          now(),
        )
        return requireIntent(order.terminalSeq)
      })
    },

    /** The second: captured, its entry, and a payment's receipt number. The caller has verified the acceptance MAC over exactly this record. */
    capture({ terminalSeq }: Intent, settlementMac: Mac): Intent {
      return commit(() => {
        const intent = requireIntent(terminalSeq)
        const goods: GoodsState = intent.type === 'payment' ? 'due' : 'none'
        const { changes } = statements.capture.run(settlementMac, goods, intent.terminalSeq)
        assert(changes === 1, 'an open intent is captured once')
        appendAbout(intent, 'captured', settlementMac)
        if (intent.reverses !== undefined) {
          assert(statements.reversed.run(intent.reverses).changes === 1, 'a captured payment is reversed once')
        }
        if (intent.type === 'payment' && intent.epoch !== epoch) oweInCommit(requireIntent(terminalSeq))
        return requireIntent(terminalSeq)
      })
    },

    /** Void, as an offer or another record at their counter proved. */
    writeVoids(intents: readonly Intent[]): void {
      if (intents.length > 0)
        commit(() => {
          for (const intent of intents) decide(intent, 'void')
        })
    },
    /** In doubt for good: the record has left the card's log. */
    writeAbandoned(intent: Intent): void {
      commit(() => decide(intent, 'abandoned'))
    },
    /** The third commit, off the path. Repeating it is harmless. */
    markReleased(terminalSeq: number): void {
      commit(() => {
        if (requireIntent(terminalSeq).goods === 'due') statements.goods.run('released', terminalSeq)
      })
    },
    markOwed(terminalSeq: number): void {
      commit(() => oweInCommit(requireIntent(terminalSeq)))
    },
    /**
     * An operator takes a sale back: its goods are withheld from now on, and the journal asks the issuer for the money. One commit.
     * Whether the issuer gives it is the issuer's to say; the goods are not released here again in any case.
     */
    refund(terminalSeq: number, asked: NewRefund): RefundResult {
      return commit((): RefundResult => {
        const refuse = (reason: Exclude<RefundResult, { outcome: 'refunded' }>['reason']): RefundResult => ({
          outcome: 'refused',
          reason,
        })
        const row = statements.intent.get(terminalSeq) as IntentRow | undefined
        if (row === undefined) return refuse('notCaptured')
        const payment = toIntent(row)
        if (payment.refunded) return refuse('refunded')
        if (payment.type !== 'payment' || payment.state !== 'captured') return refuse('notCaptured')
        if (statements.reversalOf.get(terminalSeq) !== undefined) return refuse('reversing')
        const { order } = parseRecord(payment.record)
        const amountMinor = asked.amountMinor ?? order.amountMinor
        if (!Number.isInteger(amountMinor) || amountMinor < 1 || amountMinor > order.amountMinor)
          return refuse('amount')
        statements.goods.run('withheld', terminalSeq)
        database.prepare('UPDATE intent SET refunded = 1 WHERE terminal_seq = ?').run(terminalSeq)
        const { cardId, counter } = payment
        const details = { cardId, counter, terminalSeq, amountMinor, reason: asked.reason }
        return {
          outcome: 'refunded',
          entry: journal.append(epoch, now(), { act: 'refund', operator: asked.operator, details }),
        }
      })
    },
    /** What an operator did, durable when this returns. */
    writeJournal(entry: NewJournalEntry): JournalEntry {
      return commit(() => {
        const written = journal.append(epoch, now(), entry)
        followDoor()
        return written
      })
    },
    /** A captured payment, those that were reversed later among them. */
    sale(terminalSeq: number): Intent | undefined {
      const row = look(() => statements.intent.get(terminalSeq)) as IntentRow | undefined
      return row === undefined || row.receipt_no === null ? undefined : toIntent(row)
    },
    status: (): LedgerStatus => look(() => readStatus(database)),
    newestAct: (acts: readonly JournalAct[]): JournalEntry | undefined => look(() => journal.newest(acts)),
    /** Sums, of sales after this receipt and of all else since ever. */
    figures: (afterReceiptNo: number) => look(() => readFigures(database, afterReceiptNo)),
    /** The newest entries first, of all epochs. @param page.before only those with a lower `id` */
    journalEntries: (page: { readonly before?: number; readonly limit: number }) => look(() => journal.entries(page)),
    /** Wrong PINs of an operator's card since it last entered: durable, so that a restart gives no new tries. */
    wrongPins: (card: CardId) => look(() => journal.wrongPins(card)),
    /**
     * Cuts the next document of what the journal has in none yet; the first of an epoch begins with an entry that says so.
     * @returns false when there is nothing to send
     */
    cutJournal(seal: (journal: Omit<Journal, 'keyVersion'>) => Uint8Array): boolean {
      return commit(() => {
        if (journal.isEmpty(epoch)) journal.append(epoch, now(), { act: 'start' })
        return journal.cut(epoch, seal)
      })
    },
    /** What goes to the issuer next, as it was cut. */
    journalDue: (): StoredJournal | undefined => look(() => journal.due(epoch)),
    journalsToCarry: (): JournalPlace[] => look(() => journal.toCarry(epoch)),
    journalAt: (place: JournalPlace): StoredJournal | undefined => look(() => journal.at(place)),
    /** Stores an answer whose seal was verified. A verdict of 1 to 3 stops the terminal until it is enrolled again. */
    storeJournalAnswer(answer: JournalAnswer, bytes: Uint8Array): void {
      commit(() => {
        if (isTaken(answer.verdict)) journal.taken(answer, answer.verdict, bytes)
        else {
          database.prepare('UPDATE terminal SET stopped_verdict = ?').run(answer.verdict)
          stoppedVerdict = answer.verdict
        }
      })
    },

    /** A record that was read from a card and that this ledger lacks. The caller has verified its acceptance MAC. */
    writeWitness(record: CardRecord, settlementMac: Mac): void {
      commit(() => append({ record, settlementMac, status: 'witness', resolvedTime: unixTime(0) }))
    },
    /** The newest are kept: anybody with a forged card raises as many as he likes. */
    writeAlarm(alarm: { kind: string; cardId?: CardId; detail: string }): void {
      commit(() => {
        database
          .prepare('INSERT INTO alarm (time, kind, card_id, detail) VALUES (?, ?, ?, ?)')
          .run(now(), alarm.kind, alarm.cardId ?? null, alarm.detail)
        database.prepare('DELETE FROM alarm WHERE id <= (SELECT max(id) FROM alarm) - ?').run(alarmsMax)
      })
    },

    /**
     * Cuts the next batch of what is in none yet, and stores it before it is first sent.
     * Intents that are still open become status 2 entries now (but for the one at the reader).
     * @param sealBatch makes the document's bytes
     * @returns false when there is nothing to send
     */
    cutBatch(
      sealBatch: (batch: Omit<Batch, 'keyVersion'>) => Uint8Array,
      cut: { readonly busyTerminalSeq?: number; readonly entriesMax?: number } = {},
    ): boolean {
      return commit(() => {
        const doubts = database
          .prepare(
            `SELECT * FROM intent WHERE state = 'open' AND noted_in_doubt = 0 AND terminal_seq IS NOT ? LIMIT 1000`,
          )
          .all(cut.busyTerminalSeq ?? null) as IntentRow[]
        for (const doubt of doubts.map(toIntent)) {
          appendAbout(doubt, 'inDoubt', zeroMac())
          database.prepare('UPDATE intent SET noted_in_doubt = 1 WHERE terminal_seq = ?').run(doubt.terminalSeq)
        }
        const last = database
          .prepare(
            'SELECT batch_no, first_entry + count AS next FROM batch WHERE epoch = ? ORDER BY batch_no DESC LIMIT 1',
          )
          .get(epoch) as { batch_no: number; next: number } | undefined
        const firstEntry = last?.next ?? 1
        const rows = database
          .prepare('SELECT bytes, head FROM entry WHERE epoch = ? AND entry_no >= ? ORDER BY entry_no LIMIT ?')
          .all(epoch, firstEntry, cut.entriesMax ?? batchEntriesMax) as { bytes: Uint8Array; head: Uint8Array }[]
        const newest = rows.at(-1)
        if (newest === undefined) return false
        const before = database
          .prepare('SELECT head FROM entry WHERE epoch = ? AND entry_no = ?')
          .get(epoch, firstEntry - 1) as { head: Uint8Array } | undefined
        const batchNo = (last?.batch_no ?? 0) + 1
        const bytes = sealBatch({
          terminalId: owner.terminalId,
          epoch,
          batchNo,
          firstEntry,
          previousHead: before === undefined ? firstHead(owner.terminalId, epoch) : new Uint8Array(before.head),
          entries: rows.map((row) => new Uint8Array(row.bytes)),
          head: new Uint8Array(newest.head),
        })
        database
          .prepare('INSERT INTO batch (epoch, batch_no, first_entry, count, bytes) VALUES (?, ?, ?, ?, ?)')
          .run(epoch, batchNo, firstEntry, rows.length, bytes)
        return true
      })
    },

    /** The oldest batch of this epoch that has no authenticated answer. */
    nextUnanswered: (): StoredBatch | undefined =>
      look(() =>
        storedBatch(
          database.prepare(
            'SELECT epoch, batch_no AS batchNo, count, bytes FROM batch WHERE epoch = @epoch AND verdict IS NULL ORDER BY batch_no LIMIT 1',
          ),
          { epoch },
        ),
      ),
    /** Every batch of this epoch that has no authenticated answer, oldest first. */
    unanswered: (): StoredBatch[] =>
      look(
        () =>
          database
            .prepare(
              'SELECT epoch, batch_no AS batchNo, count, bytes FROM batch WHERE epoch = ? AND verdict IS NULL ORDER BY batch_no',
            )
            .all(epoch) as StoredBatch[],
      ).map((row) => ({ ...row, bytes: new Uint8Array(row.bytes) })),
    /** A batch as it was cut, of this epoch or an earlier one; `answered` once its acknowledgement took it. */
    batchAt(place: BatchPlace): (StoredBatch & { readonly answered: boolean }) | undefined {
      const row = look(() =>
        database
          .prepare(
            'SELECT epoch, batch_no AS batchNo, count, bytes, verdict FROM batch WHERE epoch = @epoch AND batch_no = @batchNo',
          )
          .get({ epoch: place.epoch, batchNo: place.batchNo }),
      ) as (StoredBatch & { verdict: string | null }) | undefined
      if (row === undefined) return undefined
      const { verdict, ...batch } = row
      return { ...batch, bytes: new Uint8Array(row.bytes), answered: verdict !== null }
    },
    /**
     * What a messenger takes along, oldest first: every batch of this epoch without an answer, and, where the issuer lacks
     * one that it had taken (it was restored from a backup), up to `againMax` before that place, since each way is a journey.
     */
    batchesToCarry: (againMax: number): BatchPlace[] =>
      look(
        () =>
          database
            .prepare(
              `WITH lacking AS (SELECT max(batch_no) AS batch_no FROM batch WHERE epoch = @epoch AND verdict = 'outOfOrder'),
                 known AS (SELECT batch_no FROM batch WHERE epoch = @epoch AND verdict IS NOT NULL)
               SELECT epoch, batch_no AS batchNo FROM batch WHERE epoch = @epoch AND (
                 verdict IS NULL
                 OR (batch_no < (SELECT batch_no FROM lacking) AND batch_no >= (SELECT batch_no FROM lacking) - @againMax
                   AND (SELECT batch_no - 1 FROM lacking) IN (SELECT batch_no FROM known)))
               ORDER BY batch_no`,
            )
            .all({ epoch, againMax }) as BatchPlace[],
      ),
    /** The newest batch of this epoch, answered or not. */
    newestBatch: (): StoredBatch | undefined =>
      look(() =>
        storedBatch(
          database.prepare(
            'SELECT epoch, batch_no AS batchNo, count, bytes FROM batch WHERE epoch = @epoch ORDER BY batch_no DESC LIMIT 1',
          ),
          { epoch },
        ),
      ),
    /** The batch that the issuer lacks, as its answer to the one after it said, until that has been answered too. */
    nextToResend: (): StoredBatch | undefined =>
      look(() =>
        storedBatch(
          database.prepare(
            `SELECT epoch, batch_no AS batchNo, count, bytes FROM batch WHERE epoch = @epoch AND batch_no =
               (SELECT max(batch_no) - 1 FROM batch WHERE epoch = @epoch AND verdict = 'outOfOrder')`,
          ),
          { epoch },
        ),
      ),

    /** Stores an answer whose seal was verified. A verdict of 1 to 3 stops the terminal until it is enrolled again. */
    storeAnswer(ack: Acknowledgement, bytes: Uint8Array, batchNo: number): void {
      commit(() => {
        if (isTaken(ack.verdict)) {
          database
            .prepare('UPDATE batch SET verdict = ?, ack = ? WHERE epoch = ? AND batch_no = ?')
            .run(batchNo === 1 ? 'taken' : ack.verdict, bytes, epoch, batchNo)
          // What the one after it was missing has come.
          database
            .prepare(`UPDATE batch SET verdict = 'taken' WHERE epoch = ? AND batch_no = ? AND verdict = 'outOfOrder'`)
            .run(epoch, batchNo + 1)
        } else {
          database.prepare('UPDATE terminal SET stopped_verdict = ?').run(ack.verdict satisfies BatchVerdict)
          stoppedVerdict = ack.verdict
        }
        database.prepare('UPDATE terminal SET issuer_contact_time = ?').run(now())
      })
      // If the disk does not even read now, the next commit follows it first.
      behind = true
      look(() => unsynced.settle())
      behind = false
    },

    /** Keeps a document that was verified, and the signed time in it. @returns false when its serial is not newer */
    storeDocument(document: { kind: DocumentKind; serial: number; bytes: Uint8Array; signedTime: number }): boolean {
      return commit(() => {
        const { changes } = database
          .prepare(
            `INSERT INTO document (kind, serial, bytes) VALUES (@kind, @serial, @bytes)
             ON CONFLICT (kind) DO UPDATE SET serial = @serial, bytes = @bytes WHERE @serial > serial`,
          )
          .run({ kind: document.kind, serial: document.serial, bytes: document.bytes })
        signedTimeMax = Math.max(signedTimeMax, document.signedTime)
        database
          .prepare('UPDATE terminal SET signed_time_max = max(signed_time_max, ?), issuer_contact_time = ?')
          .run(document.signedTime, now())
        return changes > 0
      })
    },
    document(kind: DocumentKind): { serial: number; bytes: Uint8Array } | undefined {
      const row = look(
        () =>
          database.prepare('SELECT serial, bytes FROM document WHERE kind = ?').get(kind) as
            | { serial: number; bytes: Uint8Array }
            | undefined,
      )
      return row === undefined ? undefined : { serial: row.serial, bytes: new Uint8Array(row.bytes) }
    },

    /**
     * Starts a new epoch after an enrolment: what has no taken acknowledgement, or came after what the issuer still has, is
     * appended again to the new chain, and what was sold in the old epoch and not handed over goes by claim. One commit;
     * repeating it is harmless.
     * @param known the last entry that the issuer has of the newest epoch that it knows of; absent: none at all
     */
    beginEpoch(next: number, known: { readonly epoch: number; readonly lastEntry: number } | undefined): void {
      if (next === epoch) return
      assert(next > epoch, 'an epoch is never used twice')
      commit(() => {
        const left = database
          .prepare(
            // What an earlier enrolment appended again stands twice, and goes once.
            `SELECT bytes, appended_time, min(id) AS first FROM entry WHERE (epoch = @epoch AND entry_no >= @unsynced)
               OR epoch > @knownEpoch OR (epoch = @knownEpoch AND entry_no > @knownEntry) GROUP BY bytes ORDER BY first`,
          )
          .all({
            epoch,
            unsynced: firstUnsynced(database, epoch),
            knownEpoch: known?.epoch ?? 0,
            knownEntry: known?.lastEntry ?? 0,
          }) as { bytes: Uint8Array; appended_time: number }[]
        database.prepare('UPDATE terminal SET epoch = ?, stopped_verdict = NULL').run(next)
        // It is of the old epoch: nothing is sold until the new one's has come, whatever its serial.
        database.prepare(`DELETE FROM document WHERE kind = 'keyring'`).run()
        journal.beginEpoch(epoch, next)
        epoch = next
        stoppedVerdict = undefined
        head = firstHead(owner.terminalId, next)
        entryNo = 0
        unsynced = tallyUnsynced(database, next)
        for (const row of left) append(parseEntry(new Uint8Array(row.bytes)), row.appended_time)
        const due = database
          .prepare(`SELECT * FROM intent WHERE goods IN ('due', 'withheld') AND state = 'captured' AND refunded = 0`)
          .all()
        for (const payment of (due as IntentRow[]).map(toIntent)) oweInCommit(payment)
      })
    },
  }
}

const storedBatch = (
  statement: { get(named: { epoch: number }): unknown },
  named: { epoch: number },
): StoredBatch | undefined => {
  const row = statement.get(named) as StoredBatch | undefined
  return row === undefined ? undefined : { ...row, bytes: new Uint8Array(row.bytes) }
}
