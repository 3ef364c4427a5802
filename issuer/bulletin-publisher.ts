/**
 * Publishes the bulletin: prices, hotlist, limits, key versions, signed, archived, under a serial that only grows
 * (PROTOCOL.md, Bulletin). The catalogue that it carries changes by `publish` alone; the rest follows by itself.
 */
import * as v from 'valibot'
import { type Bulletin, encodeBulletin, type Limits, limitsSchema, openStoredBulletin } from '../protocol/bulletin.ts'
import { currencyOf } from '../protocol/currency.ts'
import type { Item } from '../protocol/item.ts'
import { assignUnits, itemFromStore } from './catalogue.ts'
import { IssuerError } from './errors.ts'
import { hotlistToSign } from './hotlist-log.ts'
import type { Issuer } from './issuer.ts'
import type { StoreReader, StoreWriter } from './store.ts'

const daySeconds = 86_400
/** What a new bulletin says unless told otherwise. */
export const bulletinSeconds = 60 * daySeconds
const claimSecondsDefault = 180 * daySeconds
/** One that is older is signed anew when a terminal asks for it: who is online is never stale. */
const renewAfterSeconds = daySeconds
const defaultPublicUrl = 'http://127.0.0.1:8080'

/**
 * In whole units of the currency. A kiosk that was offline for a month still sells; one that stays away longer, or takes
 * more than any kiosk does, stops by itself. An operator sets tighter ones where a card could be cloned.
 */
export const defaultLimits = (currency: string): Limits => {
  const unit = 10 ** currencyOf(currency).decimals
  return {
    saleMinorMax: 10_000 * unit,
    cardUnsyncedMinorMax: 10_000 * unit,
    unsyncedCountMax: 200_000,
    unsyncedMinorMax: 1_000_000 * unit,
    unsyncedSecondsMax: 45 * daySeconds,
    staleAfterSeconds: 14 * daySeconds,
    staleSaleMinorMax: 50 * unit,
  }
}

export interface Published {
  readonly serial: number
  readonly bulletin: Bulletin
  readonly bytes: Uint8Array
}

export interface PublishOptions {
  readonly limits?: Partial<Limits>
  readonly validSeconds?: number
  readonly claimSeconds?: number
}

const setting = async (db: StoreReader, key: string): Promise<string | undefined> =>
  (await db.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirst())?.value

const setSetting = async (db: StoreWriter, key: string, value: string): Promise<void> => {
  await db
    .insertInto('setting')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute()
}

/** Where customers reach the issuer, without a slash at its end. */
export const publicUrlOf = (issuer: Pick<Issuer, 'store'>): Promise<string> =>
  issuer.store.read(async (db) => (await setting(db, 'publicUrl')) ?? defaultPublicUrl)

const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString()

/** As signed; undefined: none was published yet. */
export const newestBulletin = async (issuer: Issuer, db: StoreReader): Promise<Published | undefined> => {
  const row = await db.selectFrom('bulletin').selectAll().orderBy('serial', 'desc').executeTakeFirst()
  if (row === undefined) return undefined
  const bytes = Uint8Array.from(row.bytes)
  return { serial: row.serial, bytes, bulletin: openStoredBulletin(bytes, issuer.keys.signing.publicKey) }
}

const articlesIn = async (db: StoreReader): Promise<Item[]> =>
  (await db.selectFrom('article').select('json').orderBy('item_id').execute()).map(({ json }) => itemFromStore(json))

/** Signs and archives what the store says now, with these items and terms, as the successor of `before`. */
const sign = async (
  issuer: Issuer,
  db: StoreWriter,
  content: Pick<Bulletin, 'items' | 'limits' | 'claimSeconds'> & {
    before: Published | undefined
    validSeconds: number
  },
): Promise<Published> => {
  const { before, validSeconds, ...rest } = content
  // Terminals never go back behind the highest time that they saw signed, whatever this machine's clock says.
  const issuedAt = Math.max(issuer.clock(), before === undefined ? 0 : issuedSecondsOf(before.bulletin))
  // By the clock, so that an issuer that went back to a backup does not sign below what terminals have seen.
  const serial = Math.max((before?.serial ?? 0) + 1, issuedAt)
  const bulletin: Bulletin = {
    v: 1,
    serial,
    ...rest,
    issuedAt: isoTime(issuedAt),
    expiresAt: isoTime(issuedAt + validSeconds),
    currency: issuer.book.currency,
    publicUrl: (await setting(db, 'publicUrl')) ?? defaultPublicUrl,
    hotlist: await hotlistToSign(issuer, db),
    payKeyVersions: issuer.keys.payMasters().map(({ version }) => version),
  }
  const bytes = encodeBulletin(bulletin, issuer.keys.signing)
  await db
    .insertInto('bulletin')
    .values({ serial, bytes, issued_at: issuedAt, expires_at: issuedAt + validSeconds })
    .execute()
  return { serial, bulletin, bytes }
}

