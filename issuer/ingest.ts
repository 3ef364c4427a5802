/** Batches come in, are checked, settled and answered, a group of them in one transaction (PROTOCOL.md, What the issuer checks). */
import { hash } from 'node:crypto'
import {
  type Acknowledgement,
  type BatchVerdict,
  type EntryException,
  type ExceptionReason,
  encodeAcknowledgement,
} from '../protocol/acknowledgement.ts'
import type { BatchHeader } from '../protocol/batch.ts'
import { equalBytes, toHex } from '../protocol/bytes.ts'
import { type Entry, entryLength, firstHead, parseEntry, paysNothing } from '../protocol/entry.ts'
import { ProtocolError } from '../protocol/errors.ts'
import type { CardId } from '../protocol/quantities.ts'
import { recordLength } from '../protocol/record.ts'
import { entryAt, type IngestResult, type OpenedBatch, openBatch, refuseDocument } from './batch-intake.ts'
import { AccountChanges, Books, findTerminals, type KnownTerminal, readAccounts } from './books.ts'
import { insertRows } from './bulk-rows.ts'
import type { Accounts } from './card-line.ts'
import { chunks } from './chunks.ts'
import { noteContact } from './contact.ts'
import type { Issuer } from './issuer.ts'
import { isTerminalVersionOver, noteTerminalVersion } from './key-versions.ts'
import { writeSpan } from './marks.ts'
import { documentName, itemHashIn, PlainPayments } from './plain-payments.ts'
import { locking } from './row-locks.ts'
import { checkCard, type PriceList, readPriceList, settleRecord } from './settlement.ts'
import type { StoreWriter } from './store.ts'
import type { EntryExceptionTable, NoteTable } from './tables.ts'

/**
 * Takes a batch in and answers it. The same bytes get the same answer, byte for byte, however often they come.
 * @param bytes as they came
 * @param way.direct over the network: its newest batch once more is then a sign of life (contact.ts); a stick may be days old
 * @returns the sealed acknowledgement, or why there is none
 */
export const ingestBatch = async (
  issuer: Issuer,
  bytes: Uint8Array,
  way: { readonly direct: boolean } = { direct: false },
): Promise<IngestResult> => {
  const opened = await openBatch(issuer, bytes)
  if (typeof opened === 'string') return refuseDocument(opened, 'The batch is refused')
  return issuer.intake.take({ item: { ...opened, direct: way.direct }, weight: opened.batch.count }, (group) =>
    issuer.store.writeBeside((db) => takeGroup(issuer, db, group)),
  )
}

/** What the batches of one group share. */
interface Desk {
  readonly issuer: Issuer
  readonly db: StoreWriter
  readonly now: number
  readonly accounts: Accounts
  readonly changes: AccountChanges
  readonly prices: PriceList
  readonly plain: PlainPayments
}

const takeGroup = async (
  issuer: Issuer,
  db: StoreWriter,
  group: readonly OpenedBatch[],
): Promise<readonly IngestResult[]> => {
  const terminals = await lockTerminals(db, group)
  const answers: IngestResult[] = []
  const desk = await openDesk(issuer, db, await withoutKnown(db, group, terminals))
  for (const opened of group) {
    const terminal = terminals.get(opened.batch.terminalId)
    if (terminal === undefined) answers.push(refuseDocument('unknownTerminal', 'The batch is refused'))
    else answers.push({ ack: await answerBatch(desk, opened, terminal) })
  }
  await desk.plain.write()
  await desk.changes.write(db)
  return answers
}

/** One batch of a terminal after the other, also where several servers take them in. */
const lockTerminals = async (db: StoreWriter, group: readonly OpenedBatch[]): Promise<Map<string, KnownTerminal>> => {
  const ids = [...new Set(group.map(({ batch }) => batch.terminalId))]
  await locking(
    db,
    db.selectFrom('terminal').select('terminal_no').where('terminal_id', 'in', ids).orderBy('terminal_no'),
  ).execute()
  return findTerminals(db, ids)
}

/** Of batches that are here already no card is read. */
const withoutKnown = async (
  db: StoreWriter,
  group: readonly OpenedBatch[],
  terminals: ReadonlyMap<string, KnownTerminal>,
): Promise<readonly OpenedBatch[]> => {
  const fresh: OpenedBatch[] = []
  for (const opened of group) {
    const terminal = terminals.get(opened.batch.terminalId)
    if (terminal !== undefined && (await findBatch(db, terminal.terminalNo, opened.batch)) === undefined)
      fresh.push(opened)
  }
  return fresh
}

