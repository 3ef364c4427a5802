/**
 * How much a kiosk that has not reported may hold: what it usually sells at these hours of the day, since its last report.
 * An estimate, cut off at what its own limits let it sell without reporting.
 */
import { newestBulletin } from '../bulletin-publisher.ts'
import type { CountAndAmount, Exposure } from '../console-contract/terminals.ts'
import type { Issuer } from '../issuer.ts'
import type { StoreReader } from '../store.ts'
import { salesBySteps } from './sales.ts'

const hourSeconds = 3600
const daySeconds = 86_400
const hoursOfDay = 24
export const basisDaysMax = 14

/** A kiosk as far as its estimate needs it. Times in UNIX seconds. */
export interface Reporter {
  readonly terminalNo: number
  readonly createdAt: number
  /** 0: never. */
  readonly reportedAt: number
}

export interface UnsyncedLimits {
  readonly unsyncedMinorMax: number
  readonly unsyncedSecondsMax: number
}

/** The kiosks' own limits, as the newest bulletin has them; undefined: none was published. */
export const unsyncedLimits = async (issuer: Issuer, db: StoreReader): Promise<UnsyncedLimits | undefined> =>
  (await newestBulletin(issuer, db))?.bulletin.limits

/** Sums for each hour of UTC's day: an hour of the book's day is the same one but where clocks were changed. */
type DayProfile = readonly CountAndAmount[]

const hourOf = (time: number): number => Math.floor(time / hourSeconds) % hoursOfDay

/** What a profile gives from one moment to another, in parts of its hours. */
const expectedIn = (profile: DayProfile, { from, until }: { from: number; until: number }): CountAndAmount => {
  let [count, amountMinor] = [0, 0]
  for (let at = from; at < until; ) {
    const end = Math.min((Math.floor(at / hourSeconds) + 1) * hourSeconds, until)
    const share = (end - at) / hourSeconds
    count += (profile[hourOf(at)]?.count ?? 0) * share
    amountMinor += (profile[hourOf(at)]?.amountMinor ?? 0) * share
    at = end
  }
  return { count, amountMinor }
}

/** What those kiosks may hold at least, whose sum can be estimated, and how many there are beside. */
export const sumExposures = (exposures: readonly (Exposure | undefined)[]) => ({
  atLeastMinor: exposures.reduce((sum, each) => sum + (each?.expected.amountMinor ?? 0), 0),
  unknownCount: exposures.filter((each) => each === undefined).length,
})

/** Of all of them, at one look into the sales of the days before; absent: it sold nothing then, and nobody knows. */
export const exposuresOf = async (
  db: StoreReader,
  reporters: readonly Reporter[],
  { now, limits }: { readonly now: number; readonly limits: UnsyncedLimits | undefined },
): Promise<ReadonlyMap<number, Exposure>> => {
  const reported = reporters.filter(({ reportedAt }) => reportedAt > 0)
  const basisFrom = ({ reportedAt, createdAt }: Reporter) => Math.max(reportedAt - basisDaysMax * daySeconds, createdAt)
  const begin = Math.floor(Math.min(now, ...reported.map(basisFrom)) / hourSeconds) * hourSeconds
  const end = Math.max(...reported.map(({ reportedAt }) => reportedAt), begin)
  const terminalNos = reported.map(({ terminalNo }) => terminalNo)
  const steps = await salesBySteps(db, { from: begin, until: end + 1 }, { stepSeconds: hourSeconds, terminalNos })
  const byTerminal = Map.groupBy(steps, ({ terminalNo }) => terminalNo)
  const exposures = new Map<number, Exposure>()
  for (const reporter of reported) {
    const from = basisFrom(reporter)
    const days = Math.max((reporter.reportedAt - from) / daySeconds, 1)
    const sums = Array.from({ length: hoursOfDay }, () => ({ count: 0, amountMinor: 0 }))
    for (const { step, count, amountMinor } of byTerminal.get(reporter.terminalNo) ?? []) {
      const at = begin + step * hourSeconds
      const sum = sums[hourOf(at)]
      if (at + hourSeconds <= from || at > reporter.reportedAt || sum === undefined) continue
      sum.count += count / days
      sum.amountMinor += amountMinor / days
    }
    if (sums.every(({ count }) => count === 0)) continue
    // It stops by itself when what it holds is too old.
    const until = Math.min(now, reporter.reportedAt + (limits?.unsyncedSecondsMax ?? Number.MAX_SAFE_INTEGER))
    const expected = expectedIn(sums, { from: reporter.reportedAt, until })
    const most = limits?.unsyncedMinorMax ?? Number.MAX_SAFE_INTEGER
    exposures.set(reporter.terminalNo, {
      expected: { count: Math.round(expected.count), amountMinor: Math.round(Math.min(expected.amountMinor, most)) },
      basisDays: Math.round(days),
      usualDayMinor: Math.round(sums.reduce((sum, { amountMinor }) => sum + amountMinor, 0)),
      limited: until < now || expected.amountMinor > most,
    })
  }
  return exposures
}
