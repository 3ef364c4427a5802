/** The types of the tables of migration 2, as Kysely sees them. */
import type { Generated } from 'kysely'

export interface ArticleTable {
  item_id: string
  version: number
  json: string
  changed_at: number
  /** 0: withdrawn, or not sold yet. */
  offered: Generated<number>
}
export interface ContentTable {
  content_hash: string
  bytes: number
  added_at: number
}
/** Of a unit, in the column `retired`: but for `forSale`, and `released` as long as no sale of it is known, it is in no keyring. */
export const unitState = { forSale: 0, sold: 1, withheld: 2, withdrawn: 3, released: 4 } as const

export interface UnitTable {
  unit_no: Generated<number>
  unit: string
  item_id: string
  sealed_code: Uint8Array
  terminal_no: number | null
  retired: Generated<number>
  added_at: number
}
export interface HotlistTable {
  card_id: string
  listed_at: number
}
export interface BulletinTable {
  serial: number
  bytes: Uint8Array
  issued_at: number
  expires_at: number
}
export interface KeyringTable {
  terminal_no: number
  serial: number
  digest: string
  bytes: Uint8Array
  made_at: number
}
export interface EnrolmentCodeTable {
  terminal_no: number
  code_hash: string
  expires_at: number
}
export interface ContentTicketTable {
  ticket_hash: string
  content_hash: string
  media_type: string
  file_name: string
  expires_at: number
}

export interface CatalogueTables {
  article: ArticleTable
  content: ContentTable
  unit: UnitTable
  hotlist: HotlistTable
  bulletin: BulletinTable
  keyring: KeyringTable
  enrolment_code: EnrolmentCodeTable
  content_ticket: ContentTicketTable
}
