/** Decisions over money that one person makes alone up to a limit, and that need a second one over it (second-person.ts). */
import type { Migration } from './migration.ts'

export const moneyDecisions: Migration = {
  version: 15,
  name: 'money-decisions',
  statements: [
    // decision_json: what is to be done, its amount too: the same by another person is the approval. state alone: within the limit.
    `CREATE TABLE money_decision (
      decision_no {serial},
      decision_json TEXT NOT NULL,
      amount_minor {int} NOT NULL,
      reason TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('alone', 'proposed', 'approved', 'refused')),
      given_by TEXT NOT NULL,
      given_at {int} NOT NULL,
      answered_by TEXT,
      answered_at {int},
      CHECK ((answered_by IS NULL) = (state IN ('alone', 'proposed')))
    ) {strict}`,
    "CREATE UNIQUE INDEX money_decision_waiting ON money_decision (decision_json) WHERE state = 'proposed'",
    'CREATE INDEX money_decision_by_person ON money_decision (given_by, given_at)',
    'CREATE INDEX case_decision_by_person ON case_decision (proposed_by, decided_at)',
  ],
}
