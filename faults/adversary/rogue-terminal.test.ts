/**
 * A thief took a terminal: he holds what lay on its disk, MK_pay and its own K_term, and nothing else. What he gains and what
 * he does not, to the cent, by the issuer's books (docs/SECURITY.md, What a thief of MK_pay can do).
 */
import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import type { TestCard } from '../../main/test-terminal.ts'
import {
  commitCommand,
  parseCommitAnswer,
  parseReadRecordAnswer,
  readRecordCommand,
  selectCommand,
  statusWord,
} from '../../protocol/apdu.ts'
import { encodeBatch } from '../../protocol/batch.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { encodeClaim } from '../../protocol/claim.ts'
import { currencyOf } from '../../protocol/currency.ts'
import { encodeEntry, firstHead, nextHead } from '../../protocol/entry.ts'
import { itemHash } from '../../protocol/item.ts'
import { openKeyring } from '../../protocol/keyring.ts'
import { derivePayKey } from '../../protocol/keys.ts'
import { encodeLoadRequest, openLoadAnswer } from '../../protocol/load.ts'
import { macKey, pinMac, shortHashOf } from '../../protocol/mac.ts'
import type { Order } from '../../protocol/order.ts'
import {
  amountMinor,
  type CardId,
  cardId,
  counter,
  type Mac,
  mac,
  type TerminalId,
  unixTime,
  zeroHash,
} from '../../protocol/quantities.ts'
import { type CardRecord, encodeRecord, parseRecord } from '../../protocol/record.ts'
import { imitate, type Kiosk, mapPriceMinor, mapText, openScene, readerOver, type Scene } from './scene.ts'

const fresh = (count: number) => Uint8Array.from(randomBytes(count))

/** Everything that the thief knows is read from the stolen terminal's disk. */
const thiefOf = (scene: Scene, stolen: Kiosk) => {
  const { identity, ledger } = stolen.terminal
  const document = ledger.document('keyring')
  if (document === undefined) throw new Error('a terminal in service has a keyring')
  const { body } = openKeyring(document.bytes, identity.terminalKey)
  const master = fromHex(body.payKeys[0]?.key ?? '', 32)
  const terminalKey = macKey(identity.terminalKey)
  const payKey = (card: CardId) => derivePayKey(master, 1, card)
  let seq = 5000

  const order = (terminalId: TerminalId, changes: Partial<Order> & Pick<Order, 'type'>): Order => {
    seq += 1
    return {
      currency: currencyOf('EUR').code,
      amountMinor: amountMinor(0),
      reference: counter(0),
      terminalId,
      terminalSeq: seq,
      time: unixTime(scene.clock.seconds),
      itemHash: zeroHash(),
      lock: shortHashOf(fresh(16)),
      ...changes,
    }
  }
  const mapOrder = (terminalId: TerminalId) => {
    const map = stolen.terminal.issued?.bulletin.items.find(({ id }) => id === 'map')
    if (map === undefined) throw new Error('the map is in the catalogue')
    return order(terminalId, { type: 'payment', amountMinor: amountMinor(map.priceMinor), itemHash: itemHash(map) })
  }

  /** INITIATE and COMMIT with K_pay, as any terminal does. */
  const transact = (card: TestCard, asked: Order) => {
    const reader = readerOver(card, { payKey: payKey(card.id) })
    const info = reader.select()
    const initiated = reader.initiate(asked)
    if (initiated.status !== statusWord.ok) return { status: initiated.status }
    const committed = reader.send(reader.commands.commit())
    if (committed.status !== statusWord.ok) return { status: committed.status }
    const answer = parseCommitAnswer(committed.data)
    const record: CardRecord = {
      identity: { keyVersion: info.keyVersion, cardId: info.cardId },
      counter: counter(info.counter + 1),
      balanceAfterMinor: answer.balanceAfterMinor,
      order: asked,
    }
    return { status: committed.status, record, settlementMac: answer.settlementMac }
  }
  const claim = (record: CardRecord, settlementMac: Mac) =>
    encodeClaim(terminalKey, {
      keyVersion: 1,
      sealer: stolen.id,
      record,
      settlementMac,
      expiry: unixTime(scene.clock.seconds + 1000),
    })
  const batch = (...made: readonly { record: CardRecord; settlementMac: Mac; status?: 'captured' | 'witness' }[]) => {
    const entries = made.map(({ record, settlementMac, status = 'captured' }) =>
      encodeEntry({ record, settlementMac, status, resolvedTime: unixTime(0) }),
    )
    const previousHead = firstHead(stolen.id, identity.epoch)
    return encodeBatch(terminalKey, {
      keyVersion: 1,
      terminalId: stolen.id,
      epoch: identity.epoch,
      batchNo: 1,
      firstEntry: 1,
      previousHead,
      entries,
      head: entries.reduce(nextHead, previousHead),
    })
  }
  return { payKey, terminalKey, terminalId: stolen.id, order, mapOrder, transact, claim, batch }
}

