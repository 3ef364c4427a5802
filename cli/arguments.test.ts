/** What a person types is a value that can be used, or is refused with a sentence. */
import { InvalidArgumentError } from 'commander'
import { describe, expect, test } from 'vitest'
import { day, dayEnd } from './arguments.ts'

describe('a day', () => {
  test('of the calendar is taken', () => {
    expect(day('2024-02-29')).toBe('2024-02-29')
    expect(dayEnd('1970-01-01')).toBe(86_399)
  })
  test.each(['2026-02-30', '2025-02-29', '2026-99-99', '2026-11-63', '2026-00-01', '26-11-23', ''])(
    '%j is refused',
    (text) => {
      expect(() => day(text)).toThrow(InvalidArgumentError)
      expect(() => dayEnd(text)).toThrow(InvalidArgumentError)
    },
  )
})