const openDesk = async (issuer: Issuer, db: StoreWriter, fresh: readonly OpenedBatch[]): Promise<Desk> => {
  const hashes = new Set<string>()
  for (const { bytes, batch } of fresh)
    for (let index = 0; index < batch.count; index += 1) hashes.add(itemHashIn(bytes, entryAt(index)))
  const prices = await readPriceList(issuer, db, hashes)
  const accounts = await readAccounts(db)
  const now = issuer.clock()
  const changes = await AccountChanges.open(db, now)
  const plain = await PlainPayments.open({ db, accounts, changes, prices }, fresh)
  return { issuer, db, now, accounts, changes, prices, plain }
}

const findBatch = (db: StoreWriter, terminalNo: number, place: { epoch: number; batchNo: number }) =>
  db
    .selectFrom('batch')
    .select(['batch_pk', 'previous_head', 'head', 'first_entry', 'entry_count'])
    .where('terminal_no', '=', terminalNo)
    .where('epoch', '=', place.epoch)
    .where('batch_no', '=', place.batchNo)
    .executeTakeFirst()

const readArchived = (db: StoreWriter, batchPk: number) =>
  db.selectFrom('batch').select(['bytes', 'ack']).where('batch_pk', '=', batchPk).executeTakeFirstOrThrow()

const answerBatch = async (desk: Desk, opened: OpenedBatch, terminal: KnownTerminal): Promise<Uint8Array> => {
  const { db } = desk
  const { batch, bytes } = opened
  const known = await findBatch(db, terminal.terminalNo, batch)
  if (known !== undefined) {
    const archived = await readArchived(db, known.batch_pk)
    if (bytes.equals(archived.bytes)) {
      if (opened.direct) await noteContact(db, terminal, batch, desk.now)
      return new Uint8Array(archived.ack)
    }
    const books = await openBooks(desk, opened, [])
    books.alarm({ kind: 'fork', terminal, detail: `${documentName(batch)}/${toHex(hash('sha256', bytes, 'buffer'))}` })
    await books.writeInto(desk.changes)
    return refuseBatch(db, opened, { verdict: 'fork', terminal })
  }
  if (batch.epoch !== terminal.epoch) return refuseBatch(db, opened, { verdict: 'epochEnded', terminal })
  if (await isTerminalVersionOver(desk.issuer, db, batch.keyVersion))
    return refuseBatch(db, opened, { verdict: 'keyVersionEnded', terminal })
  await noteTerminalVersion(db, terminal, batch.keyVersion)
  return takeBatch(desk, opened, terminal)
}

/** Verdicts 1 to 3 name the issuer's last batch and head of the epoch. */
const refuseBatch = async (
  db: StoreWriter,
  { batch, key }: OpenedBatch,
  refusal: { readonly verdict: BatchVerdict; readonly terminal: KnownTerminal },
): Promise<Uint8Array> => {
  const last = await db
    .selectFrom('batch')
    .select(['batch_no', 'head'])
    .where('terminal_no', '=', refusal.terminal.terminalNo)
    .where('epoch', '=', batch.epoch)
    .orderBy('batch_no', 'desc')
    .limit(1)
    .executeTakeFirst()
  return encodeAcknowledgement(key, {
    keyVersion: batch.keyVersion,
    verdict: refusal.verdict,
    terminalId: batch.terminalId,
    epoch: batch.epoch,
    batchNo: last?.batch_no ?? 0,
    head: last?.head ?? firstHead(batch.terminalId, batch.epoch),
    accepted: 0,
    exceptions: [],
  })
}

interface ReadEntry {
  /** From 1, within the epoch. */
  readonly number: number
  readonly bytes: Uint8Array
  readonly isProven: boolean
  /** undefined: its layout is wrong. */
  readonly entry: Entry | undefined
}

const readEntry = ({ batch, bytes, proven }: OpenedBatch, index: number): ReadEntry => {
  const at = entryAt(index)
  const read = {
    number: batch.firstEntry + index,
    bytes: new Uint8Array(bytes.subarray(at, at + entryLength)),
    isProven: proven[index] === 1,
  }
  try {
    return { ...read, entry: parseEntry(read.bytes) }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { ...read, entry: undefined }
  }
}

