/** Cards and documents past their time: a hot-listed card, an old list, an expired or rolled-back bulletin, a clock set back. */
import { expect, onTestFinished, test } from 'vitest'
import { publish } from '../../issuer/bulletin-publisher.ts'
import { blockCard } from '../../issuer/hotlist.ts'
import { connectIssuer } from '../../main/sync/issuer-client.ts'
import { fetchNews } from '../../main/sync/sync.ts'
import { unixTime } from '../../protocol/quantities.ts'
import { copyOf, mapPriceMinor, openScene } from './scene.ts'

const day = 86_400

const setUp = async (limits = {}) => {
  const scene = await openScene(onTestFinished, { limits })
  const kiosk = await scene.kiosk('Town')
  const card = await scene.card({ at: kiosk })
  await kiosk.sync()
  return { scene, kiosk, card }
}

test('a hot-listed card buys nothing where the list is known, is blocked there for good, and a copy of it too', async () => {
  const { scene, kiosk, card } = await setUp()
  const offline = await scene.kiosk('Port')
  const copy = copyOf(card)
  await blockCard(scene.issuer, card.id)
  await kiosk.sync()
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'declined', reason: 'hotlisted' })
  expect(card.state).toMatchObject({ status: 'blocked', balanceMinor: 1000 })
  // Where the old list stands, the copy still buys; the sale is genuine and is paid.
  expect(await offline.sell(copy)).toMatchObject({ outcome: 'captured' })
  await offline.sync()
  expect(await offline.sell(copy)).toMatchObject({ outcome: 'declined', reason: 'hotlisted' })
  expect(copy.state.status).toBe('blocked')
  expect(await scene.payableMinor(offline)).toBe(mapPriceMinor)
  // Neither is loaded any more.
  expect(await kiosk.load(await scene.card(), 100)).toMatchObject({ outcome: 'captured' })
  expect(await kiosk.load(card, 100)).toMatchObject({ outcome: 'declined', reason: 'cardBlocked' })
  await kiosk.sync()
  expect((await scene.cardFigures(card)).alarms).toContainEqual({ kind: 'clone', counter: 2 })
})

test('a list that grows old lowers the limit first, and then ends the sales; one sync brings them back', async () => {
  const { scene, kiosk, card } = await setUp({ staleAfterSeconds: 7 * day, staleSaleMinorMax: mapPriceMinor - 1 })
  await publish(scene.issuer, { validSeconds: 30 * day })
  await kiosk.sync()
  scene.clock.seconds += 7 * day
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  scene.clock.seconds += 1
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'declined', reason: 'limit' })
  scene.clock.seconds += 23 * day
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'declined', reason: 'outOfService' })
  await kiosk.sync()
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
})

test('a bulletin that is genuine and old does not come back, by serial or by its signed time', async () => {
  const { scene, kiosk, card } = await setUp()
  const before = kiosk.terminal.ledger.document('bulletin')
  if (before === undefined) throw new Error('a terminal in service has a bulletin')
  scene.clock.seconds += 2 * day
  await blockCard(scene.issuer, card.id)
  await kiosk.sync()
  const standing = kiosk.terminal.ledger.document('bulletin')
  const client = connectIssuer(scene.url, {
    fetch: async (input, init) =>
      String(input).endsWith('/v1/bulletin') ? new Response(Uint8Array.from(before.bytes)) : fetch(input, init),
  })
  await fetchNews(kiosk.terminal, client)
  expect(kiosk.terminal.ledger.document('bulletin')).toEqual(standing)
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'declined', reason: 'hotlisted' })
  // The clock of the kiosk is set back behind what the issuer signed: that time stands, after a restart too.
  const signed = scene.clock.seconds
  scene.clock.seconds -= 400 * day
  expect(kiosk.terminal.ledger.now()).toBe(signed)
  kiosk.close()
  kiosk.open()
  expect(kiosk.terminal.ledger.now()).toBe(signed)
})

test('a clock set back revives an expired card only down to the newest signed time', async () => {
  const { scene, kiosk } = await setUp()
  const expiry = unixTime(scene.clock.seconds + day)
  const card = await scene.card({ at: kiosk, personalisation: { expiry } })
  scene.clock.seconds += 2 * day
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'declined', reason: 'cardExpired' })
  // Nothing newer was signed yet: the kiosk cannot know better, and the sale bears the false time.
  scene.clock.seconds -= 2 * day
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  // One sync at the right time, and no clock helps any more.
  scene.clock.seconds += 2 * day
  await publish(scene.issuer)
  await kiosk.sync()
  scene.clock.seconds -= 2 * day
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'declined', reason: 'cardExpired' })
  // Whatever the terminal says, the card itself refuses an order of after its end.
  expect(card.state.balanceMinor).toBe(1000 - mapPriceMinor)
})

test('an offline kiosk stops by itself at its caps, and what it sold until then is paid', async () => {
  const { scene, kiosk, card } = await setUp({ unsyncedCountMax: 2, unsyncedSecondsMax: 10 * day })
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  scene.clock.seconds += 10 * day + 1
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'declined', reason: 'limit' })
  await kiosk.sync()
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'declined', reason: 'limit' })
  await kiosk.sync()
  expect(await scene.payableMinor(kiosk)).toBe(3 * mapPriceMinor)
})
