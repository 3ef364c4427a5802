/** A load: the issuer authorises it online, the card takes it (PROTOCOL.md, Documents: load request and answer). */

import assert from 'node:assert/strict'
import { statusWord } from '../protocol/apdu.ts'
import { currencyOf } from '../protocol/currency.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { fundingHash } from '../protocol/funding-reference.ts'
import { encodeLoadRequest, type LoadAnswer, type LoadVerdict, openLoadAnswer } from '../protocol/load.ts'
import { type MacKey, shortHashOf } from '../protocol/mac.ts'
import type { Order } from '../protocol/order.ts'
import { amountMinor, counter, unixTime, zeroHash } from '../protocol/quantities.ts'
import { balanceAfter, type CardRecord } from '../protocol/record.ts'
import { openSession, type PaidBefore } from './purchase/purchase.ts'
import { recover, standing } from './purchase/recovery.ts'
import { type CardChannel, CardFault } from './reader/card-reader.ts'
import { noteSuspect } from './suspect-card.ts'
import { type IssuerClient, IssuerUnreachable } from './sync/issuer-client.ts'
import type { Terminal } from './terminal.ts'

export interface Load {
  readonly amountMinor: number
  /** A voucher's code or a credit's reference; absent for cash that the merchant took. */
  readonly funding?: string
  /** What this card had paid before was told: its goods may wait. */
  readonly paidBeforeTold?: true
}

export type LoadOutcome =
  | {
      readonly outcome: 'captured'
      readonly cardId: string
      readonly counter: number
      readonly balanceAfterMinor: number
    }
  | { readonly outcome: 'declined'; readonly reason: LoadRefusal }
  /** The next tap of the card here decides. */
  | { readonly outcome: 'inDoubt'; readonly cardId: string; readonly counter: number }
  /** Nothing was loaded: whoever loads does not look for the goods of a payment in doubt, so it is told before any money moves. */
  | ({ readonly outcome: 'paidBefore' } & PaidBefore)

/** How a load ends for which nothing is left to be told. */
export type Loaded = Exclude<LoadOutcome, { readonly outcome: 'paidBefore' }>

export type LoadRefusal =
  | 'notAPurse'
  | 'cardSuspect'
  | 'cardBlocked'
  | 'wrongCurrency'
  | 'overBalanceMax'
  | 'cardLost'
  | Exclude<LoadVerdict, 'authorised'>

const refusalOfStatus = (status: number): LoadRefusal =>
  status === statusWord.cardBlocked
    ? 'cardBlocked'
    : status === statusWord.wrongCurrency
      ? 'wrongCurrency'
      : status === statusWord.overBalanceMax
        ? 'overBalanceMax'
        : 'cardSuspect'

/**
 * @throws IssuerUnreachable, IssuerRefused: nothing was loaded, unless the issuer booked it and its answer was lost; then
 * the same request is repeated while the card is in the reader
 */
