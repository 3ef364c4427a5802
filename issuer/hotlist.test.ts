/** The hotlist as the issuer keeps, signs and hands it out. */
import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openStoredBulletin } from '../protocol/bulletin.ts'
import { ascii, concat, toHex } from '../protocol/bytes.ts'
import { canonicalBytes } from '../protocol/canonical-json.ts'
import { type HotlistEntry, hotlistPageEntriesMax, parseHotlistPage } from '../protocol/hotlist.ts'
import { commitBlockMac } from '../protocol/mac.ts'
import { currentBulletin, publish } from './bulletin-publisher.ts'
import { blockCard, blockCards, renewHotlist, unblockCard } from './hotlist.ts'
import { hotlistPage } from './hotlist-log.ts'
import { createApp } from './http-app.ts'
import type { Issuer } from './issuer.ts'
import { type Bench, newCard, openBench } from './test-support.ts'

let bench: Bench
let issuer: Issuer
beforeEach(async () => {
  bench = await openBench()
  issuer = bench.issuer
})
afterEach(() => bench.close())

const signed = async () => {
  const published = await currentBulletin(issuer)
  if (published === undefined) throw new Error('nothing was published')
  return published.bulletin.hotlist
}

/** The whole log as a terminal reads it; its chain is checked against the signed head with plain SHA-256. */
const readLog = async (): Promise<HotlistEntry[]> => {
  const { generation, count, head } = await signed()
  const pages: Uint8Array[] = []
  for (let after = 0; after < count; ) {
    const page = await hotlistPage(issuer, { generation, after })
    if (page === undefined) throw new Error(`no entries after ${after}`)
    expect(page.first).toBe(after + 1)
    pages.push(page.bytes)
    after = page.last
  }
  const log = concat(...pages)
  let link = createHash('sha256').update('farthing hotlist').digest()
  for (let at = 0; at < log.length; at += 25)
    link = createHash('sha256')
      .update(link)
      .update(log.subarray(at, at + 25))
      .digest()
  expect(link.toString('hex')).toBe(head)
  expect(log.length).toBe(count * 25)
  return pages.flatMap(parseHotlistPage)
}

const by = { name: 'Ada' }
const block = (cards: readonly string[], onProgress: (done: number) => void = () => undefined) =>
  blockCards(issuer, by, { cards, reason: 'lost', onProgress })

const numbered = (count: number, first = 0): string[] =>
  Array.from({ length: count }, (_, at) => (first + at).toString(16).padStart(16, '0'))

it('lists a blocked card at once, with the means to block it where it is known', async () => {
  const card = await newCard(issuer)
  expect(await blockCard(issuer, '00000000000000ff')).toEqual({ cardId: '00000000000000ff', known: false })
  await publish(issuer)
  const blocked = await blockCard(issuer, card.id)
  expect(blocked).toMatchObject({ cardId: card.id, known: true })
  expect(await blockCard(issuer, card.id)).toEqual(blocked)
  expect(await readLog()).toEqual([
    { op: 'list', cardId: '00000000000000ff', blockMac: undefined },
    { op: 'list', cardId: card.id, blockMac: commitBlockMac(card.loadKey(), card.id) },
  ])
  await expect(blockCard(issuer, 'FF')).rejects.toMatchObject({ code: 'input' })
})

it('takes a card off by one more entry, and refuses one that is not listed', async () => {
  const card = await newCard(issuer)
  await publish(issuer)
  const status = () =>
    issuer.store.read((db) => db.selectFrom('card').select('status').where('card_id', '=', card.id).executeTakeFirst())
  await blockCard(issuer, card.id)
  expect(await status()).toEqual({ status: 'hotlisted' })
  const before = await signed()
  await unblockCard(issuer, card.id)
  expect(await status()).toEqual({ status: 'active' })
  expect(await signed()).toMatchObject({ generation: before.generation, count: 2 })
  expect((await readLog()).at(-1)).toEqual({ op: 'takeOff', cardId: card.id, blockMac: undefined })
  await expect(unblockCard(issuer, card.id)).rejects.toMatchObject({ code: 'refused' })
  await expect(unblockCard(issuer, '00')).rejects.toMatchObject({ code: 'input' })
  // And on again.
  await blockCard(issuer, card.id)
  expect((await readLog()).map(({ op }) => op)).toEqual(['list', 'takeOff', 'list'])
})

