/**
 * Lists over very many rows: keyset paging over (sort column, key). A page costs the same wherever it begins, given an
 * index over both columns; nothing is counted beyond a bound; an export streams page after page in bounded memory.
 */
import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import { pageRowsMax } from '../console-contract/list.ts'
import { IssuerError } from '../errors.ts'
import type { Issuer } from '../issuer.ts'
import type { StoreReader } from '../store.ts'
import { type Cell, csvTable } from './csv.ts'
import type { Download } from './route.ts'

/** Rows that are counted at most: of more, a list does not say how many there are. */
export const countedMax = 10_000
const exportPageRows = 1000

export type Direction = 'ascending' | 'descending'

/** What a list's query says of paging (console-contract/list.ts). */
export interface Paging<Sort extends string = string> {
  readonly sort: Sort
  readonly direction: Direction
  readonly limit: number
  readonly after?: string | undefined
}

type SortValue = string | number

interface Place {
  readonly value: SortValue
  readonly key: SortValue
}

/** Cursors are opaque to the page, and no secret: whoever changes one sees another part of the same list. */
const encodePlace = ({ sort, direction }: Omit<Paging, 'limit'>, { value, key }: Place): string =>
  Buffer.from(JSON.stringify([sort, direction, value, key])).toString('base64url')

const isSortValue = (value: unknown): value is SortValue => typeof value === 'string' || Number.isSafeInteger(value)

const otherSorting = (): IssuerError =>
  new IssuerError('input', 'This page belongs to another sorting of the list: begin at its first page.')

/** PostgreSQL's way to say that a made-up place is not of the column's type (class 22); SQLite compares all with all. */
const isOfOtherType = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^22...$/.test(error.code)

/** @throws IssuerError `input` */
const decodePlace = ({ sort, direction, after }: Omit<Paging, 'limit'>): Place | undefined => {
  if (after === undefined) return undefined
  try {
    const read: unknown = JSON.parse(Buffer.from(after, 'base64url').toString('utf8'))
    if (Array.isArray(read) && read[0] === sort && read[1] === direction) {
      const [value, key]: unknown[] = read.slice(2)
      if (isSortValue(value) && isSortValue(key)) return { value, key }
    }
  } catch {
    // Not even JSON: refused below.
  }
  throw otherSorting()
}

/** A column such as "batch.received_at", or an expression. */
export type SortColumn = string | RawBuilder<unknown>

/** What a list is sorted by, and a unique column that decides between equals. Neither is ever NULL; both are text or whole numbers. */
export interface Order {
  readonly column: SortColumn
  readonly key: SortColumn
}

export interface Page<Row> {
  readonly rows: Row[]
  /** `after` of the next page; absent: this is the last. */
  readonly next?: string
}

const inSql = (column: SortColumn): RawBuilder<unknown> => (typeof column === 'string' ? sql.ref(column) : column)

/**
 * One page of a query that has its filters, and no order yet.
 * @throws IssuerError `input`: `after` is not of this list as it is sorted now
 */
export const readPage = async <DB, TB extends keyof DB, Row>(
  query: SelectQueryBuilder<DB, TB, Row>,
  order: Order,
  paging: Paging,
): Promise<Page<Row>> => {
  const place = decodePlace(paging)
  const [column, key] = [inSql(order.column), inSql(order.key)]
  const [beyond, way] = paging.direction === 'ascending' ? (['>', 'asc'] as const) : (['<', 'desc'] as const)
  const beginning =
    place === undefined
      ? query
      : query.where(sql<boolean>`(${column}, ${key}) ${sql.raw(beyond)} (${place.value}, ${place.key})`)
  const found: readonly (Row & { page_value: SortValue; page_key: SortValue })[] = await beginning
    .select([sql<SortValue>`${column}`.as('page_value'), sql<SortValue>`${key}`.as('page_key')])
    .orderBy(column, way)
    .orderBy(key, way)
    .limit(paging.limit + 1)
    .$castTo<Row & { readonly page_value: SortValue; readonly page_key: SortValue }>()
    .execute()
    .catch((error: unknown) => {
      throw place !== undefined && isOfOtherType(error) ? otherSorting() : error
    })
  const rows: Row[] = found.slice(0, paging.limit)
  const last = found[paging.limit - 1]
  if (found.length <= paging.limit || last === undefined) return { rows }
  return { rows, next: encodePlace(paging, { value: last.page_value, key: last.page_key }) }
}

