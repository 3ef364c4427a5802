import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openAcknowledgement } from '../protocol/acknowledgement.ts'
import { encodeBatch, parseBatch } from '../protocol/batch.ts'
import { firstHead } from '../protocol/entry.ts'
import type { Item } from '../protocol/item.ts'
import { amountMinor, counter, currencyCode, terminalId, zeroMac } from '../protocol/quantities.ts'
import { auditBooks } from './audit.ts'
import { ingestBatch } from './ingest.ts'
import { endTerminalVersion, rotateMasters } from './key-rotation.ts'
import { startEpoch } from './parties.ts'
import { report } from './report.ts'
import {
  type Bench,
  breakTable,
  newCard,
  newTerminal,
  openBench,
  publish,
  type TestCard,
  TestTerminal,
} from './test-support.ts'

let bench: Bench
let map: Item
let kiosk: TestTerminal
let card: TestCard

beforeEach(async () => {
  bench = await openBench()
  map = await publish(bench.issuer, 'map', 250)
  kiosk = await newTerminal(bench.issuer, 'Town')
  card = await newCard(bench.issuer)
})
afterEach(async () => {
  expect(await auditBooks(bench.issuer)).toEqual([])
  await bench.close()
})

const ofTerminal = async (terminal: TestTerminal) => {
  const found = (await report(bench.issuer)).terminals.find(({ terminalId: id }) => id === terminal.id)
  if (found === undefined) throw new Error('no such terminal')
  return found
}
const ofCard = async (wanted: TestCard) => {
  const found = (await report(bench.issuer)).cards.find(({ cardId }) => cardId === wanted.id)
  if (found === undefined) throw new Error('no such card')
  return found
}

test('a reversal is charged, whatever its entry calls it', async () => {
  const loaded = await kiosk.load(card, 500)
  const paid = card.pay(kiosk, map)
  const undone = card.reverse(paid)
  const { exceptions } = await kiosk.sync(kiosk.entry(loaded), kiosk.entry(paid), kiosk.entry(undone, 'owed'))
  expect(exceptions.map(({ reason }) => reason)).toContain('status')
  expect(await ofTerminal(kiosk)).toMatchObject({ reversed: { count: 1, amountMinor: 250 }, payableMinor: 0 })
  expect((await report(bench.issuer)).accounts.suspense).toBe(0)
})

test.each([
  ['first', 'second'],
  ['second', 'first'],
] as const)(
  'a load that never reached the card spoils no sale, whether the %s or the %s comes first',
  async (one, two) => {
    await kiosk.sync(kiosk.entry(await kiosk.load(card, 5000)))
    await kiosk.askLoad(kiosk.loadRequest(card, kiosk.loadOrder(700)))
    const other = await newTerminal(bench.issuer, 'Hill')
    const first = kiosk.entry(card.pay(kiosk, map))
    const second = other.entry(card.pay(other, map))
    const send = { first: () => kiosk.sync(first), second: () => other.sync(second) }
    for (const which of [one, two]) expect(await send[which]()).toMatchObject({ exceptions: [] })
    expect(await ofTerminal(kiosk)).toMatchObject({ payableMinor: 250, owedBack: { count: 1, amountMinor: 700 } })
    expect(await ofTerminal(other)).toMatchObject({ payableMinor: 250 })
    expect(await ofCard(card)).toMatchObject({ balanceMinor: 4500, holes: [], alarms: [] })
    expect((await report(bench.issuer)).accounts.suspense).toBe(0)
  },
)

test('of a card that lied once about its balance, merchants are paid no more than was loaded', async () => {
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 500)))
  card.balanceMinor += 5000
  const made = Array.from({ length: 6 }, () => kiosk.entry(card.pay(kiosk, map)))
  const { exceptions } = await kiosk.sync(...made)
  // The lie itself is excepted; after it the 500 that were loaded pay for one more, less what the lie took.
  expect(exceptions.map(({ reason }) => reason)).toEqual(['balance', 'balance', 'balance', 'balance', 'balance'])
  const { taken, payableMinor } = await ofTerminal(kiosk)
  expect(taken).toEqual({ count: 1, amountMinor: 250 })
  expect(payableMinor).toBeLessThanOrEqual(500)
  expect((await ofCard(card)).alarms).toContainEqual({ kind: 'balance', counter: 2 })
})

