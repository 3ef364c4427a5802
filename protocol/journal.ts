/**
 * The journal: what operators did at a terminal, in a chain of its own that the terminal seals and sends (PROTOCOL.md, Journal).
 * journal "FJRN" | version u8 = 1 | keyVersion u8 | 0 u16 | terminalId 8 | epoch u32 | journalNo u32 | firstEntry u32 | count u32 | previousHead 32
 *         | (length u16 | canonical JSON) * count | head 32 | seal 32
 * answer  "FJRA" | version u8 = 1 | keyVersion u8 | verdict u8 | 0 u8 | terminalId 8 | epoch u32 | journalNo u32 | head 32 | seal 32
 * Both are sealed under HKDF-Expand(K_term, "farthing journal", 32), so that no tag of the cards' scheme is used again.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import * as v from 'valibot'
import { type BatchVerdict, batchVerdicts, isTaken } from './acknowledgement.ts'
import { ascii, ByteReader, ByteWriter, concat, requireInteger, requireLength, toHex, u32Max } from './bytes.ts'
import { canonicalBytes, parseCanonical } from './canonical-json.ts'
import { headLength } from './entry.ts'
import { ProtocolError } from './errors.ts'
import { id8Schema, u32Schema } from './item.ts'
import { deriveJournalKey } from './keys.ts'
import { requireMac, sealLength } from './mac.ts'
import { idBytes, idLength, type TerminalId, terminalId } from './quantities.ts'
import { encodeRunHeader, parseRunHeader, type RunKind, runHeaderLength } from './run-header.ts'

const lengthLength = 2
export const journalEntriesMax = 200
const journalEntryBytesMax = 2048
export const journalBytesMax =
  runHeaderLength + journalEntriesMax * (lengthLength + journalEntryBytesMax) + headLength + sealLength
export const journalAnswerLength = 4 + 4 + idLength + 4 + 4 + headLength + sealLength

/** The acts that terminals write. The issuer takes every other word too, and shows it as it is. */
const journalActs = [
  /** The first of each epoch: the terminal says that it keeps a journal. */
  'start',
  'enter',
  'wrongPin',
  'leave',
  'dayClose',
  'testSale',
  'reprint',
  'refund',
  'export',
  'import',
  'sync',
  'outOfService',
  'inService',
  'restart',
  'volume',
  'brightness',
  'stock',
  'logs',
  'readerTest',
  'printerTest',
  'load',
  'languages',
] as const
export type JournalAct = (typeof journalActs)[number]

const wellFormed = v.check((text: string) => text.isWellFormed(), 'whole characters')
const detailSchema = v.union([
  v.pipe(v.string(), v.maxLength(500), wellFormed),
  v.pipe(v.number(), v.safeInteger()),
  v.boolean(),
])

const journalOperatorSchema = v.strictObject({
  cardId: id8Schema,
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(60), wellFormed),
})

const journalEntrySchema = v.strictObject({
  /** From 1, within the epoch. */
  no: v.pipe(u32Schema, v.minValue(1)),
  /** The form alone lets pass what is no moment, such as an offset of hours without minutes. */
  at: v.pipe(
    v.string(),
    v.isoTimestamp(),
    v.check((text) => Number.isFinite(Date.parse(text)), 'a moment'),
  ),
  act: v.pipe(v.string(), v.regex(/^[a-zA-Z][a-zA-Z0-9.]{0,39}$/)),
  /** Absent: nobody's act, as a start. */
  operator: v.optional(journalOperatorSchema),
  /** Minor units, numbers, words: never a secret. */
  details: v.optional(v.record(v.pipe(v.string(), v.regex(/^[a-zA-Z][a-zA-Z0-9]{0,39}$/)), detailSchema)),
})
export type JournalEntry = Readonly<v.InferOutput<typeof journalEntrySchema>>

