/** What a card checks before it makes an offer, in the order of PROTOCOL.md, The card, INITIATE. */
import { statusWord } from '../protocol/apdu.ts'
import { equalBytes, fromHex } from '../protocol/bytes.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { shortHashOf } from '../protocol/mac.ts'
import { type Order, orderTypes, parseOrder } from '../protocol/order.ts'
import { balanceAfter, parseRecord, recordLength } from '../protocol/record.ts'
import type { CardState } from './purse-state.ts'

/** The payment that a reversal would undo, if it is the newest that this card did and the order fits it. */
const undoesNewest = (card: CardState, order: Order): boolean => {
  const newest = card.log[0]
  if (newest === undefined) return false
  const payment = parseRecord(fromHex(newest.record, recordLength))
  return (
    payment.order.type === 'payment' &&
    payment.counter === order.reference &&
    payment.order.terminalId === order.terminalId &&
    payment.order.currency === order.currency &&
    payment.order.amountMinor === order.amountMinor &&
    equalBytes(payment.order.itemHash, order.itemHash) &&
    equalBytes(payment.order.lock, shortHashOf(order.lock))
  )
}

/** @returns the status word that refuses the order, or undefined */
const refusalByType = (card: CardState, order: Order): number | undefined => {
  const { type, amountMinor: amount } = order
  switch (type) {
    case 'payment':
      if (order.time > card.expiry) return statusWord.cardExpired
      if (amount === 0) return statusWord.wrongData
      return amount > card.balanceMinor ? statusWord.balanceTooLow : undefined
    case 'load':
      if (amount === 0) return statusWord.wrongData
      return card.balanceMinor + amount > card.balanceMaxMinor ? statusWord.overBalanceMax : undefined
    case 'reversal':
      return undoesNewest(card, order) && balanceAfter(card.balanceMinor, order) !== undefined
        ? undefined
        : statusWord.conditionsNotSatisfied
    case 'probe':
    case 'block':
      return undefined
  }
}

/** @param bytes the order, 60 bytes @returns the order, or the status word of the first check that fails */
export const checkOrder = (card: CardState, bytes: Uint8Array): Order | number => {
  // These two come before the layout's checks, so they look at the bytes.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (card.status === 'blocked' && orderTypes[view.getUint8(0)] !== 'probe') return statusWord.cardBlocked
  if (view.getUint16(2) !== card.currency) return statusWord.wrongCurrency
  try {
    const order = parseOrder(bytes)
    return refusalByType(card, order) ?? order
  } catch (error) {
    if (error instanceof ProtocolError) return statusWord.wrongData
    throw error
  }
}
