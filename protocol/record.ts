/** Identity (12 bytes) and record (80 bytes): what a card did (PROTOCOL.md, Layouts). */
import { ByteReader, ByteWriter, protocolVersion, toHex } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { encodeOrder, type Order, orderLength, parseOrder } from './order.ts'
import {
  type AmountMinor,
  amountMinor,
  type CardId,
  type Counter,
  cardId,
  counter,
  idBytes,
  idLength,
} from './quantities.ts'

export const identityLength = 12
export const recordLength = 80

export interface Identity {
  readonly keyVersion: number
  readonly cardId: CardId
}

/** @param bytes exactly 12 @throws ProtocolError */
export const parseIdentity = (bytes: Uint8Array): Identity => {
  const reader = new ByteReader(bytes, identityLength, 'identity')
  reader.version('identity')
  const keyVersion = reader.u8()
  reader.reserved(2, 'identity')
  const identity = { keyVersion, cardId: cardId(toHex(reader.bytes(idLength))) }
  reader.end('identity')
  return identity
}

/** @returns 12 bytes */
export const encodeIdentity = (identity: Identity): Uint8Array =>
  new ByteWriter(identityLength)
    .u8(protocolVersion)
    .u8(identity.keyVersion, 'identity.keyVersion')
    .zeros(2)
    .bytes(idBytes(identity.cardId), idLength, 'identity.cardId')
    .done()

export interface CardRecord {
  readonly identity: Identity
  readonly counter: Counter
  readonly balanceAfterMinor: AmountMinor
  readonly order: Order
}

const requireCommittable = (record: CardRecord): void => {
  const { type } = record.order
  if (type === 'probe') throw new ProtocolError('range', 'record.order.type', 'a probe is never committed')
  if (type !== 'block' && record.order.amountMinor === 0) throw new ProtocolError('range', 'record.order.amount', '0')
  if (record.counter === 0) throw new ProtocolError('range', 'record.counter', '0')
}

/** @param bytes exactly 80 @throws ProtocolError; also for what no card commits: a probe, an amount of 0, counter 0 */
export const parseRecord = (bytes: Uint8Array): CardRecord => {
  const reader = new ByteReader(bytes, recordLength, 'record')
  const record = {
    identity: parseIdentity(reader.bytes(identityLength)),
    counter: counter(reader.u32()),
    balanceAfterMinor: amountMinor(reader.u32()),
    order: parseOrder(reader.bytes(orderLength)),
  }
  reader.end('record')
  requireCommittable(record)
  return record
}

/** @returns 80 bytes @throws ProtocolError */
export const encodeRecord = (record: CardRecord): Uint8Array => {
  requireCommittable(record)
  return new ByteWriter(recordLength)
    .bytes(encodeIdentity(record.identity), identityLength, 'identity')
    .u32(record.counter, 'record.counter')
    .u32(record.balanceAfterMinor, 'record.balanceAfter')
    .bytes(encodeOrder(record.order), orderLength, 'order')
    .done()
}

/**
 * The balance after an order, or undefined where it would leave 0 to 2^32 - 1.
 * Payment takes away, load and reversal add, block leaves it.
 */
export const balanceAfter = (
  balanceMinor: number,
  order: Pick<Order, 'type' | 'amountMinor'>,
): AmountMinor | undefined => {
  const change = balanceChangeMinor(order)
  const after = balanceMinor + change
  return after < 0 || after > 0xffffffff ? undefined : amountMinor(after)
}

/** What an order does to the card's balance, signed. */
export const balanceChangeMinor = (order: Pick<Order, 'type' | 'amountMinor'>): number => {
  switch (order.type) {
    case 'payment':
      return -order.amountMinor
    case 'load':
    case 'reversal':
      return order.amountMinor
    case 'block':
    case 'probe':
      return 0
  }
}
