/**
 * Blocks a hot-listed card on sight, with the MAC that the hotlist carries for it (PROTOCOL.md, tag 07). It moves no money,
 * so it needs no intent: when it is cut, the card's record of it comes back as a witness.
 */

import { probeOrder } from '../../protocol/order.ts'
import { currencyCode, type Mac, unixTime } from '../../protocol/quantities.ts'
import type { CardRecord } from '../../protocol/record.ts'
import type { PurseSession } from '../purse-session.ts'
import { CardFault } from '../reader/card-reader.ts'
import type { Terminal } from '../terminal.ts'

/** @returns whether the card is blocked now, for good */
export const blockOnSight = async (terminal: Terminal, session: PurseSession, blockMac: Mac): Promise<boolean> => {
  const { ledger, identity } = terminal
  const order = {
    ...probeOrder({
      currency: currencyCode(session.info.currency),
      terminalId: identity.terminalId,
      terminalSeq: ledger.nextTerminalSeq(),
      time: unixTime(ledger.now()),
      lock: new Uint8Array(16),
    }),
    type: 'block' as const,
  }
  try {
    const initiated = await session.initiate(order)
    if (initiated.outcome !== 'offered') return false
    const { offer } = initiated
    if (offer.counter <= ledger.counterMax(session.info.cardId)) return false
    const expected: CardRecord = {
      identity: session.identity,
      counter: offer.counter,
      balanceAfterMinor: offer.balanceMinor,
      order,
    }
    const committed = await session.commitWith(blockMac, expected)
    if (committed.outcome !== 'accepted') return false
    ledger.writeWitness(expected, committed.settlementMac)
    return true
  } catch (error) {
    if (error instanceof CardFault) return false
    throw error
  }
}
