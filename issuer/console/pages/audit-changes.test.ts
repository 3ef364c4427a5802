import { expect, test } from 'vitest'
import { differences } from './audit-changes.ts'

const book = { currency: 'EUR', timeZone: 'Europe/Berlin' }

test('sums and moments are shown as money and times, and what differs within a minute is told', () => {
  const before = { limits: { perSaleMinor: 500 }, soldUntil: '2026-11-26T09:00:10.000Z', same: 1 }
  const after = { limits: { perSaleMinor: 750 }, soldUntil: '2026-11-26T09:00:50.000Z', same: 1 }
  const at = '26 Nov 2026, 10:00'
  expect(differences({ before, after }, book)).toEqual([
    { field: 'limits.perSaleMinor', before: '€5.00', after: '€7.50' },
    { field: 'soldUntil', before: at, after: at },
  ])
})

test('words that only look like a moment are shown as they are', () => {
  for (const reason of ['2026-13-45T99:99Z', '0000-00-00T0Z', '2026-11-26T:Z'])
    expect(differences({ after: { reason } }, book)).toEqual([{ field: 'reason', before: undefined, after: reason }])
})
