/** The tables of accounts and their closing, as Kysely sees them (issuer/migrations has the truth). */
import type { Generated } from 'kysely'

/**
 * float: what cards hold. payable: owed to a merchant. merchantCash: cash that he took for loads (negative: he owes it). bank: the
 * issuer's own account at a bank (negative: it is there). suspense: waits for a person. holes: named sums of counters that are missing.
 * fees and breakage: earned. vouchers: sold, and on no card yet. credits: owed to cardholders. losses: written off (negative).
 */
export type AccountKind =
  | 'float'
  | 'payable'
  | 'merchantCash'
  | 'fees'
  | 'suspense'
  | 'holes'
  | 'bank'
  | 'breakage'
  | 'vouchers'
  | 'credits'
  | 'losses'

/** Those that a book has once. */
export const bookAccounts = [
  'float',
  'fees',
  'suspense',
  'holes',
  'bank',
  'breakage',
  'vouchers',
  'credits',
  'losses',
] as const satisfies readonly AccountKind[]
export type BookAccount = (typeof bookAccounts)[number]

/** Those that each merchant has. */
export const merchantAccounts = ['payable', 'merchantCash'] as const satisfies readonly AccountKind[]
export type MerchantAccount = (typeof merchantAccounts)[number]

export interface AccountTable {
  account_no: Generated<number>
  kind: AccountKind
  merchant_no: number | null
  balance_minor: Generated<number>
}
export interface TransferTable {
  transfer_no: Generated<number>
  from_account: number
  to_account: number
  amount_minor: number
  cause: string
  document: string
  card_no: number | null
  counter: number | null
  booked_at: number
  /** Such as "2026-11-23". */
  business_day: string
  /** Of the closing of this period itself. */
  period_no: Generated<number | null>
}
export interface MerchantTable {
  merchant_no: Generated<number>
  name: string
  created_at: number
  legal_name: Generated<string | null>
  street: Generated<string | null>
  postcode: Generated<string | null>
  town: Generated<string | null>
  country: Generated<string | null>
  iban: Generated<string | null>
  bic: Generated<string | null>
}
export interface MerchantFeeTable {
  merchant_no: number
  from_day: string
  basis_points: number
  fixed_minor: number
  set_at: number
}
export interface ClosedDayTable {
  day: string
  closed_at: number
  closed_by: string
}
export interface ClosedDayPostingTable {
  day: string
  account_no: number
  cause: string
  in_count: number
  in_minor: number
  out_count: number
  out_minor: number
}
export interface ClosedDayBalanceTable {
  day: string
  account_no: number
  balance_minor: number
}
export interface PeriodTable {
  period_no: number
  merchant_no: number
  sequence: number
  previous_no: number | null
  from_day: string
  until_day: string
  closing_minor: number
  cash_closing_minor: number
  payout_minor: number
  statement: string
  closed_at: number
  closed_by: string
}
export interface PaymentRunTable {
  run_no: number
  execution_day: string
  debtor: string
  made_at: number
  made_by: string
}
export interface PayoutTable {
  period_no: number
  run_no: number
}

export interface BooksTables {
  account: AccountTable
  transfer: TransferTable
  merchant: MerchantTable
  merchant_fee: MerchantFeeTable
  closed_day: ClosedDayTable
  closed_day_posting: ClosedDayPostingTable
  closed_day_balance: ClosedDayBalanceTable
  period: PeriodTable
  payment_run: PaymentRunTable
  payout: PayoutTable
}
