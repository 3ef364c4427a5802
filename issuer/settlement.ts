/** A record settles its card's counter, once, whoever brings it (PROTOCOL.md, Documents). */
import type { ExceptionReason } from '../protocol/acknowledgement.ts'
import { equalBytes, fromHex, toHex, u32Max } from '../protocol/bytes.ts'
import type { CurrencyCode } from '../protocol/quantities.ts'
import type { CardRecord } from '../protocol/record.ts'
import type { Books, KnownCard, KnownTerminal } from './books.ts'
import { undoes } from './card-line.ts'
import { chunks } from './chunks.ts'
import type { Issuer } from './issuer.ts'
import type { StoreWriter } from './store.ts'
import type { SettlementSource } from './tables.ts'
import { priceToleranceSeconds } from './versions-sold.ts'

const itemHashLength = 16

/** What every record is checked against. */
export interface PriceList {
  readonly currency: CurrencyCode
  /** By item hash in hex. */
  readonly items: ReadonlyMap<string, PricedItem>
  /** The most that any sale may cost, where a limit is set. */
  readonly saleMinorMax: number | undefined
}

export interface PricedItem {
  readonly priceMinor: number
  readonly currency: number
  /** Of a one-time code or ticket. */
  readonly unit: string | null
  /** UNIX seconds; absent: at any time. */
  readonly soldFrom?: number
  readonly soldUntil?: number
}

/** Of the items that records name, those that were ever published, and the limit. */
export const readPriceList = async (
  issuer: Issuer,
  db: StoreWriter,
  /** In hex. */
  hashes: Iterable<string>,
): Promise<PriceList> => {
  const distinct = Array.from(new Set(hashes), (hash) => fromHex(hash, itemHashLength))
  const items = new Map<string, PricedItem>()
  for (const some of chunks(distinct, 500)) {
    const rows = await db
      .selectFrom('item_version')
      .leftJoin('version_sold', (join) =>
        join
          .onRef('version_sold.item_id', '=', 'item_version.item_id')
          .onRef('version_sold.version', '=', 'item_version.version'),
      )
      .select(['item_hash', 'price_minor', 'currency', 'sold_from', 'sold_until', 'unit'])
      .where('item_hash', 'in', some)
      .execute()
    for (const row of rows)
      items.set(toHex(row.item_hash), {
        priceMinor: row.price_minor,
        currency: row.currency,
        unit: row.unit,
        ...(row.sold_from === null || row.sold_until === null
          ? {}
          : { soldFrom: row.sold_from, soldUntil: row.sold_until }),
      })
  }
  const limit = await db.selectFrom('setting').select('value').where('key', '=', 'saleMinorMax').executeTakeFirst()
  return {
    currency: issuer.book.currencyCode,
    items,
    saleMinorMax: limit === undefined ? undefined : Number(limit.value),
  }
}

/** @param sale its item hash in hex */
export const checkSale = (
  prices: PriceList,
  sale: { readonly itemHash: string; readonly amountMinor: number; readonly time: number },
): 'itemOrPrice' | 'limit' | undefined => {
  const item = prices.items.get(sale.itemHash)
  if (item?.priceMinor !== sale.amountMinor || item.currency !== prices.currency) return 'itemOrPrice'
  if (!isPriceOf(item, sale.time)) return 'itemOrPrice'
  return sale.amountMinor > (prices.saleMinorMax ?? u32Max) ? 'limit' : undefined
}

/** The checks before the settlement MAC: nothing about a card changes on their account. */
export const checkCard = (
  issuer: Issuer,
  card: KnownCard | undefined,
  record: CardRecord,
): 'unknownCard' | 'keyVersion' | 'currency' | undefined => {
  if (card === undefined) return 'unknownCard'
  if (record.identity.keyVersion !== card.keyVersion || !issuer.keys.has(card.keyVersion)) return 'keyVersion'
  if (record.order.currency !== issuer.book.currencyCode) return 'currency'
  return undefined
}

/** Whether the card itself made this record. */
export const isProven = (issuer: Issuer, proof: Pick<Evidence, 'bytes' | 'settlementMac'>): boolean =>
  issuer.proofs.proves(Buffer.concat([proof.bytes, proof.settlementMac]), 0)

