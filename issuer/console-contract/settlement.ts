/** Closing days and periods, statements and payment files as the console shows them. */
import * as v from 'valibot'
import { exportFormat, listQuery, pageOf } from './list.ts'
import { dayText, numberText, partyInput } from './merchants.ts'
import { partySchema, statementSchema } from './statement.ts'

const minor = v.pipe(v.number(), v.safeInteger())

/** Where settlement stands. */
export const settlementSchema = v.object({
  today: v.string(),
  /** The last day that is over: what can be closed now. */
  yesterday: v.string(),
  lastClosedDay: v.optional(v.string()),
  /** What is booked now goes into this day. */
  openDay: v.string(),
  /** All merchants together. */
  payableMinor: minor,
  cashOwedMinor: minor,
  /** How many have no period that ends yesterday or later. */
  openMerchants: v.number(),
  /** Owed to merchants whose bank account is not known. */
  unpayableMinor: minor,
  /** Payouts that are in no file yet. */
  unpaid: v.object({ count: v.number(), amountMinor: minor }),
  bank: v.optional(partySchema),
  trialBalanceMinor: minor,
})
export type Settlement = v.InferOutput<typeof settlementSchema>

export const previewInput = v.object({ merchantNo: numberText, untilDay: dayText })

export const closedPeriodSchema = v.object({
  periodNo: v.number(),
  merchant: v.string(),
  fromDay: v.string(),
  untilDay: v.string(),
  feeMinor: minor,
  payoutMinor: minor,
  dueMinor: minor,
  closingMinor: minor,
  heldMinor: minor,
  closedNow: v.boolean(),
})
/** merchantNo absent: all. */
export const closeInput = v.object({ untilDay: dayText, merchantNo: v.optional(v.number()) })
export const closeAnswer = v.object({ periods: v.array(closedPeriodSchema) })

export const closeDayInput = v.object({ day: dayText })
export const closeDayAnswer = v.object({ day: v.string(), closed: v.array(v.string()) })

export const periodsQuery = listQuery(['period', 'until', 'payout'], {
  merchantNo: v.optional(numberText),
  q: v.optional(v.pipe(v.string(), v.maxLength(100))),
  until: v.optional(v.union([dayText, v.literal('')])),
  state: v.optional(v.picklist(['unpaid', 'paid', 'nothingPaid'])),
  format: exportFormat,
})
export const periodRow = v.object({
  periodNo: v.number(),
  merchantNo: v.number(),
  merchant: v.string(),
  fromDay: v.string(),
  untilDay: v.string(),
  payoutMinor: minor,
  closingMinor: minor,
  cashOwedMinor: minor,
  runNo: v.optional(v.number()),
  closedAt: v.string(),
  closedBy: v.string(),
})
export type PeriodRow = v.InferOutput<typeof periodRow>
export const periodsPage = pageOf(periodRow)

export const periodInput = v.object({ periodNo: numberText })
export const periodDetail = v.object({
  period: periodRow,
  statement: statementSchema,
  previousNo: v.optional(v.number()),
  nextNo: v.optional(v.number()),
})
export type PeriodDetail = v.InferOutput<typeof periodDetail>

export const runsQuery = listQuery(['run'], { format: exportFormat })
export const runRow = v.object({
  runNo: v.number(),
  messageId: v.string(),
  executionDay: v.string(),
  count: v.number(),
  sumMinor: minor,
  madeAt: v.string(),
  madeBy: v.string(),
})
export type RunRow = v.InferOutput<typeof runRow>
export const runsPage = pageOf(runRow)
export const runInput = v.object({ runNo: numberText })
export const makeRunInput = v.object({ executionDay: v.optional(dayText) })
export const madeRun = v.object({ runNo: v.number(), messageId: v.string(), count: v.number(), sumMinor: minor })

const { legalName: _, ...bankParts } = partyInput
export const setBankInput = v.object({ name: v.pipe(v.string(), v.maxLength(200)), ...bankParts })