const setUp = async (limits = {}) => {
  const scene = await openScene(onTestFinished, { limits })
  const honest = await scene.kiosk('Town')
  const stolen = await scene.kiosk('Port')
  const victim = await scene.card({ at: honest })
  await honest.sync()
  return { scene, honest, stolen, victim, thief: thiefOf(scene, stolen) }
}

test('imitated cards carry goods from an offline kiosk, within its limits; at its sync nothing is paid and the alarm names terminal and key version', async () => {
  const { scene, honest, victim, thief } = await setUp({
    cardUnsyncedMinorMax: 2 * mapPriceMinor,
    unsyncedMinorMax: 3 * mapPriceMinor,
  })
  const known = imitate({ id: victim.id, payKey: thief.payKey(victim.id), balanceMinor: 100_000 })
  const invented = cardId('00000000deadbeef')
  const unknown = imitate({ id: invented, payKey: thief.payKey(invented), balanceMinor: 100_000 })
  // The victim's number was seen here at counter 1 already: an imitation that begins before is refused.
  expect(await honest.sell(known)).toMatchObject({ outcome: 'declined', reason: 'cardSuspect' })
  known.rollBack({ ...known.state, counter: counter(7) })
  expect(await honest.sell(known)).toMatchObject({ outcome: 'captured' })
  expect(await honest.sell(known)).toMatchObject({ outcome: 'captured' })
  expect(await honest.sell(known)).toMatchObject({ outcome: 'declined', reason: 'limit' })
  expect(await honest.sell(unknown)).toMatchObject({ outcome: 'captured' })
  expect(await honest.sell(unknown)).toMatchObject({ outcome: 'declined', reason: 'limit' })

  const before = (await scene.figures()).accounts
  expect(await honest.sync()).toMatchObject({ entries: 3, exceptions: 3 })
  expect(await scene.exceptionsOf(honest)).toEqual(['settlementMac', 'settlementMac', 'unknownCard'])
  expect((await scene.figures()).accounts).toEqual(before)
  expect(await scene.payableMinor(honest)).toBe(0)
  expect(await scene.cardFigures(victim)).toMatchObject({ balanceMinor: 1000, counter: 1, alarms: [] })
  const alarms = await scene.issuer.store.read((db) => db.selectFrom('alarm').select('alarm_key').execute())
  expect(alarms).toEqual([{ alarm_key: `settlementMac/-/-/${honest.id}/v1` }])
  // The merchant bears it: three maps went without money. And the victim, whose number was used with a higher counter, buys
  // no more at this kiosk until his own card has passed it; anywhere else he does.
  expect(await honest.sell(victim)).toMatchObject({ outcome: 'declined', reason: 'cardSuspect' })
})