/** A record with a right settlement MAC. */
export interface Evidence {
  readonly bytes: Uint8Array
  readonly record: CardRecord
  readonly settlementMac: Uint8Array
  readonly card: KnownCard
  /** The order's terminal. */
  readonly terminal: KnownTerminal
  readonly source: SettlementSource
  /** What its entry says does not fit the record. */
  readonly wrongStatus?: boolean
}

const checkReversal = ({ card, record }: Evidence): boolean => {
  if (record.order.reference !== record.counter - 1) return false
  const payment = card.line.point(record.order.reference)
  // Deferred, also beside a load without proof, which may never have been: checked when the payment arrives.
  return payment?.settlementMac === undefined || undoes(record, payment.record)
}

/** Whether a bulletin that was in force at that time let terminals sell at this price. */
const isPriceOf = ({ soldFrom, soldUntil }: PricedItem, time: number): boolean =>
  time >= (soldFrom ?? 0) - priceToleranceSeconds &&
  time <= (soldUntil ?? Number.POSITIVE_INFINITY) + priceToleranceSeconds

const findException = (evidence: Evidence, prices: PriceList): ExceptionReason | undefined => {
  const { card, record, bytes } = evidence
  const { order } = record
  if (!card.line.fits(record)) return 'balance'
  if (order.type === 'payment' && order.amountMinor > card.line.coveredMinor(record)) return 'balance'
  const saleException =
    order.type === 'payment' ? checkSale(prices, { ...order, itemHash: toHex(order.itemHash) }) : undefined
  if (saleException !== undefined) return saleException
  if (order.type === 'reversal' && !checkReversal(evidence)) return 'reversal'
  if (order.type === 'load' && !card.line.loadsAt(record.counter).some((load) => equalBytes(load.recordBytes, bytes)))
    return 'load'
  return undefined
}

export type Settled =
  /** Settled now; with an exception its amount waits in suspense. */
  | { readonly outcome: 'settled'; readonly exception: ExceptionReason | undefined }
  /** This very record was here already: nothing is booked. */
  | { readonly outcome: 'known'; readonly exception: ExceptionReason | undefined }
  /** Another record has this counter: an alarm, and nothing is booked. */
  | { readonly outcome: 'clone' }

/** For the explanation. */
const markSettled = (books: Books, { card, record, source }: Evidence, prices: PriceList): void => {
  const place = { cardNo: card.cardNo, counter: record.counter }
  if (source !== 'batch') books.marks.couriered(place)
  const unit = record.order.type === 'payment' ? prices.items.get(toHex(record.order.itemHash))?.unit : undefined
  if (unit != null) books.marks.unitSale(place, unit)
}

/** Settles a counter by its record, books it, and books anew what it explains. */
export const settleRecord = (books: Books, evidence: Evidence, prices: PriceList): Settled => {
  const { card, record, bytes, settlementMac: proof, source, terminal } = evidence
  const { line } = card
  const known = line.point(record.counter)
  const same = known !== undefined && equalBytes(known.bytes, bytes)
  if (known?.settlementMac !== undefined) {
    if (same) {
      if (source === 'batch' && known.source !== 'batch')
        books.marks.ownWord({ cardNo: card.cardNo, counter: record.counter })
      return { outcome: 'known', exception: known.exception }
    }
    books.alarm({ kind: 'clone', card, counter: record.counter, terminal })
    return { outcome: 'clone' }
  }
  line.decideLoads(record.counter, bytes)
  markSettled(books, evidence, prices)
  if (same) {
    line.prove(record.counter, { settlementMac: proof, source, settledAt: books.now })
    return { outcome: 'settled', exception: undefined }
  }
  const exception = findException(evidence, prices)
  if (exception === 'balance') books.alarm({ kind: 'balance', card, counter: record.counter })
  line.place({
    bytes,
    record,
    terminalNo: terminal.terminalNo,
    merchantNo: terminal.merchantNo,
    settlementMac: proof,
    source,
    exception,
    settledAt: books.now,
    moneyBackAt: undefined,
  })
  // What an entry says of a record changes nothing about the record: a status that does not fit is named, and moves no money.
  return { outcome: 'settled', exception: exception ?? (evidence.wrongStatus ? 'status' : undefined) }
}
