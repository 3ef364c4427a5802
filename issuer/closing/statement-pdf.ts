/** A statement on paper: A4, the sum that matters first, then how it came about. The same statement gives the same bytes. */
import { fileURLToPath } from 'node:url'
import PdfDocument from 'pdfkit'
import { formatAmount } from '../../protocol/currency.ts'
import type { Party, Statement } from '../console-contract/statement.ts'
import {
  accountLines,
  cashLines,
  hasCash,
  notPaidSentence,
  reasonInWords,
  type StatementLine,
} from '../console-contract/statement-lines.ts'
import { spacedIban } from './iban.ts'

const font = (name: 'regular' | 'semibold'): string =>
  fileURLToPath(new URL(`../../resources/fonts/inter-${name}.ttf`, import.meta.url))

/** Points. */
const page = { left: 56, right: 539, top: 56, bottom: 776 } as const
const width = page.right - page.left
const ink = { text: '#1b1f24', muted: '#68707a', rule: '#d9dde2', band: '#f3f5f7' } as const
const size = { title: 20, sum: 22, section: 11, text: 9, small: 8 } as const
const rowHeight = 17

type Document = PDFKit.PDFDocument

interface Column {
  readonly title: string
  /** Points. */
  readonly width: number
  readonly align?: 'right'
}

/** Thousands apart by a thin space, as people read them. */
const money = (minor: number, currency: string): string =>
  formatAmount(minor, currency)
    .replace(/^-/, '−')
    .replaceAll(/(\d)(?=(\d{3})+(?:\.|$))/g, '$1\u2009')

class Sheet {
  readonly doc: Document
  y: number = page.top

  constructor(statement: Statement) {
    const { merchant, periodNo } = statement
    this.doc = new PdfDocument({
      size: 'A4',
      margins: { top: page.top, left: page.left, right: 56, bottom: 0 },
      bufferPages: true,
      lang: 'en',
      pdfVersion: '1.7',
      tagged: false,
      displayTitle: true,
      info: {
        Title: `Statement ${periodNo ?? '(preview)'}, ${merchant.legalName ?? merchant.name}`,
        Author: statement.issuer.name,
        CreationDate: new Date(statement.closedAt ?? `${statement.untilDay}T00:00:00Z`),
      },
    })
    this.doc.registerFont('regular', font('regular'))
    this.doc.registerFont('semibold', font('semibold'))
  }

  text(
    text: string,
    at: {
      readonly x?: number
      readonly y?: number
      readonly width?: number
      readonly size?: number
      readonly bold?: boolean
      readonly color?: string
      readonly align?: 'right'
    } = {},
  ): void {
    this.doc
      .font(at.bold ? 'semibold' : 'regular')
      .fontSize(at.size ?? size.text)
      .fillColor(at.color ?? ink.text)
      .text(text, at.x ?? page.left, at.y ?? this.y, {
        width: at.width ?? width,
        align: at.align ?? 'left',
        // One line: what is too long ends in an ellipsis.
        height: (at.size ?? size.text) + 2,
        ellipsis: true,
        features: ['tnum', 'kern'],
      })
  }

  rule(y = this.y, color: string = ink.rule): void {
    this.doc.moveTo(page.left, y).lineTo(page.right, y).lineWidth(0.5).strokeColor(color).stroke()
  }

  /** Begins a new page unless so much fits. @returns whether it did */
  need(height: number): boolean {
    if (this.y + height <= page.bottom) return false
    this.doc.addPage()
    this.y = page.top
    return true
  }

  section(title: string): void {
    this.need(70)
    this.y += 22
    this.text(title, { size: size.section, bold: true })
    this.y += 20
  }

  #cells(
    columns: readonly Column[],
    cells: readonly string[],
    style: { bold?: boolean; color?: string; size?: number },
  ) {
    let x = page.left
    for (const [index, column] of columns.entries()) {
      const gap = column.align === 'right' ? 0 : 8
      this.text(cells[index] ?? '', {
        x,
        width: column.width - gap,
        ...style,
        ...(column.align === undefined ? {} : { align: column.align }),
      })
      x += column.width
    }
  }

  table(
    columns: readonly Column[],
    rows: readonly { readonly cells: readonly string[]; readonly isSum?: boolean }[],
    textSize: number = size.text,
  ): void {
    const head = () => {
      this.#cells(
        columns,
        columns.map(({ title }) => title),
        { color: ink.muted, size: size.small },
      )
      this.y += 13
      this.rule()
      this.y += 5
    }
    head()
    for (const { cells, isSum } of rows) {
      if (this.need(rowHeight)) head()
      if (isSum) {
        this.rule(this.y - 3, ink.text)
        this.y += 2
      }
      this.#cells(columns, cells, { size: textSize, ...(isSum ? { bold: true } : {}) })
      this.y += rowHeight
    }
  }
}

