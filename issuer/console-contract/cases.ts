/** What does not add up, as the console shows it and works on it. */
import * as v from 'valibot'
import { dayText, exportFormat, listQuery, pageOf } from './list.ts'

export const caseStateNames = ['open', 'waiting', 'proposed', 'closed'] as const
export const decisionKindNames = ['payMerchant', 'chargeMerchant', 'creditCard', 'writeOff'] as const
export type DecisionName = (typeof decisionKindNames)[number]

/** Which cases are looked at; absent: all that are not closed. */
export const caseViews = ['mine', 'approval', 'overdue', 'closed', 'all'] as const

const number = v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'A case has a number.'), v.transform(Number))
const words = v.pipe(v.string(), v.maxLength(2000))
const name = v.pipe(v.string(), v.maxLength(100))
const id8 = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, 'An id has 16 hex digits.'))

export const casesQuery = listQuery(['due', 'atRisk', 'opened', 'case'], {
  view: v.optional(v.picklist(caseViews)),
  state: v.optional(v.picklist(caseStateNames)),
  cause: v.optional(name),
  owner: v.optional(name),
  terminal: v.optional(id8),
  card: v.optional(id8),
  /** A case's number, or part of a card's or terminal's id, or of a merchant's name. */
  q: v.optional(name),
  format: exportFormat,
})

export const caseShape = v.object({
  caseNo: v.number(),
  cause: v.string(),
  title: v.string(),
  state: v.picklist(caseStateNames),
  /** Who is to act: operator, finance, or nobody yet. */
  acts: v.picklist(['operator', 'finance', 'nobody']),
  owner: v.optional(v.string()),
  dueAt: v.string(),
  overdue: v.boolean(),
  amountMinor: v.number(),
  suspenseMinor: v.number(),
  holesMinor: v.number(),
  atRiskMinor: v.number(),
  /** Of an exception or an alarm. */
  reason: v.optional(v.string()),
  cardId: v.optional(v.string()),
  counter: v.optional(v.number()),
  lastCounter: v.optional(v.number()),
  terminalId: v.optional(v.string()),
  merchant: v.optional(v.string()),
  day: v.string(),
  openedAt: v.string(),
  openedDocument: v.optional(v.string()),
  closedAt: v.optional(v.string()),
  closedDocument: v.optional(v.string()),
  closedBy: v.optional(v.string()),
})
export type CaseShape = v.InferOutput<typeof caseShape>
export const casesPage = pageOf(caseShape)

/** Over all that are not closed. */
export const casesSummary = v.object({
  count: v.number(),
  overdueCount: v.number(),
  approvalCount: v.number(),
  atRiskMinor: v.number(),
  /** The most urgent kind first. */
  causes: v.array(v.object({ cause: v.string(), title: v.string(), count: v.number(), atRiskMinor: v.number() })),
  owners: v.array(v.string()),
  /** Over this a second person decides, too. */
  fourEyesMinor: v.number(),
})

export const caseInput = v.object({ caseNo: number })

export const decisionShape = v.object({
  decisionNo: v.number(),
  kind: v.picklist(decisionKindNames),
  state: v.picklist(['proposed', 'booked', 'refused', 'takenBack']),
  suspenseMinor: v.number(),
  holesMinor: v.number(),
  merchant: v.optional(v.string()),
  cardId: v.optional(v.string()),
  reason: v.string(),
  proposedBy: v.string(),
  /** By whoever asks: somebody else approves it. */
  own: v.boolean(),
  proposedAt: v.string(),
  /** As a proposal. */
  holdsUntilAt: v.string(),
  /** By the issuer's clock. */
  over: v.boolean(),
  approvedBy: v.optional(v.string()),
  decidedAt: v.optional(v.string()),
  takenBackAt: v.optional(v.string()),
})
export type DecisionShape = v.InferOutput<typeof decisionShape>

