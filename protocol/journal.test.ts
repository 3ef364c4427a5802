import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { ProtocolError } from './errors.ts'
import {
  encodeInquiry,
  encodeInquiryAnswer,
  type Inquiry,
  openCreditsAnswer,
  openVoucherAnswer,
  parseInquiry,
  requireInquirySeal,
} from './inquiry.ts'
import {
  encodeJournal,
  encodeJournalAnswer,
  encodeJournalEntry,
  firstJournalHead,
  isChained,
  type Journal,
  type JournalAnswer,
  type JournalEntry,
  journalAnswerLength,
  nextJournalHead,
  openJournalAnswer,
  parseJournal,
  parseJournalEntry,
  requireJournalSeal,
} from './journal.ts'
import { findOperator, hashOperatorPin, isOperatorPin } from './operator.ts'
import { cardId, shortHash, terminalId } from './quantities.ts'

const key = new Uint8Array(32).fill(7)
const otherKey = new Uint8Array(32).fill(8)
const terminal = terminalId('7465726d30303031')
const operator = { cardId: cardId('c0ffee0000000001'), name: 'Ada' }

const entry = (no: number, changes: Partial<JournalEntry> = {}): JournalEntry => ({
  no,
  at: '2026-11-26T10:00:00.000Z',
  act: 'volume',
  operator,
  details: { percent: no, quiet: no % 2 === 0 },
  ...changes,
})

const journalOf = (first: number, count: number, previousHead = firstJournalHead(terminal, 1)): Journal => {
  const entries = Array.from({ length: count }, (_, index) => encodeJournalEntry(entry(first + index)))
  const head = entries.reduce(nextJournalHead, previousHead)
  return { keyVersion: 1, terminalId: terminal, epoch: 1, journalNo: 1, firstEntry: first, previousHead, entries, head }
}

const refuses = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
  return 'accepted'
}

test('a journal is laid out, chained and sealed as the document says: computed here by other means', () => {
  const journal = journalOf(1, 3)
  const bytes = encodeJournal(key, journal)
  const epoch = Buffer.from([0, 0, 0, 1])
  let head = createHash('sha256').update('farthing journal').update(Buffer.from(terminal, 'hex')).update(epoch).digest()
  const texts = [1, 2, 3].map(
    (no) =>
      `{"act":"volume","at":"2026-11-26T10:00:00.000Z","details":{"percent":${no},"quiet":${no % 2 === 0}},"no":${no},"operator":{"cardId":"c0ffee0000000001","name":"Ada"}}`,
  )
  const first = head
  const parts = texts.map((text) => {
    head = createHash('sha256').update(head).update(text).digest()
    const length = Buffer.alloc(2)
    length.writeUInt16BE(text.length)
    return Buffer.concat([length, Buffer.from(text)])
  })
  const numbers = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3])
  const header = Buffer.concat([Buffer.from('FJRN'), Buffer.from([1, 1, 0, 0]), Buffer.from(terminal, 'hex'), numbers])
  const body = Buffer.concat([header, first, ...parts, head])
  // HKDF-Expand alone: one block of HMAC(K_term, label || 01).
  const sealKey = createHmac('sha256', key)
    .update('farthing journal')
    .update(Buffer.from([1]))
    .digest()
  expect(Buffer.from(bytes)).toEqual(Buffer.concat([body, createHmac('sha256', sealKey).update(body).digest()]))
  requireJournalSeal(key, bytes)
  expect(parseJournal(bytes)).toEqual(journal)
  expect(isChained(parseJournal(bytes))).toBe(true)
})

test('no bit of a journal or an answer can be changed, and neither passes for the other', () => {
  const bytes = encodeJournal(key, journalOf(1, 2))
  const answer: JournalAnswer = {
    keyVersion: 1,
    verdict: 'taken',
    terminalId: terminal,
    epoch: 1,
    journalNo: 1,
    head: new Uint8Array(32).fill(5),
  }
  const sealed = encodeJournalAnswer(key, answer)
  expect(sealed).toHaveLength(journalAnswerLength)
  expect(openJournalAnswer(key, sealed)).toEqual(answer)
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
    const read = () => {
      parseJournal(changed)
      requireJournalSeal(key, changed)
    }
    expect(refuses(read)).not.toBe('accepted')
  }
  for (let at = 0; at < sealed.length; at += 1)
    expect(
      refuses(() =>
        openJournalAnswer(
          key,
          sealed.map((byte, index) => (index === at ? byte ^ 1 : byte)),
        ),
      ),
    ).not.toBe('accepted')
  expect(refuses(() => openJournalAnswer(otherKey, sealed))).toBe('forged')
  expect(refuses(() => requireJournalSeal(otherKey, bytes))).toBe('forged')
  for (let length = 0; length < bytes.length; length += 1)
    expect(refuses(() => parseJournal(bytes.slice(0, length)))).not.toBe('accepted')
})

