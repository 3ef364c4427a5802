/** One-time codes that two payments bought: a ledger went back, or codes were released that were sold already. */
import { type Book, keyOf, noMoney } from './book.ts'
import type { Case } from './case.ts'

export const soldTwiceCases = (book: Book): Case[] => {
  const stands = book.unitSales.filter((sale) => !book.index.undone.has(keyOf(sale.card_no, sale.counter)))
  return [...Map.groupBy(stands, (sale) => sale.unit).values()]
    .filter((sales) => sales.length > 1)
    .flatMap((sales) =>
      sales.map((sale): Case => {
        const others = sales
          .filter((other) => other !== sale)
          .map((other) => `card ${book.card(other.card_no).cardId} #${other.counter}`)
        return {
          cause: 'soldTwice',
          state: 'open',
          day: book.dayOf(sale.order_time),
          cardId: book.card(sale.card_no).cardId,
          counter: sale.counter,
          ...book.terminal(sale.terminal_no),
          amountMinor: sale.amount_minor,
          ...noMoney,
          detail: `The same code of ${sale.item_id} was sold to ${others.join(' and ')}.`,
        }
      }),
    )
}