/** One counter of the card's line beside what the case is about; of a missing one only its number is known. */
export const lineShape = v.object({
  counter: v.number(),
  /** What the case is about. */
  subject: v.boolean(),
  known: v.boolean(),
  type: v.optional(v.string()),
  amountMinor: v.optional(v.number()),
  balanceBeforeMinor: v.optional(v.number()),
  balanceAfterMinor: v.optional(v.number()),
  terminalId: v.optional(v.string()),
  source: v.optional(v.string()),
  exception: v.optional(v.string()),
  /** The settlement MAC, computed anew; `none`: a load that its card has not proved yet. */
  proof: v.optional(v.picklist(['right', 'wrong', 'none'])),
  orderedAt: v.optional(v.string()),
})
export type LineShape = v.InferOutput<typeof lineShape>

export const evidenceShape = v.object({
  /** Of the card: what is known around the case. */
  line: v.array(lineShape),
  /** What terminals said of these counters without proof. */
  doubts: v.array(
    v.object({
      counter: v.number(),
      terminalId: v.string(),
      type: v.string(),
      amountMinor: v.number(),
      orderedAt: v.string(),
      says: v.array(v.picklist(['inDoubt', 'void', 'abandoned', 'owed'])),
    }),
  ),
  /** Entries that were not taken as they are. */
  entries: v.array(
    v.object({
      terminalId: v.string(),
      epoch: v.number(),
      batchNo: v.number(),
      entry: v.number(),
      reason: v.string(),
      amountMinor: v.optional(v.number()),
      notedAt: v.string(),
    }),
  ),
  /** The newest of the terminal that the case names. */
  batches: v.array(
    v.object({
      terminalId: v.string(),
      epoch: v.number(),
      batchNo: v.number(),
      entries: v.number(),
      receivedAt: v.string(),
    }),
  ),
})
export type EvidenceShape = v.InferOutput<typeof evidenceShape>

export const caseDetail = v.object({
  ...caseShape.entries,
  merchantNo: v.optional(v.number()),
  detail: v.string(),
  todo: v.string(),
  hole: v.optional(
    v.object({
      explanation: v.string(),
      direction: v.string(),
      balanceBeforeMinor: v.number(),
      balanceAfterMinor: v.number(),
      since: v.string(),
      until: v.string(),
      suspects: v.array(
        v.object({
          terminalId: v.string(),
          merchant: v.string(),
          evidence: v.string(),
          counter: v.optional(v.number()),
          amountMinor: v.optional(v.number()),
          why: v.string(),
        }),
      ),
      moreSuspects: v.number(),
    }),
  ),
  notes: v.array(v.object({ noteNo: v.number(), author: v.string(), text: v.string(), at: v.string() })),
  decisions: v.array(decisionShape),
  timeline: v.array(
    v.object({
      kind: v.string(),
      at: v.string(),
      who: v.optional(v.string()),
      document: v.optional(v.string()),
      detail: v.optional(v.string()),
    }),
  ),
  evidence: evidenceShape,
  /** What can be decided about it now. */
  kinds: v.array(v.picklist(decisionKindNames)),
  /** It holds no money, and a person may close it. */
  closable: v.boolean(),
  /** What the caller still decides alone today; over it another person approves. */
  aloneMinorLeft: v.number(),
})
export type CaseDetailShape = v.InferOutput<typeof caseDetail>

export const noteInput = v.object({ caseNo: number, text: words })
export const assignInput = v.object({ caseNo: number, owner: v.optional(name), dueDay: v.optional(dayText) })
export const closeInput = v.object({ caseNo: number, text: words })
export const keepInput = v.object({ caseNo: number, reason: words, dueDay: v.optional(dayText) })
export const decideInput = v.object({
  caseNo: number,
  kind: v.picklist(decisionKindNames),
  merchant: v.optional(name),
  cardId: v.optional(id8),
  reason: words,
})
export const refuseInput = v.object({ caseNo: number, reason: words })
export const caseDone = v.object({ caseNo: v.number(), state: v.picklist(caseStateNames) })

export const retireInput = v.object({ terminalId: id8, retired: v.boolean() })
export const retireDone = v.object({ terminalId: v.string(), retired: v.boolean() })
