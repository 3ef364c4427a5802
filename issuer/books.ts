/** The cards that one document touches, read in bulk, changed in memory, and written in bulk, inside one transaction. */
import type { Insertable, Selectable } from 'kysely'
import type { CardId, TerminalId } from '../protocol/quantities.ts'
import { parseRecord } from '../protocol/record.ts'
import type { TransferTable } from './books-tables.ts'
import { insertRows, updateRows } from './bulk-rows.ts'
import { openDay } from './business-days.ts'
import { type Accounts, type Booking, CardLine, type Load, type Move, type Point } from './card-line.ts'
import { chunks } from './chunks.ts'
import { returnFunding } from './load-funding.ts'
import { Marks } from './marks.ts'
import type { StoreWriter } from './store.ts'
import type { AlarmTable, CardStatus, CardTable, SettledType, SettlementTable } from './tables.ts'

/** Values in one IN list, rows in one INSERT: far below the limits of either database. */
const listMax = 500
const rowsMax = 100

export interface KnownTerminal {
  readonly terminalNo: number
  readonly terminalId: string
  /** What people call it. */
  readonly name?: string
  readonly merchantNo: number
  readonly merchant: string
  readonly epoch: number
  readonly keyVersion: number
}

export interface KnownCard {
  readonly cardNo: number
  readonly cardId: string
  readonly keyVersion: number
  readonly status: CardStatus
  readonly createdAt: number
  readonly line: CardLine
}

export type AlarmKind =
  | 'clone'
  | 'rollback'
  | 'balance'
  | 'reversal'
  | 'settlementMac'
  | 'offerMac'
  | 'chainBreak'
  | 'firstEntry'
  | 'fork'
  | 'journalFork'
  | 'journalBreak'
  | 'refundAsked'

interface Alarm {
  readonly kind: AlarmKind
  readonly card?: KnownCard
  readonly counter?: number
  readonly terminal?: Pick<KnownTerminal, 'terminalNo' | 'terminalId'>
  /** Tells two alarms of a kind apart. */
  readonly detail?: string
}

const bookingFrom = (row: {
  booked_from: number | null
  booked_to: number | null
  booked_minor: number
}): Booking | undefined =>
  row.booked_from === null || row.booked_to === null
    ? undefined
    : { from: row.booked_from, to: row.booked_to, amountMinor: row.booked_minor }

const bookedColumns = (booking: Booking | undefined) => ({
  booked_from: booking?.from ?? null,
  booked_to: booking?.to ?? null,
  booked_minor: booking?.amountMinor ?? 0,
})

const settledType = (point: Point): SettledType => {
  const { type } = point.record.order
  if (type === 'probe') throw new Error('a probe is never settled')
  return type
}

/** @throws Error when the store has no such account: a bug */
export const readAccounts = async (db: StoreWriter): Promise<Accounts> => {
  const rows = await db.selectFrom('account').select(['account_no', 'kind', 'merchant_no']).execute()
  const numbers = new Map(rows.map((row) => [`${row.kind}/${row.merchant_no ?? ''}`, row.account_no]))
  const account = (kind: string, merchantNo: number | '' = ''): number => {
    const found = numbers.get(`${kind}/${merchantNo}`)
    if (found === undefined) throw new Error(`there is no account ${kind} ${merchantNo}`)
    return found
  }
  return {
    float: account('float'),
    suspense: account('suspense'),
    holes: account('holes'),
    payable: (merchantNo) => account('payable', merchantNo),
    merchantCash: (merchantNo) => account('merchantCash', merchantNo),
  }
}

export const findTerminals = async (
  db: Pick<StoreWriter, 'selectFrom'>,
  ids: readonly TerminalId[],
): Promise<Map<string, KnownTerminal>> => {
  const found = new Map<string, KnownTerminal>()
  for (const some of chunks([...new Set(ids)], listMax)) {
    const rows = await db
      .selectFrom('terminal')
      .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
      .select(['terminal_no', 'terminal_id', 'terminal.merchant_no', 'merchant.name', 'epoch', 'key_version'])
      .select('terminal.name as called')
      .where('terminal_id', 'in', some)
      .execute()
    for (const row of rows)
      found.set(row.terminal_id, {
        terminalNo: row.terminal_no,
        terminalId: row.terminal_id,
        ...(row.called === null ? {} : { name: row.called }),
        merchantNo: row.merchant_no,
        merchant: row.name,
        epoch: row.epoch,
        keyVersion: row.key_version,
      })
  }
  return found
}

export type SettlementRow = SettlementTable
export type TransferRow = Insertable<TransferTable>

/** What transfers do to the balances of accounts: written once, at the end, since every writer changes the float's. */
export class AccountChanges {
  readonly #businessDay: string
  readonly #byAccount = new Map<number, number>()

