import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { canonicalBytes } from '../protocol/canonical-json.ts'
import { fundingHash } from '../protocol/funding-reference.ts'
import { encodeInquiry, type Inquiry, openCreditsAnswer, openVoucherAnswer } from '../protocol/inquiry.ts'
import type { Item } from '../protocol/item.ts'
import {
  encodeJournal,
  encodeJournalEntry,
  firstJournalHead,
  type JournalAnswer,
  type JournalEntry,
  nextJournalHead,
  openJournalAnswer,
} from '../protocol/journal.ts'
import { openKeyring } from '../protocol/keyring.ts'
import { isOperatorPin } from '../protocol/operator.ts'
import { cardId } from '../protocol/quantities.ts'
import { auditBooks } from './audit.ts'
import { verifyChain } from './audit-log.ts'
import { casesOf } from './cases/test-cases.ts'
import { IssuerError } from './errors.ts'
import { addVoucherLot, makeVoucherCodes } from './funding.ts'
import { createApp } from './http-app.ts'
import { answerInquiry } from './inquiries.ts'
import { type Issuer, openIssuer } from './issuer.ts'
import { takeJournal } from './journals.ts'
import { keyringFor } from './keyring-maker.ts'
import { giveMoneyBack } from './money-back.ts'
import { addOperator, listOperators, removeOperator } from './operators.ts'
import { startEpoch } from './parties.ts'
import { rebuild } from './rebuild.ts'
import { decideRefunds, setRefundMinorMax } from './refunds.ts'
import {
  type Bench,
  type Made,
  newCard,
  newTerminal,
  openBench,
  publish,
  type TestCard,
  type TestTerminal,
  testStoreUrl,
} from './test-support.ts'

let bench: Bench
let kiosk: TestTerminal
let card: TestCard
let staff: TestCard
let map: Item
const by = { name: 'cli:test' }
const pin = '493817'

beforeEach(async () => {
  bench = await openBench()
  kiosk = await newTerminal(bench.issuer, 'Town')
  card = await newCard(bench.issuer)
  staff = await newCard(bench.issuer)
  map = await publish(bench.issuer, 'map', 250)
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 3000)))
})
afterEach(async () => {
  expect(await auditBooks(bench.issuer)).toEqual([])
  expect(await bench.issuer.store.read((db) => verifyChain(db))).toMatchObject({ state: 'whole' })
  await bench.close()
})

const keyOf = (of = kiosk): Uint8Array => {
  const key = bench.issuer.keys.terminalKey(1, of.id)
  if (key === undefined) throw new Error('no key')
  return key
}

/** The journal of a terminal, as it would cut it. */
const writer = (of = kiosk, epoch = of.epoch) => {
  let journalNo = 0
  let entryNo = 0
  let head = firstJournalHead(of.id, epoch)
  return (...acts: readonly Omit<JournalEntry, 'no' | 'at'>[]): Uint8Array => {
    journalNo += 1
    const previousHead = head
    const firstEntry = entryNo + 1
    const entries = acts.map((act) => {
      entryNo += 1
      const bytes = encodeJournalEntry({ no: entryNo, at: new Date(bench.clock.seconds * 1000).toISOString(), ...act })
      head = nextJournalHead(head, bytes)
      return bytes
    })
    const place = { keyVersion: 1, terminalId: of.id, epoch, journalNo, firstEntry }
    return encodeJournal(keyOf(of), { ...place, previousHead, entries, head })
  }
}

const send = async (bytes: Uint8Array, of = kiosk): Promise<JournalAnswer> => {
  const result = await takeJournal(bench.issuer, bytes)
  if ('refused' in result) throw new Error(result.sentence)
  await decideRefunds(bench.issuer)
  return openJournalAnswer(keyOf(of), result.answer)
}

const operator = () => ({ cardId: staff.id, name: 'Ada' })
const makeOperator = (changes: Partial<Parameters<typeof addOperator>[2]> = {}) =>
  addOperator(bench.issuer, by, {
    cardId: staff.id,
    name: 'Ada',
    role: 'operator',
    pin,
    terminals: [kiosk.id],
    ...changes,
  })

