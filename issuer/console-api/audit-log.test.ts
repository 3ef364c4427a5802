import * as v from 'valibot'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { noteChange } from '../audit-log.ts'
import { auditPageSchema } from '../console-contract/audit-log.ts'
import { type ConsoleClient, consoleApp, newUser } from '../test-console.ts'
import { type Bench, now, openBench } from '../test-support.ts'

let bench: Bench
let admin: ConsoleClient
beforeAll(async () => {
  bench = await openBench()
  await bench.issuer.store.write(async (db) => {
    for (const [at, action, subject] of [
      [now - 3 * 86_400, 'merchant.add', 'Town'],
      [now - 2 * 86_400, 'merchant.fee.set', 'Town'],
      [now - 86_400, 'merchantry', 'Port'],
    ] as const)
      await noteChange(db, { name: 'bob', at }, { action, subject, before: { rate: 1 }, after: { rate: 2, pin: 3 } })
  })
  admin = await newUser(consoleApp(bench.issuer), bench.issuer, 'admin')
})
afterAll(() => bench.close())

const list = async (query: string) => v.parse(auditPageSchema, await (await admin.get(`/audit-log${query}`)).json())
const numbers = async (query: string) => (await list(query)).rows.map(({ auditNo }) => auditNo)

it('shows the newest first, with before and after and without secrets', async () => {
  const { rows, total } = await list('')
  expect(rows.map(({ action }) => action)).toEqual([
    'session.begin',
    'user.add',
    'merchantry',
    'merchant.fee.set',
    'merchant.add',
  ])
  expect(total).toBe(5)
  expect(rows[3]).toMatchObject({ before: { rate: 1 }, after: { rate: 2, pin: '(not logged)' } })
})

it('pages, and filters by who, what, which and when', async () => {
  const first = await list('?limit=2')
  expect(await numbers(`?limit=2&after=${first.next}`)).toEqual([3, 2])
  expect(await numbers('?limit=200&direction=ascending')).toEqual([1, 2, 3, 4, 5])
  expect(await numbers('?name=bob')).toEqual([3, 2, 1])
  expect(await numbers('?action=merchant')).toEqual([2, 1])
  expect(await numbers('?action=merchant.add')).toEqual([1])
  expect(await numbers('?subject=Port')).toEqual([3])
  const day = new Date((now - 2 * 86_400) * 1000).toISOString().slice(0, 10)
  expect(await numbers(`?from=${day}&until=${day}`)).toEqual([2])
  expect((await admin.get('/audit-log?after=x')).status).toBe(400)
})

it('walks the chain on request', async () => {
  const chain = (await (await admin.get('/audit-log/chain')).json()) as { rows: number; hash: string }
  expect(chain).toMatchObject({ state: 'whole', rows: 5 })
  const cut = await admin.get(`/audit-log/chain?seen=${'0'.repeat(64)}`)
  expect(await cut.json()).toMatchObject({ state: 'cut' })
  const { rows } = await list('?limit=1')
  expect(rows[0]?.hash).toBe(chain.hash)
})

it('exports what is filtered', async () => {
  const file = await admin.get('/audit-log?name=bob&format=csv')
  const lines = (await file.text()).trimEnd().split('\r\n')
  expect(lines[0]).toBe('audit_no,at,name,action,subject,before,after,hash')
  expect(lines).toHaveLength(4)
})
