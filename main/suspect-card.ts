/** Where a card is found out: its answers are false, or prove nothing. */
import type { CardId } from '../protocol/quantities.ts'
import { cardMasked } from './card-id.ts'
import type { Terminal } from './terminal.ts'

/** The ledger keeps it as an alarm; of a kiosk, the log says it to whoever asks why the card was declined. */
export const noteSuspect = ({ ledger, log }: Terminal, cardId: CardId, detail: string): void => {
  ledger.writeAlarm({ kind: 'cardSuspect', cardId, detail })
  log?.(`card ${cardMasked(cardId)} is suspect: ${detail}`)
}
