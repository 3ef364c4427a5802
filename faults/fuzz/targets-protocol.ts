/** The documents and layouts of PROTOCOL.md: whatever is read is written again as the same bytes. */
import assert from 'node:assert/strict'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import * as v from 'valibot'
import { samplePersonalisation } from '../../card/purse-driver.ts'
import { encodeAcknowledgement, openAcknowledgement } from '../../protocol/acknowledgement.ts'
import * as apdu from '../../protocol/apdu.ts'
import { encodeBatch, parseBatch, requireBatchSeal } from '../../protocol/batch.ts'
import {
  type Bulletin,
  bulletinKeyVersion,
  bulletinSchema,
  encodeBulletin,
  openBulletin,
} from '../../protocol/bulletin.ts'
import { concat, fromHex } from '../../protocol/bytes.ts'
import { canonicalBytes, parseCanonical } from '../../protocol/canonical-json.ts'
import { encodeCardInfo, encodeSelectAnswer, parseCardInfo, parseSelectAnswer } from '../../protocol/card-info.ts'
import { encodeClaim, parseClaim, requireClaimSeal } from '../../protocol/claim.ts'
import { currencyOf, formatAmount, parseAmount } from '../../protocol/currency.ts'
import { encodeEntry, parseEntry } from '../../protocol/entry.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { encodeHotlistEntry, type HotlistEntry, parseHotlistPage } from '../../protocol/hotlist.ts'
import { type Item, itemHash, itemSchema, unitItem } from '../../protocol/item.ts'
import { encodeKeyring, type KeyringBody, openKeyring } from '../../protocol/keyring.ts'
import { deriveKeyringKey, deriveTerminalKey } from '../../protocol/keys.ts'
import {
  encodeLoadAnswer,
  encodeLoadRequest,
  openLoadAnswer,
  parseLoadRequest,
  requireLoadRequestSeal,
} from '../../protocol/load.ts'
import { macKey, macTag, sealLength } from '../../protocol/mac.ts'
import { encodeOrder, parseOrder } from '../../protocol/order.ts'
import { encodePersonalisation, parsePersonalisation } from '../../protocol/personalise.ts'
import { macLength, terminalId } from '../../protocol/quantities.ts'
import { encodeIdentity, encodeRecord, parseIdentity, parseRecord } from '../../protocol/record.ts'
import vectors from '../../protocol/vectors.json' with { type: 'json' }
import type { Chance } from '../../simulate/chance.ts'
import { bytesOf, jsonOf, type OpenTarget, refusing, requireSameBytes, type Target, textOf } from './target.ts'

const hex = (text: string): Uint8Array => fromHex(text, text.length / 2)
const present = (texts: readonly (string | undefined)[]): readonly Uint8Array[] =>
  texts.filter((text) => text !== undefined).map(hex)

const { transactions, batches, claims, loads } = vectors
const terminalKey = deriveTerminalKey(hex(vectors.masters.terminal), 2, terminalId('7465726d30303031'))
const terminalMac = macKey(terminalKey)

/** A layout without a seal. */
const layout = <Value>(
  name: string,
  codec: { readonly parse: (bytes: Uint8Array) => Value; readonly encode: (value: Value) => Uint8Array },
  seeds: readonly Uint8Array[],
): Target => ({
  name,
  kind: 'bytes',
  inputs: 25_000,
  lengthMax: 1024,
  open: () => ({
    seeds,
    run(input) {
      const value = refusing(ProtocolError, () => codec.parse(input))
      if (value !== undefined) requireSameBytes(codec.encode(value), input)
    },
  }),
})

/** Most mutants are sealed anew, so that they come further than the seal. */
const resealed =
  (tag: number, length = sealLength) =>
  (input: Uint8Array, chance: Chance): Uint8Array => {
    if (input.length < length || chance.hit(0.25)) return input
    const body = input.subarray(0, -length)
    return concat(body, terminalMac(tag, body).subarray(0, length))
  }

