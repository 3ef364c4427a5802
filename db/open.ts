/**
 * Opens the terminal's SQLite file: pragmas, migrations, one writer, and the checks before the first sale.
 * Readable and writable handles are different types, so that nothing that only looks can write.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { ledgerMigration } from './migrations/0001-ledger.ts'
import { outboxIndexMigration } from './migrations/0002-outbox-index.ts'
import { hotlistMigration } from './migrations/0003-hotlist.ts'
import { receiptNumbersMigration } from './migrations/0004-receipt-numbers.ts'
import { journalMigration } from './migrations/0005-journal.ts'

/** In order; position + 1 is the version. A released one is never edited. */
const migrations: readonly string[] = [
  ledgerMigration,
  outboxIndexMigration,
  hotlistMigration,
  receiptNumbersMigration,
  journalMigration,
]
export const schemaVersion = migrations.length

export type LedgerFaultCode =
  | 'missing'
  | 'locked'
  | 'newer'
  | 'damaged'
  /** The disk is full, read-only or failing. */
  | 'storage'

/** The ledger cannot be used; the message says what to do. Nothing was changed. */
export class LedgerFault extends Error {
  readonly code: LedgerFaultCode
  constructor(code: LedgerFaultCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LedgerFault'
    this.code = code
  }
}

/** Turns what SQLite throws into a LedgerFault with a sentence for a technician; anything else passes. */
export const asLedgerFault = (error: unknown): unknown => {
  if (!(error instanceof Database.SqliteError)) return error
  const { code } = error
  if (code === 'SQLITE_FULL')
    return new LedgerFault('storage', 'The disk is full: free some space, then start the terminal again.', {
      cause: error,
    })
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
    return new LedgerFault(
      'damaged',
      'The ledger file is damaged. Keep it as it is (the issuer may recover sales from it), move the data folder away, and enrol the terminal again.',
      { cause: error },
    )
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_CANTOPEN'))
    return new LedgerFault(
      'storage',
      `The ledger cannot be written (${code}): check the disk, its free space and the folder's permissions.`,
      { cause: error },
    )
  return error
}

declare const readable: unique symbol
declare const writable: unique symbol
export type ReadableDatabase = Database.Database & { readonly [readable]: true }
export type WritableDatabase = ReadableDatabase & { readonly [writable]: true }

export const ledgerPath = (dataDir: string): string => path.join(dataDir, 'ledger.sqlite')

/**
 * WAL with synchronous=FULL: a commit is on the disk when it returns. (WAL's usual NORMAL is not durable.)
 * No cell is cached beyond 8 MB, so that memory stays flat over a month's entries.
 */
const configure = (database: Database.Database): void => {
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.pragma('foreign_keys = ON')
  database.pragma('trusted_schema = OFF')
  database.pragma('busy_timeout = 5000')
  database.pragma('cache_size = -8192')
}

const versionOf = (database: Database.Database): number => Number(database.pragma('user_version', { simple: true }))

const requireKnownVersion = (version: number): void => {
  if (version > schemaVersion)
    throw new LedgerFault(
      'newer',
      `The ledger was written by a newer Farthing (schema ${version}, this one knows ${schemaVersion}): install that version or later.`,
    )
}

const migrate = (database: Database.Database): void => {
  requireKnownVersion(versionOf(database))
  for (let version = versionOf(database); version < schemaVersion; version += 1)
    database.transaction(() => {
      database.exec(migrations[version] ?? '')
      database.pragma(`user_version = ${version + 1}`)
    })()
}

const requireSound = (database: Database.Database): void => {
  const verdict = database.pragma('quick_check(1)', { simple: true })
  if (verdict !== 'ok')
    throw new LedgerFault(
      'damaged',
      `The ledger file is damaged (${String(verdict)}). Keep it as it is, move the data folder away, and enrol the terminal again.`,
    )
}

/** Opens the one writer. The operating system releases its lock when the process ends, however it ends. */
export const openWritable = (
  dataDir: string,
  options: { readonly create?: boolean } = {},
): { readonly database: WritableDatabase; readonly close: () => void } => {
  let lock: Database.Database | undefined
  let database: Database.Database | undefined
  try {
    lock = lockDataDir(dataDir)
    database = new Database(ledgerPath(dataDir), { fileMustExist: options.create !== true })
    configure(database)
    requireSound(database)
    migrate(database)
    const opened = database as WritableDatabase
    const held = lock
    return {
      database: opened,
      close: () => {
        opened.close()
        held.close()
      },
    }
  } catch (error) {
    database?.close()
    lock?.close()
    throw asLedgerFault(error)
  }
}

/** Opens beside the writer, to look. */
export const openReadable = (dataDir: string): { readonly database: ReadableDatabase; readonly close: () => void } => {
  try {
    if (!existsSync(ledgerPath(dataDir)))
      throw new LedgerFault('missing', `There is no ledger in ${dataDir}: enrol this terminal first.`)
    const database = new Database(ledgerPath(dataDir), { readonly: true, fileMustExist: true })
    requireKnownVersion(versionOf(database))
    return { database: database as unknown as ReadableDatabase, close: () => database.close() }
  } catch (error) {
    throw asLedgerFault(error)
  }
}

/** An exclusive SQLite lock on a file of its own, so that readers of the ledger are not shut out. */
const lockDataDir = (dataDir: string): Database.Database => {
  const lock = new Database(path.join(dataDir, 'ledger.lock'), { timeout: 0 })
  try {
    lock.pragma('journal_mode = DELETE')
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY'))
      throw new LedgerFault(
        'locked',
        'Another Farthing process is running on this data folder: stop it first, or give this one a folder of its own.',
      )
    throw error
  }
}
