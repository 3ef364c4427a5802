/**
 * `issuer rebuild`: makes a store anew from another one's documents, in either kind of database. What people gave (parties,
 * prices, publications, users, decisions) is copied; what follows from terminals' documents (settled counters, holes,
 * exceptions, loads, their bookings, balances) is derived again, by the code that derived it the first time and in the same
 * order. So it moves a book from SQLite to PostgreSQL, and proves that the database could be thrown away.
 */
import { copyFile, cp, mkdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { sql } from 'kysely'
import { equalBytes } from '../protocol/bytes.ts'
import { type UnixTime, unixTime } from '../protocol/quantities.ts'
import { auditBooks } from './audit.ts'
import { newBatchIntake } from './batch-intake.ts'
import { settleClaim } from './claims.ts'
import { IssuerError } from './errors.ts'
import { ingestBatch } from './ingest.ts'
import { isoTime } from './iso-times.ts'
import type { Issuer } from './issuer.ts'
import { openKeys } from './issuer-keys.ts'
import { authoriseLoad } from './loads.ts'
import { planStore, type Store, type StoreReader, type StoreWriter } from './store.ts'

type Row = Readonly<Record<string, unknown>>
interface Copied {
  readonly table: string
  /** Its primary key: the order in which rows are read. */
  readonly key: readonly string[]
}

const copied = (table: string, ...key: string[]): Copied => ({ table, key })

/** What documents are judged by, in the order of their references. */
const givenBefore: readonly Copied[] = [
  copied('setting', 'key'),
  copied('merchant', 'merchant_no'),
  copied('merchant_fee', 'merchant_no', 'from_day'),
  copied('account', 'account_no'),
  copied('terminal', 'terminal_no'),
  copied('assortment', 'name'),
  copied('assortment_item', 'name', 'item_id'),
  copied('terminal_assortment', 'terminal_no'),
  copied('terminal_news', 'terminal_no'),
  copied('card', 'card_no'),
  copied('version_sold', 'item_id', 'version'),
  copied('article', 'item_id'),
  copied('coming_article', 'item_id'),
  copied('category', 'category_id'),
  copied('item_display', 'item_id'),
  copied('merchant_brand', 'merchant_no'),
  copied('content', 'content_hash'),
  copied('unit', 'unit_no'),
  copied('hotlist', 'card_id'),
  copied('hotlist_log', 'generation'),
  copied('hotlist_page', 'generation', 'page_no'),
  copied('bulletin', 'serial'),
  copied('keyring', 'terminal_no'),
  copied('enrolment_code', 'terminal_no'),
  copied('operator', 'operator_no'),
  copied('operator_terminal', 'operator_no', 'terminal_no'),
  copied('voucher_lot', 'lot_no'),
  copied('funding', 'funding_no'),
  copied('console_user', 'user_no'),
  copied('audit_log', 'audit_no'),
]

/** What people decided on what documents said. Alarms are about refused documents too, which nobody keeps. */
const givenAfter: readonly Copied[] = [
  copied('money_back', 'card_no', 'counter'),
  // What operators did books nothing by itself: their refunds are money back, which is copied.
  copied('journal', 'journal_pk'),
  copied('journal_entry', 'entry_pk'),
  copied('device_refund', 'refund_no'),
  copied('terminal_contact', 'terminal_no'),
  copied('card_closure', 'closure_no'),
  copied('money_decision', 'decision_no'),
  copied('payment_run', 'run_no'),
  copied('payout', 'period_no'),
  copied('alarm', 'alarm_no'),
  copied('case_file', 'case_no'),
  copied('case_note', 'note_no'),
  copied('case_event', 'event_no'),
  copied('case_decision', 'decision_no'),
]

/** The causes of bookings that follow from documents; each may be undone too. All others are people's. */
const derivedCauses = ['payment', 'load', 'reversal', 'block', 'hole']
/** Settings that would judge the documents of earlier days by what holds now, and the one whose presence says that a store is whole. */
const settingsAtTheEnd = ['currency', 'terminalKeyVersionEnded']
const pageRows = 500
const differencesShownMax = 20

export interface RebuildProgress {
  readonly documents: number
  readonly documentsTotal: number
}

export interface Rebuilt {
  readonly documents: number
  readonly transfers: number
  readonly trialBalanceMinor: number
  /** Sentences; none: to the cent the same. */
  readonly differences: readonly string[]
}

const rowsOf = async (db: StoreReader, query: ReturnType<typeof sql<Row>>): Promise<readonly Row[]> =>
  (await query.execute(db)).rows

const pagesOf = async function* (store: Store, { table, key }: Copied): AsyncGenerator<readonly Row[]> {
  const order = sql.join(key.map((column) => sql.ref(column)))
  for (let at = 0; ; at += pageRows) {
    const page = await store.read((db) =>
      rowsOf(db, sql<Row>`SELECT * FROM ${sql.table(table)} ORDER BY ${order} LIMIT ${pageRows} OFFSET ${at}`),
    )
    if (page.length > 0) yield page
    if (page.length < pageRows) return
  }
}

/** As many rows at once as either database takes values in one statement. */
const insertAll = async (db: StoreWriter, table: string, rows: readonly Row[]): Promise<void> => {
  const columns = Object.keys(rows[0] ?? {})
  const step = Math.max(1, Math.floor(10_000 / Math.max(1, columns.length)))
  for (let at = 0; at < rows.length; at += step) {
    const values = rows
      .slice(at, at + step)
      .map((row) => sql`(${sql.join(columns.map((column) => sql`${row[column]}`))})`)
    await sql`INSERT INTO ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
      VALUES ${sql.join(values)}`.execute(db)
  }
}

/** A row as it was before any document came; undefined: it comes later. */
const asBefore = (table: string, row: Row): Row | undefined => {
  switch (table) {
    case 'setting':
      return settingsAtTheEnd.includes(String(row.key)) || row.key === 'storeId' ? undefined : row
    case 'account':
      return { ...row, balance_minor: 0 }
    case 'card':
      return { ...row, mark: 0, balance_minor: 0, status: 'active' }
    case 'funding':
      return { ...row, state: 'open', used_order: null, used_card_no: null, used_counter: null, used_at: null }
    default:
      return row
  }
}

const copyTable = async (from: Store, to: Store, given: Copied, change = asBefore): Promise<void> => {
  for await (const page of pagesOf(from, given)) {
    const rows = page.map((row) => change(given.table, row)).filter((row) => row !== undefined)
    if (rows.length > 0) await to.write((db) => insertAll(db, given.table, rows))
  }
}

type Event =
  | { readonly kind: 'batch'; readonly at: number; readonly batchPk: number }
  | { readonly kind: 'load'; readonly at: number; readonly requestHash: Uint8Array }
  | { readonly kind: 'claim'; readonly at: number; readonly claimHash: Uint8Array }
  | { readonly kind: 'item'; readonly at: number; readonly addedAt: number }
  | { readonly kind: 'posting'; readonly at: number; readonly transferNo: number }
  | { readonly kind: 'day'; readonly at: number; readonly day: string }
  | { readonly kind: 'period'; readonly at: number; readonly periodNo: number }

interface Placed {
  /** In the order of the first bookings; what booked nothing comes after what was booked before its time. */
  readonly place: number
  readonly event: Event
}

const number = (value: unknown): number => Number(value ?? 0)

/** The whole history in order, without its bytes. */
const readHistory = (from: Store): Promise<readonly Event[]> =>
  from.read(async (db) => {
    const firsts = new Map(
      (
        await rowsOf(
          db,
          sql<Row>`SELECT document, min(transfer_no) AS first FROM transfer
            WHERE cause IN (${sql.join(derivedCauses.flatMap((cause) => [cause, `${cause}, undone`]))}) GROUP BY document`,
        )
      ).map((row) => [String(row.document), number(row.first)]),
    )
    const booked = (
      await rowsOf(
        db,
        sql<Row>`SELECT booked_at, max(transfer_no) AS last FROM transfer GROUP BY booked_at ORDER BY booked_at`,
      )
    ).map((row) => ({ at: number(row.booked_at), last: number(row.last) }))
    let highest = 0
    const lastBy = booked.map(({ at, last }) => {
      highest = Math.max(highest, last)
      return { at, last: highest }
    })
    /** After everything that was booked until then. */
    const after = (at: number): number => {
      let low = 0
      let high = lastBy.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((lastBy[middle]?.at ?? 0) <= at) low = middle + 1
        else high = middle
      }
      return (lastBy[low - 1]?.last ?? 0) + 0.5
    }
    const placed: Placed[] = []
    const add = (event: Event, place: number | undefined) => placed.push({ place: place ?? after(event.at), event })
    for (const row of await rowsOf(db, sql<Row>`SELECT DISTINCT added_at FROM item_version`)) {
      const at = number(row.added_at)
      // Before all that came in its second: what is sold was published before.
      add({ kind: 'item', at, addedAt: at }, after(at - 1) + 0.1)
    }
    for (const row of await rowsOf(
      db,
      sql<Row>`SELECT batch_pk, terminal_id, batch.epoch, batch_no, received_at FROM batch
        JOIN terminal ON terminal.terminal_no = batch.terminal_no ORDER BY batch_pk`,
    ))
      add(
        { kind: 'batch', at: number(row.received_at), batchPk: number(row.batch_pk) },
        firsts.get(`batch ${row.terminal_id}/${row.epoch}/${row.batch_no}`),
      )
    for (const row of await rowsOf(
      db,
      sql<Row>`SELECT request_hash, load_authorisation.order_bytes, load_request.received_at, terminal_id, load_request.bytes
        FROM load_request
        LEFT JOIN load_authorisation ON load_authorisation.order_bytes = substr(load_request.bytes, 29, 60)
        LEFT JOIN terminal ON terminal.terminal_no = load_authorisation.terminal_no
        WHERE verdict = 'authorised' ORDER BY load_request.received_at`,
    )) {
      const order = Buffer.from(row.order_bytes as Uint8Array)
      add(
        { kind: 'load', at: number(row.received_at), requestHash: row.request_hash as Uint8Array },
        firsts.get(`load ${row.terminal_id}/${order.readUInt32BE(20)}`),
      )
    }
    for (const row of await rowsOf(db, sql<Row>`SELECT claim_hash, received_at FROM claim ORDER BY received_at`)) {
      const claimHash = row.claim_hash as Uint8Array
      const name = `claim ${Buffer.from(claimHash).toString('hex', 0, 8)}`
      add({ kind: 'claim', at: number(row.received_at), claimHash }, firsts.get(name))
    }
    for (const row of await rowsOf(
      db,
      sql<Row>`SELECT transfer_no, booked_at FROM transfer WHERE period_no IS NULL
        AND cause NOT IN (${sql.join(derivedCauses.flatMap((cause) => [cause, `${cause}, undone`]))})`,
    )) {
      const transferNo = number(row.transfer_no)
      add({ kind: 'posting', at: number(row.booked_at), transferNo }, transferNo)
    }
    for (const row of await rowsOf(
      db,
      sql<Row>`SELECT period.period_no, closed_at, min(transfer_no) AS first FROM period
        LEFT JOIN transfer ON transfer.period_no = period.period_no GROUP BY period.period_no, closed_at ORDER BY period.period_no`,
    ))
      add(
        { kind: 'period', at: number(row.closed_at), periodNo: number(row.period_no) },
        row.first === null ? after(number(row.closed_at)) + 0.2 : number(row.first),
      )
    let closedUpTo = 0
    for (const row of await rowsOf(
      db,
      sql<Row>`SELECT day, closed_at, (SELECT max(transfer_no) FROM transfer WHERE business_day <= closed_day.day) AS last
        FROM closed_day ORDER BY day`,
    )) {
      closedUpTo = Math.max(closedUpTo, number(row.last))
      add({ kind: 'day', at: number(row.closed_at), day: String(row.day) }, closedUpTo + 0.1)
    }
    return placed.toSorted((a, b) => a.place - b.place || a.event.at - b.event.at).map(({ event }) => event)
  })

