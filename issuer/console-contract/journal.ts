/** What operators did at a terminal, and who they are, as the page and the server exchange it. */
import * as v from 'valibot'
import { operatorNameLengthMax, operatorRoles } from '../../protocol/operator.ts'
import { listQuery, pageOf } from './list.ts'
import { terminalIdText } from './terminals.ts'

const day = v.optional(v.pipe(v.string(), v.isoDate()))
const cardIdText = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, 'A card’s id has 16 hex digits.'))

export const journalQuery = listQuery(['entry', 'at'], {
  terminalId: terminalIdText,
  /** An act, or how it begins. */
  act: v.optional(v.pipe(v.string(), v.maxLength(40))),
  /** Part of an operator's name or card. */
  operator: v.optional(v.pipe(v.string(), v.maxLength(100))),
  /** The first and the last day, in the book's time zone. */
  from: day,
  until: day,
})
export const journalRow = v.object({
  entryNo: v.number(),
  epoch: v.number(),
  /** Of the document that brought it. */
  journalNo: v.number(),
  /** By the terminal's clock. */
  at: v.string(),
  receivedAt: v.string(),
  act: v.string(),
  /** Absent: nobody's act. */
  operator: v.optional(v.string()),
  operatorCard: v.optional(v.string()),
  details: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]))),
  /** What became of a refund, and why. */
  refund: v.optional(
    v.object({ state: v.picklist(['waiting', 'booked', 'person', 'refused']), why: v.optional(v.string()) }),
  ),
})
export type JournalRow = v.InferOutput<typeof journalRow>
export const journalPage = pageOf(journalRow)

export const operatorRow = v.object({
  cardId: v.string(),
  name: v.string(),
  role: v.picklist(operatorRoles),
  /** 'all': at those too that come. */
  terminals: v.union([v.literal('all'), v.array(v.string())]),
  addedAt: v.string(),
  addedBy: v.string(),
})
export type OperatorRow = v.InferOutput<typeof operatorRow>
export const operatorsInput = v.object({})
export const operatorsAnswer = v.object({ operators: v.array(operatorRow), refundMinorMax: v.number() })

export const addOperatorInput = v.object({
  cardId: cardIdText,
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(operatorNameLengthMax)),
  role: v.picklist(operatorRoles),
  pin: v.pipe(v.string(), v.regex(/^[0-9]{6,12}$/, 'A PIN has 6 to 12 digits.')),
  terminals: v.union([v.literal('all'), v.pipe(v.array(terminalIdText), v.minLength(1), v.maxLength(1000))]),
})
export const removeOperatorInput = v.object({ cardId: cardIdText })
export const changedOperator = v.object({ cardId: v.string(), name: v.string() })
export const refundMaxInput = v.object({ amountMinor: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) })
export const refundMaxAnswer = v.object({ refundMinorMax: v.number() })
