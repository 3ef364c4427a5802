import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { showCase } from '../issuer/cases/case-view.ts'
import { casesOf } from '../issuer/cases/test-cases.ts'
import { type Bench, newCard, newTerminal, openBench, publish, type TestTerminal } from '../issuer/test-support.ts'
import { casesText, caseText } from './cases.ts'

const run = promisify(execFile)
let bench: Bench
let town: TestTerminal
beforeEach(async () => {
  bench = await openBench()
  const map = await publish(bench.issuer, 'map', 250)
  town = await newTerminal(bench.issuer, 'Town')
  const card = await newCard(bench.issuer)
  await town.sync(town.entry(await town.load(card, 20_000)), town.entry(card.pay(town, map, 7000)))
})
afterEach(() => bench.close())

const cases = async (...words: readonly string[]) => {
  const command = ['cli/farthing.mjs', 'issuer', 'cases', ...words, '--store', bench.issuer.store.url]
  return JSON.parse((await run(process.execPath, command)).stdout)
}

test('lists, shows and decides; whoever proposed what is over the limit does not approve it', async () => {
  const listed = await cases('list')
  const found = listed.cases.find(({ cause }: { cause: string }) => cause === 'exception')
  expect(found).toMatchObject({ state: 'open', reason: 'itemOrPrice', suspenseMinor: 7000, merchant: 'Town' })
  const decided = await cases('decide', String(found.caseNo), '--pay', '--reason', 'Old price tag.')
  expect(decided).toMatchObject({ state: 'proposed', decisions: [{ kind: 'payMerchant', merchant: 'Town' }] })
  expect(decided.decisions[0].proposedBy).toMatch(/^cli:./)
  await expect(cases('approve', String(found.caseNo))).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('somebody else approves it'),
  })
}, 30_000)

test('says on a page what a case is about, what to do, and what became of it', async () => {
  const { issuer } = bench
  const rows = await casesOf(bench, 'exception')
  expect(casesText({ cases: rows, total: 1, atRiskMinor: 7000 }, 'EUR')).toContain('70.00')
  const caseNo = rows[0]?.caseNo ?? expect.fail('no case')
  const text = caseText(await issuer.store.read((db) => showCase(db, caseNo, issuer.clock())), issuer.book)
  expect(text).toContain(`Case ${caseNo}: Exception, open`)
  expect(text).toContain('Waits: 70.00 EUR in suspense')
  expect(text).toContain("What to do: Look at the terminal's catalogue.")
  expect(text).toContain(`opened batch ${town.id}/1/1`)
})
