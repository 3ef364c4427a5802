import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accentOn, contrastOf, groundRatioMin, night, paper, textRatioMin } from './brand.ts'

const grounds = { paper, night }

describe('contrastOf', () => {
  it('is what WCAG says', () => {
    expect(contrastOf('#ffffff', '#000000')).toBeCloseTo(21)
    expect(contrastOf('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
    expect(contrastOf('#0000ff', '#ffffff')).toBeCloseTo(8.59, 2)
    expect(() => contrastOf('red', '#ffffff')).toThrow(RangeError)
  })
})

describe('accentOn', () => {
  it('takes the wished colour where it can be read', () => {
    expect(accentOn('paper', '#1f6f5c')).toMatchObject({ accent: '#1f6f5c', text: '#ffffff' })
    expect(accentOn('night', '#ffc72c')).toMatchObject({ accent: '#ffc72c', text: '#14201d' })
  })

  it('takes another tone where it cannot', () => {
    expect(accentOn('paper', '#ffff00').accent).not.toBe('#ffff00')
    expect(accentOn('night', '#10211d').accent).not.toBe('#10211d')
  })

  it('can be read and seen whatever colour is wished, pressed or not', () => {
    const channel = fc.integer({ min: 0, max: 255 }).map((part) => part.toString(16).padStart(2, '0'))
    fc.assert(
      fc.property(fc.tuple(channel, channel, channel), fc.constantFrom('paper', 'night'), (parts, ground) => {
        const { accent, deep, text } = accentOn(ground, `#${parts.join('')}`)
        expect(contrastOf(text, accent)).toBeGreaterThanOrEqual(textRatioMin)
        expect(contrastOf(text, deep)).toBeGreaterThanOrEqual(textRatioMin)
        expect(contrastOf(accent, grounds[ground])).toBeGreaterThanOrEqual(groundRatioMin[ground])
      }),
    )
  })
})