test('books a load, a payment and a reversal, and pays the merchant the rest', async () => {
  const load = await kiosk.load(card, 5000)
  const first = card.pay(kiosk, map)
  const second = card.pay(kiosk, map)
  const undone = card.reverse(second)
  const ack = await kiosk.sync(...[load, first, second, undone].map((made) => kiosk.entry(made)))
  expect(ack).toMatchObject({ verdict: 'taken', accepted: 4, exceptions: [], batchNo: 1 })
  expect(await ofTerminal(kiosk)).toMatchObject({
    merchant: 'Town',
    taken: { count: 2, amountMinor: 500 },
    reversed: { count: 1, amountMinor: 250 },
    inDoubt: 0,
    exceptions: [],
    payableMinor: 250,
    heldMinor: 0,
  })
  expect(await ofCard(card)).toMatchObject({
    loadedMinor: 5000,
    spentMinor: 250,
    balanceMinor: 4750,
    counter: 4,
    holes: [],
    alarms: [],
  })
  expect((await report(bench.issuer)).merchants).toEqual([
    {
      merchant: 'Town',
      taken: { count: 2, amountMinor: 500 },
      reversed: { count: 1, amountMinor: 250 },
      inDoubt: 0,
      exceptions: 0,
      owedMinor: 250,
      payableMinor: 250,
      heldMinor: 0,
      cashOwedMinor: 5000,
    },
  ])
})

describe('a batch', () => {
  test('that comes five times is booked once and answered alike, byte for byte, also after its epoch', async () => {
    const load = await kiosk.load(card, 5000)
    const bytes = kiosk.batch(kiosk.entry(load), kiosk.entry(card.pay(kiosk, map)))
    const first = await ingestBatch(bench.issuer, bytes)
    const books = await report(bench.issuer)
    for (let i = 0; i < 3; i += 1) expect(await ingestBatch(bench.issuer, bytes)).toEqual(first)
    expect(await report(bench.issuer)).toEqual(books)
    await startEpoch(bench.issuer, kiosk.id)
    expect(await ingestBatch(bench.issuer, bytes)).toEqual(first)
  })

  test('with a wrong seal, of no known terminal, or cut short is refused without an answer', async () => {
    const bytes = kiosk.batch(kiosk.entry(await kiosk.load(card, 500)))
    const bad = Uint8Array.from(bytes)
    bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1
    expect(await ingestBatch(bench.issuer, bad)).toMatchObject({ refused: 'forged' })
    expect(await ingestBatch(bench.issuer, bytes.slice(0, -1))).toMatchObject({ refused: 'layout' })
    const stranger = new TestTerminal(bench.issuer, terminalId('00000000000000aa'), 1)
    expect(await ingestBatch(bench.issuer, stranger.batch())).toMatchObject({ refused: 'unknownTerminal' })
    const damaged = stranger.batch()
    damaged[damaged.length - 1] = (damaged[damaged.length - 1] ?? 0) ^ 1
    expect(await ingestBatch(bench.issuer, damaged)).toMatchObject({ refused: 'unknownTerminal' })
  })

  test('whose number came with other bytes is a fork; the answer names the last batch', async () => {
    const load = await kiosk.load(card, 5000)
    const twin = new TestTerminal(bench.issuer, kiosk.id, kiosk.epoch)
    const honest = await kiosk.sync(kiosk.entry(load))
    const fork = await twin.sync(twin.entry(card.pay(kiosk, map)))
    expect(fork).toMatchObject({ verdict: 'fork', batchNo: 1, head: honest.head, accepted: 0 })
    expect((await ofTerminal(kiosk)).taken.count).toBe(0)
    expect((await ofTerminal(kiosk)).alarms).toEqual([{ kind: 'fork' }])
  })

  test('of an epoch that ended is refused; the answer names head 0 when none came', async () => {
    await startEpoch(bench.issuer, kiosk.id)
    const ack = await kiosk.sync()
    expect(ack).toMatchObject({ verdict: 'epochEnded', batchNo: 0, head: firstHead(kiosk.id, 1), epoch: 1 })
  })

  test('under a key version that ended is refused', async () => {
    const { issuer } = bench
    await rotateMasters(issuer)
    await endTerminalVersion(issuer, 1, { force: true })
    expect(await kiosk.sync()).toMatchObject({ verdict: 'keyVersionEnded', batchNo: 0 })
  })

  test('before its predecessor is taken and says so; a broken chain is an alarm, its entries stand', async () => {
    const load = await kiosk.load(card, 5000)
    const first = kiosk.batch(kiosk.entry(load))
    const second = kiosk.batch(kiosk.entry(card.pay(kiosk, map)))
    expect(await kiosk.send(second)).toMatchObject({ verdict: 'outOfOrder', accepted: 1 })
    expect(await kiosk.send(first)).toMatchObject({ verdict: 'taken', accepted: 1 })
    expect((await ofTerminal(kiosk)).alarms).toEqual([])
    const parsed = parseBatch(kiosk.batch(kiosk.entry(card.pay(kiosk, map))))
    const broken = encodeBatch(kiosk.key(), { ...parsed, firstEntry: 7, previousHead: new Uint8Array(32) })
    expect(await kiosk.send(broken)).toMatchObject({ verdict: 'taken', accepted: 1 })
    expect((await ofTerminal(kiosk)).alarms.map(({ kind }) => kind)).toEqual(['chainBreak', 'firstEntry'])
    expect((await ofTerminal(kiosk)).taken.count).toBe(2)
  })
})

