import { expect, test } from 'vitest'
import { businessDays } from '../business-days.ts'
import { businessDay, dayAfter, dayBegins } from './days.ts'

test.each([
  ['UTC', '2026-11-25'],
  ['Europe/Vienna', '2026-03-29'],
  ['Europe/Vienna', '2026-10-25'],
  ['Pacific/Kiritimati', '2026-01-01'],
  ['Pacific/Pago_Pago', '2026-01-01'],
  ['Asia/Kathmandu', '2026-06-30'],
  // Its clocks are put forward at midnight: the day begins at one.
  ['America/Santiago', '2026-09-06'],
])('in %s the day %s begins where the day before ends', (timeZone, day) => {
  const dayOf = businessDays(timeZone)
  const begins = dayBegins(day, timeZone)
  expect(dayOf(begins)).toBe(day)
  expect(dayOf(begins - 1)).toBe(dayAfter(day, -1))
})

test('a day in which clocks are put forward has 23 hours', () => {
  const { begins, ends } = businessDay('2026-03-29', 'Europe/Vienna')
  expect(ends - begins).toBe(23 * 3600)
})