export const loadCard = async (
  terminal: Terminal,
  client: IssuerClient,
  channel: CardChannel,
  load: Load,
): Promise<LoadOutcome> => {
  const { ledger, identity } = terminal
  const session = await openSession(terminal, channel)
  if (session === undefined) return { outcome: 'declined', reason: 'notAPurse' }
  const recovery = await recover(terminal, session)
  if (recovery.outcome === 'suspect') return { outcome: 'declined', reason: 'cardSuspect' }
  if (recovery.outcome !== 'clear' && load.paidBeforeTold !== true) {
    const { payment, balanceMinor, claimable } = recovery
    const goods = recovery.outcome === 'owed' ? 'owed' : 'due'
    return { outcome: 'paidBefore', payment, balanceMinor, goods, claimable }
  }
  const provedVoid = recovery.outcome === 'clear' ? recovery.provedVoid : []
  const suspect = (detail: string): LoadOutcome => {
    ledger.writeVoids(provedVoid)
    noteSuspect(terminal, session.info.cardId, detail)
    return { outcome: 'declined', reason: 'cardSuspect' }
  }
  // A load's offer cannot be checked here. Before anything is written in this card's name, it proves itself by a probe.
  const stand = await standing(terminal, session)
  if (stand === undefined) return suspect('wrong offer MAC before a load')
  if (stand.proved && stand.next <= ledger.counterMax(session.info.cardId))
    return suspect(`the card's counter went back to ${stand.next}`)

  const order: Order = {
    type: 'load',
    currency: currencyOf(identity.currency).code,
    amountMinor: amountMinor(load.amountMinor),
    reference: counter(0),
    terminalId: identity.terminalId,
    terminalSeq: ledger.nextTerminalSeq(),
    time: unixTime(ledger.now()),
    itemHash: load.funding === undefined ? zeroHash() : fundingHash(load.funding),
    lock: shortHashOf(terminal.randomBytes(16)),
  }
  const initiated = await session.initiateLoad(order)
  const balance = initiated.outcome === 'offered' ? balanceAfter(initiated.offer.balanceMinor, order) : undefined
  if (initiated.outcome === 'refused') {
    const reason = refusalOfStatus(initiated.status)
    if (reason === 'cardSuspect') return suspect(`it refused a load with the status ${initiated.status.toString(16)}`)
    ledger.writeVoids(provedVoid)
    return { outcome: 'declined', reason }
  }
  if (initiated.outcome === 'forged' || balance === undefined) return suspect('its answer to a load is no offer')
  const { offer } = initiated
  if (!stand.proved || offer.counter !== stand.next || offer.balanceMinor !== stand.balanceMinor)
    return suspect('its offer for a load is not where it just proved to stand')
  const expected: CardRecord = { identity: session.identity, counter: offer.counter, balanceAfterMinor: balance, order }
  const said = { cardId: session.info.cardId, counter: offer.counter }
  // Durable before the issuer books it: if this terminal dies now, the card's next tap tells what became of the load.
  const intent = ledger.writeIntent({ record: expected }, provedVoid)

  const request = encodeLoadRequest(identity.terminalMacKey, {
    keyVersion: identity.keyVersion,
    identity: session.identity,
    counter: offer.counter,
    balanceMinor: offer.balanceMinor,
    order,
    cardNonce: offer.cardNonce,
    offerMac: offer.offerMac,
  })
  let answer: LoadAnswer
  try {
    answer = readAnswer(identity.terminalMacKey, await sendTwice(client, request))
  } catch (error) {
    // Whatever the issuer has booked, the card was never told: it proves so at once, and nothing stays in doubt here.
    await closeUncommitted(terminal, session)
    throw error
  }
  if (answer.verdict !== 'authorised' || answer.counter !== offer.counter || answer.terminalSeq !== order.terminalSeq) {
    // No COMMIT was sent, and without the issuer's MAC none can be: the card itself says so at once.
    await closeUncommitted(terminal, session)
    return { outcome: 'declined', reason: answer.verdict === 'authorised' ? 'refused' : answer.verdict }
  }
  try {
    const committed = await session.commitWith(answer.commitMac, expected)
    if (committed.outcome === 'accepted') ledger.capture(intent, committed.settlementMac)
    // The answer proves nothing, and the card is still there: it is asked at once.
    else await closeUncommitted(terminal, session)
    switch (ledger.intent(intent.terminalSeq).state) {
      case 'captured':
        return { outcome: 'captured', ...said, balanceAfterMinor: balance }
      case 'void':
        noteSuspect(terminal, session.info.cardId, 'it did not take a load that the issuer authorised')
        return { outcome: 'declined', reason: 'cardSuspect' }
      default:
        return { outcome: 'inDoubt', ...said }
    }
  } catch (error) {
    if (error instanceof CardFault) return { outcome: 'inDoubt', ...said }
    throw error
  }
}

/** An answer that was lost is asked for again: a repeated request books nothing. */
const sendTwice = async (client: IssuerClient, request: Uint8Array): Promise<Uint8Array> => {
  try {
    return await client.sendLoad(request)
  } catch (error) {
    if (error instanceof IssuerUnreachable) return client.sendLoad(request)
    throw error
  }
}

/** @throws IssuerUnreachable unless the bytes are the issuer's */
const readAnswer = (sealKey: MacKey, bytes: Uint8Array): LoadAnswer => {
  try {
    return openLoadAnswer(sealKey, bytes)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new IssuerUnreachable('What answered is not the issuer (a proxy or a login page?).', { cause: error })
  }
}

const closeUncommitted = async (terminal: Terminal, session: Parameters<typeof recover>[1]): Promise<void> => {
  try {
    const recovery = await recover(terminal, session)
    if (recovery.outcome === 'clear') terminal.ledger.writeVoids(recovery.provedVoid)
  } catch (error) {
    if (!(error instanceof CardFault)) throw error
  }
}

/** Loads whatever the card had paid before, which is told first. @throws as `load` does */
export const tellThenLoad = async (
  load: (load: Load) => Promise<LoadOutcome>,
  wanted: Load,
  tell: (paid: PaidBefore) => void,
): Promise<Loaded> => {
  const outcome = await load(wanted)
  if (outcome.outcome !== 'paidBefore') return outcome
  tell(outcome)
  const loaded = await load({ ...wanted, paidBeforeTold: true })
  assert(loaded.outcome !== 'paidBefore', 'it was told')
  return loaded
}
