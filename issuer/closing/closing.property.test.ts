/** Any order of sales, late facts, reversals, fees and closings: what is closed stays, and every posting is in one period or open. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Item } from '../../protocol/item.ts'
import { auditBooks } from '../audit.ts'
import { businessDays } from '../business-days.ts'
import { dayAfter } from '../console-api/days.ts'
import { IssuerError } from '../errors.ts'
import {
  type Bench,
  type Made,
  newCard,
  newTerminal,
  openBench,
  publish,
  type TestCard,
  type TestTerminal,
} from '../test-support.ts'
import { closeDay } from './days.ts'
import { payInCash, setFee, setMerchant } from './payees.ts'
import { closePeriod } from './periods.ts'
import { closingCauses } from './statement.ts'

const by = { name: 'test' }
const merchants = ['Town', 'Station'] as const
/** One database serves all runs: each goes on where the last one ended. */
const runs = 8

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('sell' as const), at: fc.nat(1), late: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('deliver' as const), at: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reverse' as const), at: fc.nat(1), late: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('nextDay' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('closeDay' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('closePeriod' as const),
      at: fc.nat(1),
      ago: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('fee' as const), at: fc.nat(1), points: fc.nat(1000), fixed: fc.nat(9) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('payIn' as const),
      at: fc.nat(1),
      amount: fc.integer({ min: 1, max: 900 }),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

interface Place {
  readonly merchant: string
  readonly kiosk: TestTerminal
  readonly card: TestCard
  /** Made, and not sent yet. */
  readonly late: Made[]
  last: Made | undefined
}

class World {
  readonly bench: Bench
  readonly map: Item
  readonly places: readonly Place[]

  constructor(bench: Bench, map: Item, places: readonly Place[]) {
    this.bench = bench
    this.map = map
    this.places = places
  }

  static async open(): Promise<World> {
    const bench = await openBench()
    const { issuer } = bench
    const map = await publish(issuer, 'map', 37)
    const places: Place[] = []
    for (const merchant of merchants) {
      const kiosk = await newTerminal(issuer, merchant)
      const card = await newCard(issuer)
      await kiosk.sync(kiosk.entry(await kiosk.load(card, 20_000)))
      places.push({ merchant, kiosk, card, late: [], last: undefined })
    }
    await setMerchant(issuer, { merchant: 'Town', details: { iban: 'AT611904300234573201' }, by })
    return new World(bench, map, places)
  }

  #place(at: number): Place {
    const place = this.places[at]
    if (place === undefined) throw new Error('no such place')
    return place
  }

  async #send(place: Place, made: Made, late: boolean): Promise<void> {
    place.last = made
    if (late) place.late.push(made)
    else await place.kiosk.sync(place.kiosk.entry(made))
  }

  async take(each: Step): Promise<void> {
    const { issuer, clock } = this.bench
    switch (each.kind) {
      case 'sell': {
        const place = this.#place(each.at)
        await this.#send(place, place.card.pay(place.kiosk, this.map), each.late)
        return
      }
      case 'deliver': {
        const { kiosk, late } = this.#place(each.at)
        const made = late.pop()
        if (made !== undefined) await kiosk.sync(kiosk.entry(made))
        return
      }
      case 'reverse': {
        const place = this.#place(each.at)
        const { last } = place
        if (last?.record.order.type === 'payment') await this.#send(place, place.card.reverse(last), each.late)
        return
      }
      case 'nextDay':
        clock.seconds += 86_400
        return
      case 'closeDay':
        await closeDay(issuer, { by })
        return
      case 'closePeriod': {
        const today = businessDays('UTC')(clock.seconds)
        await closePeriod(issuer, { merchant: this.#place(each.at).merchant, untilDay: dayAfter(today, -each.ago), by })
        return
      }
      case 'fee': {
        const rate = { basisPoints: each.points, fixedMinor: each.fixed }
        await setFee(issuer, { merchant: this.#place(each.at).merchant, rate, by })
        return
      }
      case 'payIn': {
        const { merchant } = this.#place(each.at)
        await payInCash(issuer, { merchant, amountMinor: each.amount, document: 'x', by })
      }
    }
  }

  read() {
    return this.bench.issuer.store.read(async (db) => ({
      periods: await db.selectFrom('period').selectAll().orderBy('period_no').execute(),
      days: await db.selectFrom('closed_day_balance').selectAll().orderBy('day').orderBy('account_no').execute(),
      accounts: await db.selectFrom('account').selectAll().execute(),
      transfers: await db.selectFrom('transfer').selectAll().orderBy('transfer_no').execute(),
    }))
  }
}
type Books = Awaited<ReturnType<World['read']>>

/** The postings of each account that no period has yet, counted from the transfers alone. */
const check = ({ periods, accounts, transfers }: Books): void => {
  const isOfClosing = (cause: string) => closingCauses.some((each) => each === cause)
  for (const account of accounts.filter(({ kind }) => kind === 'payable')) {
    const theirs = periods.filter(({ merchant_no }) => merchant_no === account.merchant_no)
    const moved = transfers
      .filter(({ from_account, to_account }) => [from_account, to_account].includes(account.account_no))
      .map((row) => ({ ...row, minor: row.to_account === account.account_no ? row.amount_minor : -row.amount_minor }))
    const facts = moved.filter(({ cause }) => !isOfClosing(cause))
    expect(moved.filter(({ cause }) => isOfClosing(cause)).every(({ period_no }) => period_no !== null)).toBe(true)
    let [after, carried] = ['', 0]
    for (const period of theirs) {
      const statement = JSON.parse(period.statement)
      expect(statement).toMatchObject({ openingMinor: carried })
      if (after !== '') expect(period.from_day).toBe(dayAfter(after, 1))
      const within = facts.filter(({ business_day: day }) => day > after && day <= period.until_day)
      const factsMinor = within.reduce((sum, { minor }) => sum + minor, 0)
      const closing = moved.filter(({ period_no }) => period_no === period.period_no)
      const closingMinor = closing.reduce((sum, { minor }) => sum + minor, 0)
      expect(statement.sales.amountMinor - statement.reversals.amountMinor).toBe(factsMinor)
      expect(period.closing_minor).toBe(carried + factsMinor + closingMinor)
      // Nothing is paid that was not earned until then, and what is held is not paid.
      expect(period.payout_minor === 0 || period.closing_minor >= statement.held.amountMinor).toBe(true)
      after = period.until_day
      carried = period.closing_minor
    }
    const openMinor = facts.filter(({ business_day: day }) => day > after).reduce((sum, { minor }) => sum + minor, 0)
    expect(account.balance_minor).toBe(carried + openMinor)
  }
  expect(accounts.reduce((sum, { balance_minor }) => sum + balance_minor, 0)).toBe(0)
}

test('what is closed stays, and every posting is in one period or open', async () => {
  const world = await World.open()
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const before = await world.read()
        for (const each of steps)
          await world.take(each).catch((error: unknown) => {
            // Closed already, not over yet, more than is owed.
            if (!(error instanceof IssuerError)) throw error
          })
        const books = await world.read()
        expect(books.periods.slice(0, before.periods.length)).toEqual(before.periods)
        expect(books.days.slice(0, before.days.length)).toEqual(before.days)
        check(books)
        expect(await auditBooks(world.bench.issuer)).toEqual([])
      }),
      { numRuns: runs, endOnFailure: true },
    )
  } finally {
    await world.bench.close()
  }
}, 60_000)
