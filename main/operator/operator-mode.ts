/**
 * Operator mode: who may enter, for how long, and which room is his (docs/OPERATIONS.md, At the kiosk: operator mode). The till's
 * table (main/kiosk/modes.ts) says when; inside.ts, operator-views.ts, acts.ts, card-tasks.ts and exchange.ts say how.
 */
import type { PinKey } from '../../preload/contract.ts'
import {
  mayAct,
  mayLook,
  type OperatorAct,
  type OperatorLook,
  type OperatorResult,
  type OperatorSection,
  type OperatorViews,
} from '../../preload/operator-contract.ts'
import { isOperatorPin, type Operator, operatorPinDigits } from '../../protocol/operator.ts'
import { cardId } from '../../protocol/quantities.ts'
import type { Statement } from '../kiosk/card-statement.ts'
import { allows, isInside, type OperatorMode } from '../kiosk/modes.ts'
import type { Till } from '../kiosk/till.ts'
import { ignored, makeActs } from './acts.ts'
import { makeCardTasks } from './card-tasks.ts'
import { makeExchange } from './exchange.ts'
import { endsAtMs, makeInside, type OperatorParts } from './inside.ts'
import { openLevels } from './levels.ts'
import { operatorOf } from './operator-of.ts'
import { makeOperatorPaper } from './operator-paper.ts'
import { makeOperatorViews } from './operator-views.ts'
import { pinRetryTime } from './pin-guard.ts'

export const makeOperatorMode = (parts: OperatorParts, till: Till) => {
  const { terminal } = parts
  const { ledger } = terminal
  const inside = makeInside(parts, till)
  const { open, write, log } = inside
  const levels = openLevels(terminal, parts.languages)
  const paper = makeOperatorPaper(parts)
  const tasks = makeCardTasks(inside)
  const views = makeOperatorViews(inside, { levels, paper })
  const perform = makeActs(inside, { levels, paper, tasks, exchange: makeExchange(inside) })
  /** As far as they were typed; gone as soon as the till does something else. */
  let digits = ''
  let acting = false

  /** Where the wrong PINs so far leave this card. */
  const guarded = (operator: Operator): Pick<OperatorMode, 'phase'> & { readonly retryAtMs?: number } => {
    const wrong = ledger.wrongPins(cardId(operator.cardId))
    const retry = pinRetryTime(wrong)
    // The till's clock counts down, the ledger's decides.
    if (retry > ledger.now()) return { phase: 'waiting', retryAtMs: Date.now() + (retry - ledger.now()) * 1000 }
    return { phase: wrong.count === 0 ? 'entering' : 'wrong' }
  }

  const invite = (operator: Operator, statement?: Statement) => {
    digits = ''
    till.enter({
      name: 'operator',
      operator,
      ...(statement === undefined ? {} : { statement }),
      ...guarded(operator),
      endsAtMs: endsAtMs(),
    })
  }

  /** Taken back, made another, or reported lost, while its holder is here. */
  const isOver = ({ operator }: OperatorMode): boolean => {
    const now = operatorOf(terminal, cardId(operator.cardId))
    return now === undefined || now.role !== operator.role || now.pin !== operator.pin
  }

  /** Whose rights ended with the issuer's news is shown the first screen. @returns whether they did */
  const endIfOver = (mode: OperatorMode): boolean => {
    const over = isOver(mode)
    if (over && allows(mode, 'operatorLeave')) {
      sayOver(mode)
      leave()
    }
    return over
  }
  const sayOver = ({ operator }: OperatorMode) =>
    log(`${operator.name} was taken back, changed or reported lost: the visit to operator mode has ended.`)

  const check = async (asked: OperatorMode) => {
    const typed = digits
    digits = ''
    const { operator, statement } = asked
    if (await isOperatorPin(operator, typed)) {
      if (isOver(asked)) {
        sayOver(asked)
        return till.leave()
      }
      write(asked, 'enter')
      open(asked)
    } else {
      write(asked, 'wrongPin')
      invite(operator, statement)
    }
  }

  const key = (pressed: PinKey) => {
    const mode = till.mode()
    if (mode.name !== 'operator' || !allows(mode, 'operatorKey')) return
    if (pressed === 'enter') {
      if (digits.length < operatorPinDigits.min) return
      till.enter({ ...mode, phase: 'checking' })
      return till.serve(
        () => check(mode),
        () => till.leave(),
      )
    }
    if (pressed === 'back') digits = digits.slice(0, -1)
    else if (digits.length < operatorPinDigits.max) digits += pressed
    till.enter({ ...mode, phase: 'entering', endsAtMs: endsAtMs() })
  }

  const act = async (asked: OperatorAct): Promise<OperatorResult> => {
    const mode = till.mode()
    if (mode.name !== 'operator' || !allows(mode, 'operatorAct') || acting) return ignored
    if (endIfOver(mode)) return ignored
    if (!mayAct[asked.act].includes(mode.operator.role)) return ignored
    // A card is waited for: first that ends.
    if (mode.phase === 'tap' && asked.act !== 'endTask') return ignored
    acting = true
    try {
      const result = await perform(mode, asked)
      const now = till.mode()
      // Not touched meanwhile: the time begins anew, and what changed is told.
      if (now === mode) till.enter({ ...mode, endsAtMs: endsAtMs() })
      // What he fetched may have said it.
      hear()
      return result
    } finally {
      acting = false
    }
  }

  const leave = (details?: { readonly untouched: true }) => {
    const mode = till.mode()
    // While a card is worked with, or the PIN is looked at, nobody leaves: what comes of it would open the desk again.
    if (mode.name !== 'operator' || !allows(mode, 'operatorLeave')) return
    // Who only saw the keys was never in.
    if (isInside(mode)) write(mode, 'leave', details)
    till.leave()
  }

  /** News may have come from the issuer: whose rights ended with them is shown nothing more. */
  const hear = () => {
    const mode = till.mode()
    if (mode.name === 'operator') endIfOver(mode)
  }

  return {
    invite,
    key,
    act,
    leave,
    hear,
    meet: tasks.meet,
    get digits() {
      return digits.length
    },
    forget() {
      digits = ''
    },
    async look(asked: OperatorLook): Promise<OperatorViews[OperatorSection] | undefined> {
      const mode = till.mode()
      if (mode.name !== 'operator' || !isInside(mode)) return undefined
      if (endIfOver(mode)) return undefined
      if (!mayLook[asked.section].includes(mode.operator.role)) return undefined
      if (mode.phase === 'open') till.enter({ ...mode, endsAtMs: endsAtMs() })
      return views[asked.section](mode, asked)
    },
    languages: levels.languages,
    /** 0 to 1. */
    levels: () => ({ volume: levels.percents().volume / 100, brightness: levels.percents().brightness / 100 }),
  }
}
