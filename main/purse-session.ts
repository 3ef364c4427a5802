/**
 * The terminal's half of the card protocol (PROTOCOL.md, The card): commands out, answers checked before anything
 * believes them. It decides nothing.
 */
import {
  commitCommand,
  getResponseCommand,
  initiateCommand,
  parseCommitAnswer,
  parseInitiateAnswer,
  parseReadRecordAnswer,
  parseResponse,
  type ResponseApdu,
  readRecordCommand,
  selectCommand,
  statusWord,
  verifyPinCommand,
} from '../protocol/apdu.ts'
import { concat, equalBytes } from '../protocol/bytes.ts'
import { type CardInfo, parseSelectAnswer } from '../protocol/card-info.ts'
import { parsed } from '../protocol/errors.ts'
import { acceptanceMac, commitMac, type MacKey, offerMac, pinMac, readMac } from '../protocol/mac.ts'
import { encodeOrder, type Order } from '../protocol/order.ts'
import type { AmountMinor, CardId, Counter, Mac } from '../protocol/quantities.ts'
import { type CardRecord, encodeIdentity, encodeRecord, type Identity, parseRecord } from '../protocol/record.ts'
import { type CardChannel, CardFault } from './reader/card-reader.ts'

export interface Offer {
  readonly counter: Counter
  readonly balanceMinor: AmountMinor
  readonly cardNonce: Uint8Array
  readonly offerMac: Mac
  /** The order that it answers, 60 bytes. */
  readonly order: Uint8Array
}

export type InitiateOutcome =
  | { readonly outcome: 'offered'; readonly offer: Offer }
  | { readonly outcome: 'refused'; readonly status: number }
  /** Not the layout, or a wrong MAC. */
  | { readonly outcome: 'forged' }

export type CommitOutcome =
  /** The acceptance MAC is right over exactly the expected record. */
  | { readonly outcome: 'accepted'; readonly settlementMac: Mac }
  /** Anything else proves nothing: the payment is in doubt. */
  | { readonly outcome: 'unproven'; readonly status: number }

/** Whether the card takes a PIN at all; whether it is the right one, COMMIT tells. */
export type PinOutcome = 'stored' | 'blocked' | 'refused'

export type ReadOutcome =
  | { readonly outcome: 'read'; readonly bytes: Uint8Array; readonly record: CardRecord; readonly settlementMac: Mac }
  | { readonly outcome: 'none' }
  | { readonly outcome: 'forged' }

/** A session lasts while the card lies in the reader and nobody else selects. */
export interface PurseSession {
  readonly info: CardInfo
  readonly identity: Identity
  /** @throws CardFault */
  initiate(order: Order): Promise<InitiateOutcome>
  /** A load's offer bears a MAC under K_load, which only the issuer can check. @throws CardFault */
  initiateLoad(order: Order): Promise<InitiateOutcome>
  /** @param digits 4 to 12; bound to this offer @throws CardFault */
  verifyPin(offer: Offer, digits: string): Promise<PinOutcome>
  /** @param expected what the card's record must be @throws CardFault */
  commit(offer: Offer, expected: CardRecord): Promise<CommitOutcome>
  /** COMMIT with a MAC that the issuer made. @throws CardFault */
  commitWith(commit: Mac, expected: CardRecord): Promise<CommitOutcome>
  /** @param recordNumber 1 is the newest @throws CardFault */
  read(recordNumber: number): Promise<ReadOutcome>
}

const transmitOnce = async (channel: CardChannel, command: Uint8Array): Promise<ResponseApdu> => {
  const answer = await channel.transmit(command)
  try {
    return parseResponse(answer)
  } catch {
    throw new CardFault('removed', 'the card stopped in the middle of an answer')
  }
}

/** More than the longest answer in the smallest parts that cards give, each refused once for its length. */
const fetchesMax = 8

/**
 * Sends the command once. A T=0 card behind a reader that does not hide it says 61xx, and its answer is fetched with GET RESPONSE
 * (ISO 7816-4); 6Cxx corrects the length of that, and of that alone: no command that acts is ever sent again.
 */
