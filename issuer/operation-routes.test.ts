import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { consoleRoutes } from './console-api/routes.ts'
import { IssuerError } from './errors.ts'
import { createApp } from './http-app.ts'
import type { Store } from './store.ts'
import { type Bench, newCard, newTerminal, openBench, publish } from './test-support.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

const metricsToken = 'a token of sixteen letters and more'
const app = (store?: Store) =>
  createApp(store === undefined ? bench.issuer : { ...bench.issuer, store }, {
    log: pino({ level: 'silent' }),
    metricsToken,
  })

describe('the metrics', () => {
  it('count requests by route as declared, batches, entries and exceptions', async () => {
    const { issuer } = bench
    const map = await publish(issuer, 'map', 250)
    const kiosk = await newTerminal(issuer, 'Town')
    await newTerminal(issuer, 'Town')
    const card = await newCard(issuer)
    await kiosk.load(card, 1000)
    await issuer.store.write((db) =>
      db
        .insertInto('case_file')
        .values({
          case_key: 'k',
          cause: 'late',
          state: 'open',
          due_at: 1,
          amount_minor: 1,
          suspense_minor: 0,
          holes_minor: 0,
          at_risk_minor: 250,
          day: '2025-11-13',
          json: '{}',
          evidence: '',
          opened_at: 1,
        })
        .execute(),
    )
    const asked = app()
    const body = kiosk.batch(kiosk.entry(card.pay(kiosk, map)))
    await asked.request('/v1/batches', { method: 'POST', body: Uint8Array.from(body) })
    await asked.request(`/v1/goods/${'0'.repeat(64)}`)
    await asked.request('/console/api/sessions/1234567/end', { method: 'POST' })
    await asked.request('/nothing/4000000000000000')
    const text = await (await asked.request('/metrics')).text()
    for (const line of [
      'farthing_http_request_seconds_count{route="/v1/batches",method="POST",status="200"} 1',
      'farthing_http_request_seconds_count{route="/v1/goods/:hash",method="GET",status="404"} 1',
      'farthing_http_request_seconds_count{route="/console/api/sessions/:sessionNo/end",method="POST",status="401"} 1',
      'farthing_http_request_seconds_count{route="none",method="GET",status="404"} 1',
      'farthing_ingest_seconds_count 1',
      'farthing_cases{state="open"} 1',
      'farthing_cases_at_risk_minor{state="open"} 250',
      'farthing_batches 1',
      'farthing_entries 1',
      'farthing_terminals{silent="1h"} 1',
      'farthing_terminals{silent="never"} 1',
    ])
      expect(text.split('\n')).toContain(line)
    expect(text).toMatch(/^farthing_process_resident_memory_bytes \d+/m)
    expect(text).not.toMatch(/4000000000000000|1234567/)
  })

  it('are for this machine, or whoever has the token', async () => {
    const ask = async (headers: Record<string, string>) => (await app().request('/metrics', { headers })).status
    expect(await ask({})).toBe(200)
    for (const header of ['x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'via'])
      expect(await ask({ [header]: '127.0.0.1' })).toBe(403)
    const elsewhere = { 'x-forwarded-for': '203.0.113.1' }
    expect(await ask({ ...elsewhere, authorization: 'Bearer wrong' })).toBe(403)
    expect(await ask({ ...elsewhere, authorization: `Bearer ${metricsToken}` })).toBe(200)
    const without = createApp(bench.issuer, { log: pino({ level: 'silent' }) })
    const answer = await without.request('/metrics', { headers: { ...elsewhere, authorization: 'Bearer undefined' } })
    expect(answer.status).toBe(403)
  })

  it('are not for a page elsewhere whose name was made to mean this machine', async () => {
    const ask = async (address: string) => (await app().request(address)).status
    for (const here of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080'])
      expect(await ask(`http://${here}/metrics`)).toBe(200)
    for (const name of ['rebound.example:8080', '127.0.0.1.rebound.example', 'localhost.example'])
      expect(await ask(`http://${name}/metrics`)).toBe(403)
  })

  it('are answered though the store is not', async () => {
    const broken: Store = { ...bench.issuer.store, read: async () => Promise.reject(new Error('gone')) }
    const answer = await app(broken).request('/metrics')
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('farthing_store_errors_total{code="metrics"} 1')
  })
})

test('while the store is away, everybody is told to come again', async () => {
  const fault = new IssuerError('storeMissing', 'The database postgres://db.internal does not answer: start it.')
  const away: Store = { ...bench.issuer.store, read: () => Promise.reject(fault), write: () => Promise.reject(fault) }
  for (const address of ['/v1/bulletin', '/health', '/console/api/session/start']) {
    const answer = await app(away).request(address)
    const { error } = (await answer.json()) as { error: string }
    expect([address, answer.status, error, answer.headers.get('retry-after')]).toEqual([
      address,
      503,
      'storeMissing',
      '10',
    ])
  }
})

describe('health', () => {
  it('is ready while the store answers in the newest form', async () => {
    const answer = await app().request('/health/ready')
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { status: 'ready', store: 'ok', migrations: 'ok', disk: 'ok' },
    ])
  })

  it('is not ready when the store fails', async () => {
    const failing: Store = { ...bench.issuer.store, read: async () => Promise.reject(new Error('gone')) }
    const answer = await app(failing).request('/health/ready')
    expect([answer.status, await answer.json()]).toMatchObject([503, { status: 'notReady', store: 'failed' }])
  })
})

type Tree = { readonly [name: string]: unknown }
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null

/** Every value in a document, with where it stands. */
const walk = function* (value: unknown, at = ''): Generator<readonly [string, Tree]> {
  if (!isTree(value)) return
  yield [at, value]
  for (const [name, member] of Object.entries(value)) yield* walk(member, `${at}/${name}`)
}

describe('the description', () => {
  const described = async (): Promise<Tree> => (await (await app().request('/openapi.json')).json()) as Tree
  const operations = async () =>
    Object.entries((await described()).paths as Tree).flatMap(([path, methods]) =>
      Object.entries(methods as Tree).map(([method, each]) => ({ path, method, ...(each as Operation) })),
    )
  interface Operation {
    readonly operationId: string
    readonly summary: string
    readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Tree }[]
    readonly requestBody?: Tree
    readonly responses: Tree
    readonly security: readonly Tree[]
  }

  it('has every route of the console, and no other', async () => {
    const there = (await operations()).map(({ method, path }) => `${method} ${path}`)
    const declared = consoleRoutes.map(
      ({ method, path }) => `${method.toLowerCase()} /console/api${path.replaceAll(/:(\w+)/g, '{$1}')}`,
    )
    expect(there.filter((each) => each.includes('/console/api')).toSorted()).toEqual(declared.toSorted())
  })

  it('names each operation once, its parameters as in its path, and what comes back', async () => {
    const all = await operations()
    expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length)
    for (const { path, method, parameters = [], requestBody, responses, summary, security } of all) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect(parameters.filter((each) => each.in === 'path').map(({ name }) => name)).toEqual(inPath)
      for (const { schema } of parameters) expect(isTree(schema)).toBe(true)
      expect(new Set(parameters.map((each) => `${each.in} ${each.name}`)).size).toBe(parameters.length)
      expect(requestBody !== undefined, path).toBe(method === 'post')
      expect(Object.keys(responses)).toContain('200')
      for (const response of Object.values(responses)) expect(typeof (response as Tree).description).toBe('string')
      expect(summary).not.toBe('')
      expect(Array.isArray(security)).toBe(true)
    }
  })

  it('is an OpenAPI 3.1 document whose references and security schemes are there', async () => {
    const whole = await described()
    expect(whole).toMatchObject({ openapi: '3.1.0', info: { title: expect.any(String), version: expect.any(String) } })
    const { schemas, securitySchemes } = whole.components as { schemas: Tree; securitySchemes: Tree }
    for (const [at, tree] of walk(whole)) {
      if (typeof tree.$ref === 'string') {
        expect(tree.$ref).toMatch(/^#\/components\/schemas\//)
        expect(Object.keys(schemas), at).toContain(tree.$ref.split('/').at(-1))
      }
    }
    for (const { security } of await operations())
      for (const name of security.flatMap((each) => Object.keys(each)))
        expect(Object.keys(securitySchemes)).toContain(name)
  })

  it('describes a shape as it is asked for', async () => {
    const role = (await operations()).find(({ path }) => path === '/console/api/users/{name}/role')
    expect(role?.requestBody).toMatchObject({
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['role'],
            properties: { role: { enum: ['viewer', 'operator', 'finance', 'admin'] } },
          },
        },
      },
    })
  })
})
