/** The types of the tables of discrepancies as work (issuer/migrations/0006-cases.ts has the truth). */
import type { Generated } from 'kysely'

export interface BatchSpanTable {
  terminal_no: number
  epoch: number
  batch_no: number
  first_entry: number
  entry_count: number
  received_at: number
  oldest_order: number | null
  newest_order: number | null
}
export interface LateCounterTable {
  card_no: number
  counter: number
  order_time: number
}
export interface CourierOnlyTable {
  card_no: number
  counter: number
}
export interface UnitSaleTable {
  card_no: number
  counter: number
  unit: string
}
export const caseStates = ['open', 'waiting', 'proposed', 'closed'] as const
export type CaseState = (typeof caseStates)[number]
export interface CaseFileTable {
  case_no: Generated<number>
  case_key: string
  cause: string
  reason: string | null
  state: CaseState
  owner: string | null
  due_at: number
  amount_minor: number
  suspense_minor: number
  holes_minor: number
  at_risk_minor: number
  card_id: string | null
  counter: number | null
  last_counter: number | null
  terminal_id: string | null
  merchant: string | null
  day: string
  json: string
  evidence: string
  opened_at: number
  opened_document: string | null
  closed_at: number | null
  closed_document: string | null
  closed_by: string | null
}
export interface CaseNoteTable {
  note_no: Generated<number>
  case_no: number
  author: string
  text: string
  at: number
}
export interface CaseEventTable {
  event_no: Generated<number>
  case_no: number
  kind: string
  who: string | null
  document: string | null
  detail: string | null
  at: number
}
export const decisionKinds = ['payMerchant', 'chargeMerchant', 'creditCard', 'writeOff'] as const
export type DecisionKind = (typeof decisionKinds)[number]
export type DecisionState = 'proposed' | 'booked' | 'refused' | 'takenBack'
export interface CaseDecisionTable {
  decision_no: Generated<number>
  case_no: number
  kind: DecisionKind
  state: DecisionState
  suspense_minor: number
  holes_minor: number
  merchant_no: number | null
  card_no: number | null
  /** The credit that was made. */
  funding_no: number | null
  reason: string
  proposed_by: string
  proposed_at: number
  approved_by: string | null
  decided_at: number | null
  taken_back_at: number | null
}
export interface CaseTables {
  batch_span: BatchSpanTable
  late_counter: LateCounterTable
  courier_only: CourierOnlyTable
  unit_sale: UnitSaleTable
  case_file: CaseFileTable
  case_note: CaseNoteTable
  case_event: CaseEventTable
  case_decision: CaseDecisionTable
}
