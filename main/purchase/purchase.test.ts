import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import type { Intent } from '../../db/ledger.ts'
import { ledgerPath, openReadable } from '../../db/open.ts'
import { statusWord } from '../../protocol/apdu.ts'
import { encodeBatch } from '../../protocol/batch.ts'
import { equalBytes } from '../../protocol/bytes.ts'
import { parseClaim, requireClaimSeal } from '../../protocol/claim.ts'
import { parseEntry } from '../../protocol/entry.ts'
import { macKey } from '../../protocol/mac.ts'
import { amountMinor, currencyCode, unixTime } from '../../protocol/quantities.ts'
import { encodeRecord } from '../../protocol/record.ts'
import { type CardChannel, CardFault } from '../reader/card-reader.ts'
import { type Cut, openReaderDouble } from '../reader/reader-double.ts'
import type { Terminal } from '../terminal.ts'
import {
  allKnown,
  channelTo,
  goodsFor,
  makeTestCard,
  makeTestTerminal,
  type TestCard,
  type TestTerminal,
  testStartTime,
  testTerminalKey,
  wifiCodes,
} from '../test-terminal.ts'
import { finishOpen, type PurchaseHooks, type PurchaseOutcome, purchase, witnessAfterSale } from './purchase.ts'

const make = (options: Parameters<typeof makeTestTerminal>[1] = {}) => makeTestTerminal(onTestFinished, options)

const ins = { initiate: 0x10, commit: 0x14, read: 0xb2 }

/** A tap through the reader double: the card arrives, is used, and leaves. */
const tap = async (
  terminal: Terminal,
  card: TestCard,
  options: { item?: string; cut?: Cut; hooks?: PurchaseHooks } = {},
): Promise<PurchaseOutcome> => {
  const reader = openReaderDouble()
  card.reset()
  const inserted = reader.insert(card.answers, options.cut === undefined ? {} : { cut: options.cut })
  return inserted.use((channel) => purchase(terminal, channel, goodsFor(terminal, options.item), options.hooks))
}

/** A card whose answers to one instruction are tampered with. */
const tampered = (
  card: TestCard,
  instruction: number,
  change: (response: Uint8Array, command: Uint8Array) => Uint8Array,
  options: { nth?: number } = {},
): CardChannel => {
  card.reset()
  let count = 0
  return {
    transmit: async (command) => {
      const response = card.answers(command)
      if (command[1] !== instruction) return response
      count += 1
      return options.nth === undefined || options.nth === count ? change(response, command) : response
    },
  }
}

const flipLast = (response: Uint8Array): Uint8Array =>
  response.map((byte, at) => (at === response.length - 3 ? byte ^ 1 : byte))
const flipAt = (where: number) => (response: Uint8Array) => response.map((byte, at) => (at === where ? byte ^ 1 : byte))
const status = (word: number) => () => Uint8Array.of(word >> 8, word & 0xff)

/** All entries, oldest first, as the outbox would send them. */
const entriesOf = ({ ledger }: Terminal) => {
  const entries: ReturnType<typeof parseEntry>[] = []
  while (
    ledger.cutBatch((batch) => {
      entries.push(...batch.entries.map(parseEntry))
      return encodeBatch(macKey(testTerminalKey()), { ...batch, keyVersion: 1 })
    })
  );
  return entries
}

const alarmCount = (made: TestTerminal): number => {
  const { database, close } = openReadable(made.dataDir)
  const { count } = database.prepare('SELECT count(*) AS count FROM alarm').get() as { count: number }
  close()
  return count
}

const requireCaptured = (outcome: PurchaseOutcome) => {
  if (outcome.outcome !== 'captured') throw new Error(`not captured: ${JSON.stringify(outcome)}`)
  return outcome
}

const requirePresent = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw new Error('absent')
  return value
}

/** The law of the whole: what the card holds, what the ledger says, and that each record is captured once. */
const expectSound = (terminal: Terminal, card: TestCard) => {
  const captured = entriesOf(terminal).filter((entry) => entry.status === 'captured')
  const own = card.records.filter((record) => record.order.terminalId === terminal.identity.terminalId)
  expect(captured.map((entry) => Buffer.from(encodeRecord(entry.record)).toString('hex')).sort()).toEqual(
    own.map((record) => Buffer.from(encodeRecord(record)).toString('hex')).sort(),
  )
}

