/** What the pages Overview, Terminals, Batches and Search read, over some days of sales with troubles. */
import type { Hono } from 'hono'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reconcileCases } from '../cases/round.ts'
import { addItem } from '../catalogue.ts'
import { batchDetail, batchesPage, entriesPage, entryDetail, entryExceptionsPage } from '../console-contract/batches.ts'
import {
  articlesOverview,
  attentionOverview,
  booksOverview,
  salesOverview,
  unreportedOverview,
} from '../console-contract/overview.ts'
import { searchResult } from '../console-contract/search.ts'
import { addedTerminal, terminalDetail, terminalNames, terminalsPage } from '../console-contract/terminals.ts'
import { unreportedWords } from '../console-contract/unreported-words.ts'
import type { AppEnvironment } from '../http-edge.ts'
import { report } from '../report.ts'
import { type ConsoleClient, consoleApp, newUser } from '../test-console.ts'
import { type Days, makeDays } from '../test-days.ts'
import { type Bench, newTerminal, openBench } from '../test-support.ts'
import { unreportedSince } from '../unreported.ts'
import { endLiveStreams } from './live.ts'

let bench: Bench
let days: Days
let app: Hono<AppEnvironment>
let viewer: ConsoleClient

beforeAll(async () => {
  bench = await openBench()
  bench.clock.seconds = Date.parse('2026-11-25T15:40:00Z') / 1000
  days = await makeDays(bench, { kiosks: 4, days: 3, sales: 12, cards: 6 })
  app = consoleApp(bench.issuer)
  viewer = await newUser(app, bench.issuer, 'viewer')
})
afterAll(() => bench.close())

const read = async <Schema extends v.GenericSchema>(schema: Schema, path: string): Promise<v.InferOutput<Schema>> => {
  const answer = await viewer.get(path)
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return v.parse(schema, await answer.json())
}
const sum = (of: readonly { amountMinor: number }[]) => of.reduce((total, { amountMinor }) => total + amountMinor, 0)

describe('the overview', () => {
  test('says of today and yesterday what the report says', async () => {
    const sales = await read(salesOverview, '/overview/sales')
    for (const [day, shown] of [
      [sales.today, sales.sales.today],
      [sales.yesterday, sales.sales.yesterday],
    ] as const)
      expect(shown).toEqual((await report(bench.issuer, { day })).totals.taken)
    expect(sales.today).toBe('2026-11-25')
    const { articles } = await read(articlesOverview, '/overview/articles')
    for (const day of ['today', 'yesterday'] as const) {
      const sold = articles.filter((row) => row[day].count > 0).map(({ itemId, [day]: taken }) => [itemId, taken])
      const told = (await report(bench.issuer, { day: sales[day] })).articles ?? []
      expect(Object.fromEntries(sold)).toEqual(
        Object.fromEntries(told.map(({ itemId, count, amountMinor }) => [itemId, { count, amountMinor }])),
      )
      expect(sum(told)).toBe(sales.sales[day].amountMinor)
    }
    expect(sum(sales.hours.map(({ yesterday }) => yesterday))).toBe(sales.sales.yesterday.amountMinor)
    expect(sum(sales.hours.map(({ today }) => today ?? { amountMinor: 0 }))).toBe(sales.sales.today.amountMinor)
    expect(sum(sales.kiosks.map(({ yesterday }) => yesterday))).toBe(sales.sales.yesterday.amountMinor)
    expect(sales.hours).toHaveLength(24)
    expect(sales.hours.filter(({ today }) => today === undefined)).toHaveLength(8)
  })

  test('finds the silent kiosk, and estimates what it holds by what it sold before', async () => {
    const { kiosks, silentCount, enrolledCount } = await read(unreportedOverview, '/overview/unreported')
    expect({ silentCount, enrolledCount }).toEqual({ silentCount: 1, enrolledCount: 4 })
    const [silent] = kiosks.filter((kiosk) => kiosk.silent)
    expect(silent?.terminalId).toBe(days.silent.id)
    const { exposure } = silent ?? {}
    // Since its last report two days less five hours have passed.
    expect(exposure?.expected.amountMinor).toBeGreaterThan((exposure?.usualDayMinor ?? 0) * 0.9)
    expect(exposure?.expected.amountMinor).toBeLessThan((exposure?.usualDayMinor ?? 0) * 2.1)
    expect(exposure?.limited).toBe(false)
  })

  test('has the books in balance, and what is wrong by its reason', async () => {
    const books = await read(booksOverview, '/overview/books')
    expect(books.trialBalanceMinor).toBe(0)
    const { accounts } = await report(bench.issuer)
    for (const { kind, balanceMinor } of books.accounts)
      expect([kind, balanceMinor]).toEqual([kind, new Map<string, number>(Object.entries(accounts)).get(kind)])
    const attention = await read(attentionOverview, '/overview/attention')
    expect(attention.exceptions.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['clone', 'settlementMac']))
    expect(attention.alarms.map(({ kind }) => kind).toSorted()).toEqual(['clone', 'settlementMac'])
    await reconcileCases(bench.issuer)
    const { cases } = await read(attentionOverview, '/overview/attention')
    const { accounts: sums } = await report(bench.issuer)
    expect(cases.count).toBe(cases.causes.reduce((count, cause) => count + cause.count, 0))
    expect(cases.causes.map(({ cause }) => cause)).toEqual(
      expect.arrayContaining(['alarm', 'exception', 'missingBatches', 'notReported']),
    )
    expect(cases.overdue).toBe(0)
    // One estimate, wherever it stands.
    const { silentMinor, silentSince, kiosks } = await read(unreportedOverview, '/overview/unreported')
    expect(silentMinor).toBe(kiosks.find(({ silent }) => silent)?.exposure?.expected.amountMinor)
    expect(cases.causes.find(({ cause }) => cause === 'notReported')?.atRiskMinor).toBe(silentMinor)
    const said = { kiosks: 1, since: silentSince, mayHoldMinor: silentMinor, unknownKiosks: 0 }
    expect(await unreportedSince(bench.issuer)).toEqual(said)
    expect(await unreportedSince(bench.issuer, silentSince)).toMatchObject({ since: silentSince })
    expect(silentMinor).toBeGreaterThan(0)
    expect(sums.suspense + sums.holes).toBeGreaterThan(0)
    expect(attention.missingBatches).toEqual([{ terminalId: days.terminals[1]?.id, epoch: 1, missing: 1 }])
  })
})

