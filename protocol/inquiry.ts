/**
 * The inquiry: what a terminal asks the issuer before it asks a card (PROTOCOL.md, Inquiries). A load's order carries its amount, so
 * a terminal must know what a voucher is worth, or which credits a card is owed, before INITIATE.
 * inquiry (80) "FINQ" | version u8 = 1 | keyVersion u8 | kind u8 (1 voucher, 2 credits) | 0 u8 | terminalId 8 | nonce 16 | subject 16 | seal 32
 * answer       "FINA" | version u8 = 1 | keyVersion u8 | kind u8 | 0 u8 | terminalId 8 | nonce 16 | canonical JSON | seal 32
 * subject: a voucher's funding hash; or the card's id and eight zeros. The answer repeats the nonce: it answers this question, now.
 * Both are sealed under HKDF-Expand(K_term, "farthing inquiry", 32).
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import * as v from 'valibot'
import { ascii, ByteReader, ByteWriter, concat, equalBytes, toHex, zeros } from './bytes.ts'
import { canonicalBytes, parseCanonical } from './canonical-json.ts'
import { ProtocolError } from './errors.ts'
import { u32Schema } from './item.ts'
import { deriveInquiryKey } from './keys.ts'
import { requireMac, sealLength } from './mac.ts'
import {
  type CardId,
  cardId,
  idBytes,
  idLength,
  type ShortHash,
  shortHash,
  type TerminalId,
  terminalId,
} from './quantities.ts'

const inquiryLength = 80
const headLength = 16 + 16
export const inquiryAnswerBytesMax = 8192
export const creditsMax = 20
const nonceLength = 16

export type InquirySubject =
  | { readonly kind: 'voucher'; readonly hash: ShortHash }
  | { readonly kind: 'credits'; readonly cardId: CardId }

export interface Inquiry {
  /** Of K_term. */
  readonly keyVersion: number
  readonly terminalId: TerminalId
  /** 16 fresh random bytes. */
  readonly nonce: Uint8Array
  readonly about: InquirySubject
}

const kinds = ['voucher', 'credits'] as const
type Kind = (typeof kinds)[number]

const voucherAnswerSchema = v.union([
  v.strictObject({ state: v.literal('valid'), amountMinor: v.pipe(u32Schema, v.minValue(1)) }),
  v.strictObject({ state: v.picklist(['used', 'expired', 'unknown']) }),
])
export type VoucherAnswer = Readonly<v.InferOutput<typeof voucherAnswerSchema>>

const creditsAnswerSchema = v.strictObject({
  /** What the card is owed, the oldest first: each comes with a load that names its reference. */
  credits: v.pipe(
    v.array(
      v.strictObject({
        reference: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
        amountMinor: v.pipe(u32Schema, v.minValue(1)),
      }),
    ),
    v.maxLength(creditsMax),
  ),
})
export type CreditsAnswer = Readonly<v.InferOutput<typeof creditsAnswerSchema>>

const sealed = (terminalKey: Uint8Array, body: Uint8Array): Uint8Array =>
  concat(body, hmac(sha256, deriveInquiryKey(terminalKey), body))

const requireSeal = (terminalKey: Uint8Array, document: Uint8Array, field: string): void => {
  const at = document.length - sealLength
  requireMac(hmac(sha256, deriveInquiryKey(terminalKey), document.subarray(0, at)), document.subarray(at), field)
}

const encodeHead = (magic: 'FINQ' | 'FINA', { keyVersion, terminalId: id, nonce, kind }: HeadFields): Uint8Array =>
  new ByteWriter(headLength)
    .bytes(ascii(magic), 4, 'magic')
    .u8(1)
    .u8(keyVersion, 'inquiry.keyVersion')
    .u8(kinds.indexOf(kind) + 1)
    .zeros(1)
    .bytes(idBytes(id), idLength, 'inquiry.terminalId')
    .bytes(nonce, nonceLength, 'inquiry.nonce')
    .done()

interface HeadFields {
  readonly keyVersion: number
  readonly terminalId: TerminalId
  readonly nonce: Uint8Array
  readonly kind: Kind
}

