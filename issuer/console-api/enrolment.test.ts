import { afterAll, beforeAll, expect, it } from 'vitest'
import { addMerchant, addTerminal } from '../parties.ts'
import { consoleApp, newUser } from '../test-console.ts'
import { type Bench, openBench } from '../test-support.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

it('gives an operator a code that enrols once, within 15 minutes, and logs who asked but not the code', async () => {
  const app = consoleApp(bench.issuer)
  await addMerchant(bench.issuer, 'Town')
  const { terminalId } = await addTerminal(bench.issuer, { merchant: 'Town' })
  const operator = await newUser(app, bench.issuer, 'operator')
  const ask = async () =>
    (await (await operator.post(`/terminals/${terminalId}/enrolment-code`)).json()) as { code: string }
  const enrol = async (code: string) =>
    (await app.request('/v1/enrolments', { method: 'POST', body: JSON.stringify({ code }) })).status
  const [first, second] = [await ask(), await ask()]
  expect(await enrol(first.code)).toBe(403)
  expect(await enrol(second.code)).toBe(200)
  expect(await enrol(second.code)).toBe(403)
  const third = await ask()
  bench.clock.seconds += 15 * 60 + 1
  expect(await enrol(third.code)).toBe(403)
  const log = await bench.issuer.store.read((db) =>
    db.selectFrom('audit_log').selectAll().where('subject', '=', terminalId).execute(),
  )
  expect(log.map(({ name, action }) => `${name} ${action}`)).toEqual(
    Array(3).fill('operator terminal.enrolmentCode.make'),
  )
  for (const { code } of [first, second, third]) expect(JSON.stringify(log)).not.toContain(code)
})

it('says that there is no such terminal', async () => {
  const admin = await newUser(consoleApp(bench.issuer), bench.issuer, 'admin')
  expect((await admin.post('/terminals/0000000000000000/enrolment-code')).status).toBe(404)
  expect((await admin.post('/terminals/0/enrolment-code')).status).toBe(400)
})
