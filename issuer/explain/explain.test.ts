import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Item, unitItem } from '../../protocol/item.ts'
import { unixTime } from '../../protocol/quantities.ts'
import { publish as publishAll } from '../bulletin-publisher.ts'
import { addItem } from '../catalogue.ts'
import { settleClaim } from '../claims.ts'
import { startEpoch } from '../parties.ts'
import { book } from '../postings.ts'
import { type Bench, newCard, newTerminal, openBench, publish, type TestCard, TestTerminal } from '../test-support.ts'
import type { Case, Cause } from './case.ts'
import { type Explanation, explain } from './explain.ts'
import { dayAfter, makeTrouble, type Trouble, troubleDay } from './test-trouble.ts'

let bench: Bench
beforeEach(async () => {
  bench = await openBench()
})
afterEach(() => bench.close())

const hour = 3600
const isoNow = () => new Date(bench.clock.seconds * 1000).toISOString()

describe('a day with every trouble', () => {
  let troubled: Bench
  let trouble: Trouble
  let told: Explanation
  beforeAll(async () => {
    troubled = await openBench()
    trouble = await makeTrouble(troubled)
    told = await explain(troubled.issuer, { day: troubleDay })
  })
  afterAll(() => troubled.close())
  const cardOf = (name: string): TestCard => {
    const card = trouble.cards.get(name)
    if (card === undefined) throw new Error(`no card ${name}`)
    return card
  }
  const casesOf = (name: string, cause?: Cause): Case[] =>
    [...told.open, ...told.closed].filter(
      (each) => each.cardId === cardOf(name).id && (cause === undefined || each.cause === cause),
    )
  const caseOf = (name: string, cause: Cause): Case => {
    const [found, ...more] = casesOf(name, cause)
    if (found === undefined || more.length > 0) throw new Error(`${name} has not one case ${cause}`)
    return found
  }

  test('adds up: every sum in the accounts has its case, every settled counter is plain or listed', () => {
    expect(told).toMatchObject({ unexplainedMinor: 0, unexplainedCount: 0 })
    const sum = (of: (each: Case) => number) => [...told.open, ...told.closed].reduce((all, each) => all + of(each), 0)
    expect(sum((each) => each.suspenseMinor)).toBe(told.suspense.balanceMinor)
    expect(sum((each) => each.holesMinor)).toBe(told.holes.balanceMinor)
    expect(told.holes.balanceMinor).toBe(750 - 700 + 500)
    expect(told.plainCount).toBeLessThan(told.settledCount)
  })

  test('a missing payment: card, counter, amount, balances, the likely terminal and why', () => {
    expect(caseOf('one debit', 'hole')).toMatchObject({
      state: 'open',
      counter: 2,
      terminalId: trouble.hill.id,
      merchant: 'Hill',
      amountMinor: 250,
      suspenseMinor: 250,
      holesMinor: 0,
      hole: { explanation: 'debit', direction: 'debit', balanceBeforeMinor: 5000, balanceAfterMinor: 4750 },
    })
    expect(caseOf('one debit', 'hole').hole?.suspects[0]).toMatchObject({ evidence: 'lostLedger' })
  })

  test('a doubt about the very record comes before every other suspicion', () => {
    const { hole, terminalId } = caseOf('doubt', 'hole')
    expect(terminalId).toBe(trouble.station.id)
    expect(hole?.suspects.map(({ evidence }) => evidence)).toEqual(['doubt', 'lostLedger'])
    expect(hole?.suspects[0]).toMatchObject({ counter: 2, amountMinor: 250 })
    expect(caseOf('doubt', 'inDoubt')).toMatchObject({ state: 'open', amountMinor: 250 })
  })

  test('a longer hole has its net and range, and what is known of the counters within', () => {
    const found = caseOf('long', 'hole')
    expect(found).toMatchObject({ counter: 2, lastCounter: 4, amountMinor: 750, suspenseMinor: 0, holesMinor: 750 })
    expect(found.hole).toMatchObject({ explanation: 'namedSum', balanceBeforeMinor: 5000, balanceAfterMinor: 4250 })
    expect(found.hole?.suspects).toMatchObject([
      { terminalId: trouble.station.id, evidence: 'doubt', counter: 3 },
      { terminalId: trouble.hill.id, evidence: 'lostLedger' },
    ])
    expect(caseOf('long', 'abandoned').state).toBe('open')
  })

  test('holes of every other kind', () => {
    expect(caseOf('presumed reversal', 'presumedReversal')).toMatchObject({
      counter: 3,
      terminalId: trouble.town.id,
      amountMinor: 250,
      suspenseMinor: 0,
      holesMinor: 0,
    })
    expect(caseOf('one credit', 'hole')).toMatchObject({ counter: 2, amountMinor: 700, holesMinor: -700 })
    expect(caseOf('nothing', 'hole')).toMatchObject({ counter: 2, amountMinor: 0, suspenseMinor: 0, holesMinor: 0 })
    expect(caseOf('missing batch', 'hole')).toMatchObject({
      counter: 3,
      lastCounter: 4,
      terminalId: trouble.lake.id,
      holesMinor: 500,
    })
    expect(caseOf('missing batch', 'hole').hole?.suspects[0]?.evidence).toBe('missingBatches')
    expect(caseOf('missing batch', 'held')).toMatchObject({ counter: 2, amountMinor: 250 })
    expect(caseOf('reversal waits', 'hole').hole?.suspects[0]).toMatchObject({
      terminalId: trouble.hill.id,
      evidence: 'itsReversal',
    })
  })

  test('what is settled and not plain', () => {
    expect(caseOf('liar', 'lyingCard')).toMatchObject({ counter: 2, amountMinor: 900, suspenseMinor: -900 })
    expect(caseOf('liar', 'exception')).toMatchObject({ reason: 'balance', suspenseMinor: 250 })
    expect(caseOf('wrong price', 'exception')).toMatchObject({ reason: 'itemOrPrice', suspenseMinor: 100 })
    expect(caseOf('wrong price', 'exception').detail).toBe(
      'A payment: no such item was published at this price. Published at 2.50 EUR: map.',
    )
    expect(caseOf('reversal waits', 'reversalWaits')).toMatchObject({ counter: 3, suspenseMinor: -250 })
    expect(caseOf('clone', 'exception')).toMatchObject({ reason: 'clone', suspenseMinor: 0 })
    expect(caseOf('wrong proof', 'exception')).toMatchObject({ reason: 'settlementMac', suspenseMinor: 0 })
    expect(caseOf('reversal in doubt', 'held')).toMatchObject({ counter: 2, amountMinor: 250 })
    expect(caseOf('beside a load', 'unprovenLoad')).toMatchObject({ counter: 3, suspenseMinor: 50 })
    const brought = casesOf('couriers', 'courier')
    expect(brought.map(({ reason, counter }) => ({ reason, counter }))).toEqual([
      { reason: 'witness', counter: 2 },
      { reason: 'claim', counter: 3 },
    ])
  })

  test('loads that stand, are contested, or are owed back', () => {
    expect(caseOf('standing load', 'loadStanding')).toMatchObject({ counter: 1, amountMinor: 1500, suspenseMinor: 0 })
    expect(caseOf('contested load', 'loadContested')).toMatchObject({ amountMinor: 800, suspenseMinor: 800 })
    expect(caseOf('contested load', 'loadStanding')).toMatchObject({ amountMinor: 600, suspenseMinor: 0 })
    expect(caseOf('load owed back', 'loadOwedBack')).toMatchObject({ amountMinor: 400, suspenseMinor: 0 })
  })

  test('what terminals said without proof', () => {
    expect(caseOf('called void', 'paidButCalledVoid')).toMatchObject({ counter: 2, amountMinor: 250 })
    expect(caseOf('owed goods', 'owedGoods')).toMatchObject({ state: 'open', amountMinor: 250 })
    expect(caseOf('void', 'void')).toMatchObject({
      state: 'closed',
      closed: { document: expect.stringMatching(`^batch ${trouble.town.id}/1/`) },
    })
  })

  test('terminals that are behind, with what is missing of them', () => {
    const ofTerminal = (cause: Cause) => told.open.filter((each) => each.cause === cause).map((each) => each.terminalId)
    expect(ofTerminal('missingBatches')).toEqual([trouble.lake.id])
    expect(ofTerminal('notReported').toSorted()).toEqual([trouble.hill.id, trouble.lake.id].toSorted())
    const alarms = told.open.filter((each) => each.cause === 'alarm').map((each) => each.reason)
    expect(alarms.toSorted()).toEqual(['balance', 'clone', 'fork', 'settlementMac'])
  })

  test('a case that was open on the day and closed on the next: by which document, and when', () => {
    expect(caseOf('late', 'hole')).toMatchObject({
      state: 'closed',
      counter: 2,
      terminalId: trouble.station.id,
      amountMinor: 250,
      opened: { document: expect.stringMatching(`^batch ${trouble.town.id}/1/`) },
      closed: { document: expect.stringMatching(`^batch ${trouble.station.id}/1/`) },
    })
    expect(caseOf('late', 'hole').closed?.at.slice(0, 10)).toBe(dayAfter)
  })
})

