/**
 * Publishes the bulletin: prices, hotlist, limits, key versions, signed, archived, under a serial that only grows
 * (PROTOCOL.md, Bulletin). The catalogue that it carries changes by `publish` alone; the rest follows by itself.
 */
import { sql } from 'kysely'
import * as v from 'valibot'
import {
  aheadSecondsMax,
  type Bulletin,
  bulletinKeyVersion,
  encodeBulletin,
  type Limits,
  limitsSchema,
  newsBytesMax,
  openStoredBulletin,
  secondsOf,
} from '../protocol/bulletin.ts'
import { u32Max } from '../protocol/bytes.ts'
import { currencyOf } from '../protocol/currency.ts'
import { assortmentsIn, publishAssortments } from './assortments.ts'
import { assignUnits, offeredIn, promoteComing } from './catalogue.ts'
import { unitState } from './catalogue-tables.ts'
import { IssuerError } from './errors.ts'
import { hotlistToSign } from './hotlist-log.ts'
import { isoTime } from './iso-times.ts'
import type { Issuer } from './issuer.ts'
import { retiredPayVersions } from './key-versions.ts'
import { setSetting, setting } from './settings.ts'
import { shelfIn } from './shelf/shelf.ts'
import type { StoreReader, StoreWriter } from './store.ts'
import { noteSold } from './versions-sold.ts'
import { noteFor, type Who } from './who.ts'

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

export interface Terms {
  readonly limits?: Partial<Limits>
  readonly validSeconds?: number
  readonly claimSeconds?: number
}

export interface PublishOptions extends Terms {
  /** After a signing key was stolen and terminals have seen a serial that is ahead of ours: goes above it. */
  readonly aboveSerial?: number
  /** A person has looked at the clock: sign however far it lies after the last bulletin. */
  readonly jump?: boolean
}

/** Where customers reach the issuer, without a slash at its end. */
export const publicUrlOf = (issuer: Pick<Issuer, 'store'>): Promise<string> =>
  issuer.store.read(async (db) => (await setting(db, 'publicUrl')) ?? defaultPublicUrl)

/** As signed; undefined: none was published yet. */
export const newestBulletin = async (issuer: Issuer, db: StoreReader): Promise<Published | undefined> => {
  const row = await db.selectFrom('bulletin').selectAll().orderBy('serial', 'desc').executeTakeFirst()
  if (row === undefined) return undefined
  const bytes = Uint8Array.from(row.bytes)
  const keyVersion = bulletinKeyVersion(bytes)
  const publicKey = issuer.keys.signingPublicKey(keyVersion)
  if (publicKey === undefined)
    throw new IssuerError(
      'keysDamaged',
      `The newest bulletin is signed with key version ${keyVersion}, which ${issuer.keys.path} does not have: bring the keys file here from the machine where they were rotated.`,
    )
  return { serial: row.serial, bytes, bulletin: openStoredBulletin(bytes, publicKey) }
}

/** Whether terminals that trust the last bulletin's time could refuse a serial, which never goes back. */
const isJump = ({ serial, bulletin }: Published, to: number): boolean =>
  to > Math.max(serial, issuedSecondsOf(bulletin)) + aheadSecondsMax

const jumpRefusal = ({ bulletin }: Published, serial: number): IssuerError => {
  const days = (seconds: number) => Math.floor(seconds / daySeconds)
  return new IssuerError(
    'serialJump',
    `The new bulletin would be dated ${isoTime(serial)}, ${days(serial - issuedSecondsOf(bulletin))} days after the last one. A serial never goes back, and terminals refuse one that lies more than ${days(aheadSecondsMax)} days ahead of their time: set this machine's clock. Is it right? Then insist: "farthing catalogue publish --jump", or Publish in the console.`,
  )
}

/** Days since the last bulletin, when the next one has to be insisted on. */
export const jumpDays = (issuer: Pick<Issuer, 'clock'>, newest: Published): number | undefined =>
  isJump(newest, issuer.clock())
    ? Math.floor((issuer.clock() - issuedSecondsOf(newest.bulletin)) / daySeconds)
    : undefined

/** What changes by `publish` alone. */
type PublishedCatalogue = Pick<Bulletin, 'items' | 'coming' | 'assortments' | 'categories' | 'display' | 'brands'>
type Content = PublishedCatalogue & Pick<Bulletin, 'limits' | 'claimSeconds'>

/** What has come meanwhile stands where it belongs, so that a bulletin never says the same of an article twice. */
const comeIn = (content: Content, now: number): Content => {
  const { items, coming, ...rest } = content
  const articles = new Map(items.map((item) => [item.id, item]))
  for (const { from, item } of coming ?? []) if (secondsOf(from) <= now) articles.set(item.id, item)
  const left = coming?.filter(({ from }) => secondsOf(from) > now) ?? []
  return { ...rest, items: [...articles.values()], ...(left.length === 0 ? {} : { coming: left }) }
}

