import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { auditBooks } from '../audit.ts'
import { cardDetail, cardsPage, closureAnswer, historyPage, moneyBackAnswer } from '../console-contract/cards.ts'
import { addedLotAnswer, closuresPage, decisionsAnswer, fundingAnswer, lotsPage } from '../console-contract/funding.ts'
import { type ConsoleClient, consoleApp, newUser } from '../test-console.ts'
import {
  type Bench,
  newCard,
  newTerminal,
  openBench,
  publish,
  type TestCard,
  type TestTerminal,
} from '../test-support.ts'

let bench: Bench
let clients: Readonly<Record<'operator' | 'finance' | 'viewer' | 'admin', ConsoleClient>>
let kiosk: TestTerminal
let card: TestCard
let fresh: TestCard

beforeAll(async () => {
  bench = await openBench()
  const app = consoleApp(bench.issuer)
  clients = {
    operator: await newUser(app, bench.issuer, 'operator'),
    finance: await newUser(app, bench.issuer, 'finance'),
    viewer: await newUser(app, bench.issuer, 'viewer'),
    admin: await newUser(app, bench.issuer, 'admin'),
  }
  const map = await publish(bench.issuer, 'map', 250)
  kiosk = await newTerminal(bench.issuer, 'Town')
  card = await newCard(bench.issuer)
  fresh = await newCard(bench.issuer)
  const loaded = await kiosk.load(card, 5000)
  const paid = card.pay(kiosk, map)
  card.pay(kiosk, map)
  const last = card.pay(kiosk, map)
  await kiosk.sync(kiosk.entry(loaded), kiosk.entry(paid), kiosk.entry(paid, 'owed', 1), kiosk.entry(last))
})
afterAll(async () => {
  expect(await auditBooks(bench.issuer)).toEqual([])
  await bench.close()
})

const read = async <Schema extends v.GenericSchema>(schema: Schema, path: string): Promise<v.InferOutput<Schema>> => {
  const answer = await clients.viewer.get(path)
  expect([path, answer.status]).toEqual([path, 200])
  return v.parse(schema, await answer.json())
}

test('the list finds cards by how their id begins, by trouble and by state, and exports', async () => {
  const all = await read(cardsPage, '/cards')
  expect(all.rows.map(({ cardId }) => cardId)).toEqual([fresh.id, card.id])
  expect(all.rows[1]).toMatchObject({ status: 'active', balanceMinor: 4250, holes: 1, counter: 4 })
  const ids = async (query: string) => (await read(cardsPage, `/cards?${query}`)).rows.map(({ cardId }) => cardId)
  expect(await ids(`q=${card.id.slice(0, 15)}`)).toContain(card.id)
  expect(await ids(`q=${card.id}`)).toEqual([card.id])
  expect(await ids('q=ffff')).toEqual([])
  expect(await ids('trouble=holes')).toEqual([card.id])
  expect(await ids('trouble=alarms')).toEqual([])
  expect(await ids('status=hotlisted')).toEqual([])
  const file = await clients.viewer.get('/cards?format=csv')
  expect(file.headers.get('content-type')).toMatch('text/csv')
  expect(await file.text()).toContain(card.id)
})

test('a card shows its history down to the entry, a page at a time', async () => {
  const first = await read(historyPage, `/cards/${card.id}/history?limit=2`)
  expect(first.rows[0]).toMatchObject({ counter: 4, kind: 'payment', document: `batch ${kiosk.id}/1/1`, entry: 4 })
  expect(first.rows[1]).toMatchObject({ counter: 3, kind: 'hole', amountMinor: -250 })
  const second = await read(historyPage, `/cards/${card.id}/history?limit=2&after=${first.next}`)
  expect(second.rows[0]).toMatchObject({ counter: 2 })
  const from = await read(historyPage, `/cards/${card.id}/history?counter=2`)
  expect(from.rows[0]?.counter).toBe(2)
  expect((await clients.viewer.get('/cards/00000000000000ff')).status).toBe(404)
})

test('vouchers are made once, with their codes in the answer alone, and paid later', async () => {
  const made = await clients.finance.post('/vouchers', { amountMinor: 2000, count: 2, expires: '2030-01-01' })
  const { lotNo, csv } = v.parse(addedLotAnswer.options[0], await made.json())
  const [, code] = csv.split('\n')
  const load = await kiosk.load(fresh, 2000, code?.split(',')[0] ?? '')
  await kiosk.sync(kiosk.entry(load))
  expect(await read(fundingAnswer, '/funding')).toMatchObject({
    vouchers: { unpaidMinor: 2000, openUnpaidMinor: 2000 },
  })
  expect((await clients.finance.post(`/vouchers/${lotNo}/pay`, { paidReference: 'transfer 1' })).status).toBe(200)
  expect((await read(lotsPage, '/vouchers?paid=yes')).rows).toMatchObject([{ lotNo, usedCount: 1, openCount: 1 }])
  const again = await clients.finance.post(`/vouchers/${lotNo}/pay`, { paidReference: 'transfer 1' })
  expect(again.status).toBe(409)
  const never = { amountMinor: 2000, count: 1, expires: '2028-02-31' }
  const refused = await clients.finance.post('/vouchers', never)
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { sentence: expect.stringContaining('no such day') },
  ])
})

