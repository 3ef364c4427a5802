/** What the terminals' own batches say: read from the archived bytes, in one pass. */
import { sql } from 'kysely'
import { batchHeaderLength } from '../protocol/batch.ts'
import { type EntryStatus, entryLength, entryStatuses, paysNothing } from '../protocol/entry.ts'
import type { StoreReader } from './store.ts'

/** Batches in memory at once: a full one has a megabyte. */
const pageBatches = 16

/** Places in an entry (PROTOCOL.md, Layouts). */
const terminalAt = { start: 32, end: 40 }
const timeAt = 44
const recordEnd = 80
const macEnd = 96
const statusAt = 96

/** What a terminal said of a record of its own. */
export interface OwnWord {
  readonly status: Exclude<EntryStatus, 'witness'>
  readonly document: string
  readonly receivedAt: number
}

export interface ArchivedBatch {
  readonly terminalNo: number
  readonly epoch: number
  readonly batchNo: number
  readonly firstEntry: number
  readonly entryCount: number
  readonly receivedAt: number
  /** The first and the last time of an order of its own; undefined: it tells of none. */
  readonly orders: { readonly oldest: number; readonly newest: number } | undefined
}

export interface Archive {
  /** By terminal, epoch and number. */
  readonly batches: readonly ArchivedBatch[]
  /** Of the records that were asked for, in the order in which they came. */
  readonly words: ReadonlyMap<string, readonly OwnWord[]>
}

/** Tells entries apart: by the record, and where its card proved it by the proof too (a wrong one brings nothing). */
export const entryKey = (record: Uint8Array, settlementMac: Uint8Array | null): string =>
  Buffer.concat(settlementMac === null ? [record] : [record, settlementMac]).toString('latin1')

const pages = async function* (db: StoreReader, terminalNos: readonly number[] | undefined) {
  for (let last = 0; ; ) {
    const page = await db
      .selectFrom('batch')
      .innerJoin('terminal', 'terminal.terminal_no', 'batch.terminal_no')
      .select(['batch_pk', 'batch.terminal_no', 'terminal_id', 'batch.epoch', 'batch_no', 'first_entry'])
      .select(['entry_count', 'bytes', 'received_at'])
      .where('batch_pk', '>', last)
      // The + keeps SQLite from going by terminal and sorting all of its batches for each page.
      .$if(terminalNos !== undefined, (query) => query.where(sql<number>`+batch.terminal_no`, 'in', terminalNos ?? []))
      .orderBy('batch_pk')
      .limit(pageBatches)
      .execute()
    yield* page
    const end = page.at(-1)
    if (end === undefined || page.length < pageBatches) return
    last = end.batch_pk
  }
}

/**
 * @param wanted.keys whose words are kept, by `entryKey`: with the proof for what was captured or owed, without it for the rest
 * @param wanted.terminalNos absent: all terminals' batches
 */
export const readArchive = async (
  db: StoreReader,
  wanted: { readonly keys: ReadonlySet<string>; readonly terminalNos?: readonly number[] },
): Promise<Archive> => {
  const batches: ArchivedBatch[] = []
  const words = new Map<string, OwnWord[]>()
  if (wanted.terminalNos?.length === 0) return { batches, words }
  for await (const row of pages(db, wanted.terminalNos)) {
    const bytes = Buffer.from(row.bytes.buffer, row.bytes.byteOffset, row.bytes.byteLength)
    const document = `batch ${row.terminal_id}/${row.epoch}/${row.batch_no}`
    const orders = { oldest: Number.POSITIVE_INFINITY, newest: 0 }
    for (let at = batchHeaderLength; at < batchHeaderLength + row.entry_count * entryLength; at += entryLength) {
      const status = entryStatuses[bytes.readUInt8(at + statusAt)]
      if (status === undefined || status === 'witness') continue
      // An entry whose layout is wrong was not taken.
      if (bytes.readUIntBE(at + statusAt + 1, 3) !== 0) continue
      if (bytes.toString('hex', at + terminalAt.start, at + terminalAt.end) !== row.terminal_id) continue
      // No order is later than its batch's arrival, whatever its terminal's clock said.
      const time = Math.min(bytes.readUInt32BE(at + timeAt), row.received_at)
      orders.oldest = Math.min(orders.oldest, time)
      orders.newest = Math.max(orders.newest, time)
      const key = bytes.toString('latin1', at, at + (paysNothing(status) ? recordEnd : macEnd))
      if (!wanted.keys.has(key)) continue
      const said = words.get(key) ?? []
      said.push({ status, document, receivedAt: row.received_at })
      words.set(key, said)
    }
    batches.push({
      terminalNo: row.terminal_no,
      epoch: row.epoch,
      batchNo: row.batch_no,
      firstEntry: row.first_entry,
      entryCount: row.entry_count,
      receivedAt: row.received_at,
      orders: orders.newest === 0 ? undefined : orders,
    })
  }
  batches.sort((a, b) => a.terminalNo - b.terminalNo || a.epoch - b.epoch || a.batchNo - b.batchNo)
  return { batches, words }
}
