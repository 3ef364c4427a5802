/** Cases of terminals: what is missing from a chain, whose reports have stopped, and the alarms. */
import { type Book, isoTime, noMoney } from './book.ts'
import type { DerivedCase } from './case.ts'
import type { Brought, Standing } from './reports.ts'

export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

const missingCases = (book: Book, standing: Standing): DerivedCase[] =>
  standing.missing.map((gap) => ({
    cause: 'missingBatches',
    state: 'open',
    day: book.dayOf(gap.seenAt),
    ...book.terminal(standing.terminalNo),
    amountMinor: 0,
    ...noMoney,
    detail: `${gap.first === gap.last ? `Batch ${gap.first}` : `Batches ${gap.first} to ${gap.last}`} of epoch ${gap.epoch} with ${gap.entryCount === 1 ? '1 entry' : `${gap.entryCount} entries`} never came, though a later one did on ${book.clockTime(gap.seenAt)}.`,
    opened: { at: isoTime(gap.seenAt) },
    mark: `${gap.epoch}/${gap.first}`,
    evidence: String(gap.last),
  }))

/** Whose silence is a case. */
export interface Silence {
  /** Nothing came after the day. Absent: others had to bring its sales, or: */
  readonly day?: string | undefined
  /** Nothing has come since, UNIX seconds. */
  readonly since?: number | undefined
}

/** A retired terminal is not missed. */
const silentCases = (
  book: Book,
  { standing, silence }: { readonly standing: Standing; readonly silence: Silence },
  brought: Brought | undefined,
): DerivedCase[] => {
  if (standing.epoch === 0 || standing.retired) return []
  const { day } = silence
  const lastDay = standing.lastContactAt === 0 ? '' : book.dayOf(standing.lastContactAt)
  const began = book.dayOf(standing.createdAt)
  const seen = Math.max(standing.lastContactAt, standing.createdAt)
  const isLong = silence.since !== undefined && seen < silence.since
  if (day === undefined ? brought === undefined && !isLong : lastDay > day || began > day) return []
  const contact =
    standing.lastContactAt > standing.lastReceivedAt
      ? ` It was in contact last on ${book.clockTime(standing.lastContactAt)}.`
      : ''
  const last =
    lastDay === ''
      ? 'Nothing ever came from it.'
      : `Its last batch came on ${book.clockTime(standing.lastReceivedAt)}.${contact}`
  const others =
    brought === undefined
      ? ''
      : ` Couriers brought ${plural(brought.count, 'sale')} of it for ${book.money(brought.minor)}, of all days.`
  return [
    {
      cause: 'notReported',
      state: 'open',
      day: day ?? (lastDay === '' ? began : lastDay),
      ...book.terminal(standing.terminalNo),
      amountMinor: brought?.minor ?? 0,
      ...noMoney,
      detail: `${last}${others}`,
      evidence: `${standing.lastContactAt}/${brought?.count ?? 0}`,
    },
  ]
}

export const terminalCases = (book: Book, silence: Silence): DerivedCase[] =>
  book.reports.standings.flatMap((standing) => [
    ...missingCases(book, standing),
    ...silentCases(book, { standing, silence }, book.reports.brought.get(standing.terminalNo)),
  ])

const alarmWords: Readonly<Record<string, string>> = {
  clone: 'Two different records with this counter: the card was copied.',
  rollback: 'The card offered a counter that is long settled: it was copied or set back.',
  balance: "The card's balance does not follow from its own records.",
  reversal: 'A reversal does not undo the payment before it: it was made without its secret.',
  settlementMac: 'It sends entries that no card has proved: a broken terminal, or a stolen key version.',
  offerMac: 'It asked for a load with an offer that no card has made.',
  chainBreak: 'A batch does not follow from the one before it: its ledger was changed.',
  firstEntry: 'A batch does not begin where the one before it ended.',
  fork: 'It sent another batch under a number that was taken: its ledger was set back to an old copy. Enrol it again.',
  journalFork:
    'It sent another journal of its operators under a number that was taken: it was set back. Enrol it again.',
  journalBreak: 'A journal of its operators does not follow from the one before it: acts are missing or were changed.',
  refundAsked:
    'An operator took a sale back at the terminal and asks for its money, and a person is to decide: look at the terminal’s journal.',
}

export const alarmCases = (book: Book): DerivedCase[] =>
  book.facts.alarms.map((alarm) => ({
    cause: 'alarm',
    state: 'open',
    day: book.dayOf(alarm.raised_at),
    ...(alarm.card_no === null ? {} : { cardId: book.card(alarm.card_no).cardId }),
    ...(alarm.counter === null ? {} : { counter: alarm.counter }),
    ...(alarm.terminal_no === null ? {} : book.terminal(alarm.terminal_no)),
    reason: alarm.kind,
    amountMinor: 0,
    ...noMoney,
    detail: `${alarmWords[alarm.kind] ?? alarm.kind} (${alarm.document})`,
    opened: { document: alarm.document, at: isoTime(alarm.raised_at) },
    mark: alarm.alarm_key,
    evidence: `${alarm.times}/${alarm.last_document ?? ''}`,
  }))
