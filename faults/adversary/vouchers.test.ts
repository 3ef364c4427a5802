/** Vouchers and credits, over real HTTP: a code is used twice, its load is cut, its answer lost, its card replaced. */
import { expect, onTestFinished, test } from 'vitest'
import { closeCard } from '../../issuer/card-closure.ts'
import { addVoucherLot, makeVoucherCodes } from '../../issuer/funding.ts'
import { loadCard } from '../../main/load.ts'
import { finishOpen } from '../../main/purchase/purchase.ts'
import { openReaderDouble } from '../../main/reader/reader-double.ts'
import { connectIssuer, IssuerUnreachable } from '../../main/sync/issuer-client.ts'
import { channelTo, type TestCard } from '../../main/test-terminal.ts'
import { fundingHash } from '../../protocol/funding-reference.ts'
import { encodeInquiry, openVoucherAnswer } from '../../protocol/inquiry.ts'
import { type Kiosk, openScene } from './scene.ts'

const by = { name: 'cli:test' }
const amountMinor = 2000

const setUp = async () => {
  const scene = await openScene(onTestFinished)
  const kiosk = await scene.kiosk('Town')
  const other = await scene.kiosk('Port')
  const card = await scene.card()
  const [code] = makeVoucherCodes(scene.issuer, 1)
  if (code === undefined) throw new Error('no code')
  const expiresAt = scene.clock.seconds + 86_400
  await addVoucherLot(scene.issuer, by, { codes: [code], amountMinor, expiresAt, paidReference: 'transfer 1' })
  const load = (at: Kiosk, onto: TestCard, funding: string = code, minor = amountMinor) =>
    loadCard(at.terminal, at.client, channelTo(onto), { amountMinor: minor, funding })
  const funding = async () => (await scene.figures()).funding
  return { scene, kiosk, other, card, code, load, funding }
}

test('a voucher at two kiosks at once loads one card', async () => {
  const { scene, kiosk, other, card, load, funding } = await setUp()
  const friend = await scene.card()
  const outcomes = await Promise.all([load(kiosk, card), load(other, friend)])
  expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual(['captured', 'declined'])
  expect(card.state.balanceMinor + friend.state.balanceMinor).toBe(amountMinor)
  expect(await load(kiosk, await scene.card())).toEqual({ outcome: 'declined', reason: 'notFunded' })
  await kiosk.sync()
  await other.sync()
  expect(await funding()).toMatchObject({
    floatMinor: amountMinor,
    unfundedMinor: 0,
    vouchers: { paidMinor: amountMinor },
  })
})

test('its answer is lost twice and the card stays: nothing is loaded, and the voucher is good when another record says so', async () => {
  const { scene, kiosk, card, code, load, funding } = await setUp()
  const deaf = connectIssuer(scene.url, {
    fetch: async (url, init) => {
      const answer = await fetch(url, init)
      await answer.arrayBuffer()
      throw new TypeError('fetch failed')
    },
  })
  await expect(loadCard(kiosk.terminal, deaf, channelTo(card), { amountMinor, funding: code })).rejects.toThrow(
    IssuerUnreachable,
  )
  expect(card.state.balanceMinor).toBe(0)
  // The issuer booked it, and holds the voucher until the card proves that it made something else of this counter.
  expect(await funding()).toMatchObject({ floatMinor: amountMinor, vouchers: { openPaidMinor: 0 } })
  expect(await load(kiosk, card)).toEqual({ outcome: 'declined', reason: 'notFunded' })
  expect(await kiosk.load(card, 500)).toMatchObject({ outcome: 'captured' })
  await kiosk.sync()
  expect(await funding()).toMatchObject({ floatMinor: 500, vouchers: { openPaidMinor: amountMinor } })
  expect(await load(kiosk, card)).toMatchObject({ outcome: 'captured', balanceAfterMinor: 2500 })
  await kiosk.sync()
  expect(await funding()).toMatchObject({ floatMinor: 2500, unfundedMinor: 500, vouchers: { paidMinor: amountMinor } })
})

