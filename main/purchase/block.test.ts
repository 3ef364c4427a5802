/** A card on the hotlist is blocked for good by the first terminal that sees it, if the list carries its MAC. */
import { expect, onTestFinished, test } from 'vitest'
import { sampleMasters } from '../../card/purse-driver.ts'
import { deriveLoadKey } from '../../protocol/keys.ts'
import { commitBlockMac, macKey } from '../../protocol/mac.ts'
import { type Mac, mac } from '../../protocol/quantities.ts'
import { channelTo, goodsFor, makeTestCard, makeTestTerminal, type TestCard } from '../test-terminal.ts'
import { purchase } from './purchase.ts'

const blockMacOf = (card: TestCard): Mac =>
  commitBlockMac(macKey(deriveLoadKey(sampleMasters.load, 1, card.id)), card.id)

const make = () => makeTestTerminal(onTestFinished)

const tap = (made: ReturnType<typeof make>, card: TestCard) => {
  const goods = goodsFor(made.terminal)
  return purchase(made.terminal, channelTo(card), goods)
}

test('blocks it on sight, keeps its money where it is, and passes the record on', async () => {
  const made = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  made.publish({ serial: 2, hotlist: [{ cardId: card.id, blockMac: blockMacOf(card) }] })
  expect(await tap(made, card)).toMatchObject({ outcome: 'declined', reason: 'hotlisted' })
  expect(card.state).toMatchObject({ status: 'blocked', balanceMinor: 1000, counter: 2 })
  expect(made.terminal.ledger.settledRecord(card.id, 2)).toBeDefined()
  expect(await tap(made, card)).toMatchObject({ outcome: 'declined', reason: 'cardBlocked' })
  expect(made.terminal.ledger.unsynced).toMatchObject({ count: 1, amountMinor: 0 })
})

test('a wrong MAC in the list blocks nothing, and the card is refused all the same', async () => {
  const made = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  made.publish({ serial: 2, hotlist: [{ cardId: card.id, blockMac: mac(new Uint8Array(16).fill(1)) }] })
  expect(await tap(made, card)).toMatchObject({ outcome: 'declined', reason: 'hotlisted' })
  expect(card.state).toMatchObject({ status: 'active', balanceMinor: 1000, counter: 1 })
  expect(made.terminal.ledger.unsynced.count).toBe(0)
})
