import { afterEach, beforeEach, expect, test } from 'vitest'
import { amountMinor, counter } from '../protocol/quantities.ts'
import { auditBooks } from './audit.ts'
import {
  addVoucherLot,
  cancelCredit,
  cancelVoucherLot,
  fundingReport,
  makeCredit,
  makeVoucherCodes,
  payVoucherLot,
  voucherLots,
} from './funding.ts'
import { authoriseLoad } from './loads.ts'
import {
  type Bench,
  newCard,
  newTerminal,
  openBench,
  publish,
  type TestCard,
  type TestTerminal,
} from './test-support.ts'

let bench: Bench
let kiosk: TestTerminal
let card: TestCard
const by = { name: 'cli:test' }

beforeEach(async () => {
  bench = await openBench()
  kiosk = await newTerminal(bench.issuer, 'Town')
  card = await newCard(bench.issuer)
})
afterEach(async () => {
  expect(await auditBooks(bench.issuer)).toEqual([])
  await bench.close()
})

const vouchers = async (count = 1, paidReference?: string, amount = 2000): Promise<readonly string[]> => {
  const codes = makeVoucherCodes(bench.issuer, count)
  await addVoucherLot(bench.issuer, by, {
    codes,
    amountMinor: amount,
    expiresAt: bench.clock.seconds + 1000,
    ...(paidReference === undefined ? {} : { paidReference }),
  })
  return codes
}
const voucher = async (paidReference?: string): Promise<string> => {
  const [code] = await vouchers(1, paidReference)
  if (code === undefined) throw new Error('no code')
  return code
}
const credit = (amount: number, to = card) =>
  bench.issuer.store.write(async (db) => {
    const { card_no } = await db
      .selectFrom('card')
      .select('card_no')
      .where('card_id', '=', to.id)
      .executeTakeFirstOrThrow()
    return makeCredit(bench.issuer, db, {
      by,
      cardNo: card_no,
      amountMinor: amount,
      from: { kind: 'losses' },
      cause: 'goodwill',
      document: 'a letter',
    })
  })
const verdict = async (amount: number, funding: string, at = card) =>
  (await kiosk.askLoad(kiosk.loadRequest(at, kiosk.loadOrder(amount, funding)))).verdict
const told = () => bench.issuer.store.read(fundingReport)

test('a voucher pays for one load, however it is typed, and is booked from the vouchers', async () => {
  const code = await voucher()
  const made = await kiosk.load(card, 2000, code.toLowerCase().replaceAll('-', ' '))
  expect(await kiosk.sync(kiosk.entry(made))).toMatchObject({ accepted: 1, exceptions: [] })
  expect(await verdict(2000, code)).toBe('notFunded')
  expect(await told()).toMatchObject({
    floatMinor: 2000,
    cash: { loadedMinor: 0, owedByMerchantsMinor: 0 },
    vouchers: { loadedMinor: 2000, paidMinor: 0, unpaidMinor: 2000, openUnpaidMinor: 0 },
    unfundedMinor: 2000,
  })
})

test('the answer was lost: the same bytes get the same answer, a retry of the order a new commit MAC, and nothing is booked twice', async () => {
  const code = await voucher('transfer 1')
  const order = kiosk.loadOrder(2000, code)
  const request = kiosk.loadRequest(card, order)
  const first = await authoriseLoad(bench.issuer, request)
  expect(await authoriseLoad(bench.issuer, request)).toEqual(first)
  expect(await kiosk.askLoad(kiosk.loadRequest(card, order))).toMatchObject({ verdict: 'authorised' })
  const elsewhere = await newCard(bench.issuer)
  expect(await kiosk.askLoad(kiosk.loadRequest(elsewhere, order))).toMatchObject({ verdict: 'refused' })
  expect(await verdict(2000, code)).toBe('notFunded')
  card.commit(order)
  expect(await kiosk.askLoad(kiosk.loadRequest(card, order))).toMatchObject({ verdict: 'otherCounter' })
  expect(await told()).toMatchObject({
    floatMinor: 2000,
    vouchers: { paidMinor: 2000, openPaidMinor: 0 },
    unfundedMinor: 0,
  })
})

