/** What a decision moves, and how that is undone when a record explains the case after all. */
import type { Selectable } from 'kysely'
import type { CaseDecisionTable, DecisionKind } from '../case-tables.ts'
import { type AccountName, book, type Posting } from '../postings.ts'
import type { StoreWriter } from '../store.ts'

export type Decision = Selectable<CaseDecisionTable>

/** How a card is credited: what it is owed reaches it with its next load. In the caller's transaction. */
export interface CreditDesk {
  /** Books `amountMinor` from an account of the book to the credits of a card. */
  readonly give: (
    db: StoreWriter,
    credit: {
      readonly from: 'suspense' | 'holes'
      readonly cardNo: number
      readonly amountMinor: number
      readonly document: string
      readonly by: string
    },
    now: number,
  ) => Promise<void>
  /** Takes back what the document gave, from the credits, or if the card has it already from the losses. */
  readonly takeBack: (
    db: StoreWriter,
    credit: {
      readonly to: 'suspense' | 'holes'
      readonly cardNo: number
      readonly amountMinor: number
      readonly document: string
    },
    now: number,
  ) => Promise<void>
}

/** Books the credit alone: no reference is made for the card. */
export const plainCredits: CreditDesk = {
  give: async (db, { from, cardNo, amountMinor, document }, now) => {
    await book(
      db,
      { from: { kind: from }, to: { kind: 'credits' }, amountMinor, cause: 'decision', document, cardNo },
      now,
    )
  },
  takeBack: async (db, { to, cardNo, amountMinor, document }, now) => {
    await book(
      db,
      { from: { kind: 'credits' }, to: { kind: to }, amountMinor, cause: 'decision, undone', document, cardNo },
      now,
    )
  },
}

export const decisionDocument = ({ case_no, decision_no }: Pick<Decision, 'case_no' | 'decision_no'>): string =>
  `case ${case_no}, decision ${decision_no}`

const counterpart = ({ kind, merchant_no }: Decision): AccountName => {
  switch (kind) {
    case 'payMerchant':
    case 'chargeMerchant':
      if (merchant_no === null) throw new Error('a decision about no merchant')
      return { kind: 'payable', merchantNo: merchant_no }
    case 'writeOff':
      return { kind: 'losses' }
    case 'creditCard':
      return { kind: 'credits' }
  }
}

/** A positive sum waits for whoever it belongs to, a negative one is missing. */
const partsOf = (decision: Decision): readonly { readonly account: 'suspense' | 'holes'; readonly minor: number }[] =>
  [
    { account: 'suspense' as const, minor: decision.suspense_minor },
    { account: 'holes' as const, minor: decision.holes_minor },
  ].filter(({ minor }) => minor !== 0)

const postingsOf = (decision: Decision): readonly Posting[] =>
  partsOf(decision).map(({ account, minor }) => {
    const [here, there] = [{ kind: account }, counterpart(decision)]
    return {
      from: minor > 0 ? here : there,
      to: minor > 0 ? there : here,
      amountMinor: Math.abs(minor),
      cause: 'decision',
      document: decisionDocument(decision),
    }
  })

/** Books a decision in the open day. */
export const bookDecision = async (
  db: StoreWriter,
  decision: Decision,
  about: { readonly now: number; readonly by: string; readonly credits: CreditDesk },
): Promise<void> => {
  if (decision.kind === 'creditCard') {
    for (const { account, minor } of partsOf(decision))
      await about.credits.give(
        db,
        {
          from: account,
          cardNo: cardOf(decision),
          amountMinor: minor,
          document: decisionDocument(decision),
          by: about.by,
        },
        about.now,
      )
    return
  }
  for (const posting of postingsOf(decision)) await book(db, posting, about.now)
}

/** The counter-posting, in the open day. Whoever calls it has seen that the decision was booked, and marks it. */
export const undoDecision = async (
  db: StoreWriter,
  decision: Decision,
  about: { readonly now: number; readonly credits: CreditDesk },
): Promise<void> => {
  if (decision.kind === 'creditCard') {
    for (const { account, minor } of partsOf(decision))
      await about.credits.takeBack(
        db,
        { to: account, cardNo: cardOf(decision), amountMinor: minor, document: decisionDocument(decision) },
        about.now,
      )
    return
  }
  for (const { from, to, ...posting } of postingsOf(decision))
    await book(db, { ...posting, from: to, to: from, cause: `${posting.cause}, undone` }, about.now)
}

const cardOf = ({ card_no }: Decision): number => {
  if (card_no === null) throw new Error('a credit for no card')
  return card_no
}

/** Whether a kind of decision fits what waits: nobody is paid what is missing, or charged what is there. */
export const fitsSum = (kind: DecisionKind, sum: { readonly suspenseMinor: number; readonly holesMinor: number }) => {
  const signs = [sum.suspenseMinor, sum.holesMinor].filter((minor) => minor !== 0).map(Math.sign)
  switch (kind) {
    case 'payMerchant':
    case 'creditCard':
      return signs.length > 0 && signs.every((sign) => sign > 0)
    case 'chargeMerchant':
      return signs.length > 0 && signs.every((sign) => sign < 0)
    case 'writeOff':
      return signs.length > 0
  }
}
