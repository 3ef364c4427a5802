import { describe, expect, it } from 'vitest'
import { dayOf, dictionaries, dictionaryOf, momentOf, moneyOf, textOf } from './language.ts'

/** Every text of a dictionary by its path; functions are called with something to say. */
function textsOf(value: unknown, path = ''): readonly (readonly [string, string])[] {
  if (typeof value === 'string') return [[path, value]]
  if (typeof value === 'function') return [[path, String(value(2, 3))]]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, part]) => textsOf(part, `${path}.${key}`))
}

/** What the customer is to do or to know now: read in passing. */
const instructions = /\.(headline|start|working|twoCards|waiting|wrongCard|notCharged|question|what)$/

describe.each(Object.entries(dictionaries))('the dictionary %s', (language, words) => {
  const texts = textsOf(words)

  it('says everything that English says', () => {
    const paths = new Set(texts.map(([path]) => path))
    expect(paths).toEqual(new Set(textsOf(dictionaryOf('en')).map(([path]) => path)))
    for (const [path, text] of texts) expect(text.trim(), path).not.toBe('')
  })

  it('says what to do now in at most eight words', () => {
    const read = texts.filter(([path]) => instructions.test(path))
    expect(read.length).toBeGreaterThan(20)
    for (const [path, text] of read) expect(text.split(/\s+/).length, `${path}: ${text}`).toBeLessThanOrEqual(8)
  })

  it('gives every refusal its own words', () => {
    const said = Object.values(words.declined.refusal).map(({ what }) => what)
    expect(new Set(said).size).toBe(said.length)
  })

  it('is written by Intl in its own locale', () => {
    expect(Intl.getCanonicalLocales(words.locale)[0]?.split('-')[0]).toBe(language)
  })
})

describe('dictionaryOf', () => {
  it('takes the primary language of a regional tag, and English when there is none', () => {
    expect(dictionaryOf('de-AT')).toBe(dictionaryOf('de'))
    expect(dictionaryOf('tlh')).toBe(dictionaryOf('en'))
    expect(dictionaryOf('constructor')).toBe(dictionaryOf('en'))
  })
})

describe('textOf', () => {
  const texts = { de: 'Karte', en: 'Map' }
  it('takes the language, its primary one, the preferred ones, or any', () => {
    expect(textOf(texts, 'de')).toBe('Karte')
    expect(textOf(texts, 'de-CH')).toBe('Karte')
    expect(textOf(texts, 'fr', ['de'])).toBe('Karte')
    expect(textOf(texts, 'fr', ['nl'])).toBe('Karte')
    expect(textOf({ de: '', en: 'Map' }, 'de')).toBe('Map')
    expect(textOf({}, 'de')).toBe('')
  })
})

describe('moneyOf', () => {
  const euro = { locale: 'en-GB', currency: 'EUR', decimals: 2 }
  it.each([
    [0, '€0.00'],
    [1, '€0.01'],
    [250, '€2.50'],
    [999_999, '€9,999.99'],
    [-40, '-€0.40'],
    [Number.MAX_SAFE_INTEGER, '€90,071,992,547,409.91'],
  ])('writes %d minor units as %s', (amountMinor, written) => {
    expect(moneyOf(amountMinor, euro)).toBe(written)
  })

  it('writes as the locale and the currency do', () => {
    expect(moneyOf(250, { ...euro, locale: 'de-DE' })).toBe('2,50\u00a0€')
    expect(moneyOf(250, { locale: 'en-GB', currency: 'JPY', decimals: 0 })).toBe('JP¥250')
    expect(moneyOf(1_005, { locale: 'en-GB', currency: 'KWD', decimals: 3 })).toBe('KWD\u00a01.005')
  })

  it('refuses what is no amount', () => {
    expect(() => moneyOf(1.5, euro)).toThrow(RangeError)
    expect(() => moneyOf(Number.NaN, euro)).toThrow(RangeError)
  })
})

describe('times', () => {
  it('are written as people write them, and left out when they are none', () => {
    expect(dayOf('2027-05-23T12:00:00Z', 'en-GB')).toBe('23 May 2027')
    expect(dayOf('2027-05-23T12:00:00Z', 'de-DE')).toBe('23. Mai 2027')
    expect(momentOf('2027-05-23T12:00:00Z', 'en-GB')).toMatch(/^23 May/)
    expect(dayOf('soon', 'en-GB')).toBe('')
    expect(momentOf('', 'en-GB')).toBe('')
  })
})
