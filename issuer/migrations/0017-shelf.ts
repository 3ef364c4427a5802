/** How articles are shown (categories, pictures, previews, age and time limits), and how merchants want to be recognised. */
import type { Migration } from './migration.ts'

export const shelf: Migration = {
  version: 17,
  name: 'shelf',
  statements: [
    `CREATE TABLE category (
      category_id TEXT PRIMARY KEY,
      position {int} NOT NULL,
      title TEXT NOT NULL,
      changed_at {int} NOT NULL
    ) {strict}`,
    // json: as the bulletin has it. preview_of: the content from which the preview was made; NULL: a person gave it, or there is none.
    `CREATE TABLE item_display (
      item_id TEXT PRIMARY KEY REFERENCES article (item_id),
      category_id TEXT REFERENCES category (category_id),
      json TEXT NOT NULL,
      preview_of TEXT,
      changed_at {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX item_display_by_category ON item_display (category_id)',
    `CREATE TABLE merchant_brand (
      merchant_no {int} PRIMARY KEY REFERENCES merchant (merchant_no),
      json TEXT NOT NULL,
      changed_at {int} NOT NULL
    ) {strict}`,
  ],
}
