/** The card under any commands and cuts, and the terminal's half of the same conversation under any answers. */
import assert from 'node:assert/strict'
import { drivePurse, type PurseDriver, sampleOrder, samplePersonalisation } from '../../card/purse-driver.ts'
import { blankState, newCardState, type PurseState } from '../../card/purse-state.ts'
import { cardOf, type MortalCard, mortalCard, newestRecord, requireLawful } from '../../card/test-card.ts'
import { openPurseSession, type PurseSession, selectPurse } from '../../main/purse-session.ts'
import { type CardChannel, CardFault } from '../../main/reader/card-reader.ts'
import { commitCommand, initiateCommand, personaliseCommand, selectCommand, statusWord } from '../../protocol/apdu.ts'
import { macKey } from '../../protocol/mac.ts'
import { encodeOrder, type Order, orderLength, orderTypes } from '../../protocol/order.ts'
import { encodePersonalisation } from '../../protocol/personalise.ts'
import { amountMinor, counter, currencyCode, unixTime, zeroMac } from '../../protocol/quantities.ts'
import { balanceAfter, balanceChangeMinor, type CardRecord, encodeRecord } from '../../protocol/record.ts'
import { refusingLater, type Target } from './target.ts'

/** Reads an input as a programme; what is not there is zero. */
const tape = (input: Uint8Array) => {
  let at = 0
  return {
    more: () => at < input.length,
    u8: (): number => input[at++] ?? 0,
    bytes: (length: number): Uint8Array => {
      at += length
      return input.slice(at - length, at)
    },
  }
}
type Tape = ReturnType<typeof tape>

const personalisation = samplePersonalisation({ pinFreeMaxMinor: amountMinor(600) })
const amounts = [0, 1, 250, 700, 5000, 20_001, 0xffffffff]

const orderFrom = (from: Tape, card: MortalCard): Uint8Array => {
  const choice = from.u8()
  if (choice >= 0xf0) return Uint8Array.from({ length: orderLength }, () => from.u8())
  const type = orderTypes[choice % orderTypes.length] ?? 'payment'
  const about = from.u8()
  const amount = amounts[about % amounts.length] ?? 0
  const state = card.stored()
  const newest = state.kind === 'card' && state.counter > 0 ? newestRecord(state) : undefined
  const hasAmount = type === 'payment' || type === 'load' || type === 'reversal'
  const undoing = type === 'reversal' && newest !== undefined && about < 0xc0
  return encodeOrder(
    sampleOrder(type, {
      ...(hasAmount ? { amountMinor: amountMinor(undoing ? newest.order.amountMinor : amount) } : {}),
      ...(type === 'reversal' ? { reference: counter(undoing ? newest.counter : about) } : {}),
      ...((about & 0x0f) === 0x0f ? { currency: currencyCode(840) } : {}),
      ...((about & 0x1f) === 0x1e ? { time: unixTime(0xffffffff) } : {}),
    }),
  )
}

type Step = (from: Tape, card: MortalCard, drive: PurseDriver) => Uint8Array | 'cut' | 'reset'

const damaged = (command: Uint8Array, from: Tape): Uint8Array => {
  const changed = Uint8Array.from(command)
  const at = from.u8() % Math.max(command.length, 1)
  changed[at] = (changed[at] ?? 0) ^ (from.u8() || 1)
  return changed
}

const steps: readonly Step[] = [
  () => selectCommand(),
  (from, card) => initiateCommand(orderFrom(from, card)),
  (_, __, { commands }) => commands.commit(),
  (from, _, { commands }) => commands.verifyPin(from.u8() % 3 === 0 ? '0000' : '1234'),
  (from, _, { commands }) => commands.readRecord(1 + (from.u8() % 12)),
  (from) => from.bytes(from.u8()),
  (from, _, { commands }) => damaged(commands.commit(), from),
  (from, card) => damaged(initiateCommand(orderFrom(from, card)), from),
  () => 'cut',
  () => 'reset',
  () => commitCommand(zeroMac()),
  (from) => personaliseCommand(from.u8() < 0x80 ? encodePersonalisation(personalisation) : from.bytes(140)),
  (from) => {
    const [cla, ins] = [from.u8() < 0x80 ? 0x90 : 0x00, from.u8()]
    const data = from.bytes(from.u8())
    return Uint8Array.from([cla, ins, from.u8(), from.u8(), data.length, ...data])
  },
]

