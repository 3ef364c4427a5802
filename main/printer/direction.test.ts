import { expect, test } from 'vitest'
import { type Direction, visualRuns } from './direction.ts'

/** As it is seen from left to right, each right-to-left run spelled backwards. */
const seen = (text: string, base: Direction): string =>
  visualRuns(text, base)
    .map((run) => (run.direction === 'rtl' ? [...run.text].reverse().join('') : run.text))
    .join('')

/** Hebrew letters stand for any that run from right to left: they look alike in every editor. */
test.each<[string, Direction, string]>([
  ['car 12', 'ltr', 'car 12'],
  ['אבג', 'rtl', 'גבא'],
  ['אבג abc דה', 'rtl', 'הד abc גבא'],
  ['abc אבג דה xyz', 'ltr', 'abc הד גבא xyz'],
  ['abc אב 12 גד xyz', 'ltr', 'abc דג 12 בא xyz'],
  // Numbers, with what belongs to them.
  ['אבג 19% ד', 'rtl', 'ד 19% גבא'],
  ['אב 1,234.50 גד', 'rtl', 'דג 1,234.50 בא'],
  ['אב 12:30 גד', 'rtl', 'דג 12:30 בא'],
  // What Intl writes of money and of days: marks give the order, and are not seen.
  ['\u200f2.50 €', 'rtl', '€ 2.50'],
  ['21\u200f/09\u200f/2026', 'rtl', '2026/09/21'],
  // A number after a Latin word stays with it.
  ['אב Pier 3 גד', 'rtl', 'דג Pier 3 בא'],
  ['א (ב) ג', 'rtl', 'ג (ב) א'],
])('"%s" in a line that runs %s is seen as "%s"', (text, base, expected) => {
  expect(seen(text, base)).toBe(expected)
})
