import { describe, expect, it } from 'vitest'
import { directionOf } from './bidi.ts'
import { countedBy } from './counts.ts'
import { dayOf, dictionaries, dictionaryOf, instantOf, momentOf, percentOf, soonOf } from './language.ts'

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

describe('directionOf', () => {
  it('is the way the script of the language is written', () => {
    for (const tag of ['ar', 'ar-EG', 'he', 'fa', 'ur', 'az-Arab']) expect(directionOf(tag), tag).toBe('rtl')
    for (const tag of ['en', 'zh-Hant', 'az', 'no tag']) expect(directionOf(tag), tag).toBe('ltr')
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
    expect(instantOf(new Date(2027, 4, 23, 9, 4, 9).toISOString(), 'en-GB')).toMatch(/^23 May.* 09:04:09$/)
    expect(instantOf('', 'en-GB')).toBe('')
    const nowMs = new Date(2027, 4, 23, 9).getTime()
    const at = (day: number) => new Date(2027, 4, day, 22, 5).toISOString()
    expect(soonOf(at(23), { locale: 'en-GB', nowMs })).toBe('22:05')
    expect(soonOf(at(24), { locale: 'en-GB', nowMs })).toMatch(/^24 May.* 22:05$/)
    expect(dayOf('soon', 'en-GB')).toBe('')
    expect(momentOf('', 'en-GB')).toBe('')
  })
})
