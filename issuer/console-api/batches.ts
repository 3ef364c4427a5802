/** Batches in the console, down to the entry: read from the archived bytes, which are what the terminal sealed. */
import { hash } from 'node:crypto'
import { sql } from 'kysely'
import { parseAcknowledgement } from '../../protocol/acknowledgement.ts'
import { type Batch, batchHeaderLength, parseBatch, requireBatchSeal } from '../../protocol/batch.ts'
import { concat, equalBytes, toHex } from '../../protocol/bytes.ts'
import { lettersOf } from '../../protocol/currency.ts'
import { type Entry, entryLength, firstHead, parseEntry, paysNothing } from '../../protocol/entry.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { macLength, terminalId } from '../../protocol/quantities.ts'
import { recordLength } from '../../protocol/record.ts'
import { itemFromStore } from '../catalogue.ts'
import {
  type BatchRow,
  batchDetail,
  batchesPage,
  batchesQuery,
  batchInput,
  type EntryRow,
  entriesPage,
  entriesQuery,
  entryDetail,
  entryExceptionsPage,
  entryExceptionsQuery,
  entryInput,
} from '../console-contract/batches.ts'
import { IssuerError } from '../errors.ts'
import { isoTime } from '../iso-times.ts'
import type { Issuer } from '../issuer.ts'
import { isProven } from '../settlement.ts'
import type { StoreReader } from '../store.ts'
import { businessDay } from './days.ts'
import { answerList } from './paging.ts'
import { route } from './route.ts'

const batchRows = (db: StoreReader) =>
  db
    .selectFrom('batch')
    .innerJoin('terminal', 'terminal.terminal_no', 'batch.terminal_no')
    .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
    .select(['batch_pk', 'batch.terminal_no', 'terminal_id', 'merchant.merchant_no', 'merchant.name'])
    .select(['batch.epoch', 'batch_no', 'first_entry', 'entry_count', 'previous_head', 'head', 'ack', 'received_at'])
    .select(sql<number>`length(bytes)`.as('byte_count'))

type StoredBatch = Awaited<ReturnType<ReturnType<typeof batchRows>['executeTakeFirstOrThrow']>>

const showBatch = (row: StoredBatch): BatchRow => {
  const answered = parseAcknowledgement(new Uint8Array(row.ack))
  return {
    terminalId: row.terminal_id,
    merchant: row.name,
    epoch: row.epoch,
    batchNo: row.batch_no,
    receivedAt: isoTime(row.received_at),
    firstEntry: row.first_entry,
    entries: row.entry_count,
    accepted: answered.accepted,
    exceptions: answered.exceptions.length,
    verdict: answered.verdict,
    bytes: Number(row.byte_count),
  }
}

const list = route({
  method: 'GET',
  path: '/batches',
  permission: 'read',
  summary: 'Batches as they came, with what became of them.',
  input: batchesQuery,
  output: batchesPage,
  handle: ({ issuer, input }) => {
    const { from, until } = input
    const { timeZone } = issuer.book
    return answerList(issuer, input, {
      select: (db) =>
        batchRows(db)
          .$if(input.terminal !== undefined, (query) => query.where('terminal_id', '=', input.terminal ?? ''))
          .$if(from !== undefined, (query) =>
            query.where('received_at', '>=', businessDay(from ?? '', timeZone).begins),
          )
          .$if(until !== undefined, (query) => query.where('received_at', '<', businessDay(until ?? '', timeZone).ends))
          .$if(input.exceptions !== undefined, (query) =>
            query.where((eb) =>
              eb.exists(
                eb
                  .selectFrom('entry_exception')
                  .select('exception_no')
                  .whereRef('entry_exception.terminal_no', '=', 'batch.terminal_no')
                  .whereRef('entry_exception.epoch', '=', 'batch.epoch')
                  .whereRef('entry_exception.batch_no', '=', 'batch.batch_no'),
              ),
            ),
          ),
      sorts: { received: 'received_at', entries: 'entry_count' },
      key: 'batch_pk',
      show: (rows) => rows.map(showBatch),
      csv: {
        fileName: 'batches',
        columns: {
          terminal: (row) => row.terminalId,
          merchant: (row) => row.merchant,
          epoch: (row) => row.epoch,
          batch: (row) => row.batchNo,
          received: (row) => row.receivedAt,
          firstEntry: (row) => row.firstEntry,
          entries: (row) => row.entries,
          accepted: (row) => row.accepted,
          exceptions: (row) => row.exceptions,
          verdict: (row) => row.verdict,
        },
      },
    })
  },
})