/** A sealed document: its layout has one encoding, and its seal is right or named forged. */
const sealed = <Value>(
  name: string,
  document: {
    readonly tag: number
    readonly sealLength?: number
    readonly parse: (bytes: Uint8Array) => Value
    readonly requireSeal: (bytes: Uint8Array) => void
    readonly encode: (value: Value) => Uint8Array
  },
  seeds: readonly Uint8Array[],
  lengthMax = 2048,
): Target => ({
  name,
  kind: 'bytes',
  inputs: 5_000,
  lengthMax,
  words: ['FBAT', 'FACK', 'FCLM', 'FLRQ', 'FLAN'],
  open: (): OpenTarget => ({
    seeds,
    mend: resealed(document.tag, document.sealLength),
    run(input) {
      const value = refusing(ProtocolError, () => document.parse(input))
      if (value === undefined) return
      const length = document.sealLength ?? sealLength
      const written = document.encode(value)
      requireSameBytes(written.subarray(0, -length), input.subarray(0, -length))
      const right = refusing(ProtocolError, () => {
        document.requireSeal(input)
        return true
      })
      assert.equal(right === true, Buffer.compare(written, input) === 0, 'the seal')
    },
  }),
})

const sealedByOpening = <Value>(
  name: string,
  codec: {
    readonly tag: number
    readonly open: (bytes: Uint8Array) => Value
    readonly encode: (value: Value) => Uint8Array
  },
  seeds: readonly Uint8Array[],
): Target => sealed(name, { tag: codec.tag, parse: codec.open, encode: codec.encode, requireSeal: codec.open }, seeds)

const terminalBatches = batches.filter(({ terminalId: id }) => id === '7465726d30303031')

const layouts: readonly Target[] = [
  layout(
    'order',
    { parse: parseOrder, encode: encodeOrder },
    transactions.map(({ order }) => hex(order)),
  ),
  layout(
    'identity',
    { parse: parseIdentity, encode: encodeIdentity },
    transactions.map(({ record }) => hex(record.slice(0, 24))),
  ),
  layout(
    'record',
    { parse: parseRecord, encode: encodeRecord },
    transactions.map(({ record }) => hex(record)),
  ),
  layout(
    'entry',
    { parse: parseEntry, encode: encodeEntry },
    batches
      .flatMap(({ entries }) => entries)
      .slice(0, 12)
      .map(hex),
  ),
  layout(
    'hotlist-page',
    {
      parse: (bytes: Uint8Array) => parseHotlistPage(bytes),
      encode: (entries: readonly HotlistEntry[]) => concat(...entries.map(encodeHotlistEntry)),
    },
    [
      concat(
        hex(`01c0ffee0000000001${'0f'.repeat(macLength)}`),
        hex(`01c0ffee0000000002${'00'.repeat(macLength)}`),
        hex(`00c0ffee0000000001${'00'.repeat(macLength)}`),
      ),
    ],
  ),
  layout('personalisation', { parse: parsePersonalisation, encode: encodePersonalisation }, [
    encodePersonalisation(samplePersonalisation()),
    encodePersonalisation(samplePersonalisation({ pin: '' })),
  ]),
  layout('card-info', { parse: parseCardInfo, encode: encodeCardInfo }, [hex(vectors.select.answer).slice(17)]),
  layout('select-answer', { parse: parseSelectAnswer, encode: encodeSelectAnswer }, [hex(vectors.select.answer)]),
  layout('response-apdu', { parse: apdu.parseResponse, encode: apdu.encodeResponse }, [
    hex('9000'),
    hex(`${vectors.select.answer}9000`),
  ]),
  layout(
    'initiate-answer',
    { parse: apdu.parseInitiateAnswer, encode: apdu.encodeInitiateAnswer },
    transactions.map(({ initiateAnswer }) => hex(initiateAnswer)),
  ),
  layout(
    'commit-answer',
    { parse: apdu.parseCommitAnswer, encode: apdu.encodeCommitAnswer },
    present(transactions.map(({ commitAnswer }) => commitAnswer)),
  ),
  layout(
    'read-answer',
    { parse: apdu.parseReadRecordAnswer, encode: apdu.encodeReadRecordAnswer },
    transactions.map(({ record, macSettlement, macAcceptance }) => hex(record + macSettlement + macAcceptance)),
  ),
]

