/** One chip's memory in two cards: whatever evidence arrives first, a counter is paid once and the copy is named. */
import { expect, onTestFinished, test } from 'vitest'
import { witnessAfterSale } from '../../main/purchase/purchase.ts'
import { channelTo, type TestCard } from '../../main/test-terminal.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { mac } from '../../protocol/quantities.ts'
import { copyOf, type Kiosk, mapPriceMinor, openScene, wifiPriceMinor } from './scene.ts'

const setUp = async () => {
  const scene = await openScene(onTestFinished)
  const town = await scene.kiosk('Town')
  const port = await scene.kiosk('Port')
  const bystander = await scene.kiosk('Station')
  const original = await scene.card({ at: town })
  await town.sync()
  const copy = copyOf(original)
  const claimOf = (kiosk: Kiosk, card: TestCard): Uint8Array => {
    const newest = card.state.log[0]
    if (newest === undefined) throw new Error('this card paid')
    const settlementMac = mac(fromHex(newest.settlementMac, 16))
    const { url } = kiosk.terminal.claimUrl(fromHex(newest.record, 80), settlementMac)
    return new Uint8Array(Buffer.from(url.split('#')[1] ?? '', 'base64url'))
  }
  const ways = {
    batch: async (kiosk: Kiosk) => {
      await kiosk.sync()
    },
    witness: async (_kiosk: Kiosk, card: TestCard) => {
      await witnessAfterSale(bystander.terminal, channelTo(card), { cardId: card.id })
      await bystander.sync()
    },
    claim: async (kiosk: Kiosk, card: TestCard) => {
      await scene.post('/v1/claims', claimOf(kiosk, card))
    },
  } as const
  return { scene, town, port, original, copy, ways, claimOf }
}

const wayNames = ['batch', 'witness', 'claim'] as const
const cases = wayNames.flatMap((first) => wayNames.map((second) => ({ first, second })))

test.each(cases)(
  'two copies at two offline kiosks: what comes first ($first) is settled, what comes then ($second) is a clone',
  async ({ first, second }) => {
    const { scene, town, port, original, copy, ways, claimOf } = await setUp()
    // Both kiosks hand out the goods: offline nobody can tell.
    expect(await town.sell(original)).toMatchObject({ outcome: 'captured', goods: 'due' })
    expect(await port.sell(copy)).toMatchObject({ outcome: 'captured', goods: 'due' })
    await ways[first](port, copy)
    expect([await scene.payableMinor(town), await scene.payableMinor(port)]).toEqual([0, mapPriceMinor])
    await ways[second](town, original)
    await town.sync()
    await port.sync()
    expect([await scene.payableMinor(town), await scene.payableMinor(port)]).toEqual([0, mapPriceMinor])
    expect(await scene.exceptionsOf(town)).toEqual(['clone'])
    expect(await scene.exceptionsOf(port)).toEqual([])
    expect(await scene.cardFigures(original)).toMatchObject({
      balanceMinor: 1000 - mapPriceMinor,
      alarms: [{ kind: 'clone', counter: 2 }],
    })
    const { accounts, trialBalanceMinor } = await scene.figures()
    expect(accounts).toMatchObject({ float: 750, payable: mapPriceMinor, suspense: 0, holes: 0 })
    expect(trialBalanceMinor).toBe(0)
    // The goods of the one that is settled may be collected again; the other's are not entitled to.
    expect((await scene.post('/v1/claims', claimOf(port, copy))).status).toBe(200)
    const refused = await scene.post('/v1/claims', claimOf(town, original))
    expect([refused.status, JSON.parse(await refused.text()).error]).toEqual([409, 'clone'])
  },
)

test('whatever two copies spend, merchants together are paid no more than was loaded', async () => {
  const { scene, town, port, original, copy } = await setUp()
  await scene.addCodes(Array.from({ length: 30 }, (_, at) => `CODE-${at}`))
  await port.sync()
  for (let sale = 0; sale < 4; sale += 1) await town.sell(original, 'map')
  for (let sale = 0; sale < 10; sale += 1) await port.sell(copy, 'wifi')
  expect([original.state.balanceMinor, copy.state.balanceMinor]).toEqual([0, 0])
  await town.sync()
  await port.sync()
  expect(await scene.payableMinor(town)).toBe(1000)
  expect(await scene.payableMinor(port)).toBe(0)
  // Four counters are used twice; the six after them have balances that do not follow.
  const exceptions = await scene.exceptionsOf(port)
  expect(exceptions.filter((reason) => reason === 'clone')).toHaveLength(4)
  expect(exceptions.filter((reason) => reason === 'balance').length).toBeGreaterThan(0)
  const { accounts, trialBalanceMinor } = await scene.figures()
  expect(accounts.payable).toBe(1000)
  expect(trialBalanceMinor).toBe(0)
  expect(wifiPriceMinor * 10).toBe(1000)
})

test('the copy that lags behind cannot be loaded any more: alarm, and no money comes on it', async () => {
  const { scene, town, port, original, copy } = await setUp()
  await town.sell(original)
  await town.sync()
  expect(await port.load(copy, 500)).toMatchObject({ outcome: 'declined', reason: 'refused' })
  expect(copy.state.balanceMinor).toBe(1000)
  expect((await scene.cardFigures(original)).alarms).toEqual([{ kind: 'clone', counter: 2 }])
  expect((await scene.figures()).accounts).toMatchObject({ float: 750, merchantCash: -1000 })
})

test('a card that was rolled back is refused where it paid, and is a clone where it pays again', async () => {
  const { scene, town, port, original } = await setUp()
  const before = original.state
  await town.sell(original)
  original.rollBack(before)
  expect(await town.sell(original)).toMatchObject({ outcome: 'declined', reason: 'cardSuspect' })
  expect(original.state.balanceMinor).toBe(1000)
  expect(await port.sell(original)).toMatchObject({ outcome: 'captured' })
  await town.sync()
  await port.sync()
  expect([await scene.payableMinor(town), await scene.payableMinor(port)]).toEqual([mapPriceMinor, 0])
  expect(await scene.exceptionsOf(port)).toEqual(['clone'])
  expect((await scene.cardFigures(original)).balanceMinor).toBe(750)
})
