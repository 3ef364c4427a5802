import { afterEach, beforeEach, expect, test } from 'vitest'
import { closeCard } from './card-closure.ts'
import { cardHistory, cardOverview } from './card-history.ts'
import { blockForReason, confirmPersonalised, registerCard, stock, unblockForReason } from './cards.ts'
import { giveMoneyBack } from './money-back.ts'
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
const by = { name: 'cli:test' }

beforeEach(async () => {
  bench = await openBench()
  kiosk = await newTerminal(bench.issuer, 'Town')
  card = await newCard(bench.issuer)
})
afterEach(() => bench.close())

const history = (page: Partial<Parameters<typeof cardHistory>[2]> = {}) =>
  bench.issuer.store.read((db) => cardHistory(db, card.id, { limit: 50, direction: 'ascending', ...page }))

test('everything that is known of a card stands in counter order, with the batch and the entry that brought it', async () => {
  const map = await publish(bench.issuer, 'map', 250)
  const loaded = await kiosk.load(card, 5000)
  const paid = card.pay(kiosk, map)
  card.pay(kiosk, map)
  const last = card.pay(kiosk, map)
  const doubt = card.copy().pay(kiosk, map)
  await kiosk.sync(kiosk.entry(loaded), kiosk.entry(paid), kiosk.entry(paid, 'owed', 1), kiosk.entry(last))
  await kiosk.sync(kiosk.entry(doubt, 'inDoubt'))
  await giveMoneyBack(bench.issuer, by, { cardId: card.id, counter: 2, reason: 'torn', atRiskOf: 'merchant' })
  const { rows, next } = await history()
  expect(next).toBeUndefined()
  expect(rows).toMatchObject([
    { counter: 1, kind: 'load', amountMinor: 5000, detail: 'merchantCash', proved: true, terminalId: kiosk.id },
    {
      counter: 2,
      kind: 'payment',
      amountMinor: 250,
      balanceAfterMinor: 4750,
      document: `batch ${kiosk.id}/1/1`,
      entry: 2,
    },
    { counter: 2, kind: 'owed' },
    { counter: 2, kind: 'moneyBack', amountMinor: 250, remark: 'merchant' },
    { counter: 3, lastCounter: 3, kind: 'hole', amountMinor: -250, remark: 'debit' },
    { counter: 4, kind: 'payment', document: `batch ${kiosk.id}/1/1`, entry: 4 },
    { counter: 5, kind: 'inDoubt', amountMinor: 250 },
    { counter: 5, kind: 'credit', amountMinor: 250, remark: 'open' },
  ])
})

test('pages follow each other without a gap, in either direction', async () => {
  const map = await publish(bench.issuer, 'map', 250)
  const made = [await kiosk.load(card, 5000), ...Array.from({ length: 6 }, () => card.pay(kiosk, map))]
  // Two doubts at one counter, of one terminal.
  const doubts = [card.copy().pay(kiosk, map), card.copy().pay(kiosk, map)]
  await kiosk.sync(...made.map((each) => kiosk.entry(each)), ...doubts.map((each) => kiosk.entry(each, 'inDoubt')))
  for (const direction of ['ascending', 'descending'] as const) {
    const all = (await history({ direction })).rows
    const paged = []
    let after: string | undefined
    do {
      const page = await history({ direction, limit: 2, ...(after === undefined ? {} : { after }) })
      paged.push(...page.rows)
      after = page.next
    } while (after !== undefined)
    expect(paged.map(({ counter, kind }) => [counter, kind])).toEqual(all.map(({ counter, kind }) => [counter, kind]))
  }
  await expect(history({ after: "1' OR 1" })).rejects.toThrow('no place')
})

test('the overview says how the card stands, why it is blocked, and what became of its money', async () => {
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 5000)))
  const overview = () => bench.issuer.store.read((db) => cardOverview(db, card.id))
  expect(await overview()).toMatchObject({
    status: 'active',
    balanceMinor: 5000,
    remainingMinor: 5000,
    holes: 0,
    alarms: [],
  })
  await blockForReason(bench.issuer, by, { cardId: card.id, reason: 'stolen' })
  await blockForReason(bench.issuer, by, { cardId: card.id, reason: 'again' })
  expect(await overview()).toMatchObject({
    status: 'hotlisted',
    blocked: { by: 'cli:test', reason: 'stolen', forGood: false },
  })
  await unblockForReason(bench.issuer, by, { cardId: card.id, reason: 'found' })
  expect(await overview()).not.toHaveProperty('blocked')
  const fresh = await newCard(bench.issuer)
  const request = { cardId: card.id, kind: 'replace', replacement: fresh.id, reason: 'dead' } as const
  await closeCard(bench.issuer, by, request)
  expect(await overview()).toMatchObject({ status: 'closing', closure: { kind: 'replace', replacement: fresh.id } })
  await closeCard(bench.issuer, by, { ...request, atIssuersRisk: true })
  expect(await overview()).toMatchObject({
    status: 'closed',
    withdrawnMinor: 5000,
    remainingMinor: 0,
    closure: { atRisk: true },
  })
})

test('stock are the cards that were made and never used; one that was cut short says so until it answers', async () => {
  const terms = { expiresAt: bench.clock.seconds + 1000, balanceMaxMinor: 50_000, pinFreeMaxMinor: 2500 }
  const other = await newCard(bench.issuer)
  for (const { id } of [card, other]) await registerCard(bench.issuer, by, id, terms)
  expect(await confirmPersonalised(bench.issuer, by, card.id)).toMatchObject({ first: true, ...terms })
  expect(await confirmPersonalised(bench.issuer, by, card.id)).toMatchObject({ first: false })
  const found = await stock(bench.issuer, 10)
  expect(found.total).toBe(1)
  expect(found.cards.map(({ cardId, personalisedAt }) => [cardId, personalisedAt !== undefined])).toEqual([
    [other.id, false],
    [card.id, true],
  ])
  await kiosk.load(card, 100)
  expect(await stock(bench.issuer, 10)).toMatchObject({ total: 0 })
})
