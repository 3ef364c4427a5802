import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { auditBooks } from './audit.ts'
import { closeCard, dueClosures, keepCard, runBreakage, setBreakageGrace } from './card-closure.ts'
import { blockForReason, registerCard, unblockForReason } from './cards.ts'
import { settleClaim } from './claims.ts'
import { addVoucherLot, fundingReport, makeCredit, makeVoucherCodes } from './funding.ts'
import { giveMoneyBack } from './money-back.ts'
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
let old: TestCard
let fresh: TestCard
const by = { name: 'cli:test' }
const daySeconds = 86_400
const heldSeconds = 45 * daySeconds

beforeEach(async () => {
  bench = await openBench()
  kiosk = await newTerminal(bench.issuer, 'Town')
  old = await newCard(bench.issuer)
  fresh = await newCard(bench.issuer)
  await kiosk.sync(kiosk.entry(await kiosk.load(old, 5000)))
})
afterEach(async () => {
  expect(await auditBooks(bench.issuer)).toEqual([])
  await bench.close()
})

const replace = (atIssuersRisk = false) =>
  closeCard(bench.issuer, by, {
    cardId: old.id,
    kind: 'replace',
    replacement: fresh.id,
    reason: 'lost on the train',
    atIssuersRisk,
  })
const refund = (atIssuersRisk = false, cardId: string = old.id) =>
  closeCard(bench.issuer, by, { cardId, kind: 'refund', reason: 'moves away', atIssuersRisk })
const accounts = async () => (await report(bench.issuer)).accounts
const reference = (outcome: Awaited<ReturnType<typeof closeCard | typeof giveMoneyBack>>): string => {
  if (outcome.outcome !== 'done' || outcome.reference === undefined) throw new Error('no credit')
  return outcome.reference
}

describe('a lost card', () => {
  test('is blocked at once; its value waits for what terminals may hold, then is a credit of the new card', async () => {
    const map = await publish(bench.issuer, 'map', 250)
    const readyAt = bench.clock.seconds + heldSeconds
    expect(await replace()).toEqual({
      outcome: 'waiting',
      cardId: old.id,
      readyAt,
      remainingMinor: 5000,
      creditsMinor: 0,
    })
    expect((await kiosk.askLoad(kiosk.loadRequest(old, kiosk.loadOrder(1)))).verdict).toBe('refused')
    const late = kiosk.entry(old.pay(kiosk, map))
    bench.clock.seconds += 1000
    await kiosk.sync(late)
    expect(await replace()).toMatchObject({ outcome: 'waiting', readyAt, remainingMinor: 4750 })
    bench.clock.seconds = readyAt
    expect(await dueClosures(bench.issuer, 10)).toMatchObject([{ cardId: old.id, due: true, replacement: fresh.id }])
    const done = await replace()
    expect(done).toMatchObject({ outcome: 'done', amountMinor: 4750, replacement: fresh.id })
    expect(await replace()).toMatchObject({ outcome: 'done', amountMinor: 4750, reference: reference(done) })
    expect(await accounts()).toMatchObject({ float: 0, credits: 4750, payable: 250 })
    await kiosk.sync(kiosk.entry(await kiosk.load(fresh, 4750, reference(done))))
    expect(await accounts()).toMatchObject({ float: 4750, credits: 0 })
  })

  test("at the issuer's risk goes at once; what comes late is booked, and stands below zero in its float", async () => {
    const map = await publish(bench.issuer, 'map', 250)
    const late = kiosk.entry(old.pay(kiosk, map))
    expect(await replace(true)).toMatchObject({ outcome: 'done', amountMinor: 5000 })
    expect(await kiosk.sync(late)).toMatchObject({ accepted: 1, exceptions: [] })
    expect(await accounts()).toMatchObject({ float: -250, credits: 5000, payable: 250 })
    const told = await bench.issuer.store.read(fundingReport)
    expect(told.closedCards).toEqual({ withdrawnMinor: 5000, overdrawnMinor: 250 })
  })

  test('what came onto a closed card later leaves it with the same request', async () => {
    const map = await publish(bench.issuer, 'map', 250)
    const paid = old.pay(kiosk, map)
    await kiosk.sync(kiosk.entry(paid))
    expect(await replace(true)).toMatchObject({ amountMinor: 4750 })
    await kiosk.sync(kiosk.entry(old.reverse(paid)))
    expect(await replace(true)).toMatchObject({ outcome: 'done', amountMinor: 250 })
    expect(await accounts()).toMatchObject({ float: 0, credits: 5000, payable: 0 })
  })

  test('what it made from nothing does not leave it', async () => {
    old.balanceMinor += 900
    const map = await publish(bench.issuer, 'map', 250)
    expect(await kiosk.sync(kiosk.entry(old.pay(kiosk, map)))).toMatchObject({ exceptions: [{ reason: 'balance' }] })
    expect(await replace(true)).toMatchObject({ outcome: 'done', amountMinor: 4750, unbackedMinor: 900 })
  })

  test('that is found is kept, and can be unblocked; one that is closed can not', async () => {
    await replace()
    await expect(unblockForReason(bench.issuer, by, { cardId: old.id, reason: 'found' })).rejects.toThrow('withdraw')
    await expect(refund()).rejects.toThrow('another way')
    await keepCard(bench.issuer, by, { cardId: old.id, reason: 'found' })
    await unblockForReason(bench.issuer, by, { cardId: old.id, reason: 'found' })
    expect((await kiosk.askLoad(kiosk.loadRequest(old, kiosk.loadOrder(1)))).verdict).toBe('authorised')
    await replace(true)
    await expect(unblockForReason(bench.issuer, by, { cardId: old.id, reason: 'found' })).rejects.toThrow('closed')
  })

  test('a replacement that is lost as well passes on what it was owed', async () => {
    const done = await replace(true)
    const third = await newCard(bench.issuer)
    expect(
      await closeCard(bench.issuer, by, {
        cardId: fresh.id,
        kind: 'replace',
        replacement: third.id,
        reason: 'lost too',
        atIssuersRisk: true,
      }),
    ).toMatchObject({
      ...{ outcome: 'done', amountMinor: 0, creditsMinor: 5000 },
      credits: [{ reference: reference(done), amountMinor: 5000 }],
    })
    await kiosk.load(third, 5000, reference(done))
    expect(await accounts()).toMatchObject({ float: 5000, credits: 0 })
  })

  test('is not replaced by itself, by a blocked one, or by one that nobody made', async () => {
    const into = (replacement: string) =>
      closeCard(bench.issuer, by, { cardId: old.id, kind: 'replace', replacement, reason: 'x' })
    await expect(into(old.id)).rejects.toThrow('another card')
    await expect(into('00000000000000ff')).rejects.toThrow('no card')
    await blockForReason(bench.issuer, by, { cardId: fresh.id, reason: 'stolen' })
    await expect(into(fresh.id)).rejects.toThrow('blocked itself')
    expect((await kiosk.askLoad(kiosk.loadRequest(old, kiosk.loadOrder(1)))).verdict).toBe('authorised')
  })
})

