/**
 * Undoes a payment in the tap that made it, when its goods could not be handed over (PROTOCOL.md, The secret).
 * The payment's secret is the key to it; it is in memory only, and afterwards nowhere.
 */
import type { Intent } from '../../db/ledger.ts'
import type { Order } from '../../protocol/order.ts'
import { counter, unixTime } from '../../protocol/quantities.ts'
import { balanceAfter, type CardRecord, parseRecord } from '../../protocol/record.ts'
import type { PurseSession } from '../purse-session.ts'
import { CardFault } from '../reader/card-reader.ts'
import type { Terminal } from '../terminal.ts'

/** `reversed`: the card has its money back. `owed`: that is unknown; no goods ever come from here, and a person decides. */
export type ReversalOutcome = 'reversed' | 'owed'

export const reverse = async (
  terminal: Terminal,
  session: PurseSession,
  sale: { readonly payment: Intent; readonly secret: Uint8Array },
): Promise<ReversalOutcome> => {
  const { ledger } = terminal
  const paid = parseRecord(sale.payment.record)
  const balance = balanceAfter(paid.balanceAfterMinor, { type: 'reversal', amountMinor: paid.order.amountMinor })
  const owed = (): ReversalOutcome => {
    ledger.markOwed(sale.payment.terminalSeq)
    return 'owed'
  }
  if (balance === undefined || paid.counter === 0xffffffff) return owed()
  const order: Order = {
    ...paid.order,
    type: 'reversal',
    reference: paid.counter,
    terminalSeq: ledger.nextTerminalSeq(),
    time: unixTime(ledger.now()),
    lock: sale.secret.slice(),
  }
  const expected: CardRecord = {
    identity: paid.identity,
    counter: counter(paid.counter + 1),
    balanceAfterMinor: balance,
    order,
  }
  const intent = ledger.writeIntent({ record: expected, reverses: sale.payment.terminalSeq })
  try {
    const initiated = await session.initiate(order)
    if (initiated.outcome !== 'offered') return owed()
    const { offer } = initiated
    if (offer.counter !== expected.counter || offer.balanceMinor !== paid.balanceAfterMinor) return owed()
    const committed = await session.commit(offer, expected)
    if (committed.outcome !== 'accepted') return owed()
    ledger.capture(intent, committed.settlementMac)
    return 'reversed'
  } catch (error) {
    if (error instanceof CardFault) return owed()
    throw error
  }
}