describe('the lists', () => {
  test('page through all terminals by any column, and filter by part of a name', async () => {
    for (const sort of ['reported', 'terminal', 'merchant', 'sales']) {
      const first = await read(terminalsPage, `/terminals?sort=${sort}&limit=3`)
      const second = await read(terminalsPage, `/terminals?sort=${sort}&limit=3&after=${first.next}`)
      expect(first.total).toBe(4)
      expect(second.next).toBeUndefined()
      const seen = [...first.rows, ...second.rows].map(({ terminalId }) => terminalId)
      expect(seen.toSorted()).toEqual(days.terminals.map(({ id }) => id).toSorted())
    }
    const [row] = (await read(terminalsPage, `/terminals?q=${days.silent.id.slice(0, 8).toUpperCase()}`)).rows
    expect(row).toMatchObject({ terminalId: days.silent.id, silent: true })
    expect((await read(terminalsPage, '/terminals?state=silent')).rows).toHaveLength(1)
    expect((await read(terminalsPage, '/terminals?state=neverEnrolled')).rows).toEqual([])
  })

  test('export batches with the same filters as a file', async () => {
    const answer = await viewer.get(`/batches?terminal=${days.silent.id}&format=csv`)
    expect(answer.headers.get('content-type')).toMatch(/^text\/csv/)
    expect(answer.headers.get('content-disposition')).toContain('batches.csv')
    const lines = (await answer.text()).trim().split('\r\n')
    const { total } = await read(batchesPage, `/batches?terminal=${days.silent.id}`)
    expect(lines).toHaveLength(1 + (total ?? 0))
    expect(lines[1]).toContain(days.silent.id)
  })

  test('narrow batches to days and to those with exceptions', async () => {
    const all = await read(batchesPage, '/batches?limit=200')
    const some = await read(batchesPage, '/batches?limit=200&exceptions=some')
    expect(some.rows).toEqual(all.rows.filter(({ exceptions }) => exceptions > 0))
    const day = await read(batchesPage, '/batches?limit=200&from=2026-11-24&until=2026-11-24')
    expect(day.rows).toEqual(all.rows.filter(({ receivedAt }) => receivedAt.startsWith('2026-11-24')))
    const reasons = await read(entryExceptionsPage, '/entry-exceptions?limit=200')
    expect(reasons.rows).toHaveLength(all.rows.reduce((count, { exceptions }) => count + exceptions, 0))
    expect((await viewer.get('/batches?from=2026-13-01')).status).toBe(400)
  })
})

