/** Key derivation (PROTOCOL.md, Parties and keys): HKDF-Expand with SHA-256, RFC 5869 section 2.3. */
import { expand } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { ascii, concat, requireInteger, requireLength, u8Max } from './bytes.ts'
import { type CardId, idBytes, type TerminalId } from './quantities.ts'

export const keyLength = 32

export type KeyLabel = 'farthing pay' | 'farthing settle' | 'farthing load' | 'farthing terminal'

const derive = (master: Uint8Array, label: KeyLabel, keyVersion: number, id: Uint8Array): Uint8Array => {
  requireLength(master, keyLength, 'master key')
  requireInteger(keyVersion, { max: u8Max, field: 'keyVersion' })
  return expand(sha256, master, concat(ascii(label), Uint8Array.of(keyVersion), id), keyLength)
}

/** @returns K_pay, 32 bytes, of one card under one version of MK_pay */
export const derivePayKey = (master: Uint8Array, keyVersion: number, card: CardId): Uint8Array =>
  derive(master, 'farthing pay', keyVersion, idBytes(card))
/** @returns K_settle, 32 bytes: card and issuer alone can make it */
export const deriveSettleKey = (master: Uint8Array, keyVersion: number, card: CardId): Uint8Array =>
  derive(master, 'farthing settle', keyVersion, idBytes(card))
/** @returns K_load, 32 bytes: card and issuer alone can make it */
export const deriveLoadKey = (master: Uint8Array, keyVersion: number, card: CardId): Uint8Array =>
  derive(master, 'farthing load', keyVersion, idBytes(card))
/** @returns K_term, 32 bytes, of one terminal */
export const deriveTerminalKey = (master: Uint8Array, keyVersion: number, terminal: TerminalId): Uint8Array =>
  derive(master, 'farthing terminal', keyVersion, idBytes(terminal))

const deriveOfTerminal = (terminalKey: Uint8Array, label: string): Uint8Array =>
  expand(sha256, requireLength(terminalKey, keyLength, 'K_term'), ascii(label), keyLength)

/** HKDF-Expand(K_term, "farthing keyring", 32): the key that a keyring is encrypted with. */
export const deriveKeyringKey = (terminalKey: Uint8Array): Uint8Array =>
  deriveOfTerminal(terminalKey, 'farthing keyring')
/** HKDF-Expand(K_term, "farthing journal", 32): the key that journals and their answers are sealed with. */
export const deriveJournalKey = (terminalKey: Uint8Array): Uint8Array =>
  deriveOfTerminal(terminalKey, 'farthing journal')
/** HKDF-Expand(K_term, "farthing inquiry", 32): the key that inquiries and their answers are sealed with. */
export const deriveInquiryKey = (terminalKey: Uint8Array): Uint8Array =>
  deriveOfTerminal(terminalKey, 'farthing inquiry')
