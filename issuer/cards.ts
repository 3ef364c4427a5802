/** The issuer's cards as things: made at the desk, in stock, blocked and unblocked by a person. */
import type { Selectable } from 'kysely'
import { type CardId, cardId } from '../protocol/quantities.ts'
import { type Actor, requireReason } from './actor.ts'
import { noteChange } from './audit-log.ts'
import { IssuerError } from './errors.ts'
import { blockCard, unblockCard } from './hotlist.ts'
import type { Issuer } from './issuer.ts'
import { addCard } from './parties.ts'
import type { StoreReader } from './store.ts'
import type { CardTable } from './tables.ts'

/** @throws IssuerError `unknownCard` */
export const requireCard = async (db: StoreReader, id: string): Promise<Selectable<CardTable>> => {
  const card = await db.selectFrom('card').selectAll().where('card_id', '=', id).executeTakeFirst()
  if (card === undefined) throw new IssuerError('unknownCard', `This issuer has no card ${id}.`)
  return card
}

/** What is written on a card at the desk. */
export interface CardTerms {
  readonly expiresAt: number
  readonly balanceMaxMinor: number
  readonly pinFreeMaxMinor: number
}

/** Before the card is written: one that is out there and unknown here would be refused money that it holds. */
export const registerCard = async (issuer: Issuer, by: Actor, id: CardId, terms: CardTerms): Promise<void> => {
  await addCard(issuer, { cardId: id })
  await issuer.store.write(async (db) => {
    await db
      .updateTable('card')
      .set({
        expires_at: terms.expiresAt,
        balance_max_minor: terms.balanceMaxMinor,
        pin_free_max_minor: terms.pinFreeMaxMinor,
      })
      .where('card_id', '=', id)
      .execute()
    await noteChange(db, { name: by.name, at: issuer.clock() }, { action: 'card.register', subject: id, after: terms })
  })
}

/** The card answered as this one: it exists. Told again, it changes nothing. @returns what is known of it */
export const confirmPersonalised = (issuer: Issuer, by: Actor, id: CardId): Promise<{ first: boolean } & CardStand> =>
  issuer.store.write(async (db) => {
    const card = await requireCard(db, id)
    const first = card.personalised_at === null
    if (first) {
      const at = issuer.clock()
      await db.updateTable('card').set({ personalised_at: at }).where('card_no', '=', card.card_no).execute()
      await noteChange(db, { name: by.name, at }, { action: 'card.personalise', subject: id })
    }
    return { first, ...standOf(card) }
  })

export interface CardStand {
  readonly cardId: string
  readonly status: string
  readonly expiresAt?: number
  readonly balanceMaxMinor?: number
  readonly pinFreeMaxMinor?: number
}

const standOf = (card: Selectable<CardTable>): CardStand => ({
  cardId: card.card_id,
  status: card.status,
  ...(card.expires_at === null ? {} : { expiresAt: card.expires_at }),
  ...(card.balance_max_minor === null ? {} : { balanceMaxMinor: card.balance_max_minor }),
  ...(card.pin_free_max_minor === null ? {} : { pinFreeMaxMinor: card.pin_free_max_minor }),
})

export interface StockCard extends CardStand {
  readonly registeredAt: number
  /** absent: registered, and never seen: its personalisation was cut short. Its number is not given to another card. */
  readonly personalisedAt?: number
}

/** Cards that were made at the desk and never used, the newest first. */
export const stock = (issuer: Issuer, limit: number): Promise<{ total: number; cards: StockCard[] }> =>
  issuer.store.read(async (db) => {
    const unused = db
      .selectFrom('card')
      .where('mark', '=', 0)
      .where('status', '=', 'active')
      .where('expires_at', '>=', issuer.clock())
    const { count } = await unused
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('personalised_at', 'is not', null)
      .executeTakeFirstOrThrow()
    const rows = await unused.selectAll().orderBy('card_no', 'desc').limit(limit).execute()
    return {
      total: Number(count),
      cards: rows.map((card) => ({
        ...standOf(card),
        registeredAt: card.created_at,
        ...(card.personalised_at === null ? {} : { personalisedAt: card.personalised_at }),
      })),
    }
  })

export interface Blocked {
  readonly cardId: string
  /** false: of another issuer, or not registered. */
  readonly known: boolean
  readonly serial?: number
}

/** Puts a card on the hotlist, and keeps who did it, when and why. Again, it keeps the first. @throws IssuerError `input` */
export const blockForReason = async (
  issuer: Issuer,
  by: Actor,
  card: { readonly cardId: string; readonly reason: string },
): Promise<Blocked> => {
  const reason = requireReason(card.reason)
  const blocked = await blockCard(issuer, card.cardId)
  await issuer.store.write(async (db) => {
    const at = issuer.clock()
    const first = await db
      .updateTable('card')
      .set({ blocked_at: at, blocked_by: by.name, blocked_reason: reason })
      .where('card_id', '=', blocked.cardId)
      .where('blocked_at', 'is', null)
      .returning('card_no')
      .executeTakeFirst()
    if (first !== undefined || !blocked.known)
      await noteChange(db, { name: by.name, at }, { action: 'card.block', subject: blocked.cardId, after: { reason } })
  })
  return blocked
}

/** Takes a card off the hotlist again. @throws IssuerError `input`, `unknownCard` */
export const unblockForReason = async (
  issuer: Issuer,
  by: Actor,
  card: { readonly cardId: string; readonly reason: string },
): Promise<{ cardId: string; serial?: number }> => {
  const reason = requireReason(card.reason)
  const id = cardId(card.cardId)
  const before = await issuer.store.read(async (db) => {
    const row = await requireCard(db, id)
    const closure = await db
      .selectFrom('card_closure')
      .select(['kind', 'state'])
      .where('card_no', '=', row.card_no)
      .where('kind', '!=', 'breakage')
      .executeTakeFirst()
    if (closure !== undefined)
      throw new IssuerError(
        'input',
        closure.state === 'done'
          ? `Card ${id} was closed (${closure.kind}): its money has left it, and it stays blocked.`
          : `Card ${id} is being closed (${closure.kind}): withdraw that first with "farthing issuer card keep".`,
      )
    return row
  })
  const unblocked = await unblockCard(issuer, id)
  await issuer.store.write(async (db) => {
    const at = issuer.clock()
    await db
      .updateTable('card')
      .set({ blocked_at: null, blocked_by: null, blocked_reason: null })
      .where('card_id', '=', id)
      .execute()
    await noteChange(
      db,
      { name: by.name, at },
      {
        action: 'card.unblock',
        subject: id,
        before: { reason: before.blocked_reason },
        after: { reason },
      },
    )
  })
  return unblocked
}
