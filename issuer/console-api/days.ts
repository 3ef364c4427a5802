/** Where days and hours of the book's time zone begin. */
import { businessDays } from '../business-days.ts'

const daySeconds = 86_400
const stepSeconds = 15 * 60

/**
 * UNIX seconds of the first moment of a day such as "2026-11-23". Every offset of a zone is a multiple of a quarter of an
 * hour, and no day begins further than that from UTC's midnight than the farthest zone.
 */
export const dayBegins = (day: string, timeZone: string): number => {
  const dayOf = businessDays(timeZone)
  const midnight = Date.parse(`${day}T00:00:00Z`) / 1000
  let [before, within] = [midnight - daySeconds, midnight + daySeconds]
  while (within - before > stepSeconds) {
    const middle = before + Math.floor((within - before) / (2 * stepSeconds)) * stepSeconds
    if (dayOf(middle) >= day) within = middle
    else before = middle
  }
  return within
}

/** The day that is some days after `day`; before it, where negative. */
export const dayAfter = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * daySeconds * 1000).toISOString().slice(0, 10)

export interface BusinessDay {
  readonly day: string
  /** UNIX seconds. */
  readonly begins: number
  /** The first moment of the next. */
  readonly ends: number
}

export const businessDay = (day: string, timeZone: string): BusinessDay => ({
  day,
  begins: dayBegins(day, timeZone),
  ends: dayBegins(dayAfter(day, 1), timeZone),
})

export const businessDayAt = (time: number, timeZone: string): BusinessDay =>
  businessDay(businessDays(timeZone)(time), timeZone)
