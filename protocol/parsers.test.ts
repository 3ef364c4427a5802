/** Every parser on right, mutated and random bytes: it refuses with a named error, or reads what encodes to the same bytes. */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeAcknowledgement, openAcknowledgement } from './acknowledgement.ts'
import {
  encodeCommitAnswer,
  encodeInitiateAnswer,
  encodeReadRecordAnswer,
  encodeResponse,
  parseCommitAnswer,
  parseInitiateAnswer,
  parseReadRecordAnswer,
  parseResponse,
} from './apdu.ts'
import { encodeBatch, parseBatch, requireBatchSeal } from './batch.ts'
import { type Bulletin, encodeBulletin, openBulletin } from './bulletin.ts'
import { ascii, concat } from './bytes.ts'
import { canonicalBytes, parseCanonical } from './canonical-json.ts'
import { type CardInfo, encodeCardInfo, encodeSelectAnswer, parseCardInfo, parseSelectAnswer } from './card-info.ts'
import { encodeClaim, parseClaim, requireClaimSeal } from './claim.ts'
import { encodeEntry, firstHead, nextHead, parseEntry } from './entry.ts'
import { ProtocolError, type ProtocolErrorCode } from './errors.ts'
import { emptyContentHash, type Item, itemSchema, unitOf } from './item.ts'
import { encodeKeyring, type Keyring, openKeyring } from './keyring.ts'
import { deriveKeyringKey } from './keys.ts'
import {
  encodeLoadAnswer,
  encodeLoadRequest,
  type LoadAnswer,
  openLoadAnswer,
  parseLoadRequest,
  requireLoadRequestSeal,
} from './load.ts'
import { macKey, macTag, seal } from './mac.ts'
import { encodeOrder, type Order, parseOrder } from './order.ts'
import { encodePersonalisation, type Personalisation, parsePersonalisation } from './personalise.ts'
import {
  amountMinor,
  cardId,
  counter,
  currencyCode,
  mac,
  shortHash,
  terminalId,
  unixTime,
  zeroHash,
} from './quantities.ts'
import { type CardRecord, encodeIdentity, encodeRecord, parseIdentity, parseRecord } from './record.ts'

const filled = (length: number, byte: number) => new Uint8Array(length).fill(byte)
const someMac = mac(filled(16, 0x5a))
const card = cardId('c0ffee0000000001')
const terminal = terminalId('7465726d30303031')
const identity = { keyVersion: 1, cardId: card }
const rawTerminalKey = filled(32, 7)
const terminalKey = macKey(rawTerminalKey)
const signing = { privateKey: filled(32, 9), keyVersion: 3 }
const publicKey = ed25519.getPublicKey(signing.privateKey)
const nonce = filled(24, 0x11)

const payment: Order = {
  type: 'payment',
  currency: currencyCode(978),
  amountMinor: amountMinor(250),
  reference: counter(0),
  terminalId: terminal,
  terminalSeq: 7,
  time: unixTime(1_700_000_000),
  itemHash: shortHash(filled(16, 0x22)),
  lock: filled(16, 0x33),
}
const record: CardRecord = { identity, counter: counter(42), balanceAfterMinor: amountMinor(4750), order: payment }
const entry = encodeEntry({ record, settlementMac: someMac, status: 'captured', resolvedTime: unixTime(0) })
const cardInfo: CardInfo = {
  keyVersion: 1,
  status: 'active',
  pinTriesLeft: 3,
  cardId: card,
  currency: currencyCode(978),
  expiry: unixTime(4_102_444_800),
  counter: counter(41),
  balanceMinor: amountMinor(5000),
  balanceMaxMinor: amountMinor(20_000),
  pinFreeLeftMinor: amountMinor(2500),
  challenge: filled(8, 1),
}
const personalisation: Personalisation = {
  keyVersion: 1,
  cardId: card,
  currency: currencyCode(978),
  expiry: unixTime(4_102_444_800),
  balanceMaxMinor: amountMinor(20_000),
  pinFreeMaxMinor: amountMinor(2500),
  pinTriesMax: 3,
  pin: '1234',
  payKey: filled(32, 1),
  settleKey: filled(32, 2),
  loadKey: filled(32, 3),
}
const item: Item = {
  v: 1,
  id: 'walking-map',
  version: 1,
  kind: 'document',
  title: { en: 'A walking map', 'zh-Hant': '步行地圖' },
  summary: { en: '' },
  priceMinor: 250,
  currency: 'EUR',
  taxBasisPoints: 1900,
  mediaType: 'application/pdf',
  bytes: 12_345,
  contentHash: emptyContentHash,
  unit: unitOf('ABCD-1234'),
}
const bulletin: Bulletin = {
  v: 1,
  serial: 12,
  issuedAt: '2026-11-23T08:00:00Z',
  expiresAt: '2026-12-23T08:00:00Z',
  currency: 'EUR',
  publicUrl: 'https://farthing.example',
  claimSeconds: 86_400,
  items: [item],
  hotlist: { generation: 2, count: 2, head: '5a'.repeat(32) },
  limits: {
    saleMinorMax: 2000,
    cardUnsyncedMinorMax: 5000,
    unsyncedCountMax: 10_000,
    unsyncedMinorMax: 1_000_000,
    unsyncedSecondsMax: 604_800,
    staleAfterSeconds: 86_400,
    staleSaleMinorMax: 500,
  },
  payKeyVersions: [1, 2],
}
const keyring: Keyring = {
  keyVersion: 2,
  terminalId: terminal,
  epoch: 3,
  serial: 4,
  body: {
    v: 1,
    issuedAt: '2026-11-23T08:00:00Z',
    merchant: 'Café Ñandú',
    payKeys: [{ version: 1, key: '0f'.repeat(32) }],
    contentKeys: [{ contentHash: emptyContentHash, key: 'f0'.repeat(32) }],
    units: [{ itemId: 'wifi-day', code: 'ABCD-1234' }],
  },
}
const loadAnswer: LoadAnswer = {
  keyVersion: 2,
  verdict: 'authorised',
  terminalId: terminal,
  terminalSeq: 12,
  counter: counter(9),
  commitMac: someMac,
}
const head = nextHead(firstHead(terminal, 3), entry)