  /** @param businessDay the open day, which takes the transfers */
  constructor(businessDay: string) {
    this.#businessDay = businessDay
  }

  static async open(db: StoreWriter, now: number): Promise<AccountChanges> {
    return new AccountChanges(await openDay(db, now))
  }

  #change(account: number, byMinor: number): void {
    this.#byAccount.set(account, (this.#byAccount.get(account) ?? 0) + byMinor)
  }

  /** @returns the move's transfer, for the caller to write */
  book(move: Move, about: { readonly cardNo: number; readonly document: string; readonly now: number }): TransferRow {
    if (!Number.isSafeInteger(move.amountMinor) || move.amountMinor <= 0) throw new Error('a move moves nothing')
    this.#change(move.from, -move.amountMinor)
    this.#change(move.to, move.amountMinor)
    return {
      from_account: move.from,
      to_account: move.to,
      amount_minor: move.amountMinor,
      cause: move.cause,
      document: about.document,
      card_no: about.cardNo,
      counter: move.counter,
      booked_at: about.now,
      business_day: this.#businessDay,
    }
  }

  /** In the accounts' order, in which all writers lock them. */
  async write(db: StoreWriter): Promise<void> {
    const changes = [...this.#byAccount].filter(([, byMinor]) => byMinor !== 0).sort(([a], [b]) => a - b)
    for (const [account, byMinor] of changes)
      await db
        .updateTable('account')
        .set((eb) => ({ balance_minor: eb('balance_minor', '+', byMinor) }))
        .where('account_no', '=', account)
        .execute()
    this.#byAccount.clear()
    if (changes.length > 0) await requireBalance(db)
  }
}

export class Books {
  readonly db: StoreWriter
  /** Names the document that all changes come from. */
  readonly document: string
  readonly now: number
  readonly terminals: ReadonlyMap<string, KnownTerminal>
  readonly #cards: ReadonlyMap<string, KnownCard>
  readonly #alarms = new Map<string, Insertable<AlarmTable>>()
  readonly marks = new Marks()

  private constructor(read: {
    db: StoreWriter
    document: string
    now: number
    terminals: ReadonlyMap<string, KnownTerminal>
    cards: ReadonlyMap<string, KnownCard>
  }) {
    this.db = read.db
    this.document = read.document
    this.now = read.now
    this.terminals = read.terminals
    this.#cards = read.cards
  }

  /** Reads the cards with what surrounds the counters that may change, and the terminals. */
  static async open(
    db: StoreWriter,
    needed: {
      readonly document: string
      readonly now: number
      readonly counters: ReadonlyMap<CardId, readonly number[]>
      readonly terminals: readonly TerminalId[]
      /** Where absent, they are read. */
      readonly accounts?: Accounts
    },
  ): Promise<Books> {
    const accounts = needed.accounts ?? (await readAccounts(db))
    const cards = new Map<string, KnownCard>()
    for (const ids of chunks([...needed.counters.keys()], listMax)) {
      const rows = await db.selectFrom('card').selectAll().where('card_id', 'in', ids).execute()
      for (const card of await readLines(db, rows, accounts)) cards.set(card.cardId, card)
    }
    await readNeighbourhoods(db, [...cards.values()], needed.counters)
    const terminals = await findTerminals(db, needed.terminals)
    return new Books({ db, document: needed.document, now: needed.now, terminals, cards })
  }

  card(id: CardId): KnownCard | undefined {
    return this.#cards.get(id)
  }