const refundOf = (made: Made, changes: Record<string, string | number> = {}): Omit<JournalEntry, 'no' | 'at'> => ({
  act: 'refund',
  operator: operator(),
  details: {
    cardId: made.record.identity.cardId,
    counter: made.record.counter,
    terminalSeq: made.record.order.terminalSeq,
    amountMinor: made.record.order.amountMinor,
    reason: 'torn page',
    ...changes,
  },
})

const rows = (table: 'journal_entry' | 'device_refund' | 'money_back' | 'alarm' | 'funding') =>
  bench.issuer.store.read((db) => db.selectFrom(table).selectAll().execute())
const refundStates = async () =>
  (
    await bench.issuer.store.read((db) => db.selectFrom('device_refund').select('state').orderBy('refund_no').execute())
  ).map(({ state }) => state)
const alarmKinds = async () =>
  (await bench.issuer.store.read((db) => db.selectFrom('alarm').select('kind').execute())).map(({ kind }) => kind)

const keyringOf = async (of = kiosk) => {
  const made = await keyringFor(bench.issuer, of.id)
  if (made === undefined) throw new Error('no keyring')
  return { serial: made.serial, body: openKeyring(made.bytes, keyOf(of)).body }
}

test('what operators did is kept, shown and audited once, whatever is sent again, late or out of order', async () => {
  const write = writer()
  const first = write({ act: 'start' }, { act: 'enter', operator: operator() })
  const second = write({ act: 'volume', operator: operator(), details: { percent: 40 } })
  const third = write({ act: 'leave', operator: operator() })
  expect(await send(third)).toMatchObject({ verdict: 'outOfOrder', journalNo: 3 })
  expect(await send(second)).toMatchObject({ verdict: 'outOfOrder' })
  expect(await send(first)).toMatchObject({ verdict: 'taken', journalNo: 1 })
  const once = await takeJournal(bench.issuer, first)
  expect(await takeJournal(bench.issuer, first)).toEqual(once)
  expect((await rows('journal_entry')).length).toBe(4)
  expect(await alarmKinds()).toEqual([])
  const audit = await bench.issuer.store.read((db) =>
    db.selectFrom('audit_log').select(['name', 'action', 'subject']).where('action', 'like', 'device.%').execute(),
  )
  expect(audit).toContainEqual({ name: `Ada (${staff.id})`, action: 'device.volume', subject: kiosk.id })
  expect(audit).toContainEqual({ name: `terminal ${kiosk.id}`, action: 'device.start', subject: kiosk.id })
  for (const table of ['journal', 'journal_entry'] as const) {
    await expect(bench.issuer.store.write((db) => db.deleteFrom(table).execute())).rejects.toThrow(/journal/)
  }
})

test('a fork and a broken chain are alarms and cases; an ended epoch is sent back; a wrong seal is refused', async () => {
  const other = writer()
  const write = writer()
  await send(write({ act: 'enter', operator: operator() }))
  expect(await send(other({ act: 'sync', operator: operator() }))).toMatchObject({ verdict: 'fork' })
  // It goes on from a history that the issuer does not have.
  expect(await send(other({ act: 'leave', operator: operator() }))).toMatchObject({ verdict: 'taken' })
  expect((await alarmKinds()).toSorted()).toEqual(['journalBreak', 'journalFork'])
  expect((await casesOf(bench, 'alarm')).map(({ reason }) => reason).toSorted()).toEqual([
    'journalBreak',
    'journalFork',
  ])
  await startEpoch(bench.issuer, kiosk.id)
  write({ act: 'sync' })
  expect(await send(write({ act: 'leave', operator: operator() }))).toMatchObject({ verdict: 'epochEnded' })
  const forged = write({ act: 'leave' }).map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte))
  expect(await takeJournal(bench.issuer, forged)).toMatchObject({ refused: 'forged' })
  expect(await takeJournal(bench.issuer, forged.slice(1))).toMatchObject({ refused: 'layout' })
})

