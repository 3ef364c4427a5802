/** A statement in words: the lines that its files and its page have in common. */
import { formatAmount } from '../../protocol/currency.ts'
import type { Statement } from './statement.ts'

export interface StatementLine {
  readonly label: string
  /** How often; absent: not counted. */
  readonly count?: number
  readonly amountMinor: number
  readonly isSum?: boolean
}

/** "2.5 %" of 250. */
export const percentOf = (basisPoints: number): string => {
  const hundredths = String(basisPoints % 100).padStart(2, '0')
  return `${Math.floor(basisPoints / 100)}.${hundredths}`.replace(/\.?0+$/, '').concat(' %')
}

const causeWords: Readonly<Record<string, string>> = {
  decision: 'Exceptions decided',
  'decision, undone': 'Decisions taken back',
  writeOff: 'Written off',
  correction: 'Correction',
  moneyBack: 'Money given back to customers',
}
export const causeInWords = (cause: string): string =>
  causeWords[cause] ?? `${cause.slice(0, 1).toUpperCase()}${cause.slice(1)}`.replaceAll(/([a-z])([A-Z])/g, '$1 $2')

const reasonWords: Readonly<Record<string, string>> = {
  layout: 'Unreadable entry',
  terminal: "Another terminal's entry",
  unknownCard: 'Unknown card',
  keyVersion: 'Unknown key version',
  currency: 'Wrong currency',
  settlementMac: 'Not proved by its card',
  clone: 'Two records for one payment',
  balance: "The card's balance does not fit",
  itemOrPrice: 'Item or price was never published',
  reversal: 'Reversal without its payment',
  load: 'Load that was not authorised',
  status: 'Contradicts its record',
  limit: 'Over the limit of a sale',
  hole: 'What follows on the card is missing',
  reversalInDoubt: 'Reversal in doubt',
}
export const reasonInWords = (reason: string): string => reasonWords[reason] ?? reason

const feeLabel = ({ basisPoints, fixedMinor, fromDay, untilDay }: Statement['fees'][number], of: Statement): string => {
  const parts = [
    ...(basisPoints > 0 ? [percentOf(basisPoints)] : []),
    ...(fixedMinor > 0 ? [`${formatAmount(fixedMinor, of.currency)} a sale`] : []),
  ]
  const when = of.fees.length > 1 ? `, ${fromDay} to ${untilDay}` : ''
  return `Fee ${parts.join(' + ')}${when}`
}

/** From what was owed at the beginning to what is owed at the end. */
export const accountLines = (statement: Statement): readonly StatementLine[] => {
  const { sales, reversals, others, fees, cash, payoutMinor } = statement
  return [
    { label: 'Carried over from before', amountMinor: statement.openingMinor },
    { label: 'Sales', count: sales.count, amountMinor: sales.amountMinor },
    ...(reversals.count === 0 && reversals.amountMinor === 0
      ? []
      : [{ label: 'Reversed sales', count: reversals.count, amountMinor: -reversals.amountMinor }]),
    ...others.map(({ cause, amountMinor }) => ({ label: causeInWords(cause), amountMinor })),
    ...fees.map((line) => ({ label: feeLabel(line, statement), count: line.count, amountMinor: -line.feeMinor })),
    ...(cash.offsetMinor === 0 ? [] : [{ label: 'Set off against cash for loads', amountMinor: -cash.offsetMinor }]),
    ...(payoutMinor === 0 ? [] : [{ label: 'Paid out', amountMinor: -payoutMinor }]),
    { label: 'Carried over to the next statement', amountMinor: statement.closingMinor, isSum: true },
  ]
}

export const cashLines = ({ cash, currency }: Statement): readonly StatementLine[] => [
  { label: 'Owed from before', amountMinor: cash.openingMinor },
  { label: 'Loads paid in cash', count: cash.loads.count, amountMinor: cash.loads.amountMinor },
  ...(cash.otherMinor === 0 ? [] : [{ label: 'Other', amountMinor: cash.otherMinor }]),
  ...(cash.paidInMinor === 0 ? [] : [{ label: 'Paid in', amountMinor: -cash.paidInMinor }]),
  ...(cash.offsetMinor === 0 ? [] : [{ label: 'Set off', amountMinor: -cash.offsetMinor }]),
  {
    label:
      cash.paidInSinceMinor === undefined
        ? 'Still owed'
        : `Still owed on the last day (${formatAmount(cash.paidInSinceMinor, currency)} came since)`,
    amountMinor: cash.closingMinor,
    isSum: true,
  },
]

export const hasCash = ({ cash }: Statement): boolean =>
  cash.openingMinor !== 0 || cash.loads.count !== 0 || cash.paidInMinor !== 0 || cash.otherMinor !== 0

/** Why nothing is paid, for the issuer's own people. */
export const notPaidWords = {
  nothingDue: 'nothing is due',
  allHeld: 'all of it is held',
  noBankAccount: 'his bank account is not known',
} as const

/** Why nothing is paid, for the merchant. */
export const notPaidSentence = ({ notPaid }: Statement): string | undefined => {
  switch (notPaid) {
    case undefined:
      return undefined
    case 'nothingDue':
      return 'Nothing is due to you for this period.'
    case 'allHeld':
      return 'What is due to you is held until the cards report what follows.'
    case 'noBankAccount':
      return 'We do not know your bank account yet: please tell us your IBAN.'
  }
}
