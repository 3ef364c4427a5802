/** Cases as they are listed and shown. */
import * as v from 'valibot'
import { type CaseState, caseStates, type DecisionKind, type DecisionState } from '../case-tables.ts'
import { IssuerError } from '../errors.ts'
import { advice, type Case, type Cause, causes, evidences } from '../explain/case.ts'
import { exceptionAdvice } from '../explain/reasons.ts'
import { isoTime } from '../iso-times.ts'
import { isProposalOver, proposalEnd } from '../second-person.ts'
import type { StoreReader } from '../store.ts'
import type { CaseFile } from './reconcile.ts'
import { type Acts, causePlaces } from './workflow.ts'

/** All amounts in minor units. Times ISO 8601. */
export interface CaseRow {
  readonly caseNo: number
  readonly cause: Cause
  readonly title: string
  readonly state: CaseState
  readonly acts: Acts
  readonly owner?: string
  readonly dueAt: string
  readonly overdue: boolean
  readonly amountMinor: number
  readonly suspenseMinor: number
  readonly holesMinor: number
  readonly atRiskMinor: number
  readonly reason?: string
  readonly cardId?: string
  readonly counter?: number
  readonly lastCounter?: number
  readonly terminalId?: string
  readonly merchant?: string
  readonly day: string
  readonly openedAt: string
  readonly openedDocument?: string
  readonly closedAt?: string
  readonly closedDocument?: string
  readonly closedBy?: string
}

export interface DecisionView {
  readonly decisionNo: number
  readonly kind: DecisionKind
  readonly state: DecisionState
  readonly suspenseMinor: number
  readonly holesMinor: number
  readonly merchant?: string
  readonly cardId?: string
  readonly reason: string
  readonly proposedBy: string
  readonly proposedAt: string
  /** As a proposal. */
  readonly holdsUntilAt: string
  readonly over: boolean
  readonly approvedBy?: string
  readonly decidedAt?: string
  readonly takenBackAt?: string
}

export interface CaseDetail extends CaseRow {
  readonly detail: string
  /** What to do. */
  readonly todo: string
  readonly hole?: Case['hole']
  readonly notes: readonly {
    readonly noteNo: number
    readonly author: string
    readonly text: string
    readonly at: string
  }[]
  readonly decisions: readonly DecisionView[]
  readonly timeline: readonly {
    readonly kind: string
    readonly at: string
    readonly who?: string
    readonly document?: string
    readonly detail?: string
  }[]
}

const present = <Key extends string, Value>(key: Key, value: Value | null) =>
  (value === null ? {} : { [key]: value }) as { readonly [name in Key]?: Value }

const time = <Key extends string>(key: Key, seconds: number | null) =>
  present(key, seconds === null ? null : isoTime(seconds))

/** @throws Error for a cause that this program does not know: a bug */
const causeOf = (text: string): Cause => {
  const cause = causes.find((each) => each === text)
  if (cause === undefined) throw new Error(`no cause is called ${text}`)
  return cause
}

export const caseRow = (file: CaseFile, now: number): CaseRow => {
  const cause = causeOf(file.cause)
  return {
    caseNo: file.case_no,
    cause,
    title: causePlaces[cause].title,
    state: file.state,
    acts: causePlaces[cause].acts,
    ...present('owner', file.owner),
    dueAt: isoTime(file.due_at),
    overdue: file.state !== 'closed' && file.due_at < now,
    amountMinor: file.amount_minor,
    suspenseMinor: file.suspense_minor,
    holesMinor: file.holes_minor,
    atRiskMinor: file.at_risk_minor,
    ...present('reason', file.reason),
    ...present('cardId', file.card_id),
    ...present('counter', file.counter),
    ...present('lastCounter', file.last_counter),
    ...present('terminalId', file.terminal_id),
    ...present('merchant', file.merchant),
    day: file.day,
    openedAt: isoTime(file.opened_at),
    ...present('openedDocument', file.opened_document),
    ...time('closedAt', file.closed_at),
    ...present('closedDocument', file.closed_document),
    ...present('closedBy', file.closed_by),
  }
}

export const todoOf = ({ cause, reason }: { readonly cause: Cause; readonly reason?: string }): string => {
  const byReason = cause === 'exception' ? Object.entries(exceptionAdvice).find(([name]) => name === reason) : undefined
  return byReason?.[1].todo ?? advice[cause].todo
}

/** What was written here when the case was derived. */
const derivedSchema = v.looseObject({
  detail: v.string(),
  hole: v.optional(
    v.looseObject({
      explanation: v.picklist(['nothing', 'debit', 'reversal', 'namedSum']),
      direction: v.picklist(['debit', 'credit', 'none']),
      balanceBeforeMinor: v.number(),
      balanceAfterMinor: v.number(),
      since: v.string(),
      until: v.string(),
      suspects: v.array(
        v.looseObject({
          terminalId: v.string(),
          terminalName: v.exactOptional(v.string()),
          merchant: v.string(),
          evidence: v.picklist(evidences),
          counter: v.exactOptional(v.number()),
          amountMinor: v.exactOptional(v.number()),
          why: v.string(),
        }),
      ),
      moreSuspects: v.number(),
    }),
  ),
})

