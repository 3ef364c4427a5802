/** The types of the tables of migration 16, as Kysely sees them. */

export interface CategoryTable {
  category_id: string
  position: number
  title: string
  changed_at: number
}
export interface ItemDisplayTable {
  item_id: string
  category_id: string | null
  json: string
  preview_of: string | null
  changed_at: number
}
export interface MerchantBrandTable {
  merchant_no: number
  json: string
  changed_at: number
}

export interface ShelfTables {
  category: CategoryTable
  item_display: ItemDisplayTable
  merchant_brand: MerchantBrandTable
}
