/** The receipt printer in kiosk.json (docs/OPERATIONS.md, kiosk.json). */
import ReceiptPrinterEncoder from '@point-of-sale/receipt-printer-encoder'
import * as v from 'valibot'

type PrinterModel = NonNullable<NonNullable<ConstructorParameters<typeof ReceiptPrinterEncoder>[0]>['printerModel']>
const isModel = (value: unknown): boolean => ReceiptPrinterEncoder.printerModels.some(({ id }) => id === value)

export const printerSettingSchema = v.pipe(
  v.strictObject({
    /** Where a printer on the network listens, usually at port 9100. */
    tcp: v.optional(v.pipe(v.string(), v.regex(/^(?:[^\s:]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/, 'host:port'))),
    /** The file of a printer on USB, such as /dev/usb/lp0. */
    device: v.optional(v.pipe(v.string(), v.startsWith('/', 'a path from the root, such as /dev/usb/lp0'))),
    /** Letters on a line: paper of 58 mm has 32, of 80 mm 42 or 48. */
    columns: v.optional(v.picklist([32, 42, 48]), 42),
    /** The commands that it takes. */
    language: v.optional(v.literal('esc-pos'), 'esc-pos'),
    /** Its numbers of code pages and what it can, where the encoder knows it. */
    model: v.optional(v.custom<PrinterModel>(isModel, 'a printer model that the encoder knows')),
    /** Code pages that it has; what none of them has is printed as a picture. */
    codepages: v.optional(v.pipe(v.array(v.picklist(['cp437', 'cp850', 'cp858', 'windows1252'])), v.minLength(1)), [
      'cp437',
      'cp858',
    ]),
    /** Whether it draws QR codes itself; otherwise they are sent as pictures. */
    qr: v.optional(v.picklist(['printer', 'picture']), 'printer'),
    /** It has a cutter. */
    cut: v.optional(v.boolean(), true),
    /** It says how it is when asked, and when a page is done. False: what was sent counts as printed. */
    answers: v.optional(v.boolean(), true),
  }),
  v.check(({ tcp, device }) => (tcp === undefined) !== (device === undefined), 'either tcp or device'),
)
export type PrinterSetting = Readonly<v.InferOutput<typeof printerSettingSchema>>
