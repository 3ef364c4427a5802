import { describe, expect, it } from 'vitest'
import { motifOf, numbersOf, paletteOf, seedOf } from './cover.ts'

describe('covers', () => {
  it('are the same for the same item', () => {
    const [one, other] = [numbersOf(seedOf('walking-map')), numbersOf(seedOf('walking-map'))]
    for (let i = 0; i < 100; i += 1) expect(one()).toBe(other())
    expect(paletteOf('walking-map', 'streets')).toEqual(paletteOf('walking-map', 'streets'))
    expect(seedOf('a')).not.toBe(seedOf('b'))
  })

  it('tell the kinds of goods apart', () => {
    expect(motifOf({ kind: 'document', mediaType: 'application/pdf' })).toBe('streets')
    expect(motifOf({ kind: 'document', mediaType: 'text/markdown' })).toBe('page')
    expect(motifOf({ kind: 'media', mediaType: 'image/jpeg' })).toBe('hills')
    expect(motifOf({ kind: 'media', mediaType: 'audio/mpeg' })).toBe('sound')
    expect(motifOf({ kind: 'code', mediaType: 'text/plain' })).toBe('tiles')
    expect(motifOf({ kind: 'ticket', mediaType: 'text/plain' })).toBe('stub')
  })
})
