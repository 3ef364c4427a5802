/**
 * For end-to-end tests, as a process of its own: an issuer without users, and the planted month of a seed (its only argument).
 * Prints {url, code, facts, ...} on the evening of the last day. On standard input, a number lets so many seconds pass, and "late"
 * brings the batch that was left behind. Ends with its input.
 */
import { createInterface } from 'node:readline'
import { pino } from 'pino'
import { reconcileCases } from './cases/round.ts'
import { serve } from './server.ts'
import { makeSetupCode } from './setup-code.ts'
import { playMonth } from './test-month.ts'
import { openBench } from './test-support.ts'

const seed = Number(process.argv[2])
const bench = await openBench({ timeZone: 'Europe/Vienna' })
const { issuer, clock } = bench
clock.seconds = Date.parse('2026-09-30T22:00:00Z') / 1000
const server = await serve({ issuer, port: 0, log: pino({ level: 'silent' }) })
const { deliver, ...month } = await playMonth(bench, { url: server.url, seed })
await reconcileCases(issuer)
const say = (line: object) => console.log(JSON.stringify(line))
say({ url: server.url, code: await makeSetupCode(issuer), seconds: clock.seconds, ...month })
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'late') {
    await deliver()
    await reconcileCases(issuer)
  } else clock.seconds += Number(line)
  say({ seconds: clock.seconds })
}
await server.close()
await bench.close()
