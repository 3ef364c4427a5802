/** The log of changes, as the page and the server exchange it. */
import * as v from 'valibot'
import { dayText, listQuery, pageOf } from './list.ts'

const time = v.string()
const day = v.optional(dayText)
const word = v.optional(v.pipe(v.string(), v.maxLength(200)))

export const auditListInput = listQuery(['auditNo'], {
  name: word,
  /** An action, or how it begins: "merchant" finds "merchant.fee.set". */
  action: word,
  subject: word,
  /** The first and the last day, in the book's time zone. */
  from: day,
  until: day,
})
export const auditRowSchema = v.object({
  auditNo: v.number(),
  at: time,
  name: v.string(),
  action: v.string(),
  subject: v.string(),
  before: v.optional(v.unknown()),
  after: v.optional(v.unknown()),
  hash: v.string(),
})
export type AuditRow = v.InferOutput<typeof auditRowSchema>
export const auditPageSchema = pageOf(auditRowSchema)

export const chainStateSchema = v.variant('state', [
  v.object({ state: v.literal('whole'), rows: v.number(), hash: v.string() }),
  v.object({ state: v.literal('broken'), rows: v.number(), auditNo: v.number(), sentence: v.string() }),
  v.object({ state: v.literal('cut'), rows: v.number(), hash: v.string(), sentence: v.string() }),
])
export const chainInput = v.object({ seen: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))) })
