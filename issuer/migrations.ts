/** All migrations of the issuer's store, in order. */
import { books } from './migrations/0001-books.ts'
import type { Migration } from './migrations/migration.ts'

export const migrations: readonly Migration[] = [books]
