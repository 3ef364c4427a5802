import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CounterSet } from './counters.ts'

const naiveGaps = (known: ReadonlySet<number>): { first: number; last: number }[] => {
  const line = [0, ...[...known].sort((a, b) => a - b)]
  return line.flatMap((after, index) => {
    const next = line[index + 1]
    return next !== undefined && next - after > 1 ? [{ first: after + 1, last: next - 1 }] : []
  })
}

test('mark and gaps say what a naive set of unique counters says, whatever the order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (counters) => {
      const naive = new Set<number>()
      let exact = new CounterSet(0, [])
      for (const counter of counters) {
        expect(exact.has(counter)).toBe(naive.has(counter))
        expect(exact.add(counter)).toBe(!naive.has(counter))
        naive.add(counter)
        expect(exact.gaps).toEqual(naiveGaps(naive))
        expect(exact.mark).toBe(Math.max(...naive))
        // As after a restart.
        exact = new CounterSet(exact.mark, exact.gaps)
      }
      const known = [0, ...naive]
      for (let counter = 1; counter <= 42; counter += 1) {
        expect(exact.has(counter)).toBe(naive.has(counter))
        expect(exact.below(counter)).toBe(Math.max(...known.filter((each) => each < counter)))
        const above = known.filter((each) => each > counter)
        expect(exact.above(counter)).toBe(above.length === 0 ? undefined : Math.min(...above))
      }
    }),
    { numRuns: 500 },
  )
})
