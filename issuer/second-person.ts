/**
 * Four eyes over money (docs/OPERATIONS.md, Two people): what one person lets go alone within a day is limited. A decision
 * over that is kept as a proposal, and takes effect when another person decides the same.
 */
import { type Actor, isSamePerson, requireReason } from './actor.ts'
import { noteChange } from './audit-log.ts'
import type { Charged } from './card-tables.ts'
import { proposalDaysMax } from './console-contract/proposal.ts'
import { IssuerError } from './errors.ts'
import { isoDay } from './iso-times.ts'
import type { Issuer } from './issuer.ts'
import type { StoreReader, StoreWriter } from './store.ts'

/** In minor units: 50.00 of a currency with cents. */
const fourEyesMinorDefault = 5000
const daySeconds = 86_400
const listedMax = 200

/** The same in all members: the same decision. They are compared as JSON: whoever makes one keeps this sequence. */
export type MoneyDecision =
  | {
      readonly kind: 'vouchers'
      readonly amountMinor: number
      readonly eachMinor: number
      readonly count: number
      readonly expiresAt: number
    }
  | {
      readonly kind: 'refund'
      readonly amountMinor: number
      readonly cardId: string
      readonly atIssuersRisk: boolean
    }
  | {
      readonly kind: 'moneyBack'
      readonly amountMinor: number
      readonly cardId: string
      readonly counter: number
      readonly atRiskOf: Charged
    }

export interface Proposed {
  readonly outcome: 'proposed'
  readonly decisionNo: number
  readonly amountMinor: number
  /** Who decided it first; another person has to decide the same. */
  readonly proposedBy: string
}

/** The limit over which two people decide, in minor units. */
export const fourEyesMinor = async (db: StoreReader): Promise<number> => {
  const row = await db.selectFrom('setting').select('value').where('key', '=', 'fourEyesMinor').executeTakeFirst()
  return row === undefined ? fourEyesMinorDefault : Number(row.value)
}

/** What a person may still decide alone: the limit, less what he decided alone within the last 24 hours. */
export const aloneMinorLeft = async (
  db: StoreReader,
  who: { readonly name: string; readonly at: number },
): Promise<number> => {
  const since = who.at - daySeconds
  const isHis = (name: string | null): boolean => name !== null && isSamePerson(name, who.name)
  const money = await db
    .selectFrom('money_decision')
    .select(['given_by', 'amount_minor'])
    .where('given_at', '>', since)
    .where('state', '=', 'alone')
    .execute()
  const decisions = await db
    .selectFrom('case_decision')
    .select(['proposed_by', 'approved_by', 'suspense_minor', 'holes_minor'])
    .where('decided_at', '>', since)
    .where('state', '=', 'booked')
    .execute()
  const sums = [
    ...money.filter((each) => isHis(each.given_by)).map((each) => each.amount_minor),
    ...decisions
      .filter((each) => isHis(each.proposed_by) && isHis(each.approved_by))
      .map((each) => Math.abs(each.suspense_minor) + Math.abs(each.holes_minor)),
  ]
  return (await fourEyesMinor(db)) - sums.reduce((sum, minor) => sum + minor, 0)
}

/** When a proposal holds no longer. Both in UNIX seconds. */
export const proposalEnd = (proposedAt: number): number => proposedAt + proposalDaysMax * daySeconds

export const isProposalOver = (proposedAt: number, at: number): boolean => at >= proposalEnd(proposedAt)

/** What a proposal that is over is called, in the sentence that refuses it. */
export const overProposal = (of: { readonly by: string; readonly at: number }): string =>
  `What ${of.by} proposed on ${isoDay(of.at)} is older than ${proposalDaysMax} days and holds no longer; nothing of it is done.`

const waitingFor = (db: StoreReader, json: string) =>
  db
    .selectFrom('money_decision')
    .selectAll()
    .where('decision_json', '=', json)
    .where('state', '=', 'proposed')
    .executeTakeFirst()

/**
 * In the transaction that carries the decision out.
 * @returns undefined: go ahead, within the limit or as the second person; otherwise nothing more is to be done now
 * @throws IssuerError `refused`: the first person's proposal is too old to agree to
 */
