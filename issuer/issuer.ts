/** The issuer as its parts see it, and how one is made and opened. */
import { rmSync } from 'node:fs'
import { currencyOf } from '../protocol/currency.ts'
import type { CurrencyCode, UnixTime } from '../protocol/quantities.ts'
import { type BatchIntake, newBatchIntake } from './batch-intake.ts'
import { bookAccounts } from './books-tables.ts'
import { IssuerError } from './errors.ts'
import { createKeys, type IssuerKeys, type Masters, openKeys } from './issuer-keys.ts'
import { fillMarks } from './marks.ts'
import type { SettlementProofs } from './settlement-proof.ts'
import { openStore, planStore, type Store } from './store.ts'
import { shownAddress } from './store-address.ts'

export interface Issuer {
  readonly store: Store
  readonly keys: IssuerKeys
  readonly proofs: SettlementProofs
  /** Batches that were opened and wait to be taken in. */
  readonly intake: BatchIntake
  readonly book: Book
  readonly clock: () => UnixTime
  readonly randomBytes: (count: number) => Uint8Array
}

/** What never changes about a store. */
export interface Book {
  /** ISO 4217 letters, such as "EUR". */
  readonly currency: string
  readonly currencyCode: CurrencyCode
  /** IANA name: business days are this zone's. */
  readonly timeZone: string
}

export interface World {
  readonly clock: () => UnixTime
  readonly randomBytes: (count: number) => Uint8Array
}

const bookOf = (settings: { readonly currency: string; readonly timeZone: string }): Book => ({
  ...settings,
  currencyCode: currencyOf(settings.currency).code,
})

const requireTimeZone = (timeZone: string): void => {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
  } catch (cause) {
    throw new IssuerError('input', `"${timeZone}" is not a time zone such as Europe/Vienna.`, { cause })
  }
}

/**
 * `issuer init`: makes the store, its keys and the accounts of an empty book.
 * @param options.masters given: development keys, loudly unsafe
 * @throws IssuerError `storeExists`, `storeUrl`, `input`; ProtocolError for a currency that is not in the table
 */
export const createStore = async (
  options: {
    readonly url: string
    readonly currency: string
    readonly masters?: Masters
    readonly timeZone?: string
  } & World,
): Promise<Issuer> => {
  const { clock, randomBytes } = options
  const book = bookOf({ currency: options.currency, timeZone: options.timeZone ?? 'UTC' })
  requireTimeZone(book.timeZone)
  const plan = await planStore(options.url)
  const keys = createKeys({
    path: plan.files.keys,
    randomBytes,
    ...(options.masters === undefined ? {} : { masters: options.masters }),
  })
  try {
    const store = await plan.create()
    await store.write(async (db) => {
      await db
        .insertInto('setting')
        .values([
          { key: 'currency', value: book.currency },
          { key: 'timeZone', value: book.timeZone },
        ])
        .execute()
      await db
        .insertInto('account')
        .values(bookAccounts.map((kind) => ({ kind, merchant_no: null })))
        .execute()
    })
    return { store, keys, proofs: keys.proofs, intake: newBatchIntake(), book, clock, randomBytes }
  } catch (error) {
    // No card was made with these keys: nothing else may depend on them.
    rmSync(plan.files.keys)
    throw error
  }
}

/** Opens a store with its keys. @throws IssuerError */
export const openIssuer = async (options: { readonly url: string } & World): Promise<Issuer> => {
  const store = await openStore(options.url)
  try {
    const keys = openKeys(store.files.keys)
    await fillMarks(store)
    const rows = await store.read((db) => db.selectFrom('setting').selectAll().execute())
    const settings = new Map(rows.map(({ key, value }) => [key, value]))
    const currency = settings.get('currency')
    if (currency === undefined)
      throw new IssuerError(
        'storeForeign',
        `The store ${shownAddress(options.url)} was never finished: make it anew with "issuer init".`,
      )
    const book = bookOf({ currency, timeZone: settings.get('timeZone') ?? 'UTC' })
    const { clock, randomBytes } = options
    return { store, keys, proofs: keys.proofs, intake: newBatchIntake(), book, clock, randomBytes }
  } catch (error) {
    await store.close()
    throw error
  }
}
