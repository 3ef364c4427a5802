import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { fundingHash } from '../protocol/funding-reference.ts'
import { unixTime } from '../protocol/quantities.ts'
import { closeCard } from './card-closure.ts'
import { decideCase } from './cases/actions.ts'
import { casesOf } from './cases/test-cases.ts'
import { settleClaim } from './claims.ts'
import { setFee } from './closing/payees.ts'
import { closeAllPeriods } from './closing/periods.ts'
import { explain } from './explain/explain.ts'
import { addVoucherLot, makeVoucherCodes } from './funding.ts'
import { openIssuer } from './issuer.ts'
import { rebuild } from './rebuild.ts'
import { report } from './report.ts'
import { makeDays } from './test-days.ts'
import { newCard, openBench, publish, testStoreUrl } from './test-support.ts'

const by = { name: 'test:rebuild' }
const day = 86_400

/** Days with every trouble, a voucher, a claim, closed periods with fees, a decision, a card that was replaced, and a late fact. */
const makeHistory = async () => {
  const bench = await openBench()
  const { issuer, clock } = bench
  const { terminals, cards } = await makeDays(bench, { kiosks: 3, days: 4, sales: 20, cards: 8 })
  const [kiosk, other] = terminals
  const [, lost, plain] = cards
  if (kiosk === undefined || other === undefined || lost === undefined || plain === undefined)
    throw new Error('too few')
  const late = kiosk.batch(kiosk.entry(plain.pay(kiosk, await publish(issuer, 'late', 100))))
  const [code = ''] = makeVoucherCodes(issuer, 1)
  await addVoucherLot(issuer, by, { codes: [code], amountMinor: 2000, expiresAt: clock.seconds + 90 * day })
  const fresh = await newCard(issuer)
  const order = { ...kiosk.loadOrder(2000), itemHash: fundingHash(code) }
  const answer = await kiosk.askLoad(kiosk.loadRequest(fresh, order))
  expect(answer.verdict).toBe('authorised')
  fresh.commit(order)
  const map = await publish(issuer, 'map', 250)
  await settleClaim(issuer, other.claim(fresh.pay(other, map), unixTime(clock.seconds + day)), unixTime(clock.seconds))
  clock.seconds += 2 * day
  const merchants = (await report(issuer)).merchants.map(({ merchant }) => merchant)
  for (const merchant of merchants)
    await setFee(issuer, { merchant, basisPoints: 150, fixedMinor: 2, by, fromDay: '2025-01-01' } as never).catch(
      () => undefined,
    )
  const yesterday = new Date((clock.seconds - day) * 1000).toISOString().slice(0, 10)
  await closeAllPeriods(issuer, { untilDay: yesterday, by })
  const [price] = (await casesOf(bench, 'exception')).filter(({ reason }) => reason === 'itemOrPrice')
  if (price !== undefined)
    await decideCase(issuer, { caseNo: price.caseNo, kind: 'payMerchant', reason: 'an old label', by: by.name })
  await closeCard(issuer, by, {
    cardId: lost.id,
    kind: 'replace',
    replacement: fresh.id,
    reason: 'lost',
    atIssuersRisk: true,
  })
  await kiosk.send(late)
  return { bench }
}

test('a book is made anew from its documents, in either database, to the cent and to the sentence', async () => {
  const { bench } = await makeHistory()
  const { issuer } = bench
  const target = await testStoreUrl(mkdtempSync(join(bench.folder, 'anew-')))
  const progress: number[] = []
  const rebuilt = await rebuild(issuer, target, ({ documents }) => progress.push(documents))
  expect(rebuilt).toMatchObject({ trialBalanceMinor: 0, differences: [] })
  expect(rebuilt.documents).toBeGreaterThan(20)
  expect(progress).toEqual(Array.from({ length: rebuilt.documents }, (_, index) => index + 1))
  const anew = await openIssuer({ url: target, clock: issuer.clock, randomBytes: issuer.randomBytes })
  expect(await report(anew)).toEqual(await report(issuer))
  expect(await explain(anew)).toEqual(await explain(issuer))
  // It goes on from there, and back.
  await publish(anew, 'next', 300)
  const back = `sqlite:${join(bench.folder, 'back.db')}`
  expect(await rebuild(anew, back)).toMatchObject({ documents: rebuilt.documents, differences: [] })
  await anew.store.close()
  await expect(rebuild(issuer, target)).rejects.toMatchObject({ code: 'storeExists' })
  await bench.close()
}, 60_000)

test('a book that was changed by hand is found out, and what was made of it is not opened', async () => {
  const { bench } = await makeHistory()
  const { issuer } = bench
  await issuer.store.write(async (db) => {
    await sql`UPDATE account SET balance_minor = balance_minor - 7 WHERE kind = 'suspense'`.execute(db)
    await sql`UPDATE account SET balance_minor = balance_minor + 7 WHERE kind = 'fees'`.execute(db)
  })
  const target = await testStoreUrl(mkdtempSync(join(bench.folder, 'anew-')))
  const { differences } = await rebuild(issuer, target)
  expect(differences.filter((each) => each.startsWith('the balance of an account'))).toHaveLength(4)
  await expect(openIssuer({ url: target, clock: issuer.clock, randomBytes: issuer.randomBytes })).rejects.toMatchObject(
    {
      code: 'storeForeign',
    },
  )
  await bench.close()
}, 60_000)
