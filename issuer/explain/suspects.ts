/** Who made a counter that nobody brought: the terminals that may have, the likeliest first (PROTOCOL.md, Holes). */
import { parseRecord } from '../../protocol/record.ts'
import { balanceBeforeMinor } from '../card-line.ts'
import type { Book, Note } from './book.ts'
import { type Evidence, evidences, type Suspect } from './case.ts'
import type { Span, Standing } from './reports.ts'

/** Named at most, of one hole; the rest are counted. */
const suspectsMax = 5

export interface Missing extends Span {
  readonly cardNo: number
  readonly first: number
  readonly last: number
  readonly balanceBeforeMinor: number
  readonly balanceAfterMinor: number
  /** Who made the neighbours: a customer often stays where he is. */
  readonly neighbours: readonly number[]
}

interface Clue {
  readonly terminalNo: number
  readonly evidence: Evidence
  readonly counter?: number
  readonly amountMinor?: number
  readonly why: string
  /** UNIX seconds of the order that it is about. */
  readonly time?: number
}

/** How a doubted record goes with the neighbours that it touches. */
const fitOf = (missing: Missing, note: Note): 'fits' | 'denied' | 'untouched' => {
  const record = parseRecord(note.record)
  const isFirst = record.counter === missing.first
  const isLast = record.counter === missing.last
  const denied =
    (isFirst && balanceBeforeMinor(record) !== missing.balanceBeforeMinor) ||
    (isLast && record.balanceAfterMinor !== missing.balanceAfterMinor)
  return denied ? 'denied' : isFirst || isLast ? 'fits' : 'untouched'
}

const fitWords = {
  fits: 'which fits the balance beside it',
  denied: 'though the balance beside it is another',
  untouched: 'whose neighbours are missing too',
} as const

/** A reversal that the card proves names the payment that is missing before it. */
const reversalClues = (book: Book, missing: Missing): Clue[] => {
  const next = book.settled(missing.cardNo, missing.last + 1)
  if (next?.order_type !== 'reversal' || next.exception !== null) return []
  const counter = missing.last
  const why = `the card proves that it reversed #${counter}, a payment of ${book.money(next.amount_minor)}`
  return [{ terminalNo: next.terminal_no, evidence: 'itsReversal', counter, amountMinor: next.amount_minor, why }]
}

const noteClues = (book: Book, missing: Missing): Clue[] =>
  (book.notesByCard.get(missing.cardNo) ?? []).flatMap((note): Clue[] => {
    const about = { terminalNo: note.terminal_no, amountMinor: note.amount_minor, time: note.order_time }
    const within = (counter: number) => counter >= missing.first && counter <= missing.last
    if (note.order_type === 'reversal' && within(note.reference)) {
      const why = `it meant to reverse #${note.reference}, a payment of ${book.money(note.amount_minor)}, and so took that payment`
      return [{ ...about, evidence: 'itsReversal', counter: note.reference, why }]
    }
    // What a card proved void is no trace.
    if (!within(note.counter) || note.voided > 0) return []
    const fit = fitOf(missing, note)
    const doubt = note.abandoned > 0 ? 'it gave up' : 'it is in doubt'
    const what = `${note.order_type} #${note.counter} of ${book.money(note.amount_minor)} on ${book.clockTime(note.order_time)}`
    const why = `${doubt} about ${what}, ${fitWords[fit]}`
    return [{ ...about, evidence: fit === 'denied' ? 'otherDoubt' : 'doubt', counter: note.counter, why }]
  })

const refusedClues = (book: Book, missing: Missing): Clue[] =>
  (book.exceptionsByCard.get(book.card(missing.cardNo).cardId) ?? []).flatMap((row): Clue[] =>
    row.counter === null || row.counter < missing.first || row.counter > missing.last
      ? []
      : [
          {
            terminalNo: row.terminal_no,
            evidence: 'refusedEntry',
            counter: row.counter,
            ...(row.amount_minor === null ? {} : { amountMinor: row.amount_minor }),
            why: `it sent an entry for #${row.counter} that was not taken (${row.reason})`,
          },
        ],
  )

const overlaps = (a: Span, b: Span): boolean => a.since <= b.until && b.since <= a.until

const standingClue = (book: Book, missing: Missing, standing: Standing): Clue | undefined => {
  const { terminalNo } = standing
  if (standing.epoch === 0) return undefined
  const gap = standing.missing.find((each) => overlaps(each, missing))
  if (gap !== undefined) {
    const which = gap.first === gap.last ? `batch ${gap.first}` : `batches ${gap.first} to ${gap.last}`
    return { terminalNo, evidence: 'missingBatches', why: `${which} of its epoch ${gap.epoch} never came` }
  }
  const lost = standing.lost.find((each) => overlaps(each, missing))
  if (lost !== undefined) {
    const word = lost.since === 0 ? 'nothing' : `nothing after ${book.clockTime(lost.since)}`
    const why = `it was enrolled again, and of its epoch ${lost.epoch} ${word} has come: that ledger's end may be lost`
    return { terminalNo, evidence: 'lostLedger', why }
  }
  const broken = standing.broken.find((each) => each.at >= missing.since)
  if (broken !== undefined)
    return {
      terminalNo,
      evidence: 'brokenChain',
      why: `its chain is broken (${broken.kind}, ${book.clockTime(broken.at)})`,
    }
  if (standing.newestOrder >= missing.until) return undefined
  const why =
    standing.newestOrder === 0
      ? 'it has never reported a sale'
      : `the last that it reported is of ${book.clockTime(standing.newestOrder)}`
  return { terminalNo, evidence: 'silent', why }
}

export interface Suspicion {
  readonly suspects: readonly Suspect[]
  readonly moreSuspects: number
  /** When the missing order was made, if a clue says so. */
  readonly time: number | undefined
}

export const suspectsOf = (book: Book, missing: Missing): Suspicion => {
  const clues = [...reversalClues(book, missing), ...noteClues(book, missing), ...refusedClues(book, missing)]
  const named = new Set(clues.map(({ terminalNo }) => terminalNo))
  for (const standing of book.reports.standings) {
    const clue = named.has(standing.terminalNo) ? undefined : standingClue(book, missing, standing)
    if (clue !== undefined) clues.push(clue)
  }
  const stranger = (clue: Clue) => (missing.neighbours.includes(clue.terminalNo) ? 0 : 1)
  clues.sort(
    (a, b) =>
      evidences.indexOf(a.evidence) - evidences.indexOf(b.evidence) ||
      (a.counter ?? 0) - (b.counter ?? 0) ||
      stranger(a) - stranger(b) ||
      a.terminalNo - b.terminalNo,
  )
  return {
    suspects: clues.slice(0, suspectsMax).map(({ terminalNo, time: _, ...clue }) => ({
      ...book.terminal(terminalNo),
      ...clue,
    })),
    moreSuspects: Math.max(0, clues.length - suspectsMax),
    time: missing.first === missing.last && clues[0]?.evidence === 'doubt' ? clues[0].time : undefined,
  }
}
