import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { casesOf } from '../cases/test-cases.ts'
import { caseDetail, casesPage, casesSummary } from '../console-contract/cases.ts'
import { makeTrouble, type Trouble } from '../explain/test-trouble.ts'
import { type ConsoleClient, consoleApp, newUser, signedIn } from '../test-console.ts'
import { type Bench, openBench } from '../test-support.ts'

let bench: Bench
let trouble: Trouble
let admin: ConsoleClient
let finance: ConsoleClient
let operator: ConsoleClient
beforeAll(async () => {
  bench = await openBench()
  trouble = await makeTrouble(bench)
  await casesOf(bench)
  const app = consoleApp(bench.issuer)
  admin = await newUser(app, bench.issuer, 'admin')
  finance = await newUser(app, bench.issuer, 'finance')
  operator = await newUser(app, bench.issuer, 'operator')
})
afterAll(() => bench.close())

const list = async (query: string) => v.parse(casesPage, await (await admin.get(`/cases${query}`)).json())
const show = async (caseNo: number) => v.parse(caseDetail, await (await admin.get(`/cases/${caseNo}`)).json())
const ofCard = async (name: string, cause: string) => {
  const { rows } = await list(`?card=${trouble.cards.get(name)?.id}&cause=${cause}`)
  return rows[0] ?? expect.fail(`no case ${cause} of ${name}`)
}

test('pages through all that is open, each once, by what is due, and sums it up', async () => {
  const seen: number[] = []
  let after = ''
  for (let page = 0; page < 20; page += 1) {
    const { rows, next, total } = await list(`?sort=due&direction=ascending&limit=7${after}`)
    seen.push(...rows.map(({ caseNo }) => caseNo))
    expect(rows.map(({ dueAt }) => dueAt)).toEqual(rows.map(({ dueAt }) => dueAt).toSorted())
    if (next === undefined) {
      expect(total).toBe(seen.length)
      break
    }
    after = `&after=${next}`
  }
  expect(new Set(seen).size).toBe(seen.length)
  const told = v.parse(casesSummary, await (await admin.get('/cases-summary')).json())
  expect(told.count).toBe(seen.length)
  expect(told.causes.reduce((sum, { count }) => sum + count, 0)).toBe(seen.length)
  expect(told.atRiskMinor).toBe((await list('?limit=200')).rows.reduce((sum, row) => sum + row.atRiskMinor, 0))
})

test('finds a case by its number and by part of an id, and exports what is filtered', async () => {
  const { caseNo, cardId = '' } = await ofCard('one debit', 'hole')
  expect((await list(`?q=${caseNo}&view=all`)).rows.map((row) => row.caseNo)).toContain(caseNo)
  expect((await list(`?q=${cardId.slice(4)}&cause=hole`)).rows).toMatchObject([{ caseNo }])
  const file = await (await admin.get(`/cases?card=${cardId}&cause=hole&format=csv`)).text()
  expect(file.trim().split('\r\n')).toHaveLength(2)
  expect(file).toContain(cardId)
})

test('a missing counter: its neighbours with proofs and balances, its suspects, and what may be decided', async () => {
  const shown = await show((await ofCard('one debit', 'hole')).caseNo)
  expect(shown.evidence.line).toMatchObject([
    { counter: 1, known: true, subject: false, type: 'load', balanceAfterMinor: 5000, proof: 'right' },
    { counter: 2, known: false, subject: true },
    { counter: 3, known: true, type: 'payment', balanceBeforeMinor: 4750, proof: 'right' },
  ])
  expect(shown).toMatchObject({
    terminalId: trouble.hill.id,
    suspenseMinor: 250,
    kinds: ['payMerchant', 'creditCard', 'writeOff'],
    closable: false,
  })
  expect(shown.hole?.suspects[0]).toMatchObject({ terminalId: trouble.hill.id, evidence: 'lostLedger' })
})

test('an entry that was refused leads to its batch; a doubt is told', async () => {
  const refused = await show((await ofCard('wrong proof', 'exception')).caseNo)
  expect(refused.evidence.entries).toMatchObject([{ terminalId: trouble.station.id, reason: 'settlementMac' }])
  expect(refused.closable).toBe(true)
  const doubt = await show((await ofCard('doubt', 'hole')).caseNo)
  expect(doubt.evidence.doubts).toMatchObject([{ counter: 2, terminalId: trouble.station.id, says: ['inDoubt'] }])
})

describe('what is done with a case', () => {
  test('an operator assigns, notes and closes; money is for finance', async () => {
    const { caseNo } = await ofCard('wrong proof', 'exception')
    const post = (client: ConsoleClient, what: string, body: object) => client.post(`/cases/${caseNo}/${what}`, body)
    expect((await post(operator, 'assign', { owner: 'operator', dueDay: '2026-01-31' })).status).toBe(200)
    expect((await post(operator, 'note', { text: 'The merchant was asked.' })).status).toBe(200)
    expect(await show(caseNo)).toMatchObject({
      owner: 'operator',
      dueAt: '2026-01-31T23:59:59.000Z',
      notes: [{ author: 'operator', text: 'The merchant was asked.' }],
    })
    expect((await list('?owner=operator')).rows).toMatchObject([{ caseNo }])
    expect((await post(operator, 'decide', { kind: 'writeOff', reason: 'x' })).status).toBe(403)
    const viewer = await newUser(consoleApp(bench.issuer), bench.issuer, 'viewer')
    expect((await post(viewer, 'close', { text: 'x' })).status).toBe(403)
    const closed = await post(operator, 'close', { text: 'A broken reader.' })
    expect(await closed.json()).toEqual({ caseNo, state: 'closed' })
    expect(await show(caseNo)).toMatchObject({ state: 'closed', closedBy: 'operator', kinds: [], closable: false })
  })

  test('finance decides, and another one approves; a refusal is told in a sentence', async () => {
    await bench.issuer.store.write((db) =>
      db.insertInto('setting').values({ key: 'fourEyesMinor', value: '0' }).execute(),
    )
    const { caseNo } = await ofCard('wrong price', 'exception')
    const path = `/cases/${caseNo}`
    const decided = await finance.post(`${path}/decide`, { kind: 'payMerchant', reason: 'An old price tag.' })
    expect(await decided.json()).toEqual({ caseNo, state: 'proposed' })
    const own = await finance.post(`${path}/approve`)
    expect(own.ok).toBe(false)
    expect(await own.json()).toMatchObject({ error: 'fourEyes', sentence: expect.stringContaining('somebody else') })
    expect((await admin.post(`${path}/approve`)).status).toBe(200)
    expect(await show(caseNo)).toMatchObject({
      state: 'closed',
      decisions: [{ state: 'booked', merchant: 'Station', proposedBy: 'finance', approvedBy: 'admin' }],
    })
    expect((await admin.get('/cases/99999')).status).toBe(404)
  })
})

test('a terminal that is out of use is not missed any more', async () => {
  bench.clock.seconds += 40 * 3600
  const silent = async () =>
    (await casesOf(bench, 'notReported')).find((row) => row.terminalId === trouble.lake.id && row.state !== 'closed')
  expect(await silent()).toBeDefined()
  // Sessions do not last so long.
  const later = await signedIn(consoleApp(bench.issuer), { name: 'operator' })
  const answer = await later.post(`/terminals/${trouble.lake.id}/retired`, { retired: true })
  expect(await answer.json()).toEqual({ terminalId: trouble.lake.id, retired: true })
  expect(await silent()).toBeUndefined()
})
