/**
 * What the till is doing, and what may happen to it then: one table, place by touch and card. The rooms have the effects.
 */
import type { Intent } from '../../db/ledger.ts'
import type { KioskScreen, TopUp } from '../../preload/contract.ts'
import type { OperatorTask } from '../../preload/operator-contract.ts'
import type { Operator } from '../../protocol/operator.ts'
import type { CardId } from '../../protocol/quantities.ts'
import type { ReadyGoods } from '../catalogue.ts'
import type { PresentCard } from '../reader/card-reader.ts'
import type { Statement } from './card-statement.ts'

/** The sale that the screen shows, for the printer. */
export interface ShownSale {
  readonly payment: Intent
  readonly claimUrl: string | undefined
  readonly code: string | undefined
}

/** A PIN that is being entered: its digits live in sale.ts, and nowhere else. */
export interface PinMode {
  readonly name: 'pin'
  readonly goods: ReadyGoods
  readonly phase: 'entering' | 'wrong' | 'tap' | 'wrongCard' | 'working'
  /** The card that asked, and as which it lay in the reader. */
  readonly cardId: CardId
  readonly card: PresentCard
  readonly triesLeft: number
  readonly endsAtMs: number
}

/** One load: its funding is a voucher's code or a credit's reference. */
export interface Fund {
  readonly funding: string
  readonly amountMinor: number
}

export interface TopUpMode {
  readonly name: 'top-up'
  readonly step: TopUp
  /** What is to be loaded, once that is known: a voucher, or what the issuer owes this card. */
  readonly funds: readonly Fund[]
  /** A card that this voucher cannot go to; another one may. */
  readonly refused?: PresentCard
  readonly endsAtMs: number
}

export interface OperatorMode {
  readonly name: 'operator'
  readonly phase: 'entering' | 'wrong' | 'checking' | 'waiting' | 'open' | 'tap' | 'working'
  readonly operator: Operator
  /** What the card tells any customer; absent where it was not asked. Gone once its holder is in. */
  readonly statement?: Statement
  readonly task?: OperatorTask
  /** When digits are taken again. */
  readonly retryAtMs?: number
  readonly endsAtMs: number
}

export type Mode =
  | { readonly name: 'browse' }
  | {
      readonly name: 'pay'
      readonly goods: ReadyGoods
      readonly phase: 'waiting' | 'working' | 'twoCards'
      readonly endsAtMs: number
    }
  | PinMode
  | TopUpMode
  | {
      readonly name: 'recover'
      readonly goods: ReadyGoods
      readonly payment: Intent
      readonly phase: 'waiting' | 'wrongCard' | 'working'
      readonly endsAtMs: number
    }
  | OperatorMode
  | {
      readonly name: 'shown'
      readonly screen: ShownScreen
      readonly statement?: Statement
      readonly sale?: ShownSale
      readonly credits?: readonly Fund[]
    }

/** Screens that only show: what happened is over. */
export type ShownScreen = Extract<KioskScreen, { name: 'approved' | 'goods' | 'declined' | 'balance' }>

/** What the page may ask for. */
export type Touch =
  | 'buy'
  | 'cancel'
  | 'stay'
  | 'pinKey'
  | 'topUp'
  | 'topUpCode'
  | 'takeCredits'
  | 'showGoods'
  | 'printReceipt'
  | 'collect'
  | 'finish'
  | 'operatorKey'
  | 'operatorBalance'
  | 'operatorAct'
  | 'operatorLeave'

/** What a card that is found in the reader is for. */
export type CardUse = 'tell' | 'pay' | 'payWithPin' | 'load' | 'finishDoubt' | 'task' | 'nothing'

interface Rules {
  readonly touches: readonly Touch[]
  readonly card: CardUse
  /** Whether main's own clock ends it. */
  readonly timed: boolean
}

/** Everything that may happen, by place; what is not here does not happen. */
export const rulesOf = {
  browse: { touches: ['buy', 'topUp'], card: 'tell', timed: false },
  'pay waiting': { touches: ['cancel', 'stay'], card: 'pay', timed: true },
  'pay twoCards': { touches: ['cancel', 'stay'], card: 'pay', timed: true },
  'pay working': { touches: [], card: 'nothing', timed: false },
  'pin entering': { touches: ['pinKey', 'cancel', 'stay'], card: 'nothing', timed: true },
  'pin wrong': { touches: ['pinKey', 'cancel', 'stay'], card: 'nothing', timed: true },
  'pin tap': { touches: ['cancel', 'stay'], card: 'payWithPin', timed: true },
  'pin wrongCard': { touches: ['cancel', 'stay'], card: 'payWithPin', timed: true },
  'pin working': { touches: [], card: 'nothing', timed: false },
  'top-up code': { touches: ['topUpCode', 'cancel', 'stay'], card: 'nothing', timed: true },
  'top-up asking': { touches: ['cancel'], card: 'nothing', timed: false },
  'top-up tap': { touches: ['cancel', 'stay'], card: 'load', timed: true },
  'top-up working': { touches: [], card: 'nothing', timed: false },
  'top-up done': { touches: ['finish', 'stay'], card: 'nothing', timed: true },
  'top-up failed': { touches: ['topUp', 'finish', 'stay'], card: 'tell', timed: true },
  'recover waiting': { touches: ['finish', 'stay'], card: 'finishDoubt', timed: true },
  'recover wrongCard': { touches: ['finish', 'stay'], card: 'finishDoubt', timed: true },
  'recover working': { touches: [], card: 'nothing', timed: false },
  'operator entering': {
    touches: ['operatorKey', 'operatorBalance', 'operatorLeave', 'stay'],
    card: 'nothing',
    timed: true,
  },
  'operator wrong': {
    touches: ['operatorKey', 'operatorBalance', 'operatorLeave', 'stay'],
    card: 'nothing',
    timed: true,
  },
  'operator checking': { touches: [], card: 'nothing', timed: false },
  'operator waiting': { touches: ['operatorBalance', 'operatorLeave', 'stay'], card: 'nothing', timed: true },
  'operator open': { touches: ['operatorAct', 'operatorLeave', 'stay'], card: 'nothing', timed: true },
  'operator tap': { touches: ['operatorAct', 'operatorLeave', 'stay'], card: 'task', timed: true },
  'operator working': { touches: [], card: 'nothing', timed: false },
  approved: { touches: ['showGoods', 'printReceipt', 'finish'], card: 'nothing', timed: false },
  goods: { touches: ['printReceipt', 'finish'], card: 'nothing', timed: false },
  declined: { touches: ['buy', 'topUp', 'finish'], card: 'nothing', timed: false },
  balance: { touches: ['collect', 'topUp', 'takeCredits', 'finish'], card: 'nothing', timed: false },
} as const satisfies Readonly<Record<string, Rules>>
export type Place = keyof typeof rulesOf

export const placeOf = (mode: Mode): Place => {
  switch (mode.name) {
    case 'browse':
      return 'browse'
    case 'pay':
      return `pay ${mode.phase}`
    case 'pin':
      return `pin ${mode.phase}`
    case 'top-up':
      return `top-up ${mode.step.phase}`
    case 'recover':
      return `recover ${mode.phase}`
    case 'operator':
      return `operator ${mode.phase}`
    case 'shown':
      return mode.screen.name
  }
}

/** Whether an operator's PIN was right. */
export const isInside = ({ phase }: OperatorMode): boolean => phase === 'open' || phase === 'tap' || phase === 'working'

export const allows = (mode: Mode, touch: Touch): boolean => {
  const { touches }: Rules = rulesOf[placeOf(mode)]
  return touches.includes(touch)
}
