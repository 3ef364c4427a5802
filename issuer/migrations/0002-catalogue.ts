/** The catalogue, its goods and codes, what was published, enrolment, the hotlist, and the tickets to collected goods. */
import type { Migration } from './migration.ts'

export const catalogue: Migration = {
  version: 2,
  name: 'catalogue',
  statements: [
    // The newest version of each article; item_version keeps all that were ever sold.
    `CREATE TABLE article (
      item_id TEXT PRIMARY KEY,
      version {int} NOT NULL CHECK (version > 0),
      json TEXT NOT NULL,
      changed_at {int} NOT NULL
    ) {strict}`,
    // Its key is derived from the secret in the keys file: the store alone opens nothing.
    `CREATE TABLE content (
      content_hash TEXT PRIMARY KEY CHECK (length(content_hash) = 64),
      bytes {int} NOT NULL,
      added_at {int} NOT NULL
    ) {strict}`,
    // One-time codes and tickets. terminal_no: who alone may sell it, for good. retired: sold by that terminal in an earlier epoch.
    `CREATE TABLE unit (
      unit_no {serial},
      unit TEXT NOT NULL UNIQUE CHECK (length(unit) = 64),
      item_id TEXT NOT NULL REFERENCES article (item_id),
      sealed_code {blob} NOT NULL,
      terminal_no {int} REFERENCES terminal (terminal_no),
      retired {int} NOT NULL DEFAULT 0,
      added_at {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX unit_by_item ON unit (item_id)',
    'CREATE INDEX unit_by_terminal ON unit (terminal_no)',
    'CREATE INDEX item_version_by_unit ON item_version (unit)',
    `CREATE TABLE hotlist (
      card_id TEXT PRIMARY KEY CHECK (length(card_id) = 16),
      listed_at {int} NOT NULL
    ) {strict}`,
    // Archived as signed; serial only grows.
    `CREATE TABLE bulletin (
      serial {int} PRIMARY KEY CHECK (serial > 0),
      bytes {blob} NOT NULL,
      issued_at {int} NOT NULL,
      expires_at {int} NOT NULL
    ) {strict}`,
    // The newest of each terminal; digest: of what is in it, so that it changes only with its content.
    `CREATE TABLE keyring (
      terminal_no {int} PRIMARY KEY REFERENCES terminal (terminal_no),
      serial {int} NOT NULL CHECK (serial > 0),
      digest TEXT NOT NULL,
      bytes {blob} NOT NULL,
      made_at {int} NOT NULL
    ) {strict}`,
    // One at most per terminal, by its hash alone.
    `CREATE TABLE enrolment_code (
      terminal_no {int} PRIMARY KEY REFERENCES terminal (terminal_no),
      code_hash TEXT NOT NULL UNIQUE,
      expires_at {int} NOT NULL
    ) {strict}`,
    // Lets one phone fetch one content for some minutes; by its hash alone.
    `CREATE TABLE content_ticket (
      ticket_hash TEXT PRIMARY KEY,
      content_hash TEXT NOT NULL REFERENCES content (content_hash),
      media_type TEXT NOT NULL,
      file_name TEXT NOT NULL,
      expires_at {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX content_ticket_by_expiry ON content_ticket (expires_at)',
  ],
  sqliteStatements: [
    "CREATE TRIGGER bulletin_is_final BEFORE UPDATE ON bulletin BEGIN SELECT raise(ABORT, 'a bulletin never changes'); END",
    "CREATE TRIGGER bulletin_stays BEFORE DELETE ON bulletin BEGIN SELECT raise(ABORT, 'a bulletin is never deleted'); END",
    `CREATE TRIGGER unit_stays_assigned BEFORE UPDATE OF terminal_no ON unit WHEN old.terminal_no IS NOT NULL
      AND new.terminal_no IS NOT old.terminal_no BEGIN SELECT raise(ABORT, 'an assigned unit stays where it is'); END`,
  ],
  postgresStatements: [
    "CREATE TRIGGER bulletin_is_final BEFORE UPDATE ON bulletin FOR EACH ROW EXECUTE FUNCTION refuse_change('a bulletin never changes')",
    "CREATE TRIGGER bulletin_stays BEFORE DELETE ON bulletin FOR EACH ROW EXECUTE FUNCTION refuse_change('a bulletin is never deleted')",
    `CREATE TRIGGER unit_stays_assigned BEFORE UPDATE OF terminal_no ON unit FOR EACH ROW
      WHEN (old.terminal_no IS NOT NULL AND new.terminal_no IS DISTINCT FROM old.terminal_no)
      EXECUTE FUNCTION refuse_change('an assigned unit stays where it is')`,
  ],
}
