/** The rows of the book as the explanation looks them up: one consistent picture, read once. */
import { sql } from 'kysely'
import { formatAmount } from '../../protocol/currency.ts'
import { type Archive, entryKey, type OwnWord, readArchive } from '../archive.ts'
import { businessDays, type Facts, type Index, indexFacts, keyOf, readFacts } from '../facts.ts'
import type { Issuer } from '../issuer.ts'
import { courierOnly } from '../report.ts'
import type { StoreReader } from '../store.ts'
import type { Closing } from './case.ts'

export type Settled = Facts['settlements'][number]
export type Note = Facts['notes'][number]

/** When a counter became known, and by which document. Later ones have greater numbers. */
export interface Arrival {
  readonly transferNo: number | undefined
  readonly document: string | undefined
  readonly at: number
}

const readRows = async (db: StoreReader) => {
  const facts = await readFacts(db)
  const keys = [
    ...facts.couriered.map((row) => entryKey(row.record, row.settlement_mac)),
    ...facts.notes.flatMap((row) => [entryKey(row.record, null), entryKey(row.record, row.proof)]),
  ]
  return {
    facts,
    archive: await readArchive(db, { keys: new Set(keys) }),
    arrivals: await db
      .selectFrom('transfer')
      .select(['transfer_no', 'card_no', 'counter', 'document', 'booked_at'])
      .where('cause', 'in', ['payment', 'reversal', 'load'])
      .orderBy('transfer_no')
      .execute(),
    claims: await db
      .selectFrom('claim')
      .select(['claim_hash', 'card_no', 'counter', 'received_at'])
      .orderBy('received_at')
      .execute(),
    terminals: await db.selectFrom('terminal').select(['terminal_no', 'created_at']).execute(),
    /** Payments for one-time codes and tickets, each an item of its own. */
    unitSales: await db
      .selectFrom('settlement')
      .innerJoin('item_version', (join) =>
        join.on('item_version.item_hash', '=', sql<Uint8Array>`substr(settlement.record, 49, 16)`),
      )
      .select(['card_no', 'counter', 'terminal_no', 'amount_minor', 'order_time', 'item_version.unit', 'item_id'])
      .where('order_type', '=', 'payment')
      .where('item_version.unit', 'is not', null)
      .orderBy('settled_at')
      .execute(),
  }
}
type Rows = Awaited<ReturnType<typeof readRows>>

/** The first transfer about a counter is the document that made it known. */
const indexArrivals = (arrivals: Rows['arrivals']): Map<string, Arrival> => {
  const first = new Map<string, Arrival>()
  for (const { transfer_no, card_no, counter, document, booked_at } of arrivals) {
    if (card_no === null || counter === null) continue
    const key = keyOf(card_no, counter)
    if (!first.has(key)) first.set(key, { transferNo: transfer_no, document, at: booked_at })
  }
  return first
}

const readReported = ({ batches }: Archive): ReadonlyMap<number, number> => {
  const until = new Map<number, number>()
  for (const { terminalNo, orders } of batches)
    until.set(terminalNo, Math.max(until.get(terminalNo) ?? 0, orders?.newest ?? 0))
  return until
}

const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString()

export interface Book {
  readonly facts: Facts
  readonly unitSales: Rows['unitSales']
  readonly index: Index
  readonly archive: Archive
  readonly courierOnly: ReadonlySet<string>
  readonly notesByCard: ReadonlyMap<number, readonly Note[]>
  /** By card id. */
  readonly exceptionsByCard: ReadonlyMap<string | null, Facts['exceptions']>
  readonly loadsAt: ReadonlyMap<string, Facts['loads']>
  /** Payments whose reversal is in doubt. */
  readonly reversalInDoubt: ReadonlySet<string>
  readonly cardNos: ReadonlyMap<string, number>
  /** By terminal: the newest order that it told of itself, UNIX seconds. */
  readonly reportedUntil: ReadonlyMap<number, number>
  readonly claimed: ReadonlyMap<string, { readonly document: string; readonly at: number }>
  /** UNIX seconds. */
  readonly createdAt: ReadonlyMap<number, number>
  readonly dayOf: (time: number) => string
  /** An amount with its currency. */
  readonly money: (minor: number) => string
  /** A time for a person, of the book's time zone, to the minute. */
  readonly clockTime: (time: number) => string
  readonly settled: (cardNo: number, counter: number) => Settled | undefined
  readonly arrival: (row: Settled) => Arrival
  /** What the terminal that made it said of a record. */
  readonly words: (record: Uint8Array, proof: Uint8Array | null) => readonly OwnWord[]
  /** `createdAt` in UNIX seconds. */
  readonly card: (cardNo: number) => { readonly cardId: string; readonly createdAt: number }
  readonly terminal: (terminalNo: number) => { readonly terminalId: string; readonly merchant: string }
}

/** Within one reading transaction. */
export const readBook = async (issuer: Issuer): Promise<Book> => {
  const { facts, archive, arrivals, claims, terminals, unitSales } = await issuer.store.read(readRows)
  const { currency, timeZone } = issuer.book
  const index = indexFacts(facts)
  const firsts = indexArrivals(arrivals)
  const cards = new Map(facts.cards.map((row) => [row.card_no, row]))
  const names = new Map(facts.terminals.map((row) => [row.terminal_no, row]))
  const dayOf = businessDays(timeZone)
  const inZone = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone })
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
    archive,
    courierOnly: courierOnly(facts, archive),
    notesByCard: Map.groupBy(facts.notes, (note) => note.card_no),
    exceptionsByCard: Map.groupBy(facts.exceptions, (row) => row.card_id),
    loadsAt: Map.groupBy(facts.loads, (load) => keyOf(load.card_no, load.counter)),
    reversalInDoubt: new Set(
      index.openNotes
        .filter((note) => note.order_type === 'reversal')
        .map((note) => keyOf(note.card_no, note.reference)),
    ),
    cardNos: new Map(facts.cards.map((row) => [row.card_id, row.card_no])),
    reportedUntil: readReported(archive),
    claimed,
    createdAt: new Map(terminals.map((row) => [row.terminal_no, row.created_at])),
    dayOf,
    money: (minor) => `${formatAmount(minor, currency)} ${currency}`,
    clockTime: (time) => `${dayOf(time)} ${inZone.format(time * 1000)}`,
    settled: (cardNo, counter) => index.settled.get(keyOf(cardNo, counter)),
    arrival: (row) =>
      firsts.get(keyOf(row.card_no, row.counter)) ?? { transferNo: undefined, document: undefined, at: row.settled_at },
    words: (record, proof) => archive.words.get(entryKey(record, proof)) ?? [],
    card: (cardNo) => {
      const row = cards.get(cardNo)
      return { cardId: row?.card_id ?? '', createdAt: row?.created_at ?? 0 }
    },
    terminal: (terminalNo) => {
      const row = names.get(terminalNo)
      return { terminalId: row?.terminal_id ?? '', merchant: row?.name ?? '' }
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
