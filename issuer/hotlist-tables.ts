/** The types of the tables of migration 8, as Kysely sees them. */

/** One row a log; the highest generation is the one in use. */
export interface HotlistLogTable {
  generation: number
  count: number
  head: Uint8Array
  begun_at: number
}
/** Whole entries, `hotlistPageEntriesMax` of them in every page but the newest. */
export interface HotlistPageTable {
  generation: number
  /** From 0. */
  page_no: number
  bytes: Uint8Array
}

export interface HotlistTables {
  hotlist_log: HotlistLogTable
  hotlist_page: HotlistPageTable
}
