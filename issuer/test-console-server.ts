/**
 * For end-to-end tests, as a process of its own: an issuer without users, whose clock is moved by lines such as "960" on
 * standard input. Prints {url, code} when it is ready, and ends with its input.
 */
import { createInterface } from 'node:readline'
import { pino } from 'pino'
import { serve } from './server.ts'
import { makeSetupCode } from './setup-code.ts'
import { openBench } from './test-support.ts'

const bench = await openBench()
const server = await serve({ issuer: bench.issuer, port: 0, log: pino({ level: 'silent' }) })
console.log(JSON.stringify({ url: server.url, code: await makeSetupCode(bench.issuer) }))
for await (const line of createInterface({ input: process.stdin })) {
  bench.clock.seconds += Number(line)
  console.log(JSON.stringify({ seconds: bench.clock.seconds }))
}
await server.close()
await bench.close()
