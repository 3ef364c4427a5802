/** What people decided about cases that hold money: it has left the two accounts, so the cases hold it no more. */
import { type Book, closing } from './book.ts'
import type { Case, Cause, KeyedCase } from './case.ts'

type Decision = Book['decisions'][number]

const documentOf = ({ case_no, decision_no }: Decision): string => `case ${case_no}, decision ${decision_no}`

/** Whether it is still about what it was decided on. */
export const stands = (decision: Pick<Decision, 'suspense_minor' | 'holes_minor'>, found: Case | undefined): boolean =>
  found?.state === 'open' &&
  found.suspenseMinor === decision.suspense_minor &&
  found.holesMinor === decision.holes_minor

const decided = (found: Case, decision: Decision): Case => {
  const rest = {
    ...found,
    suspenseMinor: found.suspenseMinor - decision.suspense_minor,
    holesMinor: found.holesMinor - decision.holes_minor,
  }
  return stands(decision, found)
    ? {
        ...rest,
        state: 'closed',
        detail: `${found.detail} A person decided it.`,
        closed: closing({ document: documentOf(decision), at: decision.decided_at ?? 0 }),
      }
    : { ...rest, detail: `${found.detail} What was decided about another sum is about to be taken back.` }
}

/** Its case is gone, and the next reconciliation takes it back. */
const orphan = (decision: Decision): Case => ({
  cause: decision.cause as Cause,
  state: 'open',
  day: decision.day,
  ...(decision.card_id === null ? {} : { cardId: decision.card_id }),
  ...(decision.counter === null ? {} : { counter: decision.counter }),
  ...(decision.terminal_id === null ? {} : { terminalId: decision.terminal_id }),
  ...(decision.merchant === null ? {} : { merchant: decision.merchant }),
  amountMinor: Math.abs(decision.suspense_minor + decision.holes_minor),
  suspenseMinor: 0 - decision.suspense_minor,
  holesMinor: 0 - decision.holes_minor,
  detail: `What was missing has come since: ${documentOf(decision)} is about to be taken back.`,
})

export const withDecisions = (book: Book, cases: readonly KeyedCase[]): Case[] => {
  const decisions = new Map(book.decisions.map((decision) => [decision.case_key, decision]))
  const seen = new Set<string>()
  const told = cases.map(({ key, found }) => {
    const decision = found.state === 'open' ? decisions.get(key) : undefined
    if (decision === undefined) return found
    seen.add(key)
    return decided(found, decision)
  })
  return [...told, ...book.decisions.filter(({ case_key }) => !seen.has(case_key)).map(orphan)]
}