export interface CaseFilter {
  /** Absent: all that are not closed. */
  readonly state?: CaseState | 'all'
  readonly cause?: Cause
  readonly owner?: string
  readonly terminalId?: string
  readonly cardId?: string
  readonly overdue?: boolean
  readonly limit?: number
}

const limitDefault = 200

/** Those that are due first, first. */
export const listCases = async (
  db: StoreReader,
  filter: CaseFilter,
  now: number,
): Promise<{ readonly cases: readonly CaseRow[]; readonly total: number; readonly atRiskMinor: number }> => {
  const { state, cause, owner, terminalId, cardId } = filter
  const chosen = db
    .selectFrom('case_file')
    .$if(state === undefined, (query) => query.where('state', '<>', 'closed'))
    .$if(state !== undefined && state !== 'all', (query) =>
      query.where('state', '=', caseStates.find((each) => each === state) ?? 'open'),
    )
    .$if(cause !== undefined, (query) => query.where('cause', '=', cause ?? ''))
    .$if(owner !== undefined, (query) => query.where('owner', '=', owner ?? ''))
    .$if(terminalId !== undefined, (query) => query.where('terminal_id', '=', terminalId ?? ''))
    .$if(cardId !== undefined, (query) => query.where('card_id', '=', cardId ?? ''))
    .$if(filter.overdue === true, (query) => query.where('state', '<>', 'closed').where('due_at', '<', now))
  const { total, atRisk } = await chosen
    .select((eb) => [
      eb.fn.countAll<number>().as('total'),
      eb.fn.coalesce(eb.fn.sum<number>('at_risk_minor'), eb.lit(0)).as('atRisk'),
    ])
    .executeTakeFirstOrThrow()
  const files = await chosen
    .selectAll()
    .orderBy('due_at')
    .orderBy('case_no')
    .limit(filter.limit ?? limitDefault)
    .execute()
  return { cases: files.map((file) => caseRow(file, now)), total: Number(total), atRiskMinor: Number(atRisk) }
}

/** @throws IssuerError `unknownCase` */
export const requireCase = async (db: StoreReader, caseNo: number): Promise<CaseFile> => {
  const file = await db.selectFrom('case_file').selectAll().where('case_no', '=', caseNo).executeTakeFirst()
  if (file === undefined)
    throw new IssuerError(
      'unknownCase',
      `There is no case ${caseNo}: "farthing issuer cases list" has those there are.`,
    )
  return file
}

/** @throws IssuerError `unknownCase` */
export const showCase = async (db: StoreReader, caseNo: number, now: number): Promise<CaseDetail> => {
  const file = await requireCase(db, caseNo)
  const row = caseRow(file, now)
  const { detail, hole } = v.parse(derivedSchema, JSON.parse(file.json))
  const notes = await db.selectFrom('case_note').selectAll().where('case_no', '=', caseNo).orderBy('note_no').execute()
  const events = await db
    .selectFrom('case_event')
    .selectAll()
    .where('case_no', '=', caseNo)
    .orderBy('event_no')
    .execute()
  const decisions = await db
    .selectFrom('case_decision')
    .leftJoin('merchant', 'merchant.merchant_no', 'case_decision.merchant_no')
    .leftJoin('card', 'card.card_no', 'case_decision.card_no')
    .selectAll('case_decision')
    .select(['merchant.name as merchant', 'card.card_id'])
    .where('case_no', '=', caseNo)
    .orderBy('decision_no')
    .execute()
  return {
    ...row,
    detail,
    todo: todoOf(row),
    ...(hole === undefined ? {} : { hole }),
    notes: notes.map(({ note_no, author, text, at }) => ({ noteNo: note_no, author, text, at: isoTime(at) })),
    decisions: decisions.map((each) => ({
      decisionNo: each.decision_no,
      kind: each.kind,
      state: each.state,
      suspenseMinor: each.suspense_minor,
      holesMinor: each.holes_minor,
      ...present('merchant', each.merchant),
      ...present('cardId', each.card_id),
      reason: each.reason,
      proposedBy: each.proposed_by,
      proposedAt: isoTime(each.proposed_at),
      holdsUntilAt: isoTime(proposalEnd(each.proposed_at)),
      over: isProposalOver(each.proposed_at, now),
      ...present('approvedBy', each.approved_by),
      ...time('decidedAt', each.decided_at),
      ...time('takenBackAt', each.taken_back_at),
    })),
    timeline: events.map(({ kind, at, who, document, detail: words }) => ({
      kind,
      at: isoTime(at),
      ...present('who', who),
      ...present('document', document),
      ...present('detail', words),
    })),
  }
}
