/** Amounts between people and minor units. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { u32Max } from './bytes.ts'
import { currencyOf, formatAmount, lettersOf, moneyOf, parseAmount, taxWithin } from './currency.ts'
import { ProtocolError } from './errors.ts'
import { currencyCode } from './quantities.ts'

const letters = fc.constantFrom('EUR', 'JPY', 'KWD')

test('what is formatted is parsed to the same amount', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: u32Max }), letters, (minor, currency) => {
      expect(parseAmount(formatAmount(minor, currency), currency)).toBe(minor)
    }),
  )
})

test('any text is an amount or a named error, and never another amount', () => {
  const numeric = fc.stringMatching(/^[ +-]?[0-9]{0,12}[.,]?[0-9]{0,5} ?$/)
  fc.assert(
    fc.property(fc.oneof(fc.string(), numeric), letters, (text, currency) => {
      try {
        const minor = parseAmount(text, currency)
        const { decimals } = currencyOf(currency)
        expect(Number(text)).toBeCloseTo(minor / 10 ** decimals, decimals + 1)
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
        expect(error).toMatchObject({ code: 'range', field: 'amount' })
      }
    }),
  )
})

describe('an amount', () => {
  test.each([
    ['2.50', 'EUR', 250],
    ['2.5', 'EUR', 250],
    ['2', 'EUR', 200],
    ['0.01', 'EUR', 1],
    [' 7 ', 'EUR', 700],
    ['007', 'EUR', 700],
    ['42949672.95', 'EUR', u32Max],
    ['250', 'JPY', 250],
    ['0.125', 'KWD', 125],
  ])('%s %s is %d', (text, currency, minor) => {
    expect(parseAmount(text, currency)).toBe(minor)
  })

  test.each([
    ['2.505', 'EUR'],
    ['2.', 'EUR'],
    ['.50', 'EUR'],
    ['2,50', 'EUR'],
    ['-1', 'EUR'],
    ['+1', 'EUR'],
    ['1e3', 'EUR'],
    ['', 'EUR'],
    ['٢', 'EUR'],
    ['42949672.96', 'EUR'],
    ['99999999999', 'EUR'],
    ['2.0', 'JPY'],
  ])('%s %s is refused', (text, currency) => {
    expect(() => parseAmount(text, currency)).toThrow(ProtocolError)
  })

  test.each([
    [250, 'EUR', '2.50'],
    [-1, 'EUR', '-0.01'],
    [0, 'EUR', '0.00'],
    [5, 'JPY', '5'],
    [-1250, 'KWD', '-1.250'],
  ])('%d %s reads %s', (minor, currency, text) => {
    expect(formatAmount(minor, currency)).toBe(text)
  })
})

test('a currency that is not known is named, with those that are', () => {
  expect(() => currencyOf('XXX')).toThrow(/XXX is not one of EUR, USD/)
  expect(() => currencyOf('eur')).toThrow(ProtocolError)
  expect(lettersOf(currencyOf('AUD').code)).toBe('AUD')
  expect(lettersOf(currencyCode(8))).toBe('008')
})

describe('moneyOf', () => {
  const euro = { locale: 'en-GB', currency: 'EUR', decimals: 2 }
  test.each([
    [0, '€0.00'],
    [1, '€0.01'],
    [250, '€2.50'],
    [999_999, '€9,999.99'],
    [-40, '-€0.40'],
    [Number.MAX_SAFE_INTEGER, '€90,071,992,547,409.91'],
  ])('writes %d minor units as %s', (amountMinor, written) => {
    expect(moneyOf(amountMinor, euro)).toBe(written)
  })

  test('writes as the locale and the currency do', () => {
    expect(moneyOf(250, { ...euro, locale: 'de-DE' })).toBe('2,50\u00a0€')
    expect(moneyOf(999_999, { ...euro, locale: 'es-ES' })).toBe('9999,99\u00a0€')
    expect(moneyOf(999_999, { ...euro, locale: 'zh-Hant-TW' })).toBe('€9,999.99')
    expect(moneyOf(999_999, { ...euro, locale: 'ar-u-nu-latn' })).toBe('\u200f9,999.99\u00a0€')
    expect(moneyOf(250, { locale: 'en-GB', currency: 'JPY', decimals: 0 })).toBe('JP¥250')
    expect(moneyOf(1_005, { locale: 'en-GB', currency: 'KWD', decimals: 3 })).toBe('KWD\u00a01.005')
  })

  test('says on request that it came in', () => {
    expect(moneyOf(2_000, { ...euro, signed: true })).toBe('+€20.00')
    expect(moneyOf(-40, { ...euro, signed: true })).toBe('-€0.40')
  })

  test('refuses what is no amount', () => {
    expect(() => moneyOf(1.5, euro)).toThrow(RangeError)
    expect(() => moneyOf(Number.NaN, euro)).toThrow(RangeError)
  })
})

test.each([
  [250, 1900, 40], // 39.9...
  [119, 1900, 19],
  [100, 0, 0],
  [1, 1900, 0],
  [21, 500, 1],
  [3, 2000, 1], // exactly 0.5
  [9, 2000, 2], // exactly 1.5
  [4_294_967_295, 10_000, 2_147_483_648],
  [4_294_967_295, 1, 429_454],
])('of %i minor units at %i basis points, %i are tax', (price, rate, tax) => {
  expect(taxWithin(price, rate)).toBe(tax)
  // Once more in integers without end.
  const [p, r] = [BigInt(price), BigInt(rate)]
  expect(BigInt(tax)).toBe((2n * p * r + 10_000n + r) / (2n * (10_000n + r)))
})
