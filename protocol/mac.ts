/**
 * MAC(key, tag, m) = HMAC-SHA-256(key, tag || m)[0..16] (RFC 2104, FIPS 180-4) and each MAC of PROTOCOL.md, Layouts.
 * Seals of documents are all 32 bytes of the same HMAC.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { ascii, concat, equalBytes, requireLength } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { keyLength } from './keys.ts'
import {
  type CardId,
  type Counter,
  idBytes,
  type Mac,
  mac,
  macLength,
  type ShortHash,
  shortHash,
} from './quantities.ts'

export const macTag = {
  offer: 0x01,
  commit: 0x02,
  acceptance: 0x03,
  settlement: 0x04,
  pin: 0x05,
  commitLoad: 0x06,
  commitBlock: 0x07,
  read: 0x08,
  batch: 0x10,
  acknowledgement: 0x11,
  claim: 0x12,
  loadRequest: 0x13,
  loadAnswer: 0x14,
} as const

/** A key ready for use: HMAC-SHA-256(key, tag || parts), all 32 bytes. A faster one may stand in (node:crypto, WASM). */
export type MacKey = (tag: number, ...parts: readonly Uint8Array[]) => Uint8Array

/** @param key 32 bytes @throws ProtocolError `length` */
export const macKey = (key: Uint8Array): MacKey => {
  const keyed = hmac.create(sha256, requireLength(key, keyLength, 'MAC key'))
  return (tag, ...parts) => {
    const state = keyed.clone().update(Uint8Array.of(tag))
    for (const part of parts) state.update(part)
    return state.digest()
  }
}

const truncated = (full: Uint8Array): Mac => mac(full.slice(0, macLength))

const counterBytes = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

export interface Offered {
  /** identity (12) */
  readonly identity: Uint8Array
  readonly counter: Counter
  readonly balanceMinor: number
  /** order (60) */
  readonly order: Uint8Array
  /** 8 bytes */
  readonly cardNonce: Uint8Array
}

/** Tag 01. `key` is K_pay, or K_load for a load. */
export const offerMac = (key: MacKey, offered: Offered): Mac =>
  truncated(
    key(
      macTag.offer,
      offered.identity,
      counterBytes(offered.counter),
      counterBytes(offered.balanceMinor),
      offered.order,
      offered.cardNonce,
    ),
  )

export interface Committed {
  readonly cardId: CardId
  readonly counter: Counter
  readonly order: Uint8Array
  readonly cardNonce: Uint8Array
}

const committedParts = (committed: Committed): readonly Uint8Array[] => [
  idBytes(committed.cardId),
  counterBytes(committed.counter),
  committed.order,
  committed.cardNonce,
]

/** Tag 02, under K_pay: commits a payment or a reversal. */
export const commitMac = (payKey: MacKey, committed: Committed): Mac =>
  truncated(payKey(macTag.commit, ...committedParts(committed)))
/** Tag 06, under K_load: commits a load. */
export const commitLoadMac = (loadKey: MacKey, committed: Committed): Mac =>
  truncated(loadKey(macTag.commitLoad, ...committedParts(committed)))
/** Tag 07, under K_load: blocks a card on sight. */
export const commitBlockMac = (loadKey: MacKey, card: CardId): Mac =>
  truncated(loadKey(macTag.commitBlock, idBytes(card)))
/** Tag 03, under K_pay, over record (80) and settlement MAC. */
export const acceptanceMac = (payKey: MacKey, record: Uint8Array, settlement: Mac): Mac =>
  truncated(payKey(macTag.acceptance, record, settlement))
/** Tag 04, under K_settle, over record (80). */
export const settlementMac = (settleKey: MacKey, record: Uint8Array): Mac =>
  truncated(settleKey(macTag.settlement, record))
/** Tag 05, under K_pay. @param digits 4 to 12 ASCII digits @throws ProtocolError `range` */
export const pinMac = (payKey: MacKey, pin: { cardId: CardId; cardNonce: Uint8Array; digits: string }): Mac => {
  if (!/^[0-9]{4,12}$/.test(pin.digits)) throw new ProtocolError('range', 'PIN', '4 to 12 digits')
  return truncated(payKey(macTag.pin, idBytes(pin.cardId), pin.cardNonce, ascii(pin.digits)))
}
/** Tag 08, under K_pay: allows one READ RECORD. @param read.recordNumber 1 is the newest */
export const readMac = (payKey: MacKey, read: { cardId: CardId; challenge: Uint8Array; recordNumber: number }): Mac =>
  truncated(payKey(macTag.read, idBytes(read.cardId), read.challenge, Uint8Array.of(read.recordNumber)))

/** @throws ProtocolError `forged` unless the MACs are equal (constant time) */
export const requireMac = (expected: Uint8Array, got: Uint8Array, field: string): void => {
  if (!equalBytes(expected, got)) throw new ProtocolError('forged', field)
}

export const sealLength = 32

/** Appends the 32-byte seal of a document. */
export const seal = (key: MacKey, tag: number, body: Uint8Array): Uint8Array => concat(body, key(tag, body))

/** @throws ProtocolError `forged` unless the last 32 bytes are the seal of all before them */
export const requireSeal = (key: MacKey, tag: number, document: Uint8Array): void => {
  const at = document.length - sealLength
  if (at < 0) throw new ProtocolError('length', 'seal')
  requireMac(key(tag, document.subarray(0, at)), document.subarray(at), 'seal')
}

/** SHA-256(bytes)[0..16]: a lock of its secret, an item hash of its canonical JSON, a funding hash of its reference. */
export const shortHashOf = (bytes: Uint8Array): ShortHash => shortHash(sha256(bytes).slice(0, 16))
