import { afterAll, beforeAll, expect, test } from 'vitest'
import { farthing } from '../e2e/system.ts'
import { type Explanation, explain } from '../issuer/explain/explain.ts'
import { makeTrouble, type Trouble, troubleDay } from '../issuer/explain/test-trouble.ts'
import { report } from '../issuer/report.ts'
import { type Bench, openBench } from '../issuer/test-support.ts'
import { explanationText, terminalText } from './explain-text.ts'
import { reportText } from './issuer.ts'

let bench: Bench
let trouble: Trouble
let told: Explanation
let lines: readonly string[]
beforeAll(async () => {
  bench = await openBench()
  trouble = await makeTrouble(bench)
  told = await explain(bench.issuer, { day: troubleDay })
  lines = explanationText(told).split('\n')
})
afterAll(() => bench.close())

const cardOf = (name: string) => trouble.cards.get(name)?.id ?? expect.fail(`no card ${name}`)

test('the last line says that nothing is unexplained, or what is', () => {
  expect(lines.at(-1)).toBe('Unexplained: 0.00 EUR and no counter.')
  expect(
    explanationText({ ...told, unexplainedMinor: 7 })
      .split('\n')
      .at(-1),
  ).toMatch(/^UNEXPLAINED: 0\.07 EUR/)
  expect(
    explanationText({ ...told, unexplainedCount: 2 })
      .split('\n')
      .at(-1),
  ).toMatch(/^UNEXPLAINED: .* 2 counters/)
})

test('every open case stands there by card, counter, amount, terminal and account', () => {
  const { hill, station } = trouble
  expect(lines).toContain(
    `  card ${cardOf('one debit')} #2, 2.50, likely terminal ${hill.id} (Hill), +2.50 in suspense`,
  )
  expect(lines).toContain(
    `  card ${cardOf('long')} #2-4, 7.50, likely terminal ${station.id} (Station), +7.50 in holes`,
  )
  expect(lines).toContain(`  card ${cardOf('one credit')} #2, 7.00, likely terminal ${hill.id} (Hill), -7.00 in holes`)
  const shown = new Set(
    lines.flatMap((line) => /^ {2}card ([0-9a-f]{16}) (#[\d-]+)/.exec(line)?.slice(1).join(' ') ?? []),
  )
  for (const { cardId, counter, lastCounter } of told.open)
    if (cardId !== undefined && counter !== undefined)
      expect(shown).toContain(`${cardId} #${counter}${lastCounter === undefined ? '' : `-${lastCounter}`}`)
})

test('the sums of the sections are those of the accounts', () => {
  const sumOf = (account: string) =>
    lines
      .filter((line) => /^\S.*: \d+, /.test(line))
      .flatMap((line) => new RegExp(`([+-][\\d.]+) in ${account}`).exec(line)?.[1] ?? [])
      .reduce((sum, amount) => sum + Math.round(Number(amount) * 100), 0)
  expect(sumOf('suspense')).toBe(told.suspense.balanceMinor)
  expect(sumOf('holes')).toBe(told.holes.balanceMinor)
})

test('no hole is called unexplained, and nothing is wider than a screen', async () => {
  const page = reportText(await report(bench.issuer, { day: troubleDay }), 'EUR')
  for (const line of [...lines.slice(0, -3), ...page.split('\n')]) {
    expect(line).not.toMatch(/unexplained|undefined|NaN|null/)
    expect(line.length).toBeLessThanOrEqual(120)
  }
  expect(page).toMatch(/ earned\n[\s\S]* owed now {2}of it held/)
  expect(page).not.toContain('payable')
  expect(page).toContain(`card ${cardOf('long')}: #2 to #4 are missing, 7.50 left the card: in holes`)
  expect(page).toContain(
    `terminal ${trouble.hill.id}: brought by couriers alone are 1 sale for 2.50 by witnesses and 1 sale for 2.50 by claims`,
  )
  expect(page).toContain(`card ${cardOf('one debit')}: #2 is missing, a payment of 2.50: in suspense`)
})

test('a case that is closed says by what and when, as the clocks of the book show it', () => {
  const at = lines.findIndex((line) => line.includes(cardOf('late')))
  expect(lines[at]).toBe(
    `  card ${cardOf('late')} #2, 2.50, terminal ${trouble.station.id} (Station): missing counters`,
  )
  expect(lines[at + 1]).toMatch(
    /^ {6}seen 2025-11-13 \d\d:\d\d, closed 2025-11-14 \d\d:\d\d by batch [0-9a-f]{16}\/1\/\d+$/,
  )
})

test('the command says the same in one line of JSON', async () => {
  const store = bench.issuer.store.url
  const done = await farthing('issuer', 'explain', '--day', troubleDay, '--store', store)
  expect(done).toMatchObject({ status: 0, stderr: '' })
  expect(done.lines).toEqual([JSON.parse(JSON.stringify(told))])
  expect((await farthing('issuer', 'explain', '--day', 'today', '--store', store)).status).toBe(2)
})

test('a terminal is called by its name too, where it has one', () => {
  expect(terminalText({ terminalId: 'ab' })).toBe('ab')
  expect(terminalText({ terminalId: 'ab', terminalName: 'Pier 3' })).toBe('"Pier 3" ab')
})