test.each(['voucher', 'credit'] as const)(
  'a load that turns out void gives its %s back, and the next load has it',
  async (kind) => {
    const map = await publish(bench.issuer, 'map', 250)
    await kiosk.sync(kiosk.entry(await kiosk.load(card, 1000)))
    const code = kind === 'voucher' ? await voucher('transfer 1') : (await credit(2000)).reference
    expect(await verdict(2000, code)).toBe('authorised')
    bench.clock.seconds += 990
    expect(await kiosk.sync(kiosk.entry(card.pay(kiosk, map)))).toMatchObject({ accepted: 1, exceptions: [] })
    expect(await told()).toMatchObject({ floatMinor: 750 })
    // It stands longer than it did: the customer comes back another day.
    bench.clock.seconds += 86_400
    await kiosk.sync(kiosk.entry(await kiosk.load(card, 2000, code)))
    expect(await verdict(2000, code)).toBe('notFunded')
    expect(await told()).toMatchObject({ floatMinor: 2750, unfundedMinor: 1000 })
  },
)

test('a voucher of a lot that was cancelled meanwhile is not given back by a load that turns out void', async () => {
  const map = await publish(bench.issuer, 'map', 250)
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 1000)))
  const code = await voucher()
  expect(await verdict(2000, code)).toBe('authorised')
  expect(await cancelVoucherLot(bench.issuer, by, { lotNo: 1, reason: 'stolen' })).toEqual({ lotNo: 1, cancelled: 0 })
  expect(await kiosk.sync(kiosk.entry(card.pay(kiosk, map)))).toMatchObject({ accepted: 1, exceptions: [] })
  expect(await verdict(2000, code)).toBe('notFunded')
  expect(await told()).toMatchObject({ floatMinor: 750, vouchers: { openUnpaidMinor: 0 } })
})

test('one that was paid for after all is given back: its money is there', async () => {
  const map = await publish(bench.issuer, 'map', 250)
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 1000)))
  const code = await voucher()
  expect(await verdict(2000, code)).toBe('authorised')
  await cancelVoucherLot(bench.issuer, by, { lotNo: 1, reason: 'stolen' })
  await payVoucherLot(bench.issuer, by, { lotNo: 1, paidReference: 'transfer 7' })
  await kiosk.sync(kiosk.entry(card.pay(kiosk, map)))
  expect(await told()).toMatchObject({ floatMinor: 750, vouchers: { openPaidMinor: 2000 } })
  expect(await verdict(2000, code)).toBe('authorised')
})

test('of two loads at one counter the earlier holds its voucher until the record decides', async () => {
  const [one, two] = await vouchers(2, 'transfer 1')
  if (one === undefined || two === undefined) throw new Error('no codes')
  const [first, second] = [kiosk.loadOrder(2000, one), kiosk.loadOrder(2000, two)]
  for (const order of [first, second])
    expect(await kiosk.askLoad(kiosk.loadRequest(card, order))).toMatchObject({ verdict: 'authorised' })
  expect(await verdict(2000, one)).toBe('notFunded')
  expect(await told()).toMatchObject({ floatMinor: 2000, vouchers: { openPaidMinor: 0 } })
  await kiosk.sync(kiosk.entry(card.commit(first)))
  expect(await told()).toMatchObject({ floatMinor: 2000, vouchers: { paidMinor: 2000, openPaidMinor: 2000 } })
  expect(await verdict(2000, two)).toBe('authorised')
})

test('an opened card that carries the order out to another balance gets no voucher back for it', async () => {
  const code = await voucher('transfer 1')
  const order = kiosk.loadOrder(2000, code)
  await kiosk.askLoad(kiosk.loadRequest(card, order))
  card.balanceMinor = 500
  expect(await kiosk.sync(kiosk.entry(card.commit(order)))).toMatchObject({ exceptions: [{ reason: 'balance' }] })
  expect(await verdict(2000, code)).toBe('notFunded')
  expect(await told()).toMatchObject({ vouchers: { openPaidMinor: 0 } })
})

