import { describe, expect, it } from 'vitest'
import type { CatalogueItem } from '../preload/contract.ts'
import { foldedOf, found, indexOf } from './search.ts'

const item = (id: string, title: CatalogueItem['title'], summary: CatalogueItem['summary'] = {}): CatalogueItem => ({
  ...{ id, title, summary, kind: 'document', priceMinor: 50, taxBasisPoints: 0, mediaType: 'text/plain', bytes: 1 },
  category: 'maps',
})
const shelf = [
  item('tram', { en: 'Tram map', de: 'Straßenbahnplan', 'zh-Hant': '電車路線圖' }),
  item('river', { en: 'The river path', es: 'El camino del río', ar: 'درب النهر' }, { en: 'Bakery halfway, no tram' }),
  item('guide', { en: 'Guide', es: 'El año del búho', ar: 'أدلة الأُسرة' }),
]
const index = indexOf(shelf, [{ id: 'maps', title: { en: 'Plans', de: 'Karten' } }])
const ids = (query: string) => found(index, query).map(({ id }) => id)

describe('foldedOf', () => {
  it('leaves accents, case, marks and signs out', () => {
    expect(foldedOf('Straße — ÄÖÜ ñ Ø')).toBe('strasse aou n o')
    expect(foldedOf('أدِلَّة  الأُسرة')).toBe('ادله الاسره')
    expect(foldedOf('Ｗｉ-Ｆｉ')).toBe('wi fi')
  })
})

describe('found', () => {
  it('finds by the titles of every language, and puts them before summaries', () => {
    expect(ids('tram')).toEqual(['tram', 'river'])
    expect(ids('strassen')).toEqual(['tram'])
    expect(ids('STRAẞE')).toEqual(['tram'])
    expect(ids('rio')).toEqual(['river'])
    expect(ids('ano')).toEqual(['guide'])
    expect(ids('اسره')).toEqual(['guide'])
    expect(ids('電車')).toEqual(['tram'])
    expect(ids('線圖')).toEqual(['tram'])
  })

  it('wants every word somewhere, in any order, and finds a whole shelf by its name', () => {
    expect(ids('path river')).toEqual(['river'])
    expect(ids('river nowhere')).toEqual([])
    expect(ids('karten')).toEqual(['tram', 'river', 'guide'])
  })

  it('shows everything while nothing is asked', () => {
    expect(ids('')).toEqual(['tram', 'river', 'guide'])
    expect(ids(' - ')).toHaveLength(3)
  })
})