/** @returns how many rows there are; undefined: more than `countedMax` */
export const countRows = async <DB, TB extends keyof DB, Row>(
  db: StoreReader,
  query: SelectQueryBuilder<DB, TB, Row>,
): Promise<number | undefined> => {
  const some = query
    .clearSelect()
    .select(sql`1`.as('one'))
    .limit(countedMax + 1)
  const { rows } = await sql<{ rows: number | string }>`SELECT count(*) AS rows FROM ${some} AS counted`.execute(db)
  const counted = Number(rows[0]?.rows ?? 0)
  return counted > countedMax ? undefined : counted
}

/** How a list of the console is made. */
export interface List<DB, TB extends keyof DB, Row, Shown, Sort extends string> {
  /** The rows with the filters of the query, and no order. */
  readonly select: (db: StoreReader) => SelectQueryBuilder<DB, TB, Row>
  readonly sorts: Readonly<Record<Sort, SortColumn>>
  /** Unique, and never NULL. */
  readonly key: SortColumn
  /** One row as it goes out; `db` serves what is looked up for a whole page. */
  readonly show: (rows: readonly Row[], db: StoreReader) => Shown[] | Promise<Shown[]>
  /** Of an export of its own (`exportFormat`): the file's name without its ending, and the columns (`csvTable`). */
  readonly csv?: { readonly fileName: string; readonly columns: Readonly<Record<string, (row: Shown) => Cell>> }
}

const streamCsv = <Shown>(
  { columns, currency }: { columns: Readonly<Record<string, (row: Shown) => Cell>>; currency: string },
  readNext: (after: string | undefined) => Promise<Page<Shown>>,
): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder()
  const { head, lineOf } = csvTable(Object.keys(columns), currency)
  let after: string | undefined
  let begun = false
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const page = await readNext(after)
      const lines = page.rows.map((row) => lineOf(Object.values(columns).map((cell) => cell(row))))
      controller.enqueue(encoder.encode((begun ? '' : head) + lines.join('')))
      begun = true
      after = page.next
      if (after === undefined) controller.close()
    },
  })
}

/**
 * Answers a list's route: a page as JSON, or with `format=csv` all rows with the same filters and sorting as a file.
 * @throws IssuerError `input`: `after` is not of this list as it is sorted now
 */
export const answerList = async <DB, TB extends keyof DB, Row, Shown, Sort extends string>(
  { store, book }: Issuer,
  input: Paging<Sort> & { readonly format?: 'csv' | undefined },
  list: List<DB, TB, Row, Shown, Sort>,
): Promise<(Page<Shown> & { readonly total?: number }) | Download> => {
  const order: Order = { column: list.sorts[input.sort], key: list.key }
  const read = async (db: StoreReader, paging: Paging): Promise<Page<Shown>> => {
    const { rows, ...rest } = await readPage(list.select(db), order, paging)
    return { ...rest, rows: await list.show(rows, db) }
  }
  const { csv } = list
  if (csv !== undefined && input.format === 'csv') {
    // Each page is a transaction of its own: a slow reader holds up nobody.
    const readNext = (after: string | undefined) =>
      store.read((db) => read(db, { ...input, limit: exportPageRows, after }))
    return {
      mediaType: 'text/csv; charset=utf-8',
      fileName: `${csv.fileName}.csv`,
      body: streamCsv({ columns: csv.columns, currency: book.currency }, readNext),
    }
  }
  return store.read(async (db) => {
    const page = await read(db, input)
    // The adapter's export reads in larger pages, and nobody sees its total.
    if (input.limit > pageRowsMax) return page
    const total = await countRows(db, list.select(db))
    return { ...page, ...(total === undefined ? {} : { total }) }
  })
}
