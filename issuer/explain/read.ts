/**
 * The rows that the explanation needs, and no others: what is not plain, and its neighbours on the card's line. Their number
 * goes with the troubles of a book, not with its size.
 */
import { type RawBuilder, sql } from 'kysely'
import type { ExceptionReason } from '../../protocol/acknowledgement.ts'
import { batchHeaderLength } from '../../protocol/batch.ts'
import { entryLength, entryStatuses, paysNothing } from '../../protocol/entry.ts'
import { entryKey, type OwnWord } from '../archive.ts'
import { listOf } from '../bulk-rows.ts'
import type { StoreReader } from '../store.ts'
import type { AccountKind, SettledType, SettlementSource } from '../tables.ts'
import { type BatchSpan, readBatchSpans } from './reports.ts'

/** Keys in one statement; batches in memory at once (a full one has a megabyte). */
const keysMax = 2000
const batchesMax = 16

/** Places in an entry (PROTOCOL.md, Layouts). */
const terminalAt = { start: 32, end: 40 }
const timeAt = 44
const recordEnd = 80
const macEnd = 96
const statusAt = 96

/** What of a book is read: what is about some cards, or what is about no card, and about several at once. */
export type Part = { readonly cardIds: readonly string[] } | 'noCard'

/** Numbers of cards; absent: all. */
type Cards = readonly number[] | undefined

/** A condition. */
const ofCards = (db: StoreReader, column: string, cards: Cards): RawBuilder<boolean> => {
  if (cards === undefined) return sql<boolean>`1 = 1`
  return cards.length === 0 ? sql<boolean>`1 = 0` : sql<boolean>`${sql.ref(column)} IN ${listOf(db, cards)}`
}

export interface Place {
  readonly card_no: number
  readonly counter: number
}

/** Counters of cards, each once. */
class Places {
  readonly #byCard = new Map<number, Set<number>>()