const parseHead = (magic: 'FINQ' | 'FINA', bytes: Uint8Array): HeadFields => {
  const reader = new ByteReader(bytes.subarray(0, headLength), headLength, 'inquiry')
  reader.magic(magic)
  reader.version('inquiry')
  const keyVersion = reader.u8()
  const kind = kinds[reader.u8() - 1]
  if (kind === undefined) throw new ProtocolError('range', 'inquiry.kind')
  reader.reserved(1, 'inquiry')
  return { keyVersion, terminalId: terminalId(toHex(reader.bytes(idLength))), nonce: reader.bytes(nonceLength), kind }
}

/** @param terminalKey K_term, 32 bytes @returns 80 bytes @throws ProtocolError */
export const encodeInquiry = (terminalKey: Uint8Array, inquiry: Inquiry): Uint8Array => {
  const { about } = inquiry
  const subject = about.kind === 'voucher' ? about.hash : concat(idBytes(about.cardId), zeros(idLength))
  return sealed(terminalKey, concat(encodeHead('FINQ', { ...inquiry, kind: about.kind }), subject))
}

/** Reads the layout; `requireInquirySeal` is the next check. @throws ProtocolError */
export const parseInquiry = (bytes: Uint8Array): Inquiry => {
  const reader = new ByteReader(bytes, inquiryLength, 'inquiry')
  const { kind, ...head } = parseHead('FINQ', reader.bytes(headLength))
  if (kind === 'voucher') return { ...head, about: { kind, hash: shortHash(reader.bytes(16)) } }
  const about = { kind, cardId: cardId(toHex(reader.bytes(idLength))) }
  reader.reserved(idLength, 'inquiry')
  return { ...head, about }
}

/** @param terminalKey K_term, 32 bytes @throws ProtocolError `forged` */
export const requireInquirySeal = (terminalKey: Uint8Array, bytes: Uint8Array): void =>
  requireSeal(terminalKey, bytes, 'inquiry')

/** @returns the sealed answer to the inquiry @throws ProtocolError */
export const encodeInquiryAnswer = (
  terminalKey: Uint8Array,
  inquiry: Inquiry,
  answer: VoucherAnswer | CreditsAnswer,
): Uint8Array =>
  sealed(terminalKey, concat(encodeHead('FINA', { ...inquiry, kind: inquiry.about.kind }), canonicalBytes(answer)))

const openAnswer = <Schema extends v.GenericSchema>(
  terminalKey: Uint8Array,
  asked: Inquiry,
  { bytes, schema }: { readonly bytes: Uint8Array; readonly schema: Schema },
): v.InferOutput<Schema> => {
  if (bytes.length <= headLength + sealLength || bytes.length > inquiryAnswerBytesMax)
    throw new ProtocolError('length', 'inquiry answer', `${bytes.length} bytes`)
  const head = parseHead('FINA', bytes)
  requireSeal(terminalKey, bytes, 'inquiry answer')
  if (
    head.terminalId !== asked.terminalId ||
    head.keyVersion !== asked.keyVersion ||
    head.kind !== asked.about.kind ||
    !equalBytes(head.nonce, asked.nonce)
  )
    throw new ProtocolError('forged', 'inquiry answer', 'it answers another question')
  return parseCanonical(schema, bytes.slice(headLength, bytes.length - sealLength), 'inquiry answer')
}

/** @param terminalKey K_term, 32 bytes @throws ProtocolError; `forged` when it is not the issuer's answer to this inquiry */
export const openVoucherAnswer = (terminalKey: Uint8Array, asked: Inquiry, bytes: Uint8Array): VoucherAnswer =>
  openAnswer(terminalKey, asked, { bytes, schema: voucherAnswerSchema })
/** As `openVoucherAnswer`. @throws ProtocolError */
export const openCreditsAnswer = (terminalKey: Uint8Array, asked: Inquiry, bytes: Uint8Array): CreditsAnswer =>
  openAnswer(terminalKey, asked, { bytes, schema: creditsAnswerSchema })
