/** The catalogue changes: prices from a date, languages, withdrawal, limits, and what counts as the price of a time. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { unitItem } from '../protocol/item.ts'
import { unixTime } from '../protocol/quantities.ts'
import { newestBulletin, publish, setTerms, sizeWarnings } from './bulletin-publisher.ts'
import { addItem, cancelComing, changeItem, listItems, offerArticle, withdrawArticle } from './catalogue.ts'
import { settleClaim } from './claims.ts'
import { momentIn } from './moment.ts'
import { isNothing, publicationChanges } from './publication-changes.ts'
import { type Bench, newCard, newTerminal, openBench } from './test-support.ts'
import { priceToleranceSeconds } from './versions-sold.ts'

let bench: Bench
beforeEach(async () => {
  bench = await openBench()
})
afterEach(() => bench.close())

const day = 86_400
const addMap = async (changes: Partial<Parameters<typeof addItem>[1]> = {}) =>
  addItem(bench.issuer, {
    file: { name: 'map.txt', bytes: new TextEncoder().encode('map') },
    id: 'map',
    priceMinor: 250,
    title: { en: 'Map' },
    ...changes,
  })
const codes = (lines: string) =>
  addItem(bench.issuer, {
    file: { name: 'codes.txt', bytes: new TextEncoder().encode(lines) },
    id: 'wifi',
    kind: 'code',
    priceMinor: 100,
    title: { en: 'Wi-Fi' },
  })
const loaded = async () => {
  const kiosk = await newTerminal(bench.issuer, 'Town')
  const card = await newCard(bench.issuer)
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 50_000)))
  return { kiosk, card }
}

test('a sale counts at every price that some bulletin allowed at its time, and at no other', async () => {
  const { issuer, clock } = bench
  const { item: old } = await addMap()
  await publish(issuer)
  const { kiosk, card } = await loaded()
  const start = clock.seconds
  const { item: dear } = await changeItem(issuer, 'map', { priceMinor: 400, from: start + 10 * day })
  clock.seconds += day
  await publish(issuer, { validSeconds: 30 * day })
  const reasonAt = async (item: typeof old, time: number) => {
    const now = clock.seconds
    clock.seconds = time
    const sale = kiosk.entry(card.pay(kiosk, item))
    clock.seconds = now
    return (await kiosk.sync(sale)).exceptions[0]?.reason
  }
  // A kiosk that never saw the second bulletin sells at the old price until the first one expires, after 60 days.
  expect(await reasonAt(old, start + 59 * day)).toBeUndefined()
  expect(await reasonAt(old, start + 60 * day + priceToleranceSeconds)).toBeUndefined()
  expect(await reasonAt(old, start + 60 * day + priceToleranceSeconds + 1)).toBe('itemOrPrice')
  // The new price never came before its time, and ends with the bulletin that has it.
  expect(await reasonAt(dear, start + 10 * day - priceToleranceSeconds - 1)).toBe('itemOrPrice')
  expect(await reasonAt(dear, start + 10 * day - priceToleranceSeconds)).toBeUndefined()
  expect(await reasonAt(dear, start + 31 * day)).toBeUndefined()
  expect(await reasonAt(dear, start + 33 * day)).toBe('itemOrPrice')
  // A later bulletin prolongs it.
  clock.seconds = start + 20 * day
  await publish(issuer)
  expect(await reasonAt(dear, start + 33 * day)).toBeUndefined()
})

test('a withdrawn article is in no later bulletin; what was sold of it settles, and its claims are honoured', async () => {
  const { issuer, clock } = bench
  const { item } = await addMap()
  await publish(issuer)
  const { kiosk, card } = await loaded()
  expect(await withdrawArticle(issuer, 'map')).toEqual({ withdrawn: true })
  expect((await publish(issuer)).bulletin.items).toEqual([])
  clock.seconds += 20 * day
  const late = card.pay(kiosk, item)
  expect((await kiosk.sync(kiosk.entry(late))).exceptions).toEqual([])
  const claim = kiosk.claim(late, unixTime(clock.seconds + day))
  expect(await settleClaim(issuer, claim, unixTime(clock.seconds))).toMatchObject({ outcome: 'honoured', item })
  expect(await withdrawArticle(issuer, 'map')).toEqual({ withdrawn: false })
  expect(await offerArticle(issuer, 'map')).toEqual({ offered: true })
  expect((await publish(issuer)).bulletin.items).toEqual([item])
  await expect(withdrawArticle(issuer, 'ghost')).rejects.toMatchObject({ code: 'unknownItem' })
})

test('what is to come is announced, comes by itself, and may be taken back', async () => {
  const { issuer, clock } = bench
  await addMap()
  const soon = clock.seconds + day
  await changeItem(issuer, 'map', { priceMinor: 300, from: soon })
  await addMap({ id: 'guide', priceMinor: 500, from: soon })
  const { bulletin } = await publish(issuer)
  expect(bulletin.items.map(({ id, priceMinor }) => [id, priceMinor])).toEqual([['map', 250]])
  expect(bulletin.coming?.map(({ item }) => [item.id, item.version, item.priceMinor])).toEqual([
    ['guide', 1, 500],
    ['map', 2, 300],
  ])
  expect(await cancelComing(issuer, 'map')).toEqual({ cancelled: 1 })
  // A version that was announced is never another one.
  expect(await changeItem(issuer, 'map', { priceMinor: 350 })).toMatchObject({ item: { version: 3 } })
  clock.seconds = soon
  const next = await publish(issuer)
  expect(next.bulletin.coming).toBeUndefined()
  expect(next.bulletin.items.map(({ id, priceMinor }) => [id, priceMinor])).toEqual([
    ['guide', 500],
    ['map', 350],
  ])
  expect(await listItems(issuer)).toMatchObject([
    { item: { id: 'guide' }, offered: true, coming: [] },
    { item: { id: 'map' }, offered: true, coming: [] },
  ])
  // In the past is now.
  expect(await changeItem(issuer, 'map', { priceMinor: 360, from: soon - 1 })).toMatchObject({ item: { version: 4 } })
  expect(await changeItem(issuer, 'map', { priceMinor: 360 })).toMatchObject({ outcome: 'unchanged' })
  await expect(changeItem(issuer, 'map', { priceMinor: 0 })).rejects.toMatchObject({ code: 'input' })
  await expect(changeItem(issuer, 'ghost', { priceMinor: 1 })).rejects.toMatchObject({ code: 'unknownItem' })
})

test('a kiosk with the new codes and the older prices sells them at those', async () => {
  const { issuer } = bench
  const { item } = await codes('LARK')
  await publish(issuer)
  const { kiosk, card } = await loaded()
  await changeItem(issuer, 'wifi', { priceMinor: 150 })
  await codes('WREN')
  const sale = card.pay(kiosk, unitItem(item, 'WREN'))
  expect((await kiosk.sync(kiosk.entry(sale))).exceptions).toEqual([])
})

test('languages are written as BCP 47 has them, each once, and each summary has its title', async () => {
  expect((await addMap({ title: { 'pt-br': 'Mapa', EN: 'Map' }, summary: { 'PT-BR': 'Tudo' } })).item).toMatchObject({
    title: { 'pt-BR': 'Mapa', en: 'Map' },
    summary: { 'pt-BR': 'Tudo', en: '' },
  })
  await expect(addMap({ title: { de_AT: 'Karte' } })).rejects.toThrow('is not a language')
  await expect(addMap({ title: { en: 'Map', EN: 'Plan' } })).rejects.toThrow('twice')
  await expect(addMap({ summary: { en: '', de: 'Alles' } })).rejects.toThrow('no title')
})

test('the next publication is told apart from the last', async () => {
  const { issuer, clock } = bench
  expect(isNothing(await publicationChanges(issuer))).toBe(false)
  await addMap()
  await codes('LARK')
  await publish(issuer)
  expect(isNothing(await publicationChanges(issuer))).toBe(true)
  await newTerminal(issuer, 'Town')
  expect(await publicationChanges(issuer)).toMatchObject({ unitsToDeal: 1 })
  await publish(issuer)
  expect(isNothing(await publicationChanges(issuer))).toBe(true)
  await changeItem(issuer, 'map', { priceMinor: 300 })
  await changeItem(issuer, 'map', { priceMinor: 310, from: clock.seconds + day })
  await addMap({ id: 'guide' })
  await withdrawArticle(issuer, 'wifi')
  expect(await publicationChanges(issuer)).toMatchObject({
    added: [{ id: 'guide' }],
    changed: [{ before: { priceMinor: 250 }, after: { priceMinor: 300 } }],
    withdrawn: [{ id: 'wifi' }],
    announced: [{ item: { priceMinor: 310 } }],
    cancelled: [],
  })
})

test('limits change at once and publish nothing of the catalogue; the change is in the log', async () => {
  const { issuer } = bench
  await expect(setTerms(issuer, { limits: { saleMinorMax: 1 } })).rejects.toThrow('Nothing is published')
  await publish(issuer)
  await addMap()
  await setTerms(issuer, { limits: { saleMinorMax: 2000 }, claimSeconds: 10 * day }, 'cli:test')
  expect((await issuer.store.read((db) => newestBulletin(issuer, db)))?.bulletin).toMatchObject({
    items: [],
    claimSeconds: 10 * day,
    limits: { saleMinorMax: 2000, staleSaleMinorMax: 5000 },
  })
  const log = await issuer.store.read((db) => db.selectFrom('audit_log').selectAll().execute())
  expect(log).toMatchObject([{ action: 'limits.set', name: 'cli:test' }])
})

test('a keyring near what terminals take is warned of', async () => {
  const { issuer } = bench
  await newTerminal(issuer, 'Town')
  await codes('LARK\nWREN')
  const published = await publish(issuer)
  expect(await sizeWarnings(issuer, published)).toEqual([])
  await issuer.store.write((db) =>
    db
      .updateTable('unit')
      .set({ sealed_code: Buffer.alloc(7 * 2 ** 20) })
      .execute(),
  )
  expect(await sizeWarnings(issuer, published)).toEqual([
    expect.stringMatching(/about 14\.0 of the 16\.0 MB that it takes, for 2 codes/),
  ])
})

test('a moment is in the time zone of the book, through its changes of the clock', () => {
  const at = (text: string, zone = 'Europe/Vienna') => new Date(momentIn(text, zone) * 1000).toISOString()
  expect(at('2026-12-01')).toBe('2026-11-30T23:00:00.000Z')
  expect(at('2026-07-01 08:30')).toBe('2026-07-01T06:30:00.000Z')
  expect(at('2026-07-01T08:30Z')).toBe('2026-07-01T08:30:00.000Z')
  expect(at('2026-07-01T08:30:15+05:30')).toBe('2026-07-01T03:00:15.000Z')
  expect(at('2026-03-29 02:30')).toBe('2026-03-29T01:30:00.000Z')
  for (const text of ['2026-02-30', 'tomorrow', '2026-12-01 25:00']) expect(() => at(text)).toThrow('is not a moment')
})
