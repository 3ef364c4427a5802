/** What the rooms behind an operator's PIN have of the till and of each other: where he is, and that what he does is written down. */
import type { JournalOperator, NewJournalEntry } from '../../db/journal.ts'
import type { LogLine, OperatorTask } from '../../preload/operator-contract.ts'
import { cardId } from '../../protocol/quantities.ts'
import type { OperatorMode } from '../kiosk/modes.ts'
import { type Till, waitMs } from '../kiosk/till.ts'
import type { LoadDesk } from '../kiosk/top-up.ts'
import type { Printer } from '../printer/printer.ts'
import type { Terminal } from '../terminal.ts'

export interface OperatorParts {
  readonly terminal: Terminal
  readonly printer?: Printer | undefined
  readonly loadDesk?: LoadDesk | undefined
  /** A folder of kiosk.json that stands for a stick. */
  readonly stick?: string | undefined
  /** Of kiosk.json: until an operator chooses. */
  readonly languages: readonly string[]
  readonly version: string
  readonly logLines: () => readonly LogLine[]
  /** Ends the process so that it is started again; absent: nobody would. */
  readonly restart?: (() => void) | undefined
  readonly log: (message: string) => void
}

export const nameOf = ({ operator }: OperatorMode): JournalOperator => ({
  cardId: cardId(operator.cardId),
  name: operator.name,
})

/** He was here at this moment: his time begins anew. */
export const endsAtMs = (): number => Date.now() + waitMs.operator

export interface Inside extends OperatorParts {
  readonly till: Till
  /** An act of his, durable before its effect. */
  readonly write: (mode: OperatorMode, act: NewJournalEntry['act'], details?: NewJournalEntry['details']) => void
  /** With what waits for a card or was done with one, if anything. */
  readonly open: (who: Pick<OperatorMode, 'operator'>, task?: OperatorTask) => void
}

export const makeInside = (parts: OperatorParts, till: Till): Inside => ({
  ...parts,
  till,
  write(mode, act, details) {
    parts.terminal.ledger.writeJournal({
      act,
      operator: nameOf(mode),
      ...(details === undefined ? {} : { details }),
    })
  },
  open({ operator }, task) {
    const phase = task?.phase === 'tap' || task?.phase === 'working' ? task.phase : 'open'
    till.enter({ name: 'operator', operator, phase, ...(task === undefined ? {} : { task }), endsAtMs: endsAtMs() })
  },
})
