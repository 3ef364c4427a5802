/**
 * The hotlist: an append-only log at the issuer, of which the signed bulletin names length and hash (PROTOCOL.md, Hotlist).
 * entry (25)  op u8 (1 list, 0 take off) | cardId 8 | blockMac 16 (zeros where there is none)
 * h_0 = SHA-256("farthing hotlist"), h_i = SHA-256(h_(i-1) || entry_i)
 */
import { sha256 } from '@noble/hashes/sha2.js'
import * as v from 'valibot'
import { ascii, isZero, requireLength, toHex } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { hash32Schema, u32Schema } from './item.ts'
import { type CardId, cardId, idBytes, type Mac, mac, macLength } from './quantities.ts'

export const hotlistEntryLength = 25
export const hotlistHeadLength = 32
/** One log's; 100 MB. Whoever comes near it begins a new one. */
export const hotlistEntriesMax = 4_000_000
/** One answer's: 100 kB pass a line of 2 kB/s within a minute, and taking them in does not hold up a sale. */
export const hotlistPageEntriesMax = 4000
export const hotlistPageBytesMax = hotlistPageEntriesMax * hotlistEntryLength

const cardAt = 1
const macAt = 9

/** What the bulletin says of the log: which one it is, how long, and the hash of all of it. */
export const hotlistSchema = v.strictObject({
  /** From 1; a new log has the next number. */
  generation: v.pipe(u32Schema, v.minValue(1)),
  count: v.pipe(u32Schema, v.maxValue(hotlistEntriesMax)),
  head: hash32Schema,
})
export type SignedHotlist = Readonly<v.InferOutput<typeof hotlistSchema>>

export interface HotlistEntry {
  readonly op: 'list' | 'takeOff'
  readonly cardId: CardId
  /** Tag 07; absent where the issuer does not know the card, or takes it off. */
  readonly blockMac: Mac | undefined
}

/** @returns 25 bytes */
export const encodeHotlistEntry = ({ op, cardId: card, blockMac }: HotlistEntry): Uint8Array => {
  if (op === 'takeOff' && blockMac !== undefined)
    throw new ProtocolError('reserved', 'hotlist.blockMac', 'a card taken off has none')
  const bytes = new Uint8Array(hotlistEntryLength)
  bytes[0] = op === 'list' ? 1 : 0
  bytes.set(idBytes(card), cardAt)
  if (blockMac !== undefined) bytes.set(blockMac, macAt)
  return bytes
}

const parseAt = (bytes: Uint8Array, at: number): HotlistEntry => {
  const op = bytes[at]
  if (op !== 0 && op !== 1) throw new ProtocolError('range', 'hotlist.op')
  const token = bytes.slice(at + macAt, at + macAt + macLength)
  const none = isZero(token)
  if (op === 0 && !none) throw new ProtocolError('reserved', 'hotlist.blockMac', 'must be zeros in a take-off')
  return {
    op: op === 1 ? 'list' : 'takeOff',
    cardId: cardId(toHex(bytes.subarray(at + cardAt, at + macAt))),
    blockMac: none ? undefined : mac(token),
  }
}

/** @param bytes whole entries, one at least and no more than a page's @throws ProtocolError */
export const parseHotlistPage = (bytes: Uint8Array): HotlistEntry[] => {
  if (bytes.length === 0 || bytes.length > hotlistPageBytesMax || bytes.length % hotlistEntryLength !== 0)
    throw new ProtocolError('length', 'hotlist page')
  const entries: HotlistEntry[] = []
  for (let at = 0; at < bytes.length; at += hotlistEntryLength) entries.push(parseAt(bytes, at))
  return entries
}

/** h_0 @returns 32 bytes */
export const firstHotlistHead = (): Uint8Array => sha256(ascii('farthing hotlist'))

/** The head after these entries. @param bytes whole entries, any number @returns 32 bytes @throws ProtocolError `length` */
export const nextHotlistHead = (head: Uint8Array, bytes: Uint8Array): Uint8Array => {
  if (bytes.length % hotlistEntryLength !== 0) throw new ProtocolError('length', 'hotlist')
  const link = new Uint8Array(hotlistHeadLength + hotlistEntryLength)
  let next = requireLength(head, hotlistHeadLength, 'hotlist.head')
  for (let at = 0; at < bytes.length; at += hotlistEntryLength) {
    link.set(next)
    link.set(bytes.subarray(at, at + hotlistEntryLength), hotlistHeadLength)
    next = sha256(link)
  }
  return next
}

/** Whether a log that was read so far is the very one that was signed. */
export const isSignedHotlist = (
  log: { readonly generation: number; readonly count: number; readonly head: Uint8Array },
  signed: SignedHotlist,
): boolean => log.generation === signed.generation && log.count === signed.count && toHex(log.head) === signed.head
