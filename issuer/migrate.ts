/** Brings a store up to date: numbered migrations, what is missing in one transaction. */
import { sql } from 'kysely'
import { IssuerError } from './errors.ts'
import type { Migration } from './migrations/migration.ts'
import { migrations } from './migrations.ts'
import type { StoreWriter } from './store.ts'

/** The words of a migration in one database's language. */
export interface Dialect {
  readonly kind: 'sqlite' | 'postgres'
  readonly serial: string
  readonly int: string
  readonly blob: string
  readonly strict: string
}

const translated = (dialect: Dialect, statement: string): string =>
  statement.replaceAll(
    /\{(serial|int|blob|strict)\}/g,
    (_, word: 'serial' | 'int' | 'blob' | 'strict') => dialect[word],
  )

const applyMigration = async (db: StoreWriter, dialect: Dialect, migration: Migration): Promise<void> => {
  const own = dialect.kind === 'sqlite' ? migration.sqliteStatements : migration.postgresStatements
  for (const statement of [...migration.statements, ...(own ?? [])])
    await sql.raw(translated(dialect, statement)).execute(db)
  await sql`INSERT INTO migration (version, name) VALUES (${migration.version}, ${migration.name})`.execute(db)
}

/** @returns 0: nothing was ever applied, though the table may be missing altogether */
const appliedVersion = async (db: StoreWriter): Promise<number> => {
  const { rows } = await sql<{ version: number | null }>`SELECT max(version) AS version FROM migration`.execute(db)
  return rows[0]?.version ?? 0
}

/**
 * Applies what is missing, inside a transaction that no other program's migration runs beside.
 * @param upTo for tests of migrations: leaves out those above @throws IssuerError `storeNewer`
 */
export const migrate = async (
  db: StoreWriter,
  dialect: Dialect,
  store: { readonly name: string; readonly upTo?: number },
): Promise<void> => {
  await sql
    .raw(
      translated(
        dialect,
        'CREATE TABLE IF NOT EXISTS migration (version {int} PRIMARY KEY, name TEXT NOT NULL) {strict}',
      ),
    )
    .execute(db)
  const version = await appliedVersion(db)
  const newest = migrations.at(-1)?.version ?? 0
  if (version > newest)
    throw new IssuerError(
      'storeNewer',
      `The store ${store.name} was written by a newer Farthing (store version ${version}, this program knows ${newest}): run the newer program.`,
    )
  for (const migration of migrations)
    if (migration.version > version && migration.version <= (store.upTo ?? newest))
      await applyMigration(db, dialect, migration)
}
