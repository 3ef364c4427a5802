/**
 * What became of a payment that was cut (PROTOCOL.md, Recovery): the card's next tap decides, and nothing else does.
 */
import type { Intent } from '../../db/ledger.ts'
import { equalBytes } from '../../protocol/bytes.ts'
import { probeOrder } from '../../protocol/order.ts'
import { currencyCode, unixTime } from '../../protocol/quantities.ts'
import type { PurseSession } from '../purse-session.ts'
import { noteSuspect } from '../suspect-card.ts'
import type { Terminal } from '../terminal.ts'

export type Recovery =
  /** Nothing of this card waits here. `provedVoid` still has to be written, with the next intent or alone. */
  | { readonly outcome: 'clear'; readonly provedVoid: readonly Intent[] }
  /** A payment made here is captured and its goods are due: hand them over, debit nothing. */
  | {
      readonly outcome: 'captured'
      readonly payment: Intent
      readonly balanceMinor: number
      /** A verified offer shows that no reversal follows, so that a claim may be sealed. */
      readonly claimable: boolean
    }
  /** Captured, but its goods are not to be had here: they are owed, by claim. */
  | {
      readonly outcome: 'owed'
      readonly payment: Intent
      readonly balanceMinor: number
      /** A verified offer and the record after it show that no reversal follows. */
      readonly claimable: boolean
    }
  /** The card's answers prove nothing, or it is rolled back: the doubt stays, the card buys nothing. */
  | { readonly outcome: 'suspect' }

/** READ RECORD reaches this many records back. */
const logLength = 10

/** A probe, with a lock of fresh random bytes: its secret is never used. */
const probe = (terminal: Terminal, session: PurseSession) =>
  probeOrder({
    currency: currencyCode(session.info.currency),
    terminalId: terminal.identity.terminalId,
    terminalSeq: terminal.ledger.nextTerminalSeq(),
    time: unixTime(terminal.ledger.now()),
    lock: terminal.randomBytes(16),
  })

/** Where the card stands: its next counter, and whether an offer proved it. Undefined: a wrong MAC. */
export const standing = async (terminal: Terminal, session: PurseSession) => {
  const initiated = await session.initiate(probe(terminal, session))
  switch (initiated.outcome) {
    case 'offered':
      return { next: initiated.offer.counter, balanceMinor: initiated.offer.balanceMinor, proved: true }
    case 'refused':
      return { next: session.info.counter + 1, balanceMinor: session.info.balanceMinor, proved: false }
    case 'forged':
      return undefined
  }
}

type Decision = 'void' | 'captured' | 'abandoned' | 'unknown' | 'rolledBack'

/**
 * Decides every open intent of the card and finds goods that are still due. Captures and abandonments are written at once.
 * @throws CardFault when the card leaves meanwhile; then nothing more is decided than what was proved
 */
