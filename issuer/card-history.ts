/** Everything that is known of one card, in the order of its counters: records, holes, loads, doubts, alarms, money back, its end. */
import { sql } from 'kysely'
import { batchHeaderLength } from '../protocol/batch.ts'
import { entryLength } from '../protocol/entry.ts'
import { remainingValues } from './card-closure.ts'
import { requireCard } from './cards.ts'
import { IssuerError } from './errors.ts'
import { moneyBackStand } from './money-back.ts'
import type { StoreReader } from './store.ts'

export type HistoryKind =
  | 'payment'
  | 'load'
  | 'reversal'
  | 'block'
  /** Counters that nobody brought. */
  | 'hole'
  /** Two records that are neighbours, whose balances disagree. */
  | 'contradiction'
  /** A load that never reached the card, or that waits for another one at its counter. */
  | 'loadVoid'
  | 'loadContested'
  /** What a terminal said without proof. */
  | 'inDoubt'
  | 'void'
  | 'owed'
  | 'abandoned'
  | 'moneyBack'
  | 'credit'
  | 'alarm'
  | 'closure'

export interface HistoryRow {
  readonly counter: number
  readonly lastCounter?: number
  readonly kind: HistoryKind
  /** Of a hole: what came onto the card (+) or left it (-). */
  readonly amountMinor?: number
  readonly balanceAfterMinor?: number
  readonly at?: number
  readonly terminalId?: string
  /** The exception, the explanation of a hole, the kind of alarm, the state of a credit or closure, who was charged. */
  readonly remark?: string
  /** Of a load: what paid for it. Of a credit: its reference. Of a closure: its kind. */
  readonly detail?: string
  /** false: no settlement MAC has come yet. */
  readonly proved?: boolean
  /** What brought it, such as "batch TERMINAL/EPOCH/NUMBER", and which entry of that batch it is. */
  readonly document?: string
  readonly entry?: number
}

export interface HistoryPage {
  readonly rows: readonly HistoryRow[]
  /** Lines on all pages. */
  readonly total: number
  readonly next?: string
}

interface Line {
  readonly counter: number
  readonly place: number
  readonly no: number
  readonly kind: HistoryKind
  readonly last_counter: number | null
  readonly amount_minor: number | null
  readonly balance_after_minor: number | null
  readonly happened_at: number | null
  readonly terminal_id: string | null
  readonly remark: string | null
  readonly detail: string | null
  readonly proved: number | null
}

const number = sql`CAST(NULL AS BIGINT)`
const text = sql`CAST(NULL AS TEXT)`

/** One line a fact, each kind in a place of its own at its counter. */
const linesOf = (cardNo: number, mark: number) => sql`
  SELECT s.counter, 1 AS place, 0 AS no, s.order_type AS kind, ${number} AS last_counter, s.amount_minor, s.balance_after_minor,
    s.order_time AS happened_at, s.terminal_no, s.exception AS remark,
    CASE WHEN s.order_type <> 'load' THEN NULL ELSE
      (SELECT coalesce(a.kind, 'merchantCash') FROM load_authorisation l LEFT JOIN account a ON a.account_no = l.funded_from
        WHERE l.card_no = s.card_no AND l.counter = s.counter AND l.record = s.record) END AS detail,
    CASE WHEN s.settlement_mac IS NULL THEN 0 ELSE 1 END AS proved
    FROM settlement s WHERE s.card_no = ${cardNo}
  UNION ALL
  SELECT after_counter + 1, 2, 0, 'hole', before_counter - 1, net_minor, ${number}, ${number}, ${number}, explanation, ${text}, ${number}
    FROM seam WHERE card_no = ${cardNo} AND before_counter > after_counter + 1
  UNION ALL
  SELECT before_counter, 0, 0, 'contradiction', ${number}, net_minor, ${number}, ${number}, ${number}, explanation, ${text}, ${number}
    FROM seam WHERE card_no = ${cardNo} AND before_counter = after_counter + 1
  UNION ALL
  SELECT counter, 3, load_no, CASE WHEN state = 'void' THEN 'loadVoid' ELSE 'loadContested' END, ${number}, amount_minor, ${number},
    order_time, terminal_no, ${text}, ${text}, ${number}
    FROM load_authorisation WHERE card_no = ${cardNo} AND state IN ('void', 'contested')
  UNION ALL
  SELECT counter, 4, row_number() OVER (ORDER BY record), CASE WHEN voided > 0 THEN 'void' WHEN abandoned > 0 THEN 'abandoned' WHEN owed > 0 THEN 'owed' ELSE 'inDoubt' END,
    ${number}, amount_minor, ${number}, order_time, terminal_no, order_type, ${text}, ${number}
    FROM note WHERE card_no = ${cardNo}
  UNION ALL
  SELECT counter, 5, 0, 'moneyBack', ${number}, amount_minor, ${number}, decided_at, ${number}, charged, reason, ${number}
    FROM money_back WHERE card_no = ${cardNo}
  UNION ALL
  SELECT coalesce(counter, 0), 6, alarm_no, 'alarm', ${number}, ${number}, ${number}, raised_at, terminal_no, kind, document, ${number}
    FROM alarm WHERE card_no = ${cardNo}
  UNION ALL
  SELECT coalesce(used_counter, ${sql.lit(mark + 1)}), 7, funding_no, 'credit', ${number}, amount_minor, ${number}, made_at, ${number}, state, reference, ${number}
    FROM funding WHERE card_no = ${cardNo}
  UNION ALL
  SELECT ${sql.lit(mark + 1)}, 8, closure_no, 'closure', ${number}, amount_minor, ${number}, requested_at, ${number}, state, kind, ${number}
    FROM card_closure WHERE card_no = ${cardNo}`

