import { describe, expect, it } from 'vitest'
import { directionOf } from './bidi.ts'
import { countedBy } from './counts.ts'
import { dayOf, dictionaries, dictionaryOf, momentOf, moneyOf, percentOf, soonOf, textOf } from './language.ts'

/** Every text of a dictionary by its path; functions are called with something to say. */
function textsOf(value: unknown, path = ''): readonly (readonly [string, string])[] {
  if (typeof value === 'string') return [[path, value]]
  if (typeof value === 'function') return [[path, String(value(2, 3))]]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, part]) => textsOf(part, `${path}.${key}`))
}

/** What the customer is to do or to know now: read in passing. */
const instructions = /\.(headline|start|working|twoCards|waiting|wrongCard|notCharged|question|what)$/
const wordsMax = 8
/** Chinese is written without spaces: two of its characters are about one word. */
const charactersMax = 14

/** What may be the same in English: a word that both languages have, a letter that both know, and a bare number. */
const alikeInEnglish: Readonly<Record<string, readonly string[]>> = {
  de: ['.kind.code.name', '.bar.typeSign', '.operator.times'],
  es: ['.bar.typeSign', '.operator.times'],
  'zh-Hant': ['.bar.typeSign'],
}
/** Latin letters within other scripts: the card's name, and what a QR code is called everywhere. */
const latinNames = /Farthing|QR/g

describe.each(Object.entries(dictionaries))('the dictionary %s', (language, words) => {
  const texts = textsOf(words)

  it('says everything that English says', () => {
    const paths = new Set(texts.map(([path]) => path))
    expect(paths).toEqual(new Set(textsOf(dictionaryOf('en')).map(([path]) => path)))
    for (const [path, text] of texts) expect(text.trim(), path).not.toBe('')
  })

  it('has nothing left in English', () => {
    if (language === 'en') return
    const english = new Map(textsOf(dictionaryOf('en')))
    const alike = texts.filter(([path, text]) => english.get(path) === text).map(([path]) => path)
    expect(alike.toSorted()).toEqual((alikeInEnglish[language] ?? []).toSorted())
  })

  it('says what to do now in at most eight words', () => {
    const read = texts.filter(([path]) => instructions.test(path))
    expect(read.length).toBeGreaterThan(20)
    for (const [path, text] of read) {
      if (language === 'zh-Hant') expect([...text].length, `${path}: ${text}`).toBeLessThanOrEqual(charactersMax)
      else expect(text.split(/\s+/).length, `${path}: ${text}`).toBeLessThanOrEqual(wordsMax)
    }
  })

  it('gives every refusal its own words', () => {
    const said = Object.values(words.declined.refusal).map(({ what }) => what)
    expect(new Set(said).size).toBe(said.length)
  })

  it('is written by Intl in its own locale', () => {
    expect(dictionaryOf(words.locale)).toBe(words)
    expect(Intl.NumberFormat.supportedLocalesOf(words.locale)).toHaveLength(1)
  })
})

describe.each([
  ['ar', /\p{Script=Arabic}/u],
  ['zh-Hant', /\p{Script=Han}/u],
] as const)('the dictionary %s', (language, script) => {
  it('is written in its own script throughout', () => {
    for (const [path, text] of textsOf(dictionaryOf(language))) {
      if (['.locale', '.bar.typeSign'].includes(path)) continue
      expect(text, path).toMatch(script)
      expect(text.replace(latinNames, ''), path).not.toMatch(/\p{Script=Latin}/u)
    }
  })
})

describe('counts', () => {
  it('take the form that the language has for each', () => {
    const { left } = dictionaryOf('ar').idle
    expect([1, 2, 3, 11, 100].map(left)).toEqual([
      'العودة إلى البداية بعد ثانية واحدة',
      'العودة إلى البداية بعد ثانيتين',
      'العودة إلى البداية بعد 3 ثوانٍ',
      'العودة إلى البداية بعد 11 ثانية',
      'العودة إلى البداية بعد 100 ثانية',
    ])
    expect([1, 2].map(dictionaryOf('es').catalogue.left)).toEqual(['Queda 1', 'Quedan 2'])
    expect(countedBy('de-DE')(1_000, { other: (n) => n })).toBe('1.000')
  })
})

describe('dictionaryOf', () => {
  it('takes the nearest dictionary of the language, and English when there is none', () => {
    expect(dictionaryOf('de-AT')).toBe(dictionaryOf('de'))
    for (const tag of ['zh-Hant-TW', 'zh-TW', 'zh-HK', 'zh']) expect(dictionaryOf(tag).autonym, tag).toBe('繁體中文')
    for (const tag of ['tlh', 'constructor', '', 'not a tag']) expect(dictionaryOf(tag), tag).toBe(dictionaryOf('en'))
  })
})

