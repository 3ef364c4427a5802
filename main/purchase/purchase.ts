/**
 * One purchase, from the card in the reader to the goods: this function owns every branch (PROTOCOL.md, Recovery).
 *
 *   SELECT -> what of this card is in doubt? -> may it buy? -> INITIATE, offer checked -> the intent is durable
 *   -> COMMIT, acceptance checked -> captured and its entry are durable -> goods
 *
 * Two durable commits, and nothing else on the way. After COMMIT was sent, only a verified acceptance MAC means paid,
 * and only an offer or a record read from the card means not paid.
 */
import type { Intent } from '../../db/ledger.ts'
import type { RefusalReason } from '../../preload/contract.ts'
import { pinTriesOf, statusWord } from '../../protocol/apdu.ts'
import type { CardInfo } from '../../protocol/card-info.ts'
import { currencyOf } from '../../protocol/currency.ts'
import { shortHashOf } from '../../protocol/mac.ts'
import type { Order } from '../../protocol/order.ts'
import { amountMinor, type CardId, counter, unixTime } from '../../protocol/quantities.ts'
import { balanceAfter, type CardRecord } from '../../protocol/record.ts'
import type { ReadyGoods } from '../catalogue.ts'
import { openPurseSession, type PurseSession, selectPurse } from '../purse-session.ts'
import { type CardChannel, CardFault } from '../reader/card-reader.ts'
import { noteSuspect } from '../suspect-card.ts'
import type { Terminal } from '../terminal.ts'
import { blockOnSight } from './block.ts'
import { recover, witness } from './recovery.ts'
import { reverse } from './reversal.ts'
import { outOfServiceReason, type Refusal, refusalOf } from './rules.ts'

export type PurchaseOutcome =
  /** Paid. `recovered`: not by COMMIT's answer, but by what the card showed afterwards, in this tap or a later one. `goods` says whether this terminal hands them over, or they go by claim. */
  | {
      readonly outcome: 'captured'
      readonly payment: Intent
      readonly balanceMinor: number
      readonly recovered: boolean
      readonly goods: 'due' | 'owed'
      /** Whether a verified offer showed that no reversal follows it, so that a claim may be sealed. */
      readonly claimable: boolean
    }
  /** Not paid, and the card proved it or was never asked. */
  | ({ readonly outcome: 'declined'; readonly card?: CardInfo; readonly reversed?: boolean } & Refusal)
  /** COMMIT was sent and its answer is missing: the next tap of the same card decides. */
  | { readonly outcome: 'inDoubt'; readonly payment: Intent }
  /** The card left before COMMIT: not paid. */
  | { readonly outcome: 'cardLost' }

export interface PurchaseHooks {
  /** The card as it was selected in this use, when who it is decides what it is given; absent: it is selected. */
  readonly session?: PurseSession
  /** 4 to 12 digits; absent: a sale that needs a PIN is declined as pinNeeded. */
  readonly pin?: string | undefined
  /** Money may move from here on; the screen says hold still. */
  readonly onDebit?: (payment: Intent) => void
  /** Asked before the debit: whether what hands the goods over is fit (a printer has paper). Without, it is. */
  readonly canHandOver?: () => Promise<boolean>
  /** Must succeed before the goods count as handed over (a printer); when it throws, the payment is reversed. */
  readonly handOver?: (payment: Intent) => Promise<void>
}

const declined = (
  reason: RefusalReason,
  more: { card?: CardInfo; missingMinor?: number; triesLeft?: number } = {},
): PurchaseOutcome => ({
  outcome: 'declined',
  reason,
  ...more,
})

/** What a status word of INITIATE means to the customer. */
const refusalOfStatus = (status: number): RefusalReason => {
  switch (status) {
    case statusWord.cardBlocked:
      return 'cardBlocked'
    case statusWord.cardExpired:
      return 'cardExpired'
    case statusWord.wrongCurrency:
      return 'wrongCurrency'
    case statusWord.balanceTooLow:
      return 'balanceTooLow'
    case statusWord.pinRequired:
      return 'pinNeeded'
    case statusWord.pinBlocked:
      return 'pinBlocked'
    default:
      return pinTriesOf(status) === undefined ? 'cardSuspect' : 'pinWrong'
  }
}

/**
 * SELECT and the key that the card needs.
 * @returns undefined for a card that is not a purse of this issuer
 * @throws CardFault
 */
export const openSession = async (terminal: Terminal, channel: CardChannel): Promise<PurseSession | undefined> => {
  const info = await selectPurse(channel)
  const payKey = info && terminal.payKey(info.keyVersion, info.cardId)
  return info === undefined || payKey === undefined ? undefined : openPurseSession(channel, { info, payKey })
}