const positionOf = (after: string): readonly [number, number, number] => {
  const match = /^(\d{1,10})\/(\d)\/(\d{1,15})$/.exec(after)
  if (match === null) throw new IssuerError('input', `"${after}" is no place in a card's history.`)
  return [Number(match[1]), Number(match[2]), Number(match[3])]
}

/**
 * One page, in counter order. Inside one transaction.
 * @param page.after where the page before ended, as it said
 * @throws IssuerError `unknownCard`, `input`
 */
export const cardHistory = async (
  db: StoreReader,
  cardId: string,
  page: { readonly limit: number; readonly direction: 'ascending' | 'descending'; readonly after?: string },
): Promise<HistoryPage> => {
  const card = await requireCard(db, cardId)
  const order = sql.raw(page.direction === 'ascending' ? 'ASC' : 'DESC')
  const beyond = sql.raw(page.direction === 'ascending' ? '>' : '<')
  const from = page.after === undefined ? undefined : positionOf(page.after)
  const { rows } = await sql<Line>`
    SELECT history.*, terminal.terminal_id FROM (${linesOf(card.card_no, card.mark)}) AS history
    LEFT JOIN terminal ON terminal.terminal_no = history.terminal_no
    WHERE ${from === undefined ? sql`1 = 1` : sql`(counter, place, no) ${beyond} (${sql.lit(from[0])}, ${sql.lit(from[1])}, ${sql.lit(from[2])})`}
    ORDER BY counter ${order}, place ${order}, no ${order} LIMIT ${page.limit + 1}`.execute(db)
  const counted = await sql<{ count: number | string }>`
    SELECT count(*) AS count FROM (${linesOf(card.card_no, card.mark)}) AS history`.execute(db)
  const shown = rows.slice(0, page.limit)
  const last = shown.at(-1)
  const documents = await documentsOf(db, card.card_no, shown)
  return {
    total: Number(counted.rows[0]?.count ?? 0),
    rows: shown.map((line) => ({
      counter: line.counter,
      kind: line.kind,
      ...(line.last_counter === null ? {} : { lastCounter: line.last_counter }),
      ...(line.amount_minor === null ? {} : { amountMinor: line.amount_minor }),
      ...(line.balance_after_minor === null ? {} : { balanceAfterMinor: line.balance_after_minor }),
      ...(line.happened_at === null ? {} : { at: line.happened_at }),
      ...(line.terminal_id === null ? {} : { terminalId: line.terminal_id }),
      ...(line.remark === null ? {} : { remark: line.remark }),
      ...(line.detail === null ? {} : { detail: line.detail }),
      ...(line.proved === null ? {} : { proved: line.proved === 1 }),
      ...(line.place === 1
        ? documents.get(line.counter)
        : line.kind === 'alarm' && line.detail !== null
          ? { document: line.detail }
          : {}),
    })),
    ...(rows.length > page.limit && last !== undefined ? { next: `${last.counter}/${last.place}/${last.no}` } : {}),
  }
}

