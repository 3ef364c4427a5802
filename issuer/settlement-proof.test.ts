import { expect, test } from 'vitest'
import { deriveSettleKey } from '../protocol/keys.ts'
import { macKey, settlementMac } from '../protocol/mac.ts'
import { cardId } from '../protocol/quantities.ts'
import { settlementProofs } from './settlement-proof.ts'

const master = Uint8Array.from({ length: 32 }, (_, index) => index)
const proofs = settlementProofs((version) => (version === 1 || version === 2 ? master : undefined))

/** A record of a card with its MAC, by the portable implementation, which the vectors bind. */
const proven = (version: number, card: number): Buffer => {
  const bytes = Buffer.from(Array.from({ length: 96 }, (_, index) => (index * 7 + card) & 0xff))
  bytes[1] = version
  const key = deriveSettleKey(master, version, cardId(bytes.toString('hex', 4, 12)))
  bytes.set(settlementMac(macKey(key), bytes.subarray(0, 80)), 80)
  return bytes
}

test('proves what cards signed, one after the other, wherever it lies', () => {
  for (let card = 0; card < 50; card += 1) {
    const bytes = Buffer.concat([Buffer.alloc(card), proven(1 + (card % 2), card)])
    expect(proofs.proves(bytes, card)).toBe(true)
  }
})

test('one flipped bit, wherever it is, proves nothing', () => {
  const bytes = proven(1, 3)
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(proofs.proves(changed, 0)).toBe(false)
  }
  expect(proofs.proves(bytes, 0)).toBe(true)
})

test('a version without keys proves nothing', () => {
  expect(proofs.proves(proven(9, 1), 0)).toBe(false)
})
