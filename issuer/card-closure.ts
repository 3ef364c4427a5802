/**
 * How a card ends, and where its remaining value goes: as a credit to the card that replaces it, through the bank to its
 * holder, or, long after it expired, to breakage. A fact about a closed card that comes late is booked as ever; what it takes
 * is the issuer's loss, and stands below zero in that card's float.
 */
import { openBulletin } from '../protocol/bulletin.ts'
import { cardId } from '../protocol/quantities.ts'
import { type Actor, requireReason } from './actor.ts'
import { noteChange } from './audit-log.ts'
import { defaultLimits } from './bulletin-publisher.ts'
import { blockForReason, requireCard } from './cards.ts'
import { IssuerError } from './errors.ts'
import { makeCredit } from './funding.ts'
import type { Issuer } from './issuer.ts'
import { book, findAccount } from './postings.ts'
import { askSecondPerson, type Proposed, refuseRefunds } from './second-person.ts'
import type { StoreReader, StoreWriter } from './store.ts'

const daySeconds = 86_400
const graceDaysDefault = 365
const graceDaysMax = 3650

/** So long may a terminal hold entries before it stops selling: after that, what a blocked card spent is here, but for lost terminals. */
const heldSecondsMax = async (issuer: Issuer, db: StoreReader): Promise<number> => {
  const newest = await db.selectFrom('bulletin').select('bytes').orderBy('serial', 'desc').limit(1).executeTakeFirst()
  const limits =
    newest === undefined
      ? defaultLimits(issuer.book.currency)
      : openBulletin(Uint8Array.from(newest.bytes), issuer.keys.signing.publicKey).limits
  return limits.unsyncedSecondsMax ?? defaultLimits(issuer.book.currency).unsyncedSecondsMax ?? 0
}

export interface RemainingValue {
  /** The shadow balance, after the highest known counter. */
  readonly balanceMinor: number
  /** What closures took out of it. */
  readonly withdrawnMinor: number
  /** Of the balance: what came from nothing that is known, and waits for a person. */
  readonly unbackedMinor: number
  /** May leave the card: never below 0. */
  readonly remainingMinor: number
}

/** What cards hold, by card number. Inside one transaction. */
export const remainingValues = async (
  db: StoreReader,
  cards: readonly { readonly card_no: number; readonly balance_minor: number }[],
): Promise<ReadonlyMap<number, RemainingValue>> => {
  if (cards.length === 0) return new Map()
  const numbers = cards.map(({ card_no }) => card_no)
  const withdrawn = await db
    .selectFrom('card_closure')
    .select(['card_no', (eb) => eb.fn.sum<number>('amount_minor').as('sum')])
    .where('card_no', 'in', numbers)
    .where('state', '=', 'done')
    .groupBy('card_no')
    .execute()
  const number = async (kind: 'float' | 'suspense' | 'holes') => (await findAccount(db, { kind })).accountNo
  const [float, suspense, holes] = [await number('float'), await number('suspense'), await number('holes')]
  const unbacked = async (table: 'settlement' | 'seam') =>
    db
      .selectFrom(table)
      .select(['card_no', (eb) => eb.fn.sum<number>('booked_minor').as('sum')])
      .where('card_no', 'in', numbers)
      .where('booked_from', 'in', [suspense, holes])
      .where('booked_to', '=', float)
      .groupBy('card_no')
      .execute()
  const unbackedRows = [...(await unbacked('settlement')), ...(await unbacked('seam'))]
  const sum = (rows: readonly { card_no: number; sum: number }[], no: number) =>
    rows.reduce((total, row) => (row.card_no === no ? total + Number(row.sum) : total), 0)
  return new Map(
    cards.map((card) => {
      const withdrawnMinor = sum(withdrawn, card.card_no)
      const unbackedMinor = sum(unbackedRows, card.card_no)
      const remainingMinor = Math.max(0, card.balance_minor - withdrawnMinor - unbackedMinor)
      return [card.card_no, { balanceMinor: card.balance_minor, withdrawnMinor, unbackedMinor, remainingMinor }]
    }),
  )
}