interface Document {
  /** A right one. */
  readonly bytes: Uint8Array
  /** Checks seals, reads, and encodes again. @throws ProtocolError */
  readonly again: (bytes: Uint8Array) => Uint8Array
  /** Of a document with a seal: what is under it, and how it is put there. */
  readonly sealed?: { readonly body: Uint8Array; readonly close: (body: Uint8Array) => Uint8Array }
  /** Other lengths than that of `bytes` may be right. */
  readonly varies?: true
  /** What a byte becomes (within the body, if there is a seal), and the error that names it. */
  readonly wrong: readonly (readonly [
    at: number | readonly number[],
    byte: number,
    code: ProtocolErrorCode,
    field: string,
  ])[]
}

const underSeal = (bytes: Uint8Array, tag: number, length = 32) => ({
  body: bytes.slice(0, -length),
  close: (body: Uint8Array) => seal(terminalKey, tag, body).slice(0, body.length + length),
})

const batch = encodeBatch(terminalKey, {
  keyVersion: 2,
  terminalId: terminal,
  epoch: 3,
  batchNo: 1,
  firstEntry: 1,
  previousHead: firstHead(terminal, 3),
  entries: [entry],
  head,
})
const acknowledgement = encodeAcknowledgement(terminalKey, {
  keyVersion: 2,
  verdict: 'taken',
  terminalId: terminal,
  epoch: 3,
  batchNo: 1,
  head,
  accepted: 0x10,
  exceptions: [
    { entry: 2, reason: 'clone' },
    { entry: 4, reason: 'limit' },
  ],
})
const claim = encodeClaim(terminalKey, {
  keyVersion: 2,
  sealer: terminal,
  record,
  settlementMac: someMac,
  expiry: unixTime(1_800_000_000),
})
const loadRequest = encodeLoadRequest(terminalKey, {
  keyVersion: 2,
  identity,
  counter: counter(9),
  balanceMinor: amountMinor(100),
  order: { ...payment, type: 'load', itemHash: zeroHash() },
  cardNonce: filled(8, 4),
  offerMac: someMac,
})
const signedBulletin = encodeBulletin(bulletin, signing)
const sealedKeyring = encodeKeyring(keyring, { terminalKey: rawTerminalKey, nonce })

const header = (magic: string, name: string): Document['wrong'] => [
  [[0, 1, 2, 3], 0x20, 'magic', magic],
  [4, 0, 'version', name],
  [4, 2, 'version', name],
]