test('operators reach a terminal with its keyring once it has sent a journal, and leave it the same way', async () => {
  const before = await keyringOf()
  await makeOperator()
  expect(await keyringOf()).toEqual(before)
  await send(writer()({ act: 'start' }))
  const { body, serial } = await keyringOf()
  expect(serial).toBeGreaterThan(before.serial)
  expect(body.operators).toMatchObject([{ cardId: staff.id, name: 'Ada', role: 'operator' }])
  expect(await isOperatorPin({ pin: body.operators?.[0]?.pin ?? '' }, pin)).toBe(true)
  // Not at terminals that nobody named.
  const elsewhere = await newTerminal(bench.issuer, 'Village')
  await send(writer(elsewhere)({ act: 'start' }), elsewhere)
  expect((await keyringOf(elsewhere)).body.operators).toBeUndefined()
  await makeOperator({ terminals: 'all', role: 'technician', pin: '802461' })
  expect((await keyringOf(elsewhere)).body.operators).toMatchObject([{ role: 'technician' }])
  expect(await bench.issuer.store.read(listOperators)).toMatchObject([{ cardId: staff.id, terminals: 'all' }])
  await removeOperator(bench.issuer, by, staff.id)
  expect((await keyringOf()).body.operators).toBeUndefined()
  const audit = await bench.issuer.store.read((db) =>
    db.selectFrom('audit_log').selectAll().where('action', 'like', 'operator.%').execute(),
  )
  expect(audit.map(({ action }) => action)).toEqual(['operator.add', 'operator.change', 'operator.remove'])
  expect(JSON.stringify(audit)).not.toMatch(/493817|802461|scrypt/)
})

test('a PIN that is too short, or that anybody would try first, is refused', async () => {
  for (const weak of ['12345', '1234567', '111111', '98765432', 'secret'])
    await expect(makeOperator({ pin: weak })).rejects.toThrow(/PIN/)
})

test('a refund waits for its payment, is money back at the merchant’s charge once, and comes with the next load', async () => {
  await makeOperator()
  const sold = card.pay(kiosk, map)
  const write = writer()
  const asking = write(refundOf(sold))
  await send(asking)
  expect(await refundStates()).toEqual(['waiting'])
  await kiosk.sync(kiosk.entry(sold))
  await Promise.all([decideRefunds(bench.issuer), decideRefunds(bench.issuer)])
  expect(await refundStates()).toEqual(['booked'])
  await send(asking)
  await send(write(refundOf(sold, { reason: 'again' })))
  await decideRefunds(bench.issuer)
  const [back, ...more] = await rows('money_back')
  expect(more).toEqual([])
  expect(back).toMatchObject({
    amount_minor: 250,
    charged: 'merchant',
    at_risk: 0,
    reason: 'torn page',
    decided_by: `operator Ada (${staff.id}) at ${kiosk.id}`,
  })
  await expect(
    giveMoneyBack(bench.issuer, by, { cardId: card.id, counter: sold.record.counter, reason: 'twice' }),
  ).rejects.toThrow(/given back already/)
  const [credit] = (await rows('funding')) as { reference: string }[]
  const loaded = await kiosk.load(card, 250, credit?.reference ?? '')
  expect(loaded.record.balanceAfterMinor).toBe(3000)
  expect((await kiosk.sync(kiosk.entry(loaded))).exceptions).toEqual([])
})

