import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Item } from '../../protocol/item.ts'
import { auditBooks } from '../audit.ts'
import { decideCase } from '../cases/actions.ts'
import { reconcileCases } from '../cases/round.ts'
import { casesOf } from '../cases/test-cases.ts'
import { cashLines } from '../console-contract/statement-lines.ts'
import type { Issuer } from '../issuer.ts'
import { addMerchant } from '../parties.ts'
import { book } from '../postings.ts'
import { report } from '../report.ts'
import {
  type Bench,
  newCard,
  newTerminal,
  openBench,
  publish,
  type TestCard,
  type TestTerminal,
} from '../test-support.ts'
import { closeDay, closedDay } from './days.ts'
import { payInCash, setFee, setMerchant } from './payees.ts'
import {
  closeAllPeriods,
  closePeriod,
  listPeriods,
  previewAllPeriods,
  previewPeriod,
  readStatement,
} from './periods.ts'

const by = { name: 'test' }
const daySeconds = 86_400
/** Of the test bench's clock. */
const firstDay = '2025-11-13'
const secondDay = '2025-11-14'
const thirdDay = '2025-11-15'
const iban = 'AT611904300234573201'

let bench: Bench
let issuer: Issuer
let kiosk: TestTerminal
let card: TestCard
let map: Item
beforeEach(async () => {
  bench = await openBench()
  issuer = bench.issuer
  map = await publish(issuer, 'map', 250)
  kiosk = await newTerminal(issuer, 'Town')
  card = await newCard(issuer)
  await kiosk.sync(kiosk.entry(await kiosk.load(card, 5000)))
})
afterEach(() => bench.close())

const nextDay = () => {
  bench.clock.seconds += daySeconds
}
const sell = async (count: number) => {
  const made = Array.from({ length: count }, () => card.pay(kiosk, map))
  await kiosk.sync(...made.map((each) => kiosk.entry(each)))
  return made
}
const close = (untilDay: string) => closePeriod(issuer, { merchant: 'Town', untilDay, by })
const account = async (kind: string) => (await report(issuer)).accounts[kind as 'bank']

describe('days', () => {
  test('a late fact goes into the open day; the figures of a closed one stay', async () => {
    await sell(2)
    const late = card.pay(kiosk, map)
    nextDay()
    expect(await closeDay(issuer, { by })).toEqual({ day: firstDay, closed: [firstDay] })
    const before = await closedDay(issuer, firstDay)
    await kiosk.sync(kiosk.entry(late))
    expect(await closedDay(issuer, firstDay)).toEqual(before)
    expect(before.accounts).toContainEqual({ kind: 'payable', merchant: 'Town', balanceMinor: 500 })
    const days = await issuer.store.read((db) =>
      db.selectFrom('transfer').select('business_day').orderBy('transfer_no').execute(),
    )
    expect(days.map((row) => row.business_day)).toEqual([firstDay, firstDay, firstDay, secondDay])
    expect(await closeDay(issuer, { day: firstDay, by })).toEqual({ day: firstDay, closed: [] })
  })

  test('today cannot be closed; what is booked after a clock went back still goes into an open day', async () => {
    await expect(closeDay(issuer, { day: firstDay, by })).rejects.toMatchObject({
      code: 'refused',
      message: /not over/,
    })
    nextDay()
    await closeDay(issuer, { by })
    bench.clock.seconds -= daySeconds
    await sell(1)
    const last = await issuer.store.read((db) =>
      db.selectFrom('transfer').select('business_day').orderBy('transfer_no', 'desc').limit(1).executeTakeFirst(),
    )
    expect(last?.business_day).toBe(secondDay)
  })

  test('an account that is not the sum of its transfers stops the closing', async () => {
    await issuer.store.write(async (db) => {
      await sql`UPDATE account SET balance_minor = balance_minor + 1 WHERE kind = 'fees'`.execute(db)
      await sql`UPDATE account SET balance_minor = balance_minor - 1 WHERE kind = 'holes'`.execute(db)
    })
    nextDay()
    await expect(closeDay(issuer, { by })).rejects.toThrow('is not the sum of its transfers')
    expect(await auditBooks(issuer)).toEqual([
      'account 2 (fees) is not the sum of its transfers',
      'account 4 (holes) is not the sum of its transfers',
    ])
  })
})