const remainingOf = async (
  db: StoreReader,
  card: { readonly card_no: number; readonly balance_minor: number },
): Promise<RemainingValue> => {
  const found = (await remainingValues(db, [card])).get(card.card_no)
  if (found === undefined) throw new Error('a card has no value, not even none')
  return found
}

export interface ClosureRequest {
  readonly cardId: string
  readonly kind: 'replace' | 'refund'
  /** Of `replace`: the card that gets the money. */
  readonly replacement?: string
  readonly reason: string
  /** Now, before entries that terminals still hold can have come: what they take is the issuer's loss. */
  readonly atIssuersRisk?: boolean
}

/** Owed to a card, not loaded yet. */
export interface OpenCredit {
  readonly reference: string
  readonly amountMinor: number
}

export type ClosureOutcome =
  /** Of a refund: another person has to ask for the same. */
  | (Proposed & { readonly cardId: string })
  | {
      readonly outcome: 'waiting'
      readonly cardId: string
      /** From then on the same request completes it. */
      readonly readyAt: number
      /** As far as is known now. */
      readonly remainingMinor: number
      /** Open credits, which go with it. */
      readonly creditsMinor: number
    }
  | {
      readonly outcome: 'done'
      readonly cardId: string
      readonly amountMinor: number
      /** Stays with the card until a person decides. */
      readonly unbackedMinor: number
      /** Of a replacement: what its load is paid with. */
      readonly reference?: string
      readonly replacement?: string
      /** Credits of the card: moved to its replacement, or paid out with it. */
      readonly creditsMinor: number
      /** Each of them. */
      readonly credits: readonly OpenCredit[]
    }

/**
 * Replaces or refunds a card: blocks it at once, and lets its money go when everything that terminals may hold has had its time.
 * The same request again says how it stands, and completes it when it is due.
 * @throws IssuerError `unknownCard`, `input`
 */
export const closeCard = async (issuer: Issuer, by: Actor, request: ClosureRequest): Promise<ClosureOutcome> => {
  const reason = requireReason(request.reason)
  const id = cardId(request.cardId)
  await issuer.store.read(async (db) => {
    await requireCard(db, id)
    await requireReplacement(db, request)
  })
  await blockForReason(issuer, by, { cardId: id, reason })
  return issuer.store.write(async (db) => {
    const card = await requireCard(db, id)
    const replacementNo = await requireReplacement(db, request)
    const value = await remainingOf(db, card)
    const creditsMinor = sumMinor(await openCredits(db, card.card_no))
    const at = issuer.clock()
    const waiting = await db
      .selectFrom('card_closure')
      .selectAll()
      .where('card_no', '=', card.card_no)
      .where('state', '=', 'waiting')
      .executeTakeFirst()
    if (waiting !== undefined && (waiting.kind !== request.kind || waiting.replacement_no !== replacementNo))
      throw new IssuerError(
        'refused',
        `Card ${id} is being closed in another way already (${waiting.kind}): withdraw that with "farthing issuer card keep".`,
      )
    const earlier = waiting === undefined ? await doneBefore(db, card.card_no) : undefined
    if (earlier !== undefined && value.remainingMinor === 0 && creditsMinor === 0) return earlier
    // An expired card buys nothing, blocked or not.
    const lastUse = Math.min(card.blocked_at ?? at, card.expires_at ?? at)
    const readyAt = waiting?.ready_at ?? lastUse + (await heldSecondsMax(issuer, db))
    const closureNo = waiting?.closure_no ?? (await insertWaiting())
    if (at < readyAt && request.atIssuersRisk !== true)
      return { outcome: 'waiting', cardId: id, readyAt, remainingMinor: value.remainingMinor, creditsMinor }
    if (request.kind === 'refund') {
      const amountMinor = value.remainingMinor + creditsMinor
      const decision = { kind: 'refund', amountMinor, cardId: id, atIssuersRisk: at < readyAt } as const
      const proposed = await askSecondPerson(db, { by, at, decision, reason })
      if (proposed !== undefined) return { ...proposed, cardId: id }
    }
    return finish(issuer, db, { by, card, closureNo, kind: request.kind, replacementNo, value, atRisk: at < readyAt })

    async function insertWaiting(): Promise<number> {
      const { closure_no } = await db
        .insertInto('card_closure')
        .values({
          card_no: card.card_no,
          kind: request.kind,
          state: 'waiting',
          replacement_no: replacementNo,
          reason,
          requested_at: at,
          requested_by: by.name,
          ready_at: readyAt,
        })
        .returning('closure_no')
        .executeTakeFirstOrThrow()
      await noteChange(
        db,
        { name: by.name, at },
        {
          action: `card.${request.kind}.request`,
          subject: id,
          after: {
            reason,
            readyAt,
            ...(request.replacement === undefined ? {} : { replacement: request.replacement }),
          },
        },
      )
      return closure_no
    }
  })
}

