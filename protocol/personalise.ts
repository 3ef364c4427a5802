/**
 * What PERSONALISE writes on a blank card (140 bytes; the layout is this project's, PROTOCOL.md, Personalisation):
 * version u8 = 1 | keyVersion u8 | 0 u16 | cardId 8 | currency u16 | 0 u16 | expiry u32 | balanceMax u32 | pinFreeMax u32
 * | pinTriesMax u8 | pinLength u8 | 0 u16 | PIN 12 (ASCII digits, then zeros; no PIN: length 0) | K_pay 32 | K_settle 32 | K_load 32
 */
import { ascii, ByteReader, ByteWriter, isZero, protocolVersion, toHex } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { keyLength } from './keys.ts'
import {
  type AmountMinor,
  amountMinor,
  type CardId,
  type CurrencyCode,
  cardId,
  currencyCode,
  idBytes,
  idLength,
  type UnixTime,
  unixTime,
} from './quantities.ts'

export const personalisationLength = 140
const pinFieldLength = 12

export interface Personalisation {
  readonly keyVersion: number
  readonly cardId: CardId
  readonly currency: CurrencyCode
  readonly expiry: UnixTime
  readonly balanceMaxMinor: AmountMinor
  /** The most that is spent without a PIN until the next right one. 2^32 - 1: this card never asks. */
  readonly pinFreeMaxMinor: AmountMinor
  /** 1 to 15, as 63Cx can say them. */
  readonly pinTriesMax: number
  /** 4 to 12 digits, or empty for a card without a PIN. */
  readonly pin: string
  readonly payKey: Uint8Array
  readonly settleKey: Uint8Array
  readonly loadKey: Uint8Array
}

const requireValid = (personalisation: Personalisation): void => {
  const { pin, pinTriesMax } = personalisation
  if (!/^([0-9]{4,12})?$/.test(pin)) throw new ProtocolError('range', 'personalisation.PIN', '4 to 12 digits or none')
  if (pinTriesMax < 1 || pinTriesMax > 15) throw new ProtocolError('range', 'personalisation.pinTriesMax', '1 to 15')
}

/** @param bytes exactly 140 @throws ProtocolError */
export const parsePersonalisation = (bytes: Uint8Array): Personalisation => {
  const reader = new ByteReader(bytes, personalisationLength, 'personalisation')
  reader.version('personalisation')
  const keyVersion = reader.u8()
  reader.reserved(2, 'personalisation')
  const id = cardId(toHex(reader.bytes(idLength)))
  const currency = currencyCode(reader.u16())
  reader.reserved(2, 'personalisation')
  const expiry = unixTime(reader.u32())
  const balanceMaxMinor = amountMinor(reader.u32())
  const pinFreeMaxMinor = amountMinor(reader.u32())
  const pinTriesMax = reader.u8()
  const pinLength = reader.u8()
  reader.reserved(2, 'personalisation')
  const pinField = reader.bytes(pinFieldLength)
  if (pinLength > pinFieldLength || !isZero(pinField.subarray(pinLength)))
    throw new ProtocolError('reserved', 'personalisation.PIN')
  const personalisation: Personalisation = {
    keyVersion,
    cardId: id,
    currency,
    expiry,
    balanceMaxMinor,
    pinFreeMaxMinor,
    pinTriesMax,
    pin: String.fromCharCode(...pinField.subarray(0, pinLength)),
    payKey: reader.bytes(keyLength),
    settleKey: reader.bytes(keyLength),
    loadKey: reader.bytes(keyLength),
  }
  reader.end('personalisation')
  requireValid(personalisation)
  return personalisation
}

/** @returns 140 bytes @throws ProtocolError */
export const encodePersonalisation = (personalisation: Personalisation): Uint8Array => {
  requireValid(personalisation)
  const pinField = new Uint8Array(pinFieldLength)
  pinField.set(ascii(personalisation.pin))
  return new ByteWriter(personalisationLength)
    .u8(protocolVersion)
    .u8(personalisation.keyVersion, 'personalisation.keyVersion')
    .zeros(2)
    .bytes(idBytes(personalisation.cardId), idLength, 'personalisation.cardId')
    .u16(personalisation.currency)
    .zeros(2)
    .u32(personalisation.expiry)
    .u32(personalisation.balanceMaxMinor)
    .u32(personalisation.pinFreeMaxMinor)
    .u8(personalisation.pinTriesMax)
    .u8(personalisation.pin.length)
    .zeros(2)
    .bytes(pinField, pinFieldLength, 'PIN')
    .bytes(personalisation.payKey, keyLength, 'K_pay')
    .bytes(personalisation.settleKey, keyLength, 'K_settle')
    .bytes(personalisation.loadKey, keyLength, 'K_load')
    .done()
}
