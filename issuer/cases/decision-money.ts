/** What a decision moves, and how that is undone when a record explains the case after all. */
import type { Selectable } from 'kysely'
import type { CaseDecisionTable, DecisionKind } from '../case-tables.ts'
import { makeCredit } from '../funding.ts'
import type { Issuer } from '../issuer.ts'
import { type AccountName, book, type Posting } from '../postings.ts'
import type { StoreReader, StoreWriter } from '../store.ts'

export type Decision = Selectable<CaseDecisionTable>

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

/** Books a decision in the open day. @returns the columns that say so */
export const bookDecision = async (
  issuer: Issuer,
  db: StoreWriter,
  decision: Decision,
  by: string,
): Promise<{ readonly funding_no: number | null }> => {
  if (decision.kind !== 'creditCard') {
    for (const posting of postingsOf(decision)) await book(db, posting, issuer.clock())
    return { funding_no: null }
  }
  const [part, ...more] = partsOf(decision)
  if (part === undefined || more.length > 0 || decision.card_no === null) throw new Error('not one sum for one card')
  const { fundingNo } = await makeCredit(issuer, db, {
    by: { name: by },
    cardNo: decision.card_no,
    amountMinor: part.minor,
    from: { kind: part.account },
    cause: 'dispute',
    document: decisionDocument(decision),
  })
  return { funding_no: fundingNo }
}

/** A credit that its card did not use yet is void; one that it has already is the issuer's loss. */
const takeBackCredit = async (db: StoreWriter, { funding_no }: Decision): Promise<AccountName> => {
  const cancelled = await db
    .updateTable('funding')
    .set({ state: 'cancelled' })
    .where('funding_no', '=', funding_no)
    .where('state', '=', 'open')
    .executeTakeFirstOrThrow()
  return { kind: Number(cancelled.numUpdatedRows) > 0 ? 'credits' : 'losses' }
}

/** The counter-posting, in the open day. Whoever calls it has seen that the decision was booked, and marks it. */
export const undoDecision = async (issuer: Issuer, db: StoreWriter, decision: Decision): Promise<void> => {
  // A person took back the credit himself: its money is where it came from.
  if (await isCancelled(db, decision)) return
  const isCredit = decision.kind === 'creditCard'
  const credited = isCredit ? await takeBackCredit(db, decision) : undefined
  for (const { from, to, ...posting } of postingsOf(decision))
    await book(db, { ...posting, from: credited ?? to, to: from, cause: `${posting.cause}, undone` }, issuer.clock())
}

/** Whether a person cancelled the credit that was decided. */
const isCancelled = async (db: StoreReader, { funding_no }: Pick<Decision, 'funding_no'>): Promise<boolean> => {
  if (funding_no === null) return false
  const { state } = await db
    .selectFrom('funding')
    .select('state')
    .where('funding_no', '=', funding_no)
    .executeTakeFirstOrThrow()
  return state === 'cancelled'
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