/** Signs and archives what the store says now, with these items and terms, as the successor of `before`. */
const sign = async (
  issuer: Issuer,
  db: StoreWriter,
  content: Content & {
    before: Published | undefined
    validSeconds: number
    aboveSerial?: number | undefined
    jump?: boolean | undefined
  },
): Promise<Published> => {
  const { before, validSeconds, aboveSerial, jump, ...rest } = content
  // A key that another one has followed signs nothing any more.
  issuer.keys.reread()
  // Terminals never go back behind the highest time that they saw signed, whatever this machine's clock says.
  const issuedAt = Math.max(issuer.clock(), before === undefined ? 0 : issuedSecondsOf(before.bulletin))
  // By the clock, so that an issuer that went back to a backup does not sign below what terminals have seen.
  const serial = Math.max((before?.serial ?? 0) + 1, issuedAt, (aboveSerial ?? 0) + 1)
  if (serial > u32Max) throw new IssuerError('input', `A serial has at most ${u32Max}: choose a lower one to go above.`)
  if (jump !== true && before !== undefined && isJump(before, serial)) throw jumpRefusal(before, serial)
  const retired = await retiredPayVersions(db)
  const bulletin: Bulletin = {
    v: 1,
    serial,
    ...comeIn(rest, issuedAt),
    issuedAt: isoTime(issuedAt),
    expiresAt: isoTime(issuedAt + validSeconds),
    currency: issuer.book.currency,
    publicUrl: (await setting(db, 'publicUrl')) ?? defaultPublicUrl,
    hotlist: await hotlistToSign(issuer, db),
    payKeyVersions: issuer.keys
      .payMasters()
      .map(({ version }) => version)
      .filter((version) => !retired.includes(version)),
  }
  const bytes = encodeBulletin(bulletin, issuer.keys.signing)
  if (bytes.length > newsBytesMax)
    throw new IssuerError(
      'refused',
      `The bulletin would have ${megabytes(bytes.length)} MB, and terminals take ${megabytes(newsBytesMax)}: withdraw articles or shorten their summaries, then publish again.`,
    )
  await db
    .insertInto('bulletin')
    .values({ serial, bytes, issued_at: issuedAt, expires_at: issuedAt + validSeconds })
    .execute()
  await noteSold(db, bulletin)
  return { serial, bulletin, bytes }
}

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
/** Of what terminals take: from here on the publisher warns. */
const roomWarning = 0.75
/** What a unit takes in a keyring, as {"code", "itemId"}, less what its sealed code has beside the code (nonce and tag). */
const unitOverheadBytes = 25 - 40

/** Sentences about what comes near the limits of what terminals take. */
export const sizeWarnings = (issuer: Pick<Issuer, 'store'>, bulletin: Pick<Published, 'bytes'>): Promise<string[]> =>
  issuer.store.read(async (db) => {
    const warnings: string[] = []
    if (bulletin.bytes.length > newsBytesMax * roomWarning)
      warnings.push(
        `The bulletin has ${megabytes(bulletin.bytes.length)} of the ${megabytes(newsBytesMax)} MB that terminals take: withdraw articles that nobody buys, or shorten summaries.`,
      )
    const keyrings = await db
      .selectFrom('unit')
      .innerJoin('terminal', 'terminal.terminal_no', 'unit.terminal_no')
      .select((eb) => [
        'terminal.terminal_id',
        eb.fn.sum<number>(sql<number>`length(unit.sealed_code) + length(unit.item_id)`).as('bytes'),
        eb.fn.countAll<number>().as('units'),
      ])
      .where('unit.retired', '=', unitState.forSale)
      .groupBy('terminal.terminal_id')
      .orderBy('terminal.terminal_id')
      .execute()
    for (const { terminal_id, bytes, units } of keyrings) {
      const length = Number(bytes) + units * unitOverheadBytes
      if (length > newsBytesMax * roomWarning)
        warnings.push(
          `The keyring of terminal ${terminal_id} has about ${megabytes(length)} of the ${megabytes(newsBytesMax)} MB that it takes, for ${units} codes: add codes in smaller lots, when the first are sold.`,
        )
    }
    return warnings
  })

const issuedSecondsOf = (bulletin: Bulletin): number => secondsOf(bulletin.issuedAt)

export const validSecondsOf = (bulletin: Bulletin): number => secondsOf(bulletin.expiresAt) - issuedSecondsOf(bulletin)

const checkedLimits = (limits: unknown): Limits => {
  const parsed = v.safeParse(limitsSchema, limits)
  if (parsed.success) return parsed.output
  throw new IssuerError('input', 'Limits are whole numbers from 0 to 4294967295.')
}

const checkedSeconds = (seconds: number, name: string): number => {
  if (Number.isInteger(seconds) && seconds > 0 && seconds <= 10 * 366 * daySeconds) return seconds
  throw new IssuerError('input', `${name} lasts at least one second and at most ten years.`)
}

/** The terms of the next bulletin: those that are given, and else those that stand. @throws IssuerError `input` */
const termsOf = (issuer: Issuer, before: Published | undefined, terms: Terms) => ({
  limits: checkedLimits({ ...(before?.bulletin.limits ?? defaultLimits(issuer.book.currency)), ...terms.limits }),
  claimSeconds: checkedSeconds(terms.claimSeconds ?? before?.bulletin.claimSeconds ?? claimSecondsDefault, 'A claim'),
  validSeconds: checkedSeconds(
    terms.validSeconds ?? (before === undefined ? bulletinSeconds : validSecondsOf(before.bulletin)),
    'A bulletin',
  ),
})

