import { afterEach, beforeEach, expect, test } from 'vitest'
import { auditBooks } from './audit.ts'
import { closeCard, keepCard } from './card-closure.ts'
import { addVoucherLot, makeVoucherCodes } from './funding.ts'
import { giveMoneyBack } from './money-back.ts'
import { report } from './report.ts'
import { refuseDecision, waitingDecisions } from './second-person.ts'
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
const [fay, gus] = [{ name: 'fay' }, { name: 'gus' }]
const daySeconds = 86_400

beforeEach(async () => {
  bench = await openBench()
  kiosk = await newTerminal(bench.issuer, 'Town')
  card = await newCard(bench.issuer)
})
afterEach(async () => {
  expect(await auditBooks(bench.issuer)).toEqual([])
  await bench.close()
})

const load = async (minor: number) => kiosk.sync(kiosk.entry(await kiosk.load(card, minor)))
const waiting = () => bench.issuer.store.read(waitingDecisions)
const accounts = async () => (await report(bench.issuer)).accounts
const lot = (by: { name: string }, count: number, paidReference?: string) =>
  addVoucherLot(bench.issuer, by, {
    codes: makeVoucherCodes(bench.issuer, count),
    amountMinor: 1000,
    expiresAt: Number(bench.issuer.clock()) - (Number(bench.issuer.clock()) % daySeconds) + 30 * daySeconds,
    ...(paidReference === undefined ? {} : { paidReference }),
  })
const refund = (by: { name: string }) =>
  closeCard(bench.issuer, by, { cardId: card.id, kind: 'refund', reason: 'moves away', atIssuersRisk: true })

test('vouchers on trust over the limit are valid when another person wants the same lot; paid ones need nobody', async () => {
  expect(await lot(fay, 100, 'transfer 1')).toMatchObject({ count: 100 })
  const asked = await lot(fay, 6)
  expect(asked).toMatchObject({ outcome: 'proposed', amountMinor: 6000, proposedBy: 'fay' })
  // Again, it waits as before; another lot is another decision.
  expect(await lot(fay, 6)).toEqual(asked)
  expect(await lot(gus, 7)).toMatchObject({ outcome: 'proposed', amountMinor: 7000, proposedBy: 'gus' })
  expect(await waiting()).toMatchObject([{ proposedBy: 'fay' }, { proposedBy: 'gus' }])
  expect(await lot(gus, 6)).toMatchObject({ count: 6 })
  expect(await waiting()).toMatchObject([{ proposedBy: 'gus', decision: { count: 7 } }])
})

test('a refund over the limit moves nothing before another person asks for it too', async () => {
  await load(6000)
  expect(await refund(fay)).toMatchObject({ outcome: 'proposed', amountMinor: 6000, cardId: card.id })
  expect(await refund(fay)).toMatchObject({ outcome: 'proposed' })
  expect(await accounts()).toMatchObject({ float: 6000, bank: 0 })
  expect(await refund(gus)).toMatchObject({ outcome: 'done', amountMinor: 6000 })
  expect(await accounts()).toMatchObject({ float: 0 })
})

test('a card that is kept is not refunded by who comes second', async () => {
  await load(6000)
  await refund(fay)
  await keepCard(bench.issuer, fay, { cardId: card.id, reason: 'found' })
  expect(await waiting()).toEqual([])
  expect(await refund(gus)).toMatchObject({ outcome: 'proposed', proposedBy: 'gus' })
})

test("money back at somebody's risk over the limit waits for another person, who may refuse it", async () => {
  const item = await publish(bench.issuer, 'tour', 6000)
  await load(8000)
  await kiosk.sync(kiosk.entry(card.pay(kiosk, item)))
  const give = (by: { name: string }) =>
    giveMoneyBack(bench.issuer, by, { cardId: card.id, counter: 2, reason: 'torn', atRiskOf: 'issuer' })
  const asked = await give(fay)
  if (asked.outcome !== 'proposed') throw new Error('one person gave it')
  await refuseDecision(bench.issuer, gus, { decisionNo: asked.decisionNo, reason: 'ask the merchant' })
  // Refused is refused: who comes second is the first again.
  expect(await give(gus)).toMatchObject({ outcome: 'proposed', proposedBy: 'gus' })
  expect(await give(fay)).toMatchObject({ outcome: 'done', amountMinor: 6000, charged: 'issuer' })
  await expect(refuseDecision(bench.issuer, gus, { decisionNo: asked.decisionNo, reason: 'x' })).rejects.toThrow(
    'waits',
  )
})

test('a proposal of a week ago is agreed to by nobody: the first proposes it anew, or the second refuses it first', async () => {
  const asked = await lot(fay, 6)
  if (!('outcome' in asked)) throw new Error('one person made it')
  const expiresAt = Number(bench.issuer.clock()) - (Number(bench.issuer.clock()) % daySeconds) + 30 * daySeconds
  const same = (by: { name: string }) =>
    addVoucherLot(bench.issuer, by, { codes: makeVoucherCodes(bench.issuer, 6), amountMinor: 1000, expiresAt })
  bench.clock.seconds += 7 * daySeconds - 1
  // A day's limit is his again: what he proposed stays a proposal.
  expect(await same(fay)).toMatchObject({ outcome: 'proposed', decisionNo: asked.decisionNo })
  bench.clock.seconds += 1
  await expect(same(gus)).rejects.toThrow(
    /fay proposed on \d{4}-\d\d-\d\d is older than 7 days.*propose it once more, or refuse decision 1 and/,
  )
  expect(await waiting()).toMatchObject([{ decisionNo: asked.decisionNo }])
  const anew = await same(fay)
  expect(anew).toMatchObject({ outcome: 'proposed', proposedBy: 'fay' })
  expect(anew).not.toMatchObject({ decisionNo: asked.decisionNo })
  expect(await same(gus)).toMatchObject({ count: 6 })
  expect(await waiting()).toEqual([])
})

test('one person by console and command is not two, and has one limit', async () => {
  const command = { name: 'cli:Fay' }
  expect(await lot(fay, 6)).toMatchObject({ outcome: 'proposed', proposedBy: 'fay' })
  for (const name of ['cli:fay', 'cli:Fay', 'cli:FAY ', 'Fay'])
    expect(await lot({ name }, 6), name).toMatchObject({ outcome: 'proposed', proposedBy: name })
  expect(await lot(fay, 3)).toMatchObject({ count: 3 })
  expect(await lot(command, 4)).toMatchObject({ outcome: 'proposed' })
  expect(await lot(gus, 6)).toMatchObject({ count: 6 })
})

test('what one person lets go within a day adds up, and is his alone', async () => {
  expect(await lot(fay, 3)).toMatchObject({ count: 3 })
  expect(await lot(fay, 3)).toMatchObject({ outcome: 'proposed' })
  expect(await lot(gus, 5)).toMatchObject({ count: 5 })
  bench.clock.seconds += daySeconds
  expect(await lot(fay, 4)).toMatchObject({ count: 4 })
})
