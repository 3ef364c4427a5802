/** How much of a card's number people see. */
import type { CardId } from '../protocol/quantities.ts'

/** The last four digits: enough to tell a card apart, not enough to be it. */
export const cardEnding = (card: CardId): string => card.slice(-4)

/** As receipts and the log have it. */
export const cardMasked = (card: CardId): string => `···· ${cardEnding(card)}`