test.each(['before', 'after'] as const)(
  'the card leaves %s COMMIT: the next tap decides, and the voucher buys once',
  async (when) => {
    const { kiosk, card, code, load, funding } = await setUp()
    card.reset()
    const outcome = await openReaderDouble()
      .insert(card.answers, { cut: { apdu: 4, when } })
      .use((channel) => loadCard(kiosk.terminal, kiosk.client, channel, { amountMinor, funding: code }))
    expect(outcome).toMatchObject({ outcome: 'inDoubt' })
    await finishOpen(kiosk.terminal, channelTo(card))
    expect(await kiosk.load(card, 500)).toMatchObject({ outcome: 'captured' })
    await kiosk.sync()
    const loaded = when === 'after'
    expect(card.state.balanceMinor).toBe(loaded ? 2500 : 500)
    expect(await funding()).toMatchObject({
      floatMinor: loaded ? 2500 : 500,
      vouchers: { openPaidMinor: loaded ? 0 : amountMinor },
    })
    expect(await load(kiosk, card)).toMatchObject(loaded ? { reason: 'notFunded' } : { outcome: 'captured' })
  },
)

test('a lost card is replaced: its finder buys nothing where the list is, and its holder loads the rest onto another card', async () => {
  const { scene, kiosk, card, load } = await setUp()
  await load(kiosk, card)
  await kiosk.sell(card)
  await kiosk.sync()
  const fresh = await scene.card()
  const request = { cardId: card.id, kind: 'replace', replacement: fresh.id, reason: 'lost' } as const
  expect(await closeCard(scene.issuer, by, request)).toMatchObject({ outcome: 'waiting', remainingMinor: 1750 })
  await kiosk.sync()
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'declined', reason: 'hotlisted' })
  scene.clock.seconds += 50 * 86_400
  const closed = await closeCard(scene.issuer, by, request)
  if (closed.outcome !== 'done' || closed.reference === undefined) throw new Error('it was due')
  expect(await load(kiosk, await scene.card(), closed.reference, 1750)).toMatchObject({ reason: 'notFunded' })
  expect(await load(kiosk, fresh, closed.reference, 1750)).toMatchObject({ outcome: 'captured' })
  await kiosk.sync()
  expect((await scene.figures()).accounts).toMatchObject({ float: 1750, credits: 0, payable: 250, bank: -2000 })
})

test('who guesses vouchers with a stolen key waits, and so does nobody else, though they share a line', async () => {
  const { scene, kiosk, other, code } = await setUp()
  const ask = async (at: Kiosk, reference: string) => {
    const { identity } = at.terminal
    const inquiry = {
      keyVersion: identity.keyVersion,
      terminalId: identity.terminalId,
      nonce: new Uint8Array(16).fill(1),
      about: { kind: 'voucher', hash: fundingHash(reference) },
    } as const
    const sealed = encodeInquiry(identity.terminalKey, inquiry)
    const answer = await scene.post('/v1/vouchers', sealed)
    if (answer.status !== 200) return answer.status
    return openVoucherAnswer(identity.terminalKey, inquiry, new Uint8Array(await answer.arrayBuffer())).state
  }
  // Somebody without any key, on the same line.
  const noise = await Promise.all(
    Array.from({ length: 25 }, async () => (await scene.post('/v1/vouchers', new Uint8Array(80))).status),
  )
  expect(noise.filter((status) => status === 429)).toHaveLength(5)
  expect(await ask(kiosk, code)).toBe('valid')
  for (let guess = 0; guess < 20; guess += 1) expect(await ask(other, `ABCDEFG${100 + guess}`)).toBe('unknown')
  expect(await ask(other, code)).toBe(429)
  expect(await ask(kiosk, code)).toBe('valid')
  scene.clock.seconds += 301
  expect(await ask(other, code)).toBe('valid')
})
