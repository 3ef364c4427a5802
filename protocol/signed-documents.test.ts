/** Items, bulletin and keyring: read back as written, refused when their shape, key or signature is wrong. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { describe, expect, test } from 'vitest'
import { type Bulletin, bulletinKeyVersion, encodeBulletin, openBulletin } from './bulletin.ts'
import { toHex } from './bytes.ts'
import { canonicalBytes, parseCanonical } from './canonical-json.ts'
import { ProtocolError } from './errors.ts'
import { emptyContentHash, type Item, isSoldByUnit, itemHash, itemSchema, unitItem, unitOf } from './item.ts'
import { decryptContent, encodeKeyring, encryptContent, type Keyring, openKeyring } from './keyring.ts'
import { shortHashOf } from './mac.ts'
import { terminalId } from './quantities.ts'

const filled = (length: number, byte: number) => new Uint8Array(length).fill(byte)
const codeOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
  return 'nothing thrown'
}

const article: Item = {
  v: 1,
  id: 'wifi-day',
  version: 1,
  kind: 'code',
  title: { en: 'Wi-Fi for a day', de: 'WLAN für einen Tag' },
  summary: { en: 'One device, 24 hours' },
  priceMinor: 300,
  currency: 'EUR',
  taxBasisPoints: 1900,
  mediaType: 'text/plain',
  bytes: 0,
  contentHash: emptyContentHash,
}

describe('an item', () => {
  const read = (value: unknown) => parseCanonical(itemSchema, canonicalBytes(value), 'item')

  test('is read back as written, whatever the order of its fields', () => {
    expect(read(article)).toEqual(article)
    const backwards = Object.fromEntries(Object.entries(article).reverse())
    expect(canonicalBytes(backwards)).toEqual(canonicalBytes(article))
    expect(read(backwards)).toEqual(article)
  })

  test('is hashed in its canonical form', () => {
    expect(itemHash(article)).toEqual(shortHashOf(canonicalBytes(article)))
    expect(itemHash({ ...article, priceMinor: 301 })).not.toEqual(itemHash(article))
  })

  test('that is sold by unit is another item for each code', () => {
    expect(isSoldByUnit(article)).toBe(true)
    expect(isSoldByUnit({ kind: 'media' })).toBe(false)
    const unit = unitItem(article, 'ABCD')
    expect(unit).toEqual({ ...article, unit: unitOf('ABCD') })
    expect(read(unit)).toEqual(unit)
    expect(toHex(itemHash(unit))).not.toBe(toHex(itemHash(unitItem(article, 'ABCE'))))
  })

  const { title: _title, ...untitled } = article
  test.each([
    ['another version of the layout', { ...article, v: 2 }],
    ['no title', untitled],
    ['a title in no language', { ...article, title: {} }],
    ['a title in what is no language', { ...article, title: { '': 'x' } }],
    ['an unknown kind', { ...article, kind: 'food' }],
    ['an id with a slash', { ...article, id: '../x' }],
    ['an empty id', { ...article, id: '' }],
    ['a price of 0', { ...article, priceMinor: 0 }],
    ['a price with a fraction', { ...article, priceMinor: 2.5 }],
    ['a price over u32', { ...article, priceMinor: 2 ** 32 }],
    ['a price as text', { ...article, priceMinor: '300' }],
    ['a tax over everything', { ...article, taxBasisPoints: 10_001 }],
    ['a currency in lower case', { ...article, currency: 'eur' }],
    ['half a hash', { ...article, contentHash: emptyContentHash.slice(32) }],
    ['a media type without a slash', { ...article, mediaType: 'text' }],
    ['a field that is not known', { ...article, colour: 'red' }],
    ['a list in its place', [article]],
  ])('with %s is refused', (_name, value) => {
    expect(codeOf(() => read(value))).toBe('json')
  })
})

describe('a bulletin', () => {
  const signing = { privateKey: filled(32, 9), keyVersion: 3 }
  const publicKey = ed25519.getPublicKey(signing.privateKey)
  const bulletin: Bulletin = {
    v: 1,
    serial: 12,
    issuedAt: '2026-11-23T08:00:00Z',
    expiresAt: '2026-12-23T08:00:00Z',
    currency: 'EUR',
    publicUrl: 'https://farthing.example',
    claimSeconds: 86_400,
    items: [article],
    hotlist: { generation: 1, count: 3, head: '5a'.repeat(32) },
    limits: {
      saleMinorMax: 2000,
      cardUnsyncedMinorMax: 5000,
      unsyncedCountMax: 10_000,
      unsyncedMinorMax: 1_000_000,
      unsyncedSecondsMax: 604_800,
      staleAfterSeconds: 86_400,
      staleSaleMinorMax: 500,
    },
    payKeyVersions: [1],
  }

  test('is read back as written, and names its key', () => {
    const bytes = encodeBulletin(bulletin, signing)
    expect(bulletinKeyVersion(bytes)).toBe(3)
    expect(openBulletin(bytes, publicKey)).toEqual(bulletin)
  })

  test('under another key, or none, is forged', () => {
    const bytes = encodeBulletin(bulletin, signing)
    expect(codeOf(() => openBulletin(bytes, ed25519.getPublicKey(filled(32, 8))))).toBe('forged')
    expect(codeOf(() => openBulletin(bytes, filled(32, 0)))).toBe('forged')
    expect(codeOf(() => openBulletin(bytes, filled(31, 0)))).toBe('forged')
    expect(codeOf(() => openBulletin(bytes.with(5, 4), publicKey))).toBe('forged')
  })

  test.each([
    ['a serial of 0', { ...bulletin, serial: 0 }],
    ['a time that is none', { ...bulletin, expiresAt: 'tomorrow' }],
    ['an address that is none', { ...bulletin, publicUrl: 'farthing' }],
    ['a hotlist of no log', { ...bulletin, hotlist: { ...bulletin.hotlist, generation: 0 } }],
    ['a hotlist that is too long', { ...bulletin, hotlist: { ...bulletin.hotlist, count: 4_000_001 } }],
    ['half a head of the hotlist', { ...bulletin, hotlist: { ...bulletin.hotlist, head: '5a'.repeat(16) } }],
    ['a key version over u8', { ...bulletin, payKeyVersions: [256] }],
    ['an item without a price', { ...bulletin, items: [{ ...article, priceMinor: 0 }] }],
  ])('with %s is refused, rightly signed as it is', (_name, wrong) => {
    expect(codeOf(() => openBulletin(encodeBulletin(wrong, signing), publicKey))).toBe('json')
  })
})

describe('a keyring', () => {
  const terminalKey = filled(32, 7)
  const sealing = { terminalKey, nonce: filled(24, 1) }
  const keyring: Keyring = {
    keyVersion: 2,
    terminalId: terminalId('7465726d30303031'),
    epoch: 3,
    serial: 4,
    body: {
      v: 1,
      issuedAt: '2026-11-23T08:00:00Z',
      merchant: 'Café Ñandú',
      payKeys: [{ version: 1, key: '0f'.repeat(32) }],
      contentKeys: [],
      units: [{ itemId: 'wifi-day', code: 'ABCD-1234' }],
    },
  }

  test('is read back as written, by the terminal that it is for', () => {
    const bytes = encodeKeyring(keyring, sealing)
    expect(openKeyring(bytes, terminalKey)).toEqual(keyring)
    expect(codeOf(() => openKeyring(bytes, filled(32, 8)))).toBe('forged')
  })

  test('shows neither keys nor codes', () => {
    const text = String.fromCharCode(...encodeKeyring(keyring, sealing))
    expect(text).not.toContain('ABCD-1234')
    expect(text).not.toContain('0f0f')
  })

  test('with another terminal, epoch or serial in its head is forged', () => {
    const bytes = encodeKeyring(keyring, sealing)
    for (const at of [5, 8, 15, 16, 19, 20, 23, 24, 47, 48])
      expect(codeOf(() => openKeyring(bytes.with(at, 0xee), terminalKey))).toBe('forged')
  })

  test.each([
    ['half a key', { ...keyring.body, payKeys: [{ version: 1, key: '0f' }] }],
    ['a version over u8', { ...keyring.body, payKeys: [{ version: 256, key: '0f'.repeat(32) }] }],
    ['an empty code', { ...keyring.body, units: [{ itemId: 'wifi-day', code: '' }] }],
  ])('with %s is refused, rightly sealed as it is', (_name, body) => {
    expect(codeOf(() => openKeyring(encodeKeyring({ ...keyring, body }, sealing), terminalKey))).toBe('json')
  })
})

describe('content', () => {
  const sealing = { key: filled(32, 5), contentHash: unitOf('the content') }

  test('is decrypted by its key and its name alone', () => {
    const blob = encryptContent(filled(1000, 6), sealing)
    expect(decryptContent(blob, sealing)).toEqual(filled(1000, 6))
    expect(codeOf(() => decryptContent(blob, { ...sealing, key: filled(32, 4) }))).toBe('forged')
    expect(codeOf(() => decryptContent(blob, { ...sealing, contentHash: unitOf('another') }))).toBe('forged')
    expect(codeOf(() => decryptContent(blob.with(3, 0), sealing))).toBe('forged')
    expect(codeOf(() => decryptContent(new Uint8Array(0), sealing))).toBe('forged')
  })

  test('has a key of 32 bytes and a name in hex', () => {
    expect(codeOf(() => encryptContent(filled(1, 1), { ...sealing, key: filled(31, 5) }))).toBe('length')
    expect(codeOf(() => encryptContent(filled(1, 1), { ...sealing, contentHash: 'x' }))).toBe('range')
  })
})