test('the case of a lost record closes when a phone brings it; what no case explains is said', async () => {
  const { issuer, clock } = bench
  const { town, cards, lost } = await makeTrouble(bench)
  const before = await explain(issuer, { day: troubleDay })
  const made = lost.get('one debit') ?? expect.fail('nothing was lost')
  const claim = town.claim(made, unixTime(clock.seconds + hour))
  // The issuer's clock goes back meanwhile: the order of the books is the order of events.
  clock.seconds -= 30 * 24 * hour
  await settleClaim(issuer, claim, issuer.clock())
  const after = await explain(issuer, { day: troubleDay })
  const { id } = cards.get('one debit') ?? expect.fail('no such card')
  expect(before.open.filter(({ cardId }) => cardId === id)).toMatchObject([{ cause: 'hole', suspenseMinor: 250 }])
  expect(after.closed.filter(({ cardId }) => cardId === id)).toMatchObject([
    { cause: 'hole', counter: 2, closed: { document: expect.stringMatching(/^claim [0-9a-f]{16}$/), at: isoNow() } },
  ])
  expect(after.suspense.balanceMinor).toBe(before.suspense.balanceMinor - 250)
  expect(after.unexplainedMinor).toBe(0)

  await issuer.store.write((db) =>
    book(
      db,
      { from: { kind: 'bank' }, to: { kind: 'suspense' }, amountMinor: 3, cause: 'mistake', document: 'test' },
      issuer.clock(),
    ),
  )
  expect(await explain(issuer, { day: troubleDay })).toMatchObject({
    unexplainedMinor: 3,
    suspense: { unexplainedMinor: 3 },
    holes: { unexplainedMinor: 0 },
  })
})