  add(cardNo: number, ...counters: readonly number[]): void {
    const known = this.#byCard.get(cardNo) ?? new Set()
    for (const counter of counters) if (counter > 0) known.add(counter)
    this.#byCard.set(cardNo, known)
  }
  has({ card_no, counter }: Place): boolean {
    return this.#byCard.get(card_no)?.has(counter) ?? false
  }
  get list(): readonly Place[] {
    return [...this.#byCard].flatMap(([card_no, counters]) => [...counters].map((counter) => ({ card_no, counter })))
  }
}

const chunksOf = function* <Value>(values: readonly Value[], size: number): Generator<readonly Value[]> {
  for (let at = 0; at < values.length; at += size) yield values.slice(at, at + size)
}

/** A table `wanted` of places, written out: they are whole numbers of ours. */
const wantedSql = (places: readonly Place[]) =>
  sql.raw(places.map(({ card_no, counter }) => `(${Math.trunc(card_no)}, ${Math.trunc(counter)})`).join(', '))

const byPlace = (a: Place, b: Place): number => a.card_no - b.card_no || a.counter - b.counter

const settlementColumns = sql.raw(
  [
    ...['card_no', 'counter', 'terminal_no', 'order_type', 'amount_minor', 'balance_after_minor', 'order_time'],
    ...['exception', 'settlement_mac', 'source', 'settled_at'],
  ]
    .map((column) => `settlement.${column}`)
    .join(', '),
)

export interface SettledRow {
  readonly card_no: number
  readonly counter: number
  readonly terminal_no: number
  readonly order_type: SettledType
  readonly amount_minor: number
  readonly balance_after_minor: number
  readonly order_time: number
  readonly exception: ExceptionReason | null
  readonly settlement_mac: Uint8Array | null
  readonly source: SettlementSource
  readonly settled_at: number
  readonly booked_from_kind: AccountKind | null
}

const readSettlements = async (db: StoreReader, places: readonly Place[]): Promise<SettledRow[]> => {
  const rows: SettledRow[] = []
  for (const some of chunksOf(places, keysMax)) {
    const found = await sql<SettledRow>`
      WITH wanted (card_no, counter) AS (VALUES ${wantedSql(some)})
      SELECT ${settlementColumns}, account.kind AS booked_from_kind
      FROM wanted
      JOIN settlement ON settlement.card_no = wanted.card_no AND settlement.counter = wanted.counter
      LEFT JOIN account ON account.account_no = settlement.booked_from`.execute(db)
    for (const row of found.rows) rows.push(row)
  }
  return rows
}

export interface PublishedItem extends Place {
  readonly item_id: string
  readonly price_minor: number
}

/** The items that payments name, as they were published; absent: never. */
const readPublished = async (db: StoreReader, places: readonly Place[]): Promise<readonly PublishedItem[]> => {
  const all: PublishedItem[] = []
  for (const some of chunksOf(places, keysMax)) {
    const found = await sql<PublishedItem>`
      WITH wanted (card_no, counter) AS (VALUES ${wantedSql(some)})
      SELECT settlement.card_no, settlement.counter, item_id, price_minor
      FROM wanted
      JOIN settlement ON settlement.card_no = wanted.card_no AND settlement.counter = wanted.counter
      JOIN item_version ON item_version.item_hash = substr(settlement.record, 49, 16)`.execute(db)
    for (const row of found.rows) all.push(row)
  }
  return all
}

export interface FirstTransfer extends Place {
  readonly transfer_no: number
  readonly document: string
  readonly booked_at: number
}

/** The first transfer about each counter itself (`=`), or about any later one of its card (`>`). */
const readFirstTransfers = async (
  db: StoreReader,
  places: readonly Place[],
  which: '=' | '>',
): Promise<readonly FirstTransfer[]> => {
  const all: FirstTransfer[] = []
  for (const some of chunksOf(places, keysMax)) {
    const found = await sql<FirstTransfer>`
      WITH wanted (card_no, counter) AS (VALUES ${wantedSql(some)}),
      first AS (
        SELECT wanted.card_no, wanted.counter, (
          SELECT min(each.transfer_no) FROM transfer AS each
          WHERE each.card_no = wanted.card_no AND each.counter ${sql.raw(which)} wanted.counter
            AND each.cause IN ('payment', 'reversal', 'load')
        ) AS transfer_no
        FROM wanted
      )
      SELECT first.card_no, first.counter, transfer.transfer_no, transfer.document, transfer.booked_at
      FROM first JOIN transfer ON transfer.transfer_no = first.transfer_no`.execute(db)
    all.push(...found.rows)
  }
  return all
}

/** Settled counters that may be cases by themselves. The conditions are those of partial indexes: they are written out. */
const readOddPlaces = async (db: StoreReader, cards: Cards): Promise<readonly Place[]> => {
  const { rows } = await sql<Place>`
    SELECT card_no, counter FROM settlement WHERE exception IS NOT NULL AND ${ofCards(db, 'card_no', cards)}
    UNION SELECT card_no, counter FROM courier_only WHERE ${ofCards(db, 'card_no', cards)}
    UNION SELECT reversal.card_no, reversal.counter FROM settlement AS reversal
      LEFT JOIN settlement AS payment
        ON payment.card_no = reversal.card_no AND payment.counter = reversal.counter - 1
      WHERE reversal.order_type = 'reversal'
        AND (payment.order_type IS NULL OR payment.order_type <> 'payment' OR payment.exception IS NOT NULL)
        AND ${ofCards(db, 'reversal.card_no', cards)}`.execute(db)
  return rows
}

/** Loads whose record has not come: they are not plain, and the load is the case. */
const readUnproven = (db: StoreReader): Promise<readonly Place[]> =>
  db.selectFrom('settlement').select(['card_no', 'counter']).where('settlement_mac', 'is', null).execute()

/** Codes that more than one payment bought. */
const readUnitSales = (db: StoreReader) =>
  db
    .selectFrom('unit_sale')
    .innerJoin('settlement', (join) =>
      join.onRef('settlement.card_no', '=', 'unit_sale.card_no').onRef('settlement.counter', '=', 'unit_sale.counter'),
    )
    .innerJoin('item_version', (join) =>
      join.on('item_version.item_hash', '=', sql<Uint8Array>`substr(settlement.record, 49, 16)`),
    )
    .select(['unit_sale.card_no', 'unit_sale.counter', 'settlement.terminal_no', 'settlement.amount_minor'])
    .select(['settlement.order_time', 'unit_sale.unit', 'item_version.item_id'])
    .where('unit_sale.unit', 'in', (inner) =>
      inner
        .selectFrom('unit_sale as each')
        .select('each.unit')
        .groupBy('each.unit')
        .having((eb) => eb.fn.countAll<number>(), '>', 1),
    )
    .orderBy('settlement.settled_at')
    .orderBy('unit_sale.card_no')
    .orderBy('unit_sale.counter')
    .execute()

const readNotes = (db: StoreReader, cards: Cards) =>
  db
    .selectFrom('note')
    .leftJoin('settlement', (join) =>
      join
        .onRef('settlement.card_no', '=', 'note.card_no')
        .onRef('settlement.counter', '=', 'note.counter')
        .onRef('settlement.record', '=', 'note.record'),
    )
    .selectAll('note')
    .select('settlement.settlement_mac as proof')
    .where(ofCards(db, 'note.card_no', cards))
    .orderBy('note.card_no')
    .orderBy('note.counter')
    .orderBy('note.record')
    .execute()

const readClaims = (db: StoreReader, cards: Cards) =>
  db
    .selectFrom('claim')
    .select(['claim_hash', 'card_no', 'counter', 'received_at'])
    .where(ofCards(db, 'claim.card_no', cards))
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('note')
          .select('note.counter')
          .whereRef('note.card_no', '=', 'claim.card_no')
          .whereRef('note.counter', '=', 'claim.counter'),
      ),
    )
    .orderBy('received_at')
    .execute()