const openBooks = ({ db, now, accounts }: Desk, { batch }: OpenedBatch, read: readonly ReadEntry[]): Promise<Books> => {
  const counters = new Map<CardId, number[]>()
  const terminals = [batch.terminalId]
  for (const { entry } of read) {
    if (entry === undefined) continue
    const { identity, counter, order } = entry.record
    terminals.push(order.terminalId)
    const some = counters.get(identity.cardId)
    if (some === undefined) counters.set(identity.cardId, [counter])
    else some.push(counter)
  }
  return Books.open(db, { document: documentName(batch), now, counters, terminals, accounts })
}

/** The plain entries in bulk, the others one by one: each is its card's own affair, and the order of cards means nothing. */
const takeBatch = async (desk: Desk, opened: OpenedBatch, terminal: KnownTerminal): Promise<Uint8Array> => {
  const { db, plain } = desk
  const { batch, key } = opened
  const left = plain.take(opened, terminal, desk.now)
  // What is judged one by one is judged by what is written.
  if (left.length > 0) await plain.write()
  const read = left.map((index) => readEntry(opened, index))
  const books = await openBooks(desk, opened, read)
  const notes = new Map<string, NoteTable>()
  const exceptions: (EntryException & { readonly entryRead: ReadEntry })[] = []
  for (const entryRead of read) {
    const reason = judgeEntry({ desk, books, terminal, notes }, entryRead)
    if (reason !== undefined) exceptions.push({ entry: entryRead.number, reason, entryRead })
  }
  const outOfOrder = await checkChain(books, opened, terminal)
  await books.writeInto(desk.changes)
  await writeNotes(db, [...notes.values()])
  await writeExceptions(desk, { batch, terminal }, exceptions)
  const acknowledgement: Acknowledgement = {
    keyVersion: batch.keyVersion,
    verdict: outOfOrder ? 'outOfOrder' : 'taken',
    terminalId: batch.terminalId,
    epoch: batch.epoch,
    batchNo: batch.batchNo,
    head: batch.head,
    accepted: batch.count - exceptions.length,
    exceptions,
  }
  const ack = encodeAcknowledgement(key, acknowledgement)
  await archive(db, opened, { terminalNo: terminal.terminalNo, ack, now: desk.now })
  return ack
}

interface Judgement {
  readonly desk: Desk
  readonly books: Books
  /** Whose batch it is. */
  readonly terminal: KnownTerminal
  /** By record in hex. */
  readonly notes: Map<string, NoteTable>
}

/** One entry, in the protocol's order of checks. @returns why it is an exception, or undefined: accepted */
const judgeEntry = (judgement: Judgement, { entry, bytes, isProven }: ReadEntry): ExceptionReason | undefined => {
  if (entry === undefined) return 'layout'
  const { desk, books } = judgement
  const { record, status, settlementMac } = entry
  const isWitness = status === 'witness'
  const terminal = books.terminals.get(record.order.terminalId)
  if (terminal === undefined || (!isWitness && terminal.terminalNo !== judgement.terminal.terminalNo)) return 'terminal'
  const card = books.card(record.identity.cardId)
  const wrongCard = checkCard(desk.issuer, card, record)
  if (wrongCard !== undefined || card === undefined) return wrongCard
  const recordBytes = bytes.slice(0, recordLength)
  const note = () => noteEntry(judgement, { entry, recordBytes, cardNo: card.cardNo, terminal })
  if (paysNothing(status)) {
    note()
    return undefined
  }
  if (!isProven) {
    // It accuses the terminal, never the card; in a witness nobody.
    if (!isWitness) books.alarm({ kind: 'settlementMac', terminal: judgement.terminal, detail: `v${card.keyVersion}` })
    return 'settlementMac'
  }
  const settled = settleRecord(
    books,
    {
      bytes: recordBytes,
      record,
      settlementMac,
      card,
      terminal,
      source: isWitness ? 'witness' : 'batch',
      wrongStatus: status === 'owed' && record.order.type !== 'payment',
    },
    desk.prices,
  )
  if (settled.outcome === 'clone') return 'clone'
  if (status === 'owed') note()
  return settled.outcome === 'settled' ? settled.exception : undefined
}

