/**
 * The hotlist as a log that only grows (PROTOCOL.md, Hotlist), kept in the pages that terminals ask for. A block token is
 * computed once, when its entry is appended: a publication signs length and head alone.
 */
import { concat, toHex } from '../protocol/bytes.ts'
import {
  encodeHotlistEntry,
  firstHotlistHead,
  hotlistEntriesMax,
  hotlistEntryLength,
  hotlistPageBytesMax,
  hotlistPageEntriesMax,
  nextHotlistHead,
  type SignedHotlist,
} from '../protocol/hotlist.ts'
import { commitBlockMac } from '../protocol/mac.ts'
import { type CardId, cardId } from '../protocol/quantities.ts'
import { IssuerError } from './errors.ts'
import type { HotlistLogTable } from './hotlist-tables.ts'
import type { Issuer } from './issuer.ts'
import type { StoreReader, StoreWriter } from './store.ts'

const newestLog = (db: StoreReader): Promise<HotlistLogTable | undefined> =>
  db.selectFrom('hotlist_log').selectAll().orderBy('generation', 'desc').limit(1).executeTakeFirst()

/** The entry that lists a card: with its block token where the card is known. */
const listEntry = (issuer: Issuer, card: { card_id: string; key_version: number | null }): Uint8Array => {
  const id = cardId(card.card_id)
  const loadKey = card.key_version === null ? undefined : issuer.keys.loadMac(card.key_version, id)
  return encodeHotlistEntry({
    op: 'list',
    cardId: id,
    blockMac: loadKey === undefined ? undefined : commitBlockMac(loadKey, id),
  })
}

const writePages = async (db: StoreWriter, log: HotlistLogTable, bytes: Uint8Array): Promise<void> => {
  let pageNo = Math.floor(log.count / hotlistPageEntriesMax)
  let filled = (log.count % hotlistPageEntriesMax) * hotlistEntryLength
  for (let at = 0; at < bytes.length; pageNo += 1) {
    const part = bytes.subarray(at, at + hotlistPageBytesMax - filled)
    at += part.length
    const place = { generation: log.generation, page_no: pageNo }
    if (filled === 0)
      await db
        .insertInto('hotlist_page')
        .values({ ...place, bytes: part })
        .execute()
    else {
      const page = await db
        .selectFrom('hotlist_page')
        .select('bytes')
        .where('generation', '=', place.generation)
        .where('page_no', '=', pageNo)
        .executeTakeFirstOrThrow()
      await db
        .updateTable('hotlist_page')
        .set({ bytes: concat(Uint8Array.from(page.bytes), part) })
        .where('generation', '=', place.generation)
        .where('page_no', '=', pageNo)
        .execute()
    }
    filled = 0
  }
}

/** @returns the log after it @throws IssuerError `input` when it is full */
const extend = async (db: StoreWriter, log: HotlistLogTable, bytes: Uint8Array): Promise<HotlistLogTable> => {
  const count = log.count + bytes.length / hotlistEntryLength
  if (count > hotlistEntriesMax)
    throw new IssuerError(
      'input',
      `The hotlist's log takes ${hotlistEntriesMax} entries: begin a new one with "farthing card hotlist --renew".`,
    )
  await writePages(db, log, bytes)
  const head = nextHotlistHead(Uint8Array.from(log.head), bytes)
  await db.updateTable('hotlist_log').set({ count, head }).where('generation', '=', log.generation).execute()
  return { ...log, count, head }
}

/** A new log with the list as it is, in the order of card ids: so terminals write it in one sweep over their disk. */
export const beginLog = async (issuer: Issuer, db: StoreWriter): Promise<HotlistLogTable> => {
  const before = await newestLog(db)
  let log: HotlistLogTable = {
    generation: (before?.generation ?? 0) + 1,
    count: 0,
    head: firstHotlistHead(),
    begun_at: issuer.clock(),
  }
  await db.insertInto('hotlist_log').values(log).execute()
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('hotlist')
      .leftJoin('card', 'card.card_id', 'hotlist.card_id')
      .select(['hotlist.card_id', 'card.key_version'])
      .where('hotlist.card_id', '>', after)
      .orderBy('hotlist.card_id')
      .limit(hotlistPageEntriesMax)
      .execute()
    const last = rows.at(-1)
    if (last === undefined) return log
    log = await extend(db, log, concat(...rows.map((row) => listEntry(issuer, row))))
    after = last.card_id
  }
}

/** The log in use; a store that has none yet gets it from its list. */
const logInUse = async (issuer: Issuer, db: StoreWriter): Promise<HotlistLogTable> =>
  (await newestLog(db)) ?? beginLog(issuer, db)

const asSigned = ({ generation, count, head }: HotlistLogTable): SignedHotlist => ({
  generation,
  count,
  head: toHex(Uint8Array.from(head)),
})

/** What a bulletin says of the hotlist now. */
export const hotlistToSign = async (issuer: Issuer, db: StoreWriter): Promise<SignedHotlist> =>
  asSigned(await logInUse(issuer, db))

/** Appends that these cards are listed; the caller has put them into the list. At most a page's worth. */
export const appendListed = async (issuer: Issuer, db: StoreWriter, cards: readonly CardId[]): Promise<void> => {
  if (cards.length === 0) return
  const log = await logInUse(issuer, db)
  const known = await db.selectFrom('card').select(['card_id', 'key_version']).where('card_id', 'in', cards).execute()
  const versions = new Map(known.map((card) => [card.card_id, card.key_version]))
  const entries = cards.map((card) => listEntry(issuer, { card_id: card, key_version: versions.get(card) ?? null }))
  await extend(db, log, concat(...entries))
}

/** Appends that a card is listed no longer; the caller has taken it off the list. */
export const appendTakenOff = async (issuer: Issuer, db: StoreWriter, card: CardId): Promise<void> => {
  const entry = encodeHotlistEntry({ op: 'takeOff', cardId: card, blockMac: undefined })
  await extend(db, await logInUse(issuer, db), entry)
}

/** Makes sure that the log is there before the list changes: it would be made of the changed list. */
export const requireLog = async (issuer: Issuer, db: StoreWriter): Promise<void> => {
  await logInUse(issuer, db)
}

export interface HotlistPage {
  readonly generation: number
  /** Numbers of its first and last entry. */
  readonly first: number
  readonly last: number
  readonly bytes: Uint8Array<ArrayBuffer>
  /** It never changes any more. */
  readonly isFull: boolean
}

/** What GET /v1/hotlist answers: the entries after `after`, up to the end of their page. @returns undefined: there are none */
export const hotlistPage = (
  issuer: Pick<Issuer, 'store'>,
  place: { readonly generation?: number; readonly after: number },
): Promise<HotlistPage | undefined> =>
  issuer.store.read(async (db) => {
    const generation = place.generation ?? (await newestLog(db))?.generation
    if (generation === undefined) return undefined
    const pageNo = Math.floor(place.after / hotlistPageEntriesMax)
    const page = await db
      .selectFrom('hotlist_page')
      .select('bytes')
      .where('generation', '=', generation)
      .where('page_no', '=', pageNo)
      .executeTakeFirst()
    const bytes = Uint8Array.from(page?.bytes ?? []).slice((place.after % hotlistPageEntriesMax) * hotlistEntryLength)
    if (page === undefined || bytes.length === 0) return undefined
    const last = place.after + bytes.length / hotlistEntryLength
    return { generation, first: place.after + 1, last, bytes, isFull: page.bytes.length === hotlistPageBytesMax }
  })
