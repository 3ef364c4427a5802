/** A card that was opened: its owner has its own three keys and makes it say what he likes, with right MACs. */
import { expect, onTestFinished, test } from 'vitest'
import type { CardState } from '../../card/purse-state.ts'
import { loadCard } from '../../main/load.ts'
import { finishOpen } from '../../main/purchase/purchase.ts'
import type { CardChannel } from '../../main/reader/card-reader.ts'
import type { TestCard } from '../../main/test-terminal.ts'
import { channelTo } from '../../main/test-terminal.ts'
import {
  encodeCommitAnswer,
  encodeReadRecordAnswer,
  encodeResponse,
  instruction,
  parseCommitAnswer,
  parseResponse,
  statusWord,
} from '../../protocol/apdu.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { acceptanceMac, macKey, settlementMac } from '../../protocol/mac.ts'
import { amountMinor, counter, mac, shortHash, zeroHash } from '../../protocol/quantities.ts'
import { type CardRecord, encodeRecord, parseRecord } from '../../protocol/record.ts'
import { mapPriceMinor, openScene } from './scene.ts'

const setUp = async () => {
  const scene = await openScene(onTestFinished)
  const kiosk = await scene.kiosk('Town')
  const other = await scene.kiosk('Port')
  const card = await scene.card({ at: kiosk })
  await kiosk.sync()
  return { scene, kiosk, other, card }
}

/** The owner writes into the chip's memory. */
const rewrite = (card: TestCard, changes: Partial<CardState>) => card.rollBack({ ...card.state, ...changes })

/** Both MACs of a record, as the opened chip makes them. */
const signed = (card: TestCard, record: CardRecord) => {
  const bytes = encodeRecord(record)
  const settlement = settlementMac(macKey(fromHex(card.state.settleKey, 32)), bytes)
  const acceptance = acceptanceMac(macKey(fromHex(card.state.payKey, 32)), bytes, settlement)
  return { record: bytes, settlementMac: settlement, acceptanceMac: acceptance }
}
const logEntry = (card: TestCard, record: CardRecord): CardState['log'][number] => {
  const made = signed(card, record)
  return {
    record: toHex(made.record),
    settlementMac: toHex(made.settlementMac),
    acceptanceMac: toHex(made.acceptanceMac),
  }
}
const newest = (card: TestCard): CardRecord => {
  const [record] = card.records
  if (record === undefined) throw new Error('this card has a record')
  return record
}

/** Answers to one instruction are the owner's. */
const lying = (card: TestCard, which: number, lie: (answer: Uint8Array) => Uint8Array): CardChannel => {
  card.reset()
  return {
    transmit: async (command) => {
      const answer = card.answers(command)
      return command[1] === which ? lie(answer) : answer
    },
  }
}
const asResponse = (data: Uint8Array) => encodeResponse({ data, status: statusWord.ok })

test('a wrong balance: what it claims above its loads is bought from nobody, and paid to no merchant', async () => {
  const { scene, kiosk, card } = await setUp()
  rewrite(card, { balanceMinor: amountMinor(90_000) })
  for (let sale = 0; sale < 6; sale += 1) expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  await kiosk.sync()
  expect(await scene.exceptionsOf(kiosk)).toContain('balance')
  const { accounts, trialBalanceMinor } = await scene.figures()
  expect(accounts.payable).toBeLessThanOrEqual(1000)
  expect(trialBalanceMinor).toBe(0)
  expect((await scene.cardFigures(card)).alarms).toContainEqual({ kind: 'balance', counter: 2 })
})

test('a counter far ahead: a named hole, and no cent more than was loaded', async () => {
  const { scene, kiosk, card } = await setUp()
  rewrite(card, { counter: counter(50), log: [] })
  for (let sale = 0; sale < 4; sale += 1) expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'declined', reason: 'balanceTooLow' })
  await kiosk.sync()
  expect(await scene.payableMinor(kiosk)).toBe(1000)
  expect((await scene.cardFigures(card)).holes).toEqual([
    { counter: 2, lastCounter: 50, amountMinor: 0, direction: 'none', explanation: 'nothing' },
  ])
  // Back to an old counter it is refused here, and elsewhere it repeats what is settled.
  rewrite(card, { counter: counter(50), balanceMinor: amountMinor(1000), log: [] })
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'declined', reason: 'cardSuspect' })
})

