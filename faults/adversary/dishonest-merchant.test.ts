/** A merchant with his own terminal: he has K_term, real records of real cards, and edits what his terminal would send. */
import { expect, onTestFinished, test } from 'vitest'
import { witnessAfterSale } from '../../main/purchase/purchase.ts'
import { cutBatch } from '../../main/sync/sync.ts'
import { channelTo } from '../../main/test-terminal.ts'
import { openAcknowledgement } from '../../protocol/acknowledgement.ts'
import { encodeBatch, parseBatch } from '../../protocol/batch.ts'
import { type Entry, encodeEntry, nextHead, parseEntry } from '../../protocol/entry.ts'
import type { Order } from '../../protocol/order.ts'
import { amountMinor, counter, mac, shortHash, terminalId, unixTime, zeroMac } from '../../protocol/quantities.ts'
import { type Kiosk, mapPriceMinor, openScene } from './scene.ts'

const setUp = async () => {
  const scene = await openScene(onTestFinished)
  const merchant = await scene.kiosk('Port')
  const honest = await scene.kiosk('Town')
  const card = await scene.card({ at: honest })
  await honest.sync()
  return { scene, merchant, honest, card }
}

/** The batch that the kiosk would send next, with its entries edited and everything resealed. */
const edited = (kiosk: Kiosk, edit: (entries: readonly Entry[]) => readonly Entry[]): Uint8Array => {
  if (!cutBatch(kiosk.terminal)) throw new Error('there is something to send')
  const stored = kiosk.terminal.ledger.nextUnanswered()
  if (stored === undefined) throw new Error('it was cut')
  const batch = parseBatch(stored.bytes)
  const entries = edit(batch.entries.map((bytes) => parseEntry(bytes))).map(encodeEntry)
  return encodeBatch(kiosk.terminal.identity.terminalMacKey, {
    ...batch,
    entries,
    head: entries.reduce(nextHead, batch.previousHead),
  })
}
const withOrder = (entry: Entry, changes: Partial<Order>): Entry => ({
  ...entry,
  record: { ...entry.record, order: { ...entry.record.order, ...changes } },
})
const only = (entries: readonly Entry[]): Entry => {
  const [entry] = entries
  if (entry === undefined || entries.length > 1) throw new Error('one sale was made')
  return entry
}

const edits: readonly [string, (entry: Entry, honest: Kiosk) => Entry, string][] = [
  ['a higher amount', (entry) => withOrder(entry, { amountMinor: amountMinor(900) }), 'settlementMac'],
  ['another item', (entry) => withOrder(entry, { itemHash: shortHash(new Uint8Array(16).fill(1)) }), 'settlementMac'],
  [
    'an earlier time',
    (entry) => withOrder(entry, { time: unixTime(entry.record.order.time - 86_400) }),
    'settlementMac',
  ],
  ['a later counter', (entry) => ({ ...entry, record: { ...entry.record, counter: counter(9) } }), 'settlementMac'],
  [
    'more left on the card',
    (entry) => ({ ...entry, record: { ...entry.record, balanceAfterMinor: amountMinor(999) } }),
    'settlementMac',
  ],
  ['the terminal of another merchant', (entry, honest) => withOrder(entry, { terminalId: honest.id }), 'terminal'],
  [
    'a terminal that does not exist',
    (entry) => withOrder(entry, { terminalId: terminalId('ee'.repeat(8)) }),
    'terminal',
  ],
  ['a load instead of a payment', (entry) => withOrder(entry, { type: 'load' }), 'settlementMac'],
  [
    'a settlement of his own',
    (entry) => ({ ...entry, settlementMac: mac(new Uint8Array(16).fill(9)) }),
    'settlementMac',
  ],
  ['no settlement', (entry) => ({ ...entry, settlementMac: zeroMac() }), 'settlementMac'],
]

test('a sale edited in any field pays nothing; the true one, sent later, is paid once', async () => {
  const { scene, merchant, honest } = await setUp()
  let paidMinor = 0
  for (const [name, edit, reason] of edits) {
    const card = await scene.card({ at: honest })
    await merchant.sell(card)
    const forged = edited(merchant, (entries) => [edit(only(entries), honest)])
    const answer = await scene.post('/v1/batches', forged)
    const key = merchant.terminal.identity.terminalMacKey
    const ack = openAcknowledgement(key, new Uint8Array(await answer.arrayBuffer()))
    expect([name, ...ack.exceptions.map((exception) => exception.reason)]).toEqual([name, reason])
    expect([await scene.payableMinor(merchant), await scene.payableMinor(honest)]).toEqual([paidMinor, 0])
    expect(await scene.cardFigures(card)).toMatchObject({ balanceMinor: 1000, counter: 1, alarms: [] })
    // The terminal's own batch of that number is now a fork; in a new epoch the true sale is sent and paid.
    expect(await merchant.sync()).toMatchObject({ stopped: 'fork' })
    await merchant.enrolAgain()
    paidMinor += mapPriceMinor
    expect(await scene.payableMinor(merchant)).toBe(paidMinor)
    expect(await scene.cardFigures(card)).toMatchObject({ balanceMinor: 750, counter: 2, alarms: [] })
  }
})

