/** What finds the next cards to look at, some at a time, and the files that are about them. */
import type { Migration } from './migration.ts'

export const caseRounds: Migration = {
  version: 16,
  name: 'case-rounds',
  statements: [
    'DROP INDEX load_authorisation_open',
    "CREATE INDEX load_authorisation_open ON load_authorisation (card_no, counter) WHERE state <> 'settled'",
    'CREATE INDEX entry_exception_by_card ON entry_exception (card_id)',
    "CREATE INDEX case_file_standing ON case_file (card_id, case_no) WHERE state <> 'closed'",
    "CREATE INDEX case_file_of_no_card ON case_file (state) WHERE card_id IS NULL OR cause = 'soldTwice'",
  ],
}