const documents: Record<string, Document> = {
  order: {
    bytes: encodeOrder(payment),
    again: (bytes) => encodeOrder(parseOrder(bytes)),
    wrong: [
      [0, 5, 'range', 'order.type'],
      [0, 255, 'range', 'order.type'],
      [1, 1, 'reserved', 'order'],
      [[8, 9, 10, 11], 1, 'reserved', 'order.reference'],
      [0, 0, 'reserved', 'order.amount'],
      [0, 4, 'reserved', 'order.amount'],
    ],
  },
  'probe order': {
    bytes: encodeOrder({ ...payment, type: 'probe', amountMinor: amountMinor(0), itemHash: zeroHash() }),
    again: (bytes) => encodeOrder(parseOrder(bytes)),
    wrong: [
      [[4, 5, 6, 7], 1, 'reserved', 'order.amount'],
      [[8, 11], 1, 'reserved', 'order.reference'],
      [[28, 43], 1, 'reserved', 'order.itemHash'],
      [0, 4, 'reserved', 'order.lock'],
    ],
  },
  identity: {
    bytes: encodeIdentity(identity),
    again: (bytes) => encodeIdentity(parseIdentity(bytes)),
    wrong: [
      [0, 0, 'version', 'identity'],
      [0, 2, 'version', 'identity'],
      [[2, 3], 1, 'reserved', 'identity'],
    ],
  },
  record: {
    bytes: encodeRecord(record),
    again: (bytes) => encodeRecord(parseRecord(bytes)),
    wrong: [
      [0, 2, 'version', 'identity'],
      [[2, 3], 1, 'reserved', 'identity'],
      [15, 0, 'range', 'record.counter'],
      [20, 5, 'range', 'order.type'],
      [21, 1, 'reserved', 'order'],
      [27, 0, 'range', 'record.order.amount'],
    ],
  },
  entry: {
    bytes: entry,
    again: (bytes) => encodeEntry(parseEntry(bytes)),
    wrong: [
      [0, 2, 'version', 'identity'],
      [96, 0, 'range', 'entry.status'],
      [96, 7, 'range', 'entry.status'],
      [96, 2, 'reserved', 'entry.settlementMac'],
      [96, 3, 'reserved', 'entry.settlementMac'],
      [96, 6, 'reserved', 'entry.settlementMac'],
      [[97, 98, 99], 1, 'reserved', 'entry'],
    ],
  },
  batch: {
    bytes: batch,
    again: (bytes) => {
      const parsed = parseBatch(bytes)
      requireBatchSeal(terminalKey, bytes)
      return encodeBatch(terminalKey, parsed)
    },
    sealed: underSeal(batch, macTag.batch),
    wrong: [
      ...header('FBAT', 'batch'),
      [[6, 7], 1, 'reserved', 'batch'],
      [23, 0, 'range', 'batch.batchNo'],
      [27, 0, 'range', 'batch.firstEntry'],
      [28, 1, 'range', 'batch.count'],
      [31, 2, 'length', 'batch'],
      [31, 0, 'length', 'batch'],
    ],
  },
  acknowledgement: {
    bytes: acknowledgement,
    again: (bytes) => encodeAcknowledgement(terminalKey, openAcknowledgement(terminalKey, bytes)),
    sealed: underSeal(acknowledgement, macTag.acknowledgement),
    wrong: [
      ...header('FACK', 'acknowledgement'),
      [6, 5, 'range', 'acknowledgement.verdict'],
      [6, 1, 'reserved', 'acknowledgement.accepted'],
      [7, 1, 'reserved', 'acknowledgement'],
      [23, 0, 'range', 'acknowledgement.batchNo'],
      [56, 1, 'range', 'acknowledgement.accepted'],
      [60, 1, 'range', 'acknowledgement.exceptions'],
      [58, 0x27, 'range', 'acknowledgement.count'],
      [63, 3, 'length', 'acknowledgement'],
      [67, 0, 'range', 'acknowledgement.entry'],
      [68, 0, 'range', 'acknowledgement.reason'],
      [68, 14, 'range', 'acknowledgement.reason'],
      [[69, 70, 71], 1, 'reserved', 'acknowledgement'],
    ],
  },
  claim: {
    bytes: claim,
    again: (bytes) => {
      const parsed = parseClaim(bytes)
      requireClaimSeal(terminalKey, bytes)
      return encodeClaim(terminalKey, parsed)
    },
    sealed: underSeal(claim, macTag.claim, 16),
    wrong: [
      ...header('FCLM', 'claim'),
      [[6, 7], 1, 'reserved', 'claim'],
      [16, 2, 'version', 'identity'],
      [36, 2, 'range', 'claim.record'],
      [36, 0, 'reserved', 'order.amount'],
    ],
  },
  'load request': {
    bytes: loadRequest,
    again: (bytes) => {
      const parsed = parseLoadRequest(bytes)
      requireLoadRequestSeal(terminalKey, bytes)
      return encodeLoadRequest(terminalKey, parsed)
    },
    sealed: underSeal(loadRequest, macTag.loadRequest),
    wrong: [
      ...header('FLRQ', 'load request'),
      [[6, 7], 1, 'reserved', 'load request'],
      [8, 2, 'version', 'identity'],
      [28, 1, 'range', 'load request.order.type'],
      [35, 0, 'range', 'load request.order.amount'],
    ],
  },
  'load answer': {
    bytes: encodeLoadAnswer(terminalKey, loadAnswer),
    again: (bytes) => encodeLoadAnswer(terminalKey, openLoadAnswer(terminalKey, bytes)),
    sealed: underSeal(encodeLoadAnswer(terminalKey, loadAnswer), macTag.loadAnswer),
    wrong: [
      ...header('FLAN', 'load answer'),
      [6, 6, 'range', 'load answer.verdict'],
      [6, 1, 'reserved', 'load answer.commitMac'],
      [7, 1, 'reserved', 'load answer'],
    ],
  },
  cardInfo: {
    bytes: encodeCardInfo(cardInfo),
    again: (bytes) => encodeCardInfo(parseCardInfo(bytes)),
    wrong: [
      [0, 2, 'version', 'cardInfo'],
      [2, 0, 'range', 'cardInfo.status'],
      [2, 3, 'range', 'cardInfo.status'],
      [[14, 15], 1, 'reserved', 'cardInfo'],
    ],
  },
  'SELECT answer': {
    bytes: encodeSelectAnswer(cardInfo),
    again: (bytes) => encodeSelectAnswer(parseSelectAnswer(bytes)),
    wrong: [
      [Array.from({ length: 17 }, (_, at) => at), 0x7f, 'magic', 'SELECT answer'],
      [17, 2, 'version', 'cardInfo'],
    ],
  },
  'INITIATE answer': {
    bytes: encodeInitiateAnswer({
      counter: counter(42),
      balanceMinor: amountMinor(5),
      cardNonce: filled(8, 1),
      offerMac: someMac,
    }),
    again: (bytes) => encodeInitiateAnswer(parseInitiateAnswer(bytes)),
    wrong: [],
  },
  'COMMIT answer': {
    bytes: encodeCommitAnswer({ balanceAfterMinor: amountMinor(5), settlementMac: someMac, acceptanceMac: someMac }),
    again: (bytes) => encodeCommitAnswer(parseCommitAnswer(bytes)),
    wrong: [],
  },
  'READ RECORD answer': {
    bytes: encodeReadRecordAnswer({ record: encodeRecord(record), settlementMac: someMac, acceptanceMac: someMac }),
    again: (bytes) => encodeReadRecordAnswer(parseReadRecordAnswer(bytes)),
    wrong: [],
  },
  'response APDU': {
    bytes: Uint8Array.of(0x90, 0x00),
    again: (bytes) => encodeResponse(parseResponse(bytes)),
    varies: true,
    wrong: [],
  },
  personalisation: {
    bytes: encodePersonalisation(personalisation),
    again: (bytes) => encodePersonalisation(parsePersonalisation(bytes)),
    wrong: [
      [0, 2, 'version', 'personalisation'],
      [[2, 3, 14, 15, 30, 31], 1, 'reserved', 'personalisation'],
      [28, 0, 'range', 'personalisation.pinTriesMax'],
      [28, 16, 'range', 'personalisation.pinTriesMax'],
      [29, 3, 'reserved', 'personalisation.PIN'],
      [29, 13, 'reserved', 'personalisation.PIN'],
      [29, 5, 'range', 'personalisation.PIN'],
      [[32, 33, 34, 35], 0x3a, 'range', 'personalisation.PIN'],
      [[36, 43], 0x30, 'reserved', 'personalisation.PIN'],
    ],
  },
  bulletin: {
    bytes: signedBulletin,
    again: (bytes) => encodeBulletin(openBulletin(bytes, publicKey), { ...signing, keyVersion: bytes[5] ?? 0 }),
    sealed: {
      body: concat(signedBulletin.slice(0, 8), signedBulletin.slice(72)),
      close: (body) => {
        const [start, json] = [body.slice(0, 8), body.slice(8)]
        return concat(start, ed25519.sign(concat(ascii('farthing bulletin'), body), signing.privateKey), json)
      },
    },
    varies: true,
    wrong: [...header('FBUL', 'bulletin'), [[6, 7], 1, 'reserved', 'bulletin'], [8, 0x20, 'json', 'bulletin']],
  },
  keyring: {
    bytes: sealedKeyring,
    again: (bytes) => {
      const opened = openKeyring(bytes, rawTerminalKey)
      return encodeKeyring(opened, { terminalKey: rawTerminalKey, nonce: bytes.slice(24, 48) })
    },
    sealed: {
      body: concat(sealedKeyring.slice(0, 24), canonicalBytes(keyring.body)),
      close: (body) => {
        const start = body.slice(0, 24)
        const cipher = xchacha20poly1305(deriveKeyringKey(rawTerminalKey), nonce, start)
        return concat(start, nonce, cipher.encrypt(body.slice(24)))
      },
    },
    varies: true,
    wrong: [...header('FKEY', 'keyring'), [[6, 7], 1, 'reserved', 'keyring'], [24, 0x20, 'json', 'keyring']],
  },
  item: {
    bytes: canonicalBytes(item),
    again: (bytes) => canonicalBytes(parseCanonical(itemSchema, bytes, 'item')),
    varies: true,
    wrong: [[0, 0x20, 'json', 'item']],
  },
}

