/** Settled counters that are not plain, and loads: what of the money waits, and why. */
import type { ExceptionReason } from '../../protocol/acknowledgement.ts'
import { type Book, closing, keyOf, type Note, noMoney, type Settled } from './book.ts'
import type { Case, DerivedCase } from './case.ts'
import { exceptionAdvice } from './reasons.ts'

const base = (book: Book, row: Settled) => ({
  day: book.dayOf(row.order_time),
  cardId: book.card(row.card_no).cardId,
  counter: row.counter,
  ...book.terminal(row.terminal_no),
  amountMinor: row.amount_minor,
  ...noMoney,
})

/** Of a settled counter: what of the suspense account is there on its account, by what it did. */
const suspenseOf = (book: Book, row: Settled): number => {
  switch (row.order_type) {
    case 'payment':
      return row.exception === null ? 0 : row.amount_minor
    case 'reversal':
      return isCharged(book, row) ? 0 : -row.amount_minor
    case 'load':
      return isAuthorised(book, row) ? 0 : -row.amount_minor
    case 'block':
      return 0
  }
}

/** A reversal is charged to the terminal of a payment that is itself in order. */
const isCharged = (book: Book, row: Settled): boolean => {
  const payment = book.settled(row.card_no, row.counter - 1)
  return row.exception === null && payment?.order_type === 'payment' && payment.exception === null
}

const isAuthorised = (book: Book, row: Settled): boolean =>
  row.settlement_mac === null ||
  (book.loadsAt.get(keyOf(row.card_no, row.counter)) ?? []).some(({ state }) => state === 'settled')

/** Beside the price that was asked, which is the amount of the case. */
const publishedWords = (book: Book, row: Settled): string => {
  const item = book.published(row)
  return item === undefined
    ? ' Nothing was ever published with the hash that it names.'
    : ` Published at ${book.money(item.price_minor)}: ${item.item_id}.`
}

const exceptionCase = (book: Book, row: Settled, reason: ExceptionReason): Case => ({
  cause: 'exception',
  state: 'open',
  ...base(book, row),
  suspenseMinor: suspenseOf(book, row),
  reason,
  detail: `A ${row.order_type}: ${exceptionAdvice[reason].sentence}.${reason === 'itemOrPrice' ? publishedWords(book, row) : ''}`,
  opened: closing(book.arrival(row)),
})

const waitingCase = (book: Book, row: Settled): Case => {
  const payment = book.settled(row.card_no, row.counter - 1)
  return {
    cause: 'reversalWaits',
    state: 'open',
    ...base(book, row),
    suspenseMinor: suspenseOf(book, row),
    detail:
      payment === undefined
        ? `The payment #${row.counter - 1} that it undoes has not come.`
        : `#${row.counter - 1} before it is no payment that a terminal can be charged for${payment.exception === null ? '' : ` (${payment.exception})`}.`,
    opened: closing(book.arrival(row)),
  }
}

const noteWords = ({ voided, abandoned }: Note): string =>
  voided > 0
    ? 'Its terminal called it void.'
    : abandoned > 0
      ? 'Its terminal gave it up in doubt.'
      : 'Its terminal is in doubt about it.'

const courierCase = (book: Book, row: Settled): DerivedCase => {
  const arrival = book.arrival(row)
  const reported = book.reportedUntil(row.terminal_no)
  const note = book.notesByCard
    .get(row.card_no)
    ?.find((each) => each.counter === row.counter && each.proof !== null && each.terminal_no === row.terminal_no)
  const since =
    note === undefined && reported > row.order_time
      ? ' The terminal has reported later sales without this one: its ledger was lost or set back, or somebody else debits in its name.'
      : ''
  return {
    cause: 'courier',
    state: 'open',
    ...base(book, row),
    reason: row.source,
    detail: `A ${row.order_type}, brought by a ${row.source}${arrival.document === undefined ? '' : ` (${arrival.document})`}.${since}${note === undefined ? '' : ` ${noteWords(note)}`}`,
    opened: closing(arrival),
    // The customer was at another kiosk before this one has reported.
    routine: since === '' && note === undefined,
  }
}

const heldCase = (book: Book, row: Settled): Case => {
  return {
    cause: 'held',
    state: 'open',
    ...base(book, row),
    detail: book.reversalInDoubt.has(keyOf(row.card_no, row.counter))
      ? 'Whether it was reversed is in doubt.'
      : `What follows on the card, #${row.counter + 1}, is missing: it may be its reversal.`,
  }
}