/** By way of the driver, so that it knows the last offer and challenge; a blank card has no answer that it could read. */
const sendStep = (command: Uint8Array, card: MortalCard, drive: PurseDriver): number => {
  const isInitiate = command[0] === 0x90 && command[1] === 0x10 && command.length === 65
  if (isInitiate) return drive.initiate(command.slice(5)).status
  if (Buffer.compare(command, selectCommand()) === 0) {
    if (card.stored().kind === 'card') drive.select()
    else card.process(command)
    return statusWord.ok
  }
  return drive.send(command).status
}

const commandStep = (command: Uint8Array, card: MortalCard, drive: PurseDriver): void => {
  const before = card.stored()
  const status = sendStep(command, card, drive)
  const after = card.stored()
  if (status === statusWord.ok || before.kind === 'blank' || after.kind === 'blank') return
  assert.deepEqual(after, { ...before, pinTriesLeft: after.pinTriesLeft }, 'a refusal changes nothing but the tries')
}

const runStep = (from: Tape, card: MortalCard, drive: PurseDriver): void => {
  const command = steps[from.u8() % steps.length]?.(from, card, drive) ?? 'reset'
  if (command === 'reset') card.reset()
  else if (command === 'cut')
    card.tear(from.u8() % 2 === 0 ? 'before' : 'after', () => card.process(drive.commands.commit()))
  else commandStep(command, card, drive)
}

/** Every state follows lawfully from the one before, and the balance is the sum of what was committed. */
const requireLawfulHistory = ({ history }: MortalCard): void => {
  let sumMinor = 0
  for (const [at, state] of history.entries()) {
    const before = history[at - 1]
    if (before === undefined) continue
    if (before.kind === 'blank') {
      assert(state.kind === 'card' && state.counter === 0 && state.balanceMinor === 0, 'a new card is empty')
      continue
    }
    const card = cardOf(state)
    requireLawful(before, card)
    if (card.counter > before.counter) sumMinor += balanceChangeMinor(newestRecord(card).order)
  }
  const last = history.at(-1)
  if (last?.kind === 'card') assert.equal(last.balanceMinor, sumMinor)
}

const stepsMax = 60

const purse = (name: string, first: PurseState, seeds: readonly Uint8Array[]): Target => ({
  name,
  kind: 'bytes',
  inputs: 1_500,
  lengthMax: 1024,
  open: () => ({
    seeds,
    run(input) {
      const from = tape(input)
      const card = mortalCard(first, from.u8())
      const drive = drivePurse(card.process, personalisation)
      for (let step = 0; step < stepsMax && from.more(); step += 1) runStep(from, card, drive)
      requireLawfulHistory(card)
    },
  }),
})

/** select, load 50.00, commit; pay 2.50, commit; undo it. */
const wholeDay = Uint8Array.of(1, 0, 1, 2, 4, 2, 1, 1, 2, 2, 1, 3, 0, 2, 4, 0, 1, 1, 3, 3, 1, 2)

/** What comes back from the card when somebody is in between. */
const interfere = (answer: Uint8Array, from: Tape, earlier: readonly Uint8Array[]): Uint8Array => {
  switch (from.u8() % 12) {
    case 0:
      return damaged(answer, from)
    case 1:
      return answer.slice(0, from.u8() % (answer.length + 1))
    case 2:
      return from.bytes(from.u8())
    case 3:
      return earlier[from.u8() % Math.max(earlier.length, 1)] ?? new Uint8Array(0)
    case 4:
      return Uint8Array.from([...answer.subarray(0, -2), from.u8(), from.u8()])
    case 5:
      return Uint8Array.from([...answer, ...from.bytes(from.u8() % 8)])
    case 6:
      throw new CardFault('removed', 'pulled')
    default:
      return answer
  }
}

