/** Missing counters: what they moved, who may have made them, and which of them have come since (PROTOCOL.md, I4). */
import { directionOf } from '../facts.ts'
import { type Arrival, type Book, closing, isoTime, noMoney, type Settled } from './book.ts'
import type { Case, Hole, HoleExplanation, Suspect } from './case.ts'
import { type Missing, suspectsOf } from './suspects.ts'
import { plural } from './terminals.ts'

type Seam = Book['facts']['seams'][number]

const balanceBeforeMinor = (row: Settled): number =>
  row.order_type === 'payment'
    ? row.balance_after_minor + row.amount_minor
    : row.order_type === 'block'
      ? row.balance_after_minor
      : row.balance_after_minor - row.amount_minor

/** By the order of the books, whatever the clock said; what books nothing (a block) has its time alone. */
const isEarlier = (a: Arrival, b: Arrival): boolean =>
  a.transferNo === undefined || b.transferNo === undefined
    ? a.at < b.at
    : a.transferNo < b.transferNo && a.document !== b.document

/** A sum that no single record explains is named, and has its suspects. */
const explanationOf = ({ explanation }: Seam): HoleExplanation => {
  switch (explanation) {
    case 'nothing':
    case 'debit':
    case 'reversal':
      return explanation
    case 'unexplained':
    case 'discrepancy':
      return 'namedSum'
  }
}

/** What a seam puts into the two accounts, by its meaning. */
const seamMoney = ({ explanation, after_counter, before_counter, net_minor }: Seam) => {
  const isHole = before_counter - after_counter > 1
  switch (explanation) {
    case 'nothing':
    case 'reversal':
      return noMoney
    case 'debit':
    case 'discrepancy':
      return { suspenseMinor: 0 - net_minor, holesMinor: 0 }
    case 'unexplained':
      return isHole ? { suspenseMinor: 0, holesMinor: 0 - net_minor } : { suspenseMinor: 0 - net_minor, holesMinor: 0 }
  }
}

const movedWords = (book: Book, seam: Seam): string => {
  const one = seam.before_counter - seam.after_counter === 2
  const missing = one ? 'It' : 'Together they'
  const sum = book.money(Math.abs(seam.net_minor))
  if (seam.net_minor < 0) return `${missing} took ${sum} from the card${one ? ': a payment' : ''}.`
  if (seam.net_minor === 0) return one ? 'It moved nothing: a block.' : 'Together they moved nothing.'
  const source = one ? ': no payment before it and no authorised load is of that sum' : ''
  return `${missing} put ${sum} onto the card${source}.`
}

const suspectWords = ({ suspects }: { suspects: Hole['suspects'] }): string =>
  suspects.length === 0
    ? ' No terminal is behind with its reports: an unknown terminal made it, or one that lost its ledger unnoticed.'
    : ''

const missingOf = (book: Book, seam: Seam, before: Settled): Missing => {
  const after = book.settled(seam.card_no, seam.after_counter)
  // Before its first counter a card was issued.
  const since = after?.order_time ?? Math.min(before.order_time, book.card(seam.card_no).createdAt)
  return {
    cardNo: seam.card_no,
    first: seam.after_counter + 1,
    last: seam.before_counter - 1,
    balanceBeforeMinor: after?.balance_after_minor ?? 0,
    balanceAfterMinor: balanceBeforeMinor(before),
    since: Math.min(since, before.order_time),
    until: Math.max(since, before.order_time),
    neighbours: after === undefined ? [before.terminal_no] : [before.terminal_no, after.terminal_no],
  }
}

const terminalOf = ({ terminalId, terminalName, merchant }: Suspect): Partial<Case> => ({
  terminalId,
  ...(terminalName === undefined ? {} : { terminalName }),
  merchant,
})

