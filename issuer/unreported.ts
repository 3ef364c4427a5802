/** Which kiosks have not reported, and about what they may hold: said wherever a day is called complete. */
import { businessDay, businessDayAt } from './console-api/days.ts'
import { exposuresOf, sumExposures, unsyncedLimits } from './console-api/exposure.ts'
import { reportsOf, silentSeconds } from './console-api/terminals.ts'
import type { Issuer } from './issuer.ts'

export interface Unreported {
  readonly kiosks: number
  /** They have not reported since this business day. */
  readonly since: string
  /** At least, without those of which nobody knows. */
  readonly mayHoldMinor: number
  /** Of the kiosks: those that sold nothing before, by which one could estimate. */
  readonly unknownKiosks: number
}

/** @param day nothing came after it; absent, or not over: nothing came for a day */
export const unreportedSince = (issuer: Issuer, day?: string): Promise<Unreported> =>
  issuer.store.read(async (db) => {
    const now = issuer.clock()
    const { timeZone } = issuer.book
    const ends = day === undefined ? now : businessDay(day, timeZone).ends
    const before = ends < now ? ends : now - silentSeconds
    const since = ends < now && day !== undefined ? day : businessDayAt(before, timeZone).day
    const missed = (await reportsOf(db)).filter(
      ({ epoch, createdAt, reportedAt }) => epoch > 0 && createdAt < before && reportedAt < before,
    )
    if (missed.length === 0) return { kiosks: 0, since, mayHoldMinor: 0, unknownKiosks: 0 }
    const exposures = await exposuresOf(db, missed, { now, limits: await unsyncedLimits(issuer, db) })
    const { atLeastMinor, unknownCount } = sumExposures(missed.map(({ terminalNo }) => exposures.get(terminalNo)))
    return { kiosks: missed.length, since, mayHoldMinor: atLeastMinor, unknownKiosks: unknownCount }
  })
