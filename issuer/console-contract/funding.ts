/** What stands behind the money on cards, and vouchers by the lot. */
import * as v from 'valibot'
import { dayText, listQuery, pageOf } from './list.ts'

export const fundingInput = v.object({})
export const fundingAnswer = v.object({
  floatMinor: v.number(),
  cash: v.object({ loadedMinor: v.number(), owedByMerchantsMinor: v.number(), paidInMinor: v.number() }),
  vouchers: v.object({
    loadedMinor: v.number(),
    paidMinor: v.number(),
    unpaidMinor: v.number(),
    openPaidMinor: v.number(),
    openUnpaidMinor: v.number(),
  }),
  credits: v.object({ loadedMinor: v.number(), openMinor: v.number() }),
  /** Loaded, and nobody has paid for it yet. */
  unfundedMinor: v.number(),
  closedCards: v.object({ withdrawnMinor: v.number(), overdrawnMinor: v.number() }),
})
export type Funding = v.InferOutput<typeof fundingAnswer>

export const lotsQuery = listQuery(['lot'], {
  paid: v.optional(v.picklist(['yes', 'no'])),
})
export const lotRow = v.object({
  lotNo: v.number(),
  amountMinor: v.number(),
  count: v.number(),
  openCount: v.number(),
  usedCount: v.number(),
  cancelledCount: v.number(),
  lapsedCount: v.number(),
  expiresAt: v.string(),
  madeAt: v.string(),
  madeBy: v.string(),
  paidAt: v.optional(v.string()),
  paidReference: v.optional(v.string()),
})
export type LotRow = v.InferOutput<typeof lotRow>
export const lotsPage = pageOf(lotRow)

const lotNoText = v.pipe(v.string(), v.regex(/^\d{1,10}$/), v.transform(Number))
const referenceText = v.pipe(v.string(), v.trim(), v.minLength(1, 'Give the bank’s reference.'), v.maxLength(140))

export const addLotInput = v.object({
  amountMinor: v.pipe(v.number(), v.integer(), v.minValue(1)),
  count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)),
  /** Their last day, such as "2028-11-25". */
  expires: dayText,
  /** Absent: handed out on trust. */
  paidReference: v.optional(referenceText),
})
/** `proposed`: nothing is made yet, another person of finance has to agree. The codes are in this answer, and nowhere else. */
export const addedLotAnswer = v.variant('outcome', [
  v.object({ outcome: v.literal('done'), lotNo: v.number(), csv: v.string() }),
  v.object({
    outcome: v.literal('proposed'),
    decisionNo: v.number(),
    amountMinor: v.number(),
    proposedBy: v.string(),
  }),
])
export const payLotInput = v.object({ lotNo: lotNoText, paidReference: referenceText })
export const paidLotAnswer = v.object({ lotNo: v.number(), amountMinor: v.number() })
export const cancelLotInput = v.object({
  lotNo: lotNoText,
  reason: v.pipe(v.string(), v.trim(), v.minLength(1, 'Say why: the reason is kept.'), v.maxLength(500)),
})
export const cancelledLotAnswer = v.object({ lotNo: v.number(), cancelled: v.number() })

export const decisionsInput = v.object({})
const decisionKinds = [
  v.object({
    kind: v.literal('vouchers'),
    amountMinor: v.number(),
    eachMinor: v.number(),
    count: v.number(),
    expiresAt: v.string(),
  }),
  v.object({
    kind: v.literal('refund'),
    amountMinor: v.number(),
    cardId: v.string(),
    atIssuersRisk: v.boolean(),
  }),
  v.object({
    kind: v.literal('moneyBack'),
    amountMinor: v.number(),
    cardId: v.string(),
    counter: v.number(),
    atRiskOf: v.picklist(['issuer', 'merchant']),
  }),
] as const
const waitingDecision = v.object({
  decisionNo: v.number(),
  decision: v.variant('kind', decisionKinds),
  reason: v.string(),
  proposedBy: v.string(),
  /** By whoever asks: somebody else agrees. */
  own: v.boolean(),
  proposedAt: v.string(),
  holdsUntilAt: v.string(),
  /** By the issuer's clock. */
  over: v.boolean(),
})
export type WaitingDecisionRow = v.InferOutput<typeof waitingDecision>
/** Over what one person decides alone; another person agrees by deciding the same. */
export const decisionsAnswer = v.object({ fourEyesMinor: v.number(), decisions: v.array(waitingDecision) })
export const refuseDecisionInput = v.object({
  decisionNo: v.pipe(v.string(), v.regex(/^\d{1,10}$/), v.transform(Number)),
  reason: v.pipe(v.string(), v.trim(), v.minLength(1, 'Say why: the reason is kept.'), v.maxLength(500)),
})
export const refusedDecisionAnswer = v.object({ decisionNo: v.number() })

export const closuresQuery = listQuery(['ready'], {
  due: v.optional(v.literal('yes')),
})
export const closureRow = v.object({
  cardId: v.string(),
  kind: v.picklist(['replace', 'refund', 'breakage']),
  reason: v.string(),
  readyAt: v.string(),
  due: v.boolean(),
  replacement: v.optional(v.string()),
})
export type ClosureRow = v.InferOutput<typeof closureRow>
export const closuresPage = pageOf(closureRow)
