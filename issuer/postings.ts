/** Bookings outside of cards' lines: one transfer between two accounts, with its cause and its document. */
import type { AccountKind, BookAccount, MerchantAccount } from './books-tables.ts'
import { openDay } from './business-days.ts'
import type { StoreReader, StoreWriter } from './store.ts'

/** One account of the book, or one of a merchant. */
export type AccountName =
  | { readonly kind: BookAccount; readonly merchantNo?: undefined }
  | { readonly kind: MerchantAccount; readonly merchantNo: number }

export interface Posting {
  readonly from: AccountName
  readonly to: AccountName
  /** Above 0. */
  readonly amountMinor: number
  /** One word, such as "fee": reports group by it. */
  readonly cause: string
  /** What it rests on, such as "period 12" or "case 7". */
  readonly document: string
  readonly cardNo?: number
  readonly counter?: number
  /** Given by the closing of this period alone. */
  readonly periodNo?: number
}

/** @throws Error when the store has no such account: a bug */
export const findAccount = async (
  db: Pick<StoreReader, 'selectFrom'>,
  { kind, merchantNo }: { readonly kind: AccountKind; readonly merchantNo?: number | undefined },
): Promise<{ accountNo: number; balanceMinor: number }> => {
  const row = await db
    .selectFrom('account')
    .select(['account_no', 'balance_minor'])
    .where('kind', '=', kind)
    .$if(merchantNo === undefined, (query) => query.where('merchant_no', 'is', null))
    .$if(merchantNo !== undefined, (query) => query.where('merchant_no', '=', merchantNo ?? 0))
    .executeTakeFirst()
  if (row === undefined) throw new Error(`there is no account ${kind} ${merchantNo ?? ''}`)
  return { accountNo: row.account_no, balanceMinor: row.balance_minor }
}

/**
 * Books in the open day, within the transaction.
 * @param now UNIX seconds
 */
export const book = async (db: StoreWriter, posting: Posting, now: number): Promise<{ transferNo: number }> => {
  const { amountMinor } = posting
  if (!Number.isSafeInteger(amountMinor) || amountMinor <= 0) throw new Error('a posting moves nothing')
  const from = await findAccount(db, posting.from)
  const to = await findAccount(db, posting.to)
  const { transfer_no } = await db
    .insertInto('transfer')
    .values({
      from_account: from.accountNo,
      to_account: to.accountNo,
      amount_minor: amountMinor,
      cause: posting.cause,
      document: posting.document,
      card_no: posting.cardNo ?? null,
      counter: posting.counter ?? null,
      booked_at: now,
      business_day: await openDay(db, now),
      period_no: posting.periodNo ?? null,
    })
    .returning('transfer_no')
    .executeTakeFirstOrThrow()
  const changes = [
    { accountNo: from.accountNo, byMinor: -amountMinor },
    { accountNo: to.accountNo, byMinor: amountMinor },
  ]
  // In the order of their numbers, as all who change several accounts.
  for (const { accountNo, byMinor } of changes.toSorted((a, b) => a.accountNo - b.accountNo))
    await db
      .updateTable('account')
      .set((eb) => ({ balance_minor: eb('balance_minor', '+', byMinor) }))
      .where('account_no', '=', accountNo)
      .execute()
  return { transferNo: transfer_no }
}