describe('who made a missing counter', () => {
  let map: Item
  let town: TestTerminal
  let station: TestTerminal
  let card: TestCard

  beforeEach(async () => {
    map = await publish(bench.issuer, 'map', 250)
    town = await newTerminal(bench.issuer, 'Town')
    station = await newTerminal(bench.issuer, 'Station')
    card = await newCard(bench.issuer)
    await town.sync(town.entry(await town.load(card, 5000)))
  })
  const hole = async (): Promise<Case> => {
    const found = (await explain(bench.issuer)).open.filter(({ cause }) => cause === 'hole')
    expect(found).toHaveLength(1)
    return found[0] ?? expect.fail('no hole')
  }
  const evidence = async () => ((await hole()).hole?.suspects ?? []).map((each) => [each.merchant, each.evidence])
  const missOne = async () => {
    bench.clock.seconds += hour
    const missing = card.pay(station, map)
    bench.clock.seconds += hour
    await town.sync(town.entry(card.pay(town, map)))
    return missing
  }

  test('a terminal that has not reported since; none when all have', async () => {
    await missOne()
    expect(await evidence()).toEqual([['Station', 'silent']])
    const other = await newCard(bench.issuer)
    bench.clock.seconds += hour
    await station.sync(station.entry(await station.load(other, 500)))
    expect(await evidence()).toEqual([])
    expect((await hole()).detail).toContain('No terminal is behind')
  })

  test('the one whose doubt about the counter has other balances comes after the one whose doubt fits', async () => {
    const copy = card.copy()
    copy.balanceMinor = 900
    bench.clock.seconds += hour
    const wrong = copy.pay(town, map)
    const right = card.copy().pay(station, map)
    await missOne()
    await town.sync(town.entry(wrong, 'inDoubt'))
    await station.sync(station.entry(right, 'inDoubt'))
    expect(await evidence()).toEqual([
      ['Station', 'doubt'],
      ['Town', 'otherDoubt'],
    ])
    // What its card proved void to it is no trace any more.
    await town.sync(town.entry(wrong, 'void', 9))
    expect(await evidence()).toEqual([['Station', 'doubt']])
  })

  test('one that meant to reverse the missing payment', async () => {
    const missing = await missOne()
    await station.sync(station.entry(card.copy().reverse(missing), 'inDoubt'))
    expect(await evidence()).toEqual([['Station', 'itsReversal']])
  })

  test('one that sent an entry for it which was not taken', async () => {
    const missing = await missOne()
    await station.sync(station.entry({ ...missing, settlementMac: card.copy().pay(town, map).settlementMac }))
    expect(await evidence()).toEqual([['Station', 'refusedEntry']])
  })

  test('one that was enrolled again on an empty disk; not one whose ledger lived', async () => {
    const missing = await missOne()
    bench.clock.seconds += hour
    const lived = await newTerminal(bench.issuer, 'Hill')
    const other = await newCard(bench.issuer)
    await lived.sync(lived.entry(await lived.load(other, 5000)))
    const kept = lived.entry(other.pay(lived, map))
    await startEpoch(bench.issuer, station.id)
    await startEpoch(bench.issuer, lived.id)
    bench.clock.seconds += hour
    const [anew, on] = [new TestTerminal(bench.issuer, station.id, 2), new TestTerminal(bench.issuer, lived.id, 2)]
    await anew.sync(anew.entry(other.pay(anew, map)))
    await on.sync(kept, on.entry(other.pay(on, map)))
    expect(await evidence()).toEqual([['Station', 'lostLedger']])
    // The entry itself, from wherever, closes it.
    await town.sync(town.entry(missing, 'witness'))
    expect((await explain(bench.issuer)).open.filter(({ cause }) => cause === 'hole')).toEqual([])
  })

  test('what one document brings in any order was never missing', async () => {
    const made = [card.pay(town, map), card.pay(town, map), card.pay(town, map)]
    await town.sync(...made.toReversed().map((each) => town.entry(each)))
    expect(await explain(bench.issuer)).toMatchObject({ open: [], closed: [], settledCount: 4, plainCount: 4 })
  })

  test('many terminals are behind: the nearest are named, the rest are counted', async () => {
    for (let at = 0; at < 7; at += 1) await newTerminal(bench.issuer, `Stall ${at}`)
    await missOne()
    const found = await hole()
    expect(found.hole?.suspects).toHaveLength(5)
    expect(found.hole?.moreSuspects).toBe(3)
  })
})