const one = async (store: Store, query: ReturnType<typeof sql<Row>>): Promise<Row> => {
  const [row] = await store.read((db) => rowsOf(db, query))
  if (row === undefined) throw new Error('a row of the history is gone')
  return row
}

const copyWhere = async (
  from: Store,
  db: StoreWriter,
  table: string,
  where: ReturnType<typeof sql>,
): Promise<readonly Row[]> => {
  const rows = await from.read((reader) => rowsOf(reader, sql<Row>`SELECT * FROM ${sql.table(table)} WHERE ${where}`))
  await insertAll(db, table, rows)
  return rows
}

/** A person's booking, as it was. */
const repost = async (from: Store, db: StoreWriter, where: ReturnType<typeof sql>): Promise<void> => {
  const rows = await from.read((reader) =>
    rowsOf(reader, sql<Row>`SELECT * FROM transfer WHERE ${where} ORDER BY transfer_no`),
  )
  await insertAll(
    db,
    'transfer',
    rows.map(({ transfer_no: _, ...row }) => row),
  )
  const changes = new Map<number, number>()
  for (const row of rows) {
    const change = (account: number, byMinor: number) => changes.set(account, (changes.get(account) ?? 0) + byMinor)
    change(number(row.from_account), -number(row.amount_minor))
    change(number(row.to_account), number(row.amount_minor))
  }
  for (const [account, byMinor] of [...changes].toSorted(([a], [b]) => a - b))
    await db
      .updateTable('account')
      .set((eb) => ({ balance_minor: eb('balance_minor', '+', byMinor) }))
      .where('account_no', '=', account)
      .execute()
}

