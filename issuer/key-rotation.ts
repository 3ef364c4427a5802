/**
 * Keys change while terminals are away (PROTOCOL.md, Rotation): a new version comes beside the old ones, spreads with bulletins
 * and keyrings, and an old one ends only when a person says so.
 */

import { signAnew } from './bulletin-publisher.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import { withNextMasters, withNextSigningKey } from './issuer-keys.ts'
import {
  endedTerminalVersion,
  retiredPayVersions,
  setEndedTerminalVersion,
  setRetiredPayVersions,
} from './key-versions.ts'
import type { StoreReader } from './store.ts'
import { noteFor, type Who } from './who.ts'

export interface Rotated {
  readonly keyVersion: number
  /** Where the keys file of before is kept. */
  readonly keptAs: string
  /** Of the bulletin that says so; absent: nothing was published yet. */
  readonly serial?: number
}

const rotated = async (
  issuer: Issuer,
  change: { readonly action: string; readonly before: number; readonly keptAs: string; readonly keyVersion: number },
  who: Who | undefined,
): Promise<Rotated> => {
  const { action, before, keptAs, keyVersion } = change
  await issuer.store.write((db) =>
    noteFor(issuer, db, who, {
      action,
      subject: `version ${keyVersion}`,
      before: { version: before },
      after: { version: keyVersion },
    }),
  )
  const published = await signAnew(issuer)
  return { keyVersion, keptAs, ...(published === undefined ? {} : { serial: published.serial }) }
}

/**
 * Adds a version of the four masters. New cards get it; terminals get its MK_pay and their next K_term with their next keyring.
 * @throws IssuerError `keysDamaged`, `input`
 */
export const rotateMasters = async (issuer: Issuer, who?: Who): Promise<Rotated> => {
  const before = issuer.keys.keyVersion
  const { keptAs } = issuer.keys.replace(withNextMasters(issuer.randomBytes))
  return rotated(issuer, { action: 'keys.masters.rotate', before, keptAs, keyVersion: issuer.keys.keyVersion }, who)
}

/**
 * Puts a new key for bulletins in the place of the old one, which names it with its last signature.
 * @throws IssuerError `keysDamaged`, `input`
 */
export const rotateSigningKey = async (issuer: Issuer, who?: Who): Promise<Rotated> => {
  const before = issuer.keys.signing.keyVersion
  const { keptAs } = issuer.keys.replace(withNextSigningKey(issuer.randomBytes))
  const { keyVersion } = issuer.keys.signing
  return rotated(issuer, { action: 'keys.signing.rotate', before, keptAs, keyVersion }, who)
}

const requireOldVersion = (issuer: Issuer, version: number): void => {
  if (!issuer.keys.has(version))
    throw new IssuerError(
      'input',
      `There are no keys of version ${version}: "farthing issuer keys list" says which there are.`,
    )
  if (version === issuer.keys.keyVersion)
    throw new IssuerError('refused', `Version ${version} is the newest: rotate first, so that there is one after it.`)
}

const activeCards = async (db: StoreReader, version: number): Promise<number> =>
  (
    await db
      .selectFrom('card')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('key_version', '=', version)
      .where('status', '=', 'active')
      .executeTakeFirstOrThrow()
  ).count

/** Enrolled terminals that have shown no later version than this. */
const terminalsAt = async (db: StoreReader, version: number): Promise<number> =>
  (
    await db
      .selectFrom('terminal')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('key_version', '<=', version)
      .where('epoch', '>', 0)
      .executeTakeFirstOrThrow()
  ).count

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

/**
 * Takes a version of cards out of use: terminals refuse them as soon as they have the bulletin. What such cards paid settles.
 * @param options.force although active cards have it
 * @returns how many active cards are refused from now on
 * @throws IssuerError `input`
 */
export const retirePayVersion = async (
  issuer: Issuer,
  version: number,
  options: { readonly force?: boolean } = {},
  who?: Who,
): Promise<{ readonly cards: number; readonly serial?: number }> => {
  requireOldVersion(issuer, version)
  const cards = await issuer.store.write(async (db) => {
    const count = await activeCards(db, version)
    if (count > 0 && !options.force)
      throw new IssuerError(
        'input',
        `${plural(count, 'active card has', 'active cards have')} keys of version ${version}, and no terminal would take them: exchange them first, or say --force.`,
      )
    const before = await retiredPayVersions(db)
    await setRetiredPayVersions(db, [...before, version])
    await noteFor(issuer, db, who, {
      action: 'keys.cards.retire',
      subject: `version ${version}`,
      before: { retired: before },
      after: { retired: await retiredPayVersions(db), cards: count },
    })
    return count
  })
  const published = await signAnew(issuer)
  return { cards, ...(published === undefined ? {} : { serial: published.serial }) }
}

/**
 * Ends versions of K_term up to this one: what is sealed with them is not taken any more (verdict 3), and such a terminal has to
 * be enrolled again. Batches that were taken stay taken.
 * @param options.force although terminals may still seal with them
 * @returns how many terminals have shown no later version
 * @throws IssuerError `input`
 */
export const endTerminalVersion = async (
  issuer: Issuer,
  version: number,
  options: { readonly force?: boolean } = {},
  who?: Who,
): Promise<{ readonly terminals: number }> => {
  requireOldVersion(issuer, version)
  return issuer.store.write(async (db) => {
    const terminals = await terminalsAt(db, version)
    if (terminals > 0 && !options.force)
      throw new IssuerError(
        'input',
        `${plural(terminals, 'terminal has', 'terminals have')} not shown a later version than ${version} yet and would have to be enrolled again: wait until they have synced sales, or say --force.`,
      )
    const before = await endedTerminalVersion(db)
    await setEndedTerminalVersion(db, Math.max(before, version))
    await noteFor(issuer, db, who, {
      action: 'keys.terminals.end',
      subject: `version ${version}`,
      before: { endedUpTo: before },
      after: { endedUpTo: Math.max(before, version), terminals },
    })
    return { terminals }
  })
}

export interface KeyVersion {
  readonly version: number
  readonly newest: boolean
  readonly activeCards: number
  /** Cards of it are refused. */
  readonly cardsRetired: boolean
  /** Enrolled terminals whose newest seal was of it. */
  readonly terminals: number
  /** What is sealed with it is not taken any more. */
  readonly terminalsEnded: boolean
}

/** Which versions there are, and who still depends on each. */
export const keyState = async (
  issuer: Issuer,
): Promise<{ readonly versions: readonly KeyVersion[]; readonly signingKeyVersion: number; readonly dev: boolean }> => {
  const { keyVersions, keyVersion, dev, signing } = issuer.keys
  const versions = await issuer.store.read(async (db) => {
    const retired = await retiredPayVersions(db)
    const ended = await endedTerminalVersion(db)
    const terminals = await db
      .selectFrom('terminal')
      .select((eb) => ['key_version', eb.fn.countAll<number>().as('count')])
      .where('epoch', '>', 0)
      .groupBy('key_version')
      .execute()
    const byVersion = new Map(terminals.map((row) => [row.key_version, row.count]))
    const all: KeyVersion[] = []
    for (const version of keyVersions)
      all.push({
        version,
        newest: version === keyVersion,
        activeCards: await activeCards(db, version),
        cardsRetired: retired.includes(version),
        terminals: byVersion.get(version) ?? 0,
        terminalsEnded: version <= ended,
      })
    return all
  })
  return { versions, signingKeyVersion: signing.keyVersion, dev }
}
