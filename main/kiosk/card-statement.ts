/** What a card tells about itself in a tap that buys nothing: its balance and its last movements. */
import type { Intent } from '../../db/ledger.ts'
import type { CardMovement } from '../../preload/contract.ts'
import { equalBytes } from '../../protocol/bytes.ts'
import type { CardInfo } from '../../protocol/card-info.ts'
import type { Item } from '../../protocol/item.ts'
import { itemHash } from '../../protocol/item.ts'
import type { Mac } from '../../protocol/quantities.ts'
import type { CardRecord } from '../../protocol/record.ts'
import { itemOf } from '../payment.ts'
import { standing } from '../purchase/recovery.ts'
import type { PurseSession } from '../purse-session.ts'
import type { Terminal } from '../terminal.ts'

export interface StatementLine {
  readonly record: CardRecord
  readonly bytes: Uint8Array
  readonly settlementMac: Mac
  /** The payment that this terminal sold, if this is its record. */
  readonly sold?: Intent
  /** Known by name here. */
  readonly item?: Item
  /** A payment that no reversal follows, as a verified offer and the records up to it show, and that is not withheld here. */
  readonly collectable: boolean
}

export interface Statement {
  readonly card: CardInfo
  /** By a verified offer. */
  readonly proved: boolean
  readonly balanceMinor: number
  /** Newest first. */
  readonly lines: readonly StatementLine[]
}

const logLength = 10

const itemOfRecord = (terminal: Terminal, record: CardRecord, sold: Intent | undefined): Item | undefined => {
  if (sold !== undefined) return itemOf(sold)
  const wanted = record.order.itemHash
  return terminal.issued?.bulletin.items.find((item) => equalBytes(itemHash(item), wanted))
}

/**
 * Reads the card's log as far as it goes.
 * @returns undefined when the card's answers do not verify
 * @throws CardFault
 */
export const readStatement = async (terminal: Terminal, session: PurseSession): Promise<Statement | undefined> => {
  const stand = await standing(terminal, session)
  if (stand === undefined) return undefined
  const lines: StatementLine[] = []
  let reversedNext: number | undefined
  for (let back = 1; back <= logLength && stand.next - back >= 1; back += 1) {
    const answer = await session.read(back)
    if (answer.outcome !== 'read' || answer.record.counter !== stand.next - back) break
    const { record } = answer
    const made = terminal.ledger.soldAt(record.identity.cardId, record.counter)
    // Ours only if it is the very record: an imitated card may name any counter.
    const sold = made !== undefined && equalBytes(made.record, answer.bytes) ? made : undefined
    const withheld = sold !== undefined && terminal.ledger.reversalBegun(sold)
    const item = record.order.type === 'payment' ? itemOfRecord(terminal, record, sold) : undefined
    lines.push({
      record,
      bytes: answer.bytes,
      settlementMac: answer.settlementMac,
      ...(sold === undefined ? {} : { sold }),
      ...(item === undefined ? {} : { item }),
      collectable:
        stand.proved &&
        record.order.type === 'payment' &&
        !withheld &&
        reversedNext !== record.counter &&
        sold?.state !== 'reversed' &&
        sold?.refunded !== true,
    })
    reversedNext = record.order.type === 'reversal' ? record.order.reference : undefined
  }
  return { card: session.info, proved: stand.proved, balanceMinor: stand.balanceMinor, lines }
}

/** What the customer sees of a line; blocks are not shown. */
export const movementOf = (line: StatementLine): CardMovement | undefined => {
  const { type } = line.record.order
  if (type !== 'payment' && type !== 'load' && type !== 'reversal') return undefined
  return {
    counter: line.record.counter,
    kind: type,
    amountMinor: line.record.order.amountMinor,
    at: new Date(line.record.order.time * 1000).toISOString(),
    ...(line.item === undefined ? {} : { title: line.item.title }),
    collectable: line.collectable,
  }
}
