/** The order (60 bytes): what a terminal asks of a card (PROTOCOL.md, Layouts). */
import { ByteReader, ByteWriter, isZero, toHex } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import {
  type AmountMinor,
  amountMinor,
  type Counter,
  type CurrencyCode,
  counter,
  currencyCode,
  idBytes,
  idLength,
  type ShortHash,
  shortHash,
  type TerminalId,
  terminalId,
  type UnixTime,
  unixTime,
  zeroHash,
} from './quantities.ts'

export const orderLength = 60

/** The numbers are those of the wire. */
export const orderTypes = ['probe', 'payment', 'load', 'reversal', 'block'] as const
export type OrderType = (typeof orderTypes)[number]

export interface Order {
  readonly type: OrderType
  readonly currency: CurrencyCode
  /** 0 for probe and block. */
  readonly amountMinor: AmountMinor
  /** The counter of the payment that a reversal undoes; 0 otherwise. */
  readonly reference: Counter
  readonly terminalId: TerminalId
  readonly terminalSeq: number
  readonly time: UnixTime
  readonly itemHash: ShortHash
  /** SHA-256(secret)[0..16]; a reversal's is the payment's secret itself; zeros for a block. */
  readonly lock: Uint8Array
}

const requireForcedZeros = (order: Order): void => {
  const { type } = order
  const wrong =
    ((type === 'probe' || type === 'block') && order.amountMinor !== 0 && 'amount') ||
    (type !== 'reversal' && order.reference !== 0 && 'reference') ||
    ((type === 'probe' || type === 'block') && !isZero(order.itemHash) && 'itemHash') ||
    (type === 'block' && !isZero(order.lock) && 'lock')
  if (wrong) throw new ProtocolError('reserved', `order.${wrong}`, `must be zero in a ${type}`)
}

/**
 * @param bytes exactly 60
 * @throws ProtocolError `length`, `range` (type), `reserved` (reserved or forced-zero field)
 */
export const parseOrder = (bytes: Uint8Array): Order => {
  const reader = new ByteReader(bytes, orderLength, 'order')
  const type = orderTypes[reader.u8()]
  if (type === undefined) throw new ProtocolError('range', 'order.type', String(bytes[0]))
  reader.reserved(1, 'order')
  const order: Order = {
    type,
    currency: currencyCode(reader.u16()),
    amountMinor: amountMinor(reader.u32()),
    reference: counter(reader.u32()),
    terminalId: terminalId(toHex(reader.bytes(idLength))),
    terminalSeq: reader.u32(),
    time: unixTime(reader.u32()),
    itemHash: shortHash(reader.bytes(16)),
    lock: reader.bytes(16),
  }
  reader.end('order')
  requireForcedZeros(order)
  return order
}

/** @returns 60 bytes @throws ProtocolError `range`, `length`, `reserved` */
export const encodeOrder = (order: Order): Uint8Array => {
  requireForcedZeros(order)
  return new ByteWriter(orderLength)
    .u8(orderTypes.indexOf(order.type))
    .zeros(1)
    .u16(order.currency, 'order.currency')
    .u32(order.amountMinor, 'order.amount')
    .u32(order.reference, 'order.reference')
    .bytes(idBytes(order.terminalId), idLength, 'order.terminalId')
    .u32(order.terminalSeq, 'order.terminalSeq')
    .u32(order.time, 'order.time')
    .bytes(order.itemHash, 16, 'order.itemHash')
    .bytes(order.lock, 16, 'order.lock')
    .done()
}

/** An order that reads nothing and changes nothing: the terminal's question "where do you stand?". */
export const probeOrder = (probe: {
  readonly currency: CurrencyCode
  readonly terminalId: TerminalId
  readonly terminalSeq: number
  readonly time: UnixTime
  readonly lock: Uint8Array
}): Order => ({ ...probe, type: 'probe', amountMinor: amountMinor(0), reference: counter(0), itemHash: zeroHash() })