test('a sale takes SELECT, INITIATE, COMMIT, and two durable commits', async () => {
  const { terminal, restart } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  terminal.ledger.nextTerminalSeq() // a block of numbers is reserved now and then, off the path
  const durable: string[] = []
  const { writeIntent, capture } = terminal.ledger
  const watched: Terminal = {
    ...terminal,
    get issued() {
      return terminal.issued
    },
    ledger: new Proxy(terminal.ledger, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver)
        const writes = /^(write|capture|mark|cut|store|begin)/.test(String(name))
        if (writes && typeof value === 'function') durable.push(String(name))
        return value
      },
    }),
  }
  expect([typeof writeIntent, typeof capture]).toEqual(['function', 'function'])
  const commands: number[] = []
  const channel = channelTo(card)
  const outcome = await purchase(
    watched,
    {
      transmit: (command) => {
        commands.push(command[1] ?? 0)
        return channel.transmit(command)
      },
    },
    goodsFor(terminal),
  )
  expect(outcome).toMatchObject({
    outcome: 'captured',
    recovered: false,
    goods: 'due',
    claimable: true,
    balanceMinor: 750,
  })
  expect(commands).toEqual([0xa4, ins.initiate, ins.commit])
  // The last writeVoids has nothing to write, and so commits nothing.
  expect(durable).toEqual(['writeIntent', 'capture', 'writeVoids'])
  expectSound(restart(), card)
})

test('each order is sent once, and its lock is fresh', async () => {
  const { terminal } = make()
  const card = makeTestCard()
  await tap(terminal, card)
  terminal.ledger.markReleased(requirePresent(terminal.ledger.goodsDue(card.id)[0]).terminalSeq)
  await tap(terminal, card)
  const [second, first] = card.records
  expect(second?.order.terminalSeq).not.toBe(first?.order.terminalSeq)
  expect(equalBytes(requirePresent(second).order.lock, requirePresent(first).order.lock)).toBe(false)
})

test.each([
  ['outOfService', { late: 31 * 86_400 }, {}],
  ['cardBlocked', {}, { blocked: true }],
  ['hotlisted', { hot: true }, {}],
  ['cardExpired', {}, { personalisation: { expiry: unixTime(testStartTime - 1) } }],
  ['wrongCurrency', {}, { personalisation: { currency: currencyCode(840) } }],
  ['limit', { publication: { limits: { saleMinorMax: 249 } } }, {}],
  ['limit', { publication: { limits: { cardUnsyncedMinorMax: 249 } } }, {}],
  ['limit', { publication: { limits: { unsyncedMinorMax: 249 } } }, {}],
  ['limit', { publication: { limits: { unsyncedCountMax: 0 } } }, {}],
  ['limit', { publication: { limits: { staleAfterSeconds: 10, staleSaleMinorMax: 249 } } }, {}],
  ['balanceTooLow', {}, { balanceMinor: 249 }],
  ['pinNeeded', {}, { personalisation: { pinFreeMaxMinor: amountMinor(249) } }],
] as const)('declines as %s before the card is asked for anything', async (reason, shop, holder) => {
  const made = make('publication' in shop ? { publication: shop.publication } : {})
  const card = makeTestCard({
    ...('balanceMinor' in holder ? { balanceMinor: holder.balanceMinor } : {}),
    ...('personalisation' in holder ? { personalisation: { ...holder.personalisation } } : {}),
    ...('personalisation' in holder && 'expiry' in holder.personalisation ? { balanceMinor: 1000 } : {}),
  })
  if ('blocked' in holder) card.block()
  if ('hot' in shop) made.publish({ serial: 2, hotlist: [{ cardId: card.id }] })
  if ('late' in shop) made.clock.seconds += shop.late
  const before = card.state
  const commands: number[] = []
  const channel = channelTo(card)
  const outcome = await purchase(
    made.terminal,
    {
      transmit: (command) => {
        commands.push(command[1] ?? 0)
        return channel.transmit(command)
      },
    },
    goodsFor(made.terminal),
  )
  expect(outcome).toMatchObject({ outcome: 'declined', reason })
  if (reason === 'balanceTooLow') expect(outcome).toMatchObject({ missingMinor: 1 })
  expect(commands).toEqual([0xa4])
  expect(card.state).toEqual(before)
  expect(entriesOf(made.terminal)).toEqual([])
})