test.each<[string, Partial<CardRecord['order']>, number]>([
  ['a smaller amount', { amountMinor: amountMinor(1) }, 999],
  ['another item', { itemHash: shortHash(new Uint8Array(16).fill(5)) }, 750],
  ['another lock', { lock: new Uint8Array(16).fill(5) }, 750],
])('the right MACs over %s than was asked for: no goods, and the doubt stays', async (_name, changes, balance) => {
  const { scene, kiosk, card } = await setUp()
  const other = () => {
    const record = newest(card)
    const balanceAfterMinor = amountMinor(balance)
    return {
      balanceAfterMinor,
      ...signed(card, { ...record, balanceAfterMinor, order: { ...record.order, ...changes } }),
    }
  }
  card.reset()
  const outcome = await kiosk.sell({
    transmit: async (command) => {
      const answer = card.answers(command)
      if (parseResponse(answer).status !== statusWord.ok) return answer
      if (command[1] === instruction.commit) return asResponse(encodeCommitAnswer(other()))
      return command[1] === instruction.readRecord ? asResponse(encodeReadRecordAnswer(other())) : answer
    },
  })
  expect(outcome).toMatchObject({ outcome: 'inDoubt' })
  expect(kiosk.terminal.ledger.goodsDue(card.id)).toEqual([])
  await kiosk.sync()
  expect(await scene.payableMinor(kiosk)).toBe(0)
})

test('a right acceptance and a settlement MAC that is worth nothing: goods once, within the limits, and a hole at the next record', async () => {
  const { scene, kiosk, card } = await setUp()
  const outcome = await kiosk.sell(
    lying(card, instruction.commit, (answer) => {
      const { balanceAfterMinor } = parseCommitAnswer(parseResponse(answer).data)
      const worthless = mac(new Uint8Array(16).fill(7))
      const { record } = signed(card, newest(card))
      const acceptance = acceptanceMac(macKey(fromHex(card.state.payKey, 32)), record, worthless)
      return asResponse(encodeCommitAnswer({ balanceAfterMinor, settlementMac: worthless, acceptanceMac: acceptance }))
    }),
  )
  // No terminal can see it; the merchant bears it, as an imitated card.
  expect(outcome).toMatchObject({ outcome: 'captured', goods: 'due' })
  await kiosk.sync()
  expect(await scene.exceptionsOf(kiosk)).toEqual(['settlementMac'])
  expect(await scene.payableMinor(kiosk)).toBe(0)
  expect(await scene.cardFigures(card)).toMatchObject({ balanceMinor: 1000, counter: 1, alarms: [] })
  // Its next honest payment brings the hole to light, as a debit that waits for its record.
  await kiosk.sell(card)
  await kiosk.sync()
  expect((await scene.cardFigures(card)).holes).toMatchObject([
    { counter: 2, amountMinor: mapPriceMinor, direction: 'debit' },
  ])
})

test('an old record instead of the one that was asked for proves nothing, and a made-up one gives no goods', async () => {
  const { kiosk, other, card } = await setUp()
  await other.sell(card)
  const torn = await kiosk.sell(lying(card, instruction.commit, () => new Uint8Array(0)))
  expect(torn).toMatchObject({ outcome: 'inDoubt' })
  const [, old] = card.state.log
  if (old === undefined) throw new Error('the payment before is in the log')
  const oldAnswer = asResponse(
    encodeReadRecordAnswer({
      record: fromHex(old.record, 80),
      settlementMac: mac(fromHex(old.settlementMac, 16)),
      acceptanceMac: mac(fromHex(old.acceptanceMac, 16)),
    }),
  )
  expect(await kiosk.sell(lying(card, instruction.readRecord, () => oldAnswer))).toMatchObject({
    outcome: 'declined',
    reason: 'cardSuspect',
  })
  // With its own keys it shows another payment at that counter: that proves void, and there are no goods without money.
  const record = newest(card)
  const madeUp: CardRecord = { ...record, order: { ...record.order, terminalId: other.id, terminalSeq: 1 } }
  const voided = await finishOpen(
    kiosk.terminal,
    lying(card, instruction.readRecord, () => asResponse(encodeReadRecordAnswer(signed(card, madeUp)))),
  )
  expect(voided).toMatchObject({ outcome: 'clear', voided: 1 })
  expect(kiosk.terminal.ledger.goodsDue(card.id)).toEqual([])
})

