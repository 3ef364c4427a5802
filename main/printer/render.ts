/**
 * A document as ESC/POS bytes. Where the printer's code pages have every letter it is sent as text; where one is missing,
 * the whole document is set in the kiosk's fonts and sent as pictures, so that it looks of one piece.
 */
import ReceiptPrinterEncoder from '@point-of-sale/receipt-printer-encoder'
import { encode as encodeQr } from 'uqr'
import * as v from 'valibot'
import { wordsOf } from '../receipt-words.ts'
import { type Bitmap, blankBitmap, paste } from './bitmap.ts'
import { type Direction, directionOf } from './direction.ts'
import type { PrintDocument, PrintLine } from './print-job.ts'
import type { PrinterSetting } from './printer-settings.ts'
import { setText, textDots } from './typesetter.ts'

/** Dots of a letter: 12 x 24 at 203 dots per inch, on every printer of 32, 42 or 48 columns. */
const letterDots = { width: 12, height: 24 } as const
const lineDots = 32
/** A white margin of this many modules belongs to a QR code (ISO/IEC 18004). */
const quietModules = 4
/** A module of 4 to 6 dots is 0.5 to 0.75 mm, and every telephone reads it. */
const moduleDotsMax = 6

const paperDots = ({ columns }: PrinterSetting): number => columns * letterDots.width

/** Dots of a module, as large as the paper lets it be. */
const moduleDots = (modules: number, setting: PrinterSetting): number =>
  Math.max(1, Math.min(moduleDotsMax, Math.floor(paperDots(setting) / (modules + 2 * quietModules))))

const qrOf = (data: string) => encodeQr(data, { ecc: 'M', border: 0 })

const qrBitmap = (data: string, setting: PrinterSetting): Bitmap => {
  const { size, data: modules } = qrOf(data)
  const dots = moduleDots(size, setting)
  const width = paperDots(setting)
  const bitmap = blankBitmap(width, (size + 2 * quietModules) * dots)
  const left = Math.floor((width - size * dots) / 2)
  modules.forEach((row, y) => {
    row.forEach((black, x) => {
      if (!black) return
      for (let dy = 0; dy < dots; dy += 1) {
        const from = ((y + quietModules) * dots + dy) * width + left + x * dots
        bitmap.dots.fill(1, from, from + dots)
      }
    })
  })
  return bitmap
}

const pairBitmap = (line: Extract<PrintLine, { kind: 'pair' }>, width: number, base: Direction): Bitmap => {
  const style = { lineDots, bold: line.bold ?? false, base }
  const gap = letterDots.width
  const valueWidth = Math.min(textDots(line.value, style), width)
  const labelWidth = width - valueWidth - gap
  const oneLine = labelWidth >= Math.min(textDots(line.label, style), Math.floor(width / 3))
  const label = setText(line.label, { ...style, width: oneLine ? labelWidth : width, align: 'start' })
  const value = setText(line.value, { ...style, width: oneLine ? valueWidth : width, align: 'end' })
  const bitmap = blankBitmap(width, oneLine ? Math.max(label.height, value.height) : label.height + value.height)
  const ltr = base === 'ltr'
  paste(bitmap, label, { x: ltr ? 0 : width - label.width, y: 0 })
  paste(bitmap, value, { x: ltr ? width - value.width : 0, y: bitmap.height - value.height })
  return bitmap
}

const lineBitmap = (line: PrintLine, setting: PrinterSetting, base: Direction): Bitmap => {
  const width = paperDots(setting)
  switch (line.kind) {
    case 'text': {
      const bold = line.bold ?? false
      const times = [line.times ?? 1, 2, 1].find(
        (each) => each === 1 || textDots(line.text, { bold, lineDots: lineDots * each }) <= width,
      )
      const style = { width, base, bold, lineDots: lineDots * (times ?? 1) }
      return setText(line.text, { ...style, align: line.align ?? 'start' })
    }
    case 'pair':
      return pairBitmap(line, width, base)
    case 'rule': {
      const bitmap = blankBitmap(width, lineDots / 2)
      bitmap.dots.fill(1, width * 7, width * 9)
      return bitmap
    }
    case 'space':
      return blankBitmap(width, lineDots / 2)
    case 'qr':
      return qrBitmap(line.data, setting)
  }
}

/** Intl's narrow spaces and marks of direction are in no code page, and letters stand well without them. */
const plain = (text: string): string =>
  text
    .normalize('NFC')
    .replace(/[\u00a0\u2007\u2009\u202f]/g, ' ')
    .replace(/[\u200e\u200f\u2066-\u2069]/g, '')

const textsOf = (line: PrintLine): string[] =>
  line.kind === 'text' ? [line.text] : line.kind === 'pair' ? [line.label, line.value] : []

const newEncoder = (setting: PrinterSetting): ReceiptPrinterEncoder =>
  new ReceiptPrinterEncoder({
    language: setting.language,
    imageMode: 'raster',
    codepageCandidates: setting.codepages,
    errors: 'strict',
    ...(setting.model === undefined ? { feedBeforeCut: 4 } : { printerModel: setting.model }),
    columns: setting.columns,
  })

