/** The pages of operator mode, for the printer and for the screen alike: the rows are text already. */
import { taxWithin } from '../../protocol/currency.ts'
import type { Item } from '../../protocol/item.ts'
import { textOf } from '../../protocol/language.ts'
import type { PrintJob } from '../printer/print-job.ts'
import { momentText, moneyText } from '../receipt.ts'
import { paperLanguageOf } from '../receipt-words.ts'
import type { Terminal } from '../terminal.ts'
import { type ClosedDay, netMinor } from './day.ts'
import { reportWordsOf } from './report-words.ts'

export type ReportJob = Extract<PrintJob, { kind: 'report' }>

const secondsOf = (iso: string): number => Math.floor(Date.parse(iso) / 1000)

export const dayReport = (
  terminal: Terminal,
  { figures, at, allSalesMinor }: ClosedDay,
  { operator, language }: { readonly operator: string; readonly language: string },
): ReportJob => {
  const words = reportWordsOf(paperLanguageOf(language))
  const { identity, ledger } = terminal
  const money = (minor: number) => moneyText(minor, { currency: identity.currency, language })
  const moment = (iso: string) => momentText(secondsOf(iso), language)
  const { sales, reversed, refunds, cashLoads, otherLoads } = figures
  const { unsynced } = ledger
  return {
    kind: 'report',
    language,
    title: words.dayClose(figures.closeNo),
    lines: [
      terminal.issued?.keyring.merchant ?? identity.merchant,
      identity.terminalId,
      figures.since === undefined ? words.fromTheFirst : words.from(moment(figures.since)),
      words.until(moment(at)),
      words.by(operator),
    ],
    rows: [
      { label: words.sales(sales.count), value: money(sales.amountMinor) },
      { label: words.reversed(reversed.count), value: money(-reversed.amountMinor) },
      { label: words.refunds(refunds.count), value: money(-refunds.amountMinor) },
      { label: words.net, value: money(netMinor(figures)), total: true },
      { label: words.cash(cashLoads.count), value: money(cashLoads.amountMinor) },
      { label: words.otherLoads(otherLoads.count), value: money(otherLoads.amountMinor) },
      { label: words.unsynced(unsynced.count), value: money(unsynced.amountMinor) },
      { label: words.allSales, value: money(allSalesMinor), total: true },
    ],
  }
}

export const testSaleReport = (terminal: Terminal, item: Item, language: string): ReportJob => {
  const words = reportWordsOf(paperLanguageOf(language))
  const money = (minor: number) => moneyText(minor, { currency: terminal.identity.currency, language })
  return {
    kind: 'report',
    language,
    title: words.test,
    lines: words.testLines,
    rows: [
      { label: textOf(item.title, language).text, value: '' },
      { label: words.price, value: money(item.priceMinor) },
      { label: words.tax, value: money(taxWithin(item.priceMinor, item.taxBasisPoints)) },
    ],
  }
}
