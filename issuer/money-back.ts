/**
 * Money back for a payment: a person's decision, never the system's (PROTOCOL.md, Documents). It waits until the selling
 * terminal has said its last, and until no reversal can follow; or a named party bears that risk. It ends the right to the goods,
 * and reaches the card with its next load.
 */
import { type Actor, requireReason } from './actor.ts'
import { noteChange } from './audit-log.ts'
import type { Charged } from './card-tables.ts'
import { requireCard } from './cards.ts'
import { IssuerError } from './errors.ts'
import { makeCredit } from './funding.ts'
import type { Issuer } from './issuer.ts'
import type { AccountName } from './postings.ts'
import { askSecondPerson, type Proposed } from './second-person.ts'
import type { StoreReader, StoreWriter } from './store.ts'

export interface MoneyBack {
  readonly outcome: 'done'
  readonly cardId: string
  readonly counter: number
  readonly amountMinor: number
  /** Whose money it was. */
  readonly charged: Charged
  /** What the load that brings it is paid with. */
  readonly reference: string
  /** No other counter of the card can take it, until a record has settled that one. */
  readonly onlyCounter?: number
}

/** Why money back must wait: in words for who decides. undefined: nothing stands against it. */
export interface MoneyBackStand {
  readonly refusal?: string
  /** Only at a named party's risk, and why. */
  readonly risk?: string
  /** The refunding load must take this counter itself. */
  readonly onlyCounter?: number
}

export const readPayment = async (db: StoreReader, cardNo: number, counter: number) =>
  db
    .selectFrom('settlement')
    .innerJoin('terminal', 'terminal.terminal_no', 'settlement.terminal_no')
    .selectAll('settlement')
    .select(['terminal.terminal_id', 'terminal.merchant_no'])
    .where('card_no', '=', cardNo)
    .where('counter', '=', counter)
    .executeTakeFirst()

type Payment = NonNullable<Awaited<ReturnType<typeof readPayment>>>

/** What the protocol's rule says of this payment. Inside one transaction. */
export const moneyBackStand = async (
  db: StoreReader,
  payment: Pick<
    Payment,
    'card_no' | 'counter' | 'record' | 'order_type' | 'settlement_mac' | 'exception' | 'money_back_at'
  >,
): Promise<MoneyBackStand> => {
  const { card_no: cardNo, counter } = payment
  if (payment.order_type !== 'payment') return { refusal: `#${counter} is no payment.` }
  if (payment.settlement_mac === null) return { refusal: `#${counter} is not proved: nothing was paid yet.` }
  if (payment.money_back_at !== null) return { refusal: `The money for #${counter} was given back already.` }
  if (payment.exception !== null)
    return { refusal: `#${counter} waits in suspense (${payment.exception}): decide its case, nobody was paid for it.` }
  const next = await db
    .selectFrom('settlement')
    .select(['order_type', 'settlement_mac', 'exception'])
    .where('card_no', '=', cardNo)
    .where('counter', '=', counter + 1)
    .executeTakeFirst()
  const seam = await db
    .selectFrom('seam')
    .select(['before_counter', 'explanation'])
    .where('card_no', '=', cardNo)
    .where('after_counter', '=', counter)
    .executeTakeFirst()
  const isHole = seam !== undefined && seam.before_counter - counter > 1
  if ((next?.order_type === 'reversal' && next.exception === null) || (isHole && seam.explanation === 'reversal'))
    return { refusal: `#${counter} was reversed: the card has the money back.` }
  const said = await db
    .selectFrom('note')
    .select('record')
    .where('record', '=', payment.record)
    .where((eb) => eb.or([eb('voided', '>', 0), eb('owed', '>', 0), eb('abandoned', '>', 0)]))
    .executeTakeFirst()
  const tookBack = await db
    .selectFrom('device_refund')
    .innerJoin('card', 'card.card_id', 'device_refund.card_id')
    .innerJoin('settlement', (join) =>
      join
        .onRef('settlement.card_no', '=', 'card.card_no')
        .onRef('settlement.counter', '=', 'device_refund.counter')
        .onRef('settlement.terminal_no', '=', 'device_refund.terminal_no'),
    )
    .select('refund_no')
    .where('card.card_no', '=', cardNo)
    .where('device_refund.counter', '=', counter)
    .executeTakeFirst()
  if (said === undefined && tookBack === undefined)
    return {
      risk: "By its terminal's word this sale stands: the goods were handed over, or still may be. An operator can take it back at that kiosk.",
    }
  if (next !== undefined && next.settlement_mac !== null) return {}
  if (isHole) return { risk: `#${counter + 1} is missing: it may be the reversal.` }
  // Nothing is known to follow: the refunding load rules a reversal out by taking that counter itself.
  return { onlyCounter: counter + 1 }
}

