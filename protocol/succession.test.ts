/** Certificates of signing keys: what is no certificate, and what does not follow. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { expect, test } from 'vitest'
import { concat } from './bytes.ts'
import {
  encodeSuccession,
  followSuccessions,
  parseSuccession,
  parseSuccessions,
  successionLength,
} from './succession.ts'

const seeds = [1, 2, 3, 4].map((byte) => new Uint8Array(32).fill(byte))
const publicKeys = seeds.map((seed) => ed25519.getPublicKey(seed))
const key = (keyVersion: number) => ({ keyVersion, publicKey: publicKeys[keyVersion - 1] ?? new Uint8Array() })
/** Made by the key before it. */
const link = (keyVersion: number, signer = keyVersion - 1): Uint8Array =>
  encodeSuccession(key(keyVersion), seeds[signer - 1] ?? new Uint8Array())
const all = parseSuccessions(concat(link(2), link(3), link(4)))

test('the links are followed from whichever key is known, in whatever order they stand', () => {
  expect(followSuccessions(key(1), all.toReversed()).map(({ keyVersion }) => keyVersion)).toEqual([2, 3, 4])
  expect(followSuccessions(key(3), all).map(({ keyVersion }) => keyVersion)).toEqual([4])
  expect(followSuccessions(key(4), all)).toEqual([])
  expect(followSuccessions(key(1), [])).toEqual([])
})

test('a link that another key signed breaks the chain, and one of a known version says nothing', () => {
  expect(() => followSuccessions(key(1), parseSuccessions(concat(link(2, 3), link(3))))).toThrow('forged')
  expect(() => followSuccessions(key(2), parseSuccessions(concat(link(2), link(3, 1))))).toThrow('forged')
  expect(followSuccessions(key(2), parseSuccessions(concat(link(2, 4))))).toEqual([])
  // A gap ends it.
  expect(followSuccessions(key(1), parseSuccessions(link(3)))).toEqual([])
})

test('a flipped bit is refused, and so are pieces', () => {
  const bytes = link(2)
  for (let at = 0; at < bytes.length * 8; at += 11) {
    const flipped = bytes.map((byte, index) => (index === at >> 3 ? byte ^ (1 << (at & 7)) : byte))
    const followed = () => followSuccessions(key(1), [parseSuccession(flipped)])
    // Of another version it is no link of this chain.
    if (at >> 3 === 5) expect(followed()).toEqual([])
    else expect(followed).toThrow(/magic|version|reserved|forged/)
  }
  for (const length of [1, successionLength - 1, successionLength + 1])
    expect(() => parseSuccessions(new Uint8Array(length))).toThrow('length')
  expect(() => parseSuccessions(new Uint8Array(256 * successionLength))).toThrow('length')
  expect(parseSuccessions(new Uint8Array())).toEqual([])
})
