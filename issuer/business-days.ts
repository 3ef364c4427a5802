/** Days of the book's time zone, as "2026-11-23": they compare as text. */
import { IssuerError } from './errors.ts'
import type { StoreReader } from './store.ts'

/** Every offset of a time zone is a multiple of this. */
const offsetStepSeconds = 15 * 60
/** Steps that one zone remembers: some years. */
const knownMax = 200_000

const zones = new Map<string, (time: number) => string>()

const daysOf = (timeZone: string): ((time: number) => string) => {
  const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
  const inZone = new Intl.DateTimeFormat('en-CA', { ...parts, timeZone })
  const known = new Map<number, string>()
  return (time) => {
    const step = Math.floor(time / offsetStepSeconds)
    const found = known.get(step)
    if (found !== undefined) return found
    const day = inZone.format(time * 1000)
    if (known.size >= knownMax) known.clear()
    known.set(step, day)
    return day
  }
}

/** The business day of a time in UNIX seconds. */
export const businessDays = (timeZone: string): ((time: number) => string) => {
  const known = zones.get(timeZone)
  if (known !== undefined) return known
  const days = daysOf(timeZone)
  zones.set(timeZone, days)
  return days
}

/** A time in UNIX seconds as that zone's clocks show it, such as "2026-11-23 09:05". */
export const clockTimes = (timeZone: string): ((time: number) => string) => {
  const dayOf = businessDays(timeZone)
  const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone })
  return (time) => `${dayOf(time)} ${clock.format(time * 1000)}`
}

/** @throws IssuerError `input` unless `day` is such as 2026-11-23 */
export const requireDay = (day: string): void => {
  const parsed = new Date(`${day}T00:00:00Z`)
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(parsed.getTime()) || !parsed.toISOString().startsWith(day))
    throw new IssuerError('input', `"${day}" is not a day such as 2026-11-23.`)
}

export const nextDay = (day: string): string => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10)

export const lastClosedDay = async (db: Pick<StoreReader, 'selectFrom'>): Promise<string | undefined> => {
  const { day } = await db
    .selectFrom('closed_day')
    .select((eb) => eb.fn.max<string | null>('day').as('day'))
    .executeTakeFirstOrThrow()
  return day ?? undefined
}

/**
 * The day that takes what is booked now: today, and if that is closed already the first one that is not.
 * @param now UNIX seconds
 */
export const openDay = async (db: Pick<StoreReader, 'selectFrom'>, now: number): Promise<string> => {
  const zone = await db.selectFrom('setting').select('value').where('key', '=', 'timeZone').executeTakeFirst()
  const today = businessDays(zone?.value ?? 'UTC')(now)
  const closed = await lastClosedDay(db)
  return closed === undefined || closed < today ? today : nextDay(closed)
}

/** The seconds of a business day, `until` not included; an empty span for a day that its zone left out. */
export const spanOfDay = (
  dayOf: (time: number) => string,
  day: string,
): { readonly since: number; readonly until: number } => {
  const midnight = Date.parse(`${day}T00:00:00Z`) / 1000
  // No time zone is further from UTC.
  const until = midnight + (24 + 15) * 3600
  let first = midnight - 15 * 3600
  while (first < until && dayOf(first) < day) first += offsetStepSeconds
  let end = first
  while (end < until && dayOf(end) === day) end += offsetStepSeconds
  return { since: first, until: end }
}
