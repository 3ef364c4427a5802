/**
 * The succession certificate: the key that signs bulletins names the one that follows it (PROTOCOL.md, Succession).
 * "FSUC" | version u8 = 1 | signing key version u8 | 0 u16 | public key 32 | Ed25519 signature 64
 * The version is the new key's; the signature (RFC 8032) is the old one's, over "farthing succession" || the first 40 bytes.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { ascii, ByteReader, ByteWriter, concat, protocolVersion, requireLength, u8Max } from './bytes.ts'
import { ProtocolError } from './errors.ts'

const publicKeyLength = 32
const signedLength = 8 + publicKeyLength
export const successionLength = signedLength + 64
/** One a version, and a version is a byte. */
export const successionsBytesMax = u8Max * successionLength

export interface Succession {
  /** Of the new key; the one that signed has the version before. */
  readonly keyVersion: number
  readonly publicKey: Uint8Array
  readonly bytes: Uint8Array
}

const signedBytes = (bytes: Uint8Array): Uint8Array =>
  concat(ascii('farthing succession'), bytes.subarray(0, signedLength))

/** @param next.keyVersion of the new key @param privateKey Ed25519 seed of the old key, 32 bytes */
export const encodeSuccession = (
  next: { readonly keyVersion: number; readonly publicKey: Uint8Array },
  privateKey: Uint8Array,
): Uint8Array => {
  const head = new ByteWriter(signedLength)
    .bytes(ascii('FSUC'), 4, 'magic')
    .u8(protocolVersion)
    .u8(next.keyVersion, 'succession.keyVersion')
    .zeros(2)
    .bytes(next.publicKey, publicKeyLength, 'succession.publicKey')
    .done()
  return concat(head, ed25519.sign(signedBytes(head), privateKey))
}

/** Reads the layout; who signed it is the caller's next question. @throws ProtocolError */
export const parseSuccession = (bytes: Uint8Array): Succession => {
  const reader = new ByteReader(requireLength(bytes, successionLength, 'succession'), successionLength, 'succession')
  reader.magic('FSUC')
  reader.version('succession')
  const keyVersion = reader.u8()
  reader.reserved(2, 'succession')
  return { keyVersion, publicKey: reader.bytes(publicKeyLength), bytes: Uint8Array.from(bytes) }
}

/** @throws ProtocolError when these are not whole certificates, one after the other */
export const parseSuccessions = (bytes: Uint8Array): readonly Succession[] => {
  if (bytes.length > successionsBytesMax || bytes.length % successionLength !== 0)
    throw new ProtocolError('length', 'successions', `${bytes.length} bytes`)
  return Array.from({ length: bytes.length / successionLength }, (_, index) =>
    parseSuccession(bytes.slice(index * successionLength, (index + 1) * successionLength)),
  )
}

const isSignedBy = (succession: Succession, publicKey: Uint8Array): boolean => {
  try {
    const signature = succession.bytes.slice(signedLength)
    return ed25519.verify(signature, signedBytes(succession.bytes), publicKey)
  } catch {
    return false
  }
}

/** A signing key as a terminal knows it. */
export interface SigningKey {
  readonly keyVersion: number
  readonly publicKey: Uint8Array
}

/**
 * Goes on from the newest known key, link by link, each signed by the one before it. Certificates of versions that are known
 * already say nothing: an old key that was stolen changes nothing once its successor is known.
 * @returns the links that are new, in order
 * @throws ProtocolError `forged` when the next version's certificate is not the known key's
 */
export const followSuccessions = (newest: SigningKey, all: readonly Succession[]): readonly Succession[] => {
  const links: Succession[] = []
  let at = newest
  for (;;) {
    const next = all.find(({ keyVersion }) => keyVersion === at.keyVersion + 1)
    if (next === undefined) return links
    if (!isSignedBy(next, at.publicKey)) throw new ProtocolError('forged', 'succession')
    links.push(next)
    at = next
  }
}