const sameBytes = (answer: Uint8Array, archived: unknown): boolean =>
  equalBytes(Uint8Array.from(answer), Uint8Array.from(archived as Uint8Array))

interface Replay {
  readonly from: Store
  readonly to: Issuer
  readonly setTime: (at: number) => void
}

/** @returns a sentence where the answer is not what it was the first time */
const replay = async ({ from, to, setTime }: Replay, event: Event): Promise<string | undefined> => {
  setTime(event.at)
  switch (event.kind) {
    case 'item':
      await to.store.write((db) => copyWhere(from, db, 'item_version', sql`added_at = ${event.addedAt}`))
      return undefined
    case 'batch': {
      const row = await one(from, sql<Row>`SELECT * FROM batch WHERE batch_pk = ${event.batchPk}`)
      // As it was when the batch came: an epoch that has ended since was not over.
      await to.store.write((db) =>
        db
          .updateTable('terminal')
          .set({ epoch: number(row.epoch) })
          .where('terminal_no', '=', number(row.terminal_no))
          .execute(),
      )
      const result = await ingestBatch(to, Uint8Array.from(row.bytes as Uint8Array))
      const same = 'ack' in result && sameBytes(result.ack, row.ack)
      return same
        ? undefined
        : `batch ${row.epoch}/${row.batch_no} of terminal ${row.terminal_no} is answered differently`
    }
    case 'load': {
      const row = await one(from, sql<Row>`SELECT * FROM load_request WHERE request_hash = ${event.requestHash}`)
      const result = await authoriseLoad(to, Uint8Array.from(row.bytes as Uint8Array))
      const same = 'answer' in result && sameBytes(result.answer, row.answer)
      return same ? undefined : `the load of ${isoTime(event.at)} is answered differently`
    }
    case 'claim': {
      const row = await one(from, sql<Row>`SELECT bytes FROM claim WHERE claim_hash = ${event.claimHash}`)
      await settleClaim(to, Uint8Array.from(row.bytes as Uint8Array), to.clock())
      return undefined
    }
    case 'posting':
      await to.store.write((db) => repost(from, db, sql`transfer_no = ${event.transferNo}`))
      return undefined
    case 'period':
      await to.store.write(async (db) => {
        await repost(from, db, sql`period_no = ${event.periodNo}`)
        await copyWhere(from, db, 'period', sql`period_no = ${event.periodNo}`)
      })
      return undefined
    case 'day':
      await to.store.write(async (db) => {
        for (const table of ['closed_day_posting', 'closed_day_balance', 'closed_day'])
          await copyWhere(from, db, table, sql`day = ${event.day}`)
      })
      return undefined
  }
}