  /** The same alarm twice is one alarm. */
  alarm(alarm: Alarm): void {
    const { kind, card, counter, terminal, detail } = alarm
    const key = [kind, card?.cardId, counter, terminal?.terminalId, detail].map((part) => part ?? '-').join('/')
    this.#alarms.set(key, {
      alarm_key: key,
      kind,
      card_no: card?.cardNo ?? null,
      counter: counter ?? null,
      terminal_no: terminal?.terminalNo ?? null,
      document: this.document,
      raised_at: this.now,
    })
  }

  /** Writes every change. Call it once, last. */
  async write(): Promise<void> {
    const changes = await AccountChanges.open(this.db, this.now)
    await this.writeInto(changes)
    await changes.write(this.db)
  }

  /** As `write`, but for the accounts' balances: what changes there is added to `changes`. */
  async writeInto(changes: AccountChanges): Promise<void> {
    const cards = [...this.#cards.values()]
    for (const card of cards) for (const { kind, counter } of card.line.alarms) this.alarm({ kind, card, counter })
    for (const { cardNo, line } of cards)
      for (const { counter, order } of line.lateRecords) this.marks.late({ cardNo, counter }, order.time)
    await this.marks.write(this.db)
    await this.#writePoints(cards)
    await this.#writeSeams(cards)
    await this.#writeLoads(cards)
    await this.#writeCards(cards.filter(({ line }) => line.changedPoints.size > 0))
    await this.#writeMoves(cards, changes)
    for (const rows of chunks([...this.#alarms.values()], rowsMax))
      await this.db
        .insertInto('alarm')
        .values(rows)
        .onConflict((conflict) =>
          conflict
            .column('alarm_key')
            .doUpdateSet((eb) => ({ times: eb('alarm.times', '+', 1), last_document: eb.ref('excluded.document') }))
            // What sends the same again and again is no new evidence.
            .where((eb) =>
              eb(eb.fn.coalesce('alarm.last_document', 'alarm.document'), '<>', eb.ref('excluded.document')),
            ),
        )
        .execute()
  }

  async #writePoints(cards: readonly KnownCard[]): Promise<void> {
    const rows: SettlementTable[] = []
    for (const { cardNo, line } of cards)
      for (const counter of line.changedPoints) {
        const point = line.point(counter)
        if (point === undefined) throw new Error('a settled counter vanished')
        rows.push({
          card_no: cardNo,
          counter,
          record: point.bytes,
          settlement_mac: point.settlementMac ?? null,
          terminal_no: point.terminalNo,
          order_type: settledType(point),
          amount_minor: point.record.order.amountMinor,
          balance_after_minor: point.record.balanceAfterMinor,
          order_time: point.record.order.time,
          exception: point.exception ?? null,
          ...bookedColumns(point.booking),
          source: point.source,
          settled_at: point.settledAt,
          money_back_at: point.moneyBackAt ?? null,
        })
      }
    for (const some of chunks(rows, rowsMax))
      await this.db
        .insertInto('settlement')
        .values(some)
        .onConflict((conflict) =>
          conflict.columns(['card_no', 'counter']).doUpdateSet((eb) => ({
            record: eb.ref('excluded.record'),
            settlement_mac: eb.ref('excluded.settlement_mac'),
            terminal_no: eb.ref('excluded.terminal_no'),
            order_type: eb.ref('excluded.order_type'),
            amount_minor: eb.ref('excluded.amount_minor'),
            balance_after_minor: eb.ref('excluded.balance_after_minor'),
            order_time: eb.ref('excluded.order_time'),
            exception: eb.ref('excluded.exception'),
            booked_from: eb.ref('excluded.booked_from'),
            booked_to: eb.ref('excluded.booked_to'),
            booked_minor: eb.ref('excluded.booked_minor'),
            source: eb.ref('excluded.source'),
            settled_at: eb.ref('excluded.settled_at'),
            money_back_at: eb.ref('excluded.money_back_at'),
          })),
        )
        .execute()
  }

  async #writeSeams(cards: readonly KnownCard[]): Promise<void> {
    for (const { cardNo, line } of cards) {
      for (const some of chunks([...line.changedSeams], listMax))
        await this.db.deleteFrom('seam').where('card_no', '=', cardNo).where('after_counter', 'in', some).execute()
      const seams = [...line.changedSeams].map((after) => line.seam(after)).filter((seam) => seam !== undefined)
      for (const some of chunks(seams, rowsMax))
        await this.db
          .insertInto('seam')
          .values(
            some.map(({ after, before, netMinor, explanation, booking }) => ({
              card_no: cardNo,
              after_counter: after,
              before_counter: before,
              net_minor: netMinor,
              explanation,
              ...bookedColumns(booking),
            })),
          )
          .execute()
    }
  }

  async #writeLoads(cards: readonly KnownCard[]): Promise<void> {
    for (const { cardNo, line } of cards)
      for (const index of line.changedLoads) {
        const load = line.load(index)
        if (load === undefined) throw new Error('a load vanished')
        await this.#writeLoad(cardNo, load)
      }
    for (const { line } of cards) for (const order of line.returnedOrders) await returnFunding(this.db, order, this.now)
  }

  async #writeLoad(cardNo: number, load: Load): Promise<void> {
    const changing = { state: load.state, ...bookedColumns(load.booking) }
    if (load.loadNo !== undefined) {
      await this.db.updateTable('load_authorisation').set(changing).where('load_no', '=', load.loadNo).execute()
      return
    }
    await this.db
      .insertInto('load_authorisation')
      .values({
        card_no: cardNo,
        counter: load.record.counter,
        order_bytes: load.order,
        record: load.recordBytes,
        terminal_no: load.terminalNo,
        amount_minor: load.record.order.amountMinor,
        order_time: load.record.order.time,
        authorised_at: this.now,
        funded_from: load.fundedFrom ?? null,
        ...changing,
      })
      .execute()
  }

  async #writeCards(cards: readonly KnownCard[]): Promise<void> {
    const rows = cards.map(({ cardNo, line }) => ({
      card_no: cardNo,
      mark: line.counters.mark,
      balance_minor: line.balanceMinor,
    }))
    await updateRows(this.db, { table: 'card', key: 'card_no' }, rows)
  }

  async #writeMoves(cards: readonly KnownCard[], changes: AccountChanges): Promise<void> {
    const { document, now } = this
    const rows = cards.flatMap(({ cardNo, line }) =>
      line.moves.map((move) => changes.book(move, { cardNo, document, now })),
    )
    await insertRows(this.db, 'transfer', rows)
  }
}

