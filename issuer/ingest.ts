/** A batch comes in, is checked, settled and answered in one transaction (PROTOCOL.md, What the issuer checks). */
import { hash } from 'node:crypto'
import {
  type Acknowledgement,
  type BatchVerdict,
  type EntryException,
  type ExceptionReason,
  encodeAcknowledgement,
} from '../protocol/acknowledgement.ts'
import { type Batch, parseBatch, requireBatchSeal } from '../protocol/batch.ts'
import { concat, equalBytes, toHex } from '../protocol/bytes.ts'
import { type Entry, firstHead, parseEntry, paysNothing } from '../protocol/entry.ts'
import { ProtocolError } from '../protocol/errors.ts'
import type { MacKey } from '../protocol/mac.ts'
import type { CardId } from '../protocol/quantities.ts'
import { recordLength } from '../protocol/record.ts'
import { Books, chunks, findTerminals, type KnownTerminal } from './books.ts'
import type { Issuer } from './issuer.ts'
import { isTerminalVersionOver, noteTerminalVersion } from './key-versions.ts'
import { writeSpan } from './marks.ts'
import { checkCard, isProven, type PriceList, readPriceList, settleRecord } from './settlement.ts'
import type { StoreWriter } from './store.ts'
import type { EntryExceptionTable, NoteTable } from './tables.ts'

export type DocumentRefusal = 'unknownTerminal' | 'forged' | 'layout'

export interface RefusedDocument {
  readonly refused: DocumentRefusal
  /** For a person. */
  readonly sentence: string
}

export const refuseDocument = (refused: DocumentRefusal, what: string): RefusedDocument => ({
  refused,
  sentence: {
    unknownTerminal: `${what}: this issuer has no such terminal. Was it made for another issuer?`,
    forged: `${what}: its seal is wrong. It was damaged or forged on the way, or made for another issuer.`,
    layout: `${what}: its bytes are not laid out as PROTOCOL.md says. It was damaged on the way.`,
  }[refused],
})

type IngestResult = { readonly ack: Uint8Array } | RefusedDocument

interface OpenedBatch {
  readonly batch: Batch
  readonly bytes: Uint8Array
  readonly key: MacKey
  /** Whether the entries lead from the header's head to the batch's. */
  readonly chained: boolean
}

const isChained = (batch: Batch): boolean => {
  let head: Uint8Array = batch.previousHead
  for (const entry of batch.entries) head = hash('sha256', concat(head, entry), 'buffer')
  return equalBytes(head, batch.head)
}

const openBatch = async (issuer: Issuer, bytes: Uint8Array): Promise<OpenedBatch | DocumentRefusal> => {
  try {
    const batch = parseBatch(bytes)
    const terminals = await issuer.store.read((db) => findTerminals(db, [batch.terminalId]))
    if (!terminals.has(batch.terminalId)) return 'unknownTerminal'
    const key = issuer.keys.terminalMac(batch.keyVersion, batch.terminalId)
    if (key === undefined) return 'forged'
    requireBatchSeal(key, bytes)
    return { batch, bytes, key, chained: isChained(batch) }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return error.code === 'forged' ? 'forged' : 'layout'
  }
}

/**
 * Takes a batch in and answers it. The same bytes get the same answer, byte for byte, however often they come.
 * @param bytes as they came
 * @returns the sealed acknowledgement, or why there is none
 */
export const ingestBatch = async (issuer: Issuer, bytes: Uint8Array): Promise<IngestResult> => {
  const opened = await openBatch(issuer, bytes)
  if (typeof opened === 'string') return refuseDocument(opened, 'The batch is refused')
  return issuer.store.write(async (db) => {
    const { batch } = opened
    const terminal = (await findTerminals(db, [batch.terminalId])).get(batch.terminalId)
    if (terminal === undefined) return refuseDocument('unknownTerminal', 'The batch is refused')
    return { ack: await answerBatch(issuer, db, opened, terminal) }
  })
}

const documentName = (batch: Batch): string => `batch ${batch.terminalId}/${batch.epoch}/${batch.batchNo}`

const findBatch = (db: StoreWriter, terminalNo: number, place: { epoch: number; batchNo: number }) =>
  db
    .selectFrom('batch')
    .selectAll()
    .where('terminal_no', '=', terminalNo)
    .where('epoch', '=', place.epoch)
    .where('batch_no', '=', place.batchNo)
    .executeTakeFirst()

const answerBatch = async (
  issuer: Issuer,
  db: StoreWriter,
  opened: OpenedBatch,
  terminal: KnownTerminal,
): Promise<Uint8Array> => {
  const { batch, bytes, key } = opened
  const known = await findBatch(db, terminal.terminalNo, batch)
  if (known !== undefined && equalBytes(known.bytes, bytes)) return new Uint8Array(known.ack)
  if (known !== undefined) {
    const books = await openBooks(issuer, db, batch, [])
    books.alarm({ kind: 'fork', terminal, detail: `${documentName(batch)}/${toHex(hash('sha256', bytes, 'buffer'))}` })
    await books.write()
    return refuseBatch(db, opened, { verdict: 'fork', terminal })
  }
  if (batch.epoch !== terminal.epoch) return refuseBatch(db, opened, { verdict: 'epochEnded', terminal })
  if (await isTerminalVersionOver(issuer, db, batch.keyVersion))
    return refuseBatch(db, opened, { verdict: 'keyVersionEnded', terminal })
  await noteTerminalVersion(db, terminal, batch.keyVersion)
  return takeBatch(issuer, db, { ...opened, key }, terminal)
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
  readonly number: number
  readonly bytes: Uint8Array
  /** undefined: its layout is wrong. */
  readonly entry: Entry | undefined
}

