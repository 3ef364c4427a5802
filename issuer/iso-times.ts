/** For JSON that leaves the issuer: members that hold UNIX seconds (`at`, `...At`) become ISO 8601 in UTC. */

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
  if (typeof value === 'number') return /^at$|At$/.test(name) ? new Date(value * 1000).toISOString() : value
  if (Array.isArray(value)) return value.map((item) => convert(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([member, each]) => [member, convert(each, member)]))
}

export const withIsoTimes = <Value>(value: Value): WithIsoTimes<Value> => convert(value) as WithIsoTimes<Value>