test('whatever is left out, swapped, doubled or changed in a chain shows', () => {
  const seed = 20_261_126
  let state = seed
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state % below
  }
  for (let round = 0; round < 200; round += 1) {
    const journal = journalOf(1 + random(5), 2 + random(8))
    const entries = [...journal.entries]
    const at = random(entries.length)
    const other = (at + 1 + random(entries.length - 1)) % entries.length
    switch (random(4)) {
      case 0:
        entries.splice(at, 1)
        break
      case 1:
        ;[entries[at], entries[other]] = [entries[other] ?? key, entries[at] ?? key]
        break
      case 2:
        entries.splice(at, 0, entries[at] ?? key)
        break
      default:
        entries[at] = encodeJournalEntry(entry(1000 + round))
    }
    expect(isChained(journal), `seed ${seed}, round ${round}`).toBe(true)
    expect(isChained({ ...journal, entries }), `seed ${seed}, round ${round}`).toBe(false)
  }
})

test('an entry is canonical JSON of known members: no secret member, no nesting, no endless text', () => {
  expect(parseJournalEntry(encodeJournalEntry(entry(1)))).toEqual(entry(1))
  const wrong: unknown[] = [
    { ...entry(1), pin: '123456' },
    { ...entry(1), details: { a: { b: 1 } } },
    { ...entry(1), details: { a: 'x'.repeat(501) } },
    { ...entry(1), act: 'two words' },
    { ...entry(0) },
  ]
  for (const each of wrong) expect(refuses(() => encodeJournalEntry(each as JournalEntry))).toBe('json')
  const many = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`d${at}`, 'x'.repeat(400)]))
  expect(refuses(() => encodeJournalEntry(entry(1, { details: many })))).toBe('length')
})

test('an answer to an inquiry is the issuer’s, and to this very question', () => {
  const asked: Inquiry = {
    keyVersion: 1,
    terminalId: terminal,
    nonce: new Uint8Array(16).fill(3),
    about: { kind: 'voucher', hash: shortHash(new Uint8Array(16).fill(4)) },
  }
  const bytes = encodeInquiry(key, asked)
  expect(bytes).toHaveLength(80)
  expect(parseInquiry(bytes)).toEqual(asked)
  requireInquirySeal(key, bytes)
  const answer = encodeInquiryAnswer(key, asked, { state: 'valid', amountMinor: 2000 })
  expect(openVoucherAnswer(key, asked, answer)).toEqual({ state: 'valid', amountMinor: 2000 })
  for (let at = 0; at < answer.length; at += 1)
    expect(
      refuses(() =>
        openVoucherAnswer(
          key,
          asked,
          answer.map((byte, index) => (index === at ? byte ^ 1 : byte)),
        ),
      ),
    ).not.toBe('accepted')
  const again = { ...asked, nonce: new Uint8Array(16).fill(9) }
  expect(refuses(() => openVoucherAnswer(key, again, answer))).toBe('forged')
  const credits: Inquiry = { ...asked, about: { kind: 'credits', cardId: operator.cardId } }
  expect(parseInquiry(encodeInquiry(key, credits))).toEqual(credits)
  expect(refuses(() => openCreditsAnswer(key, credits, answer))).toBe('forged')
  const owed = { credits: [{ reference: '7KQ2-0F9M-XW', amountMinor: 250 }] }
  expect(openCreditsAnswer(key, credits, encodeInquiryAnswer(key, credits, owed))).toEqual(owed)
})

test('an operator’s PIN is checked offline against its salted slow hash', async () => {
  const pin = await hashOperatorPin('493817', new Uint8Array(16).fill(1))
  expect(pin).not.toBe(await hashOperatorPin('493817', new Uint8Array(16).fill(2)))
  expect(await isOperatorPin({ pin }, '493817')).toBe(true)
  for (const digits of ['493818', '49381', '4938170', '', 'abcdef'])
    expect(await isOperatorPin({ pin }, digits)).toBe(false)
  expect(await isOperatorPin({ pin: pin.replace('$14$', '$31$') }, '493817')).toBe(false)
  await expect(hashOperatorPin('12345', new Uint8Array(16))).rejects.toThrow(ProtocolError)
  const listed = { ...operator, role: 'operator' as const, pin }
  expect(findOperator([listed], operator.cardId)).toBe(listed)
  expect(findOperator([listed], cardId('c0ffee0000000002'))).toBeUndefined()
  expect(findOperator(undefined, operator.cardId)).toBeUndefined()
})