test('a code that two cards bought is two cases; a sale that was undone is none', async () => {
  const codes = Buffer.from('a\nb\n')
  const file = { name: 'codes.txt', bytes: new Uint8Array(codes) }
  const { item } = await addItem(bench.issuer, {
    file,
    id: 'wifi',
    kind: 'code',
    priceMinor: 100,
    title: { en: 'Wi-Fi' },
  })
  const kiosk = await newTerminal(bench.issuer, 'Town')
  await publishAll(bench.issuer)
  const [one, other, third] = [await newCard(bench.issuer), await newCard(bench.issuer), await newCard(bench.issuer)]
  for (const card of [one, other, third]) await kiosk.sync(kiosk.entry(await kiosk.load(card, 500)))
  const sale = one.pay(kiosk, unitItem(item, 'a'))
  const again = other.pay(kiosk, unitItem(item, 'a'))
  const undone = third.pay(kiosk, unitItem(item, 'b'))
  const reversal = third.reverse(undone)
  const next = one.pay(kiosk, unitItem(item, 'b'))
  await kiosk.sync(...[sale, again, undone, reversal, next].map((made) => kiosk.entry(made)))
  const { open, unexplainedMinor } = await explain(bench.issuer)
  expect(open.filter(({ cause }) => cause === 'soldTwice')).toMatchObject([
    { cardId: one.id, counter: 2, amountMinor: 100, detail: expect.stringContaining(`${other.id} #2`) },
    { cardId: other.id, counter: 2, amountMinor: 100, detail: expect.stringContaining(`${one.id} #2`) },
  ])
  expect(unexplainedMinor).toBe(0)
})