test("a card near his reader is debited in another terminal's name, and the money is that terminal's merchant's", async () => {
  const { scene, honest, stolen, victim, thief } = await setUp()
  const taken = thief.transact(victim, thief.mapOrder(honest.id))
  if (taken.record === undefined) throw new Error('the debit worked')
  expect(victim.state.balanceMinor).toBe(1000 - mapPriceMinor)
  const answer = await scene.post('/v1/batches', thief.batch({ ...taken, record: taken.record, status: 'witness' }))
  expect(answer.status).toBe(200)
  expect([await scene.payableMinor(honest), await scene.payableMinor(stolen)]).toEqual([mapPriceMinor, 0])
  // What he does get, with K_term beside MK_pay: a claim for it, and so the goods at the cardholder's cost.
  const claimed = await scene.post('/v1/claims', thief.claim(taken.record, taken.settlementMac))
  const { contentUrl } = JSON.parse(await claimed.text())
  expect(await (await fetch(scene.url + contentUrl)).text()).toBe(mapText)
  expect([await scene.payableMinor(honest), await scene.payableMinor(stolen)]).toEqual([mapPriceMinor, 0])
  // Another amount than the price goes to nobody.
  const odd = thief.transact(victim, { ...thief.mapOrder(stolen.id), amountMinor: amountMinor(700) })
  if (odd.record === undefined) throw new Error('the debit worked')
  await scene.post('/v1/claims', thief.claim(odd.record, odd.settlementMac))
  expect(await scene.payableMinor(stolen)).toBe(0)
  expect((await scene.figures()).accounts).toMatchObject({ suspense: 700, payable: mapPriceMinor, float: 50 })
})

test('above what goes without a PIN the card gives nothing, and three wrong PINs end its guessing', async () => {
  const scene = await openScene(onTestFinished)
  const stolen = await scene.kiosk('Port')
  const card = await scene.card({ at: stolen, personalisation: { pinFreeMaxMinor: amountMinor(300) } })
  const thief = thiefOf(scene, stolen)
  expect(thief.transact(card, thief.mapOrder(stolen.id)).status).toBe(statusWord.ok)
  expect(thief.transact(card, thief.mapOrder(stolen.id)).status).toBe(statusWord.pinRequired)
  const reader = readerOver(card, { payKey: thief.payKey(card.id) })
  const guess = (digits: string) => {
    reader.select()
    reader.initiate(thief.mapOrder(stolen.id))
    reader.send(reader.commands.verifyPin(digits))
    return reader.send(reader.commands.commit()).status
  }
  expect(['0000', '1111', '2222'].map(guess)).toEqual([0x63c2, 0x63c1, statusWord.pinBlocked])
  expect(guess('1234')).toBe(statusWord.pinRequired)
  expect(card.state.balanceMinor).toBe(750)
})

test('an overheard VERIFY tells him the PIN, without a try', async () => {
  const { victim, thief } = await setUp()
  const payKey = macKey(thief.payKey(victim.id))
  const cardNonce = fresh(8)
  const overheard = pinMac(payKey, { cardId: victim.id, cardNonce, digits: '1234' })
  const found = Array.from({ length: 10_000 }, (_, guess) => String(guess).padStart(4, '0')).find((digits) =>
    pinMac(payKey, { cardId: victim.id, cardNonce, digits }).every((byte, at) => byte === overheard[at]),
  )
  expect(found).toBe('1234')
  expect(victim.state.pinTriesLeft).toBe(victim.state.pinTriesMax)
})

test('a settlement that he makes up is paid to nobody, in his own name and in a witness', async () => {
  const { scene, honest, stolen, victim, thief } = await setUp()
  const invent = (terminalId: TerminalId): CardRecord => ({
    identity: { keyVersion: 1, cardId: victim.id },
    counter: counter(2),
    balanceAfterMinor: amountMinor(1000 - mapPriceMinor),
    order: thief.mapOrder(terminalId),
  })
  const guesses = [mac(fresh(16)), mac(thief.terminalKey(4, encodeRecord(invent(stolen.id))).slice(0, 16))]
  const batch = thief.batch(...guesses.map((settlementMac) => ({ record: invent(stolen.id), settlementMac })), {
    record: invent(honest.id),
    settlementMac: mac(fresh(16)),
    status: 'witness' as const,
  })
  expect((await scene.post('/v1/batches', batch)).status).toBe(200)
  expect(await scene.exceptionsOf(stolen)).toEqual(['settlementMac', 'settlementMac', 'settlementMac'])
  for (const terminal of [honest, stolen]) expect(await scene.payableMinor(terminal)).toBe(0)
  expect((await scene.post('/v1/claims', thief.claim(invent(honest.id), mac(fresh(16))))).status).toBe(403)
  expect(await scene.cardFigures(victim)).toMatchObject({ balanceMinor: 1000, counter: 1, alarms: [] })
})