const readLoads = async (
  db: StoreReader,
  { places, cards }: { readonly places: readonly Place[]; readonly cards: Cards },
) => {
  const open = await db
    .selectFrom('load_authorisation')
    .selectAll()
    .where(sql<boolean>`state <> 'settled'`)
    .where(ofCards(db, 'card_no', cards))
    .execute()
  const at: typeof open = []
  for (const some of chunksOf(places, 400))
    at.push(
      ...(await db
        .selectFrom('load_authorisation')
        .selectAll()
        .where('state', '=', 'settled')
        .where((eb) =>
          eb.or(some.map(({ card_no, counter }) => eb.and([eb('card_no', '=', card_no), eb('counter', '=', counter)]))),
        )
        .execute()),
    )
  return [...open, ...at].toSorted((a, b) => a.load_no - b.load_no)
}

const readCards = async (
  db: StoreReader,
  wanted: { readonly numbers: readonly number[]; readonly ids: readonly string[] },
) => {
  const cards = new Map<number, { card_no: number; card_id: string; created_at: number }>()
  const columns = ['card_no', 'card_id', 'created_at'] as const
  for (const some of chunksOf(wanted.ids, 500))
    for (const row of await db.selectFrom('card').select(columns).where('card_id', 'in', some).execute())
      cards.set(row.card_no, row)
  const missing = wanted.numbers.filter((cardNo) => !cards.has(cardNo))
  for (const some of chunksOf(missing, 500))
    for (const row of await db.selectFrom('card').select(columns).where('card_no', 'in', some).execute())
      cards.set(row.card_no, row)
  return [...cards.values()]
}

export interface Span {
  /** UNIX seconds, the second not included. */
  readonly since: number
  readonly until: number
}

/** Of the day, or of all days. */
const countSettled = async (db: StoreReader, of: Span | undefined): Promise<number> => {
  const { rows } = await db
    .selectFrom('settlement')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .$if(of !== undefined, (query) =>
      query.where('order_time', '>=', of?.since ?? 0).where('order_time', '<', of?.until ?? 0),
    )
    .executeTakeFirstOrThrow()
  return Number(rows)
}

const readLatePlaces = (db: StoreReader, of: Span | undefined): Promise<readonly Place[]> =>
  db
    .selectFrom('late_counter')
    .select(['card_no', 'counter'])
    .$if(of !== undefined, (query) =>
      query.where('order_time', '>=', of?.since ?? 0).where('order_time', '<', of?.until ?? 0),
    )
    .execute()

const readExceptions = (db: StoreReader, part: Part | undefined) =>
  db
    .selectFrom('entry_exception')
    .selectAll()
    .$if(part === 'noCard', (query) => query.where('card_id', 'is', null))
    .$if(typeof part === 'object', (query) =>
      query.where('card_id', 'in', listOf(db, typeof part === 'object' ? part.cardIds : [])),
    )
    .orderBy('exception_no')
    .execute()

const readAlarms = (db: StoreReader, part: Part | undefined, cards: Cards) =>
  db
    .selectFrom('alarm')
    .selectAll()
    .where(part === 'noCard' ? sql<boolean>`card_no IS NULL` : ofCards(db, 'card_no', cards))
    .orderBy('alarm_no')
    .execute()

/**
 * Read inside one transaction.
 * @param wanted.of the day whose closed cases are told; absent: all days
 * @param wanted.closed whether what is closed, or plain, is told at all
 * @param wanted.part absent: the whole book
 */