export const recover = async (terminal: Terminal, session: PurseSession): Promise<Recovery> => {
  const { ledger } = terminal
  const { cardId } = session.info
  const open = ledger.openIntents(cardId)
  const due = ledger.goodsDue(cardId)
  if (open.length === 0 && due.length === 0) return { outcome: 'clear', provedVoid: [] }

  const suspect = (detail: string): Recovery => {
    noteSuspect(terminal, cardId, detail)
    return { outcome: 'suspect' }
  }
  const stand = await standing(terminal, session)
  if (stand === undefined) return suspect('wrong offer MAC in a recovery')

  const decide = async (doubt: Intent): Promise<Decision> => {
    const back = stand.next - doubt.counter
    if (back === 0) return stand.proved ? 'void' : 'unknown'
    if (back < 0) return stand.proved ? 'rolledBack' : 'unknown'
    if (back > logLength) return stand.proved ? 'abandoned' : 'unknown'
    const answer = await session.read(back)
    if (answer.outcome !== 'read' || answer.record.counter !== doubt.counter) return 'unknown'
    // Our own order in another record than we kept: the ledger is damaged, and that proves nothing about the card.
    const { order } = answer.record
    const ours = order.terminalId === terminal.identity.terminalId && order.terminalSeq === doubt.terminalSeq
    if (!equalBytes(answer.bytes, doubt.record)) return ours ? 'unknown' : 'void'
    ledger.capture(doubt, answer.settlementMac)
    return 'captured'
  }

  const provedVoid: Intent[] = []
  const payments: Intent[] = [...due]
  for (const doubt of open) {
    const decision = await decide(doubt)
    switch (decision) {
      case 'void':
        provedVoid.push(doubt)
        break
      case 'captured':
        if (doubt.type === 'payment') payments.push(ledger.intent(doubt.terminalSeq))
        break
      case 'abandoned':
        ledger.writeAbandoned(doubt)
        break
      case 'rolledBack':
        return suspect(`the card's counter went back: it offers ${stand.next}, and ${doubt.counter} was used`)
      case 'unknown':
        return suspect(`payment ${doubt.counter} stays in doubt: the card's records prove nothing`)
    }
  }

  const payment = payments[0]
  if (payment === undefined) return { outcome: 'clear', provedVoid }
  ledger.writeVoids(provedVoid)
  if (payment.counter >= stand.next)
    return suspect(`the card's counter went back: it offers ${stand.next}, and ${payment.counter} was paid`)
  // Without an offer only the record itself speaks for the card: what was captured earlier waits for a better tap.
  if (!stand.proved && due.includes(payment)) return suspect(`goods of ${payment.counter} wait for a card that offers`)
  if (due.includes(payment) && (await differs(session, payment, stand)))
    return suspect(`the card's record of ${payment.counter} is not the one that was paid here`)
  const sequel = await sequelOf(session, payment, stand)
  if (sequel === 'unreadable') return suspect(`the record after ${payment.counter} cannot be read`)
  const claimable = stand.proved && sequel === 'stands'
  const { balanceMinor } = stand
  // Nobody but this terminal could undo it, and it did not begin to: so its goods are here, however long the card was away.
  if (payment.goods === 'due' && sequel !== 'reversed') return { outcome: 'captured', payment, balanceMinor, claimable }
  ledger.markOwed(payment.terminalSeq)
  return { outcome: 'owed', payment: ledger.intent(payment.terminalSeq), balanceMinor, claimable }
}

/** Whether the card shows another record where it paid, or none while it should: an imitation knows the counter alone. */
const differs = async (session: PurseSession, payment: Intent, stand: { readonly next: number }): Promise<boolean> => {
  const back = stand.next - payment.counter
  if (back > logLength) return false
  const answer = await session.read(back)
  return answer.outcome !== 'read' || !equalBytes(answer.bytes, payment.record)
}

/** What follows the payment on the card: nothing that undoes it, its reversal, or records that have left the log. */
const sequelOf = async (
  session: PurseSession,
  payment: Intent,
  stand: { readonly next: number },
): Promise<'stands' | 'reversed' | 'outOfSight' | 'unreadable'> => {
  const back = stand.next - (payment.counter + 1)
  if (back === 0) return 'stands'
  if (back > logLength) return 'outOfSight'
  const after = await session.read(back)
  if (after.outcome !== 'read' || after.record.counter !== payment.counter + 1) return 'unreadable'
  return after.record.order.type === 'reversal' ? 'reversed' : 'stands'
}

/**
 * Reads the newest record from elsewhere that this ledger lacks, and keeps it as a witness: a kiosk whose disk burned is
 * paid by the taps of its customers. One record a tap.
 * @param newest the counter of the card's newest record
 * @returns whether one was found
 */
export const witness = async (terminal: Terminal, session: PurseSession, newest: number): Promise<boolean> => {
  const { ledger } = terminal
  for (let back = 1; back <= logLength && newest - back + 1 >= 1; back += 1) {
    if (ledger.settledRecord(session.info.cardId, newest - back + 1) !== undefined) continue
    const answer = await session.read(back)
    if (answer.outcome !== 'read' || answer.record.counter !== newest - back + 1) return false
    ledger.writeWitness(answer.record, answer.settlementMac)
    return true
  }
  return false
}
