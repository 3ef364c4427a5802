/** What is printed, and the lines that it makes. Pure: how lines become dots or letters is the renderer's. */
import { u32Max } from '../../protocol/bytes.ts'
import { parsed } from '../../protocol/errors.ts'
import { parseTicket, type Ticket, ticketNumber } from '../../protocol/ticket.ts'
import { momentText, moneyText, type Receipt, rateText } from '../receipt.ts'
import { wordsOf } from '../receipt-words.ts'

export type PrintJob =
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  /** Goods that are a print, by a code: its QR code is what is checked. */
  | {
      readonly kind: 'ticket'
      readonly language: string
      readonly merchant: string
      readonly title: string
      readonly code: string
    }
  /** A day's close: sums are text already. */
  | {
      readonly kind: 'report'
      readonly language: string
      readonly title: string
      readonly lines: readonly string[]
      readonly rows: readonly ReportRow[]
    }
  | { readonly kind: 'test'; readonly language: string; readonly merchant: string; readonly now: number }

export interface ReportRow {
  readonly label: string
  readonly value: string
  /** A sum, set apart from what it adds up. */
  readonly total?: boolean
}

export type PrintLine =
  | {
      readonly kind: 'text'
      readonly text: string
      readonly align?: 'start' | 'center'
      readonly bold?: boolean
      /** Of the usual letters, as far as the text then fits on one line. */
      readonly times?: 1 | 2 | 3
    }
  | { readonly kind: 'pair'; readonly label: string; readonly value: string; readonly bold?: boolean }
  | { readonly kind: 'rule' }
  | { readonly kind: 'space' }
  | { readonly kind: 'qr'; readonly data: string }

export interface PrintDocument {
  readonly language: string
  readonly lines: readonly PrintLine[]
}

const rule: PrintLine = { kind: 'rule' }
const space: PrintLine = { kind: 'space' }
const heading = (text: string): PrintLine => ({ kind: 'text', text, align: 'center', bold: true, times: 2 })
const centred = (text: string): PrintLine => ({ kind: 'text', text, align: 'center' })
const pair = (label: string, value: string): PrintLine => ({ kind: 'pair', label, value })

const codeLines = (code: string, language: string): PrintLine[] => [
  space,
  centred(wordsOf(language).code),
  { kind: 'text', text: code, align: 'center', bold: true, times: 3 },
]

/** What is scanned at a door, with the number that a person reads. */
const ticketLines = (ticket: Ticket, { code, language }: { code: string; language: string }): PrintLine[] => {
  const { validUntil } = wordsOf(language)
  return [
    ...(ticket.validUntil === u32Max ? [] : [centred(validUntil(momentText(ticket.validUntil, language)))]),
    space,
    { kind: 'qr', data: code },
    { kind: 'text', text: ticketNumber(ticket), align: 'center', bold: true, times: 2 },
  ]
}

/** What was bought by a code: a ticket is scanned, anything else is typed. */
const boughtLines = (code: string, language: string): PrintLine[] => {
  const ticket = parsed(() => parseTicket(code))
  return ticket === undefined
    ? codeLines(code, language)
    : [space, heading(wordsOf(language).ticket), ...ticketLines(ticket, { code, language })]
}

/** A print that admits: of a code that is no ticket of the issuer's, its letters too. */
const admittingLines = (code: string, language: string): PrintLine[] => {
  const ticket = parsed(() => parseTicket(code))
  return ticket === undefined
    ? [space, { kind: 'qr', data: code }, ...codeLines(code, language)]
    : ticketLines(ticket, { code, language })
}

const stateLines = (receipt: Receipt): PrintLine[] => {
  const words = wordsOf(receipt.language)
  const said = (text: string): PrintLine[] => [space, { kind: 'text', text, align: 'center', bold: true }]
  switch (receipt.state) {
    case 'paid':
      return receipt.claimUrl === undefined ? [] : [space, centred(words.claim)]
    case 'reversed':
      return said(words.reversed)
    case 'owed':
      return said(receipt.claimUrl === undefined ? words.owedWithoutClaim : words.owed)
  }
}

const receiptLines = (receipt: Receipt): PrintLine[] => {
  const { language } = receipt
  const words = wordsOf(language)
  const money = (minor: number) => moneyText(minor, receipt)
  return [
    heading(receipt.merchant),
    centred(words.receipt),
    ...(receipt.copy
      ? [
          {
            kind: 'text',
            text: words.copy(momentText(receipt.printedTime, language)),
            align: 'center',
            bold: true,
          } as const,
        ]
      : []),
    rule,
    pair(words.number, receipt.number),
    pair(words.date, momentText(receipt.at, language)),
    pair(words.kiosk, receipt.terminal),
    rule,
    { kind: 'text', text: receipt.itemTitle },
    { kind: 'pair', label: words.paid, value: money(receipt.priceMinor), bold: true },
    ...(receipt.taxBasisPoints === 0
      ? []
      : [pair(words.taxIncluded(rateText(receipt.taxBasisPoints, language)), money(receipt.taxMinor))]),
    rule,
    pair(words.card, receipt.cardMasked),
    pair(words.balance, money(receipt.balanceMinor)),
    ...(receipt.code === undefined ? [] : boughtLines(receipt.code, language)),
    ...stateLines(receipt),
    ...(receipt.claimUrl === undefined ? [] : [{ kind: 'qr', data: receipt.claimUrl } as const]),
  ]
}

/** @returns lines from top to bottom, in the language of the customer or operator */
export const documentOf = (job: PrintJob): PrintDocument => {
  switch (job.kind) {
    case 'receipt':
      return { language: job.receipt.language, lines: receiptLines(job.receipt) }
    case 'ticket':
      return {
        language: job.language,
        lines: [
          centred(job.merchant),
          heading(job.title),
          centred(wordsOf(job.language).ticket),
          ...admittingLines(job.code, job.language),
        ],
      }
    case 'report':
      return {
        language: job.language,
        lines: [
          heading(job.title),
          ...job.lines.map(centred),
          rule,
          ...job.rows.flatMap(({ label, value, total }): PrintLine[] =>
            total ? [rule, { kind: 'pair', label, value, bold: true }] : [pair(label, value)],
          ),
        ],
      }
    case 'test': {
      const words = wordsOf(job.language)
      return {
        language: job.language,
        lines: [
          heading(job.merchant),
          centred(words.testPage),
          rule,
          pair(words.date, momentText(job.now, job.language)),
          { kind: 'text', text: 'ÄÖÜäöüß ÁÉÍÓÚÑáéíóúñ ¿¡ € £ 0123456789' },
          { kind: 'text', text: words.testReadable },
          space,
          {
            kind: 'qr',
            data: 'https://example.org/farthing-printer-test-page-with-a-code-as-long-as-a-claim/c#AAAAAAAA',
          },
        ],
      }
    }
  }
}