test('a batch that the store cannot keep changes nothing, and is taken when it can', async () => {
  const load = await kiosk.load(card, 5000)
  const bytes = kiosk.batch(kiosk.entry(load), kiosk.entry(card.pay(kiosk, map)), kiosk.entry(card.pay(kiosk, map, 1)))
  const before = await report(bench.issuer)
  // Each write of the transaction in turn fails.
  for (const table of ['settlement', 'card', 'transfer', 'account', 'entry_exception', 'batch']) {
    const mend = await breakTable(bench.issuer.store, {
      table,
      event: ['card', 'account'].includes(table) ? 'UPDATE' : 'INSERT',
    })
    await expect(ingestBatch(bench.issuer, bytes)).rejects.toThrow('broken')
    expect(await report(bench.issuer)).toEqual(before)
    await mend()
  }
  expect(await kiosk.send(bytes)).toMatchObject({ accepted: 2, exceptions: [{ reason: 'itemOrPrice' }] })
})

describe('an entry is an exception when', () => {
  const excepted = async (entry: Uint8Array) => (await kiosk.sync(entry)).exceptions.map(({ reason }) => reason)

  beforeEach(async () => {
    await kiosk.sync(kiosk.entry(await kiosk.load(card, 5000)))
  })

  test('its layout is wrong', async () => {
    const entry = kiosk.entry(card.pay(kiosk, map))
    entry[98] = 1
    expect(await excepted(entry)).toEqual(['layout'])
    expect((await ofCard(card)).counter).toBe(1)
  })

  test("another terminal's record is passed off as captured, or a witness names no known terminal", async () => {
    const other = await newTerminal(bench.issuer, 'Station')
    expect(await excepted(kiosk.entry(card.pay(other, map)))).toEqual(['terminal'])
    const stranger = new TestTerminal(bench.issuer, terminalId('00000000000000aa'), 1)
    expect(await excepted(kiosk.entry(card.pay(stranger, map), 'witness'))).toEqual(['terminal'])
  })

  test('the card is unknown, or of another key version, or the currency is', async () => {
    const made = card.pay(kiosk, map)
    const { record } = made
    const identity = { ...record.identity, keyVersion: 2 }
    expect(await excepted(kiosk.entry({ ...made, record: { ...record, identity } }))).toEqual(['keyVersion'])
    const order = { ...record.order, currency: currencyCode(840) }
    expect(await excepted(kiosk.entry({ ...made, record: { ...record, order } }))).toEqual(['currency'])
    const unknown = await newCard(bench.issuer)
    await bench.issuer.store.write((db) => db.deleteFrom('card').where('card_id', '=', unknown.id).execute())
    await unknown.commit(kiosk.loadOrder(500))
    expect(await excepted(kiosk.entry(unknown.pay(kiosk, map)))).toEqual(['unknownCard'])
    expect((await ofCard(card)).counter).toBe(1)
  })

  test('the settlement MAC is wrong: the terminal is accused, the card is not touched', async () => {
    const made = card.pay(kiosk, map)
    expect(await excepted(kiosk.entry({ ...made, settlementMac: zeroMac() }))).toEqual(['settlementMac'])
    expect(await ofCard(card)).toMatchObject({ counter: 1, alarms: [] })
    expect((await ofTerminal(kiosk)).alarms).toEqual([{ kind: 'settlementMac' }])
    expect((await ofTerminal(kiosk)).exceptions).toEqual([
      { entry: 2, reason: 'settlementMac', cardId: card.id, counter: 2, amountMinor: 250 },
    ])
    expect(await excepted(kiosk.entry(made))).toEqual([])
  })

  test('a witness has a wrong settlement MAC: nobody is accused', async () => {
    const made = card.pay(kiosk, map)
    expect(await excepted(kiosk.entry({ ...made, settlementMac: zeroMac() }, 'witness'))).toEqual(['settlementMac'])
    expect((await ofTerminal(kiosk)).alarms).toEqual([])
  })

  test('one counter has two records: an alarm, and the first stays', async () => {
    const copy = card.copy()
    const honest = card.pay(kiosk, map)
    expect(await excepted(kiosk.entry(honest))).toEqual([])
    expect(await excepted(kiosk.entry(honest))).toEqual([])
    expect(await excepted(kiosk.entry(copy.pay(kiosk, map)))).toEqual(['clone'])
    expect(await ofCard(card)).toMatchObject({ spentMinor: 250, alarms: [{ kind: 'clone', counter: 2 }] })
    expect((await ofTerminal(kiosk)).taken).toEqual({ count: 1, amountMinor: 250 })
  })

  test('its balance does not follow from its neighbour: settled, in suspense', async () => {
    card.balanceMinor += 1000
    expect(await excepted(kiosk.entry(card.pay(kiosk, map)))).toEqual(['balance'])
    expect(await ofCard(card)).toMatchObject({ counter: 2, balanceMinor: 5750 })
    expect((await report(bench.issuer)).accounts.suspense).toBe(-750)
    expect((await ofTerminal(kiosk)).payableMinor).toBe(0)
  })

  test('its item was never published, or not at this price: settled, in suspense', async () => {
    expect(await excepted(kiosk.entry(card.pay(kiosk, map, 100)))).toEqual(['itemOrPrice'])
    expect(await excepted(kiosk.entry(card.pay(kiosk, { ...map, id: 'forged' })))).toEqual(['itemOrPrice'])
    expect(await ofCard(card)).toMatchObject({ counter: 3, balanceMinor: 4650 })
    expect((await report(bench.issuer)).accounts).toMatchObject({ suspense: 350, payable: 0 })
  })

  test('a stranger reverses a payment without its secret: settled, and the merchant keeps his money', async () => {
    const payment = card.pay(kiosk, map)
    const theft = card.reverse(payment, { lock: new Uint8Array(16) })
    expect(await excepted(kiosk.entry(payment))).toEqual([])
    expect(await excepted(kiosk.entry(theft))).toEqual(['reversal'])
    expect(await ofTerminal(kiosk)).toMatchObject({ payableMinor: 250, reversed: { count: 0, amountMinor: 0 } })
    expect((await report(bench.issuer)).accounts.suspense).toBe(-250)
  })

  test('the same, when the reversal came first: it is found out when the payment comes', async () => {
    const payment = card.pay(kiosk, map)
    const theft = card.reverse(payment, { lock: new Uint8Array(16) })
    expect(await excepted(kiosk.entry(theft))).toEqual([])
    expect(await excepted(kiosk.entry(payment))).toEqual([])
    expect(await ofTerminal(kiosk)).toMatchObject({ payableMinor: 250, reversed: { count: 0, amountMinor: 0 } })
    expect((await report(bench.issuer)).accounts.suspense).toBe(-250)
    expect((await ofCard(card)).alarms).toEqual([{ kind: 'reversal', counter: 3 }])
  })

  test('a reversal names another payment than the one before it', async () => {
    const payment = card.pay(kiosk, map)
    const wrong = card.reverse(payment, { reference: counter(1) })
    expect(await excepted(kiosk.entry(wrong))).toEqual(['reversal'])
  })

  test('a load was never authorised: settled, from suspense', async () => {
    expect(await excepted(kiosk.entry(card.commit(kiosk.loadOrder(700))))).toEqual(['load'])
    expect(await ofCard(card)).toMatchObject({ balanceMinor: 5700 })
    expect((await report(bench.issuer)).accounts.suspense).toBe(-700)
  })

  test('its status does not fit its record', async () => {
    const block = card.commit(kiosk.order({ type: 'block' }))
    expect(await excepted(kiosk.entry(block, 'owed'))).toEqual(['status'])
    expect((await ofCard(card)).counter).toBe(2)
  })

  test('it costs more than any sale may', async () => {
    await bench.issuer.store.write((db) =>
      db.insertInto('setting').values({ key: 'saleMinorMax', value: '200' }).execute(),
    )
    expect(await excepted(kiosk.entry(card.pay(kiosk, map)))).toEqual(['limit'])
    expect((await report(bench.issuer)).accounts).toMatchObject({ suspense: 250, payable: 0 })
  })
})