describe('the database refuses', () => {
  const run = (statement: string) => issuer.store.write((db) => sql.raw(statement).execute(db))
  const posting = (columns: string, values: string) =>
    `INSERT INTO transfer (from_account, to_account, amount_minor, cause, document, booked_at${columns}) VALUES (1, 2, 5, 'x', 'x', 1${values})`

  test('to commit books that do not balance', async () => {
    await expect(run("UPDATE account SET balance_minor = balance_minor + 1 WHERE kind = 'fees'")).rejects.toThrow()
    await expect(run("UPDATE account SET balance_minor = 1 WHERE kind = 'bank'")).rejects.toThrow()
    await expect(run('DELETE FROM account')).rejects.toThrow('never deleted')
    await expect(run("INSERT INTO account (kind) VALUES ('fees')")).rejects.toThrow()
    expect(await auditBooks(issuer)).toEqual([])
  })

  test('what would change a closed day or period', async () => {
    nextDay()
    await close(firstDay)
    for (const statement of [
      posting(', business_day', `, '${firstDay}'`),
      posting('', ''),
      posting(', business_day, period_no', `, '${thirdDay}', 1`),
      'UPDATE closed_day_balance SET balance_minor = 0',
      'DELETE FROM closed_day_posting',
      `INSERT INTO closed_day_posting VALUES ('${firstDay}', 1, 'x', 1, 1, 0, 0)`,
      `INSERT INTO closed_day VALUES ('2025-11-12', 1, 'x')`,
      "UPDATE period SET statement = '{}'",
      'DELETE FROM period',
    ])
      await expect(run(statement), statement).rejects.toThrow(/never changes|never deleted|not-null/)
  })
})