/** What people decided, and what holds now; load requests that were refused are kept with their answers. */
const finish = async (from: Store, to: Store): Promise<void> => {
  await to.write(async (db) => {
    await db.deleteFrom('alarm').execute()
  })
  for (const given of givenAfter) await copyTable(from, to, given, (_, row) => row)
  await copyTable(from, to, copied('load_request', 'request_hash'), (_, row) =>
    row.verdict === 'authorised' ? undefined : row,
  )
  for await (const page of pagesOf(from, copied('card', 'card_no')))
    await to.write(async (db) => {
      for (const row of page)
        if (row.status !== 'active')
          await sql`UPDATE card SET status = ${row.status} WHERE card_no = ${row.card_no}`.execute(db)
    })
  for await (const page of pagesOf(from, copied('terminal', 'terminal_no')))
    await to.write(async (db) => {
      for (const row of page)
        await sql`UPDATE terminal SET epoch = ${row.epoch}, key_version = ${row.key_version}
          WHERE terminal_no = ${row.terminal_no}`.execute(db)
    })
  for await (const page of pagesOf(from, copied('funding', 'funding_no')))
    await to.write(async (db) => {
      for (const row of page)
        await sql`UPDATE funding SET state = ${row.state}, used_order = ${row.used_order}, used_card_no = ${row.used_card_no},
          used_counter = ${row.used_counter}, used_at = ${row.used_at} WHERE funding_no = ${row.funding_no}`.execute(db)
    })
  for await (const page of pagesOf(from, copied('money_back', 'card_no', 'counter')))
    await to.write(async (db) => {
      for (const row of page)
        await sql`UPDATE settlement SET money_back_at = ${row.decided_at}
          WHERE card_no = ${row.card_no} AND counter = ${row.counter}`.execute(db)
    })
}

