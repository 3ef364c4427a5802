/** Puts cards on the hotlist and takes them off: the list, its log, and the bulletin that signs it, in one transaction. */
import { hotlistPageEntriesMax, type SignedHotlist } from '../protocol/hotlist.ts'
import { type CardId, cardId } from '../protocol/quantities.ts'
import { type Actor, requireReason } from './actor.ts'
import { noteChange } from './audit-log.ts'
import { followUp, newestBulletin } from './bulletin-publisher.ts'
import { IssuerError } from './errors.ts'
import { appendListed, appendTakenOff, beginLog, hotlistToSign, requireLog } from './hotlist-log.ts'
import type { Issuer } from './issuer.ts'
import type { StoreWriter } from './store.ts'

const checkedCard = (card: string): CardId => {
  if (/^[0-9a-f]{16}$/.test(card)) return cardId(card)
  throw new IssuerError('input', `"${card}" is not a card's id: 16 lower-case hex digits.`)
}

/** At most a page's worth. @returns how many are new on the list, and how many of all the issuer knows */
const list = async (issuer: Issuer, db: StoreWriter, cards: readonly CardId[]) => {
  await requireLog(issuer, db)
  const listedAt = issuer.clock()
  const fresh = await db
    .insertInto('hotlist')
    .values(cards.map((card) => ({ card_id: card, listed_at: listedAt })))
    .onConflict((conflict) => conflict.column('card_id').doNothing())
    .returning('card_id')
    .execute()
  const marked = await db
    .updateTable('card')
    .set({ status: 'hotlisted' })
    .where('card_id', 'in', cards)
    .returning('card_no')
    .execute()
  const listed = fresh.map((row) => cardId(row.card_id)).toSorted()
  await appendListed(issuer, db, listed)
  return { listed: listed.length, known: marked.length }
}

/** Signs the list anew where the bulletin says otherwise. @returns the serial in force; undefined: nothing was published yet */
const signList = async (issuer: Issuer, db: StoreWriter): Promise<number | undefined> => {
  const newest = await newestBulletin(issuer, db)
  if (newest === undefined) return undefined
  const { generation, count } = await hotlistToSign(issuer, db)
  const signed = newest.bulletin.hotlist
  if (signed.generation === generation && signed.count === count) return newest.serial
  return (await followUp(issuer, db))?.serial
}

/**
 * Puts a card on the hotlist, and the list into force at once. A card that the issuer knows is also blocked for good by the
 * first terminal that sees it (tag 07).
 * @throws IssuerError `input`
 */
export const blockCard = async (
  issuer: Issuer,
  card: string,
): Promise<{ cardId: string; known: boolean; serial?: number }> => {
  const id = checkedCard(card)
  return issuer.store.write((db) => blockCardIn(issuer, db, id))
}

/** As `blockCard`, as a part of the caller's transaction. */
export const blockCardIn = async (issuer: Issuer, db: StoreWriter, id: CardId) => {
  const { known } = await list(issuer, db, [id])
  const serial = await signList(issuer, db)
  return { cardId: id, known: known === 1, ...(serial === undefined ? {} : { serial }) }
}

/**
 * Takes a card off the hotlist, and puts the list into force at once. A terminal that has the old list may still block it.
 * @throws IssuerError `input`: not listed, or blocked for good by a terminal
 */
export const unblockCard = async (issuer: Issuer, card: string): Promise<{ cardId: string; serial?: number }> => {
  const id = checkedCard(card)
  return issuer.store.write((db) => unblockCardIn(issuer, db, id))
}

/** As `unblockCard`, as a part of the caller's transaction. */
export const unblockCardIn = async (issuer: Issuer, db: StoreWriter, id: CardId) => {
  await requireLog(issuer, db)
  const blocked = await db
    .selectFrom('settlement')
    .innerJoin('card', 'card.card_no', 'settlement.card_no')
    .select('counter')
    .where('card_id', '=', id)
    .where('order_type', '=', 'block')
    .executeTakeFirst()
  if (blocked !== undefined)
    throw new IssuerError(
      'input',
      `A terminal has blocked card ${id} for good: give its holder another one with "farthing card replace".`,
    )
  const taken = await db.deleteFrom('hotlist').where('card_id', '=', id).returning('card_id').executeTakeFirst()
  if (taken === undefined) throw new IssuerError('refused', `Card ${id} is not on the hotlist.`)
  await db
    .updateTable('card')
    .set({ status: 'active' })
    .where('card_id', '=', id)
    .where('status', '=', 'hotlisted')
    .execute()
  await appendTakenOff(issuer, db, id)
  const serial = await signList(issuer, db)
  return { cardId: id, ...(serial === undefined ? {} : { serial }) }
}

export interface BlockedCards {
  /** Of those given, each counted once. */
  readonly cards: number
  /** Not listed before. */
  readonly listed: number
  readonly known: number
  readonly serial?: number
}

/**
 * Puts any number of cards on the hotlist under one signature. A page's worth is one transaction, so that terminals are
 * answered meanwhile; cut off, none of it is in force yet, and the same again completes it.
 * @throws IssuerError `input` before anything is written
 */
export const blockCards = async (
  issuer: Issuer,
  by: Actor,
  given: {
    readonly cards: readonly string[]
    readonly reason: string
    readonly onProgress?: (done: number) => void
  },
): Promise<BlockedCards> => {
  const ids = [...new Set(given.cards.map(checkedCard))].toSorted()
  const reason = requireReason(given.reason)
  let listed = 0
  let known = 0
  for (let at = 0; at < ids.length; at += hotlistPageEntriesMax) {
    const part = ids.slice(at, at + hotlistPageEntriesMax)
    const done = await issuer.store.write(async (db) => {
      await db
        .updateTable('card')
        .set({ blocked_at: issuer.clock(), blocked_by: by.name, blocked_reason: reason })
        .where('card_id', 'in', part)
        .where('blocked_at', 'is', null)
        .execute()
      return list(issuer, db, part)
    })
    listed += done.listed
    known += done.known
    given.onProgress?.(at + part.length)
  }
  const serial = await issuer.store.write(async (db) => {
    if (listed > 0) {
      const after = { cards: ids.length, listed, reason }
      await noteChange(
        db,
        { name: by.name, at: issuer.clock() },
        { action: 'card.blockMany', subject: 'hotlist', after },
      )
    }
    return signList(issuer, db)
  })
  return { cards: ids.length, listed, known, ...(serial === undefined ? {} : { serial }) }
}

/**
 * Begins a new log with the list as it is: the old one's take-offs are gone, and every terminal fetches all of it anew.
 * @returns what the bulletin says of it
 */
export const renewHotlist = (issuer: Issuer, by: Actor): Promise<SignedHotlist> =>
  issuer.store.write(async (db) => {
    await beginLog(issuer, db)
    await signList(issuer, db)
    const signed = await hotlistToSign(issuer, db)
    const { generation, count } = signed
    await noteChange(
      db,
      { name: by.name, at: issuer.clock() },
      { action: 'hotlist.renew', subject: 'hotlist', after: { generation, count } },
    )
    return signed
  })