const batchName = /^batch ([0-9a-f]{16})\/(\d+)\/(\d+)$/

/** What first booked each settled counter, and which entry of its batch that is. */
const documentsOf = async (db: StoreReader, cardNo: number, lines: readonly Line[]) => {
  const found = new Map<number, { document: string; entry?: number }>()
  const counters = lines.filter(({ place }) => place === 1).map(({ counter }) => counter)
  if (counters.length === 0) return found
  const transfers = await db
    .selectFrom('transfer')
    .select(['counter', 'document', 'cause'])
    .where('card_no', '=', cardNo)
    .where('counter', 'in', counters)
    .where('cause', 'in', ['payment', 'load', 'reversal'])
    .orderBy('transfer_no')
    .execute()
  for (const { counter, document } of transfers)
    if (counter !== null && !found.has(counter)) found.set(counter, { document })
  const records = await db
    .selectFrom('settlement')
    .select(['counter', 'record'])
    .where('card_no', '=', cardNo)
    .where('counter', 'in', [...found.keys(), 0])
    .execute()
  const byDocument = Map.groupBy(records, ({ counter }) => found.get(counter)?.document ?? '')
  for (const [document, rows] of byDocument) {
    const batch = await readBatch(db, document)
    if (batch === undefined) continue
    for (const { counter, record } of rows) {
      const at = batch.bytes.indexOf(record)
      const index = (at - batchHeaderLength) / entryLength
      if (at >= 0 && Number.isInteger(index)) found.set(counter, { document, entry: batch.firstEntry + index })
    }
  }
  return found
}

const readBatch = async (db: StoreReader, document: string) => {
  const named = batchName.exec(document)
  if (named === null) return undefined
  const [, terminalId = '', epoch = '', batchNo = ''] = named
  const row = await db
    .selectFrom('batch')
    .innerJoin('terminal', 'terminal.terminal_no', 'batch.terminal_no')
    .select(['bytes', 'first_entry'])
    .where('terminal_id', '=', terminalId)
    .where('batch.epoch', '=', Number(epoch))
    .where('batch_no', '=', Number(batchNo))
    .executeTakeFirst()
  return row === undefined ? undefined : { bytes: Buffer.from(row.bytes), firstEntry: row.first_entry }
}

export interface CardOverview {
  readonly cardId: string
  readonly status: 'active' | 'hotlisted' | 'closing' | 'closed'
  readonly counter: number
  /** The shadow balance. */
  readonly balanceMinor: number
  readonly withdrawnMinor: number
  readonly unbackedMinor: number
  readonly remainingMinor: number
  /** What late facts took from a closed card, at the issuer's cost. */
  readonly overdrawnMinor: number
  readonly registeredAt: number
  readonly personalisedAt?: number
  readonly expiresAt?: number
  readonly balanceMaxMinor?: number
  readonly pinFreeMaxMinor?: number
  readonly blocked?: { readonly at?: number; readonly by?: string; readonly reason?: string; readonly forGood: boolean }
  readonly closure?: {
    readonly kind: string
    readonly state: string
    readonly reason: string
    readonly readyAt: number
    readonly amountMinor: number
    readonly replacement?: string
    readonly reference?: string
    readonly atRisk: boolean
  }
  readonly credits: readonly { readonly reference: string; readonly amountMinor: number; readonly cause: string }[]
  readonly holes: number
  readonly alarms: readonly { readonly kind: string; readonly counter?: number; readonly at: number }[]
  /** Money back was decided for a payment that was reversed afterwards: a person takes the credit back, or bears it. */
  readonly paidBackTwice: readonly number[]
}

