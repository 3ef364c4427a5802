import { expect, test } from 'vitest'
import type { Statement } from '../console-contract/statement.ts'
import { accountLines, percentOf } from '../console-contract/statement-lines.ts'
import { statementCsv } from './statement-csv.ts'
import { statementPdf } from './statement-pdf.ts'

const none = { count: 0, amountMinor: 0 }
const statement: Statement = {
  v: 1,
  periodNo: 12,
  reference: 'FARTHING-P000012-20261031',
  currency: 'EUR',
  timeZone: 'UTC',
  merchant: { name: '=cmd|"x"', legalName: '=HYPERLINK("http://x"),Żółć', iban: 'AT611904300234573201' },
  issuer: { name: 'Alderwend Pay' },
  fromDay: '2026-10-01',
  untilDay: '2026-10-31',
  closedAt: '2026-11-01T07:00:00.000Z',
  openingMinor: 100,
  sales: { count: 3, amountMinor: 900 },
  reversals: { count: 1, amountMinor: 300 },
  others: [{ cause: 'writeOff', amountMinor: -50 }],
  fees: [
    {
      fromDay: '2026-10-01',
      untilDay: '2026-10-31',
      basisPoints: 250,
      fixedMinor: 5,
      ...{ count: 2, baseMinor: 600, feeMinor: 25 },
    },
  ],
  feeMinor: 25,
  cash: { openingMinor: 0, loads: none, paidInMinor: 0, otherMinor: 0, offsetMinor: 0, closingMinor: 0 },
  held: {
    count: 1,
    amountMinor: 300,
    payments: [
      {
        reason: 'hole',
        terminalId: 'aa',
        terminalName: 'Pier 3',
        cardId: 'bb',
        counter: 2,
        amountMinor: 300,
        at: '2026-10-30T00:00:00.000Z',
      },
    ],
  },
  payoutMinor: 325,
  closingMinor: 300,
  dueMinor: 0,
  exceptions: {
    count: 1,
    amountMinor: 0,
    list: [{ terminalId: 'aa', reason: 'layout', at: '2026-10-30T00:00:00.000Z' }],
  },
  days: [
    {
      day: '2026-10-01',
      sales: { count: 3, amountMinor: 900 },
      reversals: { count: 1, amountMinor: 300 },
      loads: none,
    },
  ],
}

test("the account's lines add up to what is carried over", () => {
  const lines = accountLines(statement)
  const sum = lines.filter(({ isSum }) => !isSum).reduce((all, { amountMinor }) => all + amountMinor, 0)
  expect(sum).toBe(lines.at(-1)?.amountMinor)
})

test.each([
  [250, '2.5 %'],
  [200, '2 %'],
  [1000, '10 %'],
  [5, '0.05 %'],
  [10_000, '100 %'],
])('%i basis points are %s', (basisPoints, text) => {
  expect(percentOf(basisPoints)).toBe(text)
})

test('a table for a spreadsheet has as many cells in each line, and runs nothing', () => {
  const lines = statementCsv(statement).trimEnd().split('\r\n')
  expect(lines[1]).toBe('statement,"\'=HYPERLINK(""http://x""),Żółć, 2026-10-01 to 2026-10-31",2026-10-31,,,,,,,EUR')
  expect(lines).toContain('account,Carried over to the next statement,2026-10-31,,,,,,3.00,EUR')
  expect(lines).toContain('held,What follows on the card is missing,2026-10-30T00:00:00.000Z,aa,Pier 3,bb,2,,3.00,EUR')
})

test('a PDF is the same bytes each time, has its letters with it, and as many pages as it needs', async () => {
  const pdf = await statementPdf(statement)
  expect(Buffer.from(await statementPdf(statement)).equals(pdf)).toBe(true)
  const text = Buffer.from(pdf).toString('latin1')
  expect(text.startsWith('%PDF-1.7')).toBe(true)
  expect(text).toContain('FontFile2')
  const day = statement.days[0]
  if (day === undefined) throw new Error('no day')
  const long = await statementPdf({ ...statement, days: Array.from({ length: 90 }, () => day) })
  expect(
    Buffer.from(long)
      .toString('latin1')
      .match(/\/Type \/Page\b/g)?.length,
  ).toBe(4)
})