describe('what terminals know but cannot prove', () => {
  beforeEach(async () => {
    await kiosk.sync(kiosk.entry(await kiosk.load(card, 5000)))
  })

  test('in doubt, void and abandoned pay nothing and move no counter; the last word counts, in any order', async () => {
    const made = card.pay(kiosk, map)
    await kiosk.sync(kiosk.entry(made, 'inDoubt'))
    expect(await ofTerminal(kiosk)).toMatchObject({ inDoubt: 1, payableMinor: 0 })
    expect((await ofCard(card)).counter).toBe(1)
    const captured = kiosk.batch(kiosk.entry(made, 'captured', 9))
    expect(await kiosk.send(captured)).toMatchObject({ accepted: 1 })
    expect(await ofTerminal(kiosk)).toMatchObject({ inDoubt: 0, payableMinor: 250 })
    const lost = card.copy().pay(kiosk, map)
    const asked = kiosk.batch(kiosk.entry(lost, 'inDoubt'))
    const closed = kiosk.batch(kiosk.entry(lost, 'void', 9))
    await kiosk.send(closed)
    await kiosk.send(asked)
    expect(await ofTerminal(kiosk)).toMatchObject({ inDoubt: 0, payableMinor: 250 })
    const gone = card.copy().pay(kiosk, map)
    await kiosk.sync(kiosk.entry(gone, 'inDoubt'), kiosk.entry(gone, 'abandoned', 9))
    expect((await ofTerminal(kiosk)).inDoubt).toBe(0)
  })

  test('a record that was in doubt and called void, but whose card proves it, pays and is an alarm', async () => {
    const made = card.pay(kiosk, map)
    await kiosk.sync(kiosk.entry(made, 'witness'))
    await kiosk.sync(kiosk.entry(made, 'void', 9))
    expect(await ofTerminal(kiosk)).toMatchObject({ payableMinor: 250, inDoubt: 0 })
    expect((await ofCard(card)).alarms).toEqual([{ kind: 'voidButSettled', counter: 2 }])
    const next = card.pay(kiosk, map)
    await kiosk.sync(kiosk.entry(next, 'void', 9))
    expect((await ofCard(card)).alarms).toHaveLength(1)
    await kiosk.sync(kiosk.entry(next, 'witness'))
    expect((await ofCard(card)).alarms).toContainEqual({ kind: 'voidButSettled', counter: 3 })
  })

  test('a payment whose reversal is in doubt is not paid out', async () => {
    const payment = card.pay(kiosk, map)
    const reversal = card.reverse(payment)
    await kiosk.sync(kiosk.entry(payment), kiosk.entry(reversal, 'inDoubt'))
    expect(await ofTerminal(kiosk)).toMatchObject({ payableMinor: 0, heldMinor: 250, inDoubt: 1 })
    await kiosk.sync(kiosk.entry(reversal, 'void', 9))
    expect(await ofTerminal(kiosk)).toMatchObject({ payableMinor: 250, heldMinor: 0, inDoubt: 0 })
  })

  test('no other terminal holds a payout back by calling its reversal in doubt', async () => {
    const payment = card.pay(kiosk, map)
    await kiosk.sync(kiosk.entry(payment))
    const rival = await newTerminal(bench.issuer, 'Rival')
    const { order } = payment.record
    const invented = card
      .copy()
      .commit({ ...order, type: 'reversal', reference: payment.record.counter, terminalId: rival.id })
    expect(await rival.sync(rival.entry(invented, 'inDoubt'))).toMatchObject({ accepted: 1 })
    expect(await ofTerminal(kiosk)).toMatchObject({ payableMinor: 250, heldMinor: 0 })
  })

  test('an owed sale is paid like any other', async () => {
    const made = card.pay(kiosk, map)
    expect(await kiosk.sync(kiosk.entry(made), kiosk.entry(made, 'owed', 9))).toMatchObject({ accepted: 2 })
    expect(await ofTerminal(kiosk)).toMatchObject({ taken: { count: 1 }, payableMinor: 250, owedGoods: { count: 1 } })
  })

  test('a witness pays the terminal that made the record, once', async () => {
    const burned = await newTerminal(bench.issuer, 'Station')
    const made = card.pay(burned, map)
    expect(await kiosk.sync(kiosk.entry(made, 'witness'))).toMatchObject({ accepted: 1 })
    expect(await ofTerminal(burned)).toMatchObject({ payableMinor: 250 })
    expect(await burned.sync(burned.entry(made))).toMatchObject({ accepted: 1 })
    expect(await ofTerminal(burned)).toMatchObject({ taken: { count: 1 }, payableMinor: 250 })
    expect(await ofTerminal(kiosk)).toMatchObject({ payableMinor: 0 })
  })
})