const issuedSecondsOf = (bulletin: Bulletin): number => Date.parse(bulletin.issuedAt) / 1000

const validSecondsOf = (bulletin: Bulletin): number => Date.parse(bulletin.expiresAt) / 1000 - issuedSecondsOf(bulletin)

const checkedLimits = (limits: unknown): Limits => {
  const parsed = v.safeParse(limitsSchema, limits)
  if (parsed.success) return parsed.output
  throw new IssuerError('input', 'Limits are whole numbers from 0 to 4294967295.')
}

const checkedSeconds = (seconds: number, name: string): number => {
  if (Number.isInteger(seconds) && seconds > 0 && seconds <= 10 * 366 * daySeconds) return seconds
  throw new IssuerError('input', `${name} lasts at least one second and at most ten years.`)
}

/**
 * Publishes the catalogue as it stands: shares out new codes, signs, archives. Terms that are not given stay as they were.
 * @throws IssuerError `input`
 */
export const publish = (issuer: Issuer, options: PublishOptions = {}): Promise<Published> =>
  issuer.store.write(async (db) => {
    await assignUnits(db)
    const before = await newestBulletin(issuer, db)
    return sign(issuer, db, {
      before,
      items: await articlesIn(db),
      limits: checkedLimits({
        ...(before?.bulletin.limits ?? defaultLimits(issuer.book.currency)),
        ...options.limits,
      }),
      claimSeconds: checkedSeconds(
        options.claimSeconds ?? before?.bulletin.claimSeconds ?? claimSecondsDefault,
        'A claim',
      ),
      validSeconds: checkedSeconds(
        options.validSeconds ?? (before === undefined ? bulletinSeconds : validSecondsOf(before.bulletin)),
        'A bulletin',
      ),
    })
  })

/** Signs the published catalogue anew, under the next serial; nothing when none was published yet. */
export const reissue = async (issuer: Issuer, db: StoreWriter): Promise<Published | undefined> => {
  const before = await newestBulletin(issuer, db)
  if (before === undefined) return undefined
  const { items, limits, claimSeconds } = before.bulletin
  return sign(issuer, db, {
    before,
    items,
    limits,
    claimSeconds,
    validSeconds: validSecondsOf(before.bulletin),
  })
}

/** What GET /v1/bulletin answers: the newest, signed anew when it is a day old. @returns undefined: none was published */
export const currentBulletin = async (issuer: Issuer): Promise<Published | undefined> => {
  // One from before the hotlist was a log is read by no terminal any more.
  const isFresh = (published: Published): boolean =>
    published.bulletin.hotlist.generation > 0 &&
    issuer.clock() - issuedSecondsOf(published.bulletin) <
      Math.min(renewAfterSeconds, validSecondsOf(published.bulletin) / 2)
  const newest = await issuer.store.read((db) => newestBulletin(issuer, db))
  if (newest === undefined || isFresh(newest)) return newest
  return issuer.store.write(async (db) => {
    const now = await newestBulletin(issuer, db)
    return now !== undefined && isFresh(now) ? now : reissue(issuer, db)
  })
}

/**
 * Tells terminals and customers where the issuer is reached; a published bulletin that says otherwise is signed anew.
 * @param publicUrl http or https, with or without a path
 * @throws IssuerError `input`
 */
export const announceAddress = async (issuer: Issuer, publicUrl: string): Promise<string> => {
  const parsed = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.search !== '' || parsed.hash !== '')
    throw new IssuerError('input', `"${publicUrl}" is not an address such as https://pay.example.org.`)
  const url = parsed.href.replace(/\/+$/, '')
  return issuer.store.write(async (db) => {
    if ((await setting(db, 'publicUrl')) !== url) await setSetting(db, 'publicUrl', url)
    const newest = await newestBulletin(issuer, db)
    if (newest !== undefined && newest.bulletin.publicUrl !== url) await reissue(issuer, db)
    return url
  })
}
