/** Cards as the console shows them: the list, one card with its history, and what a person may do with it. */
import * as v from 'valibot'
import { listQuery, pageOf } from './list.ts'

export const cardIdText = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, 'A card’s id has 16 hex digits.'))
const reasonText = v.pipe(v.string(), v.trim(), v.minLength(1, 'Say why: the reason is kept.'), v.maxLength(500))
const counterText = v.pipe(v.string(), v.regex(/^\d{1,10}$/), v.transform(Number))

export const cardStatuses = ['active', 'hotlisted', 'closing', 'closed'] as const
const cardStatus = v.picklist(cardStatuses)

export const cardsQuery = listQuery(['recent', 'card'], {
  /** How an id begins. */
  q: v.optional(
    v.pipe(v.string(), v.trim(), v.toLowerCase(), v.regex(/^[0-9a-f]{0,16}$/, 'An id is made of hex digits.')),
  ),
  status: v.optional(cardStatus),
  trouble: v.optional(v.picklist(['alarms', 'holes'])),
  /** Made at the desk, and never used. */
  stock: v.optional(v.literal('yes')),
})

export const cardRow = v.object({
  cardId: v.string(),
  status: cardStatus,
  /** The highest that is known. */
  counter: v.number(),
  /** The shadow balance, less what left the card when it was closed. */
  balanceMinor: v.number(),
  holes: v.number(),
  alarms: v.number(),
  registeredAt: v.string(),
  expiresAt: v.optional(v.string()),
})
export type CardRow = v.InferOutput<typeof cardRow>
export const cardsPage = pageOf(cardRow)

const moneyBackState = v.object({
  amountMinor: v.number(),
  /** It cannot be given back, and why. */
  refusal: v.optional(v.string()),
  /** Only at a named party's risk, and why. */
  risk: v.optional(v.string()),
  onlyCounter: v.optional(v.number()),
})
export type MoneyBackState = v.InferOutput<typeof moneyBackState>

export const cardInput = v.object({ cardId: cardIdText })
export const cardDetail = v.object({
  cardId: v.string(),
  status: cardStatus,
  counter: v.number(),
  balanceMinor: v.number(),
  withdrawnMinor: v.number(),
  unbackedMinor: v.number(),
  remainingMinor: v.number(),
  overdrawnMinor: v.number(),
  registeredAt: v.string(),
  personalisedAt: v.optional(v.string()),
  expiresAt: v.optional(v.string()),
  balanceMaxMinor: v.optional(v.number()),
  pinFreeMaxMinor: v.optional(v.number()),
  blocked: v.optional(
    v.object({
      at: v.optional(v.string()),
      by: v.optional(v.string()),
      reason: v.optional(v.string()),
      /** A terminal has done it, on the card itself. */
      forGood: v.boolean(),
    }),
  ),
  closure: v.optional(
    v.object({
      kind: v.string(),
      state: v.string(),
      reason: v.string(),
      readyAt: v.string(),
      amountMinor: v.number(),
      replacement: v.optional(v.string()),
      reference: v.optional(v.string()),
      atRisk: v.boolean(),
    }),
  ),
  credits: v.array(v.object({ reference: v.string(), amountMinor: v.number(), cause: v.string() })),
  holes: v.number(),
  alarms: v.array(v.object({ kind: v.string(), counter: v.optional(v.number()), at: v.string() })),
  paidBackTwice: v.array(v.number()),
})
export type CardDetail = v.InferOutput<typeof cardDetail>

export const historyQuery = v.object({
  cardId: cardIdText,
  ...listQuery(['counter'], {
    /** Its own page begins here, in the direction of the list. */
    counter: v.optional(counterText),
  }).entries,
})

export const historyRow = v.object({
  counter: v.number(),
  lastCounter: v.optional(v.number()),
  kind: v.string(),
  amountMinor: v.optional(v.number()),
  balanceAfterMinor: v.optional(v.number()),
  at: v.optional(v.string()),
  terminalId: v.optional(v.string()),
  remark: v.optional(v.string()),
  detail: v.optional(v.string()),
  proved: v.optional(v.boolean()),
  document: v.optional(v.string()),
  entry: v.optional(v.number()),
})
export type CardHistoryRow = v.InferOutput<typeof historyRow>
export const historyPage = pageOf(historyRow)

export const blockInput = v.object({ cardId: cardIdText, reason: reasonText })
export const blockedAnswer = v.object({ cardId: v.string(), serial: v.optional(v.number()) })

export const replaceInput = v.object({
  cardId: cardIdText,
  replacement: cardIdText,
  reason: reasonText,
  atIssuersRisk: v.optional(v.boolean(), false),
})
export const refundInput = v.object({
  cardId: cardIdText,
  reason: reasonText,
  atIssuersRisk: v.optional(v.boolean(), false),
})
/** Over what one person decides: another one of finance has to agree. */
const proposedAnswer = v.object({
  outcome: v.literal('proposed'),
  decisionNo: v.number(),
  amountMinor: v.number(),
  proposedBy: v.string(),
})
export const closureAnswer = v.variant('outcome', [
  v.object({ ...proposedAnswer.entries, cardId: v.string() }),
  v.object({
    outcome: v.literal('waiting'),
    cardId: v.string(),
    readyAt: v.string(),
    remainingMinor: v.number(),
    creditsMinor: v.number(),
  }),
  v.object({
    outcome: v.literal('done'),
    cardId: v.string(),
    amountMinor: v.number(),
    unbackedMinor: v.number(),
    creditsMinor: v.number(),
    credits: v.array(v.object({ reference: v.string(), amountMinor: v.number() })),
    reference: v.optional(v.string()),
    replacement: v.optional(v.string()),
  }),
])
export type ClosureAnswer = v.InferOutput<typeof closureAnswer>
export const keptAnswer = v.object({ cardId: v.string() })

export const moneyBackQuery = v.object({ cardId: cardIdText, counter: counterText })
export const moneyBackQuestionAnswer = moneyBackState
export const moneyBackInput = v.object({
  cardId: cardIdText,
  counter: counterText,
  reason: reasonText,
  atRiskOf: v.optional(v.picklist(['issuer', 'merchant'])),
})
export const moneyBackAnswer = v.variant('outcome', [
  proposedAnswer,
  v.object({
    outcome: v.literal('done'),
    cardId: v.string(),
    counter: v.number(),
    amountMinor: v.number(),
    charged: v.picklist(['issuer', 'merchant']),
    reference: v.string(),
    onlyCounter: v.optional(v.number()),
  }),
])
export const cancelCreditInput = v.object({
  reference: v.pipe(v.string(), v.maxLength(64)),
  reason: reasonText,
})
export const cancelledAnswer = v.object({ reference: v.string(), amountMinor: v.number() })
