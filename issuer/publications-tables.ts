/** The types of the tables of migration 9, as Kysely sees them. */

export interface ComingArticleTable {
  item_id: string
  version: number
  json: string
  from_time: number
}
export interface VersionSoldTable {
  item_id: string
  version: number
  sold_from: number
  sold_until: number
}
export interface AssortmentTable {
  name: string
  changed_at: number
}
export interface AssortmentItemTable {
  name: string
  item_id: string
}
export interface TerminalAssortmentTable {
  terminal_no: number
  name: string | null
  published_name: string | null
}
export interface TerminalNewsTable {
  terminal_no: number
  bulletin_serial: number
  keyring_serial: number
  asked_at: number
}

export interface PublicationsTables {
  coming_article: ComingArticleTable
  version_sold: VersionSoldTable
  assortment: AssortmentTable
  assortment_item: AssortmentItemTable
  terminal_assortment: TerminalAssortmentTable
  terminal_news: TerminalNewsTable
}
