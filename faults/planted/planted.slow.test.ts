/** Defects that a ledger must not have are planted in a copy of the code, and are noticed. `node faults/planted/main.ts` plants them all. */
import { expect, test } from 'vitest'
import { defects } from './defects.ts'
import { placesOf, plant } from './plant.ts'

test.each(defects)('$name: still has its place in $file', (defect) => {
  expect(placesOf(defect)).toBe(1)
})

test.each(defects.filter(({ always }) => always))(
  '$name: noticed by $caughtBy',
  async (defect) => {
    const { caught, says } = await plant(defect)
    expect(caught, says).toBe(true)
  },
  180_000,
)
