/** The issuer's books: parties, archived documents, settled records, seams, accounts and transfers. */
import type { Migration } from './migration.ts'

export const books: Migration = {
  version: 1,
  name: 'books',
  statements: [
    'CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) {strict}',
    `CREATE TABLE merchant (
      merchant_no {serial},
      name TEXT NOT NULL UNIQUE,
      created_at {int} NOT NULL
    ) {strict}`,
    // epoch 0: never enrolled. key_version: of K_term.
    `CREATE TABLE terminal (
      terminal_no {serial},
      terminal_id TEXT NOT NULL UNIQUE CHECK (length(terminal_id) = 16),
      merchant_no {int} NOT NULL REFERENCES merchant (merchant_no),
      epoch {int} NOT NULL DEFAULT 0,
      key_version {int} NOT NULL DEFAULT 1,
      created_at {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX terminal_by_merchant ON terminal (merchant_no)',
    // mark: the highest counter that is known; balance_minor: the shadow balance after it.
    `CREATE TABLE card (
      card_no {serial},
      card_id TEXT NOT NULL UNIQUE CHECK (length(card_id) = 16),
      key_version {int} NOT NULL,
      status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'hotlisted')),
      mark {int} NOT NULL DEFAULT 0,
      balance_minor {int} NOT NULL DEFAULT 0,
      created_at {int} NOT NULL
    ) {strict}`,
    // float: what cards hold. payable: owed to a merchant. merchantCash: cash that he took for loads (negative: he owes it).
    // suspense: waits for a person. holes: named sums of counters that are missing.
    `CREATE TABLE account (
      account_no {serial},
      kind TEXT NOT NULL CHECK (kind IN ('float', 'payable', 'merchantCash', 'fees', 'suspense', 'holes')),
      merchant_no {int} REFERENCES merchant (merchant_no),
      balance_minor {int} NOT NULL DEFAULT 0
    ) {strict}`,
    'CREATE INDEX account_by_merchant ON account (merchant_no)',
    // Every version of an item that was ever published; currency is ISO 4217's number.
    `CREATE TABLE item_version (
      item_hash {blob} PRIMARY KEY CHECK (length(item_hash) = 16),
      item_id TEXT NOT NULL,
      version {int} NOT NULL,
      json TEXT NOT NULL,
      price_minor {int} NOT NULL,
      currency {int} NOT NULL,
      unit TEXT,
      added_at {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX item_version_by_item ON item_version (item_id)',
    // Archived as they came, with the answer that was given.
    `CREATE TABLE batch (
      batch_pk {serial},
      terminal_no {int} NOT NULL REFERENCES terminal (terminal_no),
      epoch {int} NOT NULL,
      batch_no {int} NOT NULL,
      first_entry {int} NOT NULL,
      entry_count {int} NOT NULL,
      previous_head {blob} NOT NULL,
      head {blob} NOT NULL,
      bytes {blob} NOT NULL,
      ack {blob} NOT NULL,
      received_at {int} NOT NULL,
      UNIQUE (terminal_no, epoch, batch_no)
    ) {strict}`,
    // One per counter of a card: the record that settled it, or the load that was authorised for it (settlement_mac absent).
    `CREATE TABLE settlement (
      card_no {int} NOT NULL REFERENCES card (card_no),
      counter {int} NOT NULL CHECK (counter > 0),
      record {blob} NOT NULL CHECK (length(record) = 80),
      settlement_mac {blob},
      terminal_no {int} NOT NULL REFERENCES terminal (terminal_no),
      order_type TEXT NOT NULL CHECK (order_type IN ('payment', 'load', 'reversal', 'block')),
      amount_minor {int} NOT NULL,
      balance_after_minor {int} NOT NULL,
      order_time {int} NOT NULL,
      exception TEXT,
      booked_from {int} REFERENCES account (account_no),
      booked_to {int} REFERENCES account (account_no),
      booked_minor {int} NOT NULL DEFAULT 0,
      source TEXT NOT NULL CHECK (source IN ('batch', 'witness', 'claim', 'load')),
      settled_at {int} NOT NULL,
      money_back_at {int},
      PRIMARY KEY (card_no, counter)
    ) {strict}`,
    'CREATE INDEX settlement_by_terminal ON settlement (terminal_no, order_time)',
    // Between two known counters of a card that are not neighbours, or whose balances disagree.
    `CREATE TABLE seam (
      card_no {int} NOT NULL REFERENCES card (card_no),
      after_counter {int} NOT NULL,
      before_counter {int} NOT NULL CHECK (before_counter > after_counter),
      net_minor {int} NOT NULL,
      explanation TEXT NOT NULL CHECK (explanation IN ('nothing', 'debit', 'reversal', 'unexplained', 'discrepancy')),
      booked_from {int} REFERENCES account (account_no),
      booked_to {int} REFERENCES account (account_no),
      booked_minor {int} NOT NULL DEFAULT 0,
      PRIMARY KEY (card_no, after_counter)
    ) {strict}`,
    // What terminals said about records that bear no settlement MAC, or that they owe goods for.
    `CREATE TABLE note (
      record {blob} PRIMARY KEY CHECK (length(record) = 80),
      card_no {int} NOT NULL REFERENCES card (card_no),
      counter {int} NOT NULL,
      terminal_no {int} NOT NULL REFERENCES terminal (terminal_no),
      order_type TEXT NOT NULL,
      reference {int} NOT NULL,
      amount_minor {int} NOT NULL,
      order_time {int} NOT NULL,
      in_doubt {int} NOT NULL DEFAULT 0,
      voided {int} NOT NULL DEFAULT 0,
      abandoned {int} NOT NULL DEFAULT 0,
      owed {int} NOT NULL DEFAULT 0
    ) {strict}`,
    'CREATE INDEX note_by_card ON note (card_no, counter)',
    `CREATE TABLE entry_exception (
      exception_no {serial},
      terminal_no {int} NOT NULL REFERENCES terminal (terminal_no),
      epoch {int} NOT NULL,
      batch_no {int} NOT NULL,
      entry {int} NOT NULL,
      reason TEXT NOT NULL,
      card_id TEXT,
      counter {int},
      amount_minor {int},
      order_time {int},
      noted_at {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX entry_exception_by_terminal ON entry_exception (terminal_no)',
    // state: standing (taken as done), settled (its record is here), contested (a later one stands at its counter), void.
    `CREATE TABLE load_authorisation (
      load_no {serial},
      card_no {int} NOT NULL REFERENCES card (card_no),
      counter {int} NOT NULL,
      order_bytes {blob} NOT NULL UNIQUE CHECK (length(order_bytes) = 60),
      record {blob} NOT NULL CHECK (length(record) = 80),
      terminal_no {int} NOT NULL REFERENCES terminal (terminal_no),
      amount_minor {int} NOT NULL,
      order_time {int} NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('standing', 'settled', 'contested', 'void')),
      booked_from {int} REFERENCES account (account_no),
      booked_to {int} REFERENCES account (account_no),
      booked_minor {int} NOT NULL DEFAULT 0,
      authorised_at {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX load_authorisation_by_card ON load_authorisation (card_no, counter)',
    // Archived: the same bytes get the same answer.
    `CREATE TABLE load_request (
      request_hash {blob} PRIMARY KEY,
      bytes {blob} NOT NULL,
      answer {blob} NOT NULL,
      verdict TEXT NOT NULL,
      received_at {int} NOT NULL
    ) {strict}`,
    `CREATE TABLE claim (
      claim_hash {blob} PRIMARY KEY,
      bytes {blob} NOT NULL,
      card_no {int} NOT NULL REFERENCES card (card_no),
      counter {int} NOT NULL,
      sealer_no {int} NOT NULL REFERENCES terminal (terminal_no),
      received_at {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX claim_by_card ON claim (card_no, counter)',
    // Double entry: what leaves one account arrives in the other, so every line balances by its shape.
    `CREATE TABLE transfer (
      transfer_no {serial},
      from_account {int} NOT NULL REFERENCES account (account_no),
      to_account {int} NOT NULL REFERENCES account (account_no),
      amount_minor {int} NOT NULL CHECK (amount_minor > 0),
      cause TEXT NOT NULL,
      document TEXT NOT NULL,
      card_no {int} REFERENCES card (card_no),
      counter {int},
      booked_at {int} NOT NULL,
      CHECK (from_account <> to_account)
    ) {strict}`,
    'CREATE INDEX transfer_by_card ON transfer (card_no, counter)',
    // alarm_key makes the same alarm twice one alarm.
    `CREATE TABLE alarm (
      alarm_no {serial},
      alarm_key TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL,
      card_no {int} REFERENCES card (card_no),
      counter {int},
      terminal_no {int} REFERENCES terminal (terminal_no),
      document TEXT NOT NULL,
      raised_at {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX alarm_by_card ON alarm (card_no)',
  ],
  sqliteStatements: [
    "CREATE TRIGGER transfer_is_final BEFORE UPDATE ON transfer BEGIN SELECT raise(ABORT, 'a transfer never changes'); END",
    "CREATE TRIGGER transfer_stays BEFORE DELETE ON transfer BEGIN SELECT raise(ABORT, 'a transfer is never deleted'); END",
    "CREATE TRIGGER batch_is_final BEFORE UPDATE ON batch BEGIN SELECT raise(ABORT, 'a batch never changes'); END",
    "CREATE TRIGGER batch_stays BEFORE DELETE ON batch BEGIN SELECT raise(ABORT, 'a batch is never deleted'); END",
  ],
  postgresStatements: [
    // For all triggers that refuse: the sentence is theirs.
    `CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation'; END $$`,
    "CREATE TRIGGER transfer_is_final BEFORE UPDATE ON transfer FOR EACH ROW EXECUTE FUNCTION refuse_change('a transfer never changes')",
    "CREATE TRIGGER transfer_stays BEFORE DELETE ON transfer FOR EACH ROW EXECUTE FUNCTION refuse_change('a transfer is never deleted')",
    "CREATE TRIGGER batch_is_final BEFORE UPDATE ON batch FOR EACH ROW EXECUTE FUNCTION refuse_change('a batch never changes')",
    "CREATE TRIGGER batch_stays BEFORE DELETE ON batch FOR EACH ROW EXECUTE FUNCTION refuse_change('a batch is never deleted')",
  ],
}
