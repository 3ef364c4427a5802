/** Terminals have names, which people know them by: where they stand, such as "Pier 3". */
import type { Migration } from './migration.ts'

export const terminalNames: Migration = {
  version: 14,
  name: 'terminal-names',
  statements: ['ALTER TABLE terminal ADD COLUMN name TEXT CHECK (name IS NULL OR length(name) BETWEEN 1 AND 60)'],
}
