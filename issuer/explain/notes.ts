/** What terminals said without proof, and what became of it: doubts, voids, goods that are owed. */
import { type Book, closing, keyOf, type Note, noMoney } from './book.ts'
import type { Case, Closing } from './case.ts'

const base = (book: Book, note: Note) => ({
  day: book.dayOf(note.order_time),
  cardId: book.card(note.card_no).cardId,
  counter: note.counter,
  ...book.terminal(note.terminal_no),
  amountMinor: note.amount_minor,
  ...noMoney,
})

/** The document in which the terminal said so, the last time. */
const saidIn = (book: Book, note: Note, status: 'void' | 'abandoned'): Closing | undefined => {
  const word = book.words(note.record, null).findLast((each) => each.status === status)
  return word && closing({ document: word.document, at: word.receivedAt })
}

/** What proved the record, or the other one that has its counter. */
const settledBy = (book: Book, note: Note): { readonly closed?: Closing } => {
  const row = book.settled(note.card_no, note.counter)
  if (row === undefined) return {}
  const arrival = book.arrival(row)
  const own = book.words(note.record, note.proof).find(({ status }) => status === 'captured')
  // A load is booked when it is authorised: its proof came later, and books nothing.
  if (row.order_type === 'load' && own !== undefined)
    return { closed: closing({ document: own.document, at: own.receivedAt }) }
  return { closed: closing(arrival) }
}

/** Goods by claim: until it was collected, or the payment undone. */
const goodsCase = (book: Book, note: Note, detail: string, cause: 'owedGoods' | 'abandoned'): Case => {
  const key = keyOf(note.card_no, note.counter)
  const about = { cause, ...base(book, note) }
  const claim = book.claimed.get(key)
  if (claim !== undefined)
    return { ...about, state: 'closed', detail: `${detail} The claim was opened.`, closed: closing(claim) }
  if (!book.index.undone.has(key)) return { ...about, state: 'open', detail }
  const reversal = book.settled(note.card_no, note.counter + 1)
  const closed = reversal === undefined ? {} : { closed: closing(book.arrival(reversal)) }
  return { ...about, state: 'closed', detail: `${detail} The payment was reversed.`, ...closed }
}

const doubtCase = (book: Book, note: Note): Case | undefined => {
  const about = base(book, note)
  const what = note.order_type
  const row = book.settled(note.card_no, note.counter)
  const decided = row !== undefined && row.settlement_mac !== null
  if (note.voided > 0 && note.proof !== null)
    return {
      cause: 'paidButCalledVoid',
      state: 'open',
      ...about,
      detail: `The terminal called this ${what} void; the card proves that it took place.`,
    }
  if (note.voided > 0) {
    const closed = saidIn(book, note, 'void')
    return {
      cause: 'void',
      state: 'closed',
      ...about,
      detail: `The card proved to its terminal that this ${what} did not take place.`,
      ...(closed === undefined ? {} : { closed }),
    }
  }
  if (note.abandoned > 0 && note.proof !== null && what === 'payment')
    return goodsCase(book, note, 'Given up by its terminal, yet paid: the goods are owed.', 'abandoned')
  if (note.abandoned === 0 && note.in_doubt === 0) return undefined
  const cause = note.abandoned > 0 ? 'abandoned' : 'inDoubt'
  if (note.proof !== null)
    return { cause, state: 'closed', ...about, detail: 'It took place.', ...settledBy(book, note) }
  if (decided)
    return {
      cause,
      state: 'closed',
      ...about,
      detail: 'It did not take place: another record has this counter.',
      ...settledBy(book, note),
    }
  const words =
    note.abandoned > 0
      ? `The terminal will not learn whether this ${what} took place.`
      : `Nobody knows yet whether this ${what} took place.`
  return { cause, state: 'open', ...about, detail: words }
}

export const noteCases = (book: Book): Case[] =>
  book.facts.notes.flatMap((note) => {
    const doubt = doubtCase(book, note)
    const goods =
      note.owed > 0 ? [goodsCase(book, note, 'Paid, and its goods could not be handed over.', 'owedGoods')] : []
    return doubt === undefined ? goods : [doubt, ...goods]
  })
