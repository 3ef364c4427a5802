/**
 * Figures for Prometheus. What one process sees (requests, failures) is counted as it happens; what the books hold is
 * read from the store, seldom, and so is the same from every server.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { reportedAt } from './contact.ts'
import type { Issuer } from './issuer.ts'
import type { StoreReader } from './store.ts'

/** Scrapes within this time are answered from what was read before. */
const rereadMs = 15_000
const daySeconds = 86_400

const silences = [
  { within: 3600, label: '1h' },
  { within: daySeconds, label: '1d' },
  { within: 7 * daySeconds, label: '7d' },
  { within: Number.POSITIVE_INFINITY, label: 'over 7d' },
] as const

/** Of this process, whichever app is asked: memory, event loop, garbage collection. */
let ofProcess: Registry | undefined
const processRegistry = (): Registry => {
  if (ofProcess === undefined) {
    ofProcess = new Registry()
    collectDefaultMetrics({ register: ofProcess, prefix: 'farthing_' })
  }
  return ofProcess
}

interface StoreFigures {
  readonly batches: number
  readonly entries: number
  readonly exceptions: ReadonlyMap<string, number>
  readonly silent: ReadonlyMap<string, number>
  /** By state, those that are not closed. */
  readonly cases: readonly { readonly state: string; readonly count: number; readonly atRiskMinor: number }[]
}

const readFigures = async (db: StoreReader, now: number): Promise<StoreFigures> => {
  const total = await db
    .selectFrom('batch')
    .select((eb) => [eb.fn.countAll().as('batches'), eb.fn.sum('entry_count').as('entries')])
    .executeTakeFirst()
  const reasons = await db
    .selectFrom('entry_exception')
    .select((eb) => ['reason', eb.fn.countAll().as('count')])
    .groupBy('reason')
    .execute()
  const terminals = await db.selectFrom('terminal').select(reportedAt.as('last')).execute()
  const silent = new Map<string, number>([...silences.map(({ label }) => [label, 0] as const), ['never', 0]])
  for (const { last } of terminals) {
    const age = Number(last) === 0 ? undefined : now - Number(last)
    const label = age === undefined ? 'never' : (silences.find(({ within }) => age <= within)?.label ?? 'never')
    silent.set(label, (silent.get(label) ?? 0) + 1)
  }
  const cases = await db
    .selectFrom('case_file')
    .select((eb) => ['state', eb.fn.countAll().as('count'), eb.fn.sum('at_risk_minor').as('at_risk')])
    .where('state', '<>', 'closed')
    .groupBy('state')
    .execute()
  return {
    cases: cases.map(({ state, count, at_risk }) => ({ state, count: Number(count), atRiskMinor: Number(at_risk) })),
    batches: Number(total?.batches ?? 0),
    entries: Number(total?.entries ?? 0),
    exceptions: new Map(reasons.map(({ reason, count }) => [reason, Number(count)])),
    silent,
  }
}

export interface Metrics {
  /** @param took.route as declared, never an address with ids in it */
  noteRequest(took: {
    readonly method: string
    readonly route: string
    readonly status: number
    readonly seconds: number
  }): void
  noteStoreError(code: string): void
  /** All figures in the text format, and its media type. */
  scrape(): Promise<{ readonly text: string; readonly mediaType: string }>
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

export const createMetrics = (issuer: Issuer): Metrics => {
  const register = new Registry()
  const registers = [register]
  const requests = new Histogram({
    name: 'farthing_http_request_seconds',
    help: 'How long requests took, by route, method and status',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  })
  const ingest = new Histogram({
    name: 'farthing_ingest_seconds',
    help: 'How long it took to take a batch, from its first byte to its acknowledgement',
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  })
  const storeErrors = new Counter({
    name: 'farthing_store_errors_total',
    help: 'Requests that failed because of the store, by code',
    labelNames: ['code'],
    registers,
  })
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const batches = gauge('farthing_batches', 'Batches in the books')
  const entries = gauge('farthing_entries', 'Entries of all batches in the books')
  const exceptions = gauge('farthing_exceptions', 'Entries that were set aside, by reason', ['reason'])
  const silent = gauge('farthing_terminals', 'Terminals by how long ago they last reported', ['silent'])
  const cases = gauge('farthing_cases', 'Cases that are not closed, by state', ['state'])
  const atRisk = gauge('farthing_cases_at_risk_minor', 'What is at risk in cases that are not closed, by state', [
    'state',
  ])
  let readAt = Number.NEGATIVE_INFINITY

  const refresh = async (): Promise<void> => {
    if (performance.now() - readAt < rereadMs) return
    const figures = await issuer.store.read((db) => readFigures(db, issuer.clock()))
    readAt = performance.now()
    batches.set(figures.batches)
    entries.set(figures.entries)
    exceptions.reset()
    for (const [reason, count] of figures.exceptions) exceptions.set({ reason }, count)
    for (const each of [cases, atRisk]) each.reset()
    for (const { state, count, atRiskMinor } of figures.cases) {
      cases.set({ state }, count)
      atRisk.set({ state }, atRiskMinor)
    }
    for (const [label, count] of figures.silent) silent.set({ silent: label }, count)
  }

  return {
    noteRequest: ({ method, route, status, seconds }) => {
      requests.observe({ route, method: methods.has(method) ? method : 'other', status }, seconds)
      if (route === '/v1/batches' && status === 200) ingest.observe(seconds)
    },
    noteStoreError: (code) => storeErrors.inc({ code }),
    scrape: async () => {
      // What the process knows is worth having most when the store does not answer.
      await refresh().catch(() => storeErrors.inc({ code: 'metrics' }))
      const all = Registry.merge([register, processRegistry()])
      return { text: await all.metrics(), mediaType: all.contentType }
    },
  }
}
