/** The embedded store: one file of SQLite. */
import { existsSync } from 'node:fs'
import SqliteDatabase from 'better-sqlite3'
import { Kysely, SqliteDialect, sql } from 'kysely'
import { businessDays } from './business-days.ts'
import { IssuerError, type IssuerErrorCode } from './errors.ts'
import { type Dialect, migrate } from './migrate.ts'
import type { Store, StoreFiles, StoreWriter, Tables } from './store.ts'

const busyTimeoutMs = 10_000
const pageBytes = 16_384
/** The writer's: with the default, rows of a million cards are read and written page by page, over and over. */
const cacheKib = 256 * 1024

const dialect: Dialect = {
  kind: 'sqlite',
  serial: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  int: 'INTEGER',
  blob: 'BLOB',
  strict: 'STRICT',
}

/** Keys and goods of a file lie beside it. */
export const sqliteFiles = (path: string): StoreFiles => ({ keys: `${path}.keys.json`, goods: `${path}.goods` })

const openDatabase = (path: string, options: { readonly: boolean; create: boolean }): SqliteDatabase.Database => {
  if (!options.create && !existsSync(path))
    throw new IssuerError('storeMissing', `There is no store at ${path}: make one with "farthing issuer init".`)
  try {
    const database = new SqliteDatabase(path, { readonly: options.readonly, timeout: busyTimeoutMs })
    if (!options.readonly) {
      // For migrations.
      const dayInZone = (time: number, timeZone: string) => businessDays(timeZone)(time)
      database.function('day_in_zone', { deterministic: true }, dayInZone)
      database.pragma(`page_size = ${pageBytes}`)
      database.pragma('journal_mode = WAL')
      database.pragma('synchronous = FULL')
      database.pragma(`cache_size = -${cacheKib}`)
      // What undoes one statement of thousands of rows stays in memory.
      database.pragma('temp_store = MEMORY')
    }
    database.pragma('foreign_keys = ON')
    // So that a row that is replaced asks the triggers that keep it, too.
    database.pragma('recursive_triggers = ON')
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

/** Statements of each connection that are kept ready. */
const preparedMax = 200

/** As the database, but each statement is prepared once while it is in use. */
const preparing = (database: SqliteDatabase.Database) => {
  const prepared = new Map<string, SqliteDatabase.Statement<unknown[], unknown>>()
  return {
    prepare: (text: string) => {
      const statement = prepared.get(text) ?? database.prepare<unknown[], unknown>(text)
      // The least recently used is the first.
      prepared.delete(text)
      prepared.set(text, statement)
      const [first] = prepared.keys()
      if (prepared.size > preparedMax && first !== undefined) prepared.delete(first)
      return statement
    },
    close: () => database.close(),
  }
}

const kyselyOver = (database: SqliteDatabase.Database): Kysely<Tables> =>
  new Kysely<Tables>({ dialect: new SqliteDialect({ database: preparing(database) }) })

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

/**
 * @param options.upTo for tests of migrations
 * @throws IssuerError `storeMissing`, `storeForeign`, `storeNewer`
 */
export const openSqlite = async (
  url: string,
  path: string,
  options: { readonly create: boolean; readonly upTo?: number },
): Promise<Store> => {
  const { create, ...migrating } = options
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
    await transaction(writer, 'begin immediate', (db) => migrate(db, dialect, { name: path, ...migrating }))
  } catch (error) {
    await writer.destroy()
    throw error
  }
  const reader = kyselyOver(openDatabase(path, { readonly: true, create: false }))
  return {
    url,
    kind: 'sqlite',
    files: sqliteFiles(path),
    read: (work) => transaction(reader, 'begin', work),
    write: (work) => transaction(writer, 'begin immediate', work),
    writeBeside: (work) => transaction(writer, 'begin immediate', work),
    close: async () => {
      await reader.destroy()
      await writer.destroy()
    },
  }
}
