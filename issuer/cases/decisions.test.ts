import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Item } from '../../protocol/item.ts'
import { auditBooks } from '../audit.ts'
import { explain } from '../explain/explain.ts'
import { cancelCredit } from '../funding.ts'
import {
  type Bench,
  type Made,
  newCard,
  newTerminal,
  openBench,
  publish,
  type TestCard,
  type TestTerminal,
} from '../test-support.ts'
import { approveCase, decideCase, keepCase, refuseCase } from './actions.ts'
import { showCase } from './case-view.ts'
import { reconcileCases } from './round.ts'
import { balances, casesOf, total } from './test-cases.ts'

let bench: Bench
let map: Item
let town: TestTerminal
let station: TestTerminal
let card: TestCard
beforeEach(async () => {
  bench = await openBench()
  map = await publish(bench.issuer, 'map', 250)
  town = await newTerminal(bench.issuer, 'Town')
  station = await newTerminal(bench.issuer, 'Station')
  card = await newCard(bench.issuer)
  await town.sync(town.entry(await town.load(card, 20_000)))
})
afterEach(() => bench.close())

const only = async (cause: string): Promise<number> => {
  const [found, ...more] = await casesOf(bench, cause)
  if (found === undefined || more.length > 0) throw new Error(`not one case ${cause}`)
  return found.caseNo
}
const show = (caseNo: number) => bench.issuer.store.read((db) => showCase(db, caseNo, bench.issuer.clock()))

/** Whatever was decided, the day is explained to the cent and the books balance. */
const inOrder = async () => {
  const accounts = await balances(bench)
  expect(total(accounts)).toBe(0)
  expect(await explain(bench.issuer)).toMatchObject({ unexplainedMinor: 0, unexplainedCount: 0 })
  return accounts
}

/** A sale at another price than was published. */
const mismatch = async (amountMinor = 100): Promise<number> => {
  await town.sync(town.entry(card.pay(town, map, amountMinor)))
  return only('exception')
}
const hole = async (): Promise<{ caseNo: number; missing: Made }> => {
  const missing = card.pay(station, map)
  await town.sync(town.entry(card.pay(town, map)))
  return { caseNo: await only('hole'), missing }
}

describe('a sum in suspense', () => {
  test('is paid to the merchant that the case names, closes the case, and is explained', async () => {
    const caseNo = await mismatch()
    expect(await inOrder()).toMatchObject({ suspense: 100, 'payable Town': 0 })
    const decided = await decideCase(bench.issuer, { caseNo, by: 'fay', kind: 'payMerchant', reason: 'Old price tag.' })
    expect(decided).toMatchObject({ state: 'booked', suspenseMinor: 100, holesMinor: 0 })
    expect(await inOrder()).toMatchObject({ suspense: 0, 'payable Town': 100 })
    const { state, closedDocument, decisions } = await show(caseNo)
    expect({ state, closedDocument }).toEqual({
      state: 'closed',
      closedDocument: `case ${caseNo}, decision ${decided.decisionNo}`,
    })
    expect(decisions).toMatchObject([{ kind: 'payMerchant', state: 'booked', merchant: 'Town', approvedBy: 'fay' }])
    expect((await explain(bench.issuer)).closed).toMatchObject([
      { cause: 'exception', state: 'closed', suspenseMinor: 0, closed: { document: closedDocument } },
    ])
    expect(await auditBooks(bench.issuer)).toEqual([])
    // It stays closed, whatever else comes.
    await town.sync(town.entry(card.pay(town, map)))
    expect(await reconcileCases(bench.issuer)).toMatchObject({ opened: 0, reopened: 0, takenBack: 0 })
  })

  test.each([
    ['writeOff', { losses: 100 }],
    ['creditCard', { credits: 100 }],
  ] as const)('goes by %s where it is decided', async (kind, expected) => {
    const caseNo = await mismatch()
    await decideCase(bench.issuer, { caseNo, by: 'fay', kind, reason: 'So be it.' })
    expect(await inOrder()).toMatchObject({ suspense: 0, 'payable Town': 0, ...expected })
  })

  test('is kept with a reason until another day', async () => {
    const caseNo = await mismatch()
    const dueAt = bench.clock.seconds + 10 * 86_400
    await keepCase(bench.issuer, { caseNo, by: 'fay', reason: 'The merchant is asked.', dueAt })
    expect(await show(caseNo)).toMatchObject({ state: 'waiting', dueAt: new Date(dueAt * 1000).toISOString() })
    expect(await inOrder()).toMatchObject({ suspense: 100 })
  })

  test('is not charged to anybody; one that is missing is, and is not paid', async () => {
    const caseNo = await mismatch()
    const decide = (of: number, kind: 'payMerchant' | 'chargeMerchant') =>
      decideCase(bench.issuer, { caseNo: of, by: 'fay', kind, reason: 'So be it.' })
    await expect(decide(caseNo, 'chargeMerchant')).rejects.toMatchObject({ code: 'caseState' })
    // A reversal whose payment never came: the card has it, and nobody gave it.
    const other = await newCard(bench.issuer)
    await town.sync(town.entry(await town.load(other, 1000)))
    const unseen = other.pay(station, map)
    await town.sync(town.entry(other.reverse(unseen), 'witness'))
    const waits = await only('reversalWaits')
    await expect(decide(waits, 'payMerchant')).rejects.toMatchObject({ code: 'caseState' })
    await decide(waits, 'chargeMerchant')
    expect(await inOrder()).toMatchObject({ 'payable Station': -250 })
    // The payment comes after all: the reversal goes with it by itself, and the merchant has neither won nor lost.
    await station.sync(station.entry(unseen))
    await reconcileCases(bench.issuer)
    expect(await inOrder()).toMatchObject({ 'payable Station': 0, suspense: 100 })
  })
})