const noteEntry = (
  { notes }: Judgement,
  about: { entry: Entry; recordBytes: Uint8Array; cardNo: number; terminal: KnownTerminal },
): void => {
  const { record, status } = about.entry
  const key = toHex(about.recordBytes)
  const earlier = notes.get(key)
  const count = (which: 'in_doubt' | 'voided' | 'abandoned' | 'owed', said: boolean) =>
    (earlier?.[which] ?? 0) + (said ? 1 : 0)
  notes.set(key, {
    record: about.recordBytes,
    card_no: about.cardNo,
    counter: record.counter,
    terminal_no: about.terminal.terminalNo,
    order_type: record.order.type,
    reference: record.order.reference,
    amount_minor: record.order.amountMinor,
    order_time: record.order.time,
    in_doubt: count('in_doubt', status === 'inDoubt'),
    voided: count('voided', status === 'void'),
    abandoned: count('abandoned', status === 'abandoned'),
    owed: count('owed', status === 'owed'),
  })
}

/** The columns count how often it was said, in whatever order the batches come. */
const writeNotes = async (db: StoreWriter, notes: readonly NoteTable[]): Promise<void> => {
  for (const some of chunks(notes, 400))
    await db
      .insertInto('note')
      .values(some)
      .onConflict((conflict) =>
        conflict.column('record').doUpdateSet((eb) => ({
          in_doubt: eb('note.in_doubt', '+', eb.ref('excluded.in_doubt')),
          voided: eb('note.voided', '+', eb.ref('excluded.voided')),
          abandoned: eb('note.abandoned', '+', eb.ref('excluded.abandoned')),
          owed: eb('note.owed', '+', eb.ref('excluded.owed')),
        })),
      )
      .execute()
}

const writeExceptions = async (
  { db, now }: Desk,
  { batch, terminal }: { readonly batch: BatchHeader; readonly terminal: KnownTerminal },
  exceptions: readonly (EntryException & { readonly entryRead: ReadEntry })[],
): Promise<void> => {
  const rows = exceptions.map(({ entry, reason, entryRead }): Omit<EntryExceptionTable, 'exception_no'> => {
    const record = entryRead.entry?.record
    return {
      terminal_no: terminal.terminalNo,
      epoch: batch.epoch,
      batch_no: batch.batchNo,
      entry,
      reason,
      card_id: record?.identity.cardId ?? null,
      counter: record?.counter ?? null,
      amount_minor: record?.order.amountMinor ?? null,
      order_time: record?.order.time ?? null,
      noted_at: now,
    }
  })
  await insertRows(db, 'entry_exception', rows)
}

/**
 * Checks the chain within the batch and with its neighbours that are here; a break is an alarm, the entries stand.
 * @returns whether the batch before it is missing
 */
const checkChain = async (books: Books, { batch, chained }: OpenedBatch, terminal: KnownTerminal): Promise<boolean> => {
  const alarm = (kind: 'chainBreak' | 'firstEntry', batchNo: number) =>
    books.alarm({ kind, terminal, detail: `${batch.epoch}/${batchNo}` })
  if (!chained) alarm('chainBreak', batch.batchNo)
  const { terminalNo } = terminal
  const { epoch, batchNo } = batch
  const previous =
    batchNo === 1
      ? { head: firstHead(batch.terminalId, epoch), first_entry: 1, entry_count: 0 }
      : await findBatch(books.db, terminalNo, { epoch, batchNo: batchNo - 1 })
  if (previous !== undefined) {
    if (!equalBytes(previous.head, batch.previousHead)) alarm('chainBreak', batchNo)
    if (previous.first_entry + previous.entry_count !== batch.firstEntry) alarm('firstEntry', batchNo)
  }
  const next = await findBatch(books.db, terminalNo, { epoch, batchNo: batchNo + 1 })
  if (next !== undefined) {
    if (!equalBytes(batch.head, next.previous_head)) alarm('chainBreak', batchNo + 1)
    if (batch.firstEntry + batch.count !== next.first_entry) alarm('firstEntry', batchNo + 1)
  }
  return previous === undefined
}

const archive = async (
  db: StoreWriter,
  { batch, bytes }: OpenedBatch,
  about: { readonly terminalNo: number; readonly ack: Uint8Array; readonly now: number },
): Promise<void> => {
  await db
    .insertInto('batch')
    .values({
      terminal_no: about.terminalNo,
      epoch: batch.epoch,
      batch_no: batch.batchNo,
      first_entry: batch.firstEntry,
      entry_count: batch.count,
      previous_head: batch.previousHead,
      head: batch.head,
      bytes,
      ack: about.ack,
      received_at: about.now,
    })
    .execute()
  await writeSpan(db, {
    terminalNo: about.terminalNo,
    terminalId: batch.terminalId,
    epoch: batch.epoch,
    batchNo: batch.batchNo,
    firstEntry: batch.firstEntry,
    entryCount: batch.count,
    bytes,
    receivedAt: about.now,
  })
}
