/** What taking batches in needs of PostgreSQL: no look-up for each row of what its transaction has locked or read anyway. */
import type { Migration } from './migration.ts'

/**
 * Cards and terminals of these rows are locked by the writer, accounts are read by it and are never deleted; PostgreSQL would
 * ask seven times a payment again, which took most of its time. In SQLite such a question is nearly free, and stays.
 */
const asked = [
  ['settlement', ['card_no', 'terminal_no', 'booked_from', 'booked_to']],
  ['transfer', ['from_account', 'to_account', 'card_no']],
] as const

export const ingest: Migration = {
  version: 10,
  name: 'ingest',
  statements: [],
  postgresStatements: [
    ...asked.flatMap(([table, columns]) =>
      columns.map((column) => `ALTER TABLE ${table} DROP CONSTRAINT ${table}_${column}_fkey`),
    ),
    // Room in each page for the next state of its cards: no index is touched then.
    'ALTER TABLE card SET (fillfactor = 70)',
    'ALTER TABLE account SET (fillfactor = 50)',
  ],
}
