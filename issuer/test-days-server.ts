/**
 * For end-to-end tests, as a process of its own: an issuer with some days of sales, and the operator "ines". Prints
 * {url, silent, selling} when it is ready; "sync" on standard input brings one more batch, "end" ends all sessions.
 */
import { createInterface } from 'node:readline'
import { pino } from 'pino'
import { serve } from './server.ts'
import { testPassword } from './test-console.ts'
import { makeDays } from './test-days.ts'
import { openBench } from './test-support.ts'
import { addUser } from './users.ts'

const bench = await openBench()
const { issuer, clock } = bench
clock.seconds = Math.floor(Date.now() / 1000)
const { terminals, silent } = await makeDays(bench, { kiosks: 4, days: 3, sales: 15, cards: 8 })
const by = { name: 'test' }
await addUser(issuer, { name: 'ines', role: 'operator', password: testPassword, mustChange: false }, by)
const server = await serve({ issuer, port: 0, log: pino({ level: 'silent' }) })
const say = (line: object) => console.log(JSON.stringify(line))
say({ url: server.url, silent: silent.id, selling: terminals[0]?.id, password: testPassword })
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'sync') await terminals[0]?.sync()
  if (line === 'end') await issuer.store.write((db) => db.deleteFrom('console_session').execute())
  say({ done: line })
}
await server.close()
await bench.close()
