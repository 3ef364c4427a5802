/** The documents and layouts of PROTOCOL.md: whatever is read is written again as the same bytes. */
import assert from 'node:assert/strict'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
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
import {
  encodeInquiry,
  encodeInquiryAnswer,
  openCreditsAnswer,
  openVoucherAnswer,
  parseInquiry,
  requireInquirySeal,
} from '../../protocol/inquiry.ts'
import { type Item, itemHash, itemSchema, unitItem } from '../../protocol/item.ts'
import {
  encodeJournal,
  encodeJournalAnswer,
  encodeJournalEntry,
  firstJournalHead,
  type JournalEntry,
  nextJournalHead,
  openJournalAnswer,
  parseJournal,
  parseJournalEntry,
  requireJournalSeal,
} from '../../protocol/journal.ts'
import { encodeKeyring, type KeyringBody, openKeyring } from '../../protocol/keyring.ts'
import { deriveInquiryKey, deriveJournalKey, deriveKeyringKey, deriveTerminalKey } from '../../protocol/keys.ts'
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
import { cardId, macLength, shortHash, terminalId, unixTime } from '../../protocol/quantities.ts'
import { encodeIdentity, encodeRecord, parseIdentity, parseRecord } from '../../protocol/record.ts'
import { encodeTicket, judgeTicket, ticketEvent, ticketLetters, ticketVerifier } from '../../protocol/ticket.ts'
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
  (seal: (body: Uint8Array) => Uint8Array, length = sealLength) =>
  (input: Uint8Array, chance: Chance): Uint8Array => {
    if (input.length < length || chance.hit(0.25)) return input
    const body = input.subarray(0, -length)
    return concat(body, seal(body).subarray(0, length))
  }
const tagged =
  (tag: number) =>
  (body: Uint8Array): Uint8Array =>
    terminalMac(tag, body)

/** A sealed document: its layout has one encoding, and its seal is right or named forged. */
const sealed = <Value>(
  name: string,
  document: {
    readonly seal: (body: Uint8Array) => Uint8Array
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
  words: ['FBAT', 'FACK', 'FCLM', 'FLRQ', 'FLAN', 'FJRN', 'FJRA', 'FINQ', 'FINA'],
  open: (): OpenTarget => ({
    seeds,
    mend: resealed(document.seal, document.sealLength),
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
    readonly seal: (body: Uint8Array) => Uint8Array
    readonly open: (bytes: Uint8Array) => Value
    readonly encode: (value: Value) => Uint8Array
  },
  seeds: readonly Uint8Array[],
): Target => sealed(name, { seal: codec.seal, parse: codec.open, encode: codec.encode, requireSeal: codec.open }, seeds)

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
      seal: tagged(macTag.batch),
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
      seal: tagged(macTag.acknowledgement),
      open: (bytes) => openAcknowledgement(terminalMac, bytes),
      encode: (ack) => encodeAcknowledgement(terminalMac, ack),
    },
    present(terminalBatches.flatMap(({ ack, forkAck }) => [ack, forkAck])),
  ),
  sealed(
    'claim',
    {
      seal: tagged(macTag.claim),
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
      seal: tagged(macTag.loadRequest),
      parse: parseLoadRequest,
      requireSeal: (bytes) => requireLoadRequestSeal(terminalMac, bytes),
      encode: (request) => encodeLoadRequest(terminalMac, request),
    },
    loads.map(({ request }) => hex(request)),
  ),
  sealedByOpening(
    'load-answer',
    {
      seal: tagged(macTag.loadAnswer),
      open: (bytes) => openLoadAnswer(terminalMac, bytes),
      encode: (answer) => encodeLoadAnswer(terminalMac, answer),
    },
    present(loads.flatMap(({ answer, refusal }) => [answer, refusal])),
  ),
]

/** What a desk's operators and vouchers travel in: sealed under keys of their own. */
const underKey = (key: Uint8Array) => (body: Uint8Array) => hmac(sha256, key, body)
const deskTerminal = terminalId('7465726d30303031')
const journalEntries: readonly JournalEntry[] = [
  { no: 1, at: '2026-11-23T10:00:00.000Z', act: 'start' },
  {
    no: 2,
    at: '2026-11-23T10:01:00.000Z',
    act: 'refund',
    operator: { cardId: cardId('0be7a70700000001'), name: 'Ada Łovelace' },
    details: { cardId: 'c0ffee0000000001', counter: 7, terminalSeq: 65, amountMinor: 250, reason: 'torn', test: true },
  },
]
const journalBytes = journalEntries.map(encodeJournalEntry)
const journalStart = firstJournalHead(deskTerminal, 2)
const journalHead = { keyVersion: 2, terminalId: deskTerminal, epoch: 2, journalNo: 1 }
const sampleJournal = {
  ...journalHead,
  firstEntry: 1,
  previousHead: journalStart,
  entries: journalBytes,
  head: journalBytes.reduce(nextJournalHead, journalStart),
}
const inquiry = {
  keyVersion: 2,
  terminalId: deskTerminal,
  nonce: new Uint8Array(16).fill(3),
  about: { kind: 'voucher', hash: shortHash(new Uint8Array(16).fill(4)) },
} as const
const creditsInquiry = { ...inquiry, about: { kind: 'credits', cardId: cardId('c0ffee0000000001') } } as const
const sealedJournals = underKey(deriveJournalKey(terminalKey))
const sealedInquiries = underKey(deriveInquiryKey(terminalKey))

