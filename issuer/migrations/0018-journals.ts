/** Operators of terminals, the journals of what they did there, and the refunds that they asked for (PROTOCOL.md, Journal). */
import type { Migration } from './migration.ts'

const kept = [
  { name: 'journal_is_final', when: 'UPDATE', table: 'journal', sentence: 'a journal never changes' },
  { name: 'journal_stays', when: 'DELETE', table: 'journal', sentence: 'a journal is never deleted' },
  { name: 'journal_entry_is_final', when: 'UPDATE', table: 'journal_entry', sentence: 'a journal entry never changes' },
  { name: 'journal_entry_stays', when: 'DELETE', table: 'journal_entry', sentence: 'a journal entry is never deleted' },
] as const

export const journals: Migration = {
  version: 18,
  name: 'journals',
  statements: [
    // Adding one again ends the one before: what stood when is never lost.
    `CREATE TABLE operator (
      operator_no {serial},
      card_no {int} NOT NULL REFERENCES card (card_no),
      name TEXT NOT NULL,
      role TEXT NOT NULL CHECK (role IN ('operator', 'technician')),
      pin TEXT NOT NULL,
      everywhere {int} NOT NULL CHECK (everywhere IN (0, 1)),
      added_at {int} NOT NULL,
      added_by TEXT NOT NULL,
      removed_at {int},
      removed_by TEXT
    ) {strict}`,
    'CREATE UNIQUE INDEX operator_standing ON operator (card_no) WHERE removed_at IS NULL',
    `CREATE TABLE operator_terminal (
      operator_no {int} NOT NULL REFERENCES operator (operator_no),
      terminal_no {int} NOT NULL REFERENCES terminal (terminal_no),
      PRIMARY KEY (operator_no, terminal_no)
    ) {strict}`,
    `CREATE TABLE journal (
      journal_pk {serial},
      terminal_no {int} NOT NULL REFERENCES terminal (terminal_no),
      epoch {int} NOT NULL,
      journal_no {int} NOT NULL,
      first_entry {int} NOT NULL,
      entry_count {int} NOT NULL,
      previous_head {blob} NOT NULL,
      head {blob} NOT NULL,
      bytes {blob} NOT NULL,
      answer {blob} NOT NULL,
      received_at {int} NOT NULL,
      UNIQUE (terminal_no, epoch, journal_no)
    ) {strict}`,
    `CREATE TABLE journal_entry (
      entry_pk {serial},
      terminal_no {int} NOT NULL REFERENCES terminal (terminal_no),
      epoch {int} NOT NULL,
      journal_no {int} NOT NULL,
      entry_no {int} NOT NULL,
      at {int} NOT NULL,
      act TEXT NOT NULL,
      operator_card TEXT,
      operator_name TEXT,
      details TEXT,
      received_at {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX journal_entry_by_terminal ON journal_entry (terminal_no, entry_pk)',
    // waiting: its payment is not settled; person: somebody has to decide; refused: there is nothing to give back.
    `CREATE TABLE device_refund (
      refund_no {serial},
      terminal_no {int} NOT NULL REFERENCES terminal (terminal_no),
      card_id TEXT NOT NULL,
      counter {int} NOT NULL,
      terminal_seq {int} NOT NULL,
      amount_minor {int} NOT NULL,
      reason TEXT NOT NULL,
      operator_card TEXT,
      operator_name TEXT,
      document TEXT NOT NULL,
      asked_at {int} NOT NULL,
      received_at {int} NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('waiting', 'booked', 'person', 'refused')),
      why TEXT,
      decided_at {int},
      UNIQUE (terminal_no, card_id, counter)
    ) {strict}`,
    "CREATE INDEX device_refund_waiting ON device_refund (refund_no) WHERE state = 'waiting'",
    'CREATE INDEX device_refund_by_payment ON device_refund (card_id, counter)',
  ],
  sqliteStatements: kept.map(
    ({ name, when, table, sentence }) =>
      `CREATE TRIGGER ${name} BEFORE ${when} ON ${table} BEGIN SELECT raise(ABORT, '${sentence}'); END`,
  ),
  postgresStatements: [
    ...kept.map(
      ({ name, when, table, sentence }) =>
        `CREATE TRIGGER ${name} BEFORE ${when} ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse_change('${sentence}')`,
    ),
    ...['journal', 'journal_entry'].map(
      (table) =>
        `CREATE TRIGGER ${table}_is_not_emptied BEFORE TRUNCATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a journal is never deleted')`,
    ),
  ],
}
