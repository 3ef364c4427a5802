/** Somebody on the way records everything and plays it again: to the issuer, to a terminal, to a card. */
import { expect, onTestFinished, test } from 'vitest'
import { publish } from '../../issuer/bulletin-publisher.ts'
import { addItem } from '../../issuer/catalogue.ts'
import { loadCard } from '../../main/load.ts'
import { finishOpen } from '../../main/purchase/purchase.ts'
import { connectIssuer, IssuerUnreachable } from '../../main/sync/issuer-client.ts'
import { fetchNews, syncOnce } from '../../main/sync/sync.ts'
import { channelTo } from '../../main/test-terminal.ts'
import { instruction, parseResponse, statusWord } from '../../protocol/apdu.ts'
import { type Kiosk, mapPriceMinor, openScene, type Scene } from './scene.ts'

interface Exchange {
  readonly route: string
  readonly sent: Uint8Array
  readonly answered: Uint8Array
}

/** A client whose traffic is recorded, and whose answers may be replaced. */
const tapped = (scene: Scene, replace: (route: string) => Uint8Array | undefined = () => undefined) => {
  const traffic: Exchange[] = []
  const client = connectIssuer(scene.url, {
    fetch: async (input, init) => {
      const route = new URL(String(input)).pathname
      const planned = replace(route)
      const answer = planned === undefined ? await fetch(input, init) : new Response(Uint8Array.from(planned))
      const bytes = new Uint8Array(await answer.arrayBuffer())
      const sent = init?.body instanceof Uint8Array ? Uint8Array.from(init.body) : new Uint8Array(0)
      traffic.push({ route, sent, answered: bytes })
      return new Response(bytes, { status: answer.status })
    },
  })
  const of = (route: string): Exchange => {
    const found = traffic.findLast((each) => each.route.startsWith(route))
    if (found === undefined) throw new Error(`nothing went to ${route}`)
    return found
  }
  return { client, traffic, of }
}

const setUp = async () => {
  const scene = await openScene(onTestFinished)
  const kiosk = await scene.kiosk('Town')
  const other = await scene.kiosk('Port')
  const card = await scene.card({ at: kiosk })
  await kiosk.sync()
  return { scene, kiosk, other, card }
}
const documents = (kiosk: Kiosk) =>
  (['bulletin', 'keyring'] as const).map((kind) => kiosk.terminal.ledger.document(kind)?.serial)

test('a batch, a load request and a claim twenty times over book what they booked once', async () => {
  const { scene, kiosk, card } = await setUp()
  const { client, of } = tapped(scene)
  await loadCard(kiosk.terminal, client, channelTo(card), { amountMinor: 500 })
  const sold = await kiosk.sell(card)
  if (sold.outcome !== 'captured' || sold.payment.settlementMac === undefined) throw new Error('it was sold')
  const { url } = kiosk.terminal.claimUrl(sold.payment.record, sold.payment.settlementMac)
  const claim = new Uint8Array(Buffer.from(url.split('#')[1] ?? '', 'base64url'))
  await scene.post('/v1/claims', claim)
  await syncOnce(kiosk.terminal, client)
  const before = await scene.figures()
  const load = of('/v1/loads')
  const batch = of('/v1/batches')
  for (let again = 0; again < 20; again += 1) {
    for (const { route, sent, answered } of [load, batch]) {
      const answer = await scene.post(route, sent)
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(answered)
    }
    expect((await scene.post('/v1/claims', claim)).status).toBe(200)
  }
  expect(await scene.figures()).toEqual(before)
  expect(before.accounts).toMatchObject({ float: 1250, payable: mapPriceMinor, merchantCash: -1500 })
})

test('an acknowledgement of an earlier batch, of another terminal or of an earlier epoch settles nothing', async () => {
  const { scene, kiosk, other, card } = await setUp()
  const first = tapped(scene)
  await kiosk.sell(card)
  await syncOnce(kiosk.terminal, first.client)
  const earlier = first.of('/v1/batches').answered
  const elsewhere = tapped(scene)
  await other.sell(card)
  await syncOnce(other.terminal, elsewhere.client)
  const anothers = elsewhere.of('/v1/batches').answered

  await kiosk.sell(card)
  const replay = async (ack: Uint8Array) => {
    const { client } = tapped(scene, (route) => (route === '/v1/batches' ? ack : undefined))
    await expect(syncOnce(kiosk.terminal, client)).rejects.toThrow(IssuerUnreachable)
    expect(kiosk.terminal.ledger.unsynced).toMatchObject({ count: 1, amountMinor: mapPriceMinor })
  }
  await replay(earlier)
  await replay(anothers)
  await kiosk.enrolAgain()
  await kiosk.sell(card)
  await replay(earlier)
  await kiosk.sync()
  expect(await scene.payableMinor(kiosk)).toBe(3 * mapPriceMinor)
})