export const readRows = async (
  db: StoreReader,
  wanted: {
    readonly of: Span | undefined
    readonly closed: boolean
    readonly part: Part | undefined
    readonly noteOfDay: (time: number) => boolean
  },
) => {
  const { part } = wanted
  const unitSales = typeof part === 'object' ? [] : await readUnitSales(db)
  const cards = await cardsOf(db, part, unitSales)
  const seams = await db
    .selectFrom('seam')
    .selectAll()
    .where(ofCards(db, 'card_no', cards))
    .orderBy('card_no')
    .orderBy('after_counter')
    .execute()
  const exceptions = await readExceptions(db, part)
  const notes = await readNotes(db, cards)
  const late = wanted.closed ? await readLatePlaces(db, wanted.of) : []
  const odd = [...(await readOddPlaces(db, cards)), ...(wanted.closed ? await readUnproven(db) : [])]
  const alarms = await readAlarms(db, part, cards)

  const places = new Places()
  for (const { card_no, after_counter, before_counter } of seams)
    places.add(card_no, after_counter, after_counter + 1, before_counter)
  for (const { card_no, counter, reference } of notes)
    places.add(card_no, counter, counter + 1, ...(reference > 0 ? [reference, reference + 1] : []))
  for (const { card_no, counter } of odd) places.add(card_no, counter - 1, counter, counter + 1)
  for (const { card_no, counter } of late) places.add(card_no, counter)
  for (const { card_no, counter } of unitSales) places.add(card_no, counter, counter + 1)
  const named = await readCards(db, {
    numbers: [],
    ids: [...new Set(exceptions.map(({ card_id }) => card_id).filter((id) => id !== null))],
  })
  const numbers = new Map(named.map(({ card_id, card_no }) => [card_id, card_no]))
  for (const { card_id, counter } of exceptions) {
    const cardNo = numbers.get(card_id ?? '')
    if (cardNo !== undefined && counter !== null) places.add(cardNo, counter)
  }
  const some = await readSettlements(db, places.list)
  // A reversal is judged by the payment before it.
  const before = some
    .filter(({ order_type }) => order_type === 'reversal')
    .map(({ card_no, counter }) => ({ card_no, counter: counter - 1 }))
    .filter((place) => place.counter > 0 && !places.has(place))
  const settlements = [...some, ...(await readSettlements(db, before))].sort(byPlace)
  const known = await readCards(db, {
    numbers: [
      ...new Set([
        ...settlements.map(({ card_no }) => card_no),
        ...notes.map(({ card_no }) => card_no),
        ...alarms.map(({ card_no }) => card_no).filter((cardNo) => cardNo !== null),
      ]),
    ],
    ids: named.map(({ card_id }) => card_id),
  })
  const loads = await readLoads(db, {
    places: settlements.filter(({ order_type, exception }) => order_type === 'load' && exception !== null),
    cards,
  })
  return {
    facts: {
      cards: await withLoadCards(db, known, loads),
      settlements,
      seams,
      notes,
      exceptions,
      loads,
      alarms,
      accounts: await db
        .selectFrom('account')
        .select(['account_no', 'kind', 'balance_minor'])
        .where('kind', 'in', ['suspense', 'holes'])
        .execute(),
    },
    courierOnly: await db
      .selectFrom('courier_only')
      .select(['card_no', 'counter'])
      .where(ofCards(db, 'card_no', cards))
      .execute(),
    unitSales,
    late,
    published: await readPublished(
      db,
      settlements.filter(({ exception }) => exception === 'itemOrPrice'),
    ),
    arrivals: await readFirstTransfers(db, settlements, '='),
    sightings: await readFirstTransfers(
      db,
      [...seams.map(({ card_no, before_counter }) => ({ card_no, counter: before_counter })), ...late],
      '>',
    ),
    claims: await readClaims(db, cards),
    words: wanted.closed
      ? await readWords(
          db,
          notes.filter(({ order_time }) => wanted.noteOfDay(order_time)),
        )
      : new Map<string, readonly OwnWord[]>(),
    settledCount: wanted.closed ? await countSettled(db, wanted.of) : 0,
    decisions: wanted.closed ? await readDecisions(db) : [],
  }
}
export type Rows = Awaited<ReturnType<typeof readRows>>

/** Whose rows a part is made of. */
const cardsOf = async (
  db: StoreReader,
  part: Part | undefined,
  unitSales: Awaited<ReturnType<typeof readUnitSales>>,
): Promise<Cards> => {
  if (part === undefined) return undefined
  if (part === 'noCard') return [...new Set(unitSales.map(({ card_no }) => card_no))]
  return (await readCards(db, { numbers: [], ids: part.cardIds })).map(({ card_no }) => card_no)
}

const withLoadCards = async (
  db: StoreReader,
  cards: Awaited<ReturnType<typeof readCards>>,
  loads: readonly { readonly card_no: number }[],
) => {
  const known = new Set(cards.map(({ card_no }) => card_no))
  const missing = [...new Set(loads.map(({ card_no }) => card_no).filter((cardNo) => !known.has(cardNo)))]
  return [...cards, ...(await readCards(db, { numbers: missing, ids: [] }))]
}