const countryNames = new Intl.DisplayNames('en', { type: 'region' })

const addressLines = ({ street, postcode, town, country }: Party): string[] => {
  const place = [postcode, town].filter((part) => part !== undefined).join(' ')
  return [street ?? '', place, country === undefined ? '' : (countryNames.of(country) ?? country)].filter(
    (line) => line !== '',
  )
}

const drawHead = (sheet: Sheet, statement: Statement): void => {
  const { issuer, merchant } = statement
  sheet.text(issuer.name === '' ? 'Farthing' : issuer.name, { bold: true, size: size.section })
  sheet.text(statement.periodNo === undefined ? 'Preview' : 'Statement', {
    bold: true,
    size: size.title,
    align: 'right',
    y: sheet.y - 5,
  })
  let y = sheet.y + 16
  for (const line of addressLines(issuer)) {
    sheet.text(line, { y, color: ink.muted, size: size.small })
    y += 11
  }
  sheet.y = Math.max(y, sheet.y + 30) + 26
  const facts: (readonly [string, string])[] = [
    ['Period', `${statement.fromDay} to ${statement.untilDay}`],
    ...(statement.periodNo === undefined ? [] : [['Statement', String(statement.periodNo)] as const]),
    ...(statement.closedAt === undefined ? [] : [['Closed', statement.closedAt.slice(0, 10)] as const]),
    ['Currency', statement.currency],
  ]
  let right = sheet.y
  for (const [label, value] of facts) {
    sheet.text(label, { x: 340, y: right, color: ink.muted })
    sheet.text(value, { x: 400, width: page.right - 400, y: right, align: 'right' })
    right += 15
  }
  let left = sheet.y
  sheet.text(merchant.legalName ?? merchant.name, { y: left, bold: true, width: 270, size: 10 })
  left += 16
  for (const line of addressLines(merchant)) {
    sheet.text(line, { y: left, width: 270 })
    left += 14
  }
  sheet.y = Math.max(left, right) + 22
}

const drawResult = (sheet: Sheet, statement: Statement): void => {
  const { payoutMinor, dueMinor, currency, merchant } = statement
  const height = 72
  sheet.doc.roundedRect(page.left, sheet.y, width, height, 6).fill(ink.band)
  const top = sheet.y + 14
  const inner = { x: page.left + 18, width: width - 36 }
  const isDue = payoutMinor === 0 && dueMinor > 0
  sheet.text(isDue ? 'To be paid by you' : 'Paid to you', { ...inner, y: top, color: ink.muted })
  sheet.text(`${money(isDue ? dueMinor : payoutMinor, currency)} ${currency}`, {
    ...inner,
    y: top + 16,
    size: size.sum,
    bold: true,
  })
  const notes = [
    ...(payoutMinor > 0 && merchant.iban !== undefined
      ? [`to ${spacedIban(merchant.iban)}`, `Reference ${statement.reference ?? 'at closing'}`]
      : [notPaidSentence(statement) ?? '']),
    ...(payoutMinor > 0 && dueMinor > 0 ? [`Still to be paid by you: ${money(dueMinor, currency)}`] : []),
  ]
  let y = top + 4
  for (const note of notes) {
    sheet.text(note, { x: page.left + 190, width: width - 208, y, align: 'right', size: size.small, color: ink.muted })
    y += 14
  }
  sheet.y += height
}

const drawSums = (sheet: Sheet, lines: readonly StatementLine[], currency: string): void => {
  const columns: Column[] = [
    { title: '', width: width - 190 },
    { title: 'Number', width: 80, align: 'right' },
    { title: `Amount in ${currency}`, width: 110, align: 'right' },
  ]
  sheet.table(
    columns,
    lines.map(({ label, count, amountMinor, isSum }) => ({
      cells: [label, count === undefined ? '' : String(count), money(amountMinor, currency)],
      ...(isSum === undefined ? {} : { isSum }),
    })),
  )
}

