/** Terminals as the console shows them. */
import * as v from 'valibot'
import { exportFormat, listQuery, pageOf } from './list.ts'

export const countAndAmount = v.object({ count: v.number(), amountMinor: v.number() })
export type CountAndAmount = v.InferOutput<typeof countAndAmount>

export const terminalIdText = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, 'A terminal’s id has 16 hex digits.'))

export const terminalsQuery = listQuery(['reported', 'terminal', 'merchant', 'sales'], {
  /** Part of an id or of a merchant's name. */
  q: v.optional(v.pipe(v.string(), v.maxLength(100))),
  state: v.optional(v.picklist(['silent', 'reporting', 'neverEnrolled'])),
  format: exportFormat,
})

export const terminalRow = v.object({
  terminalId: v.string(),
  merchant: v.string(),
  merchantNo: v.number(),
  /** 0: never enrolled. */
  epoch: v.number(),
  /** When its newest batch came; absent: never. */
  reportedAt: v.optional(v.string()),
  /** It has not reported for longer than `silentHours`. */
  silent: v.boolean(),
  salesToday: countAndAmount,
  salesWeek: countAndAmount,
  exceptions: v.number(),
})
export type TerminalRow = v.InferOutput<typeof terminalRow>

export const terminalsPage = pageOf(terminalRow)
