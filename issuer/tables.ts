/** The types of the issuer's tables, as Kysely sees them (issuer/migrations has the truth). */
import type { Generated } from 'kysely'
import type { ExceptionReason } from '../protocol/acknowledgement.ts'
import type { LoadVerdict } from '../protocol/load.ts'
import type { AccessTables } from './access-tables.ts'
import type { BooksTables } from './books-tables.ts'
import type { CardTables } from './card-tables.ts'
import type { CaseTables } from './case-tables.ts'
import type { CatalogueTables } from './catalogue-tables.ts'
import type { HotlistTables } from './hotlist-tables.ts'
import type { JournalTables } from './journal-tables.ts'
import type { PublicationsTables } from './publications-tables.ts'
import type { ShelfTables } from './shelf-tables.ts'

export type { AccountKind } from './books-tables.ts'

export interface SettingTable {
  key: string
  value: string
}
export interface TerminalTable {
  terminal_no: Generated<number>
  terminal_id: string
  merchant_no: number
  epoch: Generated<number>
  key_version: Generated<number>
  created_at: number
  /** Absent: in use. */
  retired_at: Generated<number | null>
  /** What people call it; absent: nothing. */
  name: Generated<string | null>
}
/** See contact.ts. Absent: its batches alone told of it. */
export interface TerminalContactTable {
  terminal_no: number
  contact_at: number
}
export type CardStatus = 'active' | 'hotlisted'
export interface CardTable {
  card_no: Generated<number>
  card_id: string
  key_version: number
  status: Generated<CardStatus>
  mark: Generated<number>
  balance_minor: Generated<number>
  created_at: number
  expires_at: number | null
  balance_max_minor: number | null
  pin_free_max_minor: number | null
  personalised_at: number | null
  blocked_at: number | null
  blocked_by: string | null
  blocked_reason: string | null
}
export interface ItemVersionTable {
  item_hash: Uint8Array
  item_id: string
  version: number
  json: string
  price_minor: number
  currency: number
  unit: string | null
  added_at: number
}
export interface BatchTable {
  batch_pk: Generated<number>
  terminal_no: number
  epoch: number
  batch_no: number
  first_entry: number
  entry_count: number
  previous_head: Uint8Array
  head: Uint8Array
  bytes: Uint8Array
  ack: Uint8Array
  received_at: number
}
export interface BookedColumns {
  booked_from: number | null
  booked_to: number | null
  booked_minor: number
}
export type SettledType = 'payment' | 'load' | 'reversal' | 'block'
export type SettlementSource = 'batch' | 'witness' | 'claim' | 'load'
export interface SettlementTable extends BookedColumns {
  card_no: number
  counter: number
  record: Uint8Array
  settlement_mac: Uint8Array | null
  terminal_no: number
  order_type: SettledType
  amount_minor: number
  balance_after_minor: number
  order_time: number
  exception: ExceptionReason | null
  source: SettlementSource
  settled_at: number
  money_back_at: number | null
}
export type SeamExplanation = 'nothing' | 'debit' | 'reversal' | 'unexplained' | 'discrepancy'
export interface SeamTable extends BookedColumns {
  card_no: number
  after_counter: number
  before_counter: number
  net_minor: number
  explanation: SeamExplanation
}
export interface NoteTable {
  record: Uint8Array
  card_no: number
  counter: number
  terminal_no: number
  order_type: string
  reference: number
  amount_minor: number
  order_time: number
  in_doubt: number
  voided: number
  abandoned: number
  owed: number
}
export interface EntryExceptionTable {
  exception_no: Generated<number>
  terminal_no: number
  epoch: number
  batch_no: number
  entry: number
  reason: ExceptionReason
  card_id: string | null
  counter: number | null
  amount_minor: number | null
  order_time: number | null
  noted_at: number
}
export type LoadState = 'standing' | 'settled' | 'contested' | 'void'
export interface LoadAuthorisationTable extends BookedColumns {
  load_no: Generated<number>
  card_no: number
  counter: number
  order_bytes: Uint8Array
  record: Uint8Array
  terminal_no: number
  amount_minor: number
  order_time: number
  state: LoadState
  authorised_at: number
  /** An account; null: the cash of the order's merchant. */
  funded_from: number | null
}
export interface LoadRequestTable {
  request_hash: Uint8Array
  bytes: Uint8Array
  answer: Uint8Array
  verdict: LoadVerdict
  received_at: number
}
export interface ClaimTable {
  claim_hash: Uint8Array
  bytes: Uint8Array
  card_no: number
  counter: number
  sealer_no: number
  received_at: number
}
export interface AlarmTable {
  alarm_no: Generated<number>
  alarm_key: string
  kind: string
  card_no: number | null
  counter: number | null
  terminal_no: number | null
  document: string
  raised_at: number
  /** How many documents raised it, and the last of them where there was more than one. */
  times: Generated<number>
  last_document: Generated<string | null>
}

/** Widened by later migrations. */
export interface Tables
  extends CatalogueTables,
    AccessTables,
    BooksTables,
    CardTables,
    CaseTables,
    HotlistTables,
    JournalTables,
    PublicationsTables,
    ShelfTables {
  setting: SettingTable
  terminal: TerminalTable
  terminal_contact: TerminalContactTable
  card: CardTable
  item_version: ItemVersionTable
  batch: BatchTable
  settlement: SettlementTable
  seam: SeamTable
  note: NoteTable
  entry_exception: EntryExceptionTable
  load_authorisation: LoadAuthorisationTable
  load_request: LoadRequestTable
  claim: ClaimTable
  alarm: AlarmTable
}