test('a captured sale under another status moves the money that its record proves, and none where the proof is left out', async () => {
  const { scene, merchant, honest } = await setUp()
  let paidMinor = 0
  for (const status of ['owed', 'witness', 'inDoubt', 'void', 'abandoned'] as const) {
    const card = await scene.card({ at: honest })
    await merchant.sell(card)
    const noProof = status === 'inDoubt' || status === 'void' || status === 'abandoned'
    const batch = edited(merchant, (entries) =>
      entries.map((entry) => ({ ...entry, status, ...(noProof ? { settlementMac: zeroMac() } : {}) })),
    )
    expect((await scene.post('/v1/batches', batch)).status).toBe(200)
    expect([status, await scene.payableMinor(merchant)]).toEqual([status, paidMinor + (noProof ? 0 : mapPriceMinor)])
    // Whoever hides a sale is found out by the next tap of the card anywhere.
    await witnessAfterSale(honest.terminal, channelTo(card), { cardId: card.id })
    await honest.sync()
    paidMinor += mapPriceMinor
    expect(await scene.payableMinor(merchant)).toBe(paidMinor)
    expect((await scene.cardFigures(card)).alarms).toEqual(
      status === 'void' ? [{ kind: 'voidButSettled', counter: 2 }] : [],
    )
    await merchant.enrolAgain()
  }
})

test('one sale three times in a batch, in two batches and as a witness of another terminal is paid once', async () => {
  const { scene, merchant, honest, card } = await setUp()
  await merchant.sell(card)
  const thrice = edited(merchant, (entries) => [only(entries), only(entries), { ...only(entries), status: 'witness' }])
  await scene.post('/v1/batches', thrice)
  expect(await scene.payableMinor(merchant)).toBe(mapPriceMinor)
  await witnessAfterSale(honest.terminal, channelTo(card), { cardId: card.id })
  await honest.sync()
  await merchant.sync()
  await merchant.enrolAgain()
  expect(await scene.payableMinor(merchant)).toBe(mapPriceMinor)
  expect(await scene.exceptionsOf(merchant)).toEqual([])
})

test('a reversal that he keeps to himself is charged to him as soon as the card pays again anywhere', async () => {
  const { scene, merchant, honest, card } = await setUp()
  const outcome = await merchant.sell(card, 'map', { handOver: () => Promise.reject(new Error('no paper')) })
  expect(outcome).toMatchObject({ outcome: 'declined', reversed: true })
  const batch = edited(merchant, (entries) => entries.filter(({ record }) => record.order.type === 'payment'))
  await scene.post('/v1/batches', batch)
  expect(await scene.payableMinor(merchant)).toBe(mapPriceMinor)
  await honest.sell(card)
  await honest.sync()
  expect(await scene.payableMinor(merchant)).toBe(0)
  expect((await scene.cardFigures(card)).holes).toMatchObject([
    { counter: 3, amountMinor: 250, explanation: 'reversal' },
  ])
})

test('an entry taken out, changed or moved after it was sent is an alarm, whoever reseals the rest', async () => {
  const { scene, merchant, honest, card } = await setUp()
  await merchant.sell(card)
  await merchant.sync()
  await merchant.sell(card)
  await merchant.sell(card)
  const swapped = edited(merchant, (entries) => entries.toReversed())
  expect((await scene.post('/v1/batches', swapped)).status).toBe(200)
  // In any order each record is what it is; the true batch under that number is the fork that names him.
  expect(await scene.payableMinor(merchant)).toBe(3 * mapPriceMinor)
  expect(await merchant.sync()).toMatchObject({ stopped: 'fork' })
  const alarms = (await scene.figures()).terminals.find(({ terminalId: id }) => id === merchant.id)?.alarms
  expect(alarms).toEqual([{ kind: 'fork' }])
  expect(await scene.payableMinor(honest)).toBe(0)
})
