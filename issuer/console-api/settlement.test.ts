import type { Hono } from 'hono'
import * as v from 'valibot'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { balancesSchema } from '../console-contract/ledger.ts'
import { statementSchema } from '../console-contract/statement.ts'
import type { AppEnvironment } from '../http-edge.ts'
import { type ConsoleClient, consoleApp, newUser, signedIn } from '../test-console.ts'
import { type Bench, newCard, newTerminal, openBench, publish } from '../test-support.ts'

const firstDay = '2025-11-13'
const iban = 'AT611904300234573201'

let bench: Bench
let app: Hono<AppEnvironment>
let finance: ConsoleClient
beforeEach(async () => {
  bench = await openBench()
  const { issuer } = bench
  const map = await publish(issuer, 'map', 250)
  const kiosk = await newTerminal(issuer, 'Town')
  const card = await newCard(issuer)
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 500)))
  await kiosk.sync(...Array.from({ length: 2 }, () => kiosk.entry(card.pay(kiosk, map))))
  await newTerminal(issuer, 'Station')
  bench.clock.seconds += 86_400
  app = consoleApp(issuer)
  finance = await newUser(app, issuer, 'finance')
})
afterEach(() => bench.close())

const answer = async (response: Response): Promise<unknown> => {
  const body: unknown = await response.json()
  if (!response.ok) throw new Error(JSON.stringify(body))
  return body
}

test('yesterday is previewed, closed, told and paid, and every sum leads to its transfers', async () => {
  const { get, post } = finance
  await answer(await post('/merchants/1/details', { iban, legalName: 'Town & Söhne', street: '' }))
  await answer(await post('/merchants/1/fee', { basisPoints: 1000, fixedMinor: 0, fromDay: firstDay }))
  await answer(await post('/merchants/1/cash', { amountMinor: 400, document: '4711' }))
  await answer(await post('/settlement/bank', { name: 'Alderwend Pay', iban, bic: '' }))
  expect(await answer(await get('/merchants/1'))).toMatchObject({
    ...{ payableMinor: 500, cashOwedMinor: 100, heldMinor: 0, hasBankAccount: true },
    party: { iban, legalName: 'Town & Söhne' },
    fees: [{ fromDay: firstDay, basisPoints: 1000 }],
  })
  await answer(await post('/merchants/1/details', { iban: '', street: 'Hauptplatz 1' }))
  const without = await answer(await get('/merchants/1'))
  expect(without).toMatchObject({ hasBankAccount: false, party: { legalName: 'Town & Söhne', street: 'Hauptplatz 1' } })
  await answer(await post('/merchants/1/details', { iban }))
  const poor = await answer(await get('/merchants?state=noBankAccount'))
  expect(poor).toMatchObject({ rows: [{ merchant: 'Station', hasBankAccount: false }], total: 1 })

  const today = await (await post('/settlement/close', { untilDay: '2025-11-14' })).json()
  expect(today).toMatchObject({ error: 'refused', sentence: expect.stringMatching('not over') })
  expect(await answer(await get('/settlement'))).toMatchObject({
    yesterday: firstDay,
    openMerchants: 2,
    payableMinor: 500,
  })
  const preview = v.parse(
    statementSchema,
    await answer(await get(`/settlement/preview?merchantNo=1&untilDay=${firstDay}`)),
  )
  // 4.00 of the 5.00 of cash were paid in a day later: they are not set off.
  expect(preview).toMatchObject({
    ...{ feeMinor: 50, payoutMinor: 350 },
    cash: { offsetMinor: 100, closingMinor: 400, paidInSinceMinor: 400 },
  })
  const closed = await answer(await post('/settlement/close', { untilDay: firstDay }))
  expect(closed).toMatchObject({ periods: [{ merchant: 'Town', payoutMinor: 350 }, { merchant: 'Station' }] })
  const again = await answer(await post('/settlement/close', { untilDay: firstDay, merchantNo: 1 }))
  expect(again).toMatchObject({ periods: [{ periodNo: 1, closedNow: false }] })

  const period = await answer(await get('/periods/1'))
  expect(period).toMatchObject({ period: { closedBy: 'finance' }, statement: { ...preview, periodNo: 1 } })
  const pdf = await get('/periods/1/pdf')
  expect(pdf.headers.get('content-type')).toBe('application/pdf')
  expect(Buffer.from(await pdf.arrayBuffer()).toString('latin1', 0, 5)).toBe('%PDF-')
  expect(await (await get('/periods/1/csv')).text()).toContain('account,Sales,2025-11-13,,,,,2,5.00,EUR\r\n')

  const { accounts, ...sums } = v.parse(balancesSchema, await answer(await get('/accounts')))
  expect(sums).toMatchObject({ payableMinor: 0, merchantCashMinor: 0, trialBalanceMinor: 0 })
  const fees = accounts.find(({ kind }) => kind === 'fees')
  expect(fees).toMatchObject({ balanceMinor: 50 })
  const made = await answer(await get(`/transfers?accountNo=${fees?.accountNo}`))
  expect(made).toMatchObject({ rows: [{ amountMinor: 50, cause: 'fee', document: 'period 1', periodNo: 1 }] })
  const his = await answer(await get(`/transfers?merchantNo=1&day=${firstDay}&cause=payment`))
  expect(his).toMatchObject({
    total: 2,
    rows: [{ counter: 3, to: { kind: 'payable', merchant: 'Town' } }, { counter: 2 }],
  })
  const journal = await (await get('/transfers?format=csv')).text()
  const [head, ...lines] = journal.trimEnd().split('\r\n')
  expect(head).toMatch(/from,from_merchant,to,to_merchant,amount_minor,.*,currency$/)
  expect(lines).toHaveLength(7)
  expect(lines.every((line) => line.endsWith(',EUR'))).toBe(true)
  const log = await bench.issuer.store.read((db) => db.selectFrom('audit_log').select('action').execute())
  expect(log.map((row) => row.action)).toEqual(expect.arrayContaining(['merchant.set', 'day.close', 'period.close']))
})

