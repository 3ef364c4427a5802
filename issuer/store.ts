/**
 * The issuer's store: one file of SQLite, opened by its address ("sqlite:PATH"), brought up to date by numbered migrations.
 * Everything above it speaks Kysely and the part of SQL that SQLite and PostgreSQL share.
 */
import { existsSync } from 'node:fs'
import SqliteDatabase from 'better-sqlite3'
import { Kysely, SqliteDialect, sql } from 'kysely'
import { IssuerError, type IssuerErrorCode } from './errors.ts'
import type { Migration } from './migrations/migration.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

export type { Tables } from './tables.ts'

/** Inside a transaction. */
export type StoreReader = Pick<Kysely<Tables>, 'selectFrom' | 'selectNoFrom' | 'getExecutor' | 'fn'>
/** Inside a transaction that may write. */
export type StoreWriter = Kysely<Tables>

export interface Store {
  readonly url: string
  /** One transaction over a consistent picture; it sees nothing that is not committed. */
  read<Result>(work: (db: StoreReader) => Promise<Result>): Promise<Result>
  /** One durable transaction: all or nothing. `work` awaits nothing but `db`. Writers queue up: no other one runs beside it. */
  write<Result>(work: (db: StoreWriter) => Promise<Result>): Promise<Result>
  /**
   * As `write`, but in PostgreSQL others of its kind run beside it (not those of `write`), so that it locks the rows that its decisions
   * rest on before it reads them, in this order: terminals, cards, accounts, each by number.
   */
  writeBeside<Result>(work: (db: StoreWriter) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

const busyTimeoutMs = 10_000
const pageBytes = 16_384

/** @returns the path in "sqlite:PATH" @throws IssuerError `storeUrl` */
export const storePath = (url: string): string => {
  if (/^postgres(ql)?:/.test(url))
    throw new IssuerError('storeUrl', 'A PostgreSQL store is not built in yet: use --store sqlite:PATH.')
  const path = /^sqlite:(.+)$/s.exec(url)?.[1]
  if (path === undefined)
    throw new IssuerError('storeUrl', `"${url}" is not the address of a store: write it as sqlite:PATH.`)
  return path
}

const openDatabase = (path: string, options: { readonly: boolean; create: boolean }): SqliteDatabase.Database => {
  if (!options.create && !existsSync(path))
    throw new IssuerError('storeMissing', `There is no store at ${path}: make one with "farthing issuer init".`)
  try {
    const database = new SqliteDatabase(path, { readonly: options.readonly, timeout: busyTimeoutMs })
    if (!options.readonly) {
      database.pragma(`page_size = ${pageBytes}`)
      database.pragma('journal_mode = WAL')
      database.pragma('synchronous = FULL')
    }
    database.pragma('foreign_keys = ON')
    return database
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    if (/not a database/.test(reason))
      throw new IssuerError('storeForeign', `${path} is not a Farthing store: check the path.`, { cause })
    throw new IssuerError(
      'storeMissing',
      `The store ${path} cannot be opened (${reason}): check the path, the disk and the file's owner.`,
      { cause },
    )
  }
}

/** @returns a fault of disk or file in a sentence that says what to do; any other error as it is */
const nameFault = (error: unknown): unknown => {
  if (!(error instanceof SqliteDatabase.SqliteError)) return error
  const named = (code: IssuerErrorCode, sentence: string) => new IssuerError(code, sentence, { cause: error })
  if (error.code.startsWith('SQLITE_BUSY'))
    return named('storeBusy', 'Another program has been writing to the store for too long: try again, or stop it.')
  if (error.code.startsWith('SQLITE_FULL'))
    return named('storeFull', "The store's disk is full: make room. Nothing was booked.")
  if (error.code.startsWith('SQLITE_READONLY') || error.code.startsWith('SQLITE_IOERR'))
    return named('storeFull', `The store cannot be written (${error.message}): check its disk. Nothing was booked.`)
  if (error.code.startsWith('SQLITE_CORRUPT') || error.code.startsWith('SQLITE_NOTADB'))
    return named('storeDamaged', `The store is damaged (${error.message}): restore it from your backup.`)
  return error
}

const kyselyOver = (database: SqliteDatabase.Database): Kysely<Tables> =>
  new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })

