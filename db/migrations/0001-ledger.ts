/** Version 1: the ledger, its intents, the outbox and the issuer's documents. Released: never edited. */
export const ledgerMigration = `
-- One row: who this terminal is, and what must never go back.
CREATE TABLE terminal (
  id                  INTEGER PRIMARY KEY CHECK (id = 1),
  terminal_id         TEXT    NOT NULL CHECK (length(terminal_id) = 16),
  epoch               INTEGER NOT NULL CHECK (epoch >= 1),
  next_terminal_seq   INTEGER NOT NULL CHECK (next_terminal_seq >= 1),
  signed_time_max     INTEGER NOT NULL DEFAULT 0,
  issuer_contact_time INTEGER NOT NULL DEFAULT 0,
  stopped_verdict     TEXT
) STRICT;

-- What a card was asked to do. Durable before the card can do it; decided by the card alone.
CREATE TABLE intent (
  terminal_seq    INTEGER PRIMARY KEY,
  epoch           INTEGER NOT NULL,
  type            TEXT    NOT NULL CHECK (type IN ('payment', 'load', 'reversal')),
  card_id         TEXT    NOT NULL CHECK (length(card_id) = 16),
  counter         INTEGER NOT NULL CHECK (counter >= 1),
  record          BLOB    NOT NULL CHECK (length(record) = 80),
  item_json       TEXT,
  unit            TEXT,
  reverses        INTEGER REFERENCES intent (terminal_seq),
  state           TEXT    NOT NULL CHECK (state IN ('open', 'captured', 'void', 'abandoned', 'reversed')),
  noted_in_doubt  INTEGER NOT NULL DEFAULT 0 CHECK (noted_in_doubt IN (0, 1)),
  settlement_mac  BLOB    CHECK (settlement_mac IS NULL OR length(settlement_mac) = 16),
  -- Goods of a captured payment: due until handed over; owed: a claim stands; withheld: its reversal was begun.
  goods           TEXT    NOT NULL CHECK (goods IN ('none', 'due', 'released', 'owed', 'withheld')),
  created_time    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX intent_open_per_card ON intent (card_id) WHERE state = 'open';
CREATE INDEX intent_goods_due ON intent (card_id) WHERE goods = 'due';
CREATE INDEX intent_of_card ON intent (card_id, counter);
CREATE INDEX intent_reverses ON intent (reverses) WHERE reverses IS NOT NULL;
-- A one-time code is held by one payment, never by two; a void or reversed one lets it go.
CREATE UNIQUE INDEX intent_holds_unit ON intent (unit) WHERE unit IS NOT NULL AND state NOT IN ('void', 'reversed');

-- Facts, in order, chained. Never changed.
CREATE TABLE entry (
  id            INTEGER PRIMARY KEY,
  epoch         INTEGER NOT NULL,
  entry_no      INTEGER NOT NULL CHECK (entry_no >= 1),
  card_id       TEXT    NOT NULL,
  counter       INTEGER NOT NULL,
  status        TEXT    NOT NULL,
  -- What the issuer owes this terminal's merchant for it: payments, less reversals; 0 for all else.
  value_minor   INTEGER NOT NULL,
  bytes         BLOB    NOT NULL CHECK (length(bytes) = 104),
  head          BLOB    NOT NULL CHECK (length(head) = 32),
  appended_time INTEGER NOT NULL,
  UNIQUE (epoch, entry_no)
) STRICT;
CREATE INDEX entry_of_card ON entry (card_id, counter);
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries never change'); END;
CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;

-- The outbox: batches as they were first cut, and the issuer's sealed answers.
CREATE TABLE batch (
  epoch       INTEGER NOT NULL,
  batch_no    INTEGER NOT NULL CHECK (batch_no >= 1),
  first_entry INTEGER NOT NULL,
  count       INTEGER NOT NULL,
  bytes       BLOB    NOT NULL,
  verdict     TEXT,
  ack         BLOB,
  PRIMARY KEY (epoch, batch_no)
) STRICT;
CREATE INDEX batch_unanswered ON batch (epoch, batch_no) WHERE verdict IS NULL;

-- The newest bulletin and keyring, as they came; a serial never goes back.
CREATE TABLE document (
  kind   TEXT PRIMARY KEY CHECK (kind IN ('bulletin', 'keyring')),
  serial INTEGER NOT NULL,
  bytes  BLOB NOT NULL
) STRICT;
CREATE TRIGGER document_serial_grows BEFORE UPDATE ON document WHEN NEW.serial < OLD.serial
BEGIN SELECT RAISE(ABORT, 'a document never goes back to an older serial'); END;

-- What a person should look at: rolled-back cards, forged answers.
CREATE TABLE alarm (
  id      INTEGER PRIMARY KEY,
  time    INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  card_id TEXT,
  detail  TEXT NOT NULL
) STRICT;
`
