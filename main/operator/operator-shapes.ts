/** The shapes of what the page may ask for in operator mode; main/ipc.ts checks them. */
import * as v from 'valibot'
import {
  brightnessMin,
  deskLoadMinorMax,
  type OperatorAct,
  type OperatorLook,
  operatorSections,
  refundReasonLengthMax,
} from '../../preload/operator-contract.ts'

const u32 = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 32 - 1))
/** A language's tag (BCP 47), as far as its letters go. */
export const language = v.pipe(v.string(), v.regex(/^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,3}$/))
/** What may stand in the journal: half a character is in no JSON. */
const written = v.pipe(
  v.string(),
  v.check((text) => text.isWellFormed(), 'whole characters'),
)
const reason = v.pipe(written, v.trim(), v.minLength(1), v.maxLength(refundReasonLengthMax))
const percentFrom = (least: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(100))
const languagesMax = 20
const drive = v.pipe(written, v.minLength(1), v.maxLength(400))

export const operatorLookSchema: v.GenericSchema<unknown, OperatorLook> = v.variant('section', [
  v.strictObject({ section: v.picklist(operatorSections.filter((section) => section !== 'receipts')) }),
  v.strictObject({ section: v.literal('receipts'), before: v.exactOptional(u32) }),
])

export const operatorActSchema: v.GenericSchema<unknown, OperatorAct> = v.variant('act', [
  v.strictObject({ act: v.picklist(['dayClose', 'printerTest']), language }),
  v.strictObject({
    act: v.literal('testSale'),
    itemId: v.pipe(written, v.minLength(1), v.maxLength(128)),
    language,
  }),
  v.strictObject({ act: v.literal('reprint'), terminalSeq: u32, language }),
  v.strictObject({ act: v.literal('refund'), terminalSeq: u32, reason }),
  v.strictObject({ act: v.picklist(['export', 'import']), drive }),
  v.strictObject({ act: v.literal('outOfService'), reason }),
  v.strictObject({ act: v.picklist(['sync', 'inService', 'restart', 'readerTest', 'endTask']) }),
  v.strictObject({
    act: v.literal('languages'),
    languages: v.pipe(
      v.array(language),
      v.minLength(1),
      v.maxLength(languagesMax),
      v.check((tags) => new Set(tags).size === tags.length, 'each once'),
    ),
  }),
  v.strictObject({ act: v.literal('volume'), percent: percentFrom(0) }),
  v.strictObject({ act: v.literal('brightness'), percent: percentFrom(brightnessMin) }),
  v.strictObject({
    act: v.literal('load'),
    amountMinor: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(deskLoadMinorMax)),
  }),
])