describe('over the limit', () => {
  test('a proposal of a week ago is approved by nobody: it is refused, and decided anew', async () => {
    const caseNo = await mismatch(6000)
    const decide = { caseNo, by: 'fay', kind: 'writeOff', reason: 'Goodwill.' } as const
    await decideCase(bench.issuer, decide)
    bench.clock.seconds += 7 * 86_400
    await expect(approveCase(bench.issuer, { caseNo, by: 'gus' })).rejects.toThrow(/older than 7 days.*Refuse it/)
    expect(await inOrder()).toMatchObject({ suspense: 6000, losses: 0 })
    await refuseCase(bench.issuer, { caseNo, by: 'gus', reason: 'too old' })
    expect(await decideCase(bench.issuer, { ...decide, by: 'gus' })).toMatchObject({ state: 'proposed' })
    expect(await approveCase(bench.issuer, { caseNo, by: 'fay' })).toMatchObject({ state: 'booked' })
  })

  test('another person approves; who proposed it cannot, and nothing is booked before', async () => {
    const caseNo = await mismatch(6000)
    const decide = { caseNo, by: 'fay', kind: 'writeOff', reason: 'Goodwill.' } as const
    expect(await decideCase(bench.issuer, decide)).toMatchObject({ state: 'proposed' })
    expect(await show(caseNo)).toMatchObject({ state: 'proposed' })
    expect(await inOrder()).toMatchObject({ suspense: 6000, losses: 0 })
    await expect(approveCase(bench.issuer, { caseNo, by: 'fay' })).rejects.toMatchObject({ code: 'fourEyes' })
    await expect(decideCase(bench.issuer, decide)).rejects.toMatchObject({ code: 'caseState' })
    expect(await approveCase(bench.issuer, { caseNo, by: 'gus' })).toMatchObject({ state: 'booked' })
    expect(await inOrder()).toMatchObject({ suspense: 0, losses: 6000 })
    await expect(approveCase(bench.issuer, { caseNo, by: 'gus' })).rejects.toMatchObject({ code: 'caseState' })
    const log = await bench.issuer.store.read((db) => db.selectFrom('audit_log').select(['name', 'action']).execute())
    expect(log).toEqual([
      { name: 'fay', action: 'case.decide' },
      { name: 'gus', action: 'case.approve' },
    ])
  })

  test('another person refuses, and something else is decided', async () => {
    const caseNo = await mismatch(6000)
    await decideCase(bench.issuer, { caseNo, by: 'fay', kind: 'writeOff', reason: 'Goodwill.' })
    await refuseCase(bench.issuer, { caseNo, by: 'gus', reason: 'It is his.' })
    expect(await show(caseNo)).toMatchObject({ state: 'open', decisions: [{ state: 'refused', approvedBy: 'gus' }] })
    await decideCase(bench.issuer, { caseNo, by: 'fay', kind: 'payMerchant', reason: 'It is his.' })
    await approveCase(bench.issuer, { caseNo, by: 'gus' })
    expect(await inOrder()).toMatchObject({ suspense: 0, 'payable Town': 6000 })
  })

  test('what one person decided alone within a day counts', async () => {
    const one = { by: 'fay', kind: 'writeOff', reason: 'Goodwill.' } as const
    const first = await mismatch(3000)
    expect(await decideCase(bench.issuer, { ...one, caseNo: first })).toMatchObject({ state: 'booked' })
    await town.sync(town.entry(card.pay(town, map, 3000)))
    const second = (await casesOf(bench, 'exception')).find(({ state }) => state === 'open')?.caseNo ?? 0
    expect(await decideCase(bench.issuer, { ...one, caseNo: second })).toMatchObject({ state: 'proposed' })
  })

  test('the limit is a setting', async () => {
    await bench.issuer.store.write((db) =>
      db.insertInto('setting').values({ key: 'fourEyesMinor', value: '99' }).execute(),
    )
    const caseNo = await mismatch()
    const decide = { caseNo, by: 'fay', kind: 'writeOff', reason: 'Goodwill.' } as const
    expect(await decideCase(bench.issuer, decide)).toMatchObject({ state: 'proposed' })
  })
})

