/** Accounts and the journal as the console shows them. */
import * as v from 'valibot'
import { exportFormat, listQuery, pageOf } from './list.ts'
import { numberText } from './merchants.ts'

const minor = v.pipe(v.number(), v.safeInteger())

export const accountSchema = v.object({
  accountNo: v.number(),
  kind: v.string(),
  merchantNo: v.optional(v.number()),
  merchant: v.optional(v.string()),
  balanceMinor: minor,
})
export type Account = v.InferOutput<typeof accountSchema>

export const balancesSchema = v.object({
  /** Those that the book has once. */
  accounts: v.array(accountSchema),
  /** All merchants' together. */
  payableMinor: minor,
  merchantCashMinor: minor,
  merchants: v.number(),
  trialBalanceMinor: minor,
})
export type Balances = v.InferOutput<typeof balancesSchema>

export const accountInput = v.object({ accountNo: numberText })

export const transfersQuery = listQuery(['booked'], {
  accountNo: v.optional(numberText),
  merchantNo: v.optional(numberText),
  day: v.optional(v.pipe(v.string(), v.regex(/^(\d{4}-\d{2}-\d{2})?$/, 'A day is such as 2026-11-23.'))),
  cause: v.optional(v.pipe(v.string(), v.maxLength(50))),
  card: v.optional(v.pipe(v.string(), v.toLowerCase(), v.maxLength(16))),
  document: v.optional(v.pipe(v.string(), v.maxLength(100))),
  format: exportFormat,
})
export const transferRow = v.object({
  transferNo: v.number(),
  bookedAt: v.string(),
  businessDay: v.string(),
  from: accountSchema,
  to: accountSchema,
  amountMinor: minor,
  cause: v.string(),
  document: v.string(),
  cardId: v.optional(v.string()),
  counter: v.optional(v.number()),
  periodNo: v.optional(v.number()),
})
export type TransferRow = v.InferOutput<typeof transferRow>
export const transfersPage = pageOf(transferRow)
