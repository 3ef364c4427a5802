/** What never changes is not emptied either: PostgreSQL empties a table without asking the triggers of its rows. */
import type { Migration } from './migration.ts'

const kept: readonly { readonly table: string; readonly sentence: string }[] = [
  { table: 'transfer', sentence: 'a transfer is never deleted' },
  { table: 'batch', sentence: 'a batch is never deleted' },
  { table: 'bulletin', sentence: 'a bulletin is never deleted' },
  { table: 'closed_day', sentence: 'a closed day is never deleted' },
  { table: 'closed_day_posting', sentence: 'a closed day is never deleted' },
  { table: 'closed_day_balance', sentence: 'a closed day is never deleted' },
  { table: 'period', sentence: 'a closed period is never deleted' },
  { table: 'payment_run', sentence: 'a payment run is never deleted' },
  { table: 'payout', sentence: 'a payout is never deleted' },
  { table: 'account', sentence: 'an account is never deleted' },
  { table: 'case_note', sentence: 'a note is final' },
  { table: 'case_event', sentence: 'an event is final' },
]

export const finalRows: Migration = {
  version: 12,
  name: 'final-rows',
  statements: [],
  postgresStatements: kept.map(
    ({ table, sentence }) =>
      `CREATE TRIGGER ${table}_is_not_emptied BEFORE TRUNCATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('${sentence}')`,
  ),
}
