/** For JSON that leaves the issuer: times are ISO 8601 in UTC there, and UNIX seconds within. */

export const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString()
/** Such as "2026-11-25", in UTC. */
export const isoDay = (seconds: number): string => isoTime(seconds).slice(0, 10)

type IsoMember<Name, Value> = Name extends 'at' | `${string}At`
  ? Value extends number
    ? string
    : Value
  : WithIsoTimes<Value>

export type WithIsoTimes<Value> = Value extends readonly (infer Item)[]
  ? readonly WithIsoTimes<Item>[]
  : Value extends object
    ? { [Name in keyof Value]: IsoMember<Name, Value[Name]> }
    : Value

const convert = (value: unknown, name = ''): unknown => {
  if (typeof value === 'number') return /^at$|At$/.test(name) ? isoTime(value) : value
  if (Array.isArray(value)) return value.map((item) => convert(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([member, each]) => [member, convert(each, member)]))
}

/** Members that hold UNIX seconds (`at`, `...At`), at any depth, become text. */
export const withIsoTimes = <Value>(value: Value): WithIsoTimes<Value> => convert(value) as WithIsoTimes<Value>
