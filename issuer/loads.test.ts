import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLoadAnswer } from '../protocol/load.ts'
import { commitLoadMac } from '../protocol/mac.ts'
import { encodeOrder } from '../protocol/order.ts'
import { amountMinor, counter, shortHash, zeroMac } from '../protocol/quantities.ts'
import { auditBooks } from './audit.ts'
import { authoriseLoad } from './loads.ts'
import { report } from './report.ts'
import {
  type Bench,
  newCard,
  newTerminal,
  openBench,
  publish,
  type TestCard,
  type TestTerminal,
} from './test-support.ts'

let bench: Bench
let kiosk: TestTerminal
let card: TestCard

beforeEach(async () => {
  bench = await openBench()
  kiosk = await newTerminal(bench.issuer, 'Town')
  card = await newCard(bench.issuer)
})
afterEach(async () => {
  expect(await auditBooks(bench.issuer)).toEqual([])
  await bench.close()
})

const figures = async () => {
  const { accounts, cards, terminals } = await report(bench.issuer)
  return { accounts, card: cards.find(({ cardId }) => cardId === card.id), terminal: terminals[0] }
}

test('is authorised, booked at once, and booked no second time by its record', async () => {
  const order = kiosk.loadOrder(5000)
  const request = kiosk.loadRequest(card, order)
  const answer = await kiosk.askLoad(request)
  const cardNonce = request.slice(144 - 32 - 16 - 8, 144 - 32 - 16)
  const { id: cardId } = card
  const expected = commitLoadMac(card.loadKey(), { cardId, counter: counter(1), order: encodeOrder(order), cardNonce })
  expect(answer).toMatchObject({ verdict: 'authorised', counter: 1, commitMac: expected })
  const booked = {
    accounts: { float: 5000, merchantCash: -5000, suspense: 0 },
    card: { loadedMinor: 5000, counter: 1 },
  }
  expect(await figures()).toMatchObject(booked)
  expect(await kiosk.sync(kiosk.entry(card.commit(order)))).toMatchObject({ accepted: 1 })
  expect(await figures()).toMatchObject(booked)
})

test('the same bytes get the same answer; a retry at the same counter gets a new commit MAC and books nothing', async () => {
  const order = kiosk.loadOrder(5000)
  const request = kiosk.loadRequest(card, order)
  const first = await authoriseLoad(bench.issuer, request)
  expect(await authoriseLoad(bench.issuer, request)).toEqual(first)
  const retry = await kiosk.askLoad(kiosk.loadRequest(card, order))
  expect(retry.verdict).toBe('authorised')
  if ('refused' in first) throw new Error('refused')
  expect(retry.commitMac).not.toEqual(openLoadAnswer(kiosk.key(), first.answer).commitMac)
  expect(await figures()).toMatchObject({ accounts: { float: 5000 }, terminal: { loads: { count: 1 } } })
})

test('the same order at another counter is refused, and said so', async () => {
  const order = kiosk.loadOrder(5000)
  await kiosk.askLoad(kiosk.loadRequest(card, order))
  card.commit(order)
  expect(await kiosk.askLoad(kiosk.loadRequest(card, order))).toMatchObject({
    verdict: 'otherCounter',
    commitMac: zeroMac(),
  })
  expect(await figures()).toMatchObject({ accounts: { float: 5000 } })
})

test('a load is void when another record has its counter: taken back, and owed by who took the money', async () => {
  const map = await publish(bench.issuer, 'map', 250)
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 1000)))
  await kiosk.askLoad(kiosk.loadRequest(card, kiosk.loadOrder(5000)))
  expect(await figures()).toMatchObject({ accounts: { float: 6000 }, card: { balanceMinor: 6000, counter: 2 } })
  expect(await kiosk.sync(kiosk.entry(card.pay(kiosk, map)))).toMatchObject({ accepted: 1 })
  expect(await figures()).toMatchObject({
    accounts: { float: 750, merchantCash: -1000, payable: 250 },
    card: { loadedMinor: 1000, balanceMinor: 750, alarms: [] },
    terminal: { loads: { count: 1, amountMinor: 1000 }, owedBack: { count: 1, amountMinor: 5000 } },
  })
})