const drawDays = (sheet: Sheet, statement: Statement): void => {
  const { days, currency } = statement
  if (days.length === 0) return
  const withCash = hasCash(statement)
  sheet.section('By day')
  const columns: Column[] = [
    { title: 'Day booked', width: width - (withCash ? 400 : 320) },
    { title: 'Sales', width: 60, align: 'right' },
    { title: 'Amount', width: 100, align: 'right' },
    { title: 'Reversed', width: 60, align: 'right' },
    { title: 'Amount', width: 100, align: 'right' },
    ...(withCash ? [{ title: 'Cash for loads', width: 80, align: 'right' } as const] : []),
  ]
  sheet.table(
    columns,
    days.map(({ day, sales, reversals, loads }) => ({
      cells: [
        day,
        String(sales.count),
        money(sales.amountMinor, currency),
        reversals.count === 0 ? '' : String(reversals.count),
        reversals.amountMinor === 0 ? '' : money(-reversals.amountMinor, currency),
        loads.amountMinor === 0 ? '' : money(loads.amountMinor, currency),
      ],
    })),
  )
}

const openColumns = (first: string): Column[] => [
  { title: first, width: width - 340 },
  { title: 'Terminal', width: 92 },
  { title: 'Card', width: 118 },
  { title: 'Day', width: 70 },
  { title: 'Amount', width: 60, align: 'right' },
]

interface OpenRow {
  readonly reason: string
  readonly terminalId: string
  readonly terminalName?: string | undefined
  readonly cardId?: string | undefined
  readonly counter?: number | undefined
  readonly amountMinor?: number | undefined
  readonly at: string
}

const drawOpen = (
  sheet: Sheet,
  about: {
    readonly title: string
    readonly sentence: string
    readonly rows: readonly OpenRow[]
    readonly count: number
    readonly currency: string
  },
): void => {
  if (about.count === 0) return
  sheet.section(about.title)
  sheet.text(about.sentence, { color: ink.muted })
  sheet.y += 20
  sheet.table(
    openColumns('Reason'),
    about.rows.map((row) => ({
      cells: [
        reasonInWords(row.reason),
        row.terminalName ?? row.terminalId,
        row.cardId === undefined ? '' : `${row.cardId} #${row.counter ?? ''}`,
        row.at.slice(0, 10),
        row.amountMinor === undefined ? '' : money(row.amountMinor, about.currency),
      ],
    })),
    size.small,
  )
  if (about.rows.length < about.count) sheet.text(`and ${about.count - about.rows.length} more`, { color: ink.muted })
}

const drawFeet = (sheet: Sheet, statement: Statement): void => {
  const { start, count } = sheet.doc.bufferedPageRange()
  for (let at = start; at < start + count; at += 1) {
    sheet.doc.switchToPage(at)
    const foot = { y: 802, size: size.small, color: ink.muted }
    sheet.rule(794)
    sheet.text('Fees are rounded to the smallest unit, half away from zero, once for each rate.', {
      ...foot,
      width: 400,
    })
    sheet.text(`${statement.merchant.name}, ${statement.untilDay} · ${at - start + 1} of ${count}`, {
      ...foot,
      x: page.left + 280,
      width: width - 280,
      align: 'right',
    })
  }
}

const draw = (sheet: Sheet, statement: Statement): void => {
  const { currency, held, exceptions } = statement
  drawHead(sheet, statement)
  drawResult(sheet, statement)
  sheet.section('Your account')
  drawSums(sheet, accountLines(statement), currency)
  if (hasCash(statement)) {
    sheet.section('Cash that you took for loads')
    drawSums(sheet, cashLines(statement), currency)
  }
  drawDays(sheet, statement)
  drawOpen(sheet, {
    title: `Held: ${money(held.amountMinor, currency)} ${currency}`,
    sentence: 'Part of what is carried over. It is paid as soon as the card or the terminal tells what followed.',
    rows: held.payments,
    count: held.count,
    currency,
  })
  drawOpen(sheet, {
    title: 'Being looked into',
    sentence: 'Not part of the sums above. A person decides, and the result is in a later statement.',
    rows: exceptions.list,
    count: exceptions.count,
    currency,
  })
  drawFeet(sheet, statement)
}

export const statementPdf = (statement: Statement): Promise<Uint8Array<ArrayBuffer>> =>
  new Promise((resolve, reject) => {
    const sheet = new Sheet(statement)
    const parts: Uint8Array[] = []
    sheet.doc.on('data', (part: Uint8Array) => parts.push(part))
    sheet.doc.on('error', reject)
    sheet.doc.on('end', () => resolve(new Uint8Array(Buffer.concat(parts))))
    draw(sheet, statement)
    sheet.doc.end()
  })