test('a journal is answered though a refund in it cannot be decided now; the next document decides it', async () => {
  await makeOperator()
  const sold = card.pay(kiosk, map)
  await kiosk.sync(kiosk.entry(sold))
  const { store } = bench.issuer
  let writes = 0
  const issuer: Issuer = {
    ...bench.issuer,
    store: {
      ...store,
      write(work) {
        writes += 1
        return writes === 2
          ? Promise.reject(new IssuerError('storeBusy', 'The store does not answer.'))
          : store.write(work)
      },
    },
  }
  const logged: string[] = []
  const app = createApp(issuer, { log: pino({}, { write: (line) => logged.push(line) }) })
  const write = writer()
  const post = (body: Uint8Array) => app.request('/v1/journals', { method: 'POST', body: Uint8Array.from(body) })
  const answer = await post(write(refundOf(sold)))
  expect(answer.status).toBe(200)
  expect(openJournalAnswer(keyOf(), new Uint8Array(await answer.arrayBuffer()))).toMatchObject({ verdict: 'taken' })
  expect(await refundStates()).toEqual(['waiting'])
  expect(logged.join()).toContain('refunds wait')
  await post(write({ act: 'leave' }))
  expect(await refundStates()).toEqual(['booked'])
})

test('what is odd about a refund brings it before a person, and nothing is booked', async () => {
  await makeOperator({ terminals: 'all' })
  const elsewhere = await newTerminal(bench.issuer, 'Village')
  const sold = Array.from({ length: 6 }, () => card.pay(kiosk, map))
  const [tooMuch, otherOrder, stranger, repaired, nobody, hidden] = sold as [Made, Made, Made, Made, Made, Made]
  const mechanic = await newCard(bench.issuer)
  await makeOperator({ cardId: mechanic.id, name: 'Bo', role: 'technician', terminals: 'all' })
  const theirs = card.pay(elsewhere, map, 10)
  await elsewhere.sync(elsewhere.entry(theirs))
  const fresh = await newCard(bench.issuer)
  const loaded = await kiosk.load(fresh, 500)
  const undone = fresh.pay(kiosk, map)
  await kiosk.sync(...[...sold, loaded, undone, fresh.reverse(undone)].map((made) => kiosk.entry(made)))
  await send(
    writer()(
      refundOf(tooMuch, { amountMinor: 251 }),
      refundOf(otherOrder, { terminalSeq: 9999 }),
      { ...refundOf(stranger), operator: { cardId: card.id, name: 'Eve' } },
      { ...refundOf(repaired), operator: { cardId: mechanic.id, name: 'Bo' } },
      { act: 'refund', details: refundOf(nobody).details ?? {} },
      refundOf(hidden, { reason: 'a\u202eb' }),
      refundOf(theirs),
      refundOf(undone),
    ),
  )
  expect(await refundStates()).toEqual(Array(8).fill('person'))
  expect(await rows('money_back')).toEqual([])
  const found = (await casesOf(bench, 'alarm')).filter(({ reason }) => reason === 'refundAsked')
  expect(found).toHaveLength(8)
  expect(found).toContainEqual(expect.objectContaining({ cardId: card.id, counter: tooMuch.record.counter }))
})

test('a refund behind which a counter is missing is not looked at before that is here, but for what is odd about it', async () => {
  await makeOperator()
  const missing = [card.pay(kiosk, map), card.pay(kiosk, map), card.pay(kiosk, map), card.pay(kiosk, map)]
  const [held, hole, odd, after] = missing as [Made, Made, Made, Made]
  const alone = await newCard(bench.issuer)
  const loaded = await kiosk.load(alone, 500)
  const plain = alone.pay(kiosk, map)
  await kiosk.sync(kiosk.entry(held), kiosk.entry(odd), kiosk.entry(loaded), kiosk.entry(plain))
  const later = card.pay(kiosk, map)
  await kiosk.sync(kiosk.entry(later))
  const write = writer()
  await takeJournal(bench.issuer, write(refundOf(held), refundOf(odd, { amountMinor: 251 }), refundOf(plain)))
  // Not the first of them.
  expect(await decideRefunds(bench.issuer)).toBe(2)
  expect(await refundStates()).toEqual(['waiting', 'person', 'booked'])
  expect(await decideRefunds(bench.issuer)).toBe(0)
  await kiosk.sync(kiosk.entry(hole), kiosk.entry(after))
  expect(await decideRefunds(bench.issuer)).toBe(1)
  expect(await refundStates()).toEqual(['booked', 'person', 'booked'])
})

