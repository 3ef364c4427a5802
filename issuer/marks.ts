/**
 * Written beside the books by whatever document comes, so that the explanation finds what is not plain without reading all rows:
 * counters that came late, sales that couriers alone brought, sales of one-time codes, and what each batch spans.
 */
import { batchHeaderLength } from '../protocol/batch.ts'
import { entryLength, entryStatuses } from '../protocol/entry.ts'
import { entryKey, readArchive } from './archive.ts'
import type { BatchSpanTable } from './case-tables.ts'
import type { Store, StoreReader, StoreWriter } from './store.ts'

/** Places in an entry (PROTOCOL.md, Layouts). */
const terminalAt = { start: 32, end: 40 }
const timeAt = 44
const statusAt = 96
const rowsMax = 200

interface Place {
  readonly cardNo: number
  readonly counter: number
}

/** What one document adds; empty for nearly all. */
export class Marks {
  readonly #late: (Place & { readonly orderTime: number })[] = []
  readonly #couriered: Place[] = []
  readonly #ownWords: Place[] = []
  readonly #unitSales: (Place & { readonly unit: string })[] = []

  late(place: Place, orderTime: number): void {
    this.#late.push({ ...place, orderTime })
  }
  /** A witness or a claim settled it. */
  couriered(place: Place): void {
    this.#couriered.push(place)
  }
  /** The terminal that made it told what couriers had brought. */
  ownWord(place: Place): void {
    this.#ownWords.push(place)
  }
  unitSale(place: Place, unit: string): void {
    this.#unitSales.push({ ...place, unit })
  }

  async write(db: StoreWriter): Promise<void> {
    for (let at = 0; at < this.#late.length; at += rowsMax)
      await db
        .insertInto('late_counter')
        .values(
          this.#late
            .slice(at, at + rowsMax)
            .map(({ cardNo, counter, orderTime }) => ({ card_no: cardNo, counter, order_time: orderTime })),
        )
        .onConflict((conflict) => conflict.columns(['card_no', 'counter']).doNothing())
        .execute()
    for (let at = 0; at < this.#couriered.length; at += rowsMax)
      await db
        .insertInto('courier_only')
        .values(this.#couriered.slice(at, at + rowsMax).map(({ cardNo, counter }) => ({ card_no: cardNo, counter })))
        .onConflict((conflict) => conflict.columns(['card_no', 'counter']).doNothing())
        .execute()
    for (let at = 0; at < this.#unitSales.length; at += rowsMax)
      await db
        .insertInto('unit_sale')
        .values(
          this.#unitSales
            .slice(at, at + rowsMax)
            .map(({ cardNo, counter, unit }) => ({ card_no: cardNo, counter, unit })),
        )
        .onConflict((conflict) => conflict.columns(['card_no', 'counter']).doNothing())
        .execute()
    await removeCouriered(db, this.#ownWords)
  }
}

const removeCouriered = async (db: StoreWriter, places: readonly Place[]): Promise<void> => {
  for (const [cardNo, some] of Map.groupBy(places, (place) => place.cardNo))
    for (let at = 0; at < some.length; at += rowsMax)
      await db
        .deleteFrom('courier_only')
        .where('card_no', '=', cardNo)
        .where(
          'counter',
          'in',
          some.slice(at, at + rowsMax).map(({ counter }) => counter),
        )
        .execute()
}

/** The first and the last time of an order of the batch's own terminal, by its bytes; undefined: it tells of none. */
export const orderSpan = (
  batch: { readonly bytes: Uint8Array; readonly entryCount: number; readonly terminalId: string },
  receivedAt: number,
): { readonly oldest: number; readonly newest: number } | undefined => {
  const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength)
  const own = Buffer.from(batch.terminalId, 'hex')
  let oldest = Number.POSITIVE_INFINITY
  let newest = 0
  for (let index = 0, at = batchHeaderLength; index < batch.entryCount; index += 1, at += entryLength) {
    const status = entryStatuses[bytes.readUInt8(at + statusAt)]
    // An entry whose layout is wrong was not taken.
    if (status === undefined || status === 'witness' || bytes.readUIntBE(at + statusAt + 1, 3) !== 0) continue
    if (own.compare(bytes, at + terminalAt.start, at + terminalAt.end) !== 0) continue
    // No order is later than its batch's arrival, whatever its terminal's clock said.
    const time = Math.min(bytes.readUInt32BE(at + timeAt), receivedAt)
    if (time < oldest) oldest = time
    if (time > newest) newest = time
  }
  return newest === 0 ? undefined : { oldest, newest }
}

/** Of a batch that was just archived. */
export const writeSpan = async (
  db: StoreWriter,
  batch: {
    readonly terminalNo: number
    readonly terminalId: string
    readonly epoch: number
    readonly batchNo: number
    readonly firstEntry: number
    readonly entryCount: number
    readonly bytes: Uint8Array
    readonly receivedAt: number
  },
): Promise<void> => {
  await db
    .insertInto('batch_span')
    .values(spanRow(batch, orderSpan(batch, batch.receivedAt)))
    .execute()
}

const spanRow = (
  batch: {
    readonly terminalNo: number
    readonly epoch: number
    readonly batchNo: number
    readonly firstEntry: number
    readonly entryCount: number
    readonly receivedAt: number
  },
  orders: { readonly oldest: number; readonly newest: number } | undefined,
): BatchSpanTable => ({
  terminal_no: batch.terminalNo,
  epoch: batch.epoch,
  batch_no: batch.batchNo,
  first_entry: batch.firstEntry,
  entry_count: batch.entryCount,
  received_at: batch.receivedAt,
  oldest_order: orders?.oldest ?? null,
  newest_order: orders?.newest ?? null,
})

const isFilled = async (db: StoreReader): Promise<boolean> => {
  const count = async (table: 'batch' | 'batch_span') => {
    const { rows } = await db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<number>().as('rows'))
      .executeTakeFirstOrThrow()
    return Number(rows)
  }
  return (await count('batch')) === (await count('batch_span'))
}

/** For a store that has batches from before: reads all of them, once. */
export const fillMarks = async (store: Store): Promise<void> => {
  if (await store.read(isFilled)) return
  await store.write(async (db) => {
    if (await isFilled(db)) return
    const couriered = await db
      .selectFrom('courier_only')
      .innerJoin('settlement', (join) =>
        join
          .onRef('settlement.card_no', '=', 'courier_only.card_no')
          .onRef('settlement.counter', '=', 'courier_only.counter'),
      )
      .select(['settlement.card_no', 'settlement.counter', 'record', 'settlement_mac'])
      .execute()
    const keys = new Map(
      couriered.map((row) => [entryKey(row.record, row.settlement_mac), { cardNo: row.card_no, counter: row.counter }]),
    )
    const { batches, words } = await readArchive(db, { keys: new Set(keys.keys()) })
    const told = [...words.keys()].map((key) => keys.get(key)).filter((place) => place !== undefined)
    await removeCouriered(db, told)
    const rows = batches.map((batch) => spanRow(batch, batch.orders))
    for (let at = 0; at < rows.length; at += rowsMax)
      await db
        .insertInto('batch_span')
        .values(rows.slice(at, at + rowsMax))
        .onConflict((conflict) => conflict.columns(['terminal_no', 'epoch', 'batch_no']).doNothing())
        .execute()
  })
}
