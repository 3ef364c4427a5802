/** Sums of sales: payments that are accepted, by the time of their order. Read from the index `sale_by_time` alone. */
import { sql } from 'kysely'
import { itemFromStore, titleOf } from '../catalogue.ts'
import type { CountAndAmount } from '../console-contract/terminals.ts'
import type { StoreReader } from '../store.ts'

/** Written out, not bound: only so do both databases see that the index holds it. */
export const isSale = sql<boolean>`settlement.order_type = 'payment' AND settlement.exception IS NULL`

export const noSales: CountAndAmount = { count: 0, amountMinor: 0 }

export const addSales = (a: CountAndAmount, b: CountAndAmount): CountAndAmount => ({
  count: a.count + b.count,
  amountMinor: a.amountMinor + b.amountMinor,
})

/** UNIX seconds: from the first, and before the last. */
export interface Span {
  readonly from: number
  readonly until: number
}

interface SumRow {
  readonly count: number | string
  readonly amount: number | string | null
}

const sumOf = ({ count, amount }: SumRow): CountAndAmount => ({
  count: Number(count),
  amountMinor: Number(amount ?? 0),
})

const salesIn = (db: StoreReader, { from, until }: Span) =>
  db
    .selectFrom('settlement')
    .select((eb) => [
      eb.fn.countAll<number | string>().as('count'),
      eb.fn.sum<number | string | null>('amount_minor').as('amount'),
    ])
    .where(isSale)
    .where('order_time', '>=', from)
    .where('order_time', '<', until)

export const sumSales = async (db: StoreReader, span: Span): Promise<CountAndAmount> =>
  sumOf(await salesIn(db, span).executeTakeFirstOrThrow())

/** By terminal's number; those that sold nothing are absent. @param terminalNos absent: all */
export const salesByTerminal = async (
  db: StoreReader,
  span: Span,
  terminalNos?: readonly number[],
): Promise<ReadonlyMap<number, CountAndAmount>> => {
  if (terminalNos?.length === 0) return new Map()
  const rows = await salesIn(db, span)
    .select('terminal_no')
    .$if(terminalNos !== undefined, (query) => query.where('terminal_no', 'in', terminalNos ?? []))
    .groupBy('terminal_no')
    .execute()
  return new Map(rows.map((row) => [row.terminal_no, sumOf(row)]))
}

/** An article's hash, at its place in a record. */
const itemHash = sql<Uint8Array>`substr(settlement.record, 49, 16)`

/** By article, the most money first. Reads each sale's record: for some days, not for all time. */
export const salesByArticle = async (
  db: StoreReader,
  span: Span,
): Promise<readonly (CountAndAmount & { readonly itemId: string; readonly title: string })[]> => {
  const sums = await salesIn(db, span)
    .innerJoin('item_version', (join) => join.on('item_version.item_hash', '=', itemHash))
    .select('item_id')
    .groupBy('item_id')
    .execute()
  const articles = await db
    .selectFrom('article')
    .select(['item_id', 'json'])
    .where('item_id', 'in', [...sums.map((row) => row.item_id), ''])
    .execute()
  const titles = new Map(articles.map((row) => [row.item_id, titleOf(itemFromStore(row.json))]))
  return sums
    .map((row) => ({ itemId: row.item_id, title: titles.get(row.item_id) ?? row.item_id, ...sumOf(row) }))
    .sort((a, b) => b.amountMinor - a.amountMinor || (a.itemId < b.itemId ? -1 : 1))
}

/** By steps of so many seconds since the span's beginning, and by terminal where some are named. */
export const salesBySteps = async (
  db: StoreReader,
  span: Span,
  options: { readonly stepSeconds: number; readonly terminalNos?: readonly number[] },
): Promise<readonly (CountAndAmount & { readonly step: number; readonly terminalNo: number })[]> => {
  const { stepSeconds, terminalNos } = options
  if (terminalNos?.length === 0) return []
  // Written out: PostgreSQL would not know two bound numbers for the same one.
  const step = sql<number | string>`(order_time - ${sql.lit(span.from)}) / ${sql.lit(stepSeconds)}`
  const terminal = terminalNos === undefined ? sql<number>`0` : sql<number>`terminal_no`
  const rows = await salesIn(db, span)
    .select([step.as('step'), terminal.as('terminal')])
    .$if(terminalNos !== undefined, (query) =>
      query.where('terminal_no', 'in', terminalNos ?? []).groupBy('terminal_no'),
    )
    .groupBy(step)
    .execute()
  return rows.map((row) => ({ ...sumOf(row), step: Number(row.step), terminalNo: Number(row.terminal) }))
}