test('over the limit a person decides, by the rule: the terminal has said its last; part of a price is within it', async () => {
  await makeOperator()
  await setRefundMinorMax(bench.issuer, by, 249)
  const [sold, part] = [card.pay(kiosk, map), card.pay(kiosk, map)]
  await kiosk.sync(kiosk.entry(sold), kiosk.entry(part))
  await send(writer()(refundOf(sold), refundOf(part, { amountMinor: 100 })))
  expect(await refundStates()).toEqual(['person', 'booked'])
  expect(await rows('money_back')).toMatchObject([{ amount_minor: 100 }])
  await giveMoneyBack(bench.issuer, by, { cardId: card.id, counter: sold.record.counter, reason: 'she was right' })
  expect(await refundStates()).toEqual(['booked', 'booked'])
})

test('one bad entry spoils no other, and says so', async () => {
  await makeOperator()
  const sold = card.pay(kiosk, map)
  await kiosk.sync(kiosk.entry(sold))
  const previousHead = firstJournalHead(kiosk.id, 1)
  const good = (no: number, act: Omit<JournalEntry, 'no' | 'at'>) =>
    encodeJournalEntry({ no, at: '2026-11-26T10:00:00.000Z', ...act })
  const entries = [new TextEncoder().encode('{"not":"ours"}'), good(2, refundOf(sold)), good(3, { act: 'refund' })]
  const head = entries.reduce(nextJournalHead, previousHead)
  const place = { keyVersion: 1, terminalId: kiosk.id, epoch: 1, journalNo: 1, firstEntry: 1 }
  expect(await send(encodeJournal(keyOf(), { ...place, previousHead, entries, head }))).toMatchObject({
    verdict: 'taken',
  })
  expect(await refundStates()).toEqual(['booked'])
  expect((await alarmKinds()).toSorted()).toEqual(['journalBreak', 'refundAsked'])
})

// In SQLite two servers on one file wait for each other, which one process cannot.
test.runIf(process.env.FARTHING_TEST_POSTGRES !== undefined)(
  'two servers that get the same journal and the same batch at once book one refund',
  async () => {
    await makeOperator()
    const { issuer } = bench
    const second = await openIssuer({ url: issuer.store.url, clock: issuer.clock, randomBytes: issuer.randomBytes })
    try {
      const sold = card.pay(kiosk, map)
      const batch = kiosk.batch(kiosk.entry(sold))
      const journal = writer()(refundOf(sold))
      await Promise.all([kiosk.send(batch), takeJournal(issuer, journal), takeJournal(second, journal)])
      await Promise.all([decideRefunds(issuer), decideRefunds(second)])
      expect(await refundStates()).toEqual(['booked'])
      expect(await rows('money_back')).toHaveLength(1)
      expect(await rows('journal_entry')).toHaveLength(1)
    } finally {
      await second.store.close()
    }
  },
)

test('a rebuilt book has operators, journals and what became of refunds', async () => {
  await makeOperator()
  // What comes in one second has no order by its times.
  bench.clock.seconds += 10
  const [sold, waits] = [card.pay(kiosk, map), card.pay(kiosk, map)]
  await kiosk.sync(kiosk.entry(sold))
  bench.clock.seconds += 10
  await send(writer()(refundOf(sold), refundOf(waits)))
  const target = await testStoreUrl(mkdtempSync(join(bench.folder, 'anew-')))
  expect(await rebuild(bench.issuer, target)).toMatchObject({ differences: [], trialBalanceMinor: 0 })
  const anew = await openIssuer({ url: target, clock: bench.issuer.clock, randomBytes: bench.issuer.randomBytes })
  try {
    const states = await anew.store.read((db) => db.selectFrom('device_refund').select('state').execute())
    expect(states.map(({ state }) => state).toSorted()).toEqual(['booked', 'waiting'])
    expect(await anew.store.read(listOperators)).toEqual(await bench.issuer.store.read(listOperators))
    expect(await auditBooks(anew)).toEqual([])
  } finally {
    await anew.store.close()
  }
})