/** Books it, in the caller's transaction: that it may be is decided. */
export const bookMoneyBack = async (
  issuer: Issuer,
  db: StoreWriter,
  given: {
    readonly by: Actor
    readonly cardId: string
    readonly payment: Payment
    /** No more than the price. */
    readonly amountMinor: number
    readonly charged: Charged
    readonly atRisk: boolean
    readonly reason: string
    readonly onlyCounter?: number
  },
): Promise<MoneyBack> => {
  const at = issuer.clock()
  const { by, cardId, payment, amountMinor, charged, atRisk, reason } = given
  const { card_no: cardNo, counter } = payment
  const onlyCounter = given.onlyCounter === undefined ? {} : { onlyCounter: given.onlyCounter }
  const from: AccountName =
    charged === 'merchant' ? { kind: 'payable', merchantNo: payment.merchant_no } : { kind: 'losses' }
  const { fundingNo, reference } = await makeCredit(issuer, db, {
    by,
    cardNo,
    amountMinor,
    from,
    cause: 'moneyBack',
    document: `money back ${cardId} #${counter}`,
    counter,
    ...onlyCounter,
  })
  await db
    .updateTable('settlement')
    .set({ money_back_at: at })
    .where('card_no', '=', cardNo)
    .where('counter', '=', counter)
    .execute()
  await db
    .insertInto('money_back')
    .values({
      card_no: cardNo,
      counter,
      amount_minor: amountMinor,
      charged,
      at_risk: atRisk ? 1 : 0,
      funding_no: fundingNo,
      reason,
      decided_at: at,
      decided_by: by.name,
    })
    .execute()
  // What a terminal asked for is done with it, whoever decided.
  await db
    .updateTable('device_refund')
    .set({ state: 'booked', why: null, decided_at: at })
    .where('card_id', '=', cardId)
    .where('counter', '=', counter)
    .where('terminal_no', '=', payment.terminal_no)
    .execute()
  await noteChange(
    db,
    { name: by.name, at },
    { action: 'card.moneyBack', subject: `${cardId} #${counter}`, after: { amountMinor, charged, atRisk, reason } },
  )
  return { outcome: 'done', cardId, counter, amountMinor, charged, reference, ...onlyCounter }
}

/**
 * Gives a payment's money back; at a named party's risk, over what one person decides, when a second one decides the same.
 * @param request.atRiskOf who bears it if the goods are handed over or the payment is reversed all the same; absent: by the rule, charged to the merchant
 * @throws IssuerError `unknownCard`, `input`
 */
export const giveMoneyBack = (
  issuer: Issuer,
  by: Actor,
  request: {
    readonly cardId: string
    readonly counter: number
    readonly reason: string
    readonly atRiskOf?: Charged
  },
): Promise<MoneyBack | Proposed> => {
  const reason = requireReason(request.reason)
  const { counter, atRiskOf } = request
  return issuer.store.write(async (db) => {
    const card = await requireCard(db, request.cardId)
    const payment = await readPayment(db, card.card_no, counter)
    if (payment === undefined)
      throw new IssuerError('refused', `Card ${card.card_id} has no settled #${counter}: see its history.`)
    const stand = await moneyBackStand(db, payment)
    if (stand.refusal !== undefined) throw new IssuerError('refused', stand.refusal)
    if (stand.risk !== undefined && atRiskOf === undefined)
      throw new IssuerError('refused', `${stand.risk} Wait, or say whose risk it is: --at-risk-of issuer or merchant.`)
    if (atRiskOf !== undefined) {
      const { amount_minor: amountMinor } = payment
      const decision = { kind: 'moneyBack', amountMinor, cardId: card.card_id, counter, atRiskOf } as const
      const proposed = await askSecondPerson(db, { by, at: issuer.clock(), decision, reason })
      if (proposed !== undefined) return proposed
    }
    return bookMoneyBack(issuer, db, {
      by,
      cardId: card.card_id,
      payment,
      amountMinor: payment.amount_minor,
      charged: atRiskOf ?? 'merchant',
      atRisk: stand.risk !== undefined,
      reason,
      ...(atRiskOf !== undefined || stand.onlyCounter === undefined ? {} : { onlyCounter: stand.onlyCounter }),
    })
  })
}
