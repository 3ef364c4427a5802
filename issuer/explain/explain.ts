/**
 * Every discrepancy of a business day, with its cause, and the proof that nothing is left over: what the cases hold of the
 * accounts `suspense` and `holes` is counted by their meaning, and compared with what stands in the accounts.
 */
import { requireDay } from '../facts.ts'
import type { Issuer } from '../issuer.ts'
import type { AccountKind } from '../tables.ts'
import { type Book, readBook } from './book.ts'
import { type Case, causes } from './case.ts'
import { withDecisions } from './decided.ts'
import { deriveCases } from './derive.ts'
import { isPlain } from './money.ts'

/** All amounts in minor units. */
export interface AccountSum {
  /** Of the cases of this day. */
  readonly dayMinor: number
  readonly otherDaysMinor: number
  /** What the account holds. */
  readonly balanceMinor: number
  /** The balance less all cases. */
  readonly unexplainedMinor: number
}

export interface Explanation {
  readonly currency: string
  readonly timeZone: string
  /** Absent: all days. */
  readonly day?: string
  /** Counters that were settled by orders of the day. */
  readonly settledCount: number
  /** Of them: by the captured entry of their own terminal, with nothing to remark. */
  readonly plainCount: number
  /** The likeliest to need a person first. */
  readonly open: readonly Case[]
  /** Holes that are counted on another day, but may have been made on this one. */
  readonly perhaps: readonly Case[]
  readonly closed: readonly Case[]
  readonly suspense: AccountSum
  readonly holes: AccountSum
  /** Settled counters that are neither plain nor in a case. */
  readonly unexplainedCount: number
  /** Both accounts, without regard to the sign. 0, or there is a defect. */
  readonly unexplainedMinor: number
}

const sumOf = (cases: readonly Case[], of: (each: Case) => number): number =>
  cases.reduce((sum, each) => sum + of(each), 0)

const balanceOf = ({ facts }: Book, kind: AccountKind): number =>
  facts.accounts.filter((row) => row.kind === kind).reduce((sum, row) => sum + row.balance_minor, 0)

const accountSum = (
  cases: { readonly ofDay: readonly Case[]; readonly others: readonly Case[] },
  of: (each: Case) => number,
  balanceMinor: number,
): AccountSum => {
  const dayMinor = sumOf(cases.ofDay, of)
  const otherDaysMinor = sumOf(cases.others, of)
  return { dayMinor, otherDaysMinor, balanceMinor, unexplainedMinor: balanceMinor - dayMinor - otherDaysMinor }
}

/** A hole whose neighbours lie on either side of the day, or on it. */
const mayBeOf = (day: string, { hole, state }: Case, dayOf: (time: number) => string): boolean =>
  hole !== undefined &&
  state === 'open' &&
  dayOf(Date.parse(hole.since) / 1000) <= day &&
  dayOf(Date.parse(hole.until) / 1000) >= day

const byUrgency = (a: Case, b: Case): number =>
  causes.indexOf(a.cause) - causes.indexOf(b.cause) ||
  (a.terminalId ?? '').localeCompare(b.terminalId ?? '') ||
  (a.cardId ?? '').localeCompare(b.cardId ?? '') ||
  (a.counter ?? 0) - (b.counter ?? 0)

const countSettled = (book: Book, cases: readonly Case[], isOfDay: (day: string) => boolean) => {
  const listed = new Set(cases.map(({ cardId, counter }) => `${cardId}/${counter}`))
  // Whatever is not plain was read.
  const odd = book.facts.settlements.filter((row) => isOfDay(book.dayOf(row.order_time)) && !isPlain(book, row))
  return {
    settledCount: book.settledCount,
    plainCount: book.settledCount - odd.length,
    unexplainedCount: odd.filter((row) => !listed.has(`${book.card(row.card_no).cardId}/${row.counter}`)).length,
  }
}

/**
 * @param options.day such as "2026-11-23", of the book's time zone; absent: all days
 * @throws IssuerError `input`
 */
export const explain = async (issuer: Issuer, options: { readonly day?: string } = {}): Promise<Explanation> => {
  const { day } = options
  if (day !== undefined) requireDay(day)
  const book = await issuer.store.read((db) => readBook(issuer, db, { day, closed: true }))
  const cases = withDecisions(book, deriveCases(book, { day })).toSorted(byUrgency)
  const isOfDay = (of: string) => day === undefined || of === day
  const ofDay = cases.filter((each) => isOfDay(each.day))
  const others = cases.filter((each) => !isOfDay(each.day))
  const suspense = accountSum({ ofDay, others }, (each) => each.suspenseMinor, balanceOf(book, 'suspense'))
  const holes = accountSum({ ofDay, others }, (each) => each.holesMinor, balanceOf(book, 'holes'))
  return {
    currency: issuer.book.currency,
    timeZone: issuer.book.timeZone,
    ...(day === undefined ? {} : { day }),
    ...countSettled(book, ofDay, isOfDay),
    open: ofDay.filter(({ state }) => state === 'open'),
    perhaps: day === undefined ? [] : others.filter((each) => mayBeOf(day, each, book.dayOf)),
    closed: ofDay.filter(({ state }) => state === 'closed'),
    suspense,
    holes,
    unexplainedMinor: Math.abs(suspense.unexplainedMinor) + Math.abs(holes.unexplainedMinor),
  }
}
