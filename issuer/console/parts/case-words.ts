/** The names of cases, their decisions and what happens to them, in words for a person. */
import type { CaseShape, DecisionName, DecisionShape } from '../../console-contract/cases.ts'
import type { Tone } from './values.tsx'
import { alarmWord, orderWord, reasonWord, sourceWord } from './words.ts'

export const stateWords: Readonly<Record<CaseShape['state'], { readonly title: string; readonly tone: Tone }>> = {
  open: { title: 'Open', tone: 'warn' },
  waiting: { title: 'Waiting', tone: 'note' },
  proposed: { title: 'To approve', tone: 'bad' },
  closed: { title: 'Closed', tone: 'quiet' },
}

export const actsWords: Readonly<Record<CaseShape['acts'], string>> = {
  operator: 'An operator acts',
  finance: 'Finance decides',
  nobody: 'Nobody yet: it waits for a document',
}

/** As a button, as a fact, and what it does. */
export const decisionWords: Readonly<
  Record<DecisionName, { readonly verb: string; readonly title: string; readonly says: string }>
> = {
  payMerchant: {
    verb: 'Pay the merchant',
    title: 'Paid to the merchant',
    says: 'The sum goes from suspense or holes to what the merchant is owed.',
  },
  chargeMerchant: {
    verb: 'Charge the merchant',
    title: 'Charged to the merchant',
    says: 'What is missing is taken from what the merchant is owed.',
  },
  creditCard: {
    verb: 'Credit the customer',
    title: 'Credited to the card',
    says: 'The sum becomes a credit of the card: it reaches the card with its next load.',
  },
  writeOff: {
    verb: 'Write off',
    title: 'Written off',
    says: 'The sum goes to the account of losses: it is the issuer’s.',
  },
}

export const decisionStates: Readonly<Record<DecisionShape['state'], { readonly title: string; readonly tone: Tone }>> =
  {
    proposed: { title: 'Waits for approval', tone: 'warn' },
    booked: { title: 'Booked', tone: 'good' },
    refused: { title: 'Refused', tone: 'quiet' },
    takenBack: { title: 'Taken back', tone: 'note' },
  }

const events: Readonly<Record<string, string>> = {
  opened: 'Opened',
  changed: 'Changed',
  closed: 'Closed',
  reopened: 'Opened again',
  assigned: 'Assigned',
  due: 'New due date',
  kept: 'Left where it is',
  proposed: 'Decision proposed',
  booked: 'Decision booked',
  refused: 'Decision refused',
  takenBack: 'Decision taken back',
}
export const eventWord = (kind: string): string => events[kind] ?? kind

const others: Readonly<Record<string, string>> = { rollback: 'Card set back', offerMac: 'Wrong offer' }

/** Of exceptions, alarms, and who brought it. */
export const reasonTitle = (reason: string): string =>
  [reasonWord(reason), alarmWord(reason), sourceWord(reason)].find(({ title }) => title !== reason)?.title ??
  others[reason] ??
  reason

const doubts: Readonly<Record<string, string>> = {
  inDoubt: 'in doubt',
  void: 'void',
  abandoned: 'given up',
  owed: 'goods owed',
}
export const doubtWord = (word: string): string => doubts[word] ?? word

export const orderTitle = (type: string): string => orderWord(type).title