/** In PostgreSQL a number that is given does not move the counter that gives the next one. */
const moveCounters = async (store: Store): Promise<void> => {
  if (store.kind !== 'postgres') return
  await store.write(async (db) => {
    const columns = await rowsOf(
      db,
      sql<Row>`SELECT table_name, column_name FROM information_schema.columns
        WHERE is_identity = 'YES' AND table_schema = current_schema()`,
    )
    for (const { table_name, column_name } of columns) {
      const table = sql.table(String(table_name))
      await sql`SELECT setval(pg_get_serial_sequence(${table_name}, ${column_name}),
        (SELECT coalesce(max(${sql.ref(String(column_name))}), 0) + 1 FROM ${table}), false)`.execute(db)
    }
  })
}

/** What must be the same to the cent, each as lines of text. */
const figures = {
  'the balance of an account': sql<Row>`SELECT account_no, balance_minor FROM account ORDER BY account_no`,
  'what an account moved on a day': sql<Row>`
    SELECT account_no, business_day, sum(minor) AS minor FROM (
      SELECT to_account AS account_no, business_day, amount_minor AS minor FROM transfer
      UNION ALL SELECT from_account, business_day, -amount_minor FROM transfer
    ) AS moved GROUP BY account_no, business_day HAVING sum(minor) <> 0 ORDER BY account_no, business_day`,
  'a card': sql<Row>`SELECT card_no, card_id, mark, balance_minor, status FROM card ORDER BY card_no`,
  'a card’s float': sql<Row>`
    SELECT card_no, sum(minor) AS minor FROM (
      SELECT card_no, amount_minor AS minor FROM transfer JOIN account ON account_no = to_account WHERE kind = 'float'
      UNION ALL SELECT card_no, -amount_minor FROM transfer JOIN account ON account_no = from_account WHERE kind = 'float'
    ) AS moved WHERE card_no IS NOT NULL GROUP BY card_no ORDER BY card_no`,
  'what is settled of a terminal': sql<Row>`
    SELECT terminal_no, order_type, coalesce(exception, '') AS exception, count(*) AS settled, sum(amount_minor) AS minor
    FROM settlement GROUP BY terminal_no, order_type, coalesce(exception, '') ORDER BY 1, 2, 3`,
  'a hole': sql<Row>`SELECT card_no, after_counter, before_counter, net_minor, explanation FROM seam ORDER BY 1, 2`,
  'an exception': sql<Row>`
    SELECT terminal_no, epoch, batch_no, entry, reason FROM entry_exception ORDER BY terminal_no, epoch, batch_no, entry`,
  'a journal': sql<Row>`SELECT terminal_no, epoch, journal_no, first_entry, entry_count FROM journal ORDER BY 1, 2, 3`,
  'a refund that a terminal asked for': sql<Row>`
    SELECT terminal_no, card_id, counter, amount_minor, state FROM device_refund ORDER BY 1, 2, 3`,
  'a load': sql<Row>`SELECT card_no, counter, amount_minor, state FROM load_authorisation ORDER BY 1, 2, 3, 4`,
}

