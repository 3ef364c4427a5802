/** When a terminal last proved that it is there with nothing left to hand over: no batch is new then, and so none says it. */
import type { Migration } from './migration.ts'

export const contact: Migration = {
  version: 13,
  name: 'contact',
  statements: [
    `CREATE TABLE terminal_contact (
      terminal_no {int} PRIMARY KEY REFERENCES terminal (terminal_no),
      contact_at {int} NOT NULL
    ) {strict}`,
  ],
}
