/**
 * The purse: the card's half of the protocol as a state machine, bytes in and bytes out (PROTOCOL.md, The card).
 * What outlives a power cut is `PurseState`; the session (selection, offer, PIN) is gone with the power.
 */
import assert from 'node:assert/strict'
import {
  type CommitAnswer,
  encodeCommitAnswer,
  encodeInitiateAnswer,
  encodeReadRecordAnswer,
  encodeResponse,
  instruction,
  type ResponseApdu,
  statusWord,
} from '../protocol/apdu.ts'
import { equalBytes, fromHex, toHex, u32Max } from '../protocol/bytes.ts'
import { aid, encodeSelectAnswer } from '../protocol/card-info.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { keyLength } from '../protocol/keys.ts'
import {
  acceptanceMac,
  commitBlockMac,
  commitLoadMac,
  commitMac,
  type MacKey,
  macKey,
  offerMac,
  pinMac,
  readMac,
  settlementMac,
} from '../protocol/mac.ts'
import { type Order, orderLength } from '../protocol/order.ts'
import { parsePersonalisation, personalisationLength } from '../protocol/personalise.ts'
import { amountMinor, type Counter, counter, type Mac, mac, macLength } from '../protocol/quantities.ts'
import { balanceAfter, encodeIdentity, encodeRecord, recordLength } from '../protocol/record.ts'
import { checkOrder } from './order-checks.ts'
import { type CardState, logLengthMax, newCardState, type PurseState } from './purse-state.ts'

export interface Purse {
  /** The state as it was last saved. */
  readonly state: PurseState
  /**
   * Carries out one command APDU and returns the response APDU, whatever the bytes are.
   * @throws only what `save` threw. Which state is stored is then unknown: the purse is dead and answers no more (an
   * assertion); open it anew from what is stored.
   */
  process(command: Uint8Array): Uint8Array
  /** The power went, or the reader reset the card. */
  reset(): void
}

export interface PurseParts {
  readonly state: PurseState
  /** Returns when the state is durable; called before the command that made it is answered. */
  readonly save: (state: PurseState) => void
  readonly randomBytes: (length: number) => Uint8Array
}

interface Offer {
  readonly order: Order
  readonly orderBytes: Uint8Array
  readonly counter: Counter
  readonly cardNonce: Uint8Array
}

interface Session {
  readonly challenge: Uint8Array
  readonly offer?: Offer
  readonly pin?: Mac
}

interface Command {
  readonly p1: number
  readonly data: Uint8Array
}

/** CLA, INS, P1, P2, Lc */
const headerLength = 5
/** Of an AID (ISO 7816-5). */
const aidLengthMin = 5
const aidLengthMax = 16

interface Handler {
  readonly cla: number
  readonly ins: number
  /** Absent: the command's own. */
  readonly p1?: number
  readonly p2: number
  readonly lengthMin: number
  readonly lengthMax: number
  readonly run: (command: Command) => ResponseApdu
}

const refuse = (status: number): ResponseApdu => ({ data: new Uint8Array(0), status })
const answer = (data: Uint8Array = new Uint8Array(0)): ResponseApdu => ({ data, status: statusWord.ok })

const keyOf = (hex: string): MacKey => macKey(fromHex(hex, keyLength))