test('not funded: unknown, of another amount, expired, cancelled, of another card', async () => {
  expect(await verdict(2000, '0000-0000-0000-0000')).toBe('notFunded')
  const code = await voucher()
  expect(await verdict(1999, code)).toBe('notFunded')
  const { reference } = await credit(700, await newCard(bench.issuer))
  expect(await verdict(700, reference)).toBe('notFunded')
  bench.clock.seconds += 1001
  expect(await verdict(2000, code)).toBe('notFunded')
  const late = await voucher()
  expect(await cancelVoucherLot(bench.issuer, by, { lotNo: 2, reason: 'stolen' })).toEqual({ lotNo: 2, cancelled: 1 })
  expect(await verdict(2000, late)).toBe('notFunded')
  expect(await told()).toMatchObject({ floatMinor: 0 })
})

test('a lot is unpaid until the bank tells of it, once', async () => {
  const [code] = await vouchers(2)
  if (code === undefined) throw new Error('no code')
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 2000, code)))
  expect(await told()).toMatchObject({ unfundedMinor: 2000, vouchers: { unpaidMinor: 2000, openUnpaidMinor: 2000 } })
  expect(await payVoucherLot(bench.issuer, by, { lotNo: 1, paidReference: 'transfer 7' })).toEqual({
    lotNo: 1,
    amountMinor: 4000,
  })
  await expect(payVoucherLot(bench.issuer, by, { lotNo: 1, paidReference: 'x' })).rejects.toThrow('transfer 7')
  await expect(cancelVoucherLot(bench.issuer, by, { lotNo: 1, reason: 'x' })).rejects.toThrow('paid')
  await expect(payVoucherLot(bench.issuer, by, { lotNo: 9, paidReference: 'x' })).rejects.toThrow('no voucher lot 9')
  expect(await told()).toMatchObject({ unfundedMinor: 0, vouchers: { paidMinor: 2000, openPaidMinor: 2000 } })
  const lots = await bench.issuer.store.read((db) => voucherLots(db, { limit: 10 }))
  expect(lots).toMatchObject([{ lotNo: 1, count: 2, openCount: 1, usedCount: 1, paidReference: 'transfer 7' }])
})

test('the store keeps no code of a voucher', async () => {
  const code = await voucher()
  const rows = await bench.issuer.store.read((db) => db.selectFrom('funding').selectAll().execute())
  expect(rows).toMatchObject([{ reference: null }])
  expect(JSON.stringify(rows)).not.toContain(code)
})

test('a credit that was not used is taken back once; of what was used nothing is', async () => {
  const { reference } = await credit(700)
  expect(await told()).toMatchObject({ credits: { openMinor: 700 } })
  expect(await cancelCredit(bench.issuer, by, { reference, reason: 'mistake' })).toMatchObject({ amountMinor: 700 })
  await expect(cancelCredit(bench.issuer, by, { reference, reason: 'again' })).rejects.toThrow('no open credit')
  expect(await verdict(700, reference)).toBe('notFunded')
  const used = await credit(300)
  await kiosk.load(card, 300, used.reference)
  await expect(cancelCredit(bench.issuer, by, { reference: used.reference, reason: 'x' })).rejects.toThrow()
})

test('a retry keeps its place though the load was booked under other bytes', async () => {
  const code = await voucher()
  const order = kiosk.loadOrder(2000, code)
  await kiosk.askLoad(kiosk.loadRequest(card, order))
  const lied = card.copy()
  lied.balanceMinor = 1
  expect(await kiosk.askLoad(kiosk.loadRequest(lied, order))).toMatchObject({ verdict: 'refused' })
  expect(await kiosk.askLoad(kiosk.loadRequest(card, { ...order, amountMinor: amountMinor(1999) }))).toMatchObject({
    verdict: 'notFunded',
    counter: counter(1),
  })
})
