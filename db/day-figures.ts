/**
 * What a terminal took, in sums (docs/OPERATIONS.md, At the kiosk: operator mode). Payments are counted by receipt numbers, which
 * have no gaps; all else is a sum over everything, so that what one close said and the next one says cannot overlap or leave out.
 */
import * as v from 'valibot'
import { parseJournalEntry, refundDetailsSchema } from '../protocol/journal.ts'
import { zeroHash } from '../protocol/quantities.ts'
import { parseRecord } from '../protocol/record.ts'
import type { ReadableDatabase } from './open.ts'

export interface Takings {
  readonly count: number
  readonly amountMinor: number
}

export interface ArticleTakings extends Takings {
  /** Of the newest sale of it. */
  readonly item: { readonly id: string; readonly kind: string; readonly title: Readonly<Record<string, string>> }
}

export interface LedgerFigures {
  /** The newest receipt's number; 0: there is none. */
  readonly receiptNo: number
  /** Payments after the given number, those that were reversed later among them. */
  readonly sales: Takings
  readonly articles: readonly ArticleTakings[]
  /** Of all time. */
  readonly reversed: Takings
  readonly refunds: Takings
  readonly cashLoads: Takings
  readonly otherLoads: Takings
}

const nothing: Takings = { count: 0, amountMinor: 0 }
export const plus = (one: Takings, other: Takings): Takings => ({
  count: one.count + other.count,
  amountMinor: one.amountMinor + other.amountMinor,
})
export const minus = (one: Takings, other: Takings): Takings => ({
  count: one.count - other.count,
  amountMinor: one.amountMinor - other.amountMinor,
})

const itemSchema = v.object({
  id: v.string(),
  kind: v.string(),
  title: v.record(v.string(), v.string()),
  priceMinor: v.pipe(v.number(), v.safeInteger()),
})

const salesAfter = (database: ReadableDatabase, receiptNo: number) => {
  const articles = new Map<string, ArticleTakings>()
  let newest = receiptNo
  for (const row of database
    .prepare(
      'SELECT receipt_no AS receiptNo, item_json AS itemJson FROM intent WHERE receipt_no > ? ORDER BY receipt_no',
    )
    .iterate(receiptNo) as IterableIterator<{ receiptNo: number; itemJson: string }>) {
    const { priceMinor, ...item } = v.parse(itemSchema, JSON.parse(row.itemJson))
    const before = articles.get(item.id) ?? nothing
    articles.set(item.id, { item, ...plus(before, { count: 1, amountMinor: priceMinor }) })
    newest = row.receiptNo
  }
  return { receiptNo: newest, articles: [...articles.values()] }
}

/** Loads and reversals that the card has carried out. */
const movements = (database: ReadableDatabase) => {
  const sums = { reversed: nothing, cashLoads: nothing, otherLoads: nothing }
  const cash = zeroHash().join()
  for (const { record } of database
    .prepare(`SELECT record FROM intent WHERE type IN ('load', 'reversal') AND state = 'captured'`)
    .iterate() as IterableIterator<{ record: Uint8Array }>) {
    const { order } = parseRecord(new Uint8Array(record))
    const kind = order.type === 'reversal' ? 'reversed' : order.itemHash.join() === cash ? 'cashLoads' : 'otherLoads'
    sums[kind] = plus(sums[kind], { count: 1, amountMinor: order.amountMinor })
  }
  return sums
}

const refundsAsked = (database: ReadableDatabase): Takings => {
  /** Entries that the issuer had not taken stand again in a later epoch. */
  const amounts = new Map<number, number>()
  for (const { bytes } of database
    .prepare(`SELECT bytes FROM journal_entry WHERE act = 'refund'`)
    .iterate() as IterableIterator<{ bytes: Uint8Array }>) {
    const details = v.parse(refundDetailsSchema, parseJournalEntry(new Uint8Array(bytes)).details)
    amounts.set(details.terminalSeq, details.amountMinor)
  }
  return { count: amounts.size, amountMinor: [...amounts.values()].reduce((sum, minor) => sum + minor, 0) }
}

/** @param afterReceiptNo sales up to this number are left out */
export const readFigures = (database: ReadableDatabase, afterReceiptNo: number): LedgerFigures => {
  const { receiptNo, articles } = salesAfter(database, afterReceiptNo)
  return {
    receiptNo,
    sales: articles.reduce(plus, nothing),
    articles,
    ...movements(database),
    refunds: refundsAsked(database),
  }
}