const transaction = <Result>(
  db: Kysely<Tables>,
  begin: 'begin' | 'begin immediate',
  work: (db: StoreWriter) => Promise<Result>,
): Promise<Result> =>
  db.connection().execute(async (connection) => {
    await sql.raw(begin).execute(connection)
    try {
      const result = await work(connection)
      await sql.raw('commit').execute(connection)
      return result
    } catch (error) {
      // A full disk has undone the transaction already, and then there is nothing to roll back.
      await sql
        .raw('rollback')
        .execute(connection)
        .catch(() => undefined)
      throw nameFault(error)
    }
  })

const inSqlite = (statement: string): string =>
  statement
    .replaceAll('{serial}', 'INTEGER PRIMARY KEY AUTOINCREMENT')
    .replaceAll('{int}', 'INTEGER')
    .replaceAll('{blob}', 'BLOB')
    .replaceAll('{strict}', 'STRICT')

const applyMigration = async (db: StoreWriter, migration: Migration): Promise<void> => {
  for (const statement of [...migration.statements, ...(migration.sqliteStatements ?? [])])
    await sql.raw(inSqlite(statement)).execute(db)
  await sql`INSERT INTO migration (version, name) VALUES (${migration.version}, ${migration.name})`.execute(db)
}

/** Applies what is missing, each migration in the one transaction. @throws IssuerError `storeNewer` */
const migrate = async (db: Kysely<Tables>, path: string): Promise<void> =>
  transaction(db, 'begin immediate', async (connection) => {
    await sql
      .raw(inSqlite('CREATE TABLE IF NOT EXISTS migration (version {int} PRIMARY KEY, name TEXT NOT NULL) {strict}'))
      .execute(connection)
    const { rows } = await sql<{ version: number | null }>`SELECT max(version) AS version FROM migration`.execute(
      connection,
    )
    const version = rows[0]?.version ?? 0
    const newest = migrations.at(-1)?.version ?? 0
    if (version > newest)
      throw new IssuerError(
        'storeNewer',
        `The store ${path} was written by a newer Farthing (store version ${version}, this program knows ${newest}): run the newer program.`,
      )
    for (const migration of migrations) if (migration.version > version) await applyMigration(connection, migration)
  })

const requireFarthingStore = (database: SqliteDatabase.Database, path: string): void => {
  let tables: unknown[]
  try {
    tables = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'migration'").all()
  } catch (cause) {
    throw new IssuerError('storeForeign', `${path} is not a Farthing store: check the path.`, { cause })
  }
  if (tables.length === 0)
    throw new IssuerError('storeForeign', `${path} is not a Farthing store: check the path, or run "issuer init".`)
}

const open = async (url: string, create: boolean): Promise<Store> => {
  const path = storePath(url)
  if (!create) {
    const probe = openDatabase(path, { readonly: true, create: false })
    try {
      requireFarthingStore(probe, path)
    } finally {
      probe.close()
    }
  }
  const writer = kyselyOver(openDatabase(path, { readonly: false, create }))
  try {
    await migrate(writer, path)
  } catch (error) {
    await writer.destroy()
    throw error
  }
  const reader = kyselyOver(openDatabase(path, { readonly: true, create: false }))
  return {
    url,
    read: (work) => transaction(reader, 'begin', work),
    write: (work) => transaction(writer, 'begin immediate', work),
    writeBeside: (work) => transaction(writer, 'begin immediate', work),
    close: async () => {
      await reader.destroy()
      await writer.destroy()
    },
  }
}

/**
 * Opens a store that exists and brings it up to date.
 * @param url "sqlite:PATH"
 * @throws IssuerError `storeUrl`, `storeMissing`, `storeForeign`, `storeNewer`
 */
export const openStore = (url: string): Promise<Store> => open(url, false)

/** @throws IssuerError `storeExists` */
export const requireNoStore = (url: string): void => {
  const path = storePath(url)
  if (existsSync(path))
    throw new IssuerError('storeExists', `There is a store at ${path} already: choose another path, or use that one.`)
}

/** Makes the empty store of `createStore` in issuer.ts. @throws IssuerError `storeExists` */
export const createEmptyStore = async (url: string): Promise<Store> => {
  requireNoStore(url)
  return open(url, true)
}
