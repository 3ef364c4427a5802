/**
 * Whether this card may buy these goods here: every refusal by name, in order of precedence (PROTOCOL.md, Refusals).
 * Pure: it reads, it changes nothing, and it runs before any debit.
 */
import type { RefusalReason } from '../../preload/contract.ts'
import type { CardInfo } from '../../protocol/card-info.ts'
import { currencyOf } from '../../protocol/currency.ts'
import type { Item } from '../../protocol/item.ts'
import type { Terminal } from '../terminal.ts'

export interface Refusal {
  readonly reason: RefusalReason
  /** How much is missing, when the balance is too low. */
  readonly missingMinor?: number
  /** How often the PIN may still be tried, when it is needed or was wrong. */
  readonly triesLeft?: number
}

/** Why the terminal sells nothing at all now; undefined when it is in order. */
export const outOfServiceReason = (
  terminal: Terminal,
): 'storage' | 'closed' | 'stopped' | 'notEnrolled' | 'stale' | undefined => {
  if (terminal.storageFault() !== undefined) return 'storage'
  if (terminal.ledger.closedFor !== undefined) return 'closed'
  if (terminal.ledger.stoppedVerdict !== undefined) return 'stopped'
  const { issued, hotlist, ledger } = terminal
  // Without a hotlist any card could be a stolen one: nothing is sold before the first whole list.
  if (issued === undefined || hotlist.inForce === undefined) return 'notEnrolled'
  if (ledger.now() > Math.min(Date.parse(issued.bulletin.expiresAt) / 1000, hotlist.inForce.goodUntil)) return 'stale'
  return undefined
}

/** The terminal's own caps and the card's, while the issuer cannot see (PROTOCOL.md, Limits). */
const overLimit = (terminal: Terminal, card: CardInfo, priceMinor: number): boolean => {
  const { ledger, issued, hotlist } = terminal
  if (issued === undefined || hotlist.inForce === undefined) return true
  const { limits } = issued.bulletin
  // The list's age and not the bulletin's: one whose list has not arrived yet says nothing of stolen cards.
  const age = ledger.now() - hotlist.inForce.asOf
  const { unsynced } = ledger
  return (
    priceMinor > (age > limits.staleAfterSeconds ? limits.staleSaleMinorMax : limits.saleMinorMax) ||
    ledger.cardUnsyncedMinor(card.cardId) + priceMinor > limits.cardUnsyncedMinorMax ||
    unsynced.count >= limits.unsyncedCountMax ||
    unsynced.amountMinor + priceMinor > limits.unsyncedMinorMax ||
    (unsynced.oldestTime !== undefined && ledger.now() - unsynced.oldestTime > limits.unsyncedSecondsMax)
  )
}

/** @returns the first rule that forbids the sale, or undefined */
export const refusalOf = (
  terminal: Terminal,
  sale: {
    readonly card: CardInfo
    readonly item: Pick<Item, 'priceMinor' | 'currency'>
    readonly pinGiven?: boolean
  },
): Refusal | undefined => {
  const { card, item, pinGiven = false } = sale
  if (outOfServiceReason(terminal) !== undefined) return { reason: 'outOfService' }
  if (card.status === 'blocked') return { reason: 'cardBlocked' }
  if (terminal.hotlist.find(card.cardId) !== undefined) return { reason: 'hotlisted' }
  if (terminal.ledger.now() > card.expiry) return { reason: 'cardExpired' }
  if (card.currency !== currencyOf(item.currency).code) return { reason: 'wrongCurrency' }
  if (overLimit(terminal, card, item.priceMinor)) return { reason: 'limit' }
  if (card.balanceMinor < item.priceMinor)
    return { reason: 'balanceTooLow', missingMinor: item.priceMinor - card.balanceMinor }
  if (card.pinFreeLeftMinor >= item.priceMinor) return undefined
  if (card.pinTriesLeft === 0) return { reason: 'pinBlocked' }
  return pinGiven ? undefined : { reason: 'pinNeeded', triesLeft: card.pinTriesLeft }
}
