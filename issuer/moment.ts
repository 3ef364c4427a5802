/** A moment as people write it: in the book's time zone, unless they say which. */
import { IssuerError } from './errors.ts'

const offsetSeconds = (timeZone: string, seconds: number): number => {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(seconds * 1000)
  const number = (type: string): number => Number(parts.find((part) => part.type === type)?.value)
  const local = Date.UTC(
    number('year'),
    number('month') - 1,
    number('day'),
    number('hour'),
    number('minute'),
    number('second'),
  )
  return local / 1000 - seconds
}

/**
 * @param text such as "2026-12-01" (its first moment), "2026-12-01 08:00", or with "Z" or "+01:00" behind
 * @returns UNIX seconds; a time that clocks skip in spring is the one after
 * @throws IssuerError `input`
 */
export const momentIn = (text: string, timeZone: string): number => {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/.exec(text)
  const [, day, time = '00:00', second = '00', zone] = match ?? []
  const plain = Date.parse(`${day}T${time}:${second}Z`) / 1000
  if (day === undefined || Number.isNaN(plain) || !new Date(plain * 1000).toISOString().startsWith(day))
    throw new IssuerError('input', `"${text}" is not a moment such as 2026-12-01 or "2026-12-01 08:00".`)
  if (zone !== undefined) return Date.parse(`${day}T${time}:${second}${zone}`) / 1000
  const guess = plain - offsetSeconds(timeZone, plain)
  return plain - offsetSeconds(timeZone, guess)
}

/** As `momentIn`; a day alone ends with its last second. */
export const endIn = (text: string, timeZone: string): number =>
  momentIn(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text} 23:59:59` : text, timeZone)
