/** A JSON document counts in one form only (RFC 8785), so that its hash and its signature name one thing. */
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { canonicalBytes, parseCanonical } from './canonical-json.ts'
import { ProtocolError } from './errors.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const parse = (bytes: Uint8Array) => parseCanonical(v.unknown(), bytes, 'document')
const fieldOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.field}: ${error.code}`
    throw error
  }
  return 'nothing thrown'
}

test('the example of RFC 8785, 3.2.2', () => {
  const value = {
    numbers: JSON.parse('[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]'),
    string: '€$\u000f\nA\'B"\\\\"/',
    literals: [null, true, false],
  }
  expect(text(canonicalBytes(value))).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('keys are sorted by UTF-16 code units (RFC 8785, 3.2.3)', () => {
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6']
  const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']
  const bytes = canonicalBytes(Object.fromEntries(keys.map((key) => [key, 0])))
  expect(text(bytes)).toBe(`{${sorted.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`)
})

test('keys that look like numbers stand in the order of their signs, which is not the one that JavaScript gives them', () => {
  expect(parse(utf8('{"10":1,"9":{"10":2,"a":3}}'))).toEqual({ '10': 1, '9': { '10': 2, a: 3 } })
  expect(fieldOf(() => parse(utf8('{"9":1,"10":1}')))).toBe('document: json')
})

test('what is nested deeper than anybody can follow is refused like anything else', () => {
  expect(fieldOf(() => parse(utf8(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)))).toBeDefined()
})

test('what was written is read back as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const bytes = canonicalBytes(value)
      expect(canonicalBytes(parse(bytes))).toEqual(bytes)
      expect(parse(bytes)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

describe('another form of the same value is refused', () => {
  const forms: Record<string, Uint8Array> = {
    'white space': utf8('{"a": 1}'),
    'a newline at the end': utf8('{"a":1}\n'),
    'keys out of order': utf8('{"b":1,"a":2}'),
    'a key twice': utf8('{"a":1,"a":1}'),
    'a number with a fraction of zero': utf8('[1.0]'),
    'a number with an exponent': utf8('[1e2]'),
    'minus zero': utf8('[-0]'),
    'an escape that is not needed': utf8('["\\u0041"]'),
    'an escaped slash': utf8('["\\/"]'),
    'a byte order mark': Uint8Array.of(0xef, 0xbb, 0xbf, 0x5b, 0x5d),
    'bytes that are not UTF-8': Uint8Array.of(0x22, 0xff, 0x22),
    'half a surrogate pair': utf8('["\\ud800"]'),
    'no JSON': utf8('{'),
    'no bytes': new Uint8Array(0),
  }
  for (const [name, bytes] of Object.entries(forms))
    test(name, () => expect(fieldOf(() => parse(bytes))).toMatch(/: json$/))
})

test('what is no JSON is not encoded', () => {
  for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1])
    expect(fieldOf(() => canonicalBytes(value))).toBe('canonical JSON: json')
})

test('a document nested without end is refused like any other', () => {
  const depth = 200_000
  const bytes = utf8(`${'['.repeat(depth)}${']'.repeat(depth)}`)
  expect(fieldOf(() => parseCanonical(v.strictObject({}), bytes, 'document'))).toBe('document: json')
})

test('members that the reader would drop in silence are refused: a document has one encoding', () => {
  const schema = v.strictObject({ texts: v.record(v.string(), v.string()) })
  for (const json of [
    '{"constructor":1,"texts":{"en":"x"}}',
    '{"texts":{"constructor":"y","en":"x"}}',
    '{"__proto__":{},"texts":{"en":"x"}}',
  ])
    expect(() => parseCanonical(schema, new TextEncoder().encode(json), 'document')).toThrow(ProtocolError)
})
