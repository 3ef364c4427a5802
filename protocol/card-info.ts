/** cardInfo (44 bytes), the answer to SELECT, and its ISO 7816-4 FCI template (PROTOCOL.md, The card). */
import { ByteReader, ByteWriter, concat, equalBytes, fromHex, protocolVersion, requireLength, toHex } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import {
  type AmountMinor,
  amountMinor,
  type CardId,
  type Counter,
  type CurrencyCode,
  cardId,
  counter,
  currencyCode,
  idBytes,
  idLength,
  type UnixTime,
  unixTime,
} from './quantities.ts'

export const cardInfoLength = 44
export const aid = fromHex('f04641525448494e47', 9)

const statuses = [undefined, 'active', 'blocked'] as const
export type CardStatus = 'active' | 'blocked'

export interface CardInfo {
  readonly keyVersion: number
  readonly status: CardStatus
  readonly pinTriesLeft: number
  readonly cardId: CardId
  readonly currency: CurrencyCode
  readonly expiry: UnixTime
  /** Of the last transaction; 0 when there was none. Unauthenticated: a hint until an offer proves it. */
  readonly counter: Counter
  readonly balanceMinor: AmountMinor
  readonly balanceMaxMinor: AmountMinor
  readonly pinFreeLeftMinor: AmountMinor
  /** 8 fresh bytes a SELECT. */
  readonly challenge: Uint8Array
}

/** @param bytes exactly 44 @throws ProtocolError */
export const parseCardInfo = (bytes: Uint8Array): CardInfo => {
  const reader = new ByteReader(bytes, cardInfoLength, 'cardInfo')
  reader.version('cardInfo')
  const keyVersion = reader.u8()
  const status = statuses[reader.u8()]
  if (status === undefined) throw new ProtocolError('range', 'cardInfo.status')
  const pinTriesLeft = reader.u8()
  const id = cardId(toHex(reader.bytes(idLength)))
  const currency = currencyCode(reader.u16())
  reader.reserved(2, 'cardInfo')
  const info: CardInfo = {
    keyVersion,
    status,
    pinTriesLeft,
    cardId: id,
    currency,
    expiry: unixTime(reader.u32()),
    counter: counter(reader.u32()),
    balanceMinor: amountMinor(reader.u32()),
    balanceMaxMinor: amountMinor(reader.u32()),
    pinFreeLeftMinor: amountMinor(reader.u32()),
    challenge: reader.bytes(8),
  }
  reader.end('cardInfo')
  return info
}

/** @returns 44 bytes */
export const encodeCardInfo = (info: CardInfo): Uint8Array =>
  new ByteWriter(cardInfoLength)
    .u8(protocolVersion)
    .u8(info.keyVersion, 'cardInfo.keyVersion')
    .u8(info.status === 'active' ? 1 : 2)
    .u8(info.pinTriesLeft, 'cardInfo.pinTriesLeft')
    .bytes(idBytes(info.cardId), idLength, 'cardInfo.cardId')
    .u16(info.currency, 'cardInfo.currency')
    .zeros(2)
    .u32(info.expiry, 'cardInfo.expiry')
    .u32(info.counter, 'cardInfo.counter')
    .u32(info.balanceMinor, 'cardInfo.balance')
    .u32(info.balanceMaxMinor, 'cardInfo.balanceMax')
    .u32(info.pinFreeLeftMinor, 'cardInfo.pinFreeLeft')
    .bytes(info.challenge, 8, 'cardInfo.challenge')
    .done()

/** 6F 3B { 84 AID, A5 2E { C0 2C: what follows is cardInfo } } */
const fciHead = concat(
  Uint8Array.of(0x6f, 0x3b, 0x84, aid.length),
  aid,
  Uint8Array.of(0xa5, 0x2e, 0xc0, cardInfoLength),
)

/** @param data the answer to SELECT without its status bytes, 61 bytes @throws ProtocolError: not a purse of ours */
export const parseSelectAnswer = (data: Uint8Array): CardInfo => {
  requireLength(data, fciHead.length + cardInfoLength, 'SELECT answer')
  if (!equalBytes(data.subarray(0, fciHead.length), fciHead)) throw new ProtocolError('magic', 'SELECT answer')
  return parseCardInfo(data.slice(fciHead.length))
}

/** @returns 61 bytes */
export const encodeSelectAnswer = (info: CardInfo): Uint8Array => concat(fciHead, encodeCardInfo(info))