test('a payment file is made once and fetched as often as one likes', async () => {
  const { post } = finance
  await answer(await post('/merchants/1/details', { iban }))
  await answer(await post('/settlement/bank', { name: 'Alderwend Pay', iban }))
  await answer(await post('/merchants/1/cash', { amountMinor: 500, document: '4711' }))
  const early = await (await post('/payment-runs')).json()
  expect(early).toMatchObject({ error: 'refused', sentence: expect.stringMatching('Nothing is to be paid') })
  await answer(await post('/settlement/close', { untilDay: firstDay }))
  bench.clock.seconds += 86_400
  const later = await signedIn(app, { name: 'finance' })
  await answer(await later.post('/settlement/close', { untilDay: '2025-11-14' }))
  expect(await answer(await later.get('/periods?state=unpaid'))).toMatchObject({
    rows: [{ periodNo: 1, payoutMinor: 500 }],
  })
  const made = await answer(await later.post('/payment-runs'))
  expect(made).toMatchObject({ runNo: 1, count: 1, sumMinor: 500 })
  const file = await later.get('/payment-runs/1/file')
  expect(file.headers.get('content-disposition')).toContain('FARTHING-R000001-20251115.xml')
  const xml = await file.text()
  expect(xml).toContain('<EndToEndId>FARTHING-P000001-20251113</EndToEndId>')
  expect(await answer(await later.post('/payment-runs'))).toEqual(made)
  expect(await (await later.get('/payment-runs/1/file')).text()).toBe(xml)
  expect(await answer(await later.get('/payment-runs'))).toMatchObject({
    rows: [{ runNo: 1, count: 1, sumMinor: 500 }],
  })
  const viewer = await newUser(app, bench.issuer, 'viewer')
  expect((await viewer.get('/payment-runs/1/file')).status).toBe(403)
})
