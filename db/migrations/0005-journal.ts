/** The journal of what operators did here, chained as the ledger is, and its own outbox (PROTOCOL.md, Journal). */
export const journalMigration = `
-- Facts, in order, chained. Never changed.
CREATE TABLE journal_entry (
  id            INTEGER PRIMARY KEY,
  epoch         INTEGER NOT NULL,
  entry_no      INTEGER NOT NULL CHECK (entry_no >= 1),
  time          INTEGER NOT NULL,
  act           TEXT    NOT NULL,
  -- Absent: nobody's act.
  operator_card TEXT    CHECK (operator_card IS NULL OR length(operator_card) = 16),
  bytes         BLOB    NOT NULL CHECK (length(bytes) BETWEEN 1 AND 2048),
  head          BLOB    NOT NULL CHECK (length(head) = 32),
  UNIQUE (epoch, entry_no)
) STRICT;
CREATE INDEX journal_entry_of_operator ON journal_entry (operator_card, id) WHERE operator_card IS NOT NULL;
CREATE TRIGGER journal_entry_is_never_changed BEFORE UPDATE ON journal_entry
BEGIN SELECT RAISE(ABORT, 'journal entries never change'); END;
CREATE TRIGGER journal_entry_is_never_deleted BEFORE DELETE ON journal_entry
BEGIN SELECT RAISE(ABORT, 'journal entries are never deleted'); END;

-- Documents as they were first cut, and the issuer's sealed answers.
CREATE TABLE journal (
  epoch       INTEGER NOT NULL,
  journal_no  INTEGER NOT NULL CHECK (journal_no >= 1),
  first_entry INTEGER NOT NULL,
  count       INTEGER NOT NULL,
  bytes       BLOB    NOT NULL,
  verdict     TEXT,
  answer      BLOB,
  PRIMARY KEY (epoch, journal_no)
) STRICT;
CREATE INDEX journal_unanswered ON journal (epoch, journal_no) WHERE verdict IS NULL;
CREATE INDEX journal_out_of_order ON journal (epoch, journal_no) WHERE verdict = 'outOfOrder';

-- The payment's goods are given back for its money: they are never released here again, and never owed.
ALTER TABLE intent ADD COLUMN refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded IN (0, 1));
`