test('a bulletin or keyring of an old serial, of another terminal, of another epoch or of another issuer changes nothing', async () => {
  const { scene, kiosk, other } = await setUp()
  const old = tapped(scene)
  await fetchNews(kiosk.terminal, old.client)
  const others = tapped(scene)
  await fetchNews(other.terminal, others.client)
  const price = async (of: Scene, minor: number) => {
    await addItem(of.issuer, {
      file: { name: 'map.txt', bytes: Buffer.from('A newer map') },
      id: 'map',
      priceMinor: minor,
      title: { en: 'Walking map' },
    })
    await publish(of.issuer)
  }
  await price(scene, 300)
  await kiosk.sync()
  const standing = documents(kiosk)
  const priceNow = () => kiosk.terminal.issued?.bulletin.items.find(({ id }) => id === 'map')?.priceMinor
  const served = (route: string, bytes: Uint8Array) =>
    tapped(scene, (asked) => (asked.startsWith(route) ? bytes : undefined))

  for (const route of ['/v1/bulletin', '/v1/keyrings']) {
    await fetchNews(kiosk.terminal, served(route, old.of(route).answered).client)
    expect([documents(kiosk), priceNow()]).toEqual([standing, 300])
  }
  const foreign = await openScene(onTestFinished)
  await price(foreign, 1)
  await price(foreign, 2)
  const foreignKiosk = await foreign.kiosk('Town')
  const stranger = tapped(foreign)
  await fetchNews(foreignKiosk.terminal, stranger.client)
  const forged: [string, Uint8Array][] = [
    ['/v1/keyrings', others.of('/v1/keyrings').answered],
    ['/v1/bulletin', stranger.of('/v1/bulletin').answered],
    ['/v1/keyrings', stranger.of('/v1/keyrings').answered],
  ]
  const beforeEpoch = old.of('/v1/keyrings').answered
  for (const [route, bytes] of forged) {
    await expect(fetchNews(kiosk.terminal, served(route, bytes).client)).rejects.toThrow(IssuerUnreachable)
    expect([documents(kiosk), priceNow()]).toEqual([standing, 300])
  }
  await kiosk.enrolAgain()
  const reborn = documents(kiosk)
  await expect(fetchNews(kiosk.terminal, served('/v1/keyrings', beforeEpoch).client)).rejects.toThrow(IssuerUnreachable)
  expect(documents(kiosk)).toEqual(reborn)
})

test('a load answer of another load, or of another terminal, loads nothing', async () => {
  const { scene, kiosk, other, card } = await setUp()
  const recorded = tapped(scene)
  const rich = await scene.card()
  await loadCard(kiosk.terminal, recorded.client, channelTo(rich), { amountMinor: 5000 })
  const { client } = tapped(scene, (route) => (route === '/v1/loads' ? recorded.of('/v1/loads').answered : undefined))
  expect(await loadCard(kiosk.terminal, client, channelTo(card), { amountMinor: 5000 })).toMatchObject({
    outcome: 'declined',
  })
  await expect(loadCard(other.terminal, client, channelTo(card), { amountMinor: 5000 })).rejects.toThrow(
    IssuerUnreachable,
  )
  expect(card.state.balanceMinor).toBe(1000)
  expect((await scene.figures()).accounts).toMatchObject({ float: 6000, merchantCash: -6000 })
})

test('recorded APDUs played to the card again debit nothing, load nothing and tell nothing', async () => {
  const { scene, kiosk, card } = await setUp()
  const commands: Uint8Array[] = []
  const channel = channelTo(card)
  const recording = {
    transmit: (command: Uint8Array) => {
      commands.push(command)
      return channel.transmit(command)
    },
  }
  await kiosk.sell(recording)
  await loadCard(kiosk.terminal, kiosk.client, recording, { amountMinor: 500 })
  const before = card.state
  card.reset()
  const statuses = commands.map((command) => [command[1], parseResponse(card.answers(command)).status] as const)
  expect(card.state).toEqual(before)
  for (const [which, status] of statuses)
    if (which === instruction.commit || which === instruction.readRecord) expect(status).not.toBe(statusWord.ok)
  expect(statuses.filter(([which]) => which === instruction.commit)).toHaveLength(2)
  expect(await scene.cardFigures(card)).toMatchObject({ alarms: [] })
})

test('recorded answers of a card played to a terminal give no goods', async () => {
  const { scene, kiosk, other, card } = await setUp()
  const answers: [number, Uint8Array][] = []
  const original = channelTo(card)
  await kiosk.sell({
    transmit: async (command) => {
      const answer = await original.transmit(command)
      answers.push([command[1] ?? 0, answer])
      return answer
    },
  })
  const player = () => {
    const left = [...answers]
    return {
      transmit: async (command: Uint8Array) => {
        const at = left.findIndex(([which]) => which === command[1])
        return at < 0 ? Uint8Array.of(0x6a, 0x83) : (left.splice(at, 1)[0]?.[1] ?? Uint8Array.of(0x6f, 0))
      },
    }
  }
  for (const terminal of [kiosk, other]) {
    expect(await terminal.sell(player())).toMatchObject({ outcome: 'declined', reason: 'cardSuspect' })
    expect(terminal.terminal.ledger.goodsDue(card.id)).toEqual([])
  }
  await kiosk.sync()
  await other.sync()
  expect(await scene.payableMinor(kiosk)).toBe(mapPriceMinor)
  expect(await scene.payableMinor(other)).toBe(0)
})

test('an offer relayed to a second terminal commits at one of them alone', async () => {
  const { scene, kiosk, other, card } = await setUp()
  // The same card under two readers at once, as a relay makes it: the second INITIATE drops the first offer.
  const shared = channelTo(card)
  let nested: Awaited<ReturnType<Kiosk['sell']>> | undefined
  const outcome = await kiosk.sell({
    transmit: async (command) => {
      if (command[1] === instruction.commit && nested === undefined) nested = await other.sell(shared)
      return shared.transmit(command)
    },
  })
  expect(nested).toMatchObject({ outcome: 'captured' })
  // Its offer is gone, and so is the challenge that it could read with: the card's next tap proves that nothing was debited.
  expect(outcome).toMatchObject({ outcome: 'inDoubt' })
  expect(await finishOpen(kiosk.terminal, channelTo(card))).toMatchObject({ outcome: 'clear', voided: 1 })
  expect(card.state.balanceMinor).toBe(1000 - mapPriceMinor)
  await kiosk.sync()
  await other.sync()
  expect([await scene.payableMinor(kiosk), await scene.payableMinor(other)]).toEqual([0, mapPriceMinor])
  expect(card.state.counter).toBe(2)
})