/** A channel to a real purse, with somebody in between. */
const overheard = (card: MortalCard, from: Tape): CardChannel => {
  const earlier: Uint8Array[] = []
  return {
    transmit: async (command) => {
      const answer = card.process(command)
      const given = interfere(answer, from, earlier)
      earlier.push(answer)
      return given
    },
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const requireTrueOffer = async (session: PurseSession, card: MortalCard, order: Order): Promise<void> => {
  const offered = await session.initiate(order)
  if (offered.outcome !== 'offered') return
  const before = cardOf(card.stored())
  const { offer } = offered
  assert.deepEqual(
    [offer.counter, offer.balanceMinor],
    [before.counter + 1, before.balanceMinor],
    'a believed offer is true',
  )
  const after = balanceAfter(offer.balanceMinor, order)
  if (after === undefined || order.type !== 'payment') return
  const expected: CardRecord = { identity: session.identity, counter: offer.counter, balanceAfterMinor: after, order }
  const committed = await session.commit(offer, expected)
  if (committed.outcome !== 'accepted') return
  const [newest] = cardOf(card.stored()).log
  assert.equal(newest?.record, hexOf(encodeRecord(expected)), 'an accepted payment is on the card')
  assert.equal(newest?.settlementMac, hexOf(committed.settlementMac), 'and will be settled: its MAC is the card’s own')
}

const requireTrueRecord = async (session: PurseSession, card: MortalCard, number: number): Promise<void> => {
  const read = await session.read(number)
  if (read.outcome !== 'read') return
  const hex = hexOf(read.bytes)
  assert(
    cardOf(card.stored()).log.some(({ record }) => record === hex),
    'a believed record is in the card',
  )
}

const converse = async (input: Uint8Array): Promise<void> => {
  const from = tape(input)
  const card = mortalCard(newCardState(personalisation), from.u8())
  const drive = drivePurse(card.process, personalisation)
  drive.select()
  drive.transact(sampleOrder('load', { amountMinor: amountMinor(5000) }))
  drive.transact(sampleOrder('payment'))
  const channel = overheard(card, from)
  const info = await selectPurse(channel)
  if (info === undefined || info.cardId !== personalisation.cardId || info.keyVersion !== personalisation.keyVersion)
    return
  const session = openPurseSession(channel, { info, payKey: macKey(personalisation.payKey) })
  for (let step = 0; step < 8 && from.more(); step += 1)
    if (from.u8() % 2 === 0) await requireTrueRecord(session, card, 1 + (from.u8() % 12))
    else
      await requireTrueOffer(
        session,
        card,
        sampleOrder(from.u8() % 3 === 0 ? 'probe' : 'payment', { terminalSeq: 100 + step }),
      )
}

const session: Target = {
  name: 'purse-session',
  kind: 'bytes',
  inputs: 1_200,
  lengthMax: 512,
  open: () => ({
    seeds: [
      Uint8Array.of(1, 9, 1, 1, 9, 9, 0, 1, 9, 1, 0, 9, 0, 2, 9),
      new Uint8Array(40).fill(9),
      new Uint8Array(40).fill(1),
    ],
    run: async (input) => {
      await refusingLater(CardFault, () => converse(input))
    },
  }),
}

export const cardTargets: readonly Target[] = [
  purse('purse', newCardState(personalisation), [wholeDay, new Uint8Array(0)]),
  purse('purse-blank', blankState, [Uint8Array.of(1, 0, 11, 0, ...wholeDay.subarray(1)), Uint8Array.of(1, 11, 0)]),
  session,
]