/** Sells these goods to the card in the reader, or finishes what an earlier tap of it left open. */
export const purchase = async (
  terminal: Terminal,
  channel: CardChannel,
  wanted: ReadyGoods,
  hooks: PurchaseHooks = {},
): Promise<PurchaseOutcome> => {
  const { ledger } = terminal
  let unwrittenVoids: readonly Intent[] = []
  try {
    const session = hooks.session ?? (await openSession(terminal, channel))
    if (session === undefined)
      return declined(outOfServiceReason(terminal) === undefined ? 'notAPurse' : 'outOfService')
    const { info: card } = session

    const recovery = await recover(terminal, session)
    switch (recovery.outcome) {
      case 'suspect':
        return declined('cardSuspect', { card })
      case 'captured':
        return { ...recovery, recovered: true, goods: 'due' }
      case 'owed':
        return { ...recovery, outcome: 'captured', recovered: true, goods: 'owed' }
      case 'clear':
        unwrittenVoids = recovery.provedVoid
    }

    const { unit } = wanted.item
    const freed = unwrittenVoids.some((doubt) => doubt.unit === unit)
    if (unit !== undefined && !freed && ledger.heldUnits().has(unit)) return declined('outOfStock', { card })
    const refusal = refusalOf(terminal, { card, item: wanted.item, pinGiven: hooks.pin !== undefined })
    if (refusal !== undefined) {
      const blockMac = terminal.hotlist.find(card.cardId)?.blockMac
      if (refusal.reason === 'hotlisted' && blockMac !== undefined) await blockOnSight(terminal, session, blockMac)
      return { outcome: 'declined', card, ...refusal }
    }

    if (hooks.canHandOver !== undefined && !(await hooks.canHandOver())) return declined('outOfService', { card })

    const secret = terminal.randomBytes(16)
    try {
      const order = paymentOrder(terminal, wanted, secret)
      const initiated = await session.initiate(order)
      if (initiated.outcome === 'refused') return refused(terminal, card, initiated.status)
      if (initiated.outcome === 'forged') return suspectCard(terminal, card, 'wrong offer MAC')
      const { offer } = initiated
      if (offer.counter <= ledger.counterMax(card.cardId))
        return suspectCard(terminal, card, `the card's counter went back to ${offer.counter}`)
      if (hooks.pin !== undefined && card.pinFreeLeftMinor < order.amountMinor) {
        const stored = await session.verifyPin(offer, hooks.pin)
        if (stored === 'blocked') return declined('pinBlocked', { card })
        if (stored === 'refused') return suspectCard(terminal, card, 'it refused to take a PIN')
      }
      const balance = balanceAfter(offer.balanceMinor, order)
      if (balance === undefined)
        return declined('balanceTooLow', { card, missingMinor: order.amountMinor - offer.balanceMinor })

      const expected: CardRecord = {
        identity: session.identity,
        counter: offer.counter,
        balanceAfterMinor: balance,
        order,
      }
      const voids = unwrittenVoids
      unwrittenVoids = []
      const payment = ledger.writeIntent(
        {
          record: expected,
          itemJson: wanted.itemJson,
          ...(wanted.item.unit === undefined ? {} : { unit: wanted.item.unit }),
        },
        voids,
      )
      hooks.onDebit?.(payment)
      return await debit(terminal, session, { payment, expected, offer, secret }, hooks)
    } finally {
      secret.fill(0)
    }
  } catch (error) {
    if (error instanceof CardFault) return { outcome: 'cardLost' }
    throw error
  } finally {
    ledger.writeVoids(unwrittenVoids)
  }
}

const paymentOrder = (terminal: Terminal, wanted: ReadyGoods, secret: Uint8Array): Order => ({
  type: 'payment',
  currency: currencyOf(wanted.item.currency).code,
  amountMinor: amountMinor(wanted.item.priceMinor),
  reference: counter(0),
  terminalId: terminal.identity.terminalId,
  terminalSeq: terminal.ledger.nextTerminalSeq(),
  time: unixTime(terminal.ledger.now()),
  itemHash: wanted.itemHash,
  lock: shortHashOf(secret),
})

const suspectCard = (terminal: Terminal, card: CardInfo, detail: string): PurchaseOutcome => {
  noteSuspect(terminal, card.cardId, detail)
  return declined('cardSuspect', { card })
}