/** Booked decisions: what they took out of the two accounts on account of which case. */
const readDecisions = (db: StoreReader) =>
  db
    .selectFrom('case_decision')
    .innerJoin('case_file', 'case_file.case_no', 'case_decision.case_no')
    .select(['decision_no', 'kind', 'case_key', 'decided_at', 'case_decision.suspense_minor', 'cause', 'day'])
    .select(['case_decision.holes_minor', 'card_id', 'counter', 'terminal_id', 'merchant', 'case_decision.case_no'])
    .where('case_decision.state', '=', 'booked')
    // The money of a credit that a person took back is where it came from.
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('funding')
            .select('funding.funding_no')
            .whereRef('funding.funding_no', '=', 'case_decision.funding_no')
            .where('funding.state', '=', 'cancelled'),
        ),
      ),
    )
    .orderBy('decision_no')
    .execute()

/** What terminals said of records of their own, from the bytes of those batches alone that may tell of them. */
const readWords = async (
  db: StoreReader,
  notes: Awaited<ReturnType<typeof readNotes>>,
): Promise<ReadonlyMap<string, readonly OwnWord[]>> => {
  const words = new Map<string, Said[]>()
  const keys = new Set(notes.flatMap((row) => [entryKey(row.record, null), entryKey(row.record, row.proof)]))
  const times = new Set(notes.map(({ order_time }) => order_time))
  const noted = new Map(
    [...Map.groupBy(notes, ({ terminal_no }) => terminal_no)].map(([terminalNo, its]) => [
      terminalNo,
      [...new Set(its.map(({ order_time }) => order_time))],
    ]),
  )
  const maySay = ({ received_at, oldest_order, newest_order }: BatchSpan, about: readonly number[]): boolean =>
    about.some((time) => {
      const told = Math.min(time, received_at)
      return told >= (oldest_order ?? Number.POSITIVE_INFINITY) && told <= (newest_order ?? 0)
    })
  for (const [terminalNo, about] of noted) {
    const its = (await readBatchSpans(db, [terminalNo])).filter((span) => maySay(span, about))
    for (const [epoch, some] of Map.groupBy(its, (span) => span.epoch))
      for (const few of chunksOf(some, batchesMax)) {
        const rows = await db
          .selectFrom('batch')
          .innerJoin('terminal', 'terminal.terminal_no', 'batch.terminal_no')
          .select(['batch_pk', 'terminal_id', 'batch.epoch', 'batch_no', 'entry_count', 'bytes', 'received_at'])
          .where('batch.terminal_no', '=', terminalNo)
          .where('batch.epoch', '=', epoch)
          .where(
            'batch_no',
            'in',
            few.map(({ batch_no }) => batch_no),
          )
          .execute()
        for (const row of rows) collectWords(row, { keys, times, words })
      }
  }
  // In the order in which they came.
  return new Map(
    [...words].map(([key, said]) => [key, said.toSorted((a, b) => a.batchPk - b.batchPk).map(({ word }) => word)]),
  )
}

interface Said {
  readonly batchPk: number
  readonly word: OwnWord
}

const collectWords = (
  row: {
    readonly batch_pk: number
    readonly terminal_id: string
    readonly epoch: number
    readonly batch_no: number
    readonly entry_count: number
    readonly bytes: Uint8Array
    readonly received_at: number
  },
  into: {
    readonly keys: ReadonlySet<string>
    readonly times: ReadonlySet<number>
    readonly words: Map<string, Said[]>
  },
): void => {
  const bytes = Buffer.from(row.bytes.buffer, row.bytes.byteOffset, row.bytes.byteLength)
  const document = `batch ${row.terminal_id}/${row.epoch}/${row.batch_no}`
  for (let index = 0, at = batchHeaderLength; index < row.entry_count; index += 1, at += entryLength) {
    if (!into.times.has(bytes.readUInt32BE(at + timeAt))) continue
    const status = entryStatuses[bytes.readUInt8(at + statusAt)]
    if (status === undefined || status === 'witness' || bytes.readUIntBE(at + statusAt + 1, 3) !== 0) continue
    if (bytes.toString('hex', at + terminalAt.start, at + terminalAt.end) !== row.terminal_id) continue
    const key = bytes.toString('latin1', at, at + (paysNothing(status) ? recordEnd : macEnd))
    if (!into.keys.has(key)) continue
    const word: OwnWord = { status, document, receivedAt: row.received_at }
    const said = into.words.get(key) ?? []
    said.push({ batchPk: row.batch_pk, word })
    into.words.set(key, said)
  }
}
