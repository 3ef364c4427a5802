/** The one-time code with which a terminal is enrolled. */
import * as v from 'valibot'

export const enrolmentCodeInput = v.object({ terminalId: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)) })
export const enrolmentCodeSchema = v.object({
  terminalId: v.string(),
  /** Shown once: the issuer keeps its hash alone. */
  code: v.string(),
  /** ISO 8601. */
  expiresAt: v.string(),
})
export type EnrolmentCode = v.InferOutput<typeof enrolmentCodeSchema>
