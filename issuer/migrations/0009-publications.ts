/** Assortments, versions that take effect at a date, when each version was sold, and what news terminals asked for. */
import type { Migration } from './migration.ts'

export const publications: Migration = {
  version: 9,
  name: 'publications',
  statements: [
    // offered 0: withdrawn, or not yet sold for the first time.
    'ALTER TABLE article ADD COLUMN offered {int} NOT NULL DEFAULT 1',
    // Versions that take the place of the article's at their time.
    `CREATE TABLE coming_article (
      item_id TEXT NOT NULL REFERENCES article (item_id),
      version {int} NOT NULL CHECK (version > 0),
      json TEXT NOT NULL,
      from_time {int} NOT NULL,
      PRIMARY KEY (item_id, version)
    ) {strict}`,
    // Between which times a signed bulletin let terminals sell a version. A version without a row was sold at any time.
    `CREATE TABLE version_sold (
      item_id TEXT NOT NULL,
      version {int} NOT NULL,
      sold_from {int} NOT NULL,
      sold_until {int} NOT NULL,
      PRIMARY KEY (item_id, version)
    ) {strict}`,
    // What was published before is not known by its dates any more.
    `INSERT INTO version_sold (item_id, version, sold_from, sold_until)
      SELECT DISTINCT item_id, version, 0, 253402300799 FROM item_version`,
    `CREATE TABLE assortment (
      name TEXT PRIMARY KEY,
      changed_at {int} NOT NULL
    ) {strict}`,
    `CREATE TABLE assortment_item (
      name TEXT NOT NULL REFERENCES assortment (name),
      item_id TEXT NOT NULL REFERENCES article (item_id),
      PRIMARY KEY (name, item_id)
    ) {strict}`,
    'CREATE INDEX assortment_item_by_item ON assortment_item (item_id)',
    // name: as a person wishes it; published_name: as keyrings say it, since a bulletin has it. NULL, or no row: everything.
    `CREATE TABLE terminal_assortment (
      terminal_no {int} PRIMARY KEY REFERENCES terminal (terminal_no),
      name TEXT REFERENCES assortment (name),
      published_name TEXT REFERENCES assortment (name)
    ) {strict}`,
    'CREATE INDEX terminal_assortment_by_name ON terminal_assortment (name)',
    // What was last handed out to whoever asked in a terminal's name: a hint for people, proved by nothing.
    `CREATE TABLE terminal_news (
      terminal_no {int} PRIMARY KEY REFERENCES terminal (terminal_no),
      bulletin_serial {int} NOT NULL,
      keyring_serial {int} NOT NULL,
      asked_at {int} NOT NULL
    ) {strict}`,
  ],
}