/** Of model 2, the usual one. */
const capableOfQr = v.object({
  qrcode: v.object({
    supported: v.literal(true),
    models: v.pipe(
      v.array(v.string()),
      v.check((models) => models.includes('2')),
    ),
  }),
})
const drawsQr = (setting: PrinterSetting): boolean =>
  setting.qr === 'printer' && v.is(capableOfQr, newEncoder(setting).printerCapabilities)

/** Whether the printer has every letter. What it lacks the encoder sends as a question mark. */
const isPrintable = (setting: PrinterSetting, text: string): boolean => {
  if (directionOf(text) === 'rtl') return false
  const marks = (bytes: Iterable<number>) => [...bytes].filter((byte) => byte === 0x3f).length
  return marks(newEncoder(setting).codepage('auto').text(text).encode()) === marks(Buffer.from(text, 'utf8'))
}

/** Lines of at most so many letters, broken between words where there are any. */
const wrap = (text: string, columns: number): string[] => {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    const longer = line === '' ? word : `${line} ${word}`
    if (longer.length <= columns) lines[lines.length - 1] = longer
    else {
      const parts = word.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? ['']
      if (line === '') lines.pop()
      lines.push(...parts)
    }
  }
  return lines
}

const addPair = (encoder: ReceiptPrinterEncoder, columns: number, label: string, value: string): void => {
  const room = columns - value.length - 1
  const labels = wrap(label, room >= Math.min(label.length, Math.floor(columns / 3)) ? room : columns)
  const last = labels.at(-1) ?? ''
  for (const line of labels.slice(0, -1)) encoder.line(line)
  if (last.length <= room) encoder.line(last + value.padStart(columns - last.length))
  else {
    encoder.line(last)
    for (const line of wrap(value, columns)) encoder.line(line.padStart(columns))
  }
}

const addImage = (encoder: ReceiptPrinterEncoder, { width, height, dots }: Bitmap): void => {
  // Opaque, and of one word each: a page is a million dots.
  const pixels = Uint32Array.from(dots, (black) => (black === 1 ? 0xff000000 : 0xffffffff))
  const data = new Uint8ClampedArray(pixels.buffer)
  encoder.image({ width, height, data }, { width, height, algorithm: 'threshold', mode: 'raster' })
}

const addQr = (encoder: ReceiptPrinterEncoder, setting: PrinterSetting, data: string): void => {
  encoder.align('center')
  if (drawsQr(setting)) encoder.qrcode(data, { size: moduleDots(qrOf(data).size, setting), errorlevel: 'm' })
  else addImage(encoder, qrBitmap(data, setting))
  encoder.align('left')
}

const addText = (
  encoder: ReceiptPrinterEncoder,
  { columns }: PrinterSetting,
  { text, align = 'start', bold = false, times = 1 }: Extract<PrintLine, { kind: 'text' }>,
): void => {
  const largest = [times, 2, 1].find((each) => each <= times && plain(text).length <= columns / each) ?? 1
  encoder
    .align(align === 'center' ? 'center' : 'left')
    .bold(bold)
    .size(largest, largest)
  for (const line of wrap(plain(text), Math.floor(columns / largest))) encoder.line(line)
  encoder.size(1, 1).bold(false).align('left')
}

const addLine = (encoder: ReceiptPrinterEncoder, setting: PrinterSetting, line: PrintLine): void => {
  switch (line.kind) {
    case 'text':
      addText(encoder, setting, line)
      return
    case 'pair':
      encoder.bold(line.bold ?? false)
      addPair(encoder, setting.columns, plain(line.label), plain(line.value))
      encoder.bold(false)
      return
    case 'rule':
      encoder.line('-'.repeat(setting.columns))
      return
    case 'space':
      encoder.newline()
      return
    case 'qr':
      addQr(encoder, setting, line.data)
      return
  }
}

/** Pictures of what stands between QR codes, each as one. */
const addPictures = (encoder: ReceiptPrinterEncoder, setting: PrinterSetting, document: PrintDocument): void => {
  const base = wordsOf(document.language).direction
  let pending: Bitmap[] = []
  const flush = (): void => {
    if (pending.length === 0) return
    const whole = blankBitmap(
      paperDots(setting),
      pending.reduce((sum, { height }) => sum + height, 0),
    )
    let y = 0
    for (const bitmap of pending) {
      paste(whole, bitmap, { x: 0, y })
      y += bitmap.height
    }
    pending = []
    addImage(encoder, whole)
  }
  for (const line of document.lines) {
    if (line.kind === 'qr' && drawsQr(setting)) {
      flush()
      addQr(encoder, setting, line.data)
    } else pending.push(lineBitmap(line, setting, base))
  }
  flush()
}

/** @returns what the printer is sent, from its reset to the cut */
export const render = (document: PrintDocument, setting: PrinterSetting): Uint8Array => {
  const encoder = newEncoder(setting).initialize().codepage('auto')
  if (document.lines.flatMap(textsOf).every((text) => isPrintable(setting, plain(text))))
    for (const line of document.lines) addLine(encoder, setting, line)
  else addPictures(encoder, setting, document)
  if (setting.cut) encoder.cut('partial')
  else encoder.newline(4)
  return encoder.encode()
}