const linesOf = async (store: Store, query: ReturnType<typeof sql<Row>>): Promise<readonly string[]> =>
  (await store.read((db) => rowsOf(db, query))).map((row) => Object.values(row).join(' '))

const compare = async (from: Store, to: Store): Promise<string[]> => {
  const differences: string[] = []
  for (const [what, query] of Object.entries(figures)) {
    const before = new Set(await linesOf(from, query))
    const after = new Set(await linesOf(to, query))
    for (const line of before) if (!after.has(line)) differences.push(`${what} is not there: ${line}`)
    for (const line of after) if (!before.has(line)) differences.push(`${what} is new: ${line}`)
  }
  return differences
}

const isThere = (place: string): Promise<boolean> =>
  stat(place).then(
    () => true,
    () => false,
  )

/**
 * @param from the store whose documents are replayed; nothing in it is changed
 * @param toUrl where the new one is to be: there must be none
 * @throws IssuerError `storeExists`, `storeUrl`
 */
export const rebuild = async (
  from: Issuer,
  toUrl: string,
  onProgress: (progress: RebuildProgress) => void = () => undefined,
): Promise<Rebuilt> => {
  const plan = await planStore(toUrl)
  if (await isThere(plan.files.keys))
    throw new IssuerError(
      'storeExists',
      `There are keys at ${plan.files.keys} already: move them away, or choose another store.`,
    )
  await mkdir(path.dirname(plan.files.keys), { recursive: true })
  await copyFile(from.store.files.keys, plan.files.keys)
  let store: Store
  try {
    store = await plan.create()
  } catch (error) {
    await rm(plan.files.keys)
    throw error
  }
  try {
    if (await isThere(from.store.files.goods)) await cp(from.store.files.goods, plan.files.goods, { recursive: true })
    for (const given of givenBefore) await copyTable(from.store, store, given)
    let time: UnixTime = unixTime(0)
    const keys = openKeys(plan.files.keys)
    const to: Issuer = { ...from, store, keys, proofs: keys.proofs, intake: newBatchIntake(), clock: () => time }
    const history = await readHistory(from.store)
    const isDocument = ({ kind }: Event) => kind === 'batch' || kind === 'load' || kind === 'claim'
    const documentsTotal = history.filter(isDocument).length
    const differences: string[] = []
    let documents = 0
    for (const event of history) {
      const setTime = (at: number) => {
        time = unixTime(at)
      }
      const difference = await replay({ from: from.store, to, setTime }, event)
      if (difference !== undefined) differences.push(difference)
      if (!isDocument(event)) continue
      documents += 1
      onProgress({ documents, documentsTotal })
    }
    await finish(from.store, store)
    await moveCounters(store)
    differences.push(...(await compare(from.store, store)), ...(await auditBooks({ ...to, clock: from.clock })))
    const { transfers } = await store.read((db) =>
      db
        .selectFrom('transfer')
        .select((eb) => eb.fn.countAll<number>().as('transfers'))
        .executeTakeFirstOrThrow(),
    )
    const balance = await store.read((db) =>
      db
        .selectFrom('account')
        .select((eb) => eb.fn.sum<number>('balance_minor').as('minor'))
        .executeTakeFirstOrThrow(),
    )
    // Whoever opens it from now on finds it whole.
    if (differences.length === 0)
      await copyTable(from.store, store, copied('setting', 'key'), (_, row) =>
        settingsAtTheEnd.includes(String(row.key)) ? row : undefined,
      )
    return {
      documents,
      transfers,
      trialBalanceMinor: Number(balance.minor ?? 0),
      differences: differences.slice(0, differencesShownMax),
    }
  } finally {
    await store.close()
  }
}
