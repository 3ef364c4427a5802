/** Whatever the order in which documents come, the books end the same, and balance at every step. */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { terminalId } from '../protocol/quantities.ts'
import { auditBooks } from './audit.ts'
import { settleClaim } from './claims.ts'
import { ingestBatch } from './ingest.ts'
import { createStore } from './issuer.ts'
import { authoriseLoad } from './loads.ts'
import { addCard, addMerchant, addTerminal, startEpoch } from './parties.ts'
import { type Report, report } from './report.ts'
import { newCard, newTerminal, now, openBench, publish, testStoreUrl } from './test-support.ts'

/** What does not depend on when a document came, but the alarms that told of it in between. */
const settledFigures = ({ terminals, cards, merchants, accounts, trialBalanceMinor }: Report) => ({
  terminals: terminals.map(({ alarms: _, exceptions, ...rest }) => ({ ...rest, exceptions: exceptions.length })),
  cards,
  merchants,
  accounts,
  trialBalanceMinor,
})

/** A day of two kiosks and two cards: batches of each kiosk, and claims, in the order in which they were made. */
const playDay = async () => {
  const bench = await openBench()
  const { issuer } = bench
  const [map, guide] = [await publish(issuer, 'map', 250), await publish(issuer, 'guide', 100)]
  const town = await newTerminal(issuer, 'Town')
  const station = await newTerminal(issuer, 'Station')
  const [one, two] = [await newCard(issuer), await newCard(issuer)]
  const loads = [await town.load(one, 2000), await station.load(two, 1000)] as const
  const a = one.pay(town, map)
  const b = one.pay(station, guide)
  const undone = one.reverse(b)
  const c = one.pay(town, guide)
  const d = two.pay(town, map)
  const lost = two.pay(station, map)
  const e = two.pay(town, guide)
  const documents = [
    town.batch(town.entry(loads[0]), town.entry(a)),
    station.batch(station.entry(loads[1]), station.entry(b)),
    station.batch(station.entry(undone), station.entry(lost, 'inDoubt')),
    town.batch(town.entry(c), town.entry(d), town.entry(lost, 'witness')),
    town.batch(town.entry(e)),
    town.claim(e),
  ]
  return { bench, documents }
}

test('documents in any order, and each again, end in the same books', async () => {
  const first = await playDay()
  for (const document of first.documents)
    if (document.length === 132) await settleClaim(first.bench.issuer, document, now)
    else await ingestBatch(first.bench.issuer, document)
  const expected = settledFigures(await report(first.bench.issuer))
  expect(expected.terminals).toMatchObject([
    { merchant: 'Town', taken: { count: 4, amountMinor: 700 }, payableMinor: 700, inDoubt: 0 },
    {
      merchant: 'Station',
      taken: { count: 2, amountMinor: 350 },
      reversed: { count: 1 },
      payableMinor: 250,
      inDoubt: 0,
    },
  ])
  await first.bench.close()
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(order, fc.array(fc.nat(5), { maxLength: 3 }), async (sequence, again) => {
      const { bench, documents } = await playDay()
      try {
        for (const index of [...sequence, ...again]) {
          const document = documents[index]
          if (document === undefined) throw new Error('no document')
          const result =
            document.length === 132
              ? await settleClaim(bench.issuer, document, now)
              : await ingestBatch(bench.issuer, document)
          expect(result).not.toHaveProperty('refused')
          expect(await auditBooks(bench.issuer)).toEqual([])
        }
        const told = settledFigures(await report(bench.issuer))
        const anonymous = (figures: typeof expected) => ({
          ...figures,
          terminals: figures.terminals.map((each) => ({ ...each, terminalId: '' })),
          cards: figures.cards.map((each) => ({ ...each, cardId: '' })),
        })
        expect(anonymous(told)).toEqual(anonymous(expected))
      } finally {
        await bench.close()
      }
    }),
    { numRuns: 12 },
  )
}, 60_000)

