import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Item } from '../protocol/item.ts'
import { unixTime, zeroMac } from '../protocol/quantities.ts'
import { auditBooks } from './audit.ts'
import { settleClaim } from './claims.ts'
import { report } from './report.ts'
import {
  type Bench,
  newCard,
  newTerminal,
  now,
  openBench,
  publish,
  type TestCard,
  type TestTerminal,
} from './test-support.ts'

let bench: Bench
let map: Item
let kiosk: TestTerminal
let card: TestCard

beforeEach(async () => {
  bench = await openBench()
  map = await publish(bench.issuer, 'map', 250)
  kiosk = await newTerminal(bench.issuer, 'Town')
  card = await newCard(bench.issuer)
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 5000)))
})
afterEach(async () => {
  expect(await auditBooks(bench.issuer)).toEqual([])
  await bench.close()
})

const honour = (bytes: Uint8Array) => settleClaim(bench.issuer, bytes, now)
const payable = async () => (await report(bench.issuer)).terminals.map(({ payableMinor }) => payableMinor)

test('books the sale before its kiosk is online; the batch books it no second time', async () => {
  const made = card.pay(kiosk, map)
  expect(await honour(kiosk.claim(made))).toMatchObject({
    outcome: 'honoured',
    booked: true,
    item: map,
    terminalId: kiosk.id,
    merchant: 'Town',
    record: { counter: 2 },
  })
  expect(await payable()).toEqual([250])
  expect(await kiosk.sync(kiosk.entry(made))).toMatchObject({ accepted: 1 })
  expect(await payable()).toEqual([250])
})

test('is honoured after the batch, and again, and books nothing then', async () => {
  const made = card.pay(kiosk, map)
  await kiosk.sync(kiosk.entry(made))
  for (let i = 0; i < 3; i += 1)
    expect(await honour(kiosk.claim(made))).toMatchObject({ outcome: 'honoured', booked: false })
  expect(await payable()).toEqual([250])
})

test('is honoured when any other terminal sealed it, and pays the one that sold', async () => {
  const other = await newTerminal(bench.issuer, 'Station')
  expect(await honour(other.claim(card.pay(kiosk, map)))).toMatchObject({ outcome: 'honoured', terminalId: kiosk.id })
  expect(await payable()).toEqual([250, 0])
})

test('is refused when expired, forged, reversed, refunded, of a copy, or of no published item', async () => {
  const twin = card.copy()
  const made = card.pay(kiosk, map)
  const refused = (reason: string) => ({ outcome: 'refused', reason })
  expect(await honour(kiosk.claim(made, unixTime(now - 1)))).toEqual(refused('expired'))
  expect(await honour(kiosk.claim({ ...made, settlementMac: zeroMac() }))).toEqual(refused('forged'))
  expect(await honour(kiosk.claim(made).slice(1))).toEqual(refused('layout'))
  expect(await payable()).toEqual([0])
  expect(await honour(kiosk.claim(twin.pay(kiosk, { ...map, id: 'x' })))).toEqual(refused('itemOrPrice'))
  expect(await honour(kiosk.claim(made))).toEqual(refused('clone'))
  const next = card.copy()
  const paid = next.pay(kiosk, map)
  await kiosk.sync(kiosk.entry(paid), kiosk.entry(next.reverse(paid)))
  expect(await honour(kiosk.claim(paid))).toEqual(refused('reversed'))
  const kept = next.pay(kiosk, map)
  expect(await honour(kiosk.claim(kept))).toMatchObject({ outcome: 'honoured' })
  await bench.issuer.store.write((db) =>
    db.updateTable('settlement').set({ money_back_at: now }).where('counter', '=', kept.record.counter).execute(),
  )
  expect(await honour(kiosk.claim(kept))).toEqual(refused('moneyBack'))
})

test('one flipped bit, wherever it is, is refused and books nothing', async () => {
  const claim = kiosk.claim(card.pay(kiosk, map))
  for (let at = 0; at < claim.length; at += 1) {
    const bad = Uint8Array.from(claim)
    bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8))
    expect(await honour(bad)).toMatchObject({ outcome: 'refused' })
  }
  expect(await payable()).toEqual([0])
})
