/** Terminals as the console shows them. */
import * as v from 'valibot'
import { exportFormat, listQuery, pageOf } from './list.ts'

export const countAndAmount = v.object({ count: v.number(), amountMinor: v.number() })
export type CountAndAmount = v.InferOutput<typeof countAndAmount>

export const terminalIdText = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, 'A terminal’s id has 16 hex digits.'))

export const terminalsQuery = listQuery(['reported', 'terminal', 'merchant', 'sales'], {
  /** Part of an id, of its name or of a merchant's. */
  q: v.optional(v.pipe(v.string(), v.maxLength(100))),
  state: v.optional(v.picklist(['silent', 'reporting', 'neverEnrolled', 'retired'])),
  format: exportFormat,
})

export const terminalRow = v.object({
  terminalId: v.string(),
  /** What people call it; absent: nothing. */
  name: v.optional(v.string()),
  merchant: v.string(),
  merchantNo: v.number(),
  /** 0: never enrolled. */
  epoch: v.number(),
  /** When its newest batch came; absent: never. */
  /** When its newest batch came, or that one came once more because there was nothing else to send. */
  reportedAt: v.optional(v.string()),
  /** When its newest batch came. */
  lastBatchAt: v.optional(v.string()),
  /** Taken out of service: it is not missed. */
  retired: v.boolean(),
  /** It has not reported for a day, though it should. */
  silent: v.boolean(),
  salesToday: countAndAmount,
  salesWeek: countAndAmount,
  exceptions: v.number(),
})
export type TerminalRow = v.InferOutput<typeof terminalRow>

export const terminalsPage = pageOf(terminalRow)

/** What a kiosk may hold that the issuer does not know yet. An estimate. */
export const exposure = v.object({
  /** By its sales in `basisDays` before its last report, hour of the day by hour of the day. */
  expected: countAndAmount,
  basisDays: v.number(),
  usualDayMinor: v.number(),
  /** The estimate is cut off at what the kiosk's own limits let it sell without reporting. */
  limited: v.boolean(),
})
export type Exposure = v.InferOutput<typeof exposure>

const withheldUnits = v.object({ itemId: v.string(), count: v.number(), amountMinor: v.number() })

export const terminalDetail = v.object({
  ...terminalRow.entries,
  keyVersion: v.number(),
  createdAt: v.string(),
  batches: v.number(),
  /** Of all its epochs: batches before a later one that is here. */
  missingBatches: v.number(),
  /** A one-time code that still stands. */
  codeExpiresAt: v.optional(v.string()),
  /** Of the last 30 business days, the newest last. */
  days: v.array(v.object({ day: v.string(), ...countAndAmount.entries })),
  alarms: v.array(v.object({ kind: v.string(), raisedAt: v.string(), document: v.string() })),
  withheld: v.array(withheldUnits),
  exposure: v.optional(exposure),
})
export type TerminalDetail = v.InferOutput<typeof terminalDetail>

export const terminalInput = v.object({ terminalId: terminalIdText })
export const addTerminalInput = v.object({
  merchant: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(200)),
  /** Empty: none. */
  name: v.optional(v.pipe(v.string(), v.maxLength(200))),
})
export const addedTerminal = v.object({ terminalId: v.string() })

/** Empty: the name is taken away. */
export const nameTerminalInput = v.object({ terminalId: terminalIdText, name: v.pipe(v.string(), v.maxLength(200)) })
export const namedTerminal = v.object({ terminalId: v.string(), name: v.optional(v.string()) })

/** Those that have a name. */
export const terminalNames = v.object({ terminals: v.array(v.object({ terminalId: v.string(), name: v.string() })) })