test("he cannot reverse another's payment, load or block a card, whatever MACs he makes", async () => {
  const { scene, honest, stolen, victim, thief } = await setUp()
  await honest.sell(victim)
  await honest.sync()
  const [paid] = victim.records
  if (paid === undefined) throw new Error('a payment is the newest record')
  const reversal = { ...paid.order, type: 'reversal' as const, reference: paid.counter }
  for (const lock of [paid.order.lock, fresh(16), new Uint8Array(16)])
    expect(thief.transact(victim, { ...reversal, lock }).status).toBe(statusWord.conditionsNotSatisfied)
  const load = thief.order(stolen.id, { type: 'load', amountMinor: amountMinor(5000) })
  expect(thief.transact(victim, load).status).toBe(statusWord.securityNotSatisfied)
  const block = thief.order(stolen.id, { type: 'block', lock: new Uint8Array(16) })
  expect(thief.transact(victim, block).status).toBe(statusWord.securityNotSatisfied)
  expect(victim.state).toMatchObject({ balanceMinor: 1000 - mapPriceMinor, status: 'active' })

  // At the issuer: a reversal that only he sealed, and a load in the honest terminal's name.
  const record: CardRecord = {
    identity: { keyVersion: 1, cardId: victim.id },
    counter: counter(paid.counter + 1),
    balanceAfterMinor: amountMinor(1000),
    order: { ...reversal, terminalId: honest.id, lock: fresh(16) },
  }
  await scene.post('/v1/batches', thief.batch({ record, settlementMac: mac(fresh(16)), status: 'witness' }))
  const request = encodeLoadRequest(thief.terminalKey, {
    keyVersion: 1,
    identity: { keyVersion: 1, cardId: victim.id },
    counter: counter(paid.counter + 1),
    balanceMinor: amountMinor(750),
    order: thief.order(honest.id, { type: 'load', amountMinor: amountMinor(5000) }),
    cardNonce: fresh(8),
    offerMac: mac(fresh(16)),
  })
  expect((await scene.post('/v1/loads', request)).status).toBe(403)
  expect(await scene.payableMinor(honest)).toBe(mapPriceMinor)
  expect((await scene.figures()).accounts).toMatchObject({ float: 750, merchantCash: -1000, suspense: 0 })
})

test('with K_term he loads his own card at the stolen terminal, and its merchant owes the cash', async () => {
  const { scene, stolen, thief } = await setUp()
  const own = await scene.card()
  const ask = (minor: number) => {
    const reader = readerOver(own, { payKey: thief.payKey(own.id) })
    const { counter: last, balanceMinor } = reader.select()
    const order = thief.order(stolen.id, { type: 'load', amountMinor: amountMinor(minor) })
    const offered = reader.initiate(order)
    const view = new DataView(Uint8Array.from(offered.data).buffer)
    return encodeLoadRequest(thief.terminalKey, {
      keyVersion: 1,
      identity: { keyVersion: 1, cardId: own.id },
      counter: counter(last + 1),
      balanceMinor: amountMinor(balanceMinor),
      order,
      cardNonce: offered.data.slice(8, 16),
      offerMac: mac(new Uint8Array(view.buffer.slice(16, 32))),
    })
  }
  const verdictOf = async (request: Uint8Array) =>
    openLoadAnswer(thief.terminalKey, new Uint8Array(await (await scene.post('/v1/loads', request)).arrayBuffer()))
  expect((await verdictOf(ask(1_000_001))).verdict).toBe('limit')
  const answer = await verdictOf(ask(5000))
  expect(answer.verdict).toBe('authorised')
  expect(own.answers(commitCommand(answer.commitMac)).slice(-2)).toEqual(Uint8Array.of(0x90, 0x00))
  expect(own.state.balanceMinor).toBe(5000)
  const { merchants } = await scene.figures()
  expect(merchants.find(({ merchant }) => merchant === 'Port')).toMatchObject({ cashOwedMinor: 5000 })
})

