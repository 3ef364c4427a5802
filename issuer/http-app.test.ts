/** The routes without a socket: whatever bytes come, a refusal is the worst answer. */
import fc from 'fast-check'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApp } from './http-app.ts'
import { type Bench, newCard, newTerminal, openBench, publish } from './test-support.ts'

let bench: Bench
let documents: Readonly<Record<string, Uint8Array>>

beforeAll(async () => {
  bench = await openBench()
  const { issuer } = bench
  const map = await publish(issuer, 'map', 250)
  const kiosk = await newTerminal(issuer, 'Town')
  const card = await newCard(issuer)
  await kiosk.load(card, 1000)
  const payment = card.pay(kiosk, map)
  documents = {
    '/v1/batches': kiosk.batch(kiosk.entry(payment)),
    '/v1/loads': kiosk.loadRequest(card, kiosk.loadOrder(100)),
    '/v1/claims': kiosk.claim(payment),
    '/v1/enrolments': new TextEncoder().encode('{"code":"0000-0000-0000-0000"}'),
  }
})
afterAll(() => bench.close())

type Damage = (document: Uint8Array) => Uint8Array
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((bytes) => () => bytes),
  fc.nat().map((at) => (document: Uint8Array) => document.slice(0, at % document.length)),
  fc
    .uint8Array({ minLength: 1, maxLength: 50 })
    .map((tail) => (document: Uint8Array) => Uint8Array.of(...document, ...tail)),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => (document: Uint8Array) => {
    const damaged = Uint8Array.from(document)
    const place = at % document.length
    damaged[place] = (damaged[place] ?? 0) ^ flip
    return damaged
  }),
)

it('refuses damaged documents of every kind, and never fails over one', async () => {
  const logged: string[] = []
  const app = createApp(bench.issuer, { log: pino({}, { write: (line) => logged.push(line) }) })
  const paths = Object.keys(documents)
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), damage, async (path, damageIt) => {
      const body = Uint8Array.from(damageIt(documents[path] ?? new Uint8Array()))
      const answer = await app.request(path, { method: 'POST', body })
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.status).toBeLessThan(500)
      expect(await answer.json()).toEqual({ error: expect.any(String), sentence: expect.any(String) })
    }),
    { numRuns: 600 },
  )
  expect(logged).toEqual([])
})

it('takes each of these documents whole', async () => {
  const app = createApp(bench.issuer, { log: pino({ level: 'silent' }) })
  const answers = await Promise.all(
    ['/v1/batches', '/v1/loads'].map((path) =>
      app.request(path, { method: 'POST', body: Uint8Array.from(documents[path] ?? []) }),
    ),
  )
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
})