export const askSecondPerson = async (
  db: StoreWriter,
  given: { readonly by: Actor; readonly at: number; readonly decision: MoneyDecision; readonly reason: string },
): Promise<Proposed | undefined> => {
  const { decision, reason, at } = given
  const { name } = given.by
  const { amountMinor } = decision
  const json = JSON.stringify(decision)
  const found = await waitingFor(db, json)
  const isOver = found !== undefined && isProposalOver(found.given_at, at)
  if (isOver && !isSamePerson(found.given_by, name))
    throw new IssuerError(
      'refused',
      `${overProposal({ by: found.given_by, at: found.given_at })} Let ${found.given_by} propose it once more, or refuse decision ${found.decision_no} and propose it yourself.`,
    )
  // Whoever proposes the same again begins anew.
  if (isOver) {
    await answer(db, { decisionNo: found.decision_no, state: 'refused', name, at })
    await noteChange(
      db,
      { name, at },
      { action: 'money.expire', subject: `decision ${found.decision_no}`, before: { proposedBy: found.given_by } },
    )
  }
  const waiting = isOver ? undefined : found
  if (waiting !== undefined && !isSamePerson(waiting.given_by, name)) {
    await answer(db, { decisionNo: waiting.decision_no, state: 'approved', name, at })
    await noteChange(
      db,
      { name, at },
      { action: 'money.approve', subject: `decision ${waiting.decision_no}`, before: { proposedBy: waiting.given_by } },
    )
    return undefined
  }
  const isAlone = waiting === undefined && amountMinor <= (await aloneMinorLeft(db, { name, at }))
  const decisionNo = waiting?.decision_no ?? (await insertDecision())
  return isAlone ? undefined : { outcome: 'proposed', decisionNo, amountMinor, proposedBy: name }

  async function insertDecision(): Promise<number> {
    const { decision_no } = await db
      .insertInto('money_decision')
      .values({
        decision_json: json,
        amount_minor: amountMinor,
        reason,
        state: isAlone ? 'alone' : 'proposed',
        given_by: name,
        given_at: at,
        answered_by: null,
        answered_at: null,
      })
      .returning('decision_no')
      .executeTakeFirstOrThrow()
    if (!isAlone)
      await noteChange(
        db,
        { name, at },
        { action: 'money.propose', subject: `decision ${decision_no}`, after: { ...decision, reason } },
      )
    return decision_no
  }
}

const answer = async (
  db: StoreWriter,
  to: {
    readonly decisionNo: number
    readonly state: 'approved' | 'refused'
    readonly name: string
    readonly at: number
  },
): Promise<void> => {
  await db
    .updateTable('money_decision')
    .set({ state: to.state, answered_by: to.name, answered_at: to.at })
    .where('decision_no', '=', to.decisionNo)
    .execute()
}

/** The second person says no, or the first takes it back. @throws IssuerError `input` */
export const refuseDecision = (
  issuer: Issuer,
  by: Actor,
  refusal: { readonly decisionNo: number; readonly reason: string },
): Promise<{ decisionNo: number }> => {
  const reason = requireReason(refusal.reason)
  const { decisionNo } = refusal
  return issuer.store.write(async (db) => {
    const at = issuer.clock()
    const waiting = await db
      .selectFrom('money_decision')
      .select('given_by')
      .where('decision_no', '=', decisionNo)
      .where('state', '=', 'proposed')
      .executeTakeFirst()
    if (waiting === undefined) throw new IssuerError('refused', `No decision ${decisionNo} waits for a second person.`)
    await answer(db, { decisionNo, state: 'refused', name: by.name, at })
    await noteChange(
      db,
      { name: by.name, at },
      {
        action: 'money.refuse',
        subject: `decision ${decisionNo}`,
        before: { proposedBy: waiting.given_by },
        after: { reason },
      },
    )
    return { decisionNo }
  })
}

/** The card is kept: nobody refunds it any more. */
export const refuseRefunds = async (
  db: StoreWriter,
  who: { readonly cardId: string; readonly name: string; readonly at: number },
): Promise<void> => {
  for (const { decisionNo, decision } of await waitingDecisions(db))
    if (decision.kind === 'refund' && decision.cardId === who.cardId)
      await answer(db, { decisionNo, state: 'refused', name: who.name, at: who.at })
}

export interface WaitingDecision {
  readonly decisionNo: number
  readonly decision: MoneyDecision
  readonly reason: string
  readonly proposedBy: string
  readonly proposedAt: number
}

/** Decisions that wait for a second person, the oldest first. */
export const waitingDecisions = async (db: StoreReader): Promise<readonly WaitingDecision[]> => {
  const rows = await db
    .selectFrom('money_decision')
    .selectAll()
    .where('state', '=', 'proposed')
    .orderBy('decision_no')
    .limit(listedMax)
    .execute()
  return rows.map((row) => ({
    decisionNo: row.decision_no,
    decision: JSON.parse(row.decision_json) as MoneyDecision,
    reason: row.reason,
    proposedBy: row.given_by,
    proposedAt: row.given_at,
  }))
}
