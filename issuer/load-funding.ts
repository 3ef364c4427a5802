/** Which voucher or credit pays for a load: each for one, once, whatever is repeated or lost (PROTOCOL.md, Loads). */
import { equalBytes } from '../protocol/bytes.ts'
import { currencyOf } from '../protocol/currency.ts'
import type { FundingKind } from './card-tables.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import { findAccount } from './postings.ts'
import type { StoreReader, StoreWriter } from './store.ts'

/** No single load is larger, whoever asks: what a stolen terminal key is worth has a bound. Units of the currency. */
const loadUnitsMax = 10_000
export const loadMinorMax = (issuer: Pick<Issuer, 'book'>): number =>
  loadUnitsMax * 10 ** currencyOf(issuer.book.currency).decimals

/** A load that came to nothing gives its voucher back with at least this much time. */
const givenBackSeconds = 30 * 86_400

/** What a load's order asks to be paid from. */
export interface FundedLoad {
  readonly hash: Uint8Array
  readonly amountMinor: number
  readonly order: Uint8Array
  readonly cardNo: number
  readonly counter: number
  readonly now: number
}

export interface FoundFunding {
  readonly fundingNo: number
  /** The account that it is booked from. */
  readonly account: number
}

/** @returns the funding that pays for this very order; undefined: none does (unknown, used, expired, of another card or amount) */
export const findFunding = async (db: StoreReader, load: FundedLoad): Promise<FoundFunding | undefined> => {
  const found = await db.selectFrom('funding').selectAll().where('reference_hash', '=', load.hash).executeTakeFirst()
  if (found === undefined || found.amount_minor !== load.amountMinor) return undefined
  if (found.card_no !== null && found.card_no !== load.cardNo) return undefined
  const isRetry = found.used_order !== null && equalBytes(found.used_order, load.order)
  if (!isRetry) {
    if (found.state !== 'open' || (found.expires_at !== null && found.expires_at < load.now)) return undefined
    if (found.only_counter !== null && !(await mayTake(db, load, found.only_counter))) return undefined
  }
  return {
    fundingNo: found.funding_no,
    account: (await findAccount(db, { kind: accountOf(found.kind) })).accountNo,
  }
}

const accountOf = (kind: FundingKind): 'vouchers' | 'credits' => (kind === 'voucher' ? 'vouchers' : 'credits')

/** Money back that was decided before its counter was settled must itself rule out the reversal, or find that another record did. */
const mayTake = async (db: StoreReader, load: FundedLoad, onlyCounter: number): Promise<boolean> => {
  if (load.counter === onlyCounter) return true
  const settled = await db
    .selectFrom('settlement')
    .select('order_type')
    .where('card_no', '=', load.cardNo)
    .where('counter', '=', onlyCounter)
    .where('settlement_mac', 'is not', null)
    .executeTakeFirst()
  return settled !== undefined && settled.order_type !== 'reversal'
}

/** Ties a funding to the load that it pays for, for good unless that load is proved void. @throws IssuerError `storeBusy`: another load was quicker */
export const takeFunding = async (db: StoreWriter, fundingNo: number, load: FundedLoad): Promise<void> => {
  const taken = await db
    .updateTable('funding')
    .set({
      state: 'used',
      used_order: load.order,
      used_card_no: load.cardNo,
      used_counter: load.counter,
      used_at: load.now,
    })
    .where('funding_no', '=', fundingNo)
    .where('state', '=', 'open')
    .returning('funding_no')
    .executeTakeFirst()
  if (taken === undefined)
    throw new IssuerError('storeBusy', 'The voucher was used at this moment by another load: look at that one first.')
}

/** A load never was: what paid for it is good again, if need be beyond its time. */
export const returnFunding = async (db: StoreWriter, order: Uint8Array, now: number): Promise<void> => {
  const found = await db
    .updateTable('funding')
    .set({ state: 'open', used_order: null, used_card_no: null, used_counter: null, used_at: null })
    .where('used_order', '=', order)
    .returning(['funding_no', 'expires_at', 'lot_no'])
    .executeTakeFirst()
  if (found === undefined) return
  const cancelled = await db
    .selectFrom('voucher_lot')
    .select('lot_no')
    .where('lot_no', '=', found.lot_no)
    .where('cancelled_at', 'is not', null)
    // What was paid for stands, whoever was to have it.
    .where('paid_at', 'is', null)
    .executeTakeFirst()
  if (cancelled !== undefined) {
    await db.updateTable('funding').set({ state: 'cancelled' }).where('funding_no', '=', found.funding_no).execute()
    return
  }
  if (found.expires_at === null || found.expires_at >= now + givenBackSeconds) return
  await db
    .updateTable('funding')
    .set({ expires_at: now + givenBackSeconds })
    .where('funding_no', '=', found.funding_no)
    .execute()
}
