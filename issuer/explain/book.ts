/** The rows of the book as the explanation looks them up: one consistent picture, read once. */
import { formatAmount } from '../../protocol/currency.ts'
import { entryKey, type OwnWord } from '../archive.ts'
import { businessDays, clockTimes, spanOfDay } from '../business-days.ts'
import { type Index, indexFacts, keyOf } from '../facts.ts'
import { isoTime } from '../iso-times.ts'
import type { Issuer } from '../issuer.ts'
import type { StoreReader } from '../store.ts'
import type { Case, Closing } from './case.ts'
import { type FirstTransfer, type Part, type PublishedItem, type Rows, readRows, type SettledRow } from './read.ts'
import { type Reports, readReports } from './reports.ts'

export type Settled = SettledRow
type Facts = Rows['facts']
export type Note = Facts['notes'][number]

/** When a counter became known, and by which document. Later ones have greater numbers. */
export interface Arrival {
  readonly transferNo: number | undefined
  readonly document: string | undefined
  readonly at: number
}

const byKey = (transfers: readonly FirstTransfer[]): ReadonlyMap<string, Arrival> =>
  new Map(
    transfers.map((row) => [
      keyOf(row.card_no, row.counter),
      { transferNo: row.transfer_no, document: row.document, at: row.booked_at },
    ]),
  )

export interface Book {
  /** What is not plain, and its neighbours. */
  readonly facts: Facts
  readonly unitSales: Rows['unitSales']
  readonly index: Index
  readonly reports: Reports
  /** Of the day, or all days. */
  readonly settledCount: number
  /** Counters that came after a later one. */
  readonly late: Rows['late']
  readonly decisions: Rows['decisions']
  readonly courierOnly: ReadonlySet<string>
  readonly notesByCard: ReadonlyMap<number, readonly Note[]>
  /** By card id. */
  readonly exceptionsByCard: ReadonlyMap<string | null, Facts['exceptions']>
  readonly loadsAt: ReadonlyMap<string, Facts['loads']>
  /** Payments whose reversal is in doubt. */
  readonly reversalInDoubt: ReadonlySet<string>
  readonly cardNos: ReadonlyMap<string, number>
  /** The newest order that a terminal told of itself, UNIX seconds; 0: none. */
  readonly reportedUntil: (terminalNo: number) => number
  readonly claimed: ReadonlyMap<string, { readonly document: string; readonly at: number }>
  readonly dayOf: (time: number) => string
  /** An amount with its currency. */
  readonly money: (minor: number) => string
  /** A time for a person, of the book's time zone, to the minute. */
  readonly clockTime: (time: number) => string
  readonly settled: (cardNo: number, counter: number) => Settled | undefined
  /** The item that a payment names whose price did not fit; undefined: none was ever published with this hash. */
  readonly published: (row: Settled) => PublishedItem | undefined
  readonly arrival: (row: Settled) => Arrival
  /** The first document that showed a later counter of the card, of late counters and those behind a seam. */
  readonly sighting: (row: Settled) => Arrival | undefined
  /** What the terminal that made it said of a record. */
  readonly words: (record: Uint8Array, proof: Uint8Array | null) => readonly OwnWord[]
  /** `createdAt` in UNIX seconds. */
  readonly card: (cardNo: number) => { readonly cardId: string; readonly createdAt: number }
  readonly terminal: (
    terminalNo: number,
  ) => Required<Pick<Case, 'terminalId' | 'merchant'>> & Pick<Case, 'terminalName'>
}

/**
 * Within one reading transaction.
 * @param wanted.day absent: all days
 * @param wanted.closed whether closed cases and who closed them, and what is plain, are to be told
 * @param wanted.part absent: the whole book
 * @param wanted.reports where they were read already
 */
export const readBook = async (
  issuer: Pick<Issuer, 'book'>,
  db: StoreReader,
  wanted: {
    readonly day?: string | undefined
    readonly closed: boolean
    readonly part?: Part
    readonly reports?: Reports
  },
): Promise<Book> => {
  const { currency, timeZone } = issuer.book
  const dayOf = businessDays(timeZone)
  const rows = await readRows(db, {
    of: wanted.day === undefined ? undefined : spanOfDay(dayOf, wanted.day),
    closed: wanted.closed,
    part: wanted.part,
    noteOfDay: (time) => wanted.day === undefined || dayOf(time) === wanted.day,
  })
  const reports = wanted.reports ?? (await readReports((work) => work(db)))
  const { facts, unitSales, claims, words } = rows
  const index = indexFacts(facts)
  const [firsts, sightings] = [byKey(rows.arrivals), byKey(rows.sightings)]
  const cards = new Map(facts.cards.map((row) => [row.card_no, row]))
  const standings = new Map(reports.standings.map((standing) => [standing.terminalNo, standing]))
  const published = new Map(rows.published.map((row) => [keyOf(row.card_no, row.counter), row]))
  const claimed = new Map<string, { document: string; at: number }>()
  for (const { claim_hash, card_no, counter, received_at } of claims) {
    const key = keyOf(card_no, counter)
    const document = `claim ${Buffer.from(claim_hash).toString('hex', 0, 8)}`
    if (!claimed.has(key)) claimed.set(key, { document, at: received_at })
  }
  return {
    facts,
    unitSales,
    index,
    reports,
    settledCount: rows.settledCount,
    late: rows.late,
    decisions: rows.decisions,
    courierOnly: new Set(rows.courierOnly.map(({ card_no, counter }) => keyOf(card_no, counter))),
    notesByCard: Map.groupBy(facts.notes, (note) => note.card_no),
    exceptionsByCard: Map.groupBy(facts.exceptions, (row) => row.card_id),
    loadsAt: Map.groupBy(facts.loads, (load) => keyOf(load.card_no, load.counter)),
    reversalInDoubt: new Set(
      index.openNotes
        .filter((note) => note.order_type === 'reversal')
        .map((note) => keyOf(note.card_no, note.reference)),
    ),
    cardNos: new Map(facts.cards.map((row) => [row.card_id, row.card_no])),
    reportedUntil: (terminalNo) => standings.get(terminalNo)?.newestOrder ?? 0,
    claimed,
    dayOf,
    money: (minor) => `${formatAmount(minor, currency)} ${currency}`,
    clockTime: clockTimes(timeZone),
    settled: (cardNo, counter) => index.settled.get(keyOf(cardNo, counter)),
    published: (row) => published.get(keyOf(row.card_no, row.counter)),
    arrival: (row) =>
      firsts.get(keyOf(row.card_no, row.counter)) ?? { transferNo: undefined, document: undefined, at: row.settled_at },
    sighting: (row) => sightings.get(keyOf(row.card_no, row.counter)),
    words: (record, proof) => words.get(entryKey(record, proof)) ?? [],
    card: (cardNo) => {
      const row = cards.get(cardNo)
      return { cardId: row?.card_id ?? '', createdAt: row?.created_at ?? 0 }
    },
    terminal: (terminalNo) => {
      const { terminalId = '', name = null, merchant = '' } = standings.get(terminalNo) ?? {}
      return { terminalId, ...(name === null ? {} : { terminalName: name }), merchant }
    },
  }
}

export const closing = ({
  document,
  at,
}: {
  readonly document?: string | undefined
  readonly at: number
}): Closing => ({
  ...(document === undefined ? {} : { document }),
  at: isoTime(at),
})

export { isoTime, keyOf }

/** What moves no money between accounts. */
export const noMoney = { suspenseMinor: 0, holesMinor: 0 } as const
