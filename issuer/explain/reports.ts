/**
 * How far each terminal has reported, what is missing from its chain, and what others brought of its sales: for its own cases,
 * and for suspicion. Read portion by portion, since it is about all batches that ever came.
 */
import { sql } from 'kysely'
import type { StoreReader } from '../store.ts'

/** Terminals, and sales that couriers brought, in one reading. */
const terminalsMax = 20
const broughtMax = 2000

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
  /** What people call it; absent: nothing. */
  readonly name: string | null
  readonly merchant: string
  readonly epoch: number
  /** UNIX seconds, as all its times. */
  readonly createdAt: number
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

/** Sales of a terminal that others brought and its own batches lack. */
export interface Brought {
  readonly count: number
  readonly minor: number
}

export interface Reports {
  /** Of all terminals, by number. */
  readonly standings: readonly Standing[]
  /** By terminal. */
  readonly brought: ReadonlyMap<number, Brought>
}

/** Does some reading in one transaction. */
export type Reading = <Result>(work: (db: StoreReader) => Promise<Result>) => Promise<Result>

export const readBatchSpans = (db: StoreReader, terminalNos: readonly number[]) =>
  db
    .selectFrom('batch_span')
    .selectAll()
    .where('terminal_no', 'in', terminalNos)
    .orderBy('terminal_no')
    .orderBy('epoch')
    .orderBy('batch_no')
    .execute()
export type BatchSpan = Awaited<ReturnType<typeof readBatchSpans>>[number]

const readTerminals = (db: StoreReader) =>
  db
    .selectFrom('terminal')
    .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
    .leftJoin('terminal_contact', 'terminal_contact.terminal_no', 'terminal.terminal_no')
    .select(['terminal.terminal_no', 'terminal_id', 'merchant.name', 'epoch', 'terminal.created_at', 'retired_at'])
    .select(['contact_at', 'terminal.name as terminal_name'])
    .orderBy('terminal.terminal_no')
    .execute()

const readChainAlarms = (db: StoreReader) =>
  db
    .selectFrom('alarm')
    .select(['kind', 'terminal_no', 'raised_at'])
    .where('kind', 'in', ['fork', 'chainBreak', 'firstEntry'])
    .orderBy('alarm_no')
    .execute()

interface BroughtRow {
  readonly card_no: number
  readonly counter: number
  readonly terminal_no: number
  readonly order_type: string
  readonly amount_minor: number
}

const readBrought = async (reading: Reading): Promise<Reports['brought']> => {
  const sums = new Map<number, Brought>()
  for (let last = { card_no: 0, counter: 0 }; ; ) {
    const { rows } = await reading((db) =>
      sql<BroughtRow>`
        SELECT courier_only.card_no, courier_only.counter, terminal_no, order_type, amount_minor FROM courier_only
        JOIN settlement ON settlement.card_no = courier_only.card_no AND settlement.counter = courier_only.counter
        WHERE (courier_only.card_no, courier_only.counter) > (${last.card_no}, ${last.counter})
        ORDER BY courier_only.card_no, courier_only.counter LIMIT ${broughtMax}`.execute(db),
    )
    for (const { terminal_no, order_type, amount_minor } of rows) {
      if (order_type !== 'payment') continue
      const sum = sums.get(terminal_no) ?? { count: 0, minor: 0 }
      sums.set(terminal_no, { count: sum.count + 1, minor: sum.minor + amount_minor })
    }
    if (rows.length < broughtMax) return sums
    last = rows.at(-1) ?? last
  }
}

export const readReports = async (reading: Reading): Promise<Reports> => {
  const { terminals, alarms } = await reading(async (db) => ({
    terminals: await readTerminals(db),
    alarms: Map.groupBy(await readChainAlarms(db), (alarm) => alarm.terminal_no),
  }))
  const standings: Standing[] = []
  for (let at = 0; at < terminals.length; at += terminalsMax) {
    const some = terminals.slice(at, at + terminalsMax)
    const spans = await reading((db) =>
      readBatchSpans(
        db,
        some.map(({ terminal_no }) => terminal_no),
      ),
    )
    const batches = Map.groupBy(spans, (span) => span.terminal_no)
    for (const row of some) {
      const its = batches.get(row.terminal_no) ?? []
      const lastReceivedAt = its.reduce((last, { received_at }) => Math.max(last, received_at), 0)
      standings.push({
        terminalNo: row.terminal_no,
        terminalId: row.terminal_id,
        name: row.terminal_name,
        merchant: row.name,
        epoch: row.epoch,
        createdAt: row.created_at,
        retired: row.retired_at !== null,
        newestOrder: newestOf(its),
        lastReceivedAt,
        lastContactAt: Math.max(lastReceivedAt, row.contact_at ?? 0),
        missing: missingOf(its),
        lost: lostOf(its, row.epoch),
        broken: (alarms.get(row.terminal_no) ?? []).map(({ kind, raised_at }) => ({ kind, at: raised_at })),
      })
    }
  }
  return { standings, brought: await readBrought(reading) }
}
