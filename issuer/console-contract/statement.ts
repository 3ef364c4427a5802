/** A merchant's statement of one period: the same shape in the store, in the console and in its files. */
import * as v from 'valibot'

const minor = v.pipe(v.number(), v.safeInteger())
const count = v.pipe(v.number(), v.safeInteger())
const countAndAmount = v.object({ count, amountMinor: minor })

export const partySchema = v.object({
  /** What everybody calls it. */
  name: v.string(),
  legalName: v.optional(v.string()),
  street: v.optional(v.string()),
  postcode: v.optional(v.string()),
  town: v.optional(v.string()),
  /** ISO 3166, two letters. */
  country: v.optional(v.string()),
  iban: v.optional(v.string()),
  bic: v.optional(v.string()),
})
export type Party = v.InferOutput<typeof partySchema>

/** What one rate made of a part of the period. */
export const feeLineSchema = v.object({
  fromDay: v.string(),
  untilDay: v.string(),
  basisPoints: v.number(),
  fixedMinor: minor,
  /** Sales less reversals. */
  count,
  baseMinor: minor,
  /** Rounded to a minor unit, half away from zero, once. */
  feeMinor: minor,
})
export type FeeLine = v.InferOutput<typeof feeLineSchema>

export const heldReasons = ['hole', 'reversalInDoubt'] as const
export const heldPaymentSchema = v.object({
  reason: v.picklist(heldReasons),
  terminalId: v.string(),
  /** What people called it then; absent: nothing. */
  terminalName: v.optional(v.string()),
  cardId: v.string(),
  counter: v.number(),
  amountMinor: minor,
  at: v.string(),
})
export type HeldPayment = v.InferOutput<typeof heldPaymentSchema>

export const carriedExceptionSchema = v.object({
  terminalId: v.string(),
  /** What people called it then; absent: nothing. */
  terminalName: v.optional(v.string()),
  reason: v.string(),
  cardId: v.optional(v.string()),
  counter: v.optional(v.number()),
  amountMinor: v.optional(minor),
  /** When it came to light. */
  at: v.string(),
})
export type CarriedException = v.InferOutput<typeof carriedExceptionSchema>

export const notPaidReasons = ['nothingDue', 'allHeld', 'noBankAccount'] as const

export const statementSchema = v.object({
  v: v.literal(1),
  /** Absent: a preview. */
  periodNo: v.optional(v.number()),
  /** What the payment bears, EndToEndId of ISO 20022. */
  reference: v.optional(v.string()),
  currency: v.string(),
  timeZone: v.string(),
  merchant: partySchema,
  issuer: partySchema,
  fromDay: v.string(),
  untilDay: v.string(),
  closedAt: v.optional(v.string()),
  /** Owed to the merchant at the beginning. */
  openingMinor: minor,
  sales: countAndAmount,
  reversals: countAndAmount,
  /** Corrections and what else was booked, by cause: above 0 to the merchant's good. */
  others: v.array(v.object({ cause: v.string(), amountMinor: minor })),
  fees: v.array(feeLineSchema),
  /** Below 0: given back for sales that were reversed. */
  feeMinor: minor,
  cash: v.object({
    /** Cash that he took for loads and owed at the beginning. */
    openingMinor: minor,
    loads: countAndAmount,
    paidInMinor: minor,
    otherMinor: minor,
    /** Set off against what was owed to him; below 0: he had paid in too much, and is owed it. */
    offsetMinor: minor,
    closingMinor: minor,
    /** Of what is owed at the end: paid in before the period was closed, not set off, and booked in the next one. */
    paidInSinceMinor: v.optional(minor),
  }),
  /** Not paid out yet: what follows on the card is not known. */
  held: v.object({
    count,
    amountMinor: minor,
    payments: v.array(heldPaymentSchema),
  }),
  payoutMinor: minor,
  /** Absent: something is paid. */
  notPaid: v.optional(v.picklist(notPaidReasons)),
  /** Owed to the merchant at the end: carried over. */
  closingMinor: minor,
  /** What the merchant is to pay in. */
  dueMinor: minor,
  /** Wait for a person, in no sum above. */
  exceptions: v.object({
    count,
    amountMinor: minor,
    list: v.array(carriedExceptionSchema),
  }),
  days: v.array(v.object({ day: v.string(), sales: countAndAmount, reversals: countAndAmount, loads: countAndAmount })),
})
export type Statement = v.InferOutput<typeof statementSchema>
