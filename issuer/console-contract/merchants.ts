/** Merchants as the console shows them. */
import * as v from 'valibot'
import { shownFile, shownUpload } from './catalogue.ts'
import { exportFormat, listQuery, pageOf } from './list.ts'
import { partySchema } from './statement.ts'

export const numberText = v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'It is a whole number.'), v.transform(Number))
export const dayText = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/, 'A day is such as 2026-11-23.'))
const minor = v.pipe(v.number(), v.safeInteger())

export const feeSchema = v.object({ fromDay: v.string(), basisPoints: v.number(), fixedMinor: minor })
export type Fee = v.InferOutput<typeof feeSchema>

export const merchantsQuery = listQuery(['merchant', 'payable', 'cash'], {
  /** Part of a name. */
  q: v.optional(v.pipe(v.string(), v.maxLength(100))),
  state: v.optional(v.picklist(['owed', 'owing', 'noBankAccount'])),
  format: exportFormat,
})

export const merchantRow = v.object({
  merchantNo: v.number(),
  merchant: v.string(),
  terminals: v.number(),
  /** Owed to him, held payments included. */
  payableMinor: minor,
  payableAccountNo: v.number(),
  /** Cash that he took for loads and owes. */
  cashOwedMinor: minor,
  cashAccountNo: v.number(),
  fee: v.optional(feeSchema),
  hasBankAccount: v.boolean(),
  closedUntil: v.optional(v.string()),
})
export type MerchantRow = v.InferOutput<typeof merchantRow>
export const merchantsPage = pageOf(merchantRow)

export const merchantInput = v.object({ merchantNo: numberText })

export const merchantDetail = v.object({
  ...merchantRow.entries,
  /** By what his kiosks are recognised. */
  brand: v.object({ accent: v.optional(v.string()), logo: v.optional(shownFile) }),
  party: partySchema,
  fees: v.array(feeSchema),
  heldMinor: minor,
  heldCount: v.number(),
  terminalIds: v.array(v.string()),
  addedAt: v.string(),
})
export type MerchantDetail = v.InferOutput<typeof merchantDetail>

/** Absent: as it is. null: none any more. */
export const setBrandInput = v.object({
  merchantNo: numberText,
  accent: v.nullish(v.pipe(v.string(), v.maxLength(20))),
  logo: shownUpload,
})

const text = (lengthMax: number) => v.optional(v.pipe(v.string(), v.maxLength(lengthMax)))

export const partyInput = {
  legalName: text(200),
  street: text(200),
  postcode: text(50),
  town: text(100),
  country: text(2),
  iban: text(60),
  bic: text(20),
}

export const addMerchantInput = v.object({ name: v.pipe(v.string(), v.maxLength(200)) })
export const addedMerchant = v.object({ merchantNo: v.number(), merchant: v.string() })
export const setMerchantInput = v.object({ merchantNo: numberText, ...partyInput })
export const setFeeInput = v.object({
  merchantNo: numberText,
  basisPoints: v.pipe(v.number(), v.integer()),
  fixedMinor: minor,
  fromDay: dayText,
})
export const feesAnswer = v.object({ fees: v.array(feeSchema) })
export const payInInput = v.object({
  merchantNo: numberText,
  amountMinor: minor,
  document: v.pipe(v.string(), v.trim(), v.minLength(1, 'Say what the bank’s statement calls it.'), v.maxLength(100)),
})
export const payInAnswer = v.object({ merchant: v.string(), cashOwedMinor: minor })
