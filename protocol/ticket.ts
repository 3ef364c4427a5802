/**
 * A ticket that proves itself, in the letters of its QR code (PROTOCOL.md, Tickets).
 * "FTKT" | version u8 = 1 | signing key version u8 | 0 u16 | event 8 | number 8 | valid from u32 | valid until u32 | Ed25519 signature 64
 * The signature (RFC 8032) is over "farthing ticket" || the first 32 bytes. 96 bytes are 154 letters of base32: what a QR code
 * of version 6 holds at level M, to the letter.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { base32Length, decodeBase32, encodeBase32, typedLetters } from './base32.ts'
import { ascii, ByteReader, ByteWriter, concat, fromHex, protocolVersion, toHex } from './bytes.ts'
import { ProtocolError, parsed } from './errors.ts'
import { type UnixTime, unixTime } from './quantities.ts'

const eventLength = 8
const signedLength = 32
const signatureLength = 64
const ticketLength = signedLength + signatureLength
export const ticketNumberLength = 8
/** Letters of a ticket. */
export const ticketLetters = base32Length(ticketLength)
/** A person groups letters; more than this is no ticket however it is grouped. */
const typedLettersMax = 2 * ticketLetters

export interface Ticket {
  /** Of the key that signed it: the bulletin's. */
  readonly keyVersion: number
  /** Which article it is of, 16 hex digits: see `ticketEvent`. */
  readonly event: string
  /** 8 random bytes in hex: no two tickets have the same. */
  readonly number: string
  /** The first second in which it is good. */
  readonly validFrom: UnixTime
  /** The last one. */
  readonly validUntil: UnixTime
}

/** Of the article with this id: the first 8 bytes of SHA-256("farthing event" || id), in hex. */
export const ticketEvent = (itemId: string): string =>
  toHex(sha256(concat(ascii('farthing event'), utf8ToBytes(itemId))).slice(0, eventLength))

/** What a person reads out and compares: the first 40 bits of the number, such as "7H3K-M2PQ". It proves nothing. */
export const ticketNumber = ({ number }: Pick<Ticket, 'number'>): string =>
  encodeBase32(fromHex(number, ticketNumberLength, 'ticket.number').slice(0, 5)).replace(/.{4}(?=.)/, '$&-')

const signedBytes = (head: Uint8Array): Uint8Array => concat(ascii('farthing ticket'), head)

/** @param signing.privateKey Ed25519 seed, 32 bytes @returns 154 letters @throws ProtocolError `range` */
export const encodeTicket = (
  ticket: Omit<Ticket, 'keyVersion'>,
  signing: { readonly privateKey: Uint8Array; readonly keyVersion: number },
): string => {
  if (ticket.validFrom > ticket.validUntil) throw new ProtocolError('range', 'ticket.validUntil')
  const head = new ByteWriter(signedLength)
    .bytes(ascii('FTKT'), 4, 'magic')
    .u8(protocolVersion)
    .u8(signing.keyVersion, 'ticket.keyVersion')
    .zeros(2)
    .bytes(fromHex(ticket.event, eventLength, 'ticket.event'), eventLength, 'ticket.event')
    .bytes(fromHex(ticket.number, ticketNumberLength, 'ticket.number'), ticketNumberLength, 'ticket.number')
    .u32(ticket.validFrom, 'ticket.validFrom')
    .u32(ticket.validUntil, 'ticket.validUntil')
    .done()
  return encodeBase32(concat(head, ed25519.sign(signedBytes(head), signing.privateKey)))
}

export interface SignedTicket extends Ticket {
  readonly signature: Uint8Array
  /** What the signature is over. */
  readonly signed: Uint8Array
}

/** Reads the layout; whether the signature is right is `judgeTicket`'s question. @param text as scanned or typed @throws ProtocolError */
export const parseTicket = (text: string): SignedTicket => {
  if (text.length > typedLettersMax) throw new ProtocolError('length', 'ticket')
  const bytes = decodeBase32(typedLetters(text), ticketLength, 'ticket')
  const reader = new ByteReader(bytes, ticketLength, 'ticket')
  reader.magic('FTKT')
  reader.version('ticket')
  const keyVersion = reader.u8()
  reader.reserved(2, 'ticket')
  const ticket = {
    keyVersion,
    event: toHex(reader.bytes(eventLength)),
    number: toHex(reader.bytes(ticketNumberLength)),
    validFrom: unixTime(reader.u32()),
    validUntil: unixTime(reader.u32()),
  }
  if (ticket.validFrom > ticket.validUntil) throw new ProtocolError('range', 'ticket.validUntil')
  return { ...ticket, signature: reader.bytes(signatureLength), signed: signedBytes(bytes.slice(0, signedLength)) }
}

/** Whether a signature over these bytes is one key's. Never throws. */
export type TicketVerifier = (signature: Uint8Array, signed: Uint8Array) => boolean

/** @param publicKey Ed25519, 32 bytes */
export const ticketVerifier =
  (publicKey: Uint8Array): TicketVerifier =>
  (signature, signed) => {
    try {
      return ed25519.verify(signature, signed, publicKey)
    } catch {
      return false
    }
  }

/** Whether it was used before is for a list to say, which is asked only about a good one. */
export type TicketVerdict =
  | { readonly outcome: 'good'; readonly ticket: Ticket; readonly eventId: string }
  /** Not a ticket, or not the whole of one. */
  | { readonly outcome: 'unreadable' }
  /** Signed with a version of the key that is not known here. */
  | { readonly outcome: 'unknownKey'; readonly keyVersion: number }
  | { readonly outcome: 'forged' }
  | { readonly outcome: 'otherEvent' | 'notYetValid' | 'expired'; readonly ticket: Ticket }

/**
 * Judges one ticket, in this order of precedence: unreadable, unknownKey, forged, otherEvent, notYetValid, expired.
 * @param at.keys by version @param at.eventIds the articles whose tickets are let in here @param at.now UNIX seconds
 */
export const judgeTicket = (
  text: string,
  at: {
    readonly keys: ReadonlyMap<number, TicketVerifier>
    readonly eventIds: readonly string[]
    readonly now: number
  },
): TicketVerdict => {
  const read = parsed(() => parseTicket(text))
  if (read === undefined) return { outcome: 'unreadable' }
  const { signature, signed, ...ticket } = read
  const isSigned = at.keys.get(ticket.keyVersion)
  if (isSigned === undefined) return { outcome: 'unknownKey', keyVersion: ticket.keyVersion }
  if (!isSigned(signature, signed)) return { outcome: 'forged' }
  const eventId = at.eventIds.find((id) => ticketEvent(id) === ticket.event)
  if (eventId === undefined) return { outcome: 'otherEvent', ticket }
  if (at.now < ticket.validFrom) return { outcome: 'notYetValid', ticket }
  if (at.now > ticket.validUntil) return { outcome: 'expired', ticket }
  return { outcome: 'good', ticket, eventId }
}