const documents: readonly Target[] = [
  sealed(
    'batch',
    {
      tag: macTag.batch,
      parse: parseBatch,
      requireSeal: (bytes) => requireBatchSeal(terminalMac, bytes),
      encode: (batch) => encodeBatch(terminalMac, batch),
    },
    terminalBatches.map(({ batch }) => hex(batch)),
    4096,
  ),
  sealedByOpening(
    'acknowledgement',
    {
      tag: macTag.acknowledgement,
      open: (bytes) => openAcknowledgement(terminalMac, bytes),
      encode: (ack) => encodeAcknowledgement(terminalMac, ack),
    },
    present(terminalBatches.flatMap(({ ack, forkAck }) => [ack, forkAck])),
  ),
  sealed(
    'claim',
    {
      tag: macTag.claim,
      sealLength: macLength,
      parse: parseClaim,
      requireSeal: (bytes) => requireClaimSeal(terminalMac, bytes),
      encode: (claim) => encodeClaim(terminalMac, claim),
    },
    claims.map(({ claim }) => hex(claim)),
  ),
  sealed(
    'load-request',
    {
      tag: macTag.loadRequest,
      parse: parseLoadRequest,
      requireSeal: (bytes) => requireLoadRequestSeal(terminalMac, bytes),
      encode: (request) => encodeLoadRequest(terminalMac, request),
    },
    loads.map(({ request }) => hex(request)),
  ),
  sealedByOpening(
    'load-answer',
    {
      tag: macTag.loadAnswer,
      open: (bytes) => openLoadAnswer(terminalMac, bytes),
      encode: (answer) => encodeLoadAnswer(terminalMac, answer),
    },
    present(loads.flatMap(({ answer, refusal }) => [answer, refusal])),
  ),
]

const sampleItem: Item = {
  v: 1,
  id: 'old-town.map',
  version: 3,
  kind: 'document',
  title: { en: 'Old town', 'de-AT': 'Altstadt' },
  summary: { en: 'A map, 12 €' },
  priceMinor: 250,
  currency: 'EUR',
  taxBasisPoints: 2000,
  mediaType: 'application/pdf',
  bytes: 120_000,
  contentHash: 'ab'.repeat(32),
}
const sampleBulletin: Bulletin = {
  v: 1,
  serial: 7,
  issuedAt: '2026-11-23T10:00:00Z',
  expiresAt: '2027-01-22T10:00:00Z',
  currency: 'EUR',
  publicUrl: 'https://issuer.example/farthing',
  claimSeconds: 86_400,
  items: [sampleItem, { ...sampleItem, id: 'wifi', kind: 'code', bytes: 0 }],
  hotlist: { generation: 1, count: 2, head: '0f'.repeat(32) },
  limits: {
    saleMinorMax: 5000,
    cardUnsyncedMinorMax: 5000,
    unsyncedCountMax: 1000,
    unsyncedMinorMax: 100_000,
    unsyncedSecondsMax: 604_800,
    staleAfterSeconds: 86_400,
    staleSaleMinorMax: 500,
  },
  payKeyVersions: [1, 2],
}
const sampleBody: KeyringBody = {
  v: 1,
  issuedAt: '2026-11-23T10:00:00Z',
  merchant: 'Museum of the town',
  payKeys: [{ version: 1, key: '00'.repeat(32) }],
  contentKeys: [{ contentHash: 'ab'.repeat(32), key: 'cd'.repeat(32) }],
  units: [
    { itemId: 'wifi', code: 'ABCD-1234' },
    { itemId: 'wifi', code: 'Grüße 3' },
  ],
}

/** Most mutants are put into the one form that is read. */
const canonical = (input: Uint8Array, chance: Chance): Uint8Array => {
  if (chance.hit(0.15)) return input
  const value = jsonOf(input)
  return value === undefined ? input : (refusing(ProtocolError, () => canonicalBytes(value)) ?? input)
}