test('books that were thrown away are rebuilt from the archived documents to the same cent', async () => {
  const { bench, documents } = await playDay()
  const old = bench.issuer
  for (const document of documents)
    if (document.length === 132) await settleClaim(old, document, now)
    else await ingestBatch(old, document)
  const told = await report(old)
  const archive = await old.store.read(async (db) => ({
    items: await db.selectFrom('item_version').selectAll().execute(),
    loads: await db.selectFrom('load_request').select('bytes').execute(),
    batches: await db.selectFrom('batch').select(['bytes', 'ack']).orderBy('batch_pk').execute(),
    claims: await db.selectFrom('claim').select('bytes').execute(),
  }))
  const masters = old.keys.masters(1)
  if (masters === undefined) throw new Error('no masters')
  const { clock, randomBytes } = old
  const folder = mkdtempSync(join(bench.folder, 'anew-'))
  const anew = await createStore({ url: await testStoreUrl(folder), currency: 'EUR', masters, clock, randomBytes })
  for (const { terminalId: id, merchant } of told.terminals) {
    await addMerchant(anew, merchant)
    await addTerminal(anew, { merchant, terminalId: terminalId(id) })
    await startEpoch(anew, terminalId(id))
  }
  for (const { cardId } of told.cards) await addCard(anew, { cardId })
  await anew.store.write((db) => db.insertInto('item_version').values(archive.items).execute())
  for (const { bytes } of archive.loads) await authoriseLoad(anew, bytes)
  for (const { bytes, ack } of archive.batches)
    expect(await ingestBatch(anew, bytes)).toEqual({ ack: new Uint8Array(ack) })
  for (const { bytes } of archive.claims)
    expect(await settleClaim(anew, bytes, now)).toMatchObject({ outcome: 'honoured' })
  expect(await report(anew)).toEqual(told)
  await anew.store.close()
  await bench.close()
})

test("a card's records one by one in any order open and close holes and end in its true balance", async () => {
  const bench = await openBench()
  const { issuer } = bench
  const map = await publish(issuer, 'map', 250)
  const guide = await publish(issuer, 'guide', 100)
  const town = await newTerminal(issuer, 'Town')
  const station = await newTerminal(issuer, 'Station')
  const act = fc.constantFrom('map', 'guide', 'undone', 'load')
  const days = fc.array(act, { minLength: 1, maxLength: 8 }).chain((acts) =>
    fc.tuple(
      fc.constant(acts),
      fc.infiniteStream(fc.nat()).map((stream) => stream),
    ),
  )
  const payable = async () => (await report(issuer)).accounts.payable
  await fc.assert(
    fc.asyncProperty(days, async ([acts, random]) => {
      const card = await newCard(issuer)
      const paidBefore = await payable()
      const made = [await town.load(card, 5000)]
      for (const each of acts) {
        if (each === 'load') made.push(await station.load(card, 300))
        else made.push(card.pay(each === 'guide' ? station : town, each === 'guide' ? guide : map))
        const last = made.at(-1)
        if (each === 'undone' && last !== undefined) made.push(card.reverse(last))
      }
      const entries = made.map((each) => station.entry(each, 'witness'))
      while (entries.length > 0) {
        const [entry] = entries.splice((random.next().value ?? 0) % entries.length, 1)
        if (entry === undefined) throw new Error('no entry')
        expect(await station.sync(entry)).toMatchObject({ accepted: 1 })
        expect(await auditBooks(issuer)).toEqual([])
      }
      const told = (await report(issuer)).cards.find(({ cardId }) => cardId === card.id)
      const spentMinor = acts.reduce((sum, each) => sum + (each === 'map' ? 250 : each === 'guide' ? 100 : 0), 0)
      expect(told).toMatchObject({
        balanceMinor: card.balanceMinor,
        counter: card.counter,
        spentMinor,
        loadedMinor: card.balanceMinor + spentMinor,
        holes: [],
        alarms: [],
      })
      expect((await payable()) - paidBefore).toBe(spentMinor)
    }),
    { numRuns: 15 },
  )
  expect((await report(issuer)).accounts).toMatchObject({ suspense: 0, holes: 0 })
  await bench.close()
}, 60_000)
