/** A few seeds of the whole fleet; `npm run simulate -- --soak MINUTES` plays more. */
import { expect, test } from 'vitest'
import { run, shrink } from './run.ts'
import { planOf } from './workload.ts'

const scale = { days: 10, terminals: 3, cards: 10 }

test.each([11, 12])(
  'seed %i: ten days of every fault break no law',
  async (seed) => {
    const result = await run({ seed, ...scale })
    expect(result.violation).toBeUndefined()
    const { figures } = result
    // Faults did happen, and the auditor did look.
    for (const name of ['sales: captured', 'audit: books checked', 'payments at the end: with goods'])
      expect(figures[name]).toBeGreaterThan(10)
    expect(Object.keys(figures).filter((name) => name.startsWith('fault, ')).length).toBeGreaterThan(30)
  },
  120_000,
)

test('the same seed is the same run', async () => {
  const small = { seed: 7, days: 2, terminals: 2, cards: 4 }
  const [one, other] = [await run(small), await run(small)]
  expect(one.figures).toEqual(other.figures)
}, 60_000)

test('a violation shrinks to the events that it takes', async () => {
  const small = { seed: 9, days: 2, terminals: 1, cards: 2 }
  const noClock = { at: 0, mishaps: {}, kind: 'clock', terminal: 0, offSeconds: Number.NaN } as const
  const played = [noClock, ...planOf(small)]
  const failed = await run(small, played)
  expect(failed.violation?.invariant).toBe('crash')
  const shortest = await shrink(failed, 60_000, played)
  expect(shortest.length).toBeLessThanOrEqual(2)
}, 120_000)