const factsOf = (published: Published | undefined) =>
  published && {
    serial: published.serial,
    items: published.bulletin.items.length,
    limits: published.bulletin.limits,
    claimSeconds: published.bulletin.claimSeconds,
    validSeconds: validSecondsOf(published.bulletin),
  }

/**
 * Publishes the catalogue as it stands: shares out new codes, signs, archives. Terms that are not given stay as they were.
 * @throws IssuerError `input`, `serialJump`
 */
export const publish = (issuer: Issuer, options: PublishOptions = {}, who?: Who): Promise<Published> =>
  issuer.store.write(async (db) => {
    const before = await newestBulletin(issuer, db)
    const now = Math.max(issuer.clock(), before === undefined ? 0 : issuedSecondsOf(before.bulletin))
    await promoteComing(db, now)
    await publishAssortments(db)
    await assignUnits(db)
    const published = await sign(issuer, db, {
      before,
      ...(await contentIn(db, now)),
      ...termsOf(issuer, before, options),
      aboveSerial: options.aboveSerial,
      jump: options.jump,
    })
    await noteFor(issuer, db, who, {
      action: 'bulletin.publish',
      subject: String(published.serial),
      before: factsOf(before),
      after: factsOf(published),
    })
    return published
  })

/** What `publish` would offer. */
export const contentIn = async (db: StoreReader, now: number): Promise<PublishedCatalogue> => {
  const { items, coming } = await offeredIn(db, now)
  const assortments = await assortmentsIn(db)
  return {
    items: [...items],
    ...(coming.length === 0 ? {} : { coming: coming.map(({ from, item }) => ({ from: isoTime(from), item })) }),
    ...(assortments === undefined ? {} : { assortments }),
    ...(await shelfIn(db, new Set([...items, ...coming.map(({ item }) => item)].map(({ id }) => id)))),
  }
}

/** Signs the published catalogue anew, under the next serial; nothing when none was published yet. @throws IssuerError `serialJump` */
export const reissue = async (issuer: Issuer, db: StoreWriter, terms: Terms = {}): Promise<Published | undefined> => {
  const before = await newestBulletin(issuer, db)
  if (before === undefined) return undefined
  const { items, coming, assortments, categories, display, brands } = before.bulletin
  return sign(issuer, db, {
    before,
    items,
    ...(coming === undefined ? {} : { coming }),
    ...(assortments === undefined ? {} : { assortments }),
    ...(categories === undefined ? {} : { categories }),
    ...(display === undefined ? {} : { display }),
    ...(brands === undefined ? {} : { brands }),
    ...termsOf(issuer, before, terms),
  })
}

/** The same where no person waits for it: after a jump of the clock nothing is signed before somebody insists. */
export const followUp = async (issuer: Issuer, db: StoreWriter): Promise<Published | undefined> => {
  const before = await newestBulletin(issuer, db)
  return before === undefined || isJump(before, issuer.clock()) ? undefined : reissue(issuer, db)
}

/** Signs what is published anew, after keys changed. @returns undefined: nothing was published yet */
export const signAnew = (issuer: Issuer): Promise<Published | undefined> =>
  issuer.store.write((db) => reissue(issuer, db))

/**
 * Changes limits and terms at once, and nothing of the catalogue.
 * @throws IssuerError `input`
 */
export const setTerms = (issuer: Issuer, terms: Terms, who?: Who): Promise<Published> =>
  issuer.store.write(async (db) => {
    const before = await newestBulletin(issuer, db)
    const published = await reissue(issuer, db, terms)
    if (published === undefined)
      throw new IssuerError('refused', 'Nothing is published yet: run "farthing catalogue publish" first.')
    await noteFor(issuer, db, who, {
      action: 'limits.set',
      subject: String(published.serial),
      before: factsOf(before),
      after: factsOf(published),
    })
    return published
  })

/** What GET /v1/bulletin answers: the newest, signed anew when it is a day old, unless the clock jumped. @returns undefined: none was published */
export const currentBulletin = async (issuer: Issuer): Promise<Published | undefined> => {
  // One from before the hotlist was a log is read by no terminal any more.
  const isFresh = (published: Published): boolean =>
    published.bulletin.hotlist.generation > 0 &&
    bulletinKeyVersion(published.bytes) === issuer.keys.signing.keyVersion &&
    issuer.clock() - issuedSecondsOf(published.bulletin) <
      Math.min(renewAfterSeconds, validSecondsOf(published.bulletin) / 2)
  const newest = await issuer.store.read((db) => newestBulletin(issuer, db))
  if (newest === undefined || isFresh(newest)) return newest
  return issuer.store.write(async (db) => {
    const now = await newestBulletin(issuer, db)
    return now !== undefined && isFresh(now) ? now : ((await followUp(issuer, db)) ?? now)
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
    if (newest !== undefined && newest.bulletin.publicUrl !== url) await followUp(issuer, db)
    return url
  })
}
