import { describe, expect, it } from 'vitest'
import { capitalMmMin, capitalOfType, columnsOf, roomOf, sizesOf, targetMmMin } from './sizes.ts'

const cabinets = [
  { widthPx: 1080, heightPx: 1920, diagonalMm: 546 },
  { widthPx: 1920, heightPx: 1080, diagonalMm: 546 },
  { widthPx: 1024, heightPx: 600, diagonalMm: 257 },
  { widthPx: 1024, heightPx: 600, diagonalMm: 178 },
  { widthPx: 3840, heightPx: 2160, diagonalMm: 1397 },
]

describe('sizesOf', () => {
  it.each(cabinets)('is readable and can be hit on $widthPx x $heightPx, $diagonalMm mm', (cabinet) => {
    for (const largeType of [false, true]) {
      const sizes = sizesOf({ ...cabinet, largeType })
      expect((sizes.text * capitalOfType) / sizes.millimetre).toBeGreaterThanOrEqual(capitalMmMin)
      expect(sizes.target / sizes.millimetre).toBeGreaterThanOrEqual(targetMmMin)
      expect(sizes.title).toBeGreaterThan(sizes.text)
      expect(sizes.display).toBeGreaterThan(sizes.text)
    }
  })

  it('makes all type larger on request', () => {
    const cabinet = { widthPx: 1080, heightPx: 1920, diagonalMm: 546 }
    const normal = sizesOf({ ...cabinet, largeType: false })
    const large = sizesOf({ ...cabinet, largeType: true })
    expect(large.text / normal.text).toBeCloseTo(1.3)
    expect(large.title).toBeGreaterThan(normal.title)
    expect(large.display).toBeGreaterThan(normal.display)
  })

  it('refuses a screen without a size', () => {
    expect(() => sizesOf({ widthPx: 1, heightPx: 1, diagonalMm: 0, largeType: false })).toThrow(RangeError)
    expect(() => sizesOf({ widthPx: Number.NaN, heightPx: 1, diagonalMm: 1, largeType: false })).toThrow(RangeError)
  })
})

describe('columnsOf', () => {
  it('shows few things large and many side by side', () => {
    expect(columnsOf({ widthPx: 1080, heightPx: 1920, items: 3, text: 30 })).toBe(1)
    expect(columnsOf({ widthPx: 1080, heightPx: 1920, items: 30, text: 30 })).toBe(2)
    expect(columnsOf({ widthPx: 1920, heightPx: 1080, items: 3, text: 30 })).toBe(3)
    expect(columnsOf({ widthPx: 1920, heightPx: 1080, items: 2, text: 30 })).toBe(2)
    expect(columnsOf({ widthPx: 1920, heightPx: 1080, items: 1, text: 30 })).toBe(1)
    expect(columnsOf({ widthPx: 1920, heightPx: 1080, items: 30, text: 30 })).toBe(4)
  })

  it('never makes a column too narrow for a title', () => {
    expect(columnsOf({ widthPx: 1024, heightPx: 600, items: 30, text: 41 })).toBe(2)
    expect(columnsOf({ widthPx: 100, heightPx: 60, items: 30, text: 41 })).toBe(1)
  })
})

describe('roomOf', () => {
  it('knows when little fits', () => {
    expect(roomOf({ heightPx: 600, text: 41 })).toBe('tight')
    expect(roomOf({ heightPx: 600, text: 31 })).toBe('snug')
    expect(roomOf({ heightPx: 1920, text: 30 })).toBe('ample')
    // Large type in the lower half of an upright screen.
    expect(roomOf({ heightPx: 960, text: 38 })).toBe('snug')
  })
})