/** The details of an act `refund`: the payment by its card and counter, the order's number, and what is given back for it. */
export const refundDetailsSchema = v.strictObject({
  cardId: id8Schema,
  counter: v.pipe(u32Schema, v.minValue(1)),
  terminalSeq: u32Schema,
  amountMinor: v.pipe(u32Schema, v.minValue(1)),
  reason: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(200)),
})
export type RefundDetails = Readonly<v.InferOutput<typeof refundDetailsSchema>>

/** @returns the entry's canonical JSON @throws ProtocolError `json`, `length` */
export const encodeJournalEntry = (entry: JournalEntry): Uint8Array => {
  const bytes = canonicalBytes(entry)
  if (bytes.length > journalEntryBytesMax) throw new ProtocolError('length', 'journal entry', `${bytes.length} bytes`)
  parseCanonical(journalEntrySchema, bytes, 'journal entry')
  return bytes
}

/** @throws ProtocolError `json` */
export const parseJournalEntry = (bytes: Uint8Array): JournalEntry =>
  parseCanonical(journalEntrySchema, bytes, 'journal entry')

/** head_0 = SHA-256("farthing journal" || terminalId || epoch u32) @returns 32 bytes */
export const firstJournalHead = (terminal: TerminalId, epoch: number): Uint8Array =>
  sha256(concat(ascii('farthing journal'), idBytes(terminal), new ByteWriter(4).u32(epoch, 'epoch').done()))

/** head_i = SHA-256(head_(i-1) || entry_i) @returns 32 bytes */
export const nextJournalHead = (head: Uint8Array, entry: Uint8Array): Uint8Array =>
  sha256(concat(requireLength(head, headLength, 'head'), entry))

export interface Journal {
  /** Of K_term. */
  readonly keyVersion: number
  readonly terminalId: TerminalId
  readonly epoch: number
  /** From 1. */
  readonly journalNo: number
  /** The number, from 1, of its first entry within the epoch. */
  readonly firstEntry: number
  readonly previousHead: Uint8Array
  /** Each canonical JSON, not yet parsed: one bad entry does not spoil the rest. */
  readonly entries: readonly Uint8Array[]
  /** The chain's head after the last entry. */
  readonly head: Uint8Array
}

/** Whether the entries lead from the head before to the head after. */
export const isChained = ({ entries, previousHead, head }: Journal): boolean =>
  toHex(entries.reduce(nextJournalHead, previousHead)) === toHex(head)

const sealed = (terminalKey: Uint8Array, body: Uint8Array): Uint8Array =>
  concat(body, hmac(sha256, deriveJournalKey(terminalKey), body))

const requireSeal = (terminalKey: Uint8Array, document: Uint8Array, field: string): void => {
  const at = document.length - sealLength
  requireMac(hmac(sha256, deriveJournalKey(terminalKey), document.subarray(0, at)), document.subarray(at), field)
}

const journalRun: RunKind = {
  magic: 'FJRN',
  name: 'journal',
  noName: 'journalNo',
  countMin: 1,
  countMax: journalEntriesMax,
}

/** Reads the layout; `requireJournalSeal` and the chain are the caller's next checks. @throws ProtocolError */
export const parseJournal = (bytes: Uint8Array): Journal => {
  if (bytes.length < runHeaderLength + headLength + sealLength || bytes.length > journalBytesMax)
    throw new ProtocolError('length', 'journal', `${bytes.length} bytes`)
  const { count, no: journalNo, ...header } = parseRunHeader(journalRun, bytes)
  const reader = new ByteReader(bytes.subarray(runHeaderLength), bytes.length - runHeaderLength, 'journal')
  const entries = Array.from({ length: count }, () => {
    const length = new ByteReader(reader.bytes(lengthLength), lengthLength, 'journal').u16()
    return reader.bytes(requireInteger(length, { min: 1, max: journalEntryBytesMax, field: 'journal.entry' }))
  })
  const head = reader.bytes(headLength)
  reader.bytes(sealLength)
  reader.end('journal')
  return { ...header, journalNo, entries, head }
}