describe('from a terminal down to the entry', () => {
  test('every number is made of what it leads to', async () => {
    const terminal = await read(terminalDetail, `/terminals/${days.terminals[1]?.id}`)
    expect(terminal.missingBatches).toBe(1)
    expect(sum(terminal.days.slice(-7))).toBe(terminal.salesWeek.amountMinor)
    const batches = await read(batchesPage, `/batches?terminal=${terminal.terminalId}&limit=200`)
    expect(batches.rows).toHaveLength(terminal.batches)
    const gap = batches.rows.find(({ verdict }) => verdict === 'outOfOrder')
    const path = `/batches/${terminal.terminalId}/1/${gap?.batchNo}`
    const batch = await read(batchDetail, path)
    expect(batch).toMatchObject({ whole: true, sealRight: true, before: 'missing', after: 'follows' })
    const entries = await read(entriesPage, `${path}/entries?direction=ascending&limit=200`)
    expect(entries.rows).toHaveLength(batch.entries)
    expect(sum(batch.statuses)).toBe(entries.rows.reduce((total, row) => total + (row.amountMinor ?? 0), 0))
    const [row] = entries.rows
    const entry = await read(entryDetail, `${path}/entries/${row?.entry}`)
    expect(entry).toMatchObject({ ...row, proof: 'right', cardKnown: true, settled: { sameRecord: true } })
    expect(entry.postings.at(-1)).toMatchObject({ amountMinor: row?.amountMinor, document: `batch ${path.slice(9)}` })
  })

  test('a forged entry and the copy of a card show what they are', async () => {
    const { rows } = await read(entryExceptionsPage, '/entry-exceptions?limit=200')
    const detailOf = async (reason: string) => {
      const at = rows.find((row) => row.reason === reason)
      return read(entryDetail, `/batches/${at?.terminalId}/${at?.epoch}/${at?.batchNo}/entries/${at?.entry}`)
    }
    expect(await detailOf('settlementMac')).toMatchObject({ proof: 'wrong', exception: 'settlementMac' })
    expect(await detailOf('clone')).toMatchObject({ proof: 'right', settled: { sameRecord: false } })
  })

  test('what is not there is said to be not there', async () => {
    for (const path of [
      '/terminals/0000000000000000',
      `/batches/${days.silent.id}/1/999`,
      `/batches/${days.silent.id}/1/1/entries/99999`,
    ]) {
      const answer = await viewer.get(path)
      expect(answer.status).toBe(404)
      expect((await answer.json()) as unknown).toMatchObject({ sentence: expect.stringMatching(/\.$/) })
    }
  })
})

test('the search finds by the beginning of an id, by a document’s name and by a part of a merchant’s', async () => {
  const find = async (q: string) => (await read(searchResult, `/search?q=${encodeURIComponent(q)}`)).found
  expect(await find(days.silent.id)).toMatchObject([{ kind: 'terminal', key: days.silent.id }])
  expect(await find('C0FFEE')).toMatchObject(Array(6).fill({ kind: 'card' }))
  expect(await find(`batch ${days.silent.id}/1/1`)).toMatchObject([{ kind: 'batch', key: `${days.silent.id}/1/1` }])
  const { rows } = await read(terminalsPage, '/terminals')
  expect(await find(rows[0]?.merchant.slice(1, 6) ?? '')).toMatchObject([{ kind: 'merchant' }])
  await addItem(bench.issuer, {
    file: { name: 'bells.md', bytes: Buffer.from('# Bells') },
    ...{ id: 'harbour-bells', priceMinor: 100, title: { de: 'Glocken am Hafen' } },
  })
  for (const q of ['harbour', 'bells', 'AM HAFEN'])
    expect(await find(q)).toContainEqual({
      kind: 'item',
      key: 'harbour-bells',
      title: 'harbour-bells',
      note: 'Glocken am Hafen',
    })
  expect(await find('nothing of that name')).toEqual([])
})

