/** What a technician says about this cabinet, in kiosk.json of the data folder (docs/OPERATIONS.md). */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { printerSettingSchema } from '../printer/printer-settings.ts'

const settingsSchema = v.strictObject({
  /** First is the default. */
  languages: v.optional(v.pipe(v.array(v.string()), v.minLength(1)), ['en', 'de', 'es', 'ar', 'zh-Hant']),
  /** Where the card reader is, seen by the customer. */
  readerPosition: v.optional(v.picklist(['below', 'right', 'left', 'above']), 'below'),
  /** The screen's diagonal: sizes on the page follow from it. */
  diagonalMm: v.optional(v.pipe(v.number(), v.minValue(100), v.maxValue(3000)), 546),
  /** Money can be loaded here by voucher. */
  topUp: v.optional(v.boolean(), true),
  /** Where a customer is helped, in the words of this place: a desk, a telephone number. */
  help: v.optional(v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(60))),
  /** Only this PC/SC reader; absent: any. */
  reader: v.optional(v.string()),
  /** A folder that operators may use as a USB stick, beside those that are found. */
  stick: v.optional(v.string()),
  /** Absent: nothing is printed here. */
  printer: v.optional(printerSettingSchema),
})
export type KioskSettings = Readonly<v.InferOutput<typeof settingsSchema>>

/** @throws Error that names the file, the field and what it may be */
export const readKioskSettings = (dataDir: string): KioskSettings => {
  const file = path.join(dataDir, 'kiosk.json')
  if (!existsSync(file)) return v.parse(settingsSchema, {})
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    throw new Error(`${file} is not JSON: mend it, or remove it for the defaults.`)
  }
  const parsed = v.safeParse(settingsSchema, value)
  if (parsed.success) return parsed.output
  const issue = parsed.issues[0]
  throw new Error(`${file}: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`)
}
