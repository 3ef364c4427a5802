/** A day of the till: what was taken since the last close, and the close itself, whose entry in the journal is where the next one begins. */
import * as v from 'valibot'
import { type LedgerFigures, minus, plus, type Takings } from '../../db/day-figures.ts'
import type { JournalOperator } from '../../db/journal.ts'
import type { ItemKind } from '../../preload/contract.ts'
import type { DayFigures } from '../../preload/operator-contract.ts'
import type { Terminal } from '../terminal.ts'

const articlesMax = 8

const whole = v.pipe(v.number(), v.safeInteger())
/** What a close keeps for the next one: sums of all time. */
const keptSchema = v.object({
  no: whole,
  receiptNo: whole,
  allReversed: whole,
  allReversedMinor: whole,
  allRefunds: whole,
  allRefundsMinor: whole,
  allCashLoads: whole,
  allCashLoadsMinor: whole,
  allOtherLoads: whole,
  allOtherLoadsMinor: whole,
  allSales: whole,
  allSalesMinor: whole,
})
type Kept = v.InferOutput<typeof keptSchema>

const beforeTheFirst: Kept = {
  no: 0,
  receiptNo: 0,
  allReversed: 0,
  allReversedMinor: 0,
  allRefunds: 0,
  allRefundsMinor: 0,
  allCashLoads: 0,
  allCashLoadsMinor: 0,
  allOtherLoads: 0,
  allOtherLoadsMinor: 0,
  allSales: 0,
  allSalesMinor: 0,
}

const kinds: readonly ItemKind[] = ['document', 'media', 'code', 'ticket']

const readDay = (terminal: Terminal) => {
  const last = terminal.ledger.newestAct(['dayClose'])
  const kept = last === undefined ? beforeTheFirst : v.parse(keptSchema, last.details)
  const all = terminal.ledger.figures(kept.receiptNo)
  return { kept, all, figures: figuresOf(kept, all, last?.at) }
}

const figuresOf = (kept: Kept, all: LedgerFigures, since: string | undefined): DayFigures => ({
  closeNo: kept.no + 1,
  ...(since === undefined ? {} : { since }),
  sales: all.sales,
  reversed: minus(all.reversed, { count: kept.allReversed, amountMinor: kept.allReversedMinor }),
  refunds: minus(all.refunds, { count: kept.allRefunds, amountMinor: kept.allRefundsMinor }),
  cashLoads: minus(all.cashLoads, { count: kept.allCashLoads, amountMinor: kept.allCashLoadsMinor }),
  otherLoads: minus(all.otherLoads, { count: kept.allOtherLoads, amountMinor: kept.allOtherLoadsMinor }),
  byKind: kinds.flatMap((kind) => {
    const sold = all.articles.filter(({ item }) => item.kind === kind)
    return sold.length === 0 ? [] : [{ kind, ...sold.reduce<Takings>(plus, { count: 0, amountMinor: 0 }) }]
  }),
  byArticle: all.articles
    .toSorted((one, other) => other.amountMinor - one.amountMinor)
    .slice(0, articlesMax)
    .map(({ item, count, amountMinor }) => ({ title: item.title, count, amountMinor })),
})

export const dayFigures = (terminal: Terminal): DayFigures => readDay(terminal).figures

/** What the merchant has of the day: sales less what was given back. */
export const netMinor = ({ sales, reversed, refunds }: DayFigures): number =>
  sales.amountMinor - reversed.amountMinor - refunds.amountMinor

export interface ClosedDay {
  readonly figures: DayFigures
  readonly at: string
  readonly allSalesMinor: number
}

/** Closes the day: one entry, in which everything is that the report says. */
export const closeDay = (terminal: Terminal, operator: JournalOperator): ClosedDay => {
  const { kept, all, figures } = readDay(terminal)
  const allSales = plus({ count: kept.allSales, amountMinor: kept.allSalesMinor }, all.sales)
  const totals: Kept = {
    no: figures.closeNo,
    receiptNo: all.receiptNo,
    allReversed: all.reversed.count,
    allReversedMinor: all.reversed.amountMinor,
    allRefunds: all.refunds.count,
    allRefundsMinor: all.refunds.amountMinor,
    allCashLoads: all.cashLoads.count,
    allCashLoadsMinor: all.cashLoads.amountMinor,
    allOtherLoads: all.otherLoads.count,
    allOtherLoadsMinor: all.otherLoads.amountMinor,
    allSales: allSales.count,
    allSalesMinor: allSales.amountMinor,
  }
  const entry = terminal.ledger.writeJournal({
    act: 'dayClose',
    operator,
    details: {
      ...totals,
      sales: figures.sales.count,
      salesMinor: figures.sales.amountMinor,
      reversedMinor: figures.reversed.amountMinor,
      refundsMinor: figures.refunds.amountMinor,
      cashLoadsMinor: figures.cashLoads.amountMinor,
      otherLoadsMinor: figures.otherLoads.amountMinor,
      netMinor: netMinor(figures),
    },
  })
  return { figures, at: entry.at, allSalesMinor: allSales.amountMinor }
}
