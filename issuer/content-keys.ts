/**
 * The keys of goods and codes, derived from the one secret in the keys file (PROTOCOL.md, Goods), so that the store and
 * the goods folder, copied without that file, open nothing.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { bytesToUtf8, utf8ToBytes } from '@noble/ciphers/utils.js'
import { expand } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { ascii, concat, fromHex } from '../protocol/bytes.ts'
import { unitOf } from '../protocol/item.ts'
import type { Issuer } from './issuer.ts'

const nonceBytes = 24

/** HKDF-Expand(secret, "farthing content" || contentHash): one key per content, ever. @returns 32 bytes */
export const contentKey = (issuer: Pick<Issuer, 'keys'>, contentHash: string): Uint8Array =>
  expand(sha256, issuer.keys.contentKeySecret, concat(ascii('farthing content'), fromHex(contentHash, 32)), 32)

const codeKey = (issuer: Pick<Issuer, 'keys'>): Uint8Array =>
  expand(sha256, issuer.keys.contentKeySecret, ascii('farthing codes'), 32)

/** One code, ready for the store. */
export interface SealedCode {
  /** SHA-256 of the code, in hex. */
  readonly unit: string
  /** nonce 24 || ciphertext */
  readonly sealed: Uint8Array
}

/** Encrypts one-time codes for the store, each bound to its unit. */
export const sealCodes = (
  issuer: Pick<Issuer, 'keys' | 'randomBytes'>,
  codes: readonly string[],
): readonly SealedCode[] => {
  const key = codeKey(issuer)
  return codes.map((code) => {
    const unit = unitOf(code)
    const nonce = Uint8Array.from(issuer.randomBytes(nonceBytes))
    const cipher = xchacha20poly1305(key, nonce, fromHex(unit, 32))
    return { unit, sealed: concat(nonce, cipher.encrypt(utf8ToBytes(code))) }
  })
}

/** @returns opens one sealed code; throws when the store's bytes were changed, or the keys file is another store's */
export const codeOpener = (issuer: Pick<Issuer, 'keys'>): ((code: SealedCode) => string) => {
  const key = codeKey(issuer)
  return ({ unit, sealed }) => {
    const bytes = Uint8Array.from(sealed)
    const cipher = xchacha20poly1305(key, bytes.slice(0, nonceBytes), fromHex(unit, 32))
    return bytesToUtf8(cipher.decrypt(bytes.slice(nonceBytes)))
  }
}
