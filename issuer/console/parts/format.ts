/** Amounts, counts and times as text. */
import { currencyOf, formatAmount } from '../../../protocol/currency.ts'

const minus = '\u2212'
const counts = new Intl.NumberFormat('en-GB')

export const formatCount = (count: number): string => counts.format(count)

const symbolOf = (currency: string): string =>
  new Intl.NumberFormat('en-GB', { style: 'currency', currency, currencyDisplay: 'narrowSymbol' })
    .formatToParts(0)
    .find(({ type }) => type === 'currency')?.value ?? currency

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',')

/**
 * Such as "€1,234.50" or "−€0.05".
 * @param options.sign what is more than nothing has its sign too
 */
export const formatMoney = (minor: number, currency: string, options: { readonly sign?: boolean } = {}): string => {
  const [whole = '0', fraction] = formatAmount(Math.abs(minor), currency).split('.')
  const sign = minor < 0 ? minus : options.sign && minor > 0 ? '+' : ''
  return `${sign}${symbolOf(currency)}${grouped(whole)}${fraction === undefined ? '' : `.${fraction}`}`
}

/** For an axis: "€1.2k". */
export const formatMoneyShort = (minor: number, currency: string): string => {
  const whole = minor / 10 ** currencyOf(currency).decimals
  const short = new Intl.NumberFormat('en-GB', { notation: 'compact', maximumFractionDigits: 1 }).format(whole)
  return `${symbolOf(currency)}${short}`
}

const steps = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const
const relative = new Intl.RelativeTimeFormat('en-GB', { numeric: 'always' })

/** Such as "3 hours ago", "in 2 days", "just now". */
export const formatAge = (at: Date, now: number): string => {
  const seconds = (at.getTime() - now) / 1000
  for (const [unit, size] of steps)
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit)
  return 'just now'
}

/** Such as "3 h" or "2 d 4 h": how long, without from when. */
export const formatSpan = (seconds: number): string => {
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${Math.max(minutes, 1)} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h`
  const days = Math.floor(hours / 24)
  return days < 14 && hours % 24 > 0 ? `${days} d ${hours % 24} h` : `${days} d`
}

const zoned = new Map<string, Intl.DateTimeFormat>()
const inZone = (timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => {
  const key = `${timeZone} ${JSON.stringify(options)}`
  const known = zoned.get(key) ?? new Intl.DateTimeFormat('en-GB', { ...options, timeZone })
  zoned.set(key, known)
  return known
}

/** Such as "25 Nov, 14:03", with the year when it is another. */
export const formatTime = (at: Date, timeZone: string, now: number): string => {
  const year = inZone(timeZone, { year: 'numeric' })
  const sameYear = year.format(at) === year.format(now)
  return inZone(timeZone, {
    day: 'numeric',
    month: 'short',
    ...(sameYear ? {} : { year: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
  }).format(at)
}

/** To the second, with its zone: for whoever asks exactly. */
export const formatExactTime = (at: Date, timeZone: string): string =>
  inZone(timeZone, { dateStyle: 'full', timeStyle: 'long' }).format(at)

export const formatClock = (at: Date, timeZone: string): string =>
  inZone(timeZone, { hour: '2-digit', minute: '2-digit' }).format(at)

/** A business day such as "2026-11-25" as "Wed 25 Nov", with the year when it is another than now. */
export const formatDay = (day: string, now: number): string => {
  const at = new Date(`${day}T12:00:00Z`)
  const sameYear = day.startsWith(String(new Date(now).getUTCFullYear()))
  return inZone('UTC', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    ...(sameYear ? {} : { year: 'numeric' }),
  }).format(at)
}