describe('a period', () => {
  test('charges fees, sets cash off, pays the rest, and says how', async () => {
    await setFee(issuer, { merchant: 'Town', rate: { basisPoints: 250, fixedMinor: 3, fromDay: firstDay }, by })
    await setMerchant(issuer, { merchant: 'Town', details: { iban, legalName: 'Town & Söhne', town: 'Wien' }, by })
    await payInCash(issuer, { merchant: 'Town', amountMinor: 4500, document: '4711', by })
    const [, second] = await sell(4)
    if (second === undefined) throw new Error('no sale')
    nextDay()
    const preview = await previewPeriod(issuer, { merchant: 'Town', untilDay: firstDay })
    expect(await previewAllPeriods(issuer, firstDay)).toContainEqual(preview)
    const closed = await close(firstDay)
    expect(await previewAllPeriods(issuer, firstDay)).not.toContainEqual(preview)
    // 2.5 % of 10.00 and 4 times 0.03; of 9.63 the cash of 5.00 is set off but for what was paid in.
    expect(closed).toMatchObject({ periodNo: 1, feeMinor: 37, payoutMinor: 463, dueMinor: 0, closingMinor: 0 })
    const statement = await readStatement(issuer, 1)
    expect(statement).toMatchObject({
      ...preview,
      reference: 'FARTHING-P000001-20251113',
      cash: { loads: { count: 1, amountMinor: 5000 }, paidInMinor: 4500, offsetMinor: 500, closingMinor: 0 },
      days: [{ day: firstDay, sales: { count: 4, amountMinor: 1000 } }],
    })
    expect((await report(issuer)).accounts).toMatchObject({ payable: 0, merchantCash: 0, fees: 37, bank: 463 - 4500 })
    expect(await auditBooks(issuer)).toEqual([])
    // The same again, and at once from two sides, is the same period.
    const again = await Promise.all([close(firstDay), close(firstDay)])
    expect(again.map(({ periodNo, closedNow }) => ({ periodNo, closedNow }))).toEqual([
      { periodNo: 1, closedNow: false },
      { periodNo: 1, closedNow: false },
    ])
  })

  test('sets off no cash that was paid in before the closing, though after the last day', async () => {
    await setMerchant(issuer, { merchant: 'Town', details: { iban }, by })
    await sell(4)
    nextDay()
    await payInCash(issuer, { merchant: 'Town', amountMinor: 4700, document: '4711', by })
    // 50.00 are owed on the last day, 47.00 came since: 3.00 are set off.
    expect(await close(firstDay)).toMatchObject({ payoutMinor: 700, dueMinor: 0 })
    const cash = { offsetMinor: 300, closingMinor: 4700, paidInSinceMinor: 4700 }
    const statement = await readStatement(issuer, 1)
    expect(statement).toMatchObject({ cash })
    expect(cashLines(statement).at(-1)?.label).toBe('Still owed on the last day (47.00 came since)')
    nextDay()
    expect(await close(secondDay)).toMatchObject({ payoutMinor: 0, dueMinor: 0 })
    expect((await readStatement(issuer, 2)).cash).toMatchObject({
      openingMinor: 4700,
      paidInMinor: 4700,
      closingMinor: 0,
    })
    expect((await report(issuer)).accounts).toMatchObject({ payable: 0, merchantCash: 0 })
  })

  test('carries over what is held, and pays it when the missing entry comes', async () => {
    await setMerchant(issuer, { merchant: 'Town', details: { iban }, by })
    await payInCash(issuer, { merchant: 'Town', amountMinor: 5000, document: '4711', by })
    const [first, missing, third] = [card.pay(kiosk, map), card.pay(kiosk, map), card.pay(kiosk, map)]
    await kiosk.sync(kiosk.entry(first), kiosk.entry(third))
    nextDay()
    expect(await close(firstDay)).toMatchObject({ payoutMinor: 250, heldMinor: 250, closingMinor: 250 })
    expect((await readStatement(issuer, 1)).held.payments).toMatchObject([{ reason: 'hole', counter: 2 }])
    await kiosk.sync(kiosk.entry(missing))
    nextDay()
    expect(await close(secondDay)).toMatchObject({ payoutMinor: 500, heldMinor: 0, closingMinor: 0 })
    expect(await readStatement(issuer, 2)).toMatchObject({ openingMinor: 250, sales: { count: 1, amountMinor: 250 } })
  })

  test('pays what stood before a hole when a person has decided what the hole was', async () => {
    await setMerchant(issuer, { merchant: 'Town', details: { iban }, by })
    await payInCash(issuer, { merchant: 'Town', amountMinor: 5000, document: '4711', by })
    const [first, , third] = [card.pay(kiosk, map), card.pay(kiosk, map), card.pay(kiosk, map)]
    await kiosk.sync(kiosk.entry(first), kiosk.entry(third))
    await reconcileCases(issuer)
    const [hole] = await casesOf(bench, 'hole')
    if (hole === undefined) throw new Error('no hole')
    await decideCase(issuer, {
      caseNo: hole.caseNo,
      kind: 'payMerchant',
      merchant: 'Town',
      reason: 'its till roll',
      by: 'ann',
    })
    nextDay()
    expect(await close(firstDay)).toMatchObject({ payoutMinor: 750, heldMinor: 0, closingMinor: 0 })
  })

  test('holds a payment whose reversal is in doubt, and lists what waits for a person', async () => {
    await setMerchant(issuer, { merchant: 'Town', details: { iban }, by })
    await payInCash(issuer, { merchant: 'Town', amountMinor: 5000, document: '4711', by })
    const payment = card.pay(kiosk, map)
    const reversal = card.reverse(payment)
    await kiosk.sync(kiosk.entry(payment), kiosk.entry(reversal, 'inDoubt'))
    const other = await newCard(issuer)
    await kiosk.sync(kiosk.entry(await kiosk.load(other, 100)), kiosk.entry(other.pay(kiosk, map, 1)))
    nextDay()
    const closed = await close(firstDay)
    expect(closed).toMatchObject({ payoutMinor: 0, heldMinor: 250 })
    const { held, notPaid, exceptions } = await readStatement(issuer, closed.periodNo)
    expect({ held: held.count, notPaid, exceptions: exceptions.count }).toEqual({
      held: 1,
      notPaid: 'allHeld',
      exceptions: 1,
    })
    await kiosk.sync(kiosk.entry(reversal, 'captured', bench.clock.seconds))
    nextDay()
    const next = await close(secondDay)
    expect(next).toMatchObject({ payoutMinor: 0, heldMinor: 0, closingMinor: 0 })
    const told = await readStatement(issuer, next.periodNo)
    expect(told.reversals).toEqual({ count: 1, amountMinor: 250 })
    expect(told.exceptions.list).toMatchObject([{ reason: 'itemOrPrice', counter: 2, amountMinor: 1 }])
    // A person decided: it is not carried over any more.
    await reconcileCases(issuer)
    await issuer.store.write((db) =>
      db
        .updateTable('case_file')
        .set({ state: 'closed', closed_at: 1 })
        .where('card_id', '=', other.id)
        .where('counter', '=', 2)
        .execute(),
    )
    nextDay()
    const last = await readStatement(issuer, (await close(thirdDay)).periodNo)
    expect(last.exceptions).toEqual({ count: 0, amountMinor: 0, list: [] })
  })

  test('gives the fee of a reversed sale back in the next one', async () => {
    await setFee(issuer, { merchant: 'Town', rate: { basisPoints: 330, fixedMinor: 5, fromDay: firstDay }, by })
    const [payment] = await sell(1)
    if (payment === undefined) throw new Error('no sale')
    nextDay()
    // 8.25 away from zero, and 5.
    expect(await close(firstDay)).toMatchObject({ feeMinor: 13 })
    await kiosk.sync(kiosk.entry(card.reverse(payment)))
    nextDay()
    expect(await close(secondDay)).toMatchObject({ feeMinor: -13 })
    expect(await account('fees')).toBe(0)
    expect(await auditBooks(issuer)).toEqual([])
  })

  test('pays nobody whose account is unknown, and says what a merchant owes', async () => {
    await sell(4)
    nextDay()
    expect(await close(firstDay)).toMatchObject({ payoutMinor: 0, dueMinor: 4000, closingMinor: 0 })
    await payInCash(issuer, { merchant: 'Town', amountMinor: 4000, document: '4711', by })
    await sell(1)
    nextDay()
    expect(await close(secondDay)).toMatchObject({ payoutMinor: 0, dueMinor: 0, closingMinor: 250 })
    expect((await readStatement(issuer, 2)).notPaid).toBe('noBankAccount')
    await expect(payInCash(issuer, { merchant: 'Town', amountMinor: 1, document: '4711', by })).rejects.toMatchObject({
      code: 'refused',
    })
  })

  test('takes in what others booked to the merchant, by its cause', async () => {
    await issuer.store.write((db) =>
      book(
        db,
        {
          from: { kind: 'losses' },
          to: { kind: 'payable', merchantNo: 1 },
          amountMinor: 70,
          cause: 'writeOff',
          document: 'case 1',
        },
        issuer.clock(),
      ),
    )
    nextDay()
    await close(firstDay)
    expect(await readStatement(issuer, 1)).toMatchObject({ others: [{ cause: 'writeOff', amountMinor: 70 }] })
  })

  test('of all merchants closes those that were there; the same day may be closed again, a shorter one not', async () => {
    await addMerchant(issuer, 'Station')
    nextDay()
    nextDay()
    await addMerchant(issuer, 'Late')
    expect(await closeAllPeriods(issuer, { untilDay: secondDay, by })).toMatchObject([
      { merchant: 'Town', fromDay: firstDay, untilDay: secondDay, closedNow: true },
      { merchant: 'Station', closedNow: true },
    ])
    expect(await closeAllPeriods(issuer, { untilDay: secondDay, by })).toMatchObject([
      { closedNow: false },
      { closedNow: false },
    ])
    await expect(close(firstDay)).rejects.toMatchObject({ message: /never changes/ })
    await expect(close(thirdDay)).rejects.toMatchObject({ message: /not over/ })
    nextDay()
    expect(await close(thirdDay)).toMatchObject({ fromDay: thirdDay, untilDay: thirdDay })
    expect(await listPeriods(issuer, { merchant: 'Town' })).toMatchObject([{ periodNo: 3 }, { periodNo: 1 }])
  })

  test('may end with a day that was closed with later ones', async () => {
    nextDay()
    nextDay()
    nextDay()
    await closeDay(issuer, { day: thirdDay, by })
    expect(await close(secondDay)).toMatchObject({ untilDay: secondDay, closedNow: true })
  })

  test('takes no fee that begins in it once it is closed', async () => {
    nextDay()
    await close(firstDay)
    const fee = (fromDay: string) =>
      setFee(issuer, { merchant: 'Town', rate: { basisPoints: 1, fixedMinor: 0, fromDay }, by })
    await expect(fee(firstDay)).rejects.toMatchObject({ message: /is closed/ })
    expect(await fee(secondDay)).toHaveLength(1)
  })
})