test('refusals have an order: the first that applies is named', async () => {
  const made = make({ publication: { limits: { saleMinorMax: 1 } } })
  const holder = { currency: currencyCode(840), expiry: unixTime(testStartTime - 1), pinFreeMaxMinor: amountMinor(0) }
  const card = makeTestCard({ balanceMinor: 1, personalisation: holder })
  const reasonNow = async () => {
    const outcome = await tap(made.terminal, card)
    return outcome.outcome === 'declined' ? outcome.reason : outcome.outcome
  }
  expect(await reasonNow()).toBe('cardExpired')
  made.publish({ serial: 2, hotlist: [{ cardId: card.id }], limits: { saleMinorMax: 1 } })
  expect(await reasonNow()).toBe('hotlisted')
  card.block()
  expect(await reasonNow()).toBe('cardBlocked')
  made.clock.seconds += 31 * 86_400
  expect(await reasonNow()).toBe('outOfService')
  const wrongCurrency = makeTestCard({ balanceMinor: 1, personalisation: { currency: currencyCode(840) } })
  const fresh = make({ publication: { limits: { saleMinorMax: 1 } } })
  expect(await tap(fresh.terminal, wrongCurrency)).toMatchObject({ reason: 'wrongCurrency' })
  expect(await tap(fresh.terminal, makeTestCard({ balanceMinor: 1 }))).toMatchObject({ reason: 'limit' })
  const poor = makeTestCard({ balanceMinor: 1, personalisation: { pinFreeMaxMinor: amountMinor(0) } })
  expect(await tap(make().terminal, poor)).toMatchObject({ reason: 'balanceTooLow' })
})

test('what is no purse, or bears a key version that is not in use, is not a purse', async () => {
  const { terminal } = make()
  const bank: CardChannel = { transmit: async () => Uint8Array.of(0x6a, 0x82) }
  expect(await purchase(terminal, bank, goodsFor(terminal))).toMatchObject({ outcome: 'declined', reason: 'notAPurse' })
  const odd: CardChannel = { transmit: async () => Uint8Array.of(0x6f, 0x00, 0x90, 0x00) }
  expect(await purchase(terminal, odd, goodsFor(terminal))).toMatchObject({ reason: 'notAPurse' })
  const old = makeTestCard({ personalisation: { keyVersion: 9 } })
  expect(await tap(terminal, old)).toMatchObject({ reason: 'notAPurse' })
  const stopped = make()
  const goods = goodsFor(stopped.terminal)
  stopped.clock.seconds += 31 * 86_400
  expect(await purchase(stopped.terminal, bank, goods)).toMatchObject({ reason: 'outOfService' })
})

test('an offer with a wrong MAC is an alarm and no debit', async () => {
  const made = make()
  const card = makeTestCard()
  const outcome = await purchase(made.terminal, tampered(card, ins.initiate, flipLast), goodsFor(made.terminal))
  expect(outcome).toMatchObject({ outcome: 'declined', reason: 'cardSuspect' })
  expect(card.state.balanceMinor).toBe(1000)
  expect(alarmCount(made)).toBe(1)
  expect(entriesOf(made.terminal)).toEqual([])
})

test.each([
  [statusWord.cardBlocked, 'cardBlocked'],
  [statusWord.cardExpired, 'cardExpired'],
  [statusWord.wrongCurrency, 'wrongCurrency'],
  [statusWord.balanceTooLow, 'balanceTooLow'],
  [statusWord.conditionsNotSatisfied, 'cardSuspect'],
])('INITIATE refused with %i is %s', async (word, reason) => {
  const made = make()
  const { terminal } = made
  const outcome = await purchase(terminal, tampered(makeTestCard(), ins.initiate, status(word)), goodsFor(terminal))
  expect(outcome).toMatchObject({ outcome: 'declined', reason })
  expect(entriesOf(terminal)).toEqual([])
  expect(alarmCount(made)).toBe(reason === 'cardSuspect' ? 1 : 0)
})

test('a card whose counter went back behind what this ledger saw is refused', async () => {
  const made = make()
  const card = makeTestCard()
  const earlier = card.state
  const { payment } = requireCaptured(await tap(made.terminal, card))
  made.terminal.ledger.markReleased(payment.terminalSeq)
  card.rollBack(earlier)
  expect(await tap(made.terminal, card)).toMatchObject({ outcome: 'declined', reason: 'cardSuspect' })
  expect(card.state.balanceMinor).toBe(1000)
  expect(alarmCount(made)).toBe(1)
})

