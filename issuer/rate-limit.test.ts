import { expect, it } from 'vitest'
import { rateLimit } from './rate-limit.ts'

const limits = { failuresMax: 2, windowSeconds: 60, addressesMax: 2 }

it('refuses an address after its failures, and it alone, until the window has passed', () => {
  let now = 1000
  const limit = rateLimit(limits, () => now)
  limit.countFailure('a')
  expect(limit.allows('a')).toBe(true)
  limit.countFailure('a')
  expect(limit.allows('a')).toBe(false)
  expect(limit.allows('b')).toBe(true)
  now += 60
  expect(limit.allows('a')).toBe(true)
})

it('forgets the oldest address when there are too many', () => {
  const limit = rateLimit(limits, () => 0)
  for (const address of ['a', 'a', 'b', 'c']) limit.countFailure(address)
  expect(limit.allows('a')).toBe(true)
})