/** @throws Error unless the books balance: a bug, and the transaction is undone */
export const requireBalance = async (db: Pick<StoreWriter, 'selectFrom'>): Promise<void> => {
  const { sum } = await db
    .selectFrom('account')
    .select((eb) => eb.fn.sum<number | null>('balance_minor').as('sum'))
    .executeTakeFirstOrThrow()
  if (Number(sum ?? 0) !== 0) throw new Error(`the books do not balance: ${sum}`)
}

const readLines = async (
  db: StoreWriter,
  rows: readonly Selectable<CardTable>[],
  accounts: Accounts,
): Promise<readonly KnownCard[]> => {
  if (rows.length === 0) return []
  const seams = await db
    .selectFrom('seam')
    .selectAll()
    .where(
      'card_no',
      'in',
      rows.map(({ card_no }) => card_no),
    )
    .execute()
  const byCard = Map.groupBy(seams, ({ card_no }) => card_no)
  return rows.map((row) => ({
    cardNo: row.card_no,
    cardId: row.card_id,
    keyVersion: row.key_version,
    status: row.status,
    createdAt: row.created_at,
    line: new CardLine(
      {
        mark: row.mark,
        balanceMinor: row.balance_minor,
        seams: (byCard.get(row.card_no) ?? []).map((seam) => ({
          after: seam.after_counter,
          before: seam.before_counter,
          netMinor: seam.net_minor,
          explanation: seam.explanation,
          booking: bookingFrom(seam),
        })),
      },
      accounts,
    ),
  }))
}

const readNeighbourhoods = async (
  db: StoreWriter,
  cards: readonly KnownCard[],
  counters: ReadonlyMap<string, readonly number[]>,
): Promise<void> => {
  const wanted = cards.flatMap((card) => {
    const touched = counters.get(card.cardId) ?? []
    const known = new Set(touched.flatMap((counter) => card.line.neighbourhood(counter)))
    return [...known].map((counter) => ({ card, counter }))
  })
  for (const some of chunks(wanted, listMax)) {
    const lines = new Map(some.map(({ card }) => [card.cardNo, card.line]))
    const byCard = Map.groupBy(some, ({ card }) => card.cardNo)
    const groups = [...byCard].map(([cardNo, items]) => ({ cardNo, counters: items.map(({ counter }) => counter) }))
    for (const few of chunks(groups, 100)) {
      const points = await db
        .selectFrom('settlement')
        .innerJoin('terminal', 'terminal.terminal_no', 'settlement.terminal_no')
        .selectAll('settlement')
        .select('terminal.merchant_no')
        .where((eb) =>
          eb.or(few.map((group) => eb.and([eb('card_no', '=', group.cardNo), eb('counter', 'in', group.counters)]))),
        )
        .execute()
      for (const row of points)
        lines.get(row.card_no)?.restore({
          bytes: row.record,
          record: parseRecord(row.record),
          terminalNo: row.terminal_no,
          merchantNo: row.merchant_no,
          settlementMac: row.settlement_mac ?? undefined,
          source: row.source,
          exception: row.exception ?? undefined,
          booking: bookingFrom(row),
          settledAt: row.settled_at,
          moneyBackAt: row.money_back_at ?? undefined,
        })
      const loads = await db
        .selectFrom('load_authorisation')
        .innerJoin('terminal', 'terminal.terminal_no', 'load_authorisation.terminal_no')
        .selectAll('load_authorisation')
        .select('terminal.merchant_no')
        .where((eb) =>
          eb.or(few.map((group) => eb.and([eb('card_no', '=', group.cardNo), eb('counter', 'in', group.counters)]))),
        )
        .orderBy('load_no')
        .execute()
      for (const row of loads)
        lines.get(row.card_no)?.restoreLoad({
          loadNo: row.load_no,
          order: row.order_bytes,
          recordBytes: row.record,
          record: parseRecord(row.record),
          terminalNo: row.terminal_no,
          merchantNo: row.merchant_no,
          fundedFrom: row.funded_from ?? undefined,
          state: row.state,
          booking: bookingFrom(row),
        })
    }
  }
}