interface Place {
  readonly terminalId: string
  readonly epoch: number
  readonly batchNo: number
}

const nameOf = ({ terminalId: id, epoch, batchNo }: Place): string => `${id}/${epoch}/${batchNo}`

/** @throws IssuerError `unknownBatch` */
const findBatch = async (db: StoreReader, place: Place): Promise<StoredBatch> => {
  const row = await batchRows(db)
    .where('terminal_id', '=', place.terminalId)
    .where('batch.epoch', '=', place.epoch)
    .where('batch_no', '=', place.batchNo)
    .executeTakeFirst()
  if (row !== undefined) return row
  throw new IssuerError('unknownBatch', `There is no batch ${nameOf(place)} here: it never came, or was refused.`)
}

const bytesOf = async (db: StoreReader, { batch_pk }: StoredBatch): Promise<Uint8Array> => {
  const { bytes } = await db
    .selectFrom('batch')
    .select('bytes')
    .where('batch_pk', '=', batch_pk)
    .executeTakeFirstOrThrow()
  return new Uint8Array(bytes)
}

const isSealed = (issuer: Issuer, batch: Batch, bytes: Uint8Array): boolean => {
  const key = issuer.keys.terminalMac(batch.keyVersion, batch.terminalId)
  if (key === undefined) return false
  try {
    requireBatchSeal(key, bytes)
    return true
  } catch (error) {
    if (error instanceof ProtocolError) return false
    throw error
  }
}

const isWhole = (batch: Batch): boolean => {
  let head: Uint8Array = batch.previousHead
  for (const entry of batch.entries) head = hash('sha256', concat(head, entry), 'buffer')
  return equalBytes(head, batch.head)
}