test.each([
  [0x63c2, 'pinWrong'],
  [statusWord.pinBlocked, 'pinBlocked'],
  [statusWord.pinRequired, 'pinNeeded'],
  [statusWord.securityNotSatisfied, 'cardSuspect'],
] as const)('COMMIT answered with %i is resolved on the same tap: void, and %s', async (word, reason) => {
  const made = make()
  const card = makeTestCard()
  card.reset()
  const channel: CardChannel = {
    transmit: async (command) => (command[1] === ins.commit ? status(word)() : card.answers(command)),
  }
  const outcome = await purchase(made.terminal, channel, goodsFor(made.terminal))
  expect(outcome).toMatchObject({ outcome: 'declined', reason })
  expect(entriesOf(made.terminal).map((entry) => entry.status)).toEqual(['void'])
  expect(card.state.balanceMinor).toBe(1000)
  expect(alarmCount(made)).toBe(reason === 'cardSuspect' ? 1 : 0)
})

const apdus = [1, 2, 3, 4, 5, 6] as const
const cuts = apdus.flatMap((apdu) => [
  { apdu, when: 'before' as const },
  { apdu, when: 'after' as const },
])

test.each(cuts)('cut $when APDU $apdu: the same card finishes it, and is debited once', async (cut) => {
  const made = make()
  const { terminal } = made
  const card = makeTestCard({ balanceMinor: 1000 })
  const first = await tap(terminal, card, { cut })
  const debited = card.state.balanceMinor === 750
  if (cut.apdu > 3) expect(first.outcome).toBe('captured')
  else if (cut.apdu < 3) expect(first).toEqual({ outcome: 'cardLost' })
  else expect(first.outcome).toBe('inDoubt')
  expect(debited).toBe(cut.apdu > 3 || (cut.apdu === 3 && cut.when === 'after'))

  const second = requireCaptured(await tap(terminal, card))
  expect(card.state.balanceMinor).toBe(750)
  // What the first tap paid is handed over by the second, unless it was already.
  expect(second.recovered).toBe(debited)
  terminal.ledger.markReleased(second.payment.terminalSeq)
  expectSound(terminal, card)
})

test.each(cuts)('cut $when APDU $apdu of a recovery: nothing is decided without proof', async (cut) => {
  const { terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  await tap(terminal, card, { cut: { apdu: 3, when: 'after' } })
  await tap(terminal, card, { cut })
  const last = requireCaptured(await tap(terminal, card))
  expect(last.recovered).toBe(true)
  expect(card.state.balanceMinor).toBe(750)
  terminal.ledger.markReleased(last.payment.terminalSeq)
  expectSound(terminal, card)
})

test.each(cuts)('cut $when APDU $apdu of a tap after a void: one debit', async (cut) => {
  const { terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  await tap(terminal, card, { cut: { apdu: 3, when: 'before' } })
  await tap(terminal, card, { cut })
  const last = requireCaptured(await tap(terminal, card))
  expect(card.state.balanceMinor).toBe(750)
  terminal.ledger.markReleased(last.payment.terminalSeq)
  expectSound(terminal, card)
})

/** The ledger dies right before, or right after, its nth durable step: nothing more is written. */
class Death extends Error {}
const dyingAt = (terminal: Terminal, nth: number, when: 'before' | 'after'): Terminal => {
  let steps = 0
  const ledger = new Proxy(terminal.ledger, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      const durable = /^(writeIntent|capture|mark|writeAbandoned|writeAlarm|writeWitness)/.test(String(name))
      return (...values: unknown[]) => {
        if (steps >= nth && /^(write|capture|mark)/.test(String(name))) throw new Death()
        if (!durable) return Reflect.apply(value, target, values)
        steps += 1
        if (steps === nth && when === 'before') throw new Death()
        const result: unknown = Reflect.apply(value, target, values)
        if (steps === nth) throw new Death()
        return result
      }
    },
  })
  return {
    ...terminal,
    get issued() {
      return terminal.issued
    },
    ledger,
  }
}

