import { expect, test } from 'vitest'
import { pinRetryTime } from './pin-guard.ts'

test('wrong PINs in a row make a card wait longer each time, up to a day', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 500].map((count) => pinRetryTime({ count, lastTime: 1000 }) - 1000)
  expect(waits).toEqual([0, 0, 30, 120, 600, 3600, 86_400, 86_400, 86_400])
  expect(pinRetryTime({ count: 0, lastTime: 0 })).toBe(0)
})