describe('a credit', () => {
  const credit = async () => {
    const { issuer } = bench
    const row = await issuer.store.read((db) => db.selectFrom('funding').selectAll().executeTakeFirstOrThrow())
    return row
  }

  test('is owed to the card by a reference; one that a person took back opens the case again', async () => {
    const { issuer } = bench
    const caseNo = await mismatch()
    await decideCase(issuer, { caseNo, by: 'fay', kind: 'creditCard', reason: 'He paid twice.' })
    const { amount_minor, reference, state } = await credit()
    expect({ amount_minor, state }).toEqual({ amount_minor: 100, state: 'open' })
    expect(await auditBooks(issuer)).toEqual([])
    await cancelCredit(issuer, { name: 'gus' }, { reference: reference ?? '', reason: 'He did not.' })
    expect(await inOrder()).toMatchObject({ suspense: 100, credits: 0 })
    expect(await reconcileCases(issuer)).toMatchObject({ reopened: 1 })
    expect(await show(caseNo)).toMatchObject({ state: 'open', suspenseMinor: 100 })
    expect(await inOrder()).toMatchObject({ suspense: 100, credits: 0 })
    expect(await auditBooks(issuer)).toEqual([])
  })
})

describe('when the missing entry comes after all', () => {
  test.each(['payMerchant', 'writeOff', 'creditCard'] as const)('%s is taken back, once', async (kind) => {
    const { caseNo, missing } = await hole()
    await decideCase(bench.issuer, { caseNo, by: 'fay', kind, merchant: 'Town', reason: 'Its disk is gone.' })
    expect(await inOrder()).toMatchObject({ suspense: 0 })
    await station.sync(station.entry(missing))
    // Until it is taken back, it is told as a case of its own.
    expect(await inOrder()).toMatchObject({ suspense: -250 })
    expect(await reconcileCases(bench.issuer)).toMatchObject({ takenBack: 1 })
    expect(await reconcileCases(bench.issuer)).toMatchObject({ takenBack: 0 })
    expect(await inOrder()).toMatchObject({
      suspense: 0,
      losses: 0,
      credits: 0,
      'payable Town': 250,
      'payable Station': 250,
    })
    expect(await show(caseNo)).toMatchObject({
      state: 'closed',
      closedDocument: `batch ${station.id}/1/1`,
      decisions: [{ state: 'takenBack' }],
    })
    expect((await show(caseNo)).closedBy).toBeUndefined()
  })

  test('what was only proposed is void, and cannot be approved', async () => {
    const { caseNo, missing } = await hole()
    await bench.issuer.store.write((db) =>
      db.insertInto('setting').values({ key: 'fourEyesMinor', value: '0' }).execute(),
    )
    await decideCase(bench.issuer, { caseNo, by: 'fay', kind: 'writeOff', reason: 'Gone.' })
    await station.sync(station.entry(missing))
    await expect(approveCase(bench.issuer, { caseNo, by: 'gus' })).rejects.toMatchObject({ code: 'caseState' })
    await reconcileCases(bench.issuer)
    expect(await inOrder()).toMatchObject({ suspense: 0, losses: 0, 'payable Station': 250 })
  })
})
