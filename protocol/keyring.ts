/**
 * The keyring: the issuer's secrets for one terminal (PROTOCOL.md, Keyring).
 * "FKEY" | version u8 = 1 | keyVersion u8 | 0 u16 | terminalId 8 | epoch u32 | serial u32 | nonce 24
 * | XChaCha20-Poly1305(HKDF-Expand(K_term, "farthing keyring", 32), canonical JSON), associated data: all before the nonce.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import * as v from 'valibot'
import { assortmentNameSchema } from './bulletin.ts'
import { ascii, ByteReader, ByteWriter, concat, fromHex, protocolVersion, requireLength, toHex } from './bytes.ts'
import { canonicalBytes, parseCanonical } from './canonical-json.ts'
import { ProtocolError } from './errors.ts'
import { hash32Schema, itemIdSchema, u32Schema } from './item.ts'
import { deriveKeyringKey } from './keys.ts'
import { operatorSchema, operatorsMax } from './operator.ts'
import { idBytes, idLength, type TerminalId, terminalId } from './quantities.ts'

const headLength = 24
const nonceLength = 24
const tagLength = 16
export const keyringBytesMax = 64 * 1024 * 1024

const keyHexSchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))

export const keyringBodySchema = v.strictObject({
  v: v.literal(1),
  issuedAt: v.pipe(v.string(), v.isoTimestamp()),
  /** The name that customers read. */
  merchant: v.string(),
  /** MK_pay in use. */
  payKeys: v.array(v.strictObject({ version: v.pipe(u32Schema, v.maxValue(255)), key: keyHexSchema })),
  /** One key a content. */
  contentKeys: v.array(v.strictObject({ contentHash: hash32Schema, key: keyHexSchema })),
  /** The one-time codes and tickets that this terminal, and no other, may sell. */
  units: v.array(v.strictObject({ itemId: itemIdSchema, code: v.pipe(v.string(), v.minLength(1), v.maxLength(500)) })),
  /** Which of the bulletin's assortments this terminal sells; absent: everything. */
  assortment: v.optional(assortmentNameSchema),
  /** The bulletin that it goes with, or a later one: the two are never mixed with older ones of the other. */
  bulletinSerial: v.optional(u32Schema),
  /** The next K_term: what this terminal seals from now on, it seals with this. */
  terminalKey: v.optional(v.strictObject({ version: v.pipe(u32Schema, v.maxValue(255)), key: keyHexSchema })),
  /**
   * Who may enter the operator mode here. Only in keyrings of terminals that have sent a journal: an older program does not know
   * this member, and would refuse the whole keyring (PROTOCOL.md, Operators).
   */
  operators: v.optional(v.pipe(v.array(operatorSchema), v.maxLength(operatorsMax))),
})
export type KeyringBody = Readonly<v.InferOutput<typeof keyringBodySchema>>

export interface Keyring {
  /** Of K_term. */
  readonly keyVersion: number
  readonly terminalId: TerminalId
  readonly epoch: number
  /** Only grows. */
  readonly serial: number
  readonly body: KeyringBody
}

/** @param sealing.nonce 24 fresh random bytes @returns the encrypted document */
export const encodeKeyring = (
  keyring: Keyring,
  sealing: { readonly terminalKey: Uint8Array; readonly nonce: Uint8Array },
): Uint8Array => {
  const head = new ByteWriter(headLength)
    .bytes(ascii('FKEY'), 4, 'magic')
    .u8(protocolVersion)
    .u8(keyring.keyVersion, 'keyring.keyVersion')
    .zeros(2)
    .bytes(idBytes(keyring.terminalId), idLength, 'keyring.terminalId')
    .u32(keyring.epoch, 'keyring.epoch')
    .u32(keyring.serial, 'keyring.serial')
    .done()
  const nonce = requireLength(sealing.nonce, nonceLength, 'keyring nonce')
  const cipher = xchacha20poly1305(deriveKeyringKey(sealing.terminalKey), nonce, head)
  return concat(head, nonce, cipher.encrypt(canonicalBytes(keyring.body)))
}

/** What stands outside the encryption: whose it is, and which. @throws ProtocolError `length`, `magic`, `version`, `reserved` */
export const parseKeyringHead = (bytes: Uint8Array): Omit<Keyring, 'body'> => {
  if (bytes.length < headLength + nonceLength + tagLength || bytes.length > keyringBytesMax)
    throw new ProtocolError('length', 'keyring')
  const reader = new ByteReader(bytes.slice(0, headLength), headLength, 'keyring')
  reader.magic('FKEY')
  reader.version('keyring')
  const keyVersion = reader.u8()
  reader.reserved(2, 'keyring')
  const terminal = terminalId(toHex(reader.bytes(idLength)))
  return { keyVersion, terminalId: terminal, epoch: reader.u32(), serial: reader.u32() }
}

/** Verifies, decrypts and reads. @param terminalKey K_term, 32 bytes @throws ProtocolError; `forged` when it is not for this key */
export const openKeyring = (bytes: Uint8Array, terminalKey: Uint8Array): Keyring => {
  const outside = parseKeyringHead(bytes)
  const head = bytes.slice(0, headLength)
  const nonce = bytes.slice(headLength, headLength + nonceLength)
  let json: Uint8Array
  try {
    json = xchacha20poly1305(deriveKeyringKey(terminalKey), nonce, head).decrypt(bytes.slice(headLength + nonceLength))
  } catch {
    throw new ProtocolError('forged', 'keyring')
  }
  return { ...outside, body: parseCanonical(keyringBodySchema, json, 'keyring') }
}

/**
 * Goods at rest and on the way: XChaCha20-Poly1305 under the content's own key, nonce = contentHash[0..24],
 * associated data = contentHash. One key encrypts one content, ever, so the nonce never repeats under it.
 */
const contentCipher = (key: Uint8Array, contentHash: string) => {
  const hash = fromHex(contentHash, 32, 'contentHash')
  return xchacha20poly1305(requireLength(key, 32, 'content key'), hash.slice(0, nonceLength), hash)
}

export const encryptContent = (content: Uint8Array, sealing: { key: Uint8Array; contentHash: string }): Uint8Array =>
  contentCipher(sealing.key, sealing.contentHash).encrypt(content)

/** @throws ProtocolError `forged` */
export const decryptContent = (blob: Uint8Array, sealing: { key: Uint8Array; contentHash: string }): Uint8Array => {
  try {
    return contentCipher(sealing.key, sealing.contentHash).decrypt(blob)
  } catch {
    throw new ProtocolError('forged', 'content')
  }
}