test("he reads a card's last ten records", async () => {
  const { honest, victim, thief } = await setUp()
  await honest.sell(victim)
  const reader = readerOver(victim, { payKey: thief.payKey(victim.id) })
  reader.select()
  const read = reader.send(reader.commands.readRecord(1))
  expect(parseRecord(parseReadRecordAnswer(read.data).record).order).toMatchObject({
    amountMinor: mapPriceMinor,
    terminalId: honest.id,
  })
  // Without MK_pay nobody does.
  expect(victim.answers(selectCommand()).length).toBeGreaterThan(2)
  expect(victim.answers(readRecordCommand(1, mac(fresh(16))))).toEqual(Uint8Array.of(0x69, 0x82))
})

/** The printer fails and the card is pulled before the reversal's COMMIT: the kiosk owes, and the secret was on the air. */
const cutReversal = async (honest: Kiosk, victim: TestCard) => {
  let secretShown: Uint8Array | undefined
  victim.reset()
  const outcome = await honest.sell(
    {
      transmit: async (command) => {
        if (command[1] === 0x10 && command[5] === 3) secretShown = command.slice(5, 65)
        return command[1] === 0x14 && secretShown !== undefined ? new Uint8Array(0) : victim.answers(command)
      },
    },
    'map',
    { handOver: () => Promise.reject(new Error('the printer is out of paper')) },
  )
  expect(outcome).toMatchObject({ outcome: 'captured', goods: 'owed' })
  if (secretShown === undefined) throw new Error('the reversal was on the air')
  return secretShown
}

test('he completes a reversal that was cut: the money is back, the merchant is charged once, the claim is void', async () => {
  const { scene, honest, victim, thief } = await setUp()
  const order = await cutReversal(honest, victim)
  await honest.sync()
  expect(victim.state.balanceMinor).toBe(750)
  const reader = readerOver(victim, { payKey: thief.payKey(victim.id) })
  reader.select()
  expect(reader.initiate(order).status).toBe(statusWord.ok)
  expect(reader.send(reader.commands.commit()).status).toBe(statusWord.ok)
  expect(victim.state.balanceMinor).toBe(1000)
  const [undone, paid] = victim.state.log
  const madeOf = (entry: typeof undone) => ({
    record: parseRecord(fromHex(entry?.record ?? '', 80)),
    settlementMac: mac(fromHex(entry?.settlementMac ?? '', 16)),
  })
  await scene.post('/v1/batches', thief.batch({ ...madeOf(undone), status: 'witness' }))
  expect(await scene.payableMinor(honest)).toBe(0)
  expect(await scene.exceptionsOf(honest)).toEqual([])
  expect(await scene.cardFigures(victim)).toMatchObject({ balanceMinor: 1000, counter: 3, alarms: [] })
  const { record, settlementMac } = madeOf(paid)
  const claimed = await scene.post('/v1/claims', thief.claim(record, settlementMac))
  expect([claimed.status, JSON.parse(await claimed.text()).error]).toEqual([409, 'reversed'])
})

test('he passes a reversed payment off as one to collect: only before the reversal is known to the issuer', async () => {
  const { scene, honest, victim, thief } = await setUp()
  const outcome = await honest.sell(victim, 'map', { handOver: () => Promise.reject(new Error('no paper')) })
  expect(outcome).toMatchObject({ outcome: 'declined', reversed: true })
  expect(victim.state.balanceMinor).toBe(1000)
  const paid = victim.state.log[1]
  const record = parseRecord(fromHex(paid?.record ?? '', 80))
  const claim = () => thief.claim(record, mac(fromHex(paid?.settlementMac ?? '', 16)))
  // The kiosk is offline: the thief has a map for nothing, and the merchant bears it.
  expect((await scene.post('/v1/claims', claim())).status).toBe(200)
  expect(await scene.payableMinor(honest)).toBe(mapPriceMinor)
  await honest.sync()
  expect(await scene.payableMinor(honest)).toBe(0)
  expect((await scene.post('/v1/claims', claim())).status).toBe(409)
  expect(await scene.cardFigures(victim)).toMatchObject({ balanceMinor: 1000, alarms: [] })
})
