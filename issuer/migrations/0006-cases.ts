/**
 * Discrepancies as work: what is written beside the books at ingest so that they are found without reading all rows, and the
 * files, notes and decisions of the people who work on them.
 */
import type { Migration } from './migration.ts'

export const cases: Migration = {
  version: 6,
  name: 'cases',
  statements: [
    // Of each archived batch, without its bytes: where it stands, and the first and last order of its own terminal.
    `CREATE TABLE batch_span (
      terminal_no {int} NOT NULL REFERENCES terminal (terminal_no),
      epoch {int} NOT NULL,
      batch_no {int} NOT NULL,
      first_entry {int} NOT NULL,
      entry_count {int} NOT NULL,
      received_at {int} NOT NULL,
      oldest_order {int},
      newest_order {int},
      PRIMARY KEY (terminal_no, epoch, batch_no)
    ) {strict}`,
    // Counters that came after a document had shown a later one of their card.
    `CREATE TABLE late_counter (
      card_no {int} NOT NULL REFERENCES card (card_no),
      counter {int} NOT NULL,
      order_time {int} NOT NULL,
      PRIMARY KEY (card_no, counter)
    ) {strict}`,
    'CREATE INDEX late_counter_by_time ON late_counter (order_time)',
    // Settled by a witness or a claim, until the terminal that made it tells of it too.
    `CREATE TABLE courier_only (
      card_no {int} NOT NULL REFERENCES card (card_no),
      counter {int} NOT NULL,
      PRIMARY KEY (card_no, counter)
    ) {strict}`,
    // Sales of one-time codes and tickets.
    `CREATE TABLE unit_sale (
      card_no {int} NOT NULL REFERENCES card (card_no),
      counter {int} NOT NULL,
      unit TEXT NOT NULL,
      PRIMARY KEY (card_no, counter)
    ) {strict}`,
    'CREATE INDEX unit_sale_by_unit ON unit_sale (unit)',
    'CREATE INDEX settlement_exception ON settlement (card_no, counter) WHERE exception IS NOT NULL',
    'CREATE INDEX settlement_unproven ON settlement (card_no, counter) WHERE settlement_mac IS NULL',
    "CREATE INDEX settlement_reversal ON settlement (card_no, counter) WHERE order_type = 'reversal'",
    "CREATE INDEX load_authorisation_open ON load_authorisation (load_no) WHERE state <> 'settled'",
    // For what is there already: too many of courier_only, which the store's next opening thins out by the archived bytes.
    `INSERT INTO late_counter (card_no, counter, order_time)
      SELECT seen.card_no, seen.counter, settlement.order_time
      FROM (
        SELECT card_no, counter, first_no, min(first_no) OVER (
          PARTITION BY card_no ORDER BY counter DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS later_no
        FROM (
          SELECT card_no, counter, min(transfer_no) AS first_no FROM transfer
          WHERE cause IN ('payment', 'reversal', 'load') AND card_no IS NOT NULL AND counter IS NOT NULL
          GROUP BY card_no, counter
        ) AS arrival
      ) AS seen
      JOIN settlement ON settlement.card_no = seen.card_no AND settlement.counter = seen.counter
      WHERE seen.later_no < seen.first_no`,
    "INSERT INTO courier_only (card_no, counter) SELECT card_no, counter FROM settlement WHERE source IN ('witness', 'claim')",
    `INSERT INTO unit_sale (card_no, counter, unit)
      SELECT settlement.card_no, settlement.counter, item_version.unit
      FROM item_version JOIN settlement ON item_version.item_hash = substr(settlement.record, 49, 16)
      WHERE item_version.unit IS NOT NULL AND settlement.order_type = 'payment'`,
    // The same alarm again is the same alarm, with what it was raised by the last time.
    'ALTER TABLE alarm ADD COLUMN times {int} NOT NULL DEFAULT 1',
    'ALTER TABLE alarm ADD COLUMN last_document TEXT',
    // A retired terminal is not missed; what it sends is taken.
    'ALTER TABLE terminal ADD COLUMN retired_at {int}',
    // case_key: cause, card, counter, terminal, so that the same case is found again. evidence: what is known of it, to see that more came.
    `CREATE TABLE case_file (
      case_no {serial},
      case_key TEXT NOT NULL UNIQUE,
      cause TEXT NOT NULL,
      reason TEXT,
      state TEXT NOT NULL CHECK (state IN ('open', 'waiting', 'proposed', 'closed')),
      owner TEXT,
      due_at {int} NOT NULL,
      amount_minor {int} NOT NULL,
      suspense_minor {int} NOT NULL,
      holes_minor {int} NOT NULL,
      at_risk_minor {int} NOT NULL,
      card_id TEXT,
      counter {int},
      last_counter {int},
      terminal_id TEXT,
      merchant TEXT,
      day TEXT NOT NULL,
      json TEXT NOT NULL,
      evidence TEXT NOT NULL,
      opened_at {int} NOT NULL,
      opened_document TEXT,
      closed_at {int},
      closed_document TEXT,
      closed_by TEXT,
      CHECK ((state = 'closed') = (closed_at IS NOT NULL))
    ) {strict}`,
    'CREATE INDEX case_file_by_state ON case_file (state, due_at)',
    'CREATE INDEX case_file_by_card ON case_file (card_id)',
    'CREATE INDEX case_file_by_terminal ON case_file (terminal_id)',
    'CREATE INDEX case_file_by_day ON case_file (day)',
    `CREATE TABLE case_note (
      note_no {serial},
      case_no {int} NOT NULL REFERENCES case_file (case_no),
      author TEXT NOT NULL,
      text TEXT NOT NULL,
      at {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX case_note_by_case ON case_note (case_no)',
    `CREATE TABLE case_event (
      event_no {serial},
      case_no {int} NOT NULL REFERENCES case_file (case_no),
      kind TEXT NOT NULL,
      who TEXT,
      document TEXT,
      detail TEXT,
      at {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX case_event_by_case ON case_event (case_no)',
    // state: proposed (waits for another person), booked, refused, takenBack. What it took out of the two accounts, and where that went.
    `CREATE TABLE case_decision (
      decision_no {serial},
      case_no {int} NOT NULL REFERENCES case_file (case_no),
      kind TEXT NOT NULL CHECK (kind IN ('payMerchant', 'chargeMerchant', 'creditCard', 'writeOff')),
      state TEXT NOT NULL CHECK (state IN ('proposed', 'booked', 'refused', 'takenBack')),
      suspense_minor {int} NOT NULL,
      holes_minor {int} NOT NULL,
      merchant_no {int} REFERENCES merchant (merchant_no),
      card_no {int} REFERENCES card (card_no),
      funding_no {int} REFERENCES funding (funding_no),
      reason TEXT NOT NULL,
      proposed_by TEXT NOT NULL,
      proposed_at {int} NOT NULL,
      approved_by TEXT,
      decided_at {int},
      taken_back_at {int},
      CHECK (suspense_minor <> 0 OR holes_minor <> 0)
    ) {strict}`,
    "CREATE UNIQUE INDEX case_decision_standing ON case_decision (case_no) WHERE state IN ('proposed', 'booked')",
  ],
  sqliteStatements: [
    "CREATE TRIGGER case_note_is_final BEFORE UPDATE ON case_note BEGIN SELECT raise(ABORT, 'a note never changes'); END",
    "CREATE TRIGGER case_note_stays BEFORE DELETE ON case_note BEGIN SELECT raise(ABORT, 'a note is never deleted'); END",
    "CREATE TRIGGER case_event_is_final BEFORE UPDATE ON case_event BEGIN SELECT raise(ABORT, 'an event never changes'); END",
    "CREATE TRIGGER case_event_stays BEFORE DELETE ON case_event BEGIN SELECT raise(ABORT, 'an event is never deleted'); END",
  ],
  postgresStatements: [
    "CREATE TRIGGER case_note_is_final BEFORE UPDATE OR DELETE ON case_note FOR EACH ROW EXECUTE FUNCTION refuse_change('a note is final')",
    "CREATE TRIGGER case_event_is_final BEFORE UPDATE OR DELETE ON case_event FOR EACH ROW EXECUTE FUNCTION refuse_change('an event is final')",
  ],
}
