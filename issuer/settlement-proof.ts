/**
 * Whether a card made a record: its settlement MAC (PROTOCOL.md, Parties and keys; RFC 2104, RFC 5869). Four hashes a record
 * and no key kept: with node:crypto's one-shot hash a derivation costs less than the look-up in a cache of a million keys.
 */
import { hash } from 'node:crypto'
import { ascii } from '../protocol/bytes.ts'
import { macTag } from '../protocol/mac.ts'
import { idLength, macLength } from '../protocol/quantities.ts'
import { recordLength } from '../protocol/record.ts'

const blockLength = 64
const hashLength = 32
/** Where an identity has its key version and its card (PROTOCOL.md, Layouts). */
const keyVersionAt = 1
const cardIdAt = 4

export interface SettlementProofs {
  /**
   * @param bytes holds at `at` a record (80) and the settlement MAC (16) that is claimed for it
   * @returns whether the card made the record; false too where there is no such key version
   */
  proves(bytes: Buffer, at: number): boolean
}

/** HMAC-SHA-256 over a message of one length, which is written into `message`. Answers in the buffer that it was given. */
class FixedHmac {
  readonly message: Buffer
  readonly #inner: Buffer
  readonly #outer = Buffer.alloc(blockLength + hashLength)

  constructor(messageLength: number) {
    this.#inner = Buffer.alloc(blockLength + messageLength)
    this.message = this.#inner.subarray(blockLength)
  }

  /** @param key at most 64 bytes */
  setKey(key: Uint8Array): void {
    for (let index = 0; index < blockLength; index += 1) {
      const byte = key[index] ?? 0
      this.#inner[index] = byte ^ 0x36
      this.#outer[index] = byte ^ 0x5c
    }
  }

  // As latin1, one character a byte: node:crypto makes strings several times faster than buffers.
  digestInto(to: Buffer): void {
    this.#outer.write(hash('sha256', this.#inner, 'binary'), blockLength, 'latin1')
    to.write(hash('sha256', this.#outer, 'binary'), 0, 'latin1')
  }
}

const label = ascii('farthing settle')

/** HKDF-Expand of one block, of the card whose id is written behind the label and the version. */
const derivationOf = (version: number, master: Uint8Array): FixedHmac => {
  const derivation = new FixedHmac(label.length + 1 + idLength + 1)
  derivation.setKey(master)
  derivation.message.set(label)
  derivation.message[label.length] = version
  derivation.message[derivation.message.length - 1] = 1
  return derivation
}

const differs = (a: Buffer, b: Buffer, bAt: number): boolean => {
  let difference = 0
  for (let index = 0; index < macLength; index += 4) difference |= a.readInt32BE(index) ^ b.readInt32BE(bAt + index)
  return difference !== 0
}

/** @param masterOf MK_settle of a version, 32 bytes; undefined: there is none */
export const settlementProofs = (masterOf: (version: number) => Uint8Array | undefined): SettlementProofs => {
  const derivations = new Map<number, FixedHmac>()
  const derivationFor = (version: number): FixedHmac | undefined => {
    const known = derivations.get(version)
    const master = known === undefined ? masterOf(version) : undefined
    if (master === undefined) return known
    const made = derivationOf(version, master)
    derivations.set(version, made)
    return made
  }
  const settlement = new FixedHmac(1 + recordLength)
  settlement.message[0] = macTag.settlement
  const settleKey = Buffer.alloc(hashLength)
  const mac = Buffer.alloc(hashLength)
  return {
    proves(bytes, at) {
      const derivation = derivationFor(bytes[at + keyVersionAt] ?? 0)
      if (derivation === undefined) return false
      bytes.copy(derivation.message, label.length + 1, at + cardIdAt, at + cardIdAt + idLength)
      derivation.digestInto(settleKey)
      settlement.setKey(settleKey)
      bytes.copy(settlement.message, 1, at, at + recordLength)
      settlement.digestInto(mac)
      return !differs(mac, bytes, at + recordLength)
    },
  }
}
