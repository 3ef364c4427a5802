/** Whose card opens operator mode now: one that the newest keyring names, and that nobody reported lost. */
import { findOperator, type Operator } from '../../protocol/operator.ts'
import type { CardId } from '../../protocol/quantities.ts'
import type { Terminal } from '../terminal.ts'

/** @param card as its own offer has proved it */
export const operatorOf = ({ hotlist, issued }: Terminal, card: CardId): Operator | undefined =>
  hotlist.find(card) === undefined ? findOperator(issued?.keyring.operators, card) : undefined
