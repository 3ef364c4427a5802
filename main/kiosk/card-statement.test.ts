import { expect, onTestFinished, test } from 'vitest'
import { openSession, type PurchaseHooks, purchase } from '../purchase/purchase.ts'
import type { CardChannel } from '../reader/card-reader.ts'
import { openReaderDouble } from '../reader/reader-double.ts'
import type { Terminal } from '../terminal.ts'
import { allKnown, channelTo, goodsFor, makeTestCard, makeTestTerminal, type TestCard } from '../test-terminal.ts'
import { movementOf, readStatement } from './card-statement.ts'

const failing: PurchaseHooks = {
  handOver: async () => {
    throw new Error('out of paper')
  },
}

const buy = async (terminal: Terminal, card: TestCard, options: { hooks?: PurchaseHooks; cutApdu?: number } = {}) => {
  const goods = goodsFor(terminal)
  card.reset()
  const cut = options.cutApdu === undefined ? {} : { cut: { apdu: options.cutApdu, when: 'before' as const } }
  const inserted = openReaderDouble().insert(card.answers, cut)
  const outcome = await inserted.use((channel) => purchase(terminal, channel, goods, options.hooks))
  if (outcome.outcome === 'captured') return outcome.payment
  if (outcome.outcome !== 'declined' || outcome.reversed !== true) throw new Error(outcome.outcome)
  return undefined
}

const statementOf = async (terminal: Terminal, card: TestCard, channel: CardChannel = channelTo(card)) => {
  const session = await openSession(terminal, channel)
  if (session === undefined) throw new Error('no purse')
  return readStatement(terminal, session)
}

test('tells the last ten movements, newest first, and which can be collected again', async () => {
  const { terminal } = makeTestTerminal(onTestFinished)
  const card = makeTestCard({ balanceMinor: 5000 })
  for (let i = 0; i < 10; i += 1) card.pay(10)
  const payment = await buy(terminal, card)
  terminal.ledger.markReleased(payment?.terminalSeq ?? 0)
  const statement = await statementOf(terminal, card)
  expect(statement?.balanceMinor).toBe(4650)
  expect(statement?.lines.map(({ record }) => record.counter)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3])
  expect(statement?.lines.map(({ collectable }) => collectable).indexOf(true)).toBe(0)
  expect(statement?.lines.map(movementOf)[0]).toMatchObject({
    kind: 'payment',
    amountMinor: 250,
    title: { en: 'Walking map' },
  })
})

test('what was reversed cannot be collected, nor what may have been, in this epoch or the next', async () => {
  const { terminal } = makeTestTerminal(onTestFinished)
  const reversed = makeTestCard({ balanceMinor: 1000 })
  await buy(terminal, reversed, { hooks: failing })
  expect(
    (await statementOf(terminal, reversed))?.lines.map(({ record, collectable }) => [record.order.type, collectable]),
  ).toEqual([
    ['reversal', false],
    ['payment', false],
    ['load', false],
  ])

  const doubtful = makeTestCard({ balanceMinor: 1000 })
  const payment = await buy(terminal, doubtful, { hooks: failing, cutApdu: 5 })
  expect(payment?.goods).toBe('owed')
  expect((await statementOf(terminal, doubtful))?.lines[0]?.collectable).toBe(false)
  terminal.ledger.beginEpoch(2, allKnown)
  expect((await statementOf(terminal, doubtful))?.lines[0]?.collectable).toBe(false)
})

test('a reversal by another terminal is seen on the card', async () => {
  const seller = makeTestTerminal(onTestFinished)
  const other = makeTestTerminal(onTestFinished)
  const card = makeTestCard({ balanceMinor: 1000 })
  await buy(seller.terminal, card)
  expect((await statementOf(other.terminal, card))?.lines[0]).toMatchObject({ collectable: true, item: { id: 'map' } })
  const undone = makeTestCard({ balanceMinor: 1000 })
  await buy(seller.terminal, undone, { hooks: failing })
  expect((await statementOf(other.terminal, undone))?.lines.map(({ collectable }) => collectable)).toEqual([
    false,
    false,
    false,
  ])
})

test('without a verified offer nothing can be collected, and a forged one tells nothing at all', async () => {
  const { terminal } = makeTestTerminal(onTestFinished)
  const card = makeTestCard({ balanceMinor: 1000 })
  const payment = await buy(terminal, card)
  terminal.ledger.markReleased(payment?.terminalSeq ?? 0)
  const spoiling = (spoil: (response: Uint8Array) => Uint8Array): CardChannel => {
    card.reset()
    return { transmit: async (command) => (command[1] === 0x10 ? spoil(card.answers(command)) : card.answers(command)) }
  }
  const refused = await statementOf(
    terminal,
    card,
    spoiling(() => Uint8Array.of(0x69, 0x85)),
  )
  expect(refused?.lines.map(({ collectable }) => collectable)).toEqual([false, false])
  const forged = spoiling((response) => response.map((byte, at) => (at === 20 ? byte ^ 1 : byte)))
  expect(await statementOf(terminal, card, forged)).toBeUndefined()
})