const ask = async (about: Inquiry['about'], changes: Partial<Inquiry> = {}) => {
  const inquiry: Inquiry = { keyVersion: 1, terminalId: kiosk.id, nonce: new Uint8Array(16).fill(9), about, ...changes }
  const result = await answerInquiry(bench.issuer, about.kind, encodeInquiry(keyOf(), inquiry))
  if ('refused' in result) throw new Error(result.refused)
  return { inquiry, ...result }
}

test('a terminal learns what a voucher is worth, and what it is not', async () => {
  const [code = '', spent = ''] = makeVoucherCodes(bench.issuer, 2)
  const expiresAt = bench.clock.seconds + 1000
  await addVoucherLot(bench.issuer, by, { codes: [code, spent], amountMinor: 2000, expiresAt })
  await kiosk.load(card, 2000, spent)
  const stateOf = async (typed: string) => {
    const { inquiry, answer, isGuess } = await ask({ kind: 'voucher', hash: fundingHash(typed) })
    return { ...openVoucherAnswer(keyOf(), inquiry, answer), isGuess }
  }
  expect(await stateOf(code.toLowerCase())).toEqual({ state: 'valid', amountMinor: 2000, isGuess: false })
  expect(await stateOf(spent)).toEqual({ state: 'used', isGuess: false })
  expect(await stateOf('7KQ2-0F9M-XW3T-H5RA')).toEqual({ state: 'unknown', isGuess: true })
  bench.clock.seconds = expiresAt + 1
  expect(await stateOf(code)).toEqual({ state: 'expired', isGuess: false })
  await expect(ask({ kind: 'voucher', hash: fundingHash(code) }, { keyVersion: 2 })).rejects.toThrow('forged')
})

test('a terminal learns what the card at its reader is owed, and of that card alone', async () => {
  await makeOperator()
  const sold = card.pay(kiosk, map)
  await kiosk.sync(kiosk.entry(sold))
  await send(writer()(refundOf(sold)))
  const creditsOf = async (id: string) => {
    const { inquiry, answer } = await ask({ kind: 'credits', cardId: cardId(id) })
    return openCreditsAnswer(keyOf(), inquiry, answer).credits
  }
  const [credit] = await creditsOf(card.id)
  expect(credit?.amountMinor).toBe(250)
  expect(await creditsOf(staff.id)).toEqual([])
  await kiosk.load(card, 250, credit?.reference ?? '')
  expect(await creditsOf(card.id)).toEqual([])
})

test('who has K_term spoils no entry beside his own, and none can say in its details that it stands elsewhere', async () => {
  const entry = { no: 1, at: '2026-01-01T00:00:00.000Z', act: 'enter' }
  const entries = [
    // Of the right form, and no moment.
    { ...entry, at: '2026-01-01T00:00:00+02' },
    { ...entry, no: 2, details: { journal: 'journal 00/1/1', entry: 7, at: '1999-01-01T00:00:00Z', note: 'x' } },
  ].map((each) => canonicalBytes(each))
  const previousHead = firstJournalHead(kiosk.id, kiosk.epoch)
  const head = entries.reduce(nextJournalHead, previousHead)
  const place = { keyVersion: 1, terminalId: kiosk.id, epoch: kiosk.epoch, journalNo: 1, firstEntry: 1 }
  const answer = await send(encodeJournal(keyOf(), { ...place, previousHead, entries, head }))
  expect(answer.verdict).toBe('taken')
  expect((await rows('journal_entry')).map((row) => 'act' in row && row.act)).toEqual(['unreadable', 'enter'])
  expect(await alarmKinds()).toEqual(['journalBreak'])
  const logged = await bench.issuer.store.read((db) =>
    db.selectFrom('audit_log').select('after_json').where('action', '=', 'device.enter').executeTakeFirstOrThrow(),
  )
  expect(JSON.parse(logged.after_json ?? '')).toEqual({
    journal: `journal ${kiosk.id}/${kiosk.epoch}/1`,
    entry: 2,
    at: entry.at,
    note: 'x',
  })
})