const readEntries = (batch: Batch): ReadEntry[] =>
  batch.entries.map((bytes, index) => {
    const number = batch.firstEntry + index
    try {
      return { number, bytes, entry: parseEntry(bytes) }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      return { number, bytes, entry: undefined }
    }
  })

const openBooks = (issuer: Issuer, db: StoreWriter, batch: Batch, entries: readonly Entry[]): Promise<Books> => {
  const counters = new Map<CardId, number[]>()
  for (const { record } of entries) {
    const some = counters.get(record.identity.cardId)
    if (some === undefined) counters.set(record.identity.cardId, [record.counter])
    else some.push(record.counter)
  }
  return Books.open(db, {
    document: documentName(batch),
    now: issuer.clock(),
    counters,
    terminals: [batch.terminalId, ...entries.map(({ record }) => record.order.terminalId)],
  })
}

const takeBatch = async (
  issuer: Issuer,
  db: StoreWriter,
  opened: OpenedBatch,
  terminal: KnownTerminal,
): Promise<Uint8Array> => {
  const { batch, key } = opened
  const read = readEntries(batch)
  const entries = read.flatMap(({ entry }) => (entry === undefined ? [] : [entry]))
  const books = await openBooks(issuer, db, batch, entries)
  const prices = await readPriceList(
    issuer,
    db,
    entries.map(({ record }) => record.order.itemHash),
  )
  const desk: Desk = { issuer, books, prices, terminal, notes: new Map() }
  const exceptions: EntryException[] = []
  for (const each of read) {
    const reason = each.entry === undefined ? 'layout' : judgeEntry(desk, each.entry, each.bytes)
    if (reason !== undefined) exceptions.push({ entry: each.number, reason })
  }
  const outOfOrder = await checkChain(books, opened, terminal)
  await books.write()
  await writeNotes(db, [...desk.notes.values()])
  await writeExceptions(db, desk, batch, { read, exceptions })
  const acknowledgement: Acknowledgement = {
    keyVersion: batch.keyVersion,
    verdict: outOfOrder ? 'outOfOrder' : 'taken',
    terminalId: batch.terminalId,
    epoch: batch.epoch,
    batchNo: batch.batchNo,
    head: batch.head,
    accepted: read.length - exceptions.length,
    exceptions,
  }
  const ack = encodeAcknowledgement(key, acknowledgement)
  await archive(db, opened, { terminalNo: terminal.terminalNo, ack, now: books.now })
  return ack
}

interface Desk {
  readonly issuer: Issuer
  readonly books: Books
  readonly prices: PriceList
  /** Whose batch it is. */
  readonly terminal: KnownTerminal
  /** By record in hex. */
  readonly notes: Map<string, NoteTable>
}

/** One entry, in the protocol's order of checks. @returns why it is an exception, or undefined: accepted */
const judgeEntry = (desk: Desk, entry: Entry, bytes: Uint8Array): ExceptionReason | undefined => {
  const { issuer, books } = desk
  const { record, status } = entry
  const isWitness = status === 'witness'
  const terminal = books.terminals.get(record.order.terminalId)
  if (terminal === undefined || (!isWitness && terminal.terminalNo !== desk.terminal.terminalNo)) return 'terminal'
  const card = books.card(record.identity.cardId)
  const wrongCard = checkCard(issuer, card, record)
  if (wrongCard !== undefined || card === undefined) return wrongCard
  const recordBytes = bytes.slice(0, recordLength)
  const note = () => noteEntry(desk, { entry, recordBytes, cardNo: card.cardNo, terminal })
  if (paysNothing(status)) {
    note()
    return undefined
  }
  const { settlementMac } = entry
  if (!isProven(issuer, { record, bytes: recordBytes, settlementMac })) {
    // It accuses the terminal, never the card; in a witness nobody.
    if (!isWitness) books.alarm({ kind: 'settlementMac', terminal: desk.terminal, detail: `v${card.keyVersion}` })
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
  { notes }: Desk,
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
  db: StoreWriter,
  { terminal, books }: Desk,
  batch: Batch,
  judged: { readonly read: readonly ReadEntry[]; readonly exceptions: readonly EntryException[] },
): Promise<void> => {
  const rows = judged.exceptions.map(({ entry, reason }): Omit<EntryExceptionTable, 'exception_no'> => {
    const record = judged.read[entry - batch.firstEntry]?.entry?.record
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
      noted_at: books.now,
    }
  })
  for (const some of chunks(rows, 400)) await db.insertInto('entry_exception').values(some).execute()
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
    if (batch.firstEntry + batch.entries.length !== next.first_entry) alarm('firstEntry', batchNo + 1)
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
      entry_count: batch.entries.length,
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
    entryCount: batch.entries.length,
    bytes,
    receivedAt: about.now,
  })
}