/** @param terminalKey K_term, 32 bytes @throws ProtocolError `forged` */
export const requireJournalSeal = (terminalKey: Uint8Array, bytes: Uint8Array): void =>
  requireSeal(terminalKey, bytes, 'journal')

/** @param terminalKey K_term, 32 bytes @returns the sealed document @throws ProtocolError */
export const encodeJournal = (terminalKey: Uint8Array, journal: Journal): Uint8Array => {
  const header = encodeRunHeader(journalRun, { ...journal, no: journal.journalNo, count: journal.entries.length })
  const entries = journal.entries.flatMap((entry) => {
    requireInteger(entry.length, { min: 1, max: journalEntryBytesMax, field: 'journal.entry' })
    return [new ByteWriter(lengthLength).u16(entry.length).done(), entry]
  })
  return sealed(terminalKey, concat(header, ...entries, requireLength(journal.head, headLength, 'journal.head')))
}

/** The verdicts are a batch's, and mean the same. */
export interface JournalAnswer {
  readonly keyVersion: number
  readonly verdict: BatchVerdict
  readonly terminalId: TerminalId
  readonly epoch: number
  /** Of the journal that it answers. */
  readonly journalNo: number
  readonly head: Uint8Array
}

/** @returns the sealed answer @throws ProtocolError */
export const encodeJournalAnswer = (terminalKey: Uint8Array, answer: JournalAnswer): Uint8Array =>
  sealed(
    terminalKey,
    new ByteWriter(journalAnswerLength - sealLength)
      .bytes(ascii('FJRA'), 4, 'magic')
      .u8(1)
      .u8(answer.keyVersion, 'journal answer.keyVersion')
      .u8(batchVerdicts.indexOf(answer.verdict))
      .zeros(1)
      .bytes(idBytes(answer.terminalId), idLength, 'journal answer.terminalId')
      .u32(answer.epoch, 'journal answer.epoch')
      .u32(answer.journalNo, 'journal answer.journalNo')
      .bytes(answer.head, headLength, 'journal answer.head')
      .done(),
  )

/** Reads the layout; nothing is true before `openJournalAnswer`. @throws ProtocolError */
export const parseJournalAnswer = (bytes: Uint8Array): JournalAnswer => {
  const reader = new ByteReader(bytes, journalAnswerLength, 'journal answer')
  reader.magic('FJRA')
  reader.version('journal answer')
  const keyVersion = reader.u8()
  const verdict = batchVerdicts[reader.u8()]
  if (verdict === undefined) throw new ProtocolError('range', 'journal answer.verdict')
  reader.reserved(1, 'journal answer')
  return {
    keyVersion,
    verdict,
    terminalId: terminalId(toHex(reader.bytes(idLength))),
    epoch: reader.u32(),
    journalNo: requireInteger(reader.u32(), { min: 1, max: u32Max, field: 'journal answer.journalNo' }),
    head: reader.bytes(headLength),
  }
}

/** Reads and verifies. @param terminalKey K_term, 32 bytes @throws ProtocolError; `forged` when the seal is wrong */
export const openJournalAnswer = (terminalKey: Uint8Array, bytes: Uint8Array): JournalAnswer => {
  const answer = parseJournalAnswer(bytes)
  requireSeal(terminalKey, bytes, 'journal answer')
  return answer
}

/** Whether an answer speaks of this very journal. The issuer of a verdict that is none of `taken` and `outOfOrder` need not have it. */
export const isJournalAnswerTo = (answer: JournalAnswer, journal: Omit<Journal, 'entries'>): boolean =>
  answer.terminalId === journal.terminalId &&
  answer.epoch === journal.epoch &&
  answer.journalNo === journal.journalNo &&
  (!isTaken(answer.verdict) || toHex(answer.head) === toHex(journal.head))
