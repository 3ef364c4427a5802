import { describe, expect, it } from 'vitest'
import { byteRangeOf } from './byte-range.ts'

describe('byteRangeOf', () => {
  it.each([
    [undefined, 'whole'],
    ['', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=5-2', 'whole'],
    ['bytes=0-1,4-5', 'whole'],
    ['lines=0-1', 'whole'],
    ['bytes=0-0', { first: 0, last: 0 }],
    ['bytes=2-4', { first: 2, last: 4 }],
    ['bytes=2-', { first: 2, last: 9 }],
    ['bytes=8-100', { first: 8, last: 9 }],
    ['bytes=-3', { first: 7, last: 9 }],
    ['bytes=-100', { first: 0, last: 9 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=10-', 'unsatisfiable'],
  ] as const)('reads %j of ten bytes', (header, range) => {
    expect(byteRangeOf(header, 10)).toEqual(range)
  })

  it('satisfies no range of an empty content', () => {
    expect(byteRangeOf('bytes=0-', 0)).toBe('unsatisfiable')
    expect(byteRangeOf('bytes=-5', 0)).toBe('unsatisfiable')
  })
})