describe('a hole', () => {
  beforeEach(async () => {
    await kiosk.sync(kiosk.entry(await kiosk.load(card, 5000)))
  })

  test('of one debit waits in suspense, holds the payment before it, and closes when its record comes', async () => {
    const first = card.pay(kiosk, map)
    const missing = card.pay(kiosk, map)
    const last = card.pay(kiosk, map)
    await kiosk.sync(kiosk.entry(first), kiosk.entry(last))
    expect((await ofCard(card)).holes).toEqual([
      { counter: 3, amountMinor: 250, direction: 'debit', explanation: 'debit' },
    ])
    expect(await ofTerminal(kiosk)).toMatchObject({ payableMinor: 250, heldMinor: 250 })
    expect((await report(bench.issuer)).accounts).toMatchObject({ float: 4250, suspense: 250, payable: 500 })
    await kiosk.sync(kiosk.entry(missing))
    expect((await ofCard(card)).holes).toEqual([])
    expect(await ofTerminal(kiosk)).toMatchObject({ payableMinor: 750, heldMinor: 0 })
    expect((await report(bench.issuer)).accounts).toMatchObject({ float: 4250, suspense: 0, payable: 750 })
  })

  test('of one credit that undoes the payment before it charges its terminal, and claims nothing twice', async () => {
    const payment = card.pay(kiosk, map)
    const reversal = card.reverse(payment)
    const last = card.pay(kiosk, map)
    await kiosk.sync(kiosk.entry(payment), kiosk.entry(last))
    const expected = {
      taken: { count: 2, amountMinor: 500 },
      reversed: { count: 1, amountMinor: 250 },
      payableMinor: 250,
      heldMinor: 0,
    }
    expect(await ofTerminal(kiosk)).toMatchObject(expected)
    expect((await ofCard(card)).holes).toMatchObject([{ counter: 3, explanation: 'reversal', direction: 'credit' }])
    await kiosk.sync(kiosk.entry(reversal))
    expect(await ofTerminal(kiosk)).toMatchObject(expected)
    expect((await ofCard(card)).holes).toEqual([])
  })

  test('of one credit that undoes nothing is explained by nothing: a named sum, and no terminal is charged', async () => {
    const payment = card.pay(kiosk, map)
    const stray = card.commit(kiosk.loadOrder(700))
    await kiosk.sync(kiosk.entry(payment), kiosk.entry(card.pay(kiosk, map)))
    expect((await ofCard(card)).holes).toEqual([
      { counter: 3, amountMinor: 700, direction: 'credit', explanation: 'unexplained' },
    ])
    expect(await ofTerminal(kiosk)).toMatchObject({ reversed: { count: 0 }, payableMinor: 250, heldMinor: 250 })
    expect((await report(bench.issuer)).accounts).toMatchObject({ holes: -700, payable: 500 })
    expect((await kiosk.sync(kiosk.entry(stray))).exceptions).toMatchObject([{ reason: 'load' }])
    expect((await report(bench.issuer)).accounts).toMatchObject({ holes: 0, suspense: -700, payable: 500 })
  })

  test('of more than one counter stays a named sum', async () => {
    card.pay(kiosk, map)
    card.pay(kiosk, map)
    await kiosk.sync(kiosk.entry(card.pay(kiosk, map)))
    expect((await ofCard(card)).holes).toEqual([
      { counter: 2, lastCounter: 3, amountMinor: 500, direction: 'debit', explanation: 'unexplained' },
    ])
    expect((await report(bench.issuer)).accounts).toMatchObject({ holes: 500, suspense: 0 })
  })

  test('is named with a counter whose terminal had no key to prove it', async () => {
    const missing = card.pay(kiosk, map)
    const last = card.pay(kiosk, map)
    await kiosk.sync(kiosk.entry({ ...missing, settlementMac: zeroMac() }), kiosk.entry(last))
    expect((await ofCard(card)).holes).toMatchObject([{ counter: 2, amountMinor: 250 }])
  })
})