test('an operator adds a terminal and names one, which is then found by its name; a viewer does neither', async () => {
  const { rows } = await read(terminalsPage, '/terminals')
  const { merchant } = rows[0] ?? { merchant: '' }
  expect((await viewer.post('/terminals', { merchant })).status).toBe(403)
  const operator = await newUser(app, bench.issuer, 'operator')
  const { terminalId } = v.parse(addedTerminal, await (await operator.post('/terminals', { merchant })).json())
  expect(await read(terminalDetail, `/terminals/${terminalId}`)).toMatchObject({ merchant, epoch: 0, batches: 0 })
  const id = days.silent.id
  expect((await viewer.post(`/terminals/${id}/name`, { name: 'Pier 3' })).status).toBe(403)
  expect((await operator.post(`/terminals/${id}/name`, { name: 'Pier\u202e3' })).status).toBe(400)
  expect((await operator.post(`/terminals/${id}/name`, { name: 'Pier 3' })).status).toBe(200)
  expect(await read(terminalNames, '/terminals/names')).toEqual({ terminals: [{ terminalId: id, name: 'Pier 3' }] })
  expect((await read(terminalsPage, '/terminals?q=pier')).rows).toMatchObject([{ terminalId: id, name: 'Pier 3' }])
  expect((await read(searchResult, '/search?q=PIER')).found).toMatchObject([
    { kind: 'terminal', key: id, title: 'Pier 3' },
  ])
  expect((await operator.post(`/terminals/${id}/name`, { name: '' })).status).toBe(200)
  expect(await read(terminalNames, '/terminals/names')).toEqual({ terminals: [] })
})

test('pages that are open are told what was booked', async () => {
  const answer = await viewer.get('/live')
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader?.read())?.value).toMatch(/^retry/)
  const [terminal] = days.terminals
  const [card] = days.cards
  if (terminal === undefined || card === undefined) throw new Error('no terminal')
  // The first look finds how it is, the next one what was booked since.
  await new Promise((resolve) => setImmediate(resolve))
  await terminal.sync()
  const told = (await reader?.read())?.value
  expect(told).toContain('event: batches')
  expect(told).not.toContain('event: publications')
  // A server that closes waits for nobody.
  endLiveStreams(bench.issuer.store)
  expect((await reader?.read())?.done).toBe(true)
})

test('one user listens in thirty places at the most, and leaves connections for terminals', async () => {
  const open: Response[] = []
  for (let at = 0; at < 30; at += 1) open.push(await viewer.get('/live'))
  expect(open.map(({ status }) => status)).toEqual(Array(30).fill(200))
  expect((await viewer.get('/live')).status).toBe(429)
  await open[0]?.body?.cancel()
  const again = await viewer.get('/live')
  expect(again.status).toBe(200)
  for (const { body } of [...open.slice(1), again]) await body?.cancel()
})

test('a kiosk that never sold anything holds nobody knows what, and is in no sum as 0', async () => {
  const before = await read(unreportedOverview, '/overview/unreported')
  bench.clock.seconds -= 3 * 86_400
  const mute = await newTerminal(bench.issuer, 'Hill')
  bench.clock.seconds += 3 * 86_400
  const { kiosks, ...after } = await read(unreportedOverview, '/overview/unreported')
  expect(kiosks.find(({ terminalId }) => terminalId === mute.id)).not.toHaveProperty('exposure')
  const { silentCount, silentSince: since, silentMinor, expectedMinor } = before
  expect(after).toMatchObject({ silentCount: silentCount + 1, silentMinor, expectedMinor, unknownCount: 1 })
  const said = { kiosks: 2, since, mayHoldMinor: silentMinor, unknownKiosks: 1 }
  expect(await unreportedSince(bench.issuer)).toEqual(said)
  expect(unreportedWords({ kiosks: 2, since, unknown: 1, mayHold: '9.00 EUR' })).toBe(
    `2 kiosks have not reported since ${since} and may hold at least about 9.00 EUR, and 1 of them an unknown sum.`,
  )
  expect(unreportedWords({ kiosks: 1, since, unknown: 1, mayHold: '0.00 EUR' })).toMatch(/may hold an unknown sum\.$/)
})