test('a payment that another terminal passes off as its own is still brought by couriers alone', async () => {
  const map = await publish(bench.issuer, 'map', 250)
  const [hill, town] = [await newTerminal(bench.issuer, 'Hill'), await newTerminal(bench.issuer, 'Town')]
  const card = await newCard(bench.issuer)
  await town.sync(town.entry(await town.load(card, 5000)))
  const made = card.pay(hill, map)
  await town.sync(town.entry(made, 'witness'), town.entry(made))
  const told = await explain(bench.issuer)
  expect(told.open.filter(({ cause }) => cause === 'courier')).toMatchObject([{ counter: 2, terminalId: hill.id }])
  // The refused entry itself is closed by the proof that the witness brought.
  expect(told.closed).toMatchObject([{ cause: 'exception', reason: 'terminal', terminalId: town.id }])
  expect(told.unexplainedCount).toBe(0)
})

describe('days', () => {
  test('a hole is counted on the day of the record behind it, and told on those between', async () => {
    const map = await publish(bench.issuer, 'map', 250)
    const town = await newTerminal(bench.issuer, 'Town')
    const hill = await newTerminal(bench.issuer, 'Hill')
    const card = await newCard(bench.issuer)
    await town.sync(town.entry(await town.load(card, 5000)))
    bench.clock.seconds += 24 * hour
    card.pay(hill, map)
    bench.clock.seconds += 24 * hour
    await town.sync(town.entry(card.pay(town, map)))
    const first = await explain(bench.issuer, { day: '2025-11-13' })
    expect(first).toMatchObject({
      perhaps: [{ cause: 'hole', counter: 2, day: '2025-11-15' }],
      suspense: { dayMinor: 0, otherDaysMinor: 250, balanceMinor: 250, unexplainedMinor: 0 },
    })
    expect((await explain(bench.issuer, { day: '2025-11-14' })).perhaps).toHaveLength(1)
    const last = await explain(bench.issuer, { day: '2025-11-15' })
    expect(last.perhaps).toEqual([])
    expect(last.suspense).toMatchObject({ dayMinor: 250, otherDaysMinor: 0 })
    expect((await explain(bench.issuer, { day: '2025-11-16' })).perhaps).toEqual([])
  })

  test('of a card whose first counter is missing, no day before it was issued is suspected', async () => {
    const town = await newTerminal(bench.issuer, 'Town')
    const map = await publish(bench.issuer, 'map', 250)
    bench.clock.seconds += 24 * hour
    const card = await newCard(bench.issuer)
    card.commit(town.loadOrder(5000))
    bench.clock.seconds += 24 * hour
    await town.sync(town.entry(card.pay(town, map)))
    const perhapsOf = async (day: string) => (await explain(bench.issuer, { day })).perhaps.length
    expect(await perhapsOf('2025-11-13')).toBe(0)
    expect(await perhapsOf('2025-11-14')).toBe(1)
    const last = await explain(bench.issuer, { day: '2025-11-15' })
    expect(last.open.filter(({ cause }) => cause === 'hole')).toMatchObject([
      { counter: 1, amountMinor: 5000, holesMinor: -5000, hole: { balanceBeforeMinor: 0 } },
    ])
  })

  test.each(['today', '2025-02-30', '13.11.2025'])('%s is not a day', async (day) => {
    await expect(explain(bench.issuer, { day })).rejects.toMatchObject({ code: 'input' })
  })

  test('an empty book has nothing to explain', async () => {
    expect(await explain(bench.issuer, { day: troubleDay })).toEqual({
      currency: 'EUR',
      timeZone: 'UTC',
      day: troubleDay,
      settledCount: 0,
      plainCount: 0,
      open: [],
      perhaps: [],
      closed: [],
      suspense: { dayMinor: 0, otherDaysMinor: 0, balanceMinor: 0, unexplainedMinor: 0 },
      holes: { dayMinor: 0, otherDaysMinor: 0, balanceMinor: 0, unexplainedMinor: 0 },
      unexplainedCount: 0,
      unexplainedMinor: 0,
    })
  })
})