describe('textOf', () => {
  const texts = { de: 'Karte', en: 'Map' }
  it('takes the language, its primary one, the preferred ones, or any, and says which', () => {
    expect(textOf(texts, 'de')).toEqual({ text: 'Karte', language: 'de' })
    expect(textOf(texts, 'de-CH')).toEqual({ text: 'Karte', language: 'de' })
    expect(textOf(texts, 'fr', ['de']).text).toBe('Karte')
    expect(textOf(texts, 'fr', ['nl']).text).toBe('Karte')
    expect(textOf({ de: '', en: 'Map' }, 'de')).toEqual({ text: 'Map', language: 'en' })
    expect(textOf({}, 'de')).toEqual({ text: '', language: 'de' })
    expect(textOf({ 'a-tag-that-is-none': 'Map' }, 'de').text).toBe('Map')
  })

  it('takes Chinese by what it says, by its script, and by the language, in this order', () => {
    const chinese = { en: 'Map', zh: '地图', 'zh-TW': '地圖', 'zh-Hant': '繁體' }
    expect(textOf(chinese, 'zh-Hant-TW').language).toBe('zh-Hant')
    expect(textOf({ en: 'Map', zh: '地图', 'zh-HK': '地圖' }, 'zh-Hant').language).toBe('zh-HK')
    expect(textOf({ en: 'Map', zh: '地图' }, 'zh-Hant').language).toBe('zh')
  })
})

describe('directionOf', () => {
  it('is the way the script of the language is written', () => {
    for (const tag of ['ar', 'ar-EG', 'he', 'fa', 'ur', 'az-Arab']) expect(directionOf(tag), tag).toBe('rtl')
    for (const tag of ['en', 'zh-Hant', 'az', 'no tag']) expect(directionOf(tag), tag).toBe('ltr')
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
    expect(moneyOf(999_999, { ...euro, locale: dictionaryOf('es').locale })).toBe('9999,99\u00a0€')
    expect(moneyOf(999_999, { ...euro, locale: dictionaryOf('zh-Hant').locale })).toBe('€9,999.99')
    expect(moneyOf(999_999, { ...euro, locale: dictionaryOf('ar').locale })).toBe('\u200f9,999.99\u00a0€')
    expect(moneyOf(250, { locale: 'en-GB', currency: 'JPY', decimals: 0 })).toBe('JP¥250')
    expect(moneyOf(1_005, { locale: 'en-GB', currency: 'KWD', decimals: 3 })).toBe('KWD\u00a01.005')
  })

  it('says on request that it came in', () => {
    expect(moneyOf(2_000, { ...euro, signed: true })).toBe('+€20.00')
    expect(moneyOf(-40, { ...euro, signed: true })).toBe('-€0.40')
  })

  it('refuses what is no amount', () => {
    expect(() => moneyOf(1.5, euro)).toThrow(RangeError)
    expect(() => moneyOf(Number.NaN, euro)).toThrow(RangeError)
  })
})

describe('percentOf', () => {
  it('writes a rate as the locale does', () => {
    expect(percentOf(1_900, 'en-GB')).toBe('19%')
    expect(percentOf(750, 'de-DE')).toBe('7,5\u00a0%')
    expect(percentOf(5, 'en-GB')).toBe('0.05%')
  })
})

describe('times', () => {
  it('are written as people write them, and left out when they are none', () => {
    expect(dayOf('2027-05-23T12:00:00Z', 'en-GB')).toBe('23 May 2027')
    expect(dayOf('2027-05-23T12:00:00Z', 'de-DE')).toBe('23. Mai 2027')
    expect(dayOf('2027-05-23T12:00:00Z', dictionaryOf('es').locale)).toBe('23 de mayo de 2027')
    expect(dayOf('2027-05-23T12:00:00Z', dictionaryOf('ar').locale)).toBe('23 مايو 2027')
    expect(dayOf('2027-05-23T12:00:00Z', dictionaryOf('zh-Hant').locale)).toBe('2027年5月23日')
    expect(momentOf('2027-05-23T12:00:00Z', 'en-GB')).toMatch(/^23 May/)
    const nowMs = new Date(2027, 4, 23, 9).getTime()
    const at = (day: number) => new Date(2027, 4, day, 22, 5).toISOString()
    expect(soonOf(at(23), { locale: 'en-GB', nowMs })).toBe('22:05')
    expect(soonOf(at(24), { locale: 'en-GB', nowMs })).toMatch(/^24 May.* 22:05$/)
    expect(dayOf('soon', 'en-GB')).toBe('')
    expect(momentOf('', 'en-GB')).toBe('')
  })
})