test('a refund pays balance and credits out through the bank, once', async () => {
  const map = await publish(bench.issuer, 'map', 250)
  const paid = old.pay(kiosk, map)
  await kiosk.sync(kiosk.entry(paid))
  await giveMoneyBack(bench.issuer, by, { cardId: old.id, counter: 2, reason: 'torn map', atRiskOf: 'merchant' })
  expect(await refund()).toMatchObject({ outcome: 'waiting', remainingMinor: 4750, creditsMinor: 250 })
  bench.clock.seconds += heldSeconds
  expect(await refund()).toMatchObject({ outcome: 'done', amountMinor: 4750, creditsMinor: 250 })
  expect(await refund()).toMatchObject({ outcome: 'done', amountMinor: 4750 })
  expect(await accounts()).toMatchObject({ float: 0, credits: 0, bank: 5000, payable: 0, merchantCash: -5000 })
  // What is owed to it later leaves by the same request.
  await bench.issuer.store.write(async (db) => {
    const { card_no: cardNo } = await db
      .selectFrom('card')
      .select('card_no')
      .where('card_id', '=', old.id)
      .executeTakeFirstOrThrow()
    const owed = { by, cardNo, amountMinor: 70, from: { kind: 'losses' }, cause: 'goodwill', document: 'x' } as const
    await makeCredit(bench.issuer, db, owed)
  })
  bench.clock.seconds += daySeconds
  expect(await refund()).toMatchObject({ outcome: 'done', amountMinor: 0, creditsMinor: 70 })
  expect(await accounts()).toMatchObject({ credits: 0, bank: 5070 })
})

test('a blocked card that a terminal has blocked for good stays so', async () => {
  await blockForReason(bench.issuer, by, { cardId: old.id, reason: 'stolen' })
  const block = old.commit(kiosk.order({ type: 'block' }))
  await kiosk.sync(kiosk.entry(block, 'witness'))
  await expect(unblockForReason(bench.issuer, by, { cardId: old.id, reason: 'found' })).rejects.toThrow('for good')
})