test.each([
  [1, 'before', false],
  [1, 'after', false],
  [2, 'before', true],
  [2, 'after', true],
] as const)(
  'killed at durable step %i (%s): the next tap gives the goods once, with one debit',
  async (nth, when, paid) => {
    const made = make()
    const card = makeTestCard({ balanceMinor: 1000 })
    await expect(purchase(dyingAt(made.terminal, nth, when), channelTo(card), goodsFor(made.terminal))).rejects.toThrow(
      Death,
    )
    const reborn = made.restart()
    expect(card.state.balanceMinor).toBe(paid ? 750 : 1000)
    const outcome = requireCaptured(await tap(reborn, card))
    expect(outcome.recovered).toBe(paid)
    expect(outcome.goods).toBe('due')
    expect(card.state.balanceMinor).toBe(750)
    reborn.ledger.markReleased(outcome.payment.terminalSeq)
    expectSound(made.restart(), card)
    const { recovered } = requireCaptured(await tap(made.terminal, card))
    expect(recovered).toBe(false)
  },
)

const inDoubt = async (terminal: Terminal, card: TestCard, when: 'before' | 'after', item = 'map'): Promise<Intent> => {
  const outcome = await tap(terminal, card, { item, cut: { apdu: 3, when } })
  if (outcome.outcome !== 'inDoubt') throw new Error(outcome.outcome)
  return outcome.payment
}