/** @returns the replacement's number, null for a refund */
const requireReplacement = async (db: StoreReader, request: ClosureRequest): Promise<number | null> => {
  if (request.kind === 'refund') return null
  if (request.replacement === undefined || request.replacement === request.cardId)
    throw new IssuerError('input', 'Name another card that replaces this one.')
  const card = await requireCard(db, request.replacement)
  if (card.status !== 'active')
    throw new IssuerError('refused', `Card ${card.card_id} is blocked itself: take another one.`)
  return card.card_no
}

const doneBefore = async (db: StoreReader, cardNo: number): Promise<ClosureOutcome | undefined> => {
  const found = await db
    .selectFrom('card_closure')
    .innerJoin('card', 'card.card_no', 'card_closure.card_no')
    .leftJoin('card as replacement', 'replacement.card_no', 'card_closure.replacement_no')
    .leftJoin('funding', 'funding.funding_no', 'card_closure.funding_no')
    .select(['card.card_id', 'card_closure.amount_minor', 'funding.reference', 'replacement.card_id as new_id'])
    .where('card_closure.card_no', '=', cardNo)
    .where('card_closure.state', '=', 'done')
    .where('card_closure.kind', '!=', 'breakage')
    .orderBy('closure_no', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (found === undefined) return undefined
  return {
    outcome: 'done',
    cardId: found.card_id,
    amountMinor: found.amount_minor,
    unbackedMinor: 0,
    creditsMinor: 0,
    credits: [],
    ...(found.reference === null ? {} : { reference: found.reference }),
    ...(found.new_id === null ? {} : { replacement: found.new_id }),
  }
}

const finish = async (
  issuer: Issuer,
  db: StoreWriter,
  closing: {
    readonly by: Actor
    readonly card: { readonly card_no: number; readonly card_id: string }
    readonly closureNo: number
    readonly kind: 'replace' | 'refund'
    readonly replacementNo: number | null
    readonly value: RemainingValue
    readonly atRisk: boolean
  },
): Promise<ClosureOutcome> => {
  const { by, card, closureNo, value, replacementNo } = closing
  const at = issuer.clock()
  const document = `closure ${closureNo}`
  const amountMinor = value.remainingMinor
  const credit =
    replacementNo === null || amountMinor === 0
      ? undefined
      : await makeCredit(issuer, db, {
          by,
          cardNo: replacementNo,
          amountMinor,
          from: { kind: 'float' },
          cause: 'replacement',
          document,
          bookedCardNo: card.card_no,
        })
  if (replacementNo === null && amountMinor > 0) {
    const posting = {
      from: { kind: 'float' },
      to: { kind: 'bank' },
      amountMinor,
      document,
      cardNo: card.card_no,
    } as const
    await book(db, { ...posting, cause: 'refund' }, at)
  }
  const credits = await openCredits(db, card.card_no)
  const creditsMinor = sumMinor(credits)
  if (replacementNo === null) await payCreditsOut(db, credits, { cardNo: card.card_no, document, at })
  else await moveCredits(db, { from: card.card_no, to: replacementNo })
  await db
    .updateTable('card_closure')
    .set({
      state: 'done',
      amount_minor: amountMinor,
      at_risk: closing.atRisk ? 1 : 0,
      funding_no: credit?.fundingNo ?? null,
      done_at: at,
      done_by: by.name,
    })
    .where('closure_no', '=', closureNo)
    .execute()
  const replacement =
    replacementNo === null
      ? undefined
      : (await db.selectFrom('card').select('card_id').where('card_no', '=', replacementNo).executeTakeFirstOrThrow())
          .card_id
  await noteChange(
    db,
    { name: by.name, at },
    {
      action: `card.${closing.kind}`,
      subject: card.card_id,
      before: { balanceMinor: value.balanceMinor, withdrawnMinor: value.withdrawnMinor },
      after: {
        amountMinor,
        creditsMinor,
        atRisk: closing.atRisk,
        ...(replacement === undefined ? {} : { replacement }),
      },
    },
  )
  return {
    outcome: 'done',
    cardId: card.card_id,
    amountMinor,
    unbackedMinor: Math.min(value.unbackedMinor, Math.max(0, value.balanceMinor - value.withdrawnMinor)),
    creditsMinor,
    credits: credits.map(({ reference, amount_minor }) => ({ reference: reference ?? '', amountMinor: amount_minor })),
    ...(credit === undefined ? {} : { reference: credit.reference }),
    ...(replacement === undefined ? {} : { replacement }),
  }
}

const openCredits = (db: StoreReader, cardNo: number) =>
  db
    .selectFrom('funding')
    .select(['funding_no', 'amount_minor', 'reference'])
    .where('card_no', '=', cardNo)
    .where('state', '=', 'open')
    .execute()

const sumMinor = (rows: readonly { readonly amount_minor: number }[]): number =>
  rows.reduce((sum, { amount_minor }) => sum + amount_minor, 0)

/** What was owed to the card is owed to the one that replaces it. */
const moveCredits = async (db: StoreWriter, cards: { readonly from: number; readonly to: number }): Promise<void> => {
  await db
    .updateTable('funding')
    .set({ card_no: cards.to, only_counter: null })
    .where('card_no', '=', cards.from)
    .where('state', '=', 'open')
    .execute()
}

const payCreditsOut = async (
  db: StoreWriter,
  credits: Awaited<ReturnType<typeof openCredits>>,
  about: { readonly cardNo: number; readonly document: string; readonly at: number },
): Promise<void> => {
  const { cardNo, document, at } = about
  const [from, to] = [{ kind: 'credits' }, { kind: 'bank' }] as const
  for (const { funding_no, amount_minor: amountMinor } of credits) {
    await db.updateTable('funding').set({ state: 'paidOut' }).where('funding_no', '=', funding_no).execute()
    await book(db, { from, to, amountMinor, cause: 'creditPaidOut', document, cardNo }, at)
  }
}

/** The card was found: it is not closed after all. It stays blocked until it is unblocked. @throws IssuerError `input`, `unknownCard` */
export const keepCard = (
  issuer: Issuer,
  by: Actor,
  card: { readonly cardId: string; readonly reason: string },
): Promise<{ cardId: string }> => {
  const reason = requireReason(card.reason)
  return issuer.store.write(async (db) => {
    const { card_no } = await requireCard(db, card.cardId)
    const gone = await db
      .deleteFrom('card_closure')
      .where('card_no', '=', card_no)
      .where('state', '=', 'waiting')
      .returning('kind')
      .executeTakeFirst()
    if (gone === undefined) throw new IssuerError('refused', `Card ${card.cardId} is not waiting to be closed.`)
    await refuseRefunds(db, { cardId: card.cardId, name: by.name, at: issuer.clock() })
    await noteChange(
      db,
      { name: by.name, at: issuer.clock() },
      {
        action: `card.${gone.kind}.withdraw`,
        subject: card.cardId,
        after: { reason },
      },
    )
    return { cardId: card.cardId }
  })
}

/** Closures whose time has come; the same request completes each. */
export const dueClosures = (issuer: Issuer, limit: number) =>
  issuer.store.read(async (db) => {
    const rows = await db
      .selectFrom('card_closure')
      .innerJoin('card', 'card.card_no', 'card_closure.card_no')
      .leftJoin('card as replacement', 'replacement.card_no', 'card_closure.replacement_no')
      .select(['card.card_id', 'kind', 'ready_at', 'reason', 'replacement.card_id as new_id'])
      .where('state', '=', 'waiting')
      .orderBy('ready_at')
      .limit(limit)
      .execute()
    return rows.map((row) => ({
      cardId: row.card_id,
      kind: row.kind,
      reason: row.reason,
      readyAt: row.ready_at,
      due: row.ready_at <= issuer.clock(),
      ...(row.new_id === null ? {} : { replacement: row.new_id }),
    }))
  })

const graceKey = 'breakageGraceDays'

export const breakageGraceDays = async (db: StoreReader): Promise<number> => {
  const row = await db.selectFrom('setting').select('value').where('key', '=', graceKey).executeTakeFirst()
  return row === undefined ? graceDaysDefault : Number(row.value)
}

/** How long after a card's or voucher's last day its money is still its holder's. @throws IssuerError `input` */
export const setBreakageGrace = (issuer: Issuer, by: Actor, days: number): Promise<{ graceDays: number }> => {
  if (!Number.isInteger(days) || days < 0 || days > graceDaysMax)
    throw new IssuerError('input', `The time of grace is 0 to ${graceDaysMax} days.`)
  return issuer.store.write(async (db) => {
    const before = await breakageGraceDays(db)
    const value = String(days)
    await db
      .insertInto('setting')
      .values({ key: graceKey, value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
      .execute()
    await noteChange(
      db,
      { name: by.name, at: issuer.clock() },
      {
        action: 'breakage.grace.set',
        subject: 'book',
        before: { graceDays: before },
        after: { graceDays: days },
      },
    )
    return { graceDays: days }
  })
}

export interface Breakage {
  readonly graceDays: number
  readonly booked: boolean
  readonly cards: readonly { readonly cardId: string; readonly expiresAt: number; readonly amountMinor: number }[]
  readonly vouchers: { readonly count: number; readonly amountMinor: number }
  readonly sumMinor: number
  /** true: there are more; run it again. */
  readonly more: boolean
}

/** Cards in one run, one transaction: the next run goes on. */
const breakageCardsMax = 5_000

/**
 * What expired so long ago that its money is the issuer's: lists it, and books it when told to. What was booked does not come again.
 */
export const runBreakage = (issuer: Issuer, by: Actor, options: { readonly book: boolean }): Promise<Breakage> => {
  const work = async (db: StoreReader, writer: StoreWriter | undefined): Promise<Breakage> => {
    const graceDays = await breakageGraceDays(db)
    const cutoff = issuer.clock() - graceDays * daySeconds
    const found = await lapsedCards(db, cutoff)
    const vouchers = await lapsedVouchers(db, cutoff)
    if (writer !== undefined) {
      for (const card of found.cards) await bookBreakage(issuer, writer, by, card)
      await bookLapsedVouchers(issuer, writer, { cutoff, amountMinor: vouchers.amountMinor })
      await noteChange(
        writer,
        { name: by.name, at: issuer.clock() },
        {
          action: 'breakage.book',
          subject: 'book',
          after: { cards: found.cards.length, vouchers },
        },
      )
    }
    const cards = found.cards.map(({ cardId: id, expiresAt, amountMinor }) => ({ cardId: id, expiresAt, amountMinor }))
    return {
      graceDays,
      booked: writer !== undefined,
      cards,
      vouchers,
      sumMinor: cards.reduce((sum, { amountMinor }) => sum + amountMinor, vouchers.amountMinor),
      more: found.more,
    }
  }
  return options.book ? issuer.store.write((db) => work(db, db)) : issuer.store.read((db) => work(db, undefined))
}

interface LapsedCard {
  readonly cardNo: number
  readonly cardId: string
  readonly expiresAt: number
  readonly amountMinor: number
}

const lapsedCards = async (db: StoreReader, cutoff: number): Promise<{ cards: LapsedCard[]; more: boolean }> => {
  const rows = await db
    .selectFrom('card')
    .select(['card_no', 'card_id', 'expires_at', 'balance_minor'])
    .$narrowType<{ expires_at: number }>()
    .where('expires_at', '<', cutoff)
    .where('balance_minor', '>', 0)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(selectFrom('card_closure').select('closure_no').whereRef('card_closure.card_no', '=', 'card.card_no')),
      ),
    )
    .orderBy('expires_at')
    .orderBy('card_no')
    .limit(breakageCardsMax + 1)
    .execute()
  const values = new Map<number, RemainingValue>()
  for (let at = 0; at < rows.length; at += 500)
    for (const [no, value] of await remainingValues(db, rows.slice(at, at + 500))) values.set(no, value)
  const cards = rows.slice(0, breakageCardsMax).flatMap((row) => {
    const amountMinor = values.get(row.card_no)?.remainingMinor ?? 0
    return amountMinor === 0
      ? []
      : [{ cardNo: row.card_no, cardId: row.card_id, expiresAt: row.expires_at, amountMinor }]
  })
  return { cards, more: rows.length > breakageCardsMax }
}

const bookBreakage = async (issuer: Issuer, db: StoreWriter, by: Actor, card: LapsedCard): Promise<void> => {
  const at = issuer.clock()
  const { closure_no } = await db
    .insertInto('card_closure')
    .values({
      card_no: card.cardNo,
      kind: 'breakage',
      state: 'done',
      replacement_no: null,
      reason: 'expired',
      requested_at: at,
      requested_by: by.name,
      ready_at: at,
      amount_minor: card.amountMinor,
      done_at: at,
      done_by: by.name,
    })
    .returning('closure_no')
    .executeTakeFirstOrThrow()
  await book(
    db,
    {
      from: { kind: 'float' },
      to: { kind: 'breakage' },
      amountMinor: card.amountMinor,
      cause: 'breakage',
      document: `closure ${closure_no}`,
      cardNo: card.cardNo,
    },
    at,
  )
}

/** Of lots that were paid: the others never brought money that could lapse. */
const lapsedVouchers = async (db: StoreReader, cutoff: number): Promise<{ count: number; amountMinor: number }> => {
  const row = await db
    .selectFrom('funding')
    .innerJoin('voucher_lot', 'voucher_lot.lot_no', 'funding.lot_no')
    .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.sum<number | null>('funding.amount_minor').as('sum')])
    .where('funding.state', '=', 'open')
    .where('funding.expires_at', '<', cutoff)
    .where('voucher_lot.paid_at', 'is not', null)
    .executeTakeFirstOrThrow()
  return { count: Number(row.count), amountMinor: Number(row.sum ?? 0) }
}

const bookLapsedVouchers = async (
  issuer: Issuer,
  db: StoreWriter,
  lapsed: { readonly cutoff: number; readonly amountMinor: number },
): Promise<void> => {
  const paidLots = db.selectFrom('voucher_lot').select('lot_no').where('paid_at', 'is not', null)
  const expired = () => db.updateTable('funding').where('state', '=', 'open').where('expires_at', '<', lapsed.cutoff)
  await expired().set({ state: 'lapsed' }).where('lot_no', 'in', paidLots).execute()
  await expired().set({ state: 'cancelled' }).where('kind', '=', 'voucher').execute()
  if (lapsed.amountMinor === 0) return
  const posting = { from: { kind: 'vouchers' }, to: { kind: 'breakage' }, amountMinor: lapsed.amountMinor } as const
  const document = `vouchers expired before ${lapsed.cutoff}`
  await book(db, { ...posting, cause: 'breakage', document }, issuer.clock())
}
