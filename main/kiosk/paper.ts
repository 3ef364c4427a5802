/** What the till prints: receipts when they are asked for, and goods that are a print, on which the payment waits. */
import type { Intent } from '../../db/ledger.ts'
import type { ReceiptView } from '../../preload/contract.ts'
import { textOf } from '../../protocol/language.ts'
import type { ReadyGoods } from '../catalogue.ts'
import type { PrintJob } from '../printer/print-job.ts'
import { type Printer, PrinterFault } from '../printer/printer.ts'
import { type Receipt, receiptOf } from '../receipt.ts'
import type { Terminal } from '../terminal.ts'
import { iso } from './views.ts'

/** So often is an idle printer asked how it is. */
export const askEveryMs = 30_000

export interface Paper {
  /** As it was last seen; absent: there is no printer. */
  readonly ready: boolean | undefined
  /** Asks now. */
  look(): Promise<boolean>
  /** @throws PrinterFault */
  print(job: PrintJob): Promise<void>
  close(): Promise<void>
}

/** @param onChange the printer became ready, or is it no more */
export const openPaper = (printer: Printer | undefined, onChange: () => void): Paper => {
  let ready = false
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const note = (now: boolean): boolean => {
    const other = now !== ready
    ready = now
    if (other && !closed) onChange()
    return now
  }
  const look = async (): Promise<boolean> => note((await printer?.status()) === 'ready')
  const lookAgain = async () => {
    clearTimeout(timer)
    await look()
    if (closed) return
    timer = setTimeout(() => void lookAgain(), askEveryMs)
    timer.unref()
  }
  if (printer !== undefined) void lookAgain()
  return {
    get ready() {
      return printer === undefined ? undefined : ready
    },
    look,
    async print(job) {
      try {
        await printer?.print(job)
        note(printer !== undefined)
      } catch (error) {
        // A page that cannot be made says nothing of the printer, and takes no other goods off the shelf.
        if (!(error instanceof PrinterFault && error.code === 'notDrawn')) note(false)
        throw error
      }
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await printer?.close()
    },
  }
}

interface Sold {
  readonly payment: Intent
  readonly language: string
  readonly claimUrl?: string | undefined
  readonly code?: string | undefined
}

export const receiptFor = (terminal: Terminal, { payment, language, claimUrl, code }: Sold): Receipt =>
  receiptOf(payment, {
    terminal: terminal.identity.terminalId,
    merchant: terminal.issued?.keyring.merchant ?? terminal.identity.merchant,
    currency: terminal.identity.currency,
    language,
    now: terminal.ledger.now(),
    ...(claimUrl === undefined ? {} : { claimUrl }),
    ...(code === undefined ? {} : { code }),
  })

export const receiptView = (receipt: Receipt, title: Readonly<Record<string, string>>): ReceiptView => ({
  number: receipt.number,
  at: iso(receipt.at * 1000),
  title,
  priceMinor: receipt.priceMinor,
  taxBasisPoints: receipt.taxBasisPoints,
  taxMinor: receipt.taxMinor,
  cardEnding: receipt.cardMasked.slice(-4),
  balanceMinor: receipt.balanceMinor,
})

/** Goods that are a print: a ticket with its code. An older issuer let any article be one: of such, its receipt. */
export const printOfGoods = (terminal: Terminal, sold: Sold, goods: ReadyGoods): PrintJob => {
  const { item, code } = goods
  if (code === undefined) return { kind: 'receipt', receipt: receiptFor(terminal, sold) }
  return {
    kind: 'ticket',
    language: sold.language,
    merchant: terminal.issued?.keyring.merchant ?? terminal.identity.merchant,
    title: textOf(item.title, sold.language).text,
    code,
  }
}