/** Every way in which a settled counter is not plain. */
const settledCases = (book: Book, row: Settled): DerivedCase[] => {
  const key = keyOf(row.card_no, row.counter)
  const cases: DerivedCase[] = []
  if (row.exception !== null) cases.push(exceptionCase(book, row, row.exception))
  else if (row.order_type === 'reversal' && !isCharged(book, row)) cases.push(waitingCase(book, row))
  if (row.exception === null && book.courierOnly.has(key)) cases.push(courierCase(book, row))
  const { held, undone } = book.index
  if (row.order_type === 'payment' && row.exception === null && held.has(key) && !undone.has(key))
    cases.push(heldCase(book, row))
  return cases
}

/** Entries that were not taken, or taken with a remark; those whose counter is settled as an exception are there already. */
const refusedCases = (book: Book): Case[] => {
  const seen = new Set<string>()
  return book.facts.exceptions.flatMap((row): Case[] => {
    const cardNo = book.cardNos.get(row.card_id ?? '')
    const settled = cardNo === undefined || row.counter === null ? undefined : book.settled(cardNo, row.counter)
    if (settled !== undefined && settled.exception === row.reason) return []
    // A terminal in a new epoch sends it again.
    const key = [row.terminal_no, row.card_id, row.counter, row.reason, row.amount_minor].join('/')
    if (seen.has(key)) return []
    seen.add(key)
    const document = `batch ${book.terminal(row.terminal_no).terminalId}/${row.epoch}/${row.batch_no}`
    const isProved = settled !== undefined && settled.settlement_mac !== null
    // What the card proves for this counter may be another record than the entry's: then nothing is mended.
    const isSame = row.amount_minor === settled?.amount_minor && row.order_time === settled?.order_time
    const mended = isProved && isSame && row.reason !== 'clone' && row.reason !== 'status'
    const words = exceptionAdvice[row.reason].sentence
    const otherwise =
      isProved && !isSame && row.reason !== 'clone' ? ' The card made another record of this counter.' : ''
    return [
      {
        cause: 'exception',
        state: mended ? 'closed' : 'open',
        day: book.dayOf(row.order_time ?? row.noted_at),
        ...(row.card_id === null ? {} : { cardId: row.card_id }),
        ...(row.counter === null ? {} : { counter: row.counter }),
        ...book.terminal(row.terminal_no),
        amountMinor: row.amount_minor ?? 0,
        ...noMoney,
        reason: row.reason,
        detail: `Entry ${row.entry}: ${words}.${mended ? ' The counter has its proof from elsewhere.' : otherwise}`,
        opened: closing({ document, at: row.noted_at }),
        ...(mended ? { closed: closing(book.arrival(settled)) } : {}),
      },
    ]
  })
}

const loadCase = (book: Book, load: Book['facts']['loads'][number]): Case | undefined => {
  const about = {
    state: 'open',
    day: book.dayOf(load.order_time),
    cardId: book.card(load.card_no).cardId,
    counter: load.counter,
    ...book.terminal(load.terminal_no),
    amountMinor: load.amount_minor,
    ...noMoney,
  } as const
  switch (load.state) {
    case 'settled':
      return undefined
    case 'standing':
      return { ...about, cause: 'loadStanding', detail: "Authorised; the card's record of it has not come." }
    case 'contested': {
      const detail = 'A later load was authorised for the same counter: the card took one of them.'
      return { ...about, cause: 'loadContested', suspenseMinor: load.amount_minor, detail }
    }
    case 'void': {
      // A voucher or credit is good again by itself.
      if (load.funded_from !== null) return undefined
      const detail = `The card made something else of #${load.counter}: it never had this money.`
      return { ...about, cause: 'loadOwedBack', detail }
    }
  }
}

export const moneyCases = (book: Book): DerivedCase[] => [
  ...book.facts.settlements.flatMap((row) => settledCases(book, row)),
  ...refusedCases(book),
  ...book.facts.loads.map((load) => loadCase(book, load)).filter((each) => each !== undefined),
]

/** The counter was settled by the captured entry of its own terminal, with nothing to remark. */
export const isPlain = (book: Book, row: Settled): boolean =>
  row.exception === null && row.settlement_mac !== null && !book.courierOnly.has(keyOf(row.card_no, row.counter))