/** Inside one transaction. @throws IssuerError `unknownCard` */
export const cardOverview = async (db: StoreReader, cardId: string): Promise<CardOverview> => {
  const card = await requireCard(db, cardId)
  const no = card.card_no
  const value = (await remainingValues(db, [card])).get(no)
  if (value === undefined) throw new Error('a card has no value, not even none')
  const closure = await db
    .selectFrom('card_closure')
    .leftJoin('card as replacement', 'replacement.card_no', 'card_closure.replacement_no')
    .leftJoin('funding', 'funding.funding_no', 'card_closure.funding_no')
    .selectAll('card_closure')
    .select(['replacement.card_id as new_id', 'funding.reference'])
    .where('card_closure.card_no', '=', no)
    .orderBy('closure_no', 'desc')
    .limit(1)
    .executeTakeFirst()
  const block = await db
    .selectFrom('settlement')
    .select('counter')
    .where('card_no', '=', no)
    .where('order_type', '=', 'block')
    .executeTakeFirst()
  const credits = await db
    .selectFrom('funding')
    .select(['reference', 'amount_minor', 'cause'])
    .where('card_no', '=', no)
    .where('state', '=', 'open')
    .execute()
  const holes = await db
    .selectFrom('seam')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('card_no', '=', no)
    .where((eb) => eb('before_counter', '>', eb('after_counter', '+', 1)))
    .executeTakeFirstOrThrow()
  const alarms = await db
    .selectFrom('alarm')
    .select(['kind', 'counter', 'raised_at'])
    .where('card_no', '=', no)
    .orderBy('alarm_no')
    .execute()
  const twice = await db
    .selectFrom('money_back')
    .innerJoin('settlement', (join) =>
      join
        .onRef('settlement.card_no', '=', 'money_back.card_no')
        .on((eb) => eb('settlement.counter', '=', eb('money_back.counter', '+', 1))),
    )
    .select('money_back.counter')
    .where('money_back.card_no', '=', no)
    .where('settlement.order_type', '=', 'reversal')
    .where('settlement.exception', 'is', null)
    .execute()
  return {
    cardId: card.card_id,
    status: closure === undefined ? card.status : closure.state === 'waiting' ? 'closing' : 'closed',
    counter: card.mark,
    ...value,
    overdrawnMinor: value.withdrawnMinor === 0 ? 0 : Math.max(0, value.withdrawnMinor - value.balanceMinor),
    registeredAt: card.created_at,
    ...(card.personalised_at === null ? {} : { personalisedAt: card.personalised_at }),
    ...(card.expires_at === null ? {} : { expiresAt: card.expires_at }),
    ...(card.balance_max_minor === null ? {} : { balanceMaxMinor: card.balance_max_minor }),
    ...(card.pin_free_max_minor === null ? {} : { pinFreeMaxMinor: card.pin_free_max_minor }),
    ...(card.status === 'active'
      ? {}
      : {
          blocked: {
            ...(card.blocked_at === null ? {} : { at: card.blocked_at }),
            ...(card.blocked_by === null ? {} : { by: card.blocked_by }),
            ...(card.blocked_reason === null ? {} : { reason: card.blocked_reason }),
            forGood: block !== undefined,
          },
        }),
    ...(closure === undefined
      ? {}
      : {
          closure: {
            kind: closure.kind,
            state: closure.state,
            reason: closure.reason,
            readyAt: closure.ready_at,
            amountMinor: closure.amount_minor,
            ...(closure.new_id === null ? {} : { replacement: closure.new_id }),
            ...(closure.reference === null ? {} : { reference: closure.reference }),
            atRisk: closure.at_risk === 1,
          },
        }),
    credits: credits.flatMap(({ reference, amount_minor, cause }) =>
      reference === null || cause === null ? [] : [{ reference, amountMinor: amount_minor, cause }],
    ),
    holes: Number(holes.count),
    alarms: alarms.map(({ kind, counter, raised_at }) => ({
      kind,
      at: raised_at,
      ...(counter === null ? {} : { counter }),
    })),
    paidBackTwice: twice.map(({ counter }) => counter),
  }
}

/** What stands against giving a payment's money back. @throws IssuerError `unknownCard`, `input` */
export const moneyBackQuestion = async (db: StoreReader, cardId: string, counter: number) => {
  const { card_no } = await requireCard(db, cardId)
  const payment = await db
    .selectFrom('settlement')
    .selectAll()
    .where('card_no', '=', card_no)
    .where('counter', '=', counter)
    .executeTakeFirst()
  if (payment === undefined) throw new IssuerError('input', `Card ${cardId} has no settled #${counter}.`)
  return { amountMinor: payment.amount_minor, ...(await moneyBackStand(db, payment)) }
}