test('one flipped bit, wherever it is, changes no books: the seal refuses it', async () => {
  const load = await kiosk.load(card, 5000)
  const bytes = kiosk.batch(kiosk.entry(load), kiosk.entry(card.pay(kiosk, map)))
  const before = await report(bench.issuer)
  for (let at = 0; at < bytes.length; at += 1) {
    const bad = Uint8Array.from(bytes)
    bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8))
    expect(await ingestBatch(bench.issuer, bad)).toHaveProperty('refused')
  }
  expect(await report(bench.issuer)).toEqual(before)
})

test('one flipped bit in an entry that its terminal sealed never moves money wrongly', async () => {
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 5000)))
  const honest = kiosk.entry(card.pay(kiosk, map))
  const entries = Array.from(honest, (byte, at) => {
    const bad = Uint8Array.from(honest)
    bad[at] = byte ^ (1 << (at % 8))
    return bad
  })
  const ack = await kiosk.sync(...entries)
  // Status and resolved time are the terminal's own word; all else is under the card's MAC.
  const own = ack.exceptions.length
  expect(own).toBeGreaterThanOrEqual(98)
  const { taken, payableMinor } = await ofTerminal(kiosk)
  expect([0, 250]).toContain(payableMinor)
  expect(taken.count).toBeLessThanOrEqual(1)
  await kiosk.sync(honest)
  expect(await ofTerminal(kiosk)).toMatchObject({ payableMinor: 250, taken: { count: 1 } })
  expect(await ofCard(card)).toMatchObject({ balanceMinor: 4750, alarms: [] })
})

test('an acknowledgement is sealed for its terminal alone', async () => {
  const other = await newTerminal(bench.issuer, 'Station')
  const result = await ingestBatch(bench.issuer, kiosk.batch())
  if ('refused' in result) throw new Error('refused')
  expect(() => openAcknowledgement(other.key(), result.ack)).toThrow('forged')
  expect(amountMinor(openAcknowledgement(kiosk.key(), result.ack).accepted)).toBe(0)
})