const exchange = async (channel: CardChannel, command: Uint8Array): Promise<ResponseApdu> => {
  let response = await transmitOnce(channel, command)
  let { data } = response
  for (let fetches = 0; fetches < fetchesMax; fetches += 1) {
    const sw1 = response.status >> 8
    if (sw1 !== statusWord.bytesAvailable >> 8 && (sw1 !== statusWord.wrongLe >> 8 || fetches === 0)) break
    response = await transmitOnce(channel, getResponseCommand(response.status & 0xff))
    data = concat(data, response.data)
  }
  return { data, status: response.status }
}

/**
 * SELECTs the purse.
 * @returns undefined when the card is none of ours
 * @throws CardFault
 */
export const selectPurse = async (channel: CardChannel): Promise<CardInfo | undefined> => {
  const response = await exchange(channel, selectCommand())
  if (response.status !== statusWord.ok) return undefined
  return parsed(() => parseSelectAnswer(response.data))
}

export const openPurseSession = (
  channel: CardChannel,
  purse: { readonly info: CardInfo; readonly payKey: MacKey },
): PurseSession => {
  const { info, payKey } = purse
  const identity: Identity = { keyVersion: info.keyVersion, cardId: info.cardId }
  const identityBytes = encodeIdentity(identity)

  const initiateWith = async (order: Order, verify: boolean): Promise<InitiateOutcome> => {
    const orderBytes = encodeOrder(order)
    const response = await exchange(channel, initiateCommand(orderBytes))
    if (response.status !== statusWord.ok) return { outcome: 'refused', status: response.status }
    const answer = parsed(() => parseInitiateAnswer(response.data))
    if (answer === undefined) return { outcome: 'forged' }
    const offer: Offer = { ...answer, order: orderBytes }
    if (verify && !equalBytes(offerMac(payKey, { identity: identityBytes, ...offer }), offer.offerMac))
      return { outcome: 'forged' }
    return { outcome: 'offered', offer }
  }

  const commitWith = async (commit: Mac, expected: CardRecord): Promise<CommitOutcome> => {
    const response = await exchange(channel, commitCommand(commit))
    const unproven: CommitOutcome = { outcome: 'unproven', status: response.status }
    if (response.status !== statusWord.ok) return unproven
    const answer = parsed(() => parseCommitAnswer(response.data))
    if (answer === undefined || answer.balanceAfterMinor !== expected.balanceAfterMinor) return unproven
    const right = acceptanceMac(payKey, encodeRecord(expected), answer.settlementMac)
    return equalBytes(right, answer.acceptanceMac)
      ? { outcome: 'accepted', settlementMac: answer.settlementMac }
      : unproven
  }

  return {
    info,
    identity,
    initiate: (order) => initiateWith(order, true),
    initiateLoad: (order) => initiateWith(order, false),
    async verifyPin({ cardNonce }, digits) {
      const { status } = await exchange(
        channel,
        verifyPinCommand(pinMac(payKey, { cardId: info.cardId, cardNonce, digits })),
      )
      return status === statusWord.ok ? 'stored' : status === statusWord.pinBlocked ? 'blocked' : 'refused'
    },
    commit: (offer, expected) => commitWith(commitMac(payKey, { cardId: info.cardId as CardId, ...offer }), expected),
    commitWith,
    async read(recordNumber) {
      const mac = readMac(payKey, { cardId: info.cardId, challenge: info.challenge, recordNumber })
      const response = await exchange(channel, readRecordCommand(recordNumber, mac))
      if (response.status === statusWord.recordNotFound) return { outcome: 'none' }
      if (response.status !== statusWord.ok) return { outcome: 'forged' }
      const answer = parsed(() => parseReadRecordAnswer(response.data))
      const record = answer && parsed(() => parseRecord(answer.record))
      if (answer === undefined || record === undefined) return { outcome: 'forged' }
      const right = acceptanceMac(payKey, answer.record, answer.settlementMac)
      if (!equalBytes(right, answer.acceptanceMac) || record.identity.cardId !== info.cardId)
        return { outcome: 'forged' }
      return { outcome: 'read', bytes: answer.record, record, settlementMac: answer.settlementMac }
    },
  }
}