test.each([1, 0])('of two loads at one counter the record decides (%i)', async (which) => {
  const orders = [kiosk.loadOrder(5000), kiosk.loadOrder(700)]
  for (const order of orders)
    expect(await kiosk.askLoad(kiosk.loadRequest(card, order))).toMatchObject({ verdict: 'authorised' })
  expect(await figures()).toMatchObject({ accounts: { float: 700, suspense: 5000, merchantCash: -5700 } })
  const [committed, lost] = which === 1 ? [700, 5000] : [5000, 700]
  const order = orders[which]
  if (order === undefined) throw new Error('no order')
  expect(await kiosk.sync(kiosk.entry(card.commit(order)))).toMatchObject({ accepted: 1 })
  expect(await figures()).toMatchObject({
    accounts: { float: committed, suspense: 0, merchantCash: -committed },
    terminal: { owedBack: { count: 1, amountMinor: lost } },
  })
})

test('a card that offers a counter which is settled, or long behind it, is a copy: alarm, refused', async () => {
  const blank = card.copy()
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 1000)))
  expect(await kiosk.askLoad(kiosk.loadRequest(blank, kiosk.loadOrder(5)))).toMatchObject({ verdict: 'refused' })
  expect((await figures()).card?.alarms).toEqual([{ kind: 'clone', counter: 1 }])
  const old = card.copy()
  card.counter += 2
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 1000)))
  expect(await kiosk.askLoad(kiosk.loadRequest(old, kiosk.loadOrder(5)))).toMatchObject({ verdict: 'refused' })
  expect((await figures()).card?.alarms).toContainEqual({ kind: 'rollback', counter: 2 })
  expect(await figures()).toMatchObject({ accounts: { float: 2000 } })
})

test('is refused with its reason, and books nothing', async () => {
  const ask = async (changed: Parameters<TestTerminal['order']>[0], from = card) =>
    (await kiosk.askLoad(kiosk.loadRequest(from, kiosk.order(changed)))).verdict
  const load = { type: 'load', amountMinor: amountMinor(100) } as const
  expect(await ask({ ...load, itemHash: shortHash(new Uint8Array(16).fill(1)) })).toBe('notFunded')
  const rich = card.copy()
  rich.balanceMinor = 0xffffffff
  expect(await ask(load, rich)).toBe('limit')
  const lied = card.copy()
  lied.balanceMinor = 100
  expect(await ask(load, lied)).toBe('refused')
  const stranger = card.copy()
  Object.assign(stranger, { id: '00000000000000ff' })
  expect(await ask(load, stranger)).toBe('unknownCard')
  await bench.issuer.store.write((db) => db.updateTable('card').set({ status: 'hotlisted' }).execute())
  expect(await ask(load)).toBe('refused')
  expect(await figures()).toMatchObject({ accounts: { float: 0 }, card: { counter: 0 } })
})

test('one flipped bit, wherever it is, is refused', async () => {
  const request = kiosk.loadRequest(card, kiosk.loadOrder(5000))
  for (let at = 0; at < request.length; at += 1) {
    const bad = Uint8Array.from(request)
    bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8))
    expect(await authoriseLoad(bench.issuer, bad)).toHaveProperty('refused')
  }
  expect(await figures()).toMatchObject({ accounts: { float: 0 } })
})

test('an offer that the card did not make is refused and accuses the terminal', async () => {
  const other = await newCard(bench.issuer)
  const forger = card.copy()
  forger.loadKey = () => other.loadKey()
  const forged = kiosk.loadRequest(forger, kiosk.loadOrder(5))
  expect(await kiosk.askLoad(forged)).toMatchObject({ verdict: 'refused' })
  expect((await figures()).terminal?.alarms).toEqual([{ kind: 'offerMac' }])
})

test('that never came accuses no reversal that is known before its payment', async () => {
  const item = await publish(bench.issuer, 'map', 250)
  await kiosk.load(card, 1000)
  await kiosk.askLoad(kiosk.loadRequest(card, kiosk.loadOrder(800)))
  const other = await newTerminal(bench.issuer, 'Village')
  const paid = card.pay(other, item)
  const undone = card.reverse(paid)
  expect(await kiosk.sync(kiosk.entry(undone, 'witness'))).toMatchObject({ accepted: 1, exceptions: [] })
  expect(await other.sync(other.entry(paid), other.entry(undone))).toMatchObject({ accepted: 2, exceptions: [] })
  expect(await figures()).toMatchObject({ accounts: { float: 1000, payable: 0, suspense: 0 } })
})