const holeCase = (
  book: Book,
  { seam, before, opened }: { readonly seam: Seam; readonly before: Settled; readonly opened: Arrival },
): Case => {
  const missing = missingOf(book, seam, before)
  const { suspects, moreSuspects, time } = suspectsOf(book, missing)
  const paid = book.settled(seam.card_no, seam.after_counter)
  const presumed = seam.explanation === 'reversal' && paid !== undefined
  const charged = presumed ? book.terminal(paid.terminal_no) : undefined
  const likely = suspects[0]
  const many = missing.last > missing.first
  return {
    cause: presumed ? 'presumedReversal' : 'hole',
    state: 'open',
    day: book.dayOf(time ?? before.order_time),
    cardId: book.card(seam.card_no).cardId,
    counter: missing.first,
    ...(many ? { lastCounter: missing.last } : {}),
    ...(charged ?? (likely === undefined ? {} : terminalOf(likely))),
    amountMinor: Math.abs(seam.net_minor),
    ...seamMoney(seam),
    detail: presumed
      ? `It gave ${book.money(seam.net_minor)} back, as much as payment #${paid.counter} just before it took.`
      : `${many ? `${plural(missing.last - missing.first + 1, 'counter')} are missing. ` : ''}${movedWords(book, seam)} ${spanWords(book, missing)}${suspectWords({ suspects })}`,
    opened: closing(opened),
    hole: {
      explanation: explanationOf(seam),
      direction: directionOf(seam.net_minor),
      balanceBeforeMinor: missing.balanceBeforeMinor,
      balanceAfterMinor: missing.balanceAfterMinor,
      since: isoTime(missing.since),
      until: isoTime(missing.until),
      suspects: presumed ? [] : suspects,
      moreSuspects: presumed ? 0 : moreSuspects,
    },
  }
}

const spanWords = (book: Book, missing: Missing): string =>
  `Balance ${book.money(missing.balanceBeforeMinor)}, then ${book.money(missing.balanceAfterMinor)}, between ${book.clockTime(missing.since)} and ${book.clockTime(missing.until)}.`

const gapCase = (book: Book, seam: Seam, before: Settled): Case => {
  const lied = seam.explanation === 'discrepancy'
  const more = seam.net_minor > 0 ? 'more' : 'less'
  const sum = `${book.money(Math.abs(seam.net_minor))} ${more} than #${seam.after_counter} left`
  return {
    cause: lied ? 'lyingCard' : 'unprovenLoad',
    state: 'open',
    day: book.dayOf(before.order_time),
    cardId: book.card(seam.card_no).cardId,
    counter: seam.before_counter,
    ...book.terminal(before.terminal_no),
    amountMinor: Math.abs(seam.net_minor),
    ...seamMoney(seam),
    detail: lied
      ? `Before #${seam.before_counter} the card held ${sum}, and no counter lies between them.`
      : `Before #${seam.before_counter} the card held ${sum}; one of the two is a load that the card has not proved.`,
  }
}

/** Seams of the book: open holes, presumed reversals, and balances that do not meet. */
export const seamCases = (book: Book): Case[] => {
  const open = book.facts.seams.map((seam): Case => {
    const before = book.settled(seam.card_no, seam.before_counter)
    if (before === undefined) throw new Error('a seam without its later counter')
    if (seam.before_counter - seam.after_counter === 1) return gapCase(book, seam, before)
    const arrival = book.arrival(before)
    const later = book.sighting(before)
    const opened = later !== undefined && isEarlier(later, arrival) ? later : arrival
    return holeCase(book, { seam, before, opened })
  })
  return [...open, ...closedHoles(book)]
}

/** Counters that came after a later one had shown that they were missing. */
const closedHoles = (book: Book): Case[] =>
  book.late.flatMap(({ card_no, counter }): Case[] => {
    const row = book.settled(card_no, counter)
    if (row === undefined) return []
    const arrival = book.arrival(row)
    const opened = book.sighting(row)
    if (opened === undefined || !isEarlier(opened, arrival)) return []
    return [
      {
        cause: 'hole',
        state: 'closed',
        day: book.dayOf(row.order_time),
        cardId: book.card(row.card_no).cardId,
        counter: row.counter,
        ...book.terminal(row.terminal_no),
        amountMinor: row.amount_minor,
        ...noMoney,
        detail: `It was missing from ${book.clockTime(opened.at)}, and is a ${row.order_type} at this terminal.`,
        opened: closing(opened),
        closed: closing(arrival),
      },
    ]
  })