test('breakage comes after expiry and grace, is listed before it is booked, and is booked once', async () => {
  const expiresAt = bench.clock.seconds + 100
  for (const card of [old, fresh])
    await registerCard(bench.issuer, by, card.id, { expiresAt, balanceMaxMinor: 50_000, pinFreeMaxMinor: 0 })
  const codes = makeVoucherCodes(bench.issuer, 2)
  await addVoucherLot(bench.issuer, by, { codes, amountMinor: 1000, expiresAt, paidReference: 'transfer 1' })
  await setBreakageGrace(bench.issuer, by, 30)
  bench.clock.seconds = expiresAt + 30 * daySeconds
  const run = (book: boolean) => runBreakage(bench.issuer, by, { book })
  expect(await run(false)).toMatchObject({ cards: [], sumMinor: 0 })
  bench.clock.seconds += 1
  const listed = {
    graceDays: 30,
    cards: [{ cardId: old.id, amountMinor: 5000 }],
    vouchers: { count: 2, amountMinor: 2000 },
  }
  for (const book of [false, true]) expect(await run(book)).toMatchObject({ ...listed, booked: book, sumMinor: 7000 })
  expect(await run(true)).toMatchObject({ cards: [], sumMinor: 0 })
  expect(await accounts()).toMatchObject({ float: 0, breakage: 7000, vouchers: 0, bank: -2000 })
})

describe('money back', () => {
  const give = (counter: number, atRiskOf?: 'issuer' | 'merchant') =>
    giveMoneyBack(bench.issuer, by, {
      cardId: old.id,
      counter,
      reason: 'the map was torn',
      ...(atRiskOf === undefined ? {} : { atRiskOf }),
    })

  test('waits for the last word of the terminal that sold, then is loaded at the next counter or after a record settled that', async () => {
    const map = await publish(bench.issuer, 'map', 250)
    const paid = old.pay(kiosk, map)
    await kiosk.sync(kiosk.entry(paid))
    await expect(give(2)).rejects.toThrow('this sale stands')
    await kiosk.sync(kiosk.entry(paid, 'owed', 1))
    const given = await give(2)
    expect(given).toMatchObject({ amountMinor: 250, charged: 'merchant', onlyCounter: 3 })
    await expect(give(2)).rejects.toThrow('already')
    expect(await settleClaim(bench.issuer, kiosk.claim(paid), bench.issuer.clock())).toEqual({
      outcome: 'refused',
      reason: 'moneyBack',
    })
    expect(await accounts()).toMatchObject({ payable: 0, credits: 250, float: 4750 })
    const ahead = old.copy()
    ahead.counter += 1
    const ask = (at: TestCard) => kiosk.askLoad(kiosk.loadRequest(at, kiosk.loadOrder(250, reference(given))))
    expect(await ask(ahead)).toMatchObject({ verdict: 'notFunded' })
    await kiosk.sync(kiosk.entry(old.pay(kiosk, map)))
    expect(await ask(old)).toMatchObject({ verdict: 'authorised' })
    expect((await report(bench.issuer)).terminals).toMatchObject([{ moneyBack: { count: 1, amountMinor: 250 } }])
  })

  test('is not loaded when the payment was reversed after all', async () => {
    const map = await publish(bench.issuer, 'map', 250)
    const paid = old.pay(kiosk, map)
    await kiosk.sync(kiosk.entry(paid), kiosk.entry(paid, 'owed', 1))
    const given = await give(2)
    await kiosk.sync(kiosk.entry(old.reverse(paid)))
    const asked = await kiosk.askLoad(kiosk.loadRequest(old, kiosk.loadOrder(250, reference(given))))
    expect(asked.verdict).toBe('notFunded')
  })

  test("a hole behind the payment may be the reversal: only at somebody's risk", async () => {
    const map = await publish(bench.issuer, 'map', 250)
    const paid = old.pay(kiosk, map)
    old.pay(kiosk, map)
    await kiosk.sync(kiosk.entry(paid), kiosk.entry(paid, 'owed', 1), kiosk.entry(old.pay(kiosk, map)))
    await expect(give(2)).rejects.toThrow('#3 is missing')
    expect(await give(2, 'issuer')).toMatchObject({ charged: 'issuer' })
    expect(await accounts()).toMatchObject({ losses: -250, credits: 250, payable: 500 })
  })

  test('a reversal, a load, an exception, a counter that nobody knows: never', async () => {
    const map = await publish(bench.issuer, 'map', 250)
    const paid = old.pay(kiosk, map)
    await kiosk.sync(kiosk.entry(paid), kiosk.entry(old.reverse(paid)), kiosk.entry(old.pay(kiosk, map, 99)))
    await expect(give(1, 'issuer')).rejects.toThrow('no payment')
    await expect(give(2, 'issuer')).rejects.toThrow('was reversed')
    await expect(give(4, 'issuer')).rejects.toThrow('suspense')
    await expect(give(9, 'issuer')).rejects.toThrow('no settled #9')
  })
})