test('another record at the counter proves void, and the tap goes on to sell', async () => {
  const { terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  const doubt = await inDoubt(terminal, card, 'before')
  card.pay(100)
  const outcome = requireCaptured(await tap(terminal, card))
  expect(outcome.recovered).toBe(false)
  expect(terminal.ledger.intent(doubt.terminalSeq).state).toBe('void')
  expect(card.state.balanceMinor).toBe(650)
})

test.each([1, 9])('the record is found %i records back, and the goods are given', async (later) => {
  const { terminal } = make()
  const card = makeTestCard({ balanceMinor: 10_000 })
  const doubt = await inDoubt(terminal, card, 'after')
  for (let i = 0; i < later; i += 1) card.pay(10)
  const outcome = requireCaptured(await tap(terminal, card))
  expect(outcome).toMatchObject({ recovered: true, goods: 'due', claimable: true })
  expect(outcome.payment.terminalSeq).toBe(doubt.terminalSeq)
  expect(terminal.ledger.intent(doubt.terminalSeq).state).toBe('captured')
})

test('goods that a dead terminal did not hand over wait for their card, however often it paid elsewhere', async () => {
  const made = make()
  const card = makeTestCard({ balanceMinor: 10_000 })
  const { payment } = requireCaptured(await tap(made.terminal, card, { item: 'wifi' }))
  // The terminal dies before the goods are out; the card's log forgets the payment.
  made.restart()
  for (let i = 0; i < 12; i += 1) card.pay(10)
  const outcome = requireCaptured(await tap(made.terminal, card))
  expect(outcome).toMatchObject({ recovered: true, goods: 'due', claimable: false })
  expect(outcome.payment.terminalSeq).toBe(payment.terminalSeq)
})

test('ten records later it has left the log: abandoned, and its goods are never released', async () => {
  const { terminal } = make()
  const card = makeTestCard({ balanceMinor: 10_000 })
  const doubt = await inDoubt(terminal, card, 'after', 'wifi')
  for (let i = 0; i < 10; i += 1) card.pay(10)
  const outcome = requireCaptured(await tap(terminal, card))
  expect(outcome.recovered).toBe(false)
  expect(terminal.ledger.intent(doubt.terminalSeq).state).toBe('abandoned')
  expect(entriesOf(terminal).map((entry) => entry.status)).toEqual(['abandoned', 'captured'])
  expect(terminal.ledger.heldUnits()).toContain(doubt.unit)
})

test('a card that was rolled back behind its doubt is an alarm, and the doubt stays', async () => {
  const made = make()
  const { terminal } = made
  const card = makeTestCard({ balanceMinor: 1000 })
  const blankest = card.state
  card.pay(10)
  const doubt = await inDoubt(terminal, card, 'after')
  card.rollBack(blankest)
  expect(await tap(terminal, card)).toMatchObject({ outcome: 'declined', reason: 'cardSuspect' })
  expect(terminal.ledger.intent(doubt.terminalSeq).state).toBe('open')
  expect(alarmCount(made)).toBe(1)
})

test('a wrong MAC on the probe, or on the record, leaves the doubt', async () => {
  const { terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  const doubt = await inDoubt(terminal, card, 'after')
  for (const channel of [
    tampered(card, ins.initiate, flipLast),
    tampered(card, ins.read, flipLast),
    tampered(card, ins.read, flipAt(16)),
    tampered(card, ins.read, status(statusWord.recordNotFound)),
  ]) {
    expect(await purchase(terminal, channel, goodsFor(terminal))).toMatchObject({ reason: 'cardSuspect' })
    expect(terminal.ledger.intent(doubt.terminalSeq).state).toBe('open')
  }
  expect(requireCaptured(await tap(terminal, card)).recovered).toBe(true)
})

test('a wrong acceptance MAC is resolved by the record; if that lies too, it stays in doubt', async () => {
  const honest = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  const commitLies = tampered(card, ins.commit, flipLast)
  expect(await purchase(honest.terminal, commitLies, goodsFor(honest.terminal))).toMatchObject({
    outcome: 'captured',
    recovered: true,
    goods: 'due',
  })

  const { terminal } = make()
  const liar = makeTestCard({ balanceMinor: 1000 })
  liar.reset()
  const bothLie: CardChannel = {
    transmit: async (command) => {
      const response = liar.answers(command)
      return command[1] === ins.commit || command[1] === ins.read ? flipLast(response) : response
    },
  }
  const outcome = await purchase(terminal, bothLie, goodsFor(terminal))
  expect(outcome.outcome).toBe('inDoubt')
  expect(entriesOf(terminal).map((entry) => entry.status)).toEqual(['inDoubt'])
  expect(requireCaptured(await tap(terminal, liar)).recovered).toBe(true)
  expect(liar.state.balanceMinor).toBe(750)
  const entries = entriesOf(terminal)
  expect(entries.map((entry) => entry.status)).toEqual(['captured'])
  expect(entries[0]?.resolvedTime).toBeGreaterThan(0)
})

test('a balance that differs in the answer to COMMIT proves nothing', async () => {
  const { terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  const outcome = await purchase(terminal, tampered(card, ins.commit, flipAt(3)), goodsFor(terminal))
  expect(outcome).toMatchObject({ outcome: 'captured', recovered: true })
})

test('when the probe is refused, a record still proves captured, but nothing proves void', async () => {
  const { terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  const refusing = () => tampered(card, ins.initiate, status(statusWord.conditionsNotSatisfied))
  const voided = await inDoubt(terminal, card, 'before')
  expect(await purchase(terminal, refusing(), goodsFor(terminal))).toMatchObject({ reason: 'cardSuspect' })
  expect(terminal.ledger.intent(voided.terminalSeq).state).toBe('open')

  const other = makeTestCard({ balanceMinor: 1000 })
  const paid = await inDoubt(terminal, other, 'after')
  const channel = tampered(other, ins.initiate, status(statusWord.conditionsNotSatisfied))
  expect(await purchase(terminal, channel, goodsFor(terminal))).toMatchObject({
    outcome: 'captured',
    recovered: true,
    goods: 'due',
    claimable: false,
  })
  expect(terminal.ledger.intent(paid.terminalSeq).state).toBe('captured')
})

test('goods that were due before a crash wait for a card whose offer verifies', async () => {
  const made = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  await tap(made.terminal, card)
  const reborn = made.restart()
  const refusing = tampered(card, ins.initiate, status(statusWord.conditionsNotSatisfied))
  expect(await purchase(reborn, refusing, goodsFor(reborn))).toMatchObject({ reason: 'cardSuspect' })
  expect(requireCaptured(await tap(reborn, card))).toMatchObject({ recovered: true, goods: 'due' })
})

test('a doubt that a batch told meanwhile is captured as a second entry', async () => {
  const { terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  await inDoubt(terminal, card, 'after')
  card.reset()
  const told: string[] = []
  const channel: CardChannel = {
    transmit: async (command) => {
      if (command[1] === ins.read) told.push(...entriesOf(terminal).map((entry) => entry.status))
      return card.answers(command)
    },
  }
  requireCaptured(await purchase(terminal, channel, goodsFor(terminal)))
  expect(told).toEqual(['inDoubt'])
  const [entry] = entriesOf(terminal)
  expect(entry).toMatchObject({ status: 'captured' })
  expect(entry?.resolvedTime).toBeGreaterThan(0)
})

test('an intent that was damaged on the disk proves nothing against the card', async () => {
  const made = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  const doubt = await inDoubt(made.terminal, card, 'after')
  const raw = new Database(ledgerPath(made.dataDir))
  const damaged = doubt.record.map((byte, at) => (at === 70 ? byte ^ 1 : byte))
  raw.prepare('UPDATE intent SET record = ? WHERE terminal_seq = ?').run(damaged, doubt.terminalSeq)
  raw.close()
  expect(await tap(made.restart(), card)).toMatchObject({ outcome: 'declined', reason: 'cardSuspect' })
  expect(made.terminal.ledger.intent(doubt.terminalSeq).state).toBe('open')
  expect(alarmCount(made)).toBe(1)
})

const failing: PurchaseHooks = {
  handOver: async () => {
    throw new Error('the printer is out of paper')
  },
}

test('what cannot be handed over is reversed in the same tap, and its code can be sold again', async () => {
  const { terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  const outcome = await tap(terminal, card, { item: 'wifi', hooks: failing })
  expect(outcome).toMatchObject({ outcome: 'declined', reason: 'outOfService', reversed: true })
  expect(card.state.balanceMinor).toBe(1000)
  expect(entriesOf(terminal).map(({ status: name, record }) => [name, record.order.type])).toEqual([
    ['captured', 'payment'],
    ['captured', 'reversal'],
  ])
  expect(terminal.ledger.unsynced.amountMinor).toBe(0)
  expect(goodsFor(terminal, 'wifi').code).toBe(wifiCodes[0])
  const again = requireCaptured(await tap(terminal, card, { item: 'wifi' }))
  expect(again.recovered).toBe(false)
  expect(card.state.balanceMinor).toBe(900)
})

const reversalCuts = [4, 5].flatMap((apdu) => [
  { apdu, when: 'before' as const },
  { apdu, when: 'after' as const },
])
test.each(reversalCuts)('a reversal cut $when its APDU $apdu: owed, and never goods or claim', async (cut) => {
  const made = make()
  const { terminal } = made
  const card = makeTestCard({ balanceMinor: 1000 })
  const outcome = requireCaptured(await tap(terminal, card, { item: 'wifi', hooks: failing, cut }))
  expect(outcome).toMatchObject({ goods: 'owed', claimable: false })
  const undone = cut.apdu === 5 && cut.when === 'after'
  expect(card.state.balanceMinor).toBe(undone ? 1000 : 900)
  expect(terminal.ledger.goodsDue(card.id)).toEqual([])

  const reborn = made.restart()
  const next = requireCaptured(await tap(reborn, card))
  expect(next.recovered).toBe(false)
  expect(next.payment.terminalSeq).not.toBe(outcome.payment.terminalSeq)
  expect(reborn.ledger.intent(outcome.payment.terminalSeq)).toMatchObject({
    state: undone ? 'reversed' : 'captured',
    goods: 'owed',
  })
  const statuses = entriesOf(reborn).map(({ status: name, record }) => `${name} ${record.order.type}`)
  expect(statuses).toEqual([
    'captured payment',
    'owed payment',
    undone ? 'captured reversal' : 'void reversal',
    'captured payment',
  ])
  expect(reborn.ledger.reversalBegun(outcome.payment)).toBe(true)
})

test.each([
  [3, 'before', 'recovered'],
  [3, 'after', 'withheld'],
  [4, 'before', 'reversed'],
  [4, 'after', 'reversed'],
] as const)('a reversed sale killed at durable step %i (%s) is %s at the next tap', async (nth, when, fate) => {
  const made = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  const dying = dyingAt(made.terminal, nth, when)
  await expect(purchase(dying, channelTo(card), goodsFor(made.terminal), failing)).rejects.toThrow(Death)
  const reborn = made.restart()
  const outcome = requireCaptured(await tap(reborn, card))
  expect(outcome).toMatchObject({ recovered: fate === 'recovered', goods: 'due' })
  expect(reborn.ledger.goodsDue(card.id)).toHaveLength(1)
  const spent = { recovered: 250, withheld: 500, reversed: 250 }[fate]
  expect(card.state.balanceMinor).toBe(1000 - spent)
  expectSound(reborn, card)
})

test('a unit is sold once, whoever is in doubt about it', async () => {
  const { terminal } = make()
  const doubter = makeTestCard({ balanceMinor: 1000 })
  const doubt = await inDoubt(terminal, doubter, 'after', 'wifi')
  const others = [makeTestCard(), makeTestCard()]
  const sold = new Set<string | undefined>()
  for (const card of others) sold.add(requireCaptured(await tap(terminal, card, { item: 'wifi' })).payment.unit)
  expect(sold.size).toBe(2)
  expect(sold).not.toContain(doubt.unit)
  expect(terminal.issued?.catalogue.prepare('wifi')).toBe('outOfStock')
  const last = requireCaptured(await tap(terminal, doubter))
  expect(last).toMatchObject({ recovered: true })
  expect(last.payment.unit).toBe(doubt.unit)
})

test('a claim carries the record, sealed, and parses', async () => {
  const made = make()
  const card = makeTestCard()
  const { payment } = requireCaptured(await tap(made.terminal, card))
  const { url, expiresTime } = made.terminal.claimUrl(payment.record, requirePresent(payment.settlementMac))
  expect(url).toMatch(/^https:\/\/pay\.example\/c#[\w-]{176}$/)
  const bytes = new Uint8Array(Buffer.from(url.split('#')[1] ?? '', 'base64url'))
  requireClaimSeal(made.sealKey, bytes)
  const claim = parseClaim(bytes)
  expect(claim.record).toEqual(card.records[0])
  expect(claim.sealer).toBe(made.terminal.identity.terminalId)
  expect(claim.expiry).toBe(expiresTime)
})

test('after a sale the newest record from elsewhere is kept as a witness, one a tap', async () => {
  const { terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  card.pay(10)
  await tap(terminal, card)
  await witnessAfterSale(terminal, channelTo(card), { cardId: card.id })
  await witnessAfterSale(terminal, channelTo(card), { cardId: card.id })
  const seen = () => entriesOf(terminal).map((entry) => [entry.status, entry.record.counter])
  expect(seen()).toEqual([
    ['captured', 3],
    ['witness', 2],
    ['witness', 1],
  ])
  await witnessAfterSale(terminal, channelTo(card), { cardId: card.id })
  await witnessAfterSale(terminal, channelTo(card), { cardId: makeTestCard().id })
  expect(seen()).toEqual([])
})

test('a witness whose MAC is wrong, or a card that leaves, adds nothing and fails nothing', async () => {
  const { terminal } = make()
  const card = makeTestCard()
  await witnessAfterSale(terminal, tampered(card, ins.read, flipLast), { cardId: card.id })
  const gone: CardChannel = {
    transmit: async () => {
      throw new CardFault('removed', 'gone')
    },
  }
  await witnessAfterSale(terminal, gone, { cardId: card.id })
  expect(entriesOf(terminal)).toEqual([])
})

test('a tap that buys nothing finishes what is open', async () => {
  const { terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  expect(await finishOpen(terminal, channelTo(card))).toMatchObject({ outcome: 'clear', voided: 0 })
  await inDoubt(terminal, card, 'before')
  expect(await finishOpen(terminal, channelTo(card))).toMatchObject({ outcome: 'clear', voided: 1 })
  await inDoubt(terminal, card, 'after')
  expect(await finishOpen(terminal, channelTo(card))).toMatchObject({ outcome: 'captured', goods: 'due' })
})

test('in a new epoch, what the old one sold goes by claim and never from here', async () => {
  const made = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  await inDoubt(made.terminal, card, 'after')
  made.terminal.ledger.beginEpoch(2, allKnown)
  const outcome = requireCaptured(await tap(made.terminal, card))
  expect(outcome).toMatchObject({ recovered: true, goods: 'owed', claimable: true })
  expect(entriesOf(made.terminal).map((entry) => entry.status)).toEqual(['captured', 'owed'])
})

test('a disk that fails at the intent stops the sale before the debit, and what was proved void is proved again', async () => {
  const made = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  const full: Terminal = {
    ...made.terminal,
    get issued() {
      return made.terminal.issued
    },
    ledger: new Proxy(made.terminal.ledger, {
      get(target, name, receiver) {
        if (name === 'writeIntent')
          return () => {
            throw new Death()
          }
        const value: unknown = Reflect.get(target, name, receiver)
        return value
      },
    }),
  }
  await inDoubt(made.terminal, card, 'before')
  await expect(purchase(full, channelTo(card), goodsFor(made.terminal))).rejects.toThrow(Death)
  expect(card.state.balanceMinor).toBe(1000)
  const outcome = requireCaptured(await tap(made.restart(), card))
  expect(outcome.recovered).toBe(false)
  expectSound(made.terminal, card)
})
