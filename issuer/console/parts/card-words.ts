/** What the issuer's words about cards are called on the page, and how they look. */
import type { CardRow } from '../../console-contract/cards.ts'
import type { Tone } from './values.tsx'

interface Word {
  readonly title: string
  readonly tone: Tone
}

export const cardStates: Readonly<Record<CardRow['status'], Word>> = {
  active: { title: 'Active', tone: 'good' },
  hotlisted: { title: 'Blocked', tone: 'bad' },
  closing: { title: 'Being closed', tone: 'warn' },
  closed: { title: 'Closed', tone: 'quiet' },
}

const kinds: Readonly<Record<string, Word>> = {
  payment: { title: 'Payment', tone: 'quiet' },
  load: { title: 'Load', tone: 'good' },
  reversal: { title: 'Reversal', tone: 'note' },
  block: { title: 'Blocked by a terminal', tone: 'bad' },
  hole: { title: 'Missing', tone: 'warn' },
  contradiction: { title: 'Balances disagree', tone: 'bad' },
  loadVoid: { title: 'Load, never arrived', tone: 'quiet' },
  loadContested: { title: 'Load, contested', tone: 'warn' },
  inDoubt: { title: 'Said to be in doubt', tone: 'warn' },
  void: { title: 'Said to be void', tone: 'quiet' },
  owed: { title: 'Goods owed', tone: 'note' },
  abandoned: { title: 'In doubt for good', tone: 'warn' },
  moneyBack: { title: 'Money back', tone: 'note' },
  credit: { title: 'Credit', tone: 'note' },
  alarm: { title: 'Alarm', tone: 'bad' },
  closure: { title: 'Closure', tone: 'quiet' },
}
export const kindWord = (kind: string): Word => kinds[kind] ?? { title: kind, tone: 'quiet' }

const remarks: Readonly<Record<string, string>> = {
  merchantCash: 'paid in cash',
  vouchers: 'paid by voucher',
  credits: 'paid by credit',
  nothing: 'nothing was moved',
  debit: 'taken for a payment',
  unexplained: 'not explained',
  discrepancy: 'made from nothing, or lost',
  balance: 'balance does not follow',
  itemOrPrice: 'item or price was not published',
  limit: 'over the limit',
  moneyBack: 'for a payment',
  replacement: 'of a replaced card',
  goodwill: 'goodwill',
  dispute: 'of a dispute',
  open: 'open',
  used: 'loaded',
  cancelled: 'taken back',
  lapsed: 'lapsed',
  paidOut: 'paid out',
  waiting: 'waiting',
  done: 'done',
  replace: 'replaced',
  refund: 'refunded',
  breakage: 'breakage',
  clone: 'another record has this counter',
  rollback: 'the card went back in time',
  merchant: 'from the merchant',
  issuer: 'from the issuer',
}
/** Of a remark, an explanation or a detail. */
export const remarkWord = (remark: string): string => remarks[remark] ?? remark
