/** How far each terminal has reported, and what is missing from its chain: for its own cases, and for suspicion. */
import { type Book, isoTime, noMoney } from './book.ts'
import type { DerivedCase } from './case.ts'
import type { BatchSpan } from './read.ts'

/** A time in which sales may lie that were never reported, UNIX seconds, both inclusive. */
export interface Span {
  readonly since: number
  readonly until: number
}

export interface MissingBatches extends Span {
  readonly epoch: number
  readonly first: number
  readonly last: number
  readonly entryCount: number
  /** When the batch behind them came. */
  readonly seenAt: number
}

export interface Standing {
  readonly terminalNo: number
  readonly terminalId: string
  readonly merchant: string
  readonly epoch: number
  /** Out of use: nothing more is expected of it. */
  readonly retired: boolean
  /** The newest order that it told of itself; 0: none. */
  readonly newestOrder: number
  /** 0: nothing ever came. */
  readonly lastReceivedAt: number
  /** The same, or later: it had nothing new to send, and said so. */
  readonly lastContactAt: number
  readonly missing: readonly MissingBatches[]
  /** Between the last word of one epoch and the first of the next. */
  readonly lost: readonly (Span & { readonly epoch: number })[]
  /** Fork, chain break, wrong first entry: when each was raised. */
  readonly broken: readonly { readonly kind: string; readonly at: number }[]
}

const newestOf = (batches: readonly BatchSpan[]): number =>
  batches.reduce((newest, { newest_order }) => Math.max(newest, newest_order ?? 0), 0)

const missingOf = (batches: readonly BatchSpan[]): MissingBatches[] =>
  batches.flatMap((batch, index) => {
    const earlier = batches[index - 1]
    const before = earlier?.epoch === batch.epoch ? earlier : undefined
    const first = (before?.batch_no ?? 0) + 1
    if (batch.batch_no === first) return []
    return [
      {
        epoch: batch.epoch,
        first,
        last: batch.batch_no - 1,
        entryCount: batch.first_entry - (before === undefined ? 1 : before.first_entry + before.entry_count),
        since: before?.newest_order ?? 0,
        until: batch.newest_order ?? batch.received_at,
        seenAt: batch.received_at,
      },
    ]
  })

/** An epoch that began anew on an intact ledger repeats what the issuer lacked: then the span is next to nothing. */
const lostOf = (batches: readonly BatchSpan[], epoch: number): Standing['lost'] =>
  Array.from({ length: Math.max(0, epoch - 1) }, (_, index) => {
    const later = batches.find((batch) => batch.epoch > index + 1 && batch.oldest_order !== null)
    return {
      epoch: index + 1,
      since: newestOf(batches.filter((batch) => batch.epoch <= index + 1)),
      until: later?.oldest_order ?? Number.POSITIVE_INFINITY,
    }
  })

const chainAlarms: readonly string[] = ['fork', 'chainBreak', 'firstEntry']

export const readStandings = ({ facts, batches: all }: Book): readonly Standing[] => {
  const batches = Map.groupBy(all, (batch) => batch.terminal_no)
  const alarms = Map.groupBy(
    facts.alarms.filter(({ kind }) => chainAlarms.includes(kind)),
    (alarm) => alarm.terminal_no,
  )
  return facts.terminals.map((row) => {
    const its = batches.get(row.terminal_no) ?? []
    const lastReceivedAt = its.reduce((last, { received_at }) => Math.max(last, received_at), 0)
    return {
      terminalNo: row.terminal_no,
      terminalId: row.terminal_id,
      merchant: row.name,
      epoch: row.epoch,
      retired: row.retired_at !== null,
      newestOrder: newestOf(its),
      lastReceivedAt,
      lastContactAt: Math.max(lastReceivedAt, row.contact_at ?? 0),
      missing: missingOf(its),
      lost: lostOf(its, row.epoch),
      broken: (alarms.get(row.terminal_no) ?? []).map(({ kind, raised_at }) => ({ kind, at: raised_at })),
    }
  })
}

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

/** Sales of each terminal that others brought and its own batches lack. */
const courierSums = ({ courierOnly, index }: Book): ReadonlyMap<number, { count: number; minor: number }> => {
  const sums = new Map<number, { count: number; minor: number }>()
  for (const key of courierOnly) {
    const row = index.settled.get(key)
    if (row?.order_type !== 'payment') continue
    const sum = sums.get(row.terminal_no) ?? { count: 0, minor: 0 }
    sums.set(row.terminal_no, { count: sum.count + 1, minor: sum.minor + row.amount_minor })
  }
  return sums
}

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
  brought: { readonly count: number; readonly minor: number } | undefined,
): DerivedCase[] => {
  if (standing.epoch === 0 || standing.retired) return []
  const { day } = silence
  const lastDay = standing.lastContactAt === 0 ? '' : book.dayOf(standing.lastContactAt)
  const began = book.dayOf(book.createdAt.get(standing.terminalNo) ?? 0)
  const seen = Math.max(standing.lastContactAt, book.createdAt.get(standing.terminalNo) ?? 0)
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

export const terminalCases = (book: Book, standings: readonly Standing[], silence: Silence): DerivedCase[] => {
  const sums = courierSums(book)
  return standings.flatMap((standing) => [
    ...missingCases(book, standing),
    ...silentCases(book, { standing, silence }, sums.get(standing.terminalNo)),
  ])
}

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