test('it brings loads and reversals that nobody made: set aside and named, but what it then spends is paid', async () => {
  const { scene, kiosk, other, card } = await setUp()
  await kiosk.sell(card)
  await kiosk.sync()
  const paid = newest(card)
  const make = (order: Partial<CardRecord['order']>, at: number, balance: number): CardRecord => ({
    ...paid,
    counter: counter(at),
    balanceAfterMinor: amountMinor(balance),
    order: { ...paid.order, ...order },
  })
  const forged = [
    make({ type: 'reversal', reference: paid.counter, lock: new Uint8Array(16).fill(3) }, 3, 1000),
    make({ type: 'load', reference: counter(0), amountMinor: amountMinor(5000), itemHash: zeroHash() }, 4, 6000),
  ]
  for (const record of forged) {
    rewrite(card, {
      counter: record.counter,
      balanceMinor: record.balanceAfterMinor,
      log: [logEntry(card, record), ...card.state.log],
    })
    other.terminal.ledger.writeWitness(record, signed(card, record).settlementMac)
  }
  await other.sync()
  expect(await scene.exceptionsOf(other)).toEqual(['reversal', 'load'])
  // Nobody who sold honestly pays for them, and no cash is owed for the load.
  expect(await scene.payableMinor(kiosk)).toBe(mapPriceMinor)
  expect((await scene.figures()).accounts).toMatchObject({ float: 6000, suspense: -5250, merchantCash: -1000 })
  // The remaining risk, which the issuer bears until a person looks at suspense: merchants are paid for what follows.
  for (let sale = 0; sale < 5; sale += 1) expect(await other.sell(card)).toMatchObject({ outcome: 'captured' })
  await other.sync()
  const { accounts, trialBalanceMinor } = await scene.figures()
  expect(accounts).toMatchObject({ payable: 6 * mapPriceMinor, suspense: -5250, merchantCash: -1000 })
  expect(trialBalanceMinor).toBe(0)
})

test('it hides new money behind a longer hole: the sum is named at once, and what it then spends is paid', async () => {
  const { scene, kiosk, card } = await setUp()
  rewrite(card, { counter: counter(4), balanceMinor: amountMinor(6000), log: [] })
  for (let sale = 0; sale < 6; sale += 1) expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  await kiosk.sync()
  expect((await scene.cardFigures(card)).holes).toEqual([
    { counter: 2, lastCounter: 4, amountMinor: 5000, direction: 'credit', explanation: 'unexplained' },
  ])
  const { accounts, trialBalanceMinor } = await scene.figures()
  // As above: the five thousand that nobody loaded stand against the issuer, under "holes".
  expect(accounts).toMatchObject({ holes: -5000, payable: 6 * mapPriceMinor, float: 4500, merchantCash: -1000 })
  expect(trialBalanceMinor).toBe(0)
})

test('it pretends that a load failed: the cash is owed back only when its counter is another record, and then the load buys nothing', async () => {
  const { scene, kiosk, other, card } = await setUp()
  const loading = lying(card, instruction.commit, () => new Uint8Array(0))
  card.reset()
  const before = card.state
  expect(await loadCard(kiosk.terminal, kiosk.client, loading, { amountMinor: 5000 })).toMatchObject({
    outcome: 'inDoubt',
  })
  expect(card.state.balanceMinor).toBe(6000)
  const rich = card.state
  card.rollBack(before)
  expect(await finishOpen(kiosk.terminal, channelTo(card))).toMatchObject({ outcome: 'clear', voided: 1 })
  await kiosk.sync()
  const owedBack = async () =>
    (await scene.figures()).terminals.find(({ terminalId }) => terminalId === kiosk.id)?.owedBack
  // The kiosk's word moves no money.
  expect(await owedBack()).toEqual({ count: 0, amountMinor: 0 })
  expect((await scene.figures()).accounts).toMatchObject({ float: 6000, merchantCash: -6000 })
  // Another record at that counter voids it, and with it what the card keeps of it.
  await kiosk.sell(card)
  await kiosk.sync()
  expect(await owedBack()).toEqual({ count: 1, amountMinor: 5000 })
  card.rollBack(rich)
  for (let sale = 0; sale < 8; sale += 1) expect(await other.sell(card)).toMatchObject({ outcome: 'captured' })
  await other.sync()
  const { accounts, trialBalanceMinor } = await scene.figures()
  expect(accounts.payable).toBeLessThanOrEqual(1000)
  expect(accounts.merchantCash).toBe(-1000)
  expect(trialBalanceMinor).toBe(0)
  expect(parseRecord(fromHex(card.state.log[0]?.record ?? '', 80)).order.terminalId).toBe(other.id)
})
