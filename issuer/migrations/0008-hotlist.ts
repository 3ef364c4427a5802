/**
 * The hotlist's log (PROTOCOL.md, Hotlist), in pages as they are answered. The table `hotlist` stays the list of cards; a store
 * from before has no log yet: the first publication writes it.
 */
import type { Migration } from './migration.ts'

export const hotlist: Migration = {
  version: 8,
  name: 'hotlist',
  statements: [
    `CREATE TABLE hotlist_log (
      generation {int} PRIMARY KEY CHECK (generation > 0),
      count {int} NOT NULL CHECK (count >= 0),
      head {blob} NOT NULL CHECK (length(head) = 32),
      begun_at {int} NOT NULL
    ) {strict}`,
    `CREATE TABLE hotlist_page (
      generation {int} NOT NULL REFERENCES hotlist_log (generation),
      page_no {int} NOT NULL CHECK (page_no >= 0),
      bytes {blob} NOT NULL CHECK (length(bytes) > 0 AND length(bytes) % 25 = 0),
      PRIMARY KEY (generation, page_no)
    ) {strict}`,
  ],
  sqliteStatements: [
    `CREATE TRIGGER hotlist_log_grows BEFORE UPDATE ON hotlist_log WHEN new.count < old.count OR new.generation <> old.generation
      BEGIN SELECT raise(ABORT, 'a hotlist log only grows'); END`,
    `CREATE TRIGGER hotlist_page_grows BEFORE UPDATE ON hotlist_page
      WHEN substr(new.bytes, 1, length(old.bytes)) <> old.bytes OR new.page_no <> old.page_no OR new.generation <> old.generation
      BEGIN SELECT raise(ABORT, 'a hotlist log only grows'); END`,
  ],
  postgresStatements: [
    `CREATE FUNCTION hotlist_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'a hotlist log only grows'; END $$`,
    `CREATE TRIGGER hotlist_log_grows BEFORE UPDATE ON hotlist_log FOR EACH ROW
      WHEN (NEW.count < OLD.count OR NEW.generation <> OLD.generation) EXECUTE FUNCTION hotlist_only_grows()`,
    `CREATE TRIGGER hotlist_page_grows BEFORE UPDATE ON hotlist_page FOR EACH ROW
      WHEN (substring(NEW.bytes FROM 1 FOR length(OLD.bytes)) <> OLD.bytes OR NEW.page_no <> OLD.page_no
        OR NEW.generation <> OLD.generation) EXECUTE FUNCTION hotlist_only_grows()`,
  ],
}
