import { describe, expect, test } from 'vitest'
import { textOf } from './language.ts'

describe('textOf', () => {
  const texts = { de: 'Karte', en: 'Map' }
  test('takes the language, its primary one, the preferred ones, or any, and says which', () => {
    expect(textOf(texts, 'de')).toEqual({ text: 'Karte', language: 'de' })
    expect(textOf(texts, 'de-CH')).toEqual({ text: 'Karte', language: 'de' })
    expect(textOf(texts, 'fr', ['de']).text).toBe('Karte')
    expect(textOf(texts, 'fr', ['nl']).text).toBe('Karte')
    expect(textOf({ de: '', en: 'Map' }, 'de')).toEqual({ text: 'Map', language: 'en' })
    expect(textOf({}, 'de')).toEqual({ text: '', language: 'de' })
    expect(textOf({ 'a-tag-that-is-none': 'Map' }, 'de').text).toBe('Map')
  })

  test('takes Chinese by what it says, by its script, and by the language, in this order', () => {
    const chinese = { en: 'Map', zh: '地图', 'zh-TW': '地圖', 'zh-Hant': '繁體' }
    expect(textOf(chinese, 'zh-Hant-TW').language).toBe('zh-Hant')
    expect(textOf({ en: 'Map', zh: '地图', 'zh-HK': '地圖' }, 'zh-Hant').language).toBe('zh-HK')
    expect(textOf({ en: 'Map', zh: '地图' }, 'zh-Hant').language).toBe('zh')
  })
})
