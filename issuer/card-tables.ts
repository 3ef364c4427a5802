/** The types of the tables of a card's life: fundings, money back, closures (issuer/migrations/0005-cards.ts has the truth). */
import type { Generated } from 'kysely'

export interface VoucherLotTable {
  lot_no: Generated<number>
  amount_minor: number
  voucher_count: number
  expires_at: number
  paid_at: number | null
  paid_reference: string | null
  made_at: number
  made_by: string
  cancelled_at: number | null
}
export type FundingKind = 'voucher' | 'credit'
/** cancelled: taken back before it was used. lapsed: its time ended, and its money went to breakage. paidOut: through the bank, with its card's rest. */
export type FundingState = 'open' | 'used' | 'cancelled' | 'lapsed' | 'paidOut'
export type CreditCause = 'moneyBack' | 'replacement' | 'goodwill' | 'dispute'
export interface FundingTable {
  funding_no: Generated<number>
  reference_hash: Uint8Array
  kind: FundingKind
  amount_minor: number
  state: Generated<FundingState>
  expires_at: number | null
  lot_no: number | null
  card_no: number | null
  reference: string | null
  cause: CreditCause | null
  only_counter: number | null
  from_account: number | null
  used_order: Uint8Array | null
  used_card_no: number | null
  used_counter: number | null
  used_at: number | null
  made_at: number
  made_by: string
}
export type Charged = 'merchant' | 'issuer'
export interface MoneyBackTable {
  card_no: number
  counter: number
  amount_minor: number
  charged: Charged
  at_risk: number
  funding_no: number
  reason: string
  decided_at: number
  decided_by: string
}
export type ClosureKind = 'replace' | 'refund' | 'breakage'
export interface CardClosureTable {
  closure_no: Generated<number>
  card_no: number
  kind: ClosureKind
  state: 'waiting' | 'done'
  replacement_no: number | null
  reason: string
  requested_at: number
  requested_by: string
  ready_at: number
  amount_minor: Generated<number>
  at_risk: Generated<number>
  funding_no: number | null
  done_at: number | null
  done_by: string | null
}

/** alone: within what one person decides. proposed: waits for a second one. */
export type MoneyDecisionState = 'alone' | 'proposed' | 'approved' | 'refused'
export interface MoneyDecisionTable {
  decision_no: Generated<number>
  decision_json: string
  amount_minor: number
  reason: string
  state: MoneyDecisionState
  given_by: string
  given_at: number
  answered_by: string | null
  answered_at: number | null
}

export interface CardTables {
  voucher_lot: VoucherLotTable
  funding: FundingTable
  money_back: MoneyBackTable
  card_closure: CardClosureTable
  money_decision: MoneyDecisionTable
}
