/**
 * A day at the kiosk, its clocks driven together (faults/clock): customers from opening to closing, some of whom walk away
 * from what they began, an issuer that is away for a while, and the night. What time alone brings about is expected here.
 */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import Database from 'better-sqlite3'
import { ledgerPath } from '../../db/open.ts'
import type { DrivenClock } from '../clock/driven-clock.ts'
import type { Random } from '../reader/fault-list.ts'
import { runErrand, touchWhenThere } from './errand.ts'
import type { Shop } from './shop.ts'
import type { WatchedPage } from './watched-page.ts'

const minuteMs = 60_000
/** Every screen that a customer can walk away from has ended by then (renderer/idle.ts, waitMs in kiosk.ts). */
const patienceMs = 150_000
/** How often it is looked whether they have: whoever comes next need not wait for longer. */
const lookMs = 10_000
/** One in so many walks away. */
const walkAwayEvery = 4
const waitMsMax = 20_000

/** As far as a customer comes who walks away; what ends it is the page's clock, or main's and then the page's. */
const ways = [['start'], ['start', 'open'], ['start', 'open', 'buy'], ['language']] as const

export interface Day {
  readonly shop: Shop
  readonly page: WatchedPage
  readonly clock: DrivenClock
  readonly random: Random
  readonly itemId: string
  readonly priceMinor: number
  readonly opensMs: number
  readonly closesMs: number
  readonly customers: number
  /** When the issuer cannot be reached. */
  readonly away: { readonly fromMs: number; readonly untilMs: number }
  readonly onCustomer?: (count: number) => Promise<void>
}

/** Whether what the kiosk says to everybody stands on its screen. */
const seen = (page: WatchedPage, selector: string) =>
  page.evaluate<boolean>(`document.querySelector(${JSON.stringify(selector)}) !== null`)

/** At the start screen, as for the first customer. */
const atRest = { screen: 'attract', phase: '', dialog: false, language: 'en' }
const placeOf = async (page: WatchedPage) => {
  const { screen, phase, dialog, language } = await page.look()
  return { screen, phase, dialog, language }
}
const expectRest = async (page: WatchedPage, after: string) => assert.deepEqual(await placeOf(page), atRest, after)

const walkAway = async ({ page, clock, itemId }: Day, way: (typeof ways)[number]) => {
  for (const action of way) await touchWhenThere(page, action, action === 'open' ? itemId : undefined)
  if (way.at(-1) === 'buy') await page.until(['pay'], waitMsMax)
  for (let passedMs = 0; passedMs < patienceMs; passedMs += lookMs) {
    await clock.pass(lookMs)
    if (isDeepStrictEqual(await placeOf(page), atRest)) break
  }
  await expectRest(page, `after ${way.join(', ')} and nothing more`)
  await page.drain()
}

/** Turns the issuer off and on at its times. @throws Error when the kiosk does not say so in time */
const changeLine = async ({ shop, page, clock, away }: Day, toMs: number) => {
  const from = clock.nowMs()
  if (from < away.fromMs && away.fromMs <= toMs) {
    await clock.pass(away.fromMs - from)
    await shop.stopIssuer()
    // It asks once a minute (main/sync).
    await clock.pass(1.2 * minuteMs)
    assert(await seen(page, '.notice'), 'the kiosk says that it is offline')
  }
  if (clock.nowMs() < away.untilMs && away.untilMs <= toMs) {
    await clock.pass(away.untilMs - clock.nowMs())
    await shop.startIssuer()
    // The longest pause between two tries is half a minute.
    await clock.pass(0.6 * minuteMs)
    assert(!(await seen(page, '.notice')), 'the kiosk is online again')
  }
}

/** Ends at closing time, with nobody there. @returns how many bought */
export const runDay = async (day: Day): Promise<number> => {
  const { shop, page, clock, random, itemId, priceMinor, opensMs, closesMs, customers } = day
  let card = await shop.makeCard(100 * priceMinor)
  let bought = 0
  const waitUntil = async (ms: number) => {
    await changeLine(day, ms)
    await clock.pass(ms - clock.nowMs())
  }
  for (let customer = 1; customer <= customers; customer += 1) {
    await waitUntil(opensMs + ((customer - random(100) / 100) / customers) * (closesMs - opensMs))
    const turn = customer / walkAwayEvery
    if (Number.isInteger(turn)) await walkAway(day, ways[turn % ways.length] ?? ways[0])
    else {
      if (card.state.balanceMinor < priceMinor) card = await shop.makeCard(100 * priceMinor)
      await runErrand(page, { card, itemId })
      bought += 1
    }
    await day.onCustomer?.(customer)
  }
  await waitUntil(closesMs)
  expectTimes(day, bought)
  return bought
}

/** What the ledger says of the sales: all of them, in their order, over the whole day. */
const expectTimes = ({ shop, opensMs, closesMs, customers }: Day, bought: number) => {
  const ledger = new Database(ledgerPath(shop.dataDir), { readonly: true })
  try {
    const times = ledger
      .prepare<[], { ms: number }>(
        "SELECT created_time * 1000 AS ms FROM intent WHERE type = 'payment' ORDER BY terminal_seq",
      )
      .all()
      .map(({ ms }) => ms)
      .filter((ms) => ms >= opensMs - 1000)
    assert.equal(times.length, bought)
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    )
    const [first = 0, last = 0] = [times[0], times.at(-1)]
    assert(
      last <= closesMs && last - first > (closesMs - opensMs) * (1 - 4 / customers),
      `the first bought ${(first - opensMs) / 1000} s after it was opened, the last ${(closesMs - last) / 1000} s before it was closed`,
    )
  } finally {
    ledger.close()
  }
}

/** Nobody comes: at night the screen rests, with words and colours moved on, and in the morning it is awake. */
export const sleep = async (
  { page, clock }: Pick<Day, 'page' | 'clock'>,
  night: { readonly restsMs: number; readonly wakesMs?: number },
) => {
  const places = new Set<string>()
  const resting = () => seen(page, '.resting')
  assert(!(await resting()), 'it rests before the night')
  while (clock.nowMs() < night.restsMs) {
    await clock.pass(Math.min(minuteMs, night.restsMs - clock.nowMs()))
    await expectRest(page, 'at night')
    places.add(await page.evaluate<string>("getComputedStyle(document.querySelector('.attract-words')).transform"))
  }
  assert(await resting(), 'it does not rest at night')
  assert(places.size > 1, 'its words stand where they stood')
  if (night.wakesMs === undefined) return
  await clock.pass(night.wakesMs - clock.nowMs())
  assert(!(await resting()), 'it rests in the morning')
}
