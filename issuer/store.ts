/**
 * The issuer's store, opened by its address and brought up to date by numbered migrations: a file of SQLite ("sqlite:PATH"), or a
 * database of PostgreSQL ("postgres://..."). Everything above it speaks Kysely and the part of SQL that both share.
 */
import { existsSync } from 'node:fs'
import type { Kysely } from 'kysely'
import { IssuerError } from './errors.ts'
import { shownAddress } from './store-address.ts'
import { openPostgres, planPostgres } from './store-postgres.ts'
import { openSqlite, sqliteFiles } from './store-sqlite.ts'
import type { Tables } from './tables.ts'

export type { Tables } from './tables.ts'

/** Inside a transaction. */
export type StoreReader = Pick<Kysely<Tables>, 'selectFrom' | 'selectNoFrom' | 'getExecutor' | 'fn'>
/** Inside a transaction that may write. */
export type StoreWriter = Kysely<Tables>

/** What belongs to a store and is not in it. */
export interface StoreFiles {
  /** The file of its keys. */
  readonly keys: string
  /** The folder of encrypted goods. */
  readonly goods: string
}

export interface Store {
  readonly url: string
  readonly kind: 'sqlite' | 'postgres'
  readonly files: StoreFiles
  /** One transaction over a consistent picture; it sees nothing that is not committed. */
  read<Result>(work: (db: StoreReader) => Promise<Result>): Promise<Result>
  /**
   * One durable transaction: all or nothing. `work` awaits nothing but `db`, and may be done again after it was undone. Writers
   * queue up: no other one runs beside it.
   */
  write<Result>(work: (db: StoreWriter) => Promise<Result>): Promise<Result>
  /**
   * As `write`, but in PostgreSQL others of its kind run beside it (not those of `write`), so that it locks the rows that its decisions
   * rest on before it reads them, in this order: terminals, cards, accounts, each by number.
   */
  writeBeside<Result>(work: (db: StoreWriter) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

const isPostgres = (url: string): boolean => /^postgres(ql)?:\/\//.test(url) && URL.canParse(url)

/** @returns the path in "sqlite:PATH" @throws IssuerError `storeUrl` */
export const storePath = (url: string): string => {
  const path = /^sqlite:(.+)$/s.exec(url)?.[1]
  if (path === undefined)
    throw new IssuerError(
      'storeUrl',
      `"${shownAddress(url)}" is not the address of a store: write it as sqlite:PATH or postgres://USER@HOST/DATABASE.`,
    )
  return path
}

/**
 * Opens a store that exists and brings it up to date.
 * @param url "sqlite:PATH" or "postgres://..."
 * @throws IssuerError `storeUrl`, `storeMissing`, `storeForeign`, `storeNewer`
 */
export const openStore = async (url: string): Promise<Store> =>
  isPostgres(url) ? openPostgres(url) : openSqlite(url, storePath(url), { create: false })

/** A store that can be made. */
export interface StorePlan {
  readonly files: StoreFiles
  /** Makes it, empty. @throws IssuerError `storeExists` */
  create(): Promise<Store>
}

/**
 * Looks whether a store can be made at an address, and says where its keys will lie.
 * @param options.upTo for tests of migrations: leaves out those above
 * @throws IssuerError `storeUrl`, `storeExists`, `storeMissing` (the database does not answer)
 */
export const planStore = async (url: string, options: { readonly upTo?: number } = {}): Promise<StorePlan> => {
  if (isPostgres(url)) return planPostgres(url, options)
  const path = storePath(url)
  const requireNone = () => {
    if (existsSync(path))
      throw new IssuerError('storeExists', `There is a store at ${path} already: choose another path, or use that one.`)
  }
  requireNone()
  return {
    files: sqliteFiles(path),
    create: async () => {
      requireNone()
      return openSqlite(url, path, { create: true, ...options })
    },
  }
}
