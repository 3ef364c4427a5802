import { afterEach, beforeEach, expect, test } from 'vitest'
import { reconcileCases } from './cases/round.ts'
import { casesOf } from './cases/test-cases.ts'
import { reportsOf } from './console-api/terminals.ts'
import { ingestBatch } from './ingest.ts'
import { startEpoch } from './parties.ts'
import { type Bench, newCard, newTerminal, openBench, publish, type TestTerminal } from './test-support.ts'

const day = 86_400
let bench: Bench
let town: TestTerminal
let batches: readonly Uint8Array[]

beforeEach(async () => {
  bench = await openBench()
  const map = await publish(bench.issuer, 'map', 250)
  town = await newTerminal(bench.issuer, 'Town')
  const card = await newCard(bench.issuer)
  const first = town.batch(town.entry(await town.load(card, 5000)))
  batches = [first, town.batch(town.entry(card.pay(town, map))), town.batch(town.entry(card.pay(town, map)))]
})
afterEach(() => bench.close())

const again = async (bytes: Uint8Array | undefined, direct = true): Promise<void> => {
  expect(await ingestBatch(bench.issuer, bytes ?? new Uint8Array(), { direct })).toHaveProperty('ack')
}
const reportedAt = async (): Promise<number | undefined> =>
  (await bench.issuer.store.read(reportsOf)).find(({ terminalId }) => terminalId === town.id)?.reportedAt
const isMissed = async (): Promise<boolean> =>
  (await casesOf(bench, 'notReported')).some(({ state }) => state !== 'closed')

test('a terminal that sold nothing and sends its newest batch again is not silent any more', async () => {
  for (const bytes of batches) await town.send(bytes)
  const soldAt = bench.clock.seconds
  bench.clock.seconds += 2 * day
  expect(await isMissed()).toBe(true)
  expect(await reportedAt()).toBe(soldAt)
  await again(batches[2])
  expect(await reportedAt()).toBe(bench.clock.seconds)
  expect(await isMissed()).toBe(false)
  // Two days later it is missed again: the contact counts as of its time.
  bench.clock.seconds += 2 * day
  expect(await isMissed()).toBe(true)
  expect(await reconcileCases(bench.issuer)).toMatchObject({ opened: 0, closed: 0, reopened: 0 })
})

test('is written once a minute at most', async () => {
  for (const bytes of batches) await town.send(bytes)
  bench.clock.seconds += 100
  const contact = bench.clock.seconds
  await again(batches[2])
  bench.clock.seconds += 59
  await again(batches[2])
  expect(await reportedAt()).toBe(contact)
  bench.clock.seconds += 1
  await again(batches[2])
  expect(await reportedAt()).toBe(contact + 60)
})

test('no copy that a courier brings hides a silent terminal', async () => {
  for (const bytes of batches) await town.send(bytes)
  const soldAt = bench.clock.seconds
  bench.clock.seconds += 2 * day
  await again(batches[1])
  await again(batches[2], false)
  expect(await reportedAt()).toBe(soldAt)
  // Of an epoch that is over.
  await startEpoch(bench.issuer, town.id)
  await again(batches[2])
  expect(await reportedAt()).toBe(soldAt)
})

test('a terminal of which a batch is missing still holds something', async () => {
  for (const bytes of [batches[0], batches[2]]) await town.send(bytes ?? new Uint8Array())
  const soldAt = bench.clock.seconds
  bench.clock.seconds += 2 * day
  await again(batches[2])
  expect(await reportedAt()).toBe(soldAt)
})