/** Each derives its key anew: fewer of them take as long. */
const deskDocuments: readonly Target[] = [
  sealed(
    'journal',
    {
      seal: sealedJournals,
      parse: parseJournal,
      requireSeal: (bytes) => requireJournalSeal(terminalKey, bytes),
      encode: (journal) => encodeJournal(terminalKey, journal),
    },
    [encodeJournal(terminalKey, sampleJournal)],
    4096,
  ),
  sealedByOpening(
    'journal-answer',
    {
      seal: sealedJournals,
      open: (bytes) => openJournalAnswer(terminalKey, bytes),
      encode: (answer) => encodeJournalAnswer(terminalKey, answer),
    },
    (['taken', 'fork'] as const).map((verdict) =>
      encodeJournalAnswer(terminalKey, { ...journalHead, verdict, head: sampleJournal.head }),
    ),
  ),
  sealed(
    'inquiry',
    {
      seal: sealedInquiries,
      parse: parseInquiry,
      requireSeal: (bytes) => requireInquirySeal(terminalKey, bytes),
      encode: (asked) => encodeInquiry(terminalKey, asked),
    },
    [encodeInquiry(terminalKey, inquiry), encodeInquiry(terminalKey, creditsInquiry)],
  ),
  sealedByOpening(
    'voucher-answer',
    {
      seal: sealedInquiries,
      open: (bytes) => openVoucherAnswer(terminalKey, inquiry, bytes),
      encode: (answer) => encodeInquiryAnswer(terminalKey, inquiry, answer),
    },
    [
      encodeInquiryAnswer(terminalKey, inquiry, { state: 'valid', amountMinor: 2000 }),
      encodeInquiryAnswer(terminalKey, inquiry, { state: 'used' }),
    ],
  ),
  sealedByOpening(
    'credits-answer',
    {
      seal: sealedInquiries,
      open: (bytes) => openCreditsAnswer(terminalKey, creditsInquiry, bytes),
      encode: (answer) => encodeInquiryAnswer(terminalKey, creditsInquiry, answer),
    },
    [
      encodeInquiryAnswer(terminalKey, creditsInquiry, { credits: [{ amountMinor: 250, reference: '7H3KM2PQ' }] }),
      encodeInquiryAnswer(terminalKey, creditsInquiry, { credits: [] }),
    ],
  ),
].map((target) => ({ ...target, inputs: 2_000 }))

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

const shown = { contentHash: 'ef'.repeat(32), mediaType: 'image/svg+xml', bytes: 900 } as const
const shelvedBulletin: Bulletin = {
  ...sampleBulletin,
  coming: [{ from: '2026-12-01T00:00:00Z', item: { ...sampleItem, version: 4, priceMinor: 300 } }],
  assortments: [{ name: 'Station', items: ['old-town.map'] }],
  categories: [{ id: 'maps', title: { en: 'Maps', ar: 'خرائط' } }],
  display: [
    {
      itemId: 'old-town.map',
      category: 'maps',
      picture: shown,
      preview: { ...shown, mediaType: 'application/pdf' },
      ageMin: 16,
      soldUntil: '2026-12-24T18:00:00Z',
      printed: true,
    },
  ],
  brands: [{ merchant: 'Museum of the town', accent: '#1f6f5c', logo: shown }],
}
const operatedBody: KeyringBody = {
  ...sampleBody,
  assortment: 'Station',
  bulletinSerial: 7,
  terminalKey: { version: 3, key: 'aa'.repeat(32) },
  operators: [
    {
      cardId: cardId('0be7a70700000001'),
      name: 'Ada',
      role: 'technician',
      pin: `scrypt$14$8$1$${'0a'.repeat(16)}$${'0b'.repeat(32)}`,
    },
  ],
}
const sampleTicket = {
  keyVersion: 1,
  event: ticketEvent('tower'),
  number: '0102030405060708',
  validFrom: unixTime(1),
  validUntil: unixTime(0xffffffff),
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
    '2026-11-23T10:00:00+02',
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
  canonicalTarget('bulletin-body', (bytes) => parseCanonical(bulletinSchema, bytes, 'bulletin'), [
    sampleBulletin,
    shelvedBulletin,
  ]),
  canonicalTarget('keyring-body', (bytes) => openKeyring(keyringOf(bytes), terminalKey).body, [
    sampleBody,
    operatedBody,
  ]),
  canonicalTarget('journal-entry', parseJournalEntry, journalEntries, (entry) => {
    assert(Number.isSafeInteger(Math.floor(Date.parse(entry.at) / 1000)), 'its moment')
    requireSameBytes(encodeJournalEntry(entry), canonicalBytes(entry))
  }),
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

const ticketKeys = new Map([[1, ticketVerifier(publicKey)]])
/** As it is typed or scanned: any text. A ticket that is good is the one that this key wrote, and says so in one spelling. */
const tickets: Target = {
  name: 'ticket',
  kind: 'text',
  inputs: 2_000,
  lengthMax: 1024,
  words: ['FTKT', 'O', 'I', 'l', '-', ' ', '\u00a0', '٣', 'A'.repeat(154)],
  open: () => ({
    seeds: [
      encodeTicket(sampleTicket, signing),
      encodeTicket({ ...sampleTicket, validUntil: unixTime(9) }, signing),
    ].map(bytesOf),
    run(input) {
      const text = textOf(input)
      const verdict = judgeTicket(text, { keys: ticketKeys, eventIds: ['tower'], now: 5 })
      if (verdict.outcome !== 'good') return
      const written = encodeTicket(verdict.ticket, signing)
      assert.deepEqual(judgeTicket(written, { keys: ticketKeys, eventIds: ['tower'], now: 5 }), verdict)
      assert.equal(written.length, ticketLetters)
    },
  }),
}

export const protocolTargets: readonly Target[] = [
  ...layouts,
  ...documents,
  ...deskDocuments,
  ...jsonDocuments,
  amounts,
  tickets,
]
