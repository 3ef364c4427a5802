/** Arguments as people type them, checked. */
import { InvalidArgumentError } from 'commander'

const parser =
  <Value>(parse: (text: string) => Value | undefined, must: string) =>
  (text: string): Value => {
    const value = parse(text)
    if (value === undefined) throw new InvalidArgumentError(`It must be ${must}.`)
    return value
  }

const integer = (text: string, bounds: { min: number; max: number }): number | undefined => {
  const value = Number(text)
  return /^\d+$/.test(text) && value >= bounds.min && value <= bounds.max ? value : undefined
}

export const port = parser((text) => integer(text, { min: 0, max: 65_535 }), 'a port from 0 to 65535')
export const count = parser((text) => integer(text, { min: 1, max: 1_000_000 }), 'a count from 1 to 1000000')
export const wholeNumber = parser((text) => integer(text, { min: 1, max: 1_000_000_000 }), 'a whole number')
export const basisPoints = parser((text) => integer(text, { min: 0, max: 10_000 }), 'basis points from 0 to 10000')
export const seconds = parser(
  (text) => (/^\d{1,6}(\.\d+)?$/.test(text) ? Number(text) : undefined),
  'a number of seconds such as 30',
)
/** Such as 2026-11-23, and in the calendar: Date.parse takes a 30th of February. */
const isDay = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text)

export const day = parser((text) => (isDay(text) ? text : undefined), 'a day such as 2026-11-23')
export const id8 = parser((text) => (/^[0-9a-f]{16}$/i.test(text) ? text.toLowerCase() : undefined), '16 hex digits')
export const version = parser((text) => integer(text, { min: 0, max: 255 }), 'a key version from 0 to 255')
export const days = parser((text) => integer(text, { min: 1, max: 3660 }), 'a number of days such as 60')
export const serial = parser((text) => integer(text, { min: 1, max: 0xffff_ffff }), "a bulletin's serial")
export const pin = parser((text) => (/^\d{4,12}$/.test(text) ? text : undefined), '4 to 12 digits')
/** UNIX seconds of the end of a day. */
export const dayEnd = parser(
  (text) => (isDay(text) ? Math.floor(Date.parse(`${text}T23:59:59Z`) / 1000) : undefined),
  'a day such as 2031-12-31',
)
/** "en=Old town" pairs, or plain text for English. */
export const texts = (values: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    values.map((value) => {
      const match = /^([A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*)=(.*)$/s.exec(value)
      return match?.[1] === undefined ? ['en', value] : [match[1], match[2] ?? '']
    }),
  )
export const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