/** A document in canonical JSON. @param read throws ProtocolError */
const canonicalTarget = <Value>(
  name: string,
  read: (bytes: Uint8Array) => Value,
  seeds: readonly unknown[],
  also: (value: Value) => void = () => undefined,
): Target => ({
  name,
  kind: 'json',
  inputs: 8_000,
  lengthMax: 32 * 1024,
  words: [
    'en',
    'de-AT',
    'code',
    'ticket',
    'unit',
    'blockMac',
    '2026-11-23T10:00:00Z',
    'https://a.example/',
    'ff'.repeat(32),
  ],
  open: () => ({
    seeds: seeds.map((seed) => canonicalBytes(seed)),
    mend: canonical,
    run(input) {
      const value = refusing(ProtocolError, () => read(input))
      if (value === undefined) return
      requireSameBytes(canonicalBytes(value), input)
      also(value)
    },
  }),
})

const nonce = new Uint8Array(24).fill(9)
const keyringHead = encodeKeyring(
  { keyVersion: 1, terminalId: terminalId('7465726d30303031'), epoch: 2, serial: 3, body: sampleBody },
  { terminalKey, nonce },
).slice(0, 24)
/** An issuer that seals any body. */
const keyringOf = (body: Uint8Array): Uint8Array =>
  concat(keyringHead, nonce, xchacha20poly1305(deriveKeyringKey(terminalKey), nonce, keyringHead).encrypt(body))

const signing = { privateKey: new Uint8Array(32).fill(5), keyVersion: 1 }
const publicKey = ed25519.getPublicKey(signing.privateKey)

const jsonDocuments: readonly Target[] = [
  canonicalTarget(
    'item',
    (bytes) => parseCanonical(itemSchema, bytes, 'item'),
    [sampleItem, unitItem(sampleItem, 'X')],
    (item) => void itemHash(item),
  ),
  canonicalTarget('bulletin-body', (bytes) => parseCanonical(bulletinSchema, bytes, 'bulletin'), [sampleBulletin]),
  canonicalTarget('keyring-body', (bytes) => openKeyring(keyringOf(bytes), terminalKey).body, [sampleBody]),
  canonicalTarget('canonical-json', (bytes) => parseCanonical(v.unknown(), bytes, 'document'), [
    sampleItem,
    [1, 'a', null, true, { a: [] }],
    0,
    '',
  ]),
  {
    name: 'keyring',
    kind: 'bytes',
    inputs: 3_000,
    lengthMax: 4096,
    words: ['FKEY', 'FBUL'],
    open: () => ({
      seeds: [keyringOf(canonicalBytes(sampleBody)), keyringOf(bytesOf('{}'))],
      run(input) {
        const keyring = refusing(ProtocolError, () => openKeyring(input, terminalKey))
        if (keyring !== undefined)
          requireSameBytes(encodeKeyring(keyring, { terminalKey, nonce: input.slice(24, 48) }), input)
      },
    }),
  },
  {
    name: 'bulletin',
    kind: 'bytes',
    inputs: 700,
    lengthMax: 4096,
    words: ['FBUL', 'FKEY'],
    open: () => ({
      seeds: [encodeBulletin(sampleBulletin, signing)],
      run(input) {
        refusing(ProtocolError, () => bulletinKeyVersion(input))
        const bulletin = refusing(ProtocolError, () => openBulletin(input, publicKey))
        if (bulletin !== undefined)
          requireSameBytes(encodeBulletin(bulletin, { ...signing, keyVersion: input[5] ?? 0 }), input)
      },
    }),
  },
]

const amounts: Target = {
  name: 'amount',
  kind: 'text',
  inputs: 40_000,
  words: ['EUR', 'JPY', 'KWD', '.', ',', '-', ' ', '0', '4294967295', '42949672.96', '1e3', '٣'],
  open: () => ({
    seeds: ['EUR 2.50', 'JPY 100', 'KWD 0.001', 'EUR 42949672.95', 'XXX 1'].map(bytesOf),
    run(input) {
      const text = textOf(input)
      const [letters, amount] = [text.slice(0, 3), text.slice(4)]
      const known = refusing(ProtocolError, () => currencyOf(letters))
      const minor = refusing(ProtocolError, () => parseAmount(amount, letters))
      if (minor === undefined) return
      assert(known !== undefined && Number.isSafeInteger(minor) && minor >= 0 && minor <= 0xffffffff)
      assert.equal(parseAmount(formatAmount(minor, letters), letters), minor)
    },
  }),
}

export const protocolTargets: readonly Target[] = [...layouts, ...documents, ...jsonDocuments, amounts]