/** What the card said, where it took nothing. */
const refused = (terminal: Terminal, card: CardInfo, status: number): PurchaseOutcome => {
  const reason = refusalOfStatus(status)
  if (reason === 'cardSuspect')
    return suspectCard(terminal, card, `it refused a sale with the status ${status.toString(16)}`)
  const triesLeft = pinTriesOf(status)
  return declined(reason, { card, ...(triesLeft === undefined ? {} : { triesLeft }) })
}

/** From COMMIT on: every way out of here is captured, in doubt, or declined with proof. */
const debit = async (
  terminal: Terminal,
  session: PurseSession,
  sale: {
    readonly payment: Intent
    readonly expected: CardRecord
    readonly offer: Parameters<PurseSession['commit']>[0]
    readonly secret: Uint8Array
  },
  hooks: PurchaseHooks,
): Promise<PurchaseOutcome> => {
  const { ledger } = terminal
  const { payment, expected, secret } = sale
  try {
    const committed = await session.commit(sale.offer, expected)
    if (committed.outcome === 'unproven') return await settleOnTheSpot(terminal, session, payment, committed.status)
    const captured = ledger.capture(payment, committed.settlementMac)
    if (hooks.handOver !== undefined) {
      try {
        await hooks.handOver(captured)
      } catch {
        const undone = await reverse(terminal, session, { payment: captured, secret })
        if (undone === 'reversed')
          return { outcome: 'declined', reason: 'outOfService', card: session.info, reversed: true }
        const owed = ledger.intent(captured.terminalSeq)
        return {
          outcome: 'captured',
          payment: owed,
          balanceMinor: expected.balanceAfterMinor,
          recovered: false,
          goods: 'owed',
          claimable: false,
        }
      }
    }
    return {
      outcome: 'captured',
      payment: captured,
      balanceMinor: expected.balanceAfterMinor,
      recovered: false,
      goods: 'due',
      claimable: true,
    }
  } catch (error) {
    if (error instanceof CardFault) return { outcome: 'inDoubt', payment }
    throw error
  }
}

/** COMMIT was answered with something that proves nothing, and the card is still there: it is asked at once. */
const settleOnTheSpot = async (
  terminal: Terminal,
  session: PurseSession,
  payment: Intent,
  status: number,
): Promise<PurchaseOutcome> => {
  const recovery = await recover(terminal, session)
  switch (recovery.outcome) {
    case 'captured':
      return { ...recovery, recovered: true, goods: 'due' }
    case 'owed':
      return { ...recovery, outcome: 'captured', recovered: true, goods: 'owed' }
    case 'suspect':
      return { outcome: 'inDoubt', payment }
    case 'clear':
      terminal.ledger.writeVoids(recovery.provedVoid)
      return refused(terminal, session.info, status)
  }
}

/** A payment that an earlier tap began, and that this one shows to be paid. */
export interface PaidBefore {
  readonly payment: Intent
  readonly balanceMinor: number
  readonly goods: 'due' | 'owed'
  readonly claimable: boolean
}

export type TapOutcome =
  | { readonly outcome: 'notAPurse' }
  | { readonly outcome: 'suspect' }
  | ({ readonly outcome: 'captured' } & PaidBefore)
  /** Nothing was open, or it was proved void. */
  | { readonly outcome: 'clear'; readonly card: CardInfo; readonly voided: number }

/** A tap that buys nothing: finishes what is open for this card. @throws CardFault */
export const finishOpen = async (
  terminal: Terminal,
  channel: CardChannel,
): Promise<TapOutcome & { session?: PurseSession }> => {
  const session = await openSession(terminal, channel)
  if (session === undefined) return { outcome: 'notAPurse' }
  const recovery = await recover(terminal, session)
  switch (recovery.outcome) {
    case 'suspect':
      return { outcome: 'suspect' }
    case 'captured':
      return { ...recovery, goods: 'due', session }
    case 'owed':
      return { ...recovery, outcome: 'captured', goods: 'owed', session }
    case 'clear':
      terminal.ledger.writeVoids(recovery.provedVoid)
      return { outcome: 'clear', card: session.info, voided: recovery.provedVoid.length, session }
  }
}

/** After a sale, if the card is still there: its newest record from elsewhere is passed on. Never fails a sale. */
export const witnessAfterSale = async (
  terminal: Terminal,
  channel: CardChannel,
  sold: { readonly cardId: CardId },
): Promise<void> => {
  try {
    const session = await openSession(terminal, channel)
    if (session === undefined || session.info.cardId !== sold.cardId) return
    await witness(terminal, session, session.info.counter)
  } catch (error) {
    if (!(error instanceof CardFault)) throw error
  }
}