it('lists many under one signature, in pages that stay as they are once full; the same again changes nothing', async () => {
  const { serial } = await publish(issuer)
  const cards = numbered(2 * hotlistPageEntriesMax + 10)
  await blockCard(issuer, cards[5] ?? '')
  const steps: number[] = []
  const done = await block([...cards.toReversed(), ...cards], (count) => steps.push(count))
  expect(done).toMatchObject({ cards: cards.length, listed: cards.length - 1, known: 0, serial: serial + 2 })
  expect(steps).toEqual([hotlistPageEntriesMax, 2 * hotlistPageEntriesMax, cards.length])
  expect((await readLog()).map(({ cardId }) => cardId).toSorted()).toEqual(cards)
  const first = await hotlistPage(issuer, { after: 0 })
  expect(first).toMatchObject({ first: 1, last: hotlistPageEntriesMax, isFull: true })
  expect(await block(cards)).toMatchObject({ listed: 0, serial: serial + 2 })
  await block(numbered(3, 1_000_000))
  expect(await hotlistPage(issuer, { after: 0 })).toEqual(first)
  expect(await readLog()).toHaveLength(cards.length + 3)
  await expect(block(['zz'])).rejects.toMatchObject({ code: 'input' })
})

it('never changes or shortens what it has signed', async () => {
  await block(numbered(3))
  const page = await hotlistPage(issuer, { after: 0 })
  const set = (values: { bytes: Uint8Array }) =>
    issuer.store.write((db) => db.updateTable('hotlist_page').set(values).execute())
  await expect(set({ bytes: (page?.bytes ?? new Uint8Array()).slice(0, 50) })).rejects.toThrow(/only grows/)
  await expect(set({ bytes: (page?.bytes ?? new Uint8Array()).with(30, 9) })).rejects.toThrow(/only grows/)
  await expect(issuer.store.write((db) => db.updateTable('hotlist_log').set({ count: 2 }).execute())).rejects.toThrow(
    /only grows/,
  )
})

it('begins a new log without what was taken off', async () => {
  await publish(issuer)
  await block(numbered(5))
  await unblockCard(issuer, numbered(5)[2] ?? '')
  expect(await renewHotlist(issuer, by)).toMatchObject({ generation: 2, count: 4 })
  expect(await signed()).toMatchObject({ generation: 2, count: 4 })
  expect((await readLog()).map(({ op }) => op)).toEqual(Array(4).fill('list'))
})

it('fills the log of an older store from its list, and goes on from its last bulletin', async () => {
  const { serial, bulletin } = await publish(issuer, { limits: { saleMinorMax: 777 } })
  const card = await newCard(issuer)
  const json = canonicalBytes({ ...bulletin, serial: serial + 1, hotlist: [{ cardId: card.id }] })
  const head = Uint8Array.from([...ascii('FBUL'), 1, issuer.keys.signing.keyVersion, 0, 0])
  const signature = ed25519.sign(concat(ascii('farthing bulletin'), head, json), issuer.keys.signing.privateKey)
  const bytes = concat(head, signature, json)
  await issuer.store.write(async (db) => {
    await db.deleteFrom('hotlist_page').execute()
    await db.deleteFrom('hotlist_log').execute()
    await db.insertInto('hotlist').values({ card_id: card.id, listed_at: 1 }).execute()
    await db
      .insertInto('bulletin')
      .values({ serial: serial + 1, bytes, issued_at: bench.clock.seconds, expires_at: bench.clock.seconds + 1 })
      .execute()
  })
  expect(openStoredBulletin(bytes, issuer.keys.signing.publicKey).hotlist).toMatchObject({ generation: 0, count: 1 })
  const renewed = await currentBulletin(issuer)
  expect(renewed?.bulletin).toMatchObject({ hotlist: { generation: 1, count: 1 }, limits: { saleMinorMax: 777 } })
  expect(await readLog()).toEqual([{ op: 'list', cardId: card.id, blockMac: commitBlockMac(card.loadKey(), card.id) }])
})

it('is handed out over HTTP: full pages for good, the last one as it is, and a sentence for anything else', async () => {
  await publish(issuer)
  await block(numbered(hotlistPageEntriesMax + 2))
  const app = createApp(issuer, { log: pino({ level: 'silent' }) })
  const get = (query: string, headers: Record<string, string> = {}) => app.request(`/v1/hotlist${query}`, { headers })
  const full = await get('?generation=1&after=0')
  expect(full.headers.get('cache-control')).toMatch(/immutable/)
  expect((await full.arrayBuffer()).byteLength).toBe(hotlistPageEntriesMax * 25)
  const rest = await get(`?generation=1&after=${hotlistPageEntriesMax + 1}`)
  expect(rest.headers.get('cache-control')).toBe('no-cache')
  expect(toHex(new Uint8Array(await rest.arrayBuffer())).slice(2, 18)).toBe(numbered(hotlistPageEntriesMax + 2).at(-1))
  expect((await get('')).headers.get('cache-control')).toBe('no-cache')
  const known = await get('?generation=1&after=0', { 'if-none-match': full.headers.get('etag') ?? '' })
  expect(known.status).toBe(304)
  const statuses = await Promise.all(
    ['?generation=1&after=4002', '?generation=2', '?after=99999999999', '?after=-1', '?after=x', '?generation=x'].map(
      async (query) => (await get(query)).status,
    ),
  )
  expect(statuses).toEqual([404, 404, 400, 400, 400, 400])
})
