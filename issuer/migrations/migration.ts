/** What a migration is. A released one is never edited; the next one gets the next number. */

export interface Migration {
  /** Each above the one before. */
  readonly version: number
  readonly name: string
  /**
   * Statements in the common part of SQLite and PostgreSQL, with these words for what differs:
   * `{int}` a signed 64-bit integer, `{blob}` bytes, `{serial}` a primary key that only grows, `{strict}` after a table. In PostgreSQL
   * every column of times, amounts and numbers is a bigint, which the store reads as a number.
   */
  readonly statements: readonly string[]
  /** What the common part does not have (triggers), after `statements`, for each database. */
  readonly sqliteStatements?: readonly string[]
  readonly postgresStatements?: readonly string[]
}