/** @returns the error that `act` throws, which must be one of ours; undefined when it throws none */
const errorOf = (act: () => unknown): ProtocolError | undefined => {
  try {
    act()
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
  return undefined
}

interface Mutation {
  readonly flips: readonly (readonly [at: number, bit: number])[]
  readonly keep: number
  readonly extra: Uint8Array
}

/** A few flipped bits, perhaps a cut, perhaps bytes more; places are shares of the length. */
const mutation: fc.Arbitrary<Mutation> = fc.record({
  flips: fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(7)), { maxLength: 3 }),
  keep: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true })),
  extra: fc.oneof({ weight: 4, arbitrary: fc.constant(new Uint8Array(0)) }, fc.uint8Array({ maxLength: 150 })),
})

const mutate = (bytes: Uint8Array, { flips, keep, extra }: Mutation): Uint8Array => {
  const mutated = concat(bytes.slice(0, Math.round(bytes.length * keep)), extra)
  for (const [share, bit] of flips) {
    const at = Math.floor(share * mutated.length)
    mutated.set([(mutated[at] ?? 0) ^ (1 << bit)].slice(0, mutated.length), at)
  }
  return mutated
}

describe.each(Object.entries(documents))('%s', (_name, { bytes, again, sealed, varies, wrong }) => {
  const refusesOrKeeps = (candidate: Uint8Array) => {
    let encoded: Uint8Array | undefined
    errorOf(() => {
      encoded = again(candidate)
    })
    if (encoded !== undefined) expect(encoded).toEqual(candidate)
  }

  test('encodes to the bytes that it was read from', () => {
    expect(again(bytes)).toEqual(bytes)
    if (sealed !== undefined) expect(sealed.close(sealed.body)).toEqual(bytes)
  })

  test('every other length is named', () => {
    for (let length = 0; length < bytes.length; length += 1) {
      const code = errorOf(() => again(bytes.slice(0, length)))?.code
      if (varies === undefined) expect(code, `${length} bytes`).toBe('length')
      else expect(code, `${length} bytes`).toBeDefined()
    }
    if (varies !== undefined) return
    for (const more of [1, 8, 104, 1000])
      expect(errorOf(() => again(concat(bytes, filled(more, 0))))?.code).toBe('length')
  })

  for (const [places, byte, code, field] of wrong)
    test(`byte ${places} = ${byte} is ${code}`, () => {
      for (const at of [places].flat()) {
        const close = sealed?.close ?? ((body: Uint8Array) => body)
        const error = errorOf(() => again(close((sealed?.body ?? bytes).with(at, byte))))
        expect([error?.code, error?.field]).toEqual([code, field])
      }
    })

  if (sealed !== undefined)
    test('any flipped bit is refused', () => {
      const bits = [...bytes.keys()].flatMap((at) => Array.from({ length: 8 }, (_, bit) => [at, bit] as const))
      const step = Math.ceil(bits.length / 500)
      for (const [at, bit] of bits.filter((_, i) => i % step === 0))
        expect(errorOf(() => again(bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit))))).toBeInstanceOf(ProtocolError)
    })

  test('mutated, it is refused or reads back', () => {
    fc.assert(fc.property(mutation, (change) => refusesOrKeeps(mutate(bytes, change))))
  })

  test('mutated under a right seal, it is refused or reads back', () => {
    const { body, close } = sealed ?? { body: bytes, close: (mutated: Uint8Array) => mutated }
    fc.assert(fc.property(mutation, (change) => refusesOrKeeps(close(mutate(body, change)))))
  })

  test('random bytes are refused or read back', () => {
    const { close } = sealed ?? { close: (body: Uint8Array) => body }
    const random = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.uint8Array({ minLength: bytes.length, maxLength: bytes.length }),
    )
    fc.assert(
      fc.property(random, (candidate) => {
        refusesOrKeeps(candidate)
        refusesOrKeeps(close(candidate))
      }),
    )
  })
})
