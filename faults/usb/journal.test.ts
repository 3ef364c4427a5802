/** Operators' journals and refunds between real terminals and a real issuer: over HTTP and on a stick. */
import { readdirSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { addVoucherLot, makeVoucherCodes } from '../../issuer/funding.ts'
import { addOperator } from '../../issuer/operators.ts'
import { askCredits, askVoucher } from '../../main/inquiry.ts'
import { connectIssuer, IssuerUnreachable } from '../../main/sync/issuer-client.ts'
import { findOperator, isOperatorPin } from '../../protocol/operator.ts'
import type { Kiosk } from './stick-world.ts'
import { makeStickWorld, type StickWorld } from './stick-world.ts'

const by = { name: 'test:journal' }
const pin = '493817'
const make = () => makeStickWorld(onTestFinished)

const makeOperator = (world: StickWorld) =>
  addOperator(world.issuer, by, {
    cardId: world.card(1).id,
    name: 'Ada',
    role: 'operator',
    pin,
    terminals: 'all',
  })

const operatorsAt = (kiosk: Kiosk) => kiosk.work((terminal) => terminal.issued?.keyring.operators)

/** The newest sale is taken back. */
const refundNewest = (world: StickWorld, kiosk: Kiosk) =>
  kiosk.work(({ ledger }) => {
    const card = world.card(0)
    const sold = ledger.soldAt(card.id, card.counter as never)
    if (sold === undefined) throw new Error('nothing was sold')
    return ledger.refund(sold.terminalSeq, { operator: { cardId: world.card(1).id, name: 'Ada' }, reason: 'torn page' })
  })

const refunds = (world: StickWorld) =>
  world.issuer.store.read((db) => db.selectFrom('device_refund').select(['state', 'amount_minor']).execute())

test('a terminal that keeps a journal is given its operators; a refund comes back as a credit of the card', async () => {
  const world = await make()
  await makeOperator(world)
  const kiosk = world.kiosk(0)
  const client = await world.client()
  expect(await operatorsAt(kiosk)).toBeUndefined()
  // Its first sync, at the enrolment, told of the journal.
  await kiosk.sync(client)
  const operator = findOperator(await operatorsAt(kiosk), world.card(1).id)
  expect(operator).toMatchObject({ name: 'Ada', role: 'operator' })
  expect(operator !== undefined && (await isOperatorPin(operator, pin))).toBe(true)

  await kiosk.sell(world.card())
  expect(await refundNewest(world, kiosk)).toMatchObject({ outcome: 'refunded' })
  expect(await kiosk.sync(client)).toMatchObject({ batches: 1, journals: 1, exceptions: 0 })
  expect(await refunds(world)).toEqual([{ state: 'booked', amount_minor: 250 }])
  const credits = await kiosk.work((terminal) => askCredits(terminal, client, world.card().id))
  expect(credits).toMatchObject([{ amountMinor: 250 }])
  expect(await kiosk.work((terminal) => askCredits(terminal, client, world.card(1).id))).toEqual([])

  const [code = ''] = makeVoucherCodes(world.issuer, 1)
  await addVoucherLot(world.issuer, by, {
    codes: [code],
    amountMinor: 2000,
    expiresAt: world.issuer.clock() + 86_400,
  })
  const ask = (typed: string) => kiosk.work((terminal) => askVoucher(terminal, client, typed))
  expect(await ask(code.toLowerCase())).toEqual({ state: 'valid', amountMinor: 2000 })
  expect(await ask('7KQ2-0F9M-XW3T-H5RA')).toEqual({ state: 'unknown' })
  expect(await ask('not a code!')).toEqual({ state: 'unknown' })
  expect(await world.audit()).toEqual([])
})

test('who tries codes is told to wait, and an answer that something in between made up is none', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  const client = await world.client()
  const ask = (typed: string) => kiosk.work((terminal) => askVoucher(terminal, client, typed))
  for (let attempt = 0; attempt < 20; attempt += 1)
    expect(await ask(`7KQ20F9M${attempt.toString().padStart(8, '0')}`)).toEqual({ state: 'unknown' })
  await expect(ask('7KQ2-0F9M-XW3T-H5RA')).rejects.toMatchObject({ status: 429 })
  let earlier: Uint8Array | undefined
  const replaying = connectIssuer(client.url, {
    fetch: async (...request) => {
      const response = await fetch(...request)
      const bytes = new Uint8Array(await response.arrayBuffer())
      const answer = earlier ?? bytes
      earlier = bytes
      return new Response(Uint8Array.from(answer), response)
    },
  })
  const credits = () => kiosk.work((terminal) => askCredits(terminal, replaying, world.card().id))
  expect(await credits()).toEqual([])
  await expect(credits()).rejects.toThrow(IssuerUnreachable)
})

test('an answer that is lost on the way is asked for again, and nothing is booked twice', async () => {
  const world = await make()
  await makeOperator(world)
  const kiosk = world.kiosk(0)
  const client = await world.client()
  await kiosk.sync(client)
  await kiosk.sell(world.card())
  await refundNewest(world, kiosk)
  const cut = connectIssuer(client.url, {
    fetch: async (...request) => {
      const response = await fetch(...request)
      if (String(request[0]).endsWith('/v1/journals')) throw new TypeError('cut')
      return response
    },
  })
  for (let attempt = 0; attempt < 2; attempt += 1) await expect(kiosk.sync(cut)).rejects.toThrow(IssuerUnreachable)
  expect(await kiosk.sync(client)).toMatchObject({ journals: 1 })
  expect(await kiosk.sync(client)).not.toHaveProperty('journals')
  expect(await refunds(world)).toEqual([{ state: 'booked', amount_minor: 250 }])
  expect(await world.audit()).toEqual([])
})

test('a terminal without a network does the same by stick', async () => {
  const world = await make()
  await makeOperator(world)
  const kiosk = world.kiosk(0)
  const stick = world.stick()
  await kiosk.sell(world.card())
  await refundNewest(world, kiosk)
  const { files } = await kiosk.export(stick)
  expect(files.filter((name) => name.endsWith('.fjrn'))).toHaveLength(1)
  expect(await world.desk(stick)).toMatchObject({ journals: { count: 1, allTaken: true } })
  // The same stick once more.
  await world.desk(stick)
  expect(await kiosk.take(stick)).toMatchObject({ journals: 1, refused: [] })
  expect(readdirSync(stick).filter((name) => /\.fj/.test(name))).toEqual([])
  expect(await operatorsAt(kiosk)).toMatchObject([{ name: 'Ada' }])
  expect(await refunds(world)).toEqual([{ state: 'booked', amount_minor: 250 }])
  expect((await kiosk.export(stick)).files.filter((name) => name.endsWith('.fjrn'))).toEqual([])
  expect(await world.audit()).toEqual([])
})

test('an issuer that went back to a backup gets the journal again that it lacks', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  const before = world.backUp('before')
  await kiosk.work(({ ledger }) => ledger.writeJournal({ act: 'stock' }))
  await kiosk.sync(await world.client())
  await world.goOnWith(before)
  await kiosk.work(({ ledger }) => ledger.writeJournal({ act: 'sync' }))
  expect(await kiosk.sync(await world.client())).toMatchObject({ journals: 2 })
  const kept = await world.issuer.store.read((db) => db.selectFrom('journal_entry').select('act').execute())
  expect(kept.map(({ act }) => act).toSorted()).toEqual(['start', 'start', 'stock', 'sync'])
})