/** @returns undefined for bytes that are no personalisation */
const personalisedState = (data: Uint8Array): CardState | undefined => {
  try {
    return newCardState(parsePersonalisation(data))
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

const expectedCommitMac = (card: CardState, offer: Offer): Mac => {
  const committed = { ...offer, cardId: card.cardId, order: offer.orderBytes }
  switch (offer.order.type) {
    case 'load':
      return commitLoadMac(keyOf(card.loadKey), committed)
    case 'block':
      return commitBlockMac(keyOf(card.loadKey), card.cardId)
    default:
      return commitMac(keyOf(card.payKey), committed)
  }
}

/** The transaction's whole effect on the card, and the answer that proves it. */
const carryOut = (card: CardState, offer: Offer): { next: CardState; receipt: CommitAnswer } => {
  const balanceAfterMinor = balanceAfter(card.balanceMinor, offer.order)
  assert(balanceAfterMinor !== undefined, 'INITIATE offered what the balance does not allow')
  const record = encodeRecord({ identity: card, counter: offer.counter, balanceAfterMinor, order: offer.order })
  const settlement = settlementMac(keyOf(card.settleKey), record)
  const acceptance = acceptanceMac(keyOf(card.payKey), record, settlement)
  const entry = { record: toHex(record), settlementMac: toHex(settlement), acceptanceMac: toHex(acceptance) }
  const next: CardState = {
    ...card,
    status: offer.order.type === 'block' ? 'blocked' : card.status,
    counter: offer.counter,
    balanceMinor: balanceAfterMinor,
    log: [entry, ...card.log].slice(0, logLengthMax),
  }
  return { next, receipt: { balanceAfterMinor, settlementMac: settlement, acceptanceMac: acceptance } }
}

/** The handler and the data of a command, or the status word that refuses it; no state is looked at. */
const route = (handlers: readonly Handler[], bytes: Uint8Array): { run: Handler['run']; command: Command } | number => {
  const [cla, ins, p1, p2, lc] = bytes
  if (cla === undefined || ins === undefined || p1 === undefined || p2 === undefined) return statusWord.wrongLength
  if (!handlers.some((handler) => handler.cla === cla)) return statusWord.unknownClass
  const handler = handlers.find((candidate) => candidate.cla === cla && candidate.ins === ins)
  if (handler === undefined) return statusWord.unknownInstruction
  if ((handler.p1 ?? p1) !== p1 || handler.p2 !== p2) return statusWord.wrongParameters
  const length = lc ?? 0
  const leLength = bytes.length - headerLength - length
  if (length < handler.lengthMin || length > handler.lengthMax || leLength < 0 || leLength > 1)
    return statusWord.wrongLength
  return { run: handler.run, command: { p1, data: bytes.slice(headerLength, headerLength + length) } }
}

/** @returns the purse, powered and not selected */
export const openPurse = ({ state: storedState, save, randomBytes }: PurseParts): Purse => {
  let state = storedState
  let session: Session | undefined
  let dead = false

  const store = (next: PurseState) => {
    dead = true
    save(next)
    dead = false
    state = next
  }

  const select = ({ data }: Command): ResponseApdu => {
    if (!equalBytes(data, aid)) return refuse(statusWord.notFound)
    session = { challenge: randomBytes(8) }
    return answer(state.kind === 'blank' ? undefined : encodeSelectAnswer({ ...state, challenge: session.challenge }))
  }

  /** The card it makes has to be selected. */
  const personalise = ({ data }: Command): ResponseApdu => {
    if (state.kind !== 'blank' || session === undefined) return refuse(statusWord.conditionsNotSatisfied)
    const next = personalisedState(data)
    if (next === undefined) return refuse(statusWord.wrongData)
    store(next)
    session = undefined
    return answer()
  }

  const initiate = (card: CardState, { challenge }: Session, { data }: Command): ResponseApdu => {
    session = { challenge }
    const order = checkOrder(card, data)
    if (typeof order === 'number') return refuse(order)
    if (card.counter === u32Max) return refuse(statusWord.conditionsNotSatisfied)
    const offer = { order, orderBytes: data, counter: counter(card.counter + 1), cardNonce: randomBytes(8) }
    session = { challenge, offer }
    const { balanceMinor } = card
    const offered = { ...offer, identity: encodeIdentity(card), balanceMinor, order: data }
    const key = keyOf(order.type === 'load' ? card.loadKey : card.payKey)
    return answer(encodeInitiateAnswer({ ...offer, balanceMinor, offerMac: offerMac(key, offered) }))
  }

  const verifyPin = (card: CardState, current: Session, { data }: Command): ResponseApdu => {
    if (current.offer === undefined) return refuse(statusWord.conditionsNotSatisfied)
    if (card.pinTriesLeft === 0) return refuse(statusWord.pinBlocked)
    session = { ...current, pin: mac(data) }
    return answer()
  }

  /** @returns the PIN limits after a payment, or the status word that refuses it */
  const checkPin = (card: CardState, offer: Offer, pin: Mac | undefined): CardState | number => {
    const { amountMinor: amount } = offer.order
    if (amount <= card.pinFreeLeftMinor)
      return { ...card, pinFreeLeftMinor: amountMinor(card.pinFreeLeftMinor - amount) }
    if (pin === undefined) return statusWord.pinRequired
    const tried = { ...card, pinTriesLeft: card.pinTriesLeft - 1 }
    store(tried)
    const right =
      card.pin !== '' &&
      equalBytes(pin, pinMac(keyOf(card.payKey), { cardId: card.cardId, cardNonce: offer.cardNonce, digits: card.pin }))
    if (right) return { ...card, pinTriesLeft: card.pinTriesMax, pinFreeLeftMinor: card.pinFreeMaxMinor }
    return tried.pinTriesLeft === 0 ? statusWord.pinBlocked : statusWord.pinWrong | tried.pinTriesLeft
  }

  const commit = (card: CardState, { challenge, offer, pin }: Session, { data }: Command): ResponseApdu => {
    session = { challenge }
    if (offer === undefined || offer.order.type === 'probe') return refuse(statusWord.conditionsNotSatisfied)
    if (!equalBytes(data, expectedCommitMac(card, offer))) return refuse(statusWord.securityNotSatisfied)
    const allowed = offer.order.type === 'payment' ? checkPin(card, offer, pin) : card
    if (typeof allowed === 'number') return refuse(allowed)
    const { next, receipt } = carryOut(allowed, offer)
    store(next)
    return answer(encodeCommitAnswer(receipt))
  }

  const readRecord = (card: CardState, { challenge }: Session, { p1, data }: Command): ResponseApdu => {
    const expected = readMac(keyOf(card.payKey), { cardId: card.cardId, challenge, recordNumber: p1 })
    if (!equalBytes(data, expected)) return refuse(statusWord.securityNotSatisfied)
    const entry = card.log[p1 - 1]
    if (entry === undefined) return refuse(statusWord.recordNotFound)
    return answer(
      encodeReadRecordAnswer({
        record: fromHex(entry.record, recordLength),
        settlementMac: mac(fromHex(entry.settlementMac, macLength)),
        acceptanceMac: mac(fromHex(entry.acceptanceMac, macLength)),
      }),
    )
  }

  /** Only a card that was personalised and selected is asked. */
  const onCard =
    (run: (card: CardState, session: Session, command: Command) => ResponseApdu) =>
    (command: Command): ResponseApdu =>
      state.kind === 'blank' || session === undefined
        ? refuse(statusWord.conditionsNotSatisfied)
        : run(state, session, command)

  const exactly = (length: number) => ({ lengthMin: length, lengthMax: length })
  const parameters = { p1: 0x00, p2: 0x00 }
  const handlers: readonly Handler[] = [
    {
      cla: 0x00,
      ins: instruction.select,
      p1: 0x04,
      p2: 0x00,
      lengthMin: aidLengthMin,
      lengthMax: aidLengthMax,
      run: select,
    },
    { cla: 0x00, ins: instruction.readRecord, p2: 0x04, ...exactly(macLength), run: onCard(readRecord) },
    { cla: 0x90, ins: instruction.initiate, ...parameters, ...exactly(orderLength), run: onCard(initiate) },
    { cla: 0x90, ins: instruction.verifyPin, ...parameters, ...exactly(macLength), run: onCard(verifyPin) },
    { cla: 0x90, ins: instruction.commit, ...parameters, ...exactly(macLength), run: onCard(commit) },
    { cla: 0x90, ins: instruction.personalise, ...parameters, ...exactly(personalisationLength), run: personalise },
  ]

  return {
    get state() {
      return state
    },
    process(bytes) {
      assert(!dead, 'this purse could not save its state; open it anew')
      const routed = route(handlers, bytes)
      return encodeResponse(typeof routed === 'number' ? refuse(routed) : routed.run(routed.command))
    },
    reset() {
      session = undefined
    },
  }
}
