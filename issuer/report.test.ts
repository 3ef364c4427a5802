import { afterEach, beforeEach, expect, test } from 'vitest'
import { zeroMac } from '../protocol/quantities.ts'
import { settleClaim } from './claims.ts'
import { previewPeriod } from './closing/periods.ts'
import { businessDayAt } from './console-api/days.ts'
import { explain } from './explain/explain.ts'
import { nameTerminal } from './parties.ts'
import { report } from './report.ts'
import { type Bench, newCard, newTerminal, now, openBench, publish } from './test-support.ts'

let bench: Bench
beforeEach(async () => {
  bench = await openBench()
})
afterEach(() => bench.close())

test('an empty book balances and says nothing else', async () => {
  expect(await report(bench.issuer)).toMatchObject({ terminals: [], cards: [], merchants: [], trialBalanceMinor: 0 })
})

test("a day is the book's time zone's, by the time of the order; balances are of all days", async () => {
  const { issuer } = bench
  const map = await publish(issuer, 'map', 250)
  const kiosk = await newTerminal(issuer, 'Town')
  const card = await newCard(issuer)
  // 2025-11-13T02:13:20Z
  const load = await kiosk.load(card, 5000)
  await kiosk.sync(kiosk.entry(load), kiosk.entry(card.pay(kiosk, map)), kiosk.entry(card.pay(kiosk, map, 1)))
  const inNewYork = { ...issuer, book: { ...issuer.book, timeZone: 'America/New_York' } }
  const full = {
    taken: { count: 1, amountMinor: 250 },
    earnedMinor: 250,
    payableMinor: 250,
    loads: { count: 1, amountMinor: 5000 },
  }
  const none = {
    taken: { count: 0, amountMinor: 0 },
    earnedMinor: 0,
    payableMinor: 0,
    loads: { count: 0 },
    exceptions: [],
  }
  const exceptions = [{ entry: 3, reason: 'itemOrPrice', amountMinor: 1 }]
  const dayOf = async (of: typeof issuer, day: string) => {
    const told = await report(of, { day })
    expect(told).toMatchObject({ day, cards: [{ balanceMinor: 4749 }], trialBalanceMinor: 0 })
    expect(told.articles).toEqual(
      told.totals.taken.count === 0 ? [] : [{ itemId: 'map', title: 'map', ...told.totals.taken }],
    )
    return told.terminals
  }
  expect(await dayOf(issuer, '2025-11-13')).toMatchObject([{ ...full, exceptions }])
  expect(await dayOf(issuer, '2025-11-12')).toMatchObject([none])
  expect(await dayOf(inNewYork, '2025-11-12')).toMatchObject([{ ...full, exceptions }])
  expect(await dayOf(inNewYork, '2025-11-13')).toMatchObject([none])
})

test('what couriers alone brought of the takings is told, by courier, until the terminal brings it itself', async () => {
  const { issuer } = bench
  const map = await publish(issuer, 'map', 250)
  const silent = await newTerminal(issuer, 'Town')
  const courier = await newTerminal(issuer, 'Station')
  const card = await newCard(issuer)
  const load = await silent.load(card, 5000)
  const [one, two, three] = [card.pay(silent, map), card.pay(silent, map), card.pay(silent, map)]
  const undone = card.reverse(three)
  await courier.sync(...[load, one, three, undone].map((made) => courier.entry(made, 'witness')))
  await settleClaim(issuer, courier.claim(two), now)
  const couriers = async () => (await report(issuer)).terminals.map((terminal) => terminal.couriers)
  const none = { count: 0, amountMinor: 0 }
  const brought = { witness: { count: 2, amountMinor: 500 }, claim: { count: 1, amountMinor: 250 } }
  expect(await couriers()).toEqual([brought, { witness: none, claim: none }])
  expect((await report(issuer)).totals.couriers).toEqual(brought)
  // Its own word without a proof, or with a wrong one, brings nothing.
  await silent.sync(silent.entry(one, 'inDoubt'), silent.entry({ ...two, settlementMac: zeroMac() }))
  expect(await couriers()).toEqual([brought, { witness: none, claim: none }])
  await silent.sync(silent.entry(one, 'captured', 9), silent.entry(two), silent.entry(two, 'owed', 9))
  expect(await couriers()).toMatchObject([{ witness: { count: 1, amountMinor: 250 }, claim: none }, {}])
  // Another terminal that passes it off as its own has not the say.
  await courier.sync(courier.entry(three))
  expect(await couriers()).toMatchObject([{ witness: { count: 1, amountMinor: 250 }, claim: none }, {}])
})

test.each(['today', '2025-02-30', '2025-13-01', '13.11.2025'])('%s is not a day', async (day) => {
  await expect(report(bench.issuer, { day })).rejects.toMatchObject({ code: 'input' })
})

test('a terminal is called by its name in the report, in a statement and in what is explained', async () => {
  const { issuer } = bench
  const map = await publish(issuer, 'map', 250)
  const [kiosk, card] = [await newTerminal(issuer, 'Town'), await newCard(issuer)]
  await nameTerminal(issuer, { terminalId: kiosk.id, name: 'Pier 3', by: 'test' })
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 1000)))
  await kiosk.sync(kiosk.entry(card.pay(kiosk, map, 100)))
  expect((await report(issuer)).terminals).toMatchObject([{ terminalId: kiosk.id, terminalName: 'Pier 3' }])
  expect((await explain(issuer)).open).toMatchObject([
    { cause: 'exception', terminalId: kiosk.id, terminalName: 'Pier 3' },
  ])
  const { day } = businessDayAt(now, 'UTC')
  bench.clock.seconds += 86_400
  const { exceptions } = await previewPeriod(issuer, { merchant: 'Town', untilDay: day })
  expect(exceptions.list).toMatchObject([{ terminalId: kiosk.id, terminalName: 'Pier 3' }])
})
