/** The types of the tables of operators and their journals (issuer/migrations/0018-journals.ts has the truth). */
import type { Generated } from 'kysely'
import type { OperatorRole } from '../protocol/operator.ts'

export interface OperatorTable {
  operator_no: Generated<number>
  card_no: number
  name: string
  role: OperatorRole
  /** A salted slow hash. */
  pin: string
  /** 1: at all terminals, also those that come. */
  everywhere: number
  added_at: number
  added_by: string
  removed_at: number | null
  removed_by: string | null
}
export interface OperatorTerminalTable {
  operator_no: number
  terminal_no: number
}
export interface JournalTable {
  journal_pk: Generated<number>
  terminal_no: number
  epoch: number
  journal_no: number
  first_entry: number
  entry_count: number
  previous_head: Uint8Array
  head: Uint8Array
  bytes: Uint8Array
  answer: Uint8Array
  received_at: number
}
export interface JournalEntryTable {
  entry_pk: Generated<number>
  terminal_no: number
  epoch: number
  journal_no: number
  entry_no: number
  /** By the terminal's clock. */
  at: number
  act: string
  operator_card: string | null
  operator_name: string | null
  /** JSON. */
  details: string | null
  received_at: number
}
export type RefundState = 'waiting' | 'booked' | 'person' | 'refused'
export interface DeviceRefundTable {
  refund_no: Generated<number>
  terminal_no: number
  card_id: string
  counter: number
  terminal_seq: number
  amount_minor: number
  reason: string
  operator_card: string | null
  operator_name: string | null
  /** The journal that asked for it. */
  document: string
  asked_at: number
  received_at: number
  state: RefundState
  /** A sentence; absent: it is booked. */
  why: string | null
  decided_at: number | null
}
export interface JournalTables {
  operator: OperatorTable
  operator_terminal: OperatorTerminalTable
  journal: JournalTable
  journal_entry: JournalEntryTable
  device_refund: DeviceRefundTable
}
