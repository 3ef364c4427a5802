/** What an entry of the audit log says: which fields became what, in the words of whoever reads it. */
import type { AuditRow } from '../../console-contract/audit-log.ts'
import { formatMoney, formatTime } from '../parts/format.ts'

interface Difference {
  readonly field: string
  readonly before: string | undefined
  readonly after: string | undefined
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

interface Book {
  readonly currency: string
  readonly timeZone: string
}

/** @returns undefined for what only looks like a moment: names and reasons are anybody's words */
const momentOf = (text: string): Date | undefined => {
  const moment = new Date(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? text : Number.NaN)
  return Number.isNaN(moment.getTime()) ? undefined : moment
}

/** The log keeps sums in minor units, moments in seconds or in UTC; who reads it here is shown money and times. */
const textOf = (value: unknown, at: string, { currency, timeZone }: Book): string | undefined => {
  if (value === undefined) return undefined
  if (typeof value === 'string') {
    const moment = momentOf(value)
    return moment === undefined ? value : formatTime(moment, timeZone, 0)
  }
  if (Number.isSafeInteger(value) && at.endsWith('Minor')) return formatMoney(Number(value), currency)
  if (Number.isSafeInteger(value) && at.endsWith('At')) return formatTime(new Date(Number(value) * 1000), timeZone, 0)
  return JSON.stringify(value)
}

/** Such as "price" of "priceMinor", "due at" of "dueAt": its value says the unit. */
export const wordsOf = (field: string): string =>
  field.replace(/Minor$/, '').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

/** Leaves of a value, by their path. */
const leaves = (value: unknown, at = ''): readonly (readonly [string, unknown])[] => {
  if (isRecord(value) && Object.keys(value).length > 0)
    return Object.entries(value).flatMap(([name, member]) => leaves(member, at === '' ? name : `${at}.${name}`))
  return value === undefined ? [] : [[at === '' ? 'value' : at, value]]
}

/** Fields that differ, in their order; by what is kept, for two moments of a minute read the same. */
export const differences = (
  { before, after }: Pick<AuditRow, 'before' | 'after'>,
  book: Book,
): readonly Difference[] => {
  const [old, now] = [new Map(leaves(before)), new Map(leaves(after))]
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((field) => JSON.stringify(old.get(field)) !== JSON.stringify(now.get(field)))
    .map((field) => ({
      field,
      before: textOf(old.get(field), field, book),
      after: textOf(now.get(field), field, book),
    }))
}

export const inShort = (row: AuditRow, book: Book): string => {
  const [first, ...more] = differences(row, book)
  if (first === undefined) return ''
  const field = wordsOf(first.field)
  const change =
    first.before === undefined
      ? `${field}: ${first.after}`
      : first.after === undefined
        ? `${field}: no longer ${first.before}`
        : `${field}: ${first.before} → ${first.after}`
  const short = change.length > 60 ? `${change.slice(0, 59)}…` : change
  return more.length === 0 ? short : `${short}, and ${more.length} more`
}