describe('what was in doubt', () => {
  test.each(['captured', 'witnessed', 'other', 'collected', 'reversed'] as const)(
    'is closed when it was %s, and says by what',
    async (how) => {
      const map = await publish(bench.issuer, 'map', 250)
      const town = await newTerminal(bench.issuer, 'Town')
      const station = await newTerminal(bench.issuer, 'Station')
      const card = await newCard(bench.issuer)
      await town.sync(town.entry(await town.load(card, 5000)))
      const copy = card.copy()
      const made = card.pay(town, map)
      await town.sync(town.entry(made, 'inDoubt'))
      bench.clock.seconds += hour
      if (how === 'captured') await town.sync(town.entry(made, 'captured', 9))
      if (how === 'witnessed') await station.sync(station.entry(made, 'witness'))
      if (how === 'other') await station.sync(station.entry(copy.pay(station, map)))
      const owed = [town.entry(made, 'captured', 9), town.entry(made, 'owed', 9)]
      if (how === 'collected') {
        await town.sync(...owed)
        await settleClaim(bench.issuer, town.claim(made, unixTime(bench.clock.seconds)), unixTime(bench.clock.seconds))
      }
      if (how === 'reversed') await town.sync(...owed, town.entry(card.reverse(made)))
      const { open, closed } = await explain(bench.issuer)
      const document = {
        captured: `batch ${town.id}/1/3`,
        witnessed: `batch ${station.id}/1/1`,
        other: `batch ${station.id}/1/1`,
        collected: `batch ${town.id}/1/3`,
        reversed: `batch ${town.id}/1/3`,
      }[how]
      expect(closed.filter(({ cause }) => cause === 'inDoubt')).toMatchObject([
        { cardId: card.id, counter: 2, closed: { document, at: isoNow() } },
      ])
      expect(open.filter(({ cause }) => cause === 'inDoubt' || cause === 'owedGoods')).toEqual([])
      expect(closed.filter(({ cause }) => cause === 'owedGoods')).toHaveLength(
        how === 'collected' || how === 'reversed' ? 1 : 0,
      )
    },
  )
})