test('a lot on trust over the limit is made when another one of finance wants the same', async () => {
  const lot = { amountMinor: 2000, count: 3, expires: '2030-01-01' }
  const asked = v.parse(addedLotAnswer, await (await clients.finance.post('/vouchers', lot)).json())
  expect(asked).toMatchObject({ outcome: 'proposed', amountMinor: 6000, proposedBy: 'finance' })
  expect((await read(lotsPage, '/vouchers?paid=no')).rows).toEqual([])
  const waiting = await read(decisionsAnswer, '/money-decisions')
  const whose = async (client: ConsoleClient) =>
    v.parse(decisionsAnswer, await (await client.get('/money-decisions')).json()).decisions.map(({ own }) => own)
  expect([await whose(clients.finance), await whose(clients.admin)]).toEqual([[true], [false]])
  // His too, by the command.
  const callHim = (given_by: string) =>
    bench.issuer.store.write((db) =>
      db.updateTable('money_decision').set({ given_by }).where('state', '=', 'proposed').execute(),
    )
  await callHim('cli:Finance')
  expect(await whose(clients.finance)).toEqual([true])
  await callHim('finance')
  expect(waiting).toMatchObject({
    fourEyesMinor: 5000,
    decisions: [
      { proposedBy: 'finance', decision: { kind: 'vouchers', eachMinor: 2000, count: 3, amountMinor: 6000 } },
    ],
  })
  const made = v.parse(addedLotAnswer, await (await clients.admin.post('/vouchers', lot)).json())
  expect(made).toMatchObject({ outcome: 'done', csv: expect.stringContaining('20.00') })
  expect((await read(decisionsAnswer, '/money-decisions')).decisions).toEqual([])
  const again = v.parse(addedLotAnswer, await (await clients.finance.post('/vouchers', lot)).json())
  if (again.outcome !== 'proposed') throw new Error('one person made it alone')
  const path = `/money-decisions/${again.decisionNo}/refuse`
  expect((await clients.operator.post(path, { reason: 'no' })).status).toBe(403)
  expect((await clients.admin.post(path, { reason: 'enough' })).status).toBe(200)
  expect((await clients.admin.post(path, { reason: 'enough' })).status).toBe(409)
})

test('money back, block, replace: each by who may, with a reason, and noted', async () => {
  const at = `/cards/${card.id}`
  const question = await clients.viewer.get(`${at}/counters/2/money-back`)
  expect(await question.json()).toMatchObject({ amountMinor: 250, risk: '#3 is missing: it may be the reversal.' })
  expect((await clients.operator.post(`${at}/counters/2/money-back`, { reason: 'torn' })).status).toBe(403)
  expect((await clients.finance.post(`${at}/counters/2/money-back`, { reason: ' ', atRiskOf: 'issuer' })).status).toBe(
    400,
  )
  const given = await clients.finance.post(`${at}/counters/2/money-back`, { reason: 'torn', atRiskOf: 'issuer' })
  expect(v.parse(moneyBackAnswer, await given.json())).toMatchObject({ charged: 'issuer', amountMinor: 250 })
  expect((await clients.finance.post(`${at}/block`, { reason: 'stolen' })).status).toBe(403)
  expect((await clients.operator.post(`${at}/block`, { reason: 'stolen' })).status).toBe(200)
  expect(await read(cardDetail, at)).toMatchObject({
    status: 'hotlisted',
    blocked: { by: 'operator', reason: 'stolen' },
  })
  const asked = await clients.operator.post(`${at}/replace`, { replacement: fresh.id, reason: 'stolen' })
  expect(v.parse(closureAnswer, await asked.json())).toMatchObject({ outcome: 'waiting', remainingMinor: 4250 })
  expect((await read(closuresPage, '/closures')).rows).toMatchObject([{ cardId: card.id, due: false, kind: 'replace' }])
  const replaced = { replacement: fresh.id, reason: 'stolen', atIssuersRisk: true }
  const refused = await clients.operator.post(`${at}/replace`, replaced)
  expect([refused.status, await refused.json()]).toMatchObject([403, { error: 'notAllowed' }])
  expect((await clients.finance.post(`${at}/replace`, replaced)).status).toBe(403)
  const done = await clients.admin.post(`${at}/replace`, replaced)
  expect(v.parse(closureAnswer, await done.json())).toMatchObject({
    outcome: 'done',
    amountMinor: 4250,
    creditsMinor: 250,
  })
  expect((await read(cardsPage, '/cards?status=closed')).rows).toMatchObject([{ cardId: card.id, balanceMinor: 0 }])
  const log = await bench.issuer.store.read((db) => db.selectFrom('audit_log').select(['name', 'action']).execute())
  expect(log).toEqual(
    expect.arrayContaining([
      { name: 'finance', action: 'card.moneyBack' },
      { name: 'operator', action: 'card.block' },
      { name: 'operator', action: 'card.replace.request' },
      { name: 'admin', action: 'card.replace' },
      { name: 'finance', action: 'voucher.lot.add' },
    ]),
  )
})