const readEntry = (bytes: Uint8Array): Entry | undefined => {
  try {
    return parseEntry(bytes)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/** How the batch joins those beside it in its epoch. */
const jointsOf = async (db: StoreReader, row: StoredBatch) => {
  const heads = await db
    .selectFrom('batch')
    .select(['batch_no', 'previous_head', 'head'])
    .where('terminal_no', '=', row.terminal_no)
    .where('epoch', '=', row.epoch)
    .where('batch_no', 'in', [row.batch_no - 1, row.batch_no + 1])
    .execute()
  const newest = await db
    .selectFrom('batch')
    .select((eb) => eb.fn.max('batch_no').as('batch_no'))
    .where('terminal_no', '=', row.terminal_no)
    .where('epoch', '=', row.epoch)
    .executeTakeFirstOrThrow()
  const [before, after] = [-1, 1].map((step) => heads.find(({ batch_no }) => batch_no === row.batch_no + step))
  const join = (head: Uint8Array, previous: Uint8Array) => (equalBytes(head, previous) ? 'follows' : 'breaks')
  const firstOfAll = firstHead(terminalId(row.terminal_id), row.epoch)
  return {
    before:
      row.batch_no === 1
        ? join(firstOfAll, row.previous_head) === 'follows'
          ? ('end' as const)
          : ('breaks' as const)
        : before === undefined
          ? ('missing' as const)
          : join(before.head, row.previous_head),
    after:
      after !== undefined
        ? join(row.head, after.previous_head)
        : (newest.batch_no ?? 0) > row.batch_no
          ? ('missing' as const)
          : ('end' as const),
  } as const
}

const detail = route({
  method: 'GET',
  path: '/batches/:terminalId/:epoch/:batchNo',
  permission: 'read',
  summary: 'One batch: its header, its chain, and what became of its entries.',
  input: batchInput,
  output: batchDetail,
  handle: ({ issuer, input }) =>
    issuer.store.read(async (db) => {
      const row = await findBatch(db, input)
      const bytes = await bytesOf(db, row)
      const batch = parseBatch(bytes)
      const entries = batch.entries.map(readEntry)
      const statuses = Map.groupBy(entries, (entry) => entry?.status ?? 'unreadable')
      const { exceptions } = parseAcknowledgement(new Uint8Array(row.ack))
      return {
        ...showBatch(row),
        merchantNo: row.merchant_no,
        keyVersion: batch.keyVersion,
        previousHead: toHex(batch.previousHead),
        head: toHex(batch.head),
        whole: isWhole(batch),
        sealRight: isSealed(issuer, batch, bytes),
        ...(await jointsOf(db, row)),
        statuses: [...statuses].map(([status, of]) => ({
          status,
          count: of.length,
          amountMinor: of.reduce((sum, entry) => sum + (entry?.record.order.amountMinor ?? 0), 0),
        })),
        reasons: [...Map.groupBy(exceptions, ({ reason }) => reason)].map(([reason, of]) => ({
          reason,
          count: of.length,
        })),
      }
    }),
})

const proofOf = (issuer: Issuer, entry: Entry, bytes: Uint8Array) => {
  if (paysNothing(entry.status)) return 'none' as const
  const { settlementMac } = entry
  return isProven(issuer, { bytes: bytes.subarray(0, recordLength), settlementMac })
    ? ('right' as const)
    : ('wrong' as const)
}

interface Numbered {
  readonly number: number
  readonly bytes: Uint8Array
  readonly entry: Entry | undefined
}

const showEntry = (issuer: Issuer, { number, bytes, entry }: Numbered, exception: string | undefined): EntryRow => ({
  entry: number,
  ...(exception === undefined ? {} : { exception }),
  ...(entry === undefined
    ? {}
    : {
        status: entry.status,
        type: entry.record.order.type,
        cardId: entry.record.identity.cardId,
        counter: entry.record.counter,
        amountMinor: entry.record.order.amountMinor,
        balanceAfterMinor: entry.record.balanceAfterMinor,
        orderedAt: isoTime(entry.record.order.time),
        proof: proofOf(issuer, entry, bytes),
      }),
})

const entryPlace = (after: string | undefined): number => {
  if (after === undefined) return 0
  if (/^\d{1,10}$/.test(after)) return Number(after)
  throw new IssuerError('input', 'This is no place in the batch: begin at its first page.')
}

/** A batch has at most 10,000 entries in one row: its pages are made in memory. */
const entries = route({
  method: 'GET',
  path: '/batches/:terminalId/:epoch/:batchNo/entries',
  permission: 'read',
  summary: 'The entries of a batch, with their proofs and what was wrong with them.',
  input: entriesQuery,
  output: entriesPage,
  handle: ({ issuer, input }) =>
    issuer.store.read(async (db) => {
      const row = await findBatch(db, input)
      const batch = parseBatch(await bytesOf(db, row))
      const { exceptions } = parseAcknowledgement(new Uint8Array(row.ack))
      const reasons = new Map(exceptions.map(({ entry, reason }) => [entry, reason]))
      const matching = batch.entries
        .map((bytes, at): Numbered => ({ number: batch.firstEntry + at, bytes, entry: readEntry(bytes) }))
        .filter(({ entry }) => input.status === undefined || (entry?.status ?? 'unreadable') === input.status)
        .filter(({ number }) => input.exceptions === undefined || reasons.has(number))
      const ordered = input.direction === 'ascending' ? matching : matching.toReversed()
      const place = entryPlace(input.after)
      const rest =
        input.after === undefined
          ? ordered
          : ordered.filter(({ number }) => (input.direction === 'ascending' ? number > place : number < place))
      const page = rest.slice(0, input.limit)
      const last = page.at(-1)
      return {
        rows: page.map((each) => showEntry(issuer, each, reasons.get(each.number))),
        ...(rest.length > page.length && last !== undefined ? { next: String(last.number) } : {}),
        total: matching.length,
      }
    }),
})

const itemOf = async (db: StoreReader, itemHash: Uint8Array) => {
  const row = await db
    .selectFrom('item_version')
    .select(['item_id', 'version', 'json', 'price_minor'])
    .where('item_hash', '=', itemHash)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const { title } = itemFromStore(row.json)
  return {
    itemId: row.item_id,
    version: row.version,
    title: title.en ?? Object.values(title)[0] ?? row.item_id,
    priceMinor: row.price_minor,
    hash: toHex(itemHash),
  }
}

/** All transfers that a counter of a card brought about. */
export const postingsAt = async (db: StoreReader, at: { readonly cardNo: number; readonly counter: number }) => {
  const rows = await db
    .selectFrom('transfer')
    .innerJoin('account as source', 'source.account_no', 'transfer.from_account')
    .innerJoin('account as target', 'target.account_no', 'transfer.to_account')
    .leftJoin('merchant as payer', 'payer.merchant_no', 'source.merchant_no')
    .leftJoin('merchant as payee', 'payee.merchant_no', 'target.merchant_no')
    .select(['transfer_no', 'amount_minor', 'cause', 'document', 'booked_at'])
    .select(['source.kind as from_kind', 'target.kind as to_kind', 'payer.name as from_name', 'payee.name as to_name'])
    .where('card_no', '=', at.cardNo)
    .where('counter', '=', at.counter)
    .orderBy('transfer_no')
    .execute()
  const named = (kind: string, merchant: string | null) => (merchant === null ? kind : `${kind} ${merchant}`)
  return rows.map((row) => ({
    transferNo: row.transfer_no,
    from: named(row.from_kind, row.from_name),
    to: named(row.to_kind, row.to_name),
    amountMinor: row.amount_minor,
    cause: row.cause,
    document: row.document,
    bookedAt: isoTime(row.booked_at),
  }))
}

const settledAt = async (db: StoreReader, at: { cardNo: number; counter: number; record: Uint8Array }) => {
  const row = await db
    .selectFrom('settlement')
    .select(['record', 'source', 'exception', 'settled_at', 'amount_minor'])
    .where('card_no', '=', at.cardNo)
    .where('counter', '=', at.counter)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    sameRecord: equalBytes(row.record, at.record),
    source: row.source,
    ...(row.exception === null ? {} : { exception: row.exception }),
    settledAt: isoTime(row.settled_at),
    amountMinor: row.amount_minor,
  }
}

const readEntryDetail = async (db: StoreReader, found: Numbered) => {
  const { entry } = found
  if (entry === undefined) return { cardKnown: false, postings: [] }
  const { record } = entry
  const { order } = record
  const card = await db
    .selectFrom('card')
    .select(['card_no', 'key_version'])
    .where('card_id', '=', record.identity.cardId)
    .executeTakeFirst()
  const at = card === undefined ? undefined : { cardNo: card.card_no, counter: record.counter }
  const settled =
    at === undefined ? undefined : await settledAt(db, { ...at, record: found.bytes.subarray(0, recordLength) })
  const item = await itemOf(db, order.itemHash)
  return {
    ...(entry.resolvedTime === 0 ? {} : { resolvedAt: isoTime(entry.resolvedTime) }),
    cardKnown: card !== undefined,
    cardKeyVersion: record.identity.keyVersion,
    currency: lettersOf(order.currency),
    orderTerminalId: order.terminalId,
    orderSeq: order.terminalSeq,
    ...(order.reference === 0 ? {} : { reference: order.reference }),
    ...(order.type === 'payment' || order.type === 'reversal' ? { itemHash: toHex(order.itemHash) } : {}),
    ...(item === undefined ? {} : { item }),
    ...(settled === undefined ? {} : { settled }),
    postings: at === undefined ? [] : await postingsAt(db, at),
  }
}

const entry = route({
  method: 'GET',
  path: '/batches/:terminalId/:epoch/:batchNo/entries/:entry',
  permission: 'read',
  summary: 'One entry: its record, its proof, and what was booked for it.',
  input: entryInput,
  output: entryDetail,
  handle: ({ issuer, input }) =>
    issuer.store.read(async (db) => {
      const row = await findBatch(db, input)
      const at = input.entry - row.first_entry
      if (at < 0 || at >= row.entry_count)
        throw new IssuerError('unknownEntry', `Batch ${nameOf(input)} has no entry ${input.entry}.`)
      const all = await bytesOf(db, row)
      const start = batchHeaderLength + at * entryLength
      const bytes = all.slice(start, start + entryLength)
      const found: Numbered = { number: input.entry, bytes, entry: readEntry(bytes) }
      const { exceptions } = parseAcknowledgement(new Uint8Array(row.ack))
      const exception = exceptions.find(({ entry: number }) => number === input.entry)?.reason
      return {
        ...showEntry(issuer, found, exception),
        batchReceivedAt: isoTime(row.received_at),
        merchant: row.name,
        first: row.first_entry,
        last: row.first_entry + row.entry_count - 1,
        recordHex: toHex(bytes.subarray(0, recordLength)),
        settlementMacHex: toHex(bytes.subarray(recordLength, recordLength + macLength)),
        ...(await readEntryDetail(db, found)),
      }
    }),
})

const exceptionList = route({
  method: 'GET',
  path: '/entry-exceptions',
  permission: 'read',
  summary: 'Entries that could not be taken as they are, as their batches were answered.',
  input: entryExceptionsQuery,
  output: entryExceptionsPage,
  handle: ({ issuer, input }) =>
    answerList(issuer, input, {
      select: (db) =>
        db
          .selectFrom('entry_exception')
          .innerJoin('terminal', 'terminal.terminal_no', 'entry_exception.terminal_no')
          .select(['exception_no', 'terminal_id', 'entry_exception.epoch', 'batch_no', 'entry', 'reason'])
          .select(['card_id', 'counter', 'amount_minor', 'order_time', 'noted_at'])
          .$if(input.terminal !== undefined, (query) => query.where('terminal_id', '=', input.terminal ?? ''))
          .$if(input.reason !== undefined, (query) => query.where(sql<boolean>`reason = ${input.reason}`)),
      sorts: { noted: 'noted_at' },
      key: 'exception_no',
      show: (rows) =>
        rows.map((row) => ({
          exceptionNo: row.exception_no,
          terminalId: row.terminal_id,
          epoch: row.epoch,
          batchNo: row.batch_no,
          entry: row.entry,
          reason: row.reason,
          ...(row.card_id === null ? {} : { cardId: row.card_id }),
          ...(row.counter === null ? {} : { counter: row.counter }),
          ...(row.amount_minor === null ? {} : { amountMinor: row.amount_minor }),
          ...(row.order_time === null ? {} : { orderedAt: isoTime(row.order_time) }),
          notedAt: isoTime(row.noted_at),
        })),
      csv: {
        fileName: 'exceptions',
        columns: {
          noted: (row) => row.notedAt,
          terminal: (row) => row.terminalId,
          epoch: (row) => row.epoch,
          batch: (row) => row.batchNo,
          entry: (row) => row.entry,
          reason: (row) => row.reason,
          card: (row) => row.cardId,
          counter: (row) => row.counter,
          amountMinor: (row) => row.amountMinor,
          ordered: (row) => row.orderedAt,
        },
      },
    }),
})

export const batchRoutes = [list, detail, entries, entry, exceptionList]
