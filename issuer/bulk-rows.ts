/**
 * Many rows in few statements whose text does not change with the values, so that they are prepared once: in SQLite rows of
 * placeholders, in PostgreSQL one array for each column.
 */
import { CompiledQuery, type Insertable, PostgresAdapter, type RawBuilder, type Selectable, sql } from 'kysely'
import type { StoreReader, StoreWriter, Tables } from './store.ts'

type Cell = number | string | Uint8Array | null

/** Rows in one statement of SQLite: with them a row's share of the statement's own cost is small. */
const sqliteRowsMax = 500
const postgresRowsMax = 10_000

export const isPostgres = (db: Pick<StoreReader, 'getExecutor'>): boolean =>
  db.getExecutor().adapter instanceof PostgresAdapter

const literalOf = (cell: Cell): string => {
  if (cell === null) return 'NULL'
  if (typeof cell === 'number') return String(cell)
  if (typeof cell === 'string') return `"${cell.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  return `"\\\\x${Buffer.from(cell.buffer, cell.byteOffset, cell.length).toString('hex')}"`
}

/** As PostgreSQL writes an array: one parameter, whatever its length. */
const arrayOf = (cells: readonly Cell[]): string => `{${cells.map(literalOf).join(',')}}`

const arrayTypeOf = (sample: Cell): string => {
  if (sample instanceof Uint8Array) return 'bytea[]'
  return typeof sample === 'string' ? 'text[]' : 'bigint[]'
}

/** A list for `IN`, of any length but 0, as one parameter. */
export const listOf = <Value extends number | string>(
  db: Pick<StoreReader, 'getExecutor'>,
  values: readonly Value[],
): RawBuilder<Value> =>
  isPostgres(db)
    ? sql<Value>`(SELECT unnest(${arrayOf(values)}::${sql.raw(arrayTypeOf(values[0] ?? null))}))`
    : sql<Value>`(SELECT value FROM json_each(${JSON.stringify(values)}))`

/** Rows of one shape. */
interface Rows {
  readonly columns: readonly string[]
  readonly cells: readonly (readonly Cell[])[]
}

const rowsOf = (objects: readonly object[]): Rows => {
  const columns = Object.keys(objects[0] ?? {})
  return { columns, cells: objects.map((object) => Object.values(object)) }
}

interface Source {
  readonly text: string
  readonly parameters: readonly unknown[]
}

const placeholders = new Map<string, string>()

/** `(?, ?), (?, ?)` */
const placeholdersOf = (columns: number, rows: number): string => {
  const key = `${columns}/${rows}`
  const known = placeholders.get(key)
  if (known !== undefined) return known
  const row = `(${Array.from({ length: columns }, () => '?').join(', ')})`
  const made = Array.from({ length: rows }, () => row).join(', ')
  placeholders.set(key, made)
  return made
}

const inSqlite = ({ columns, cells }: Rows): Source => ({
  text: `VALUES ${placeholdersOf(columns.length, cells.length)}`,
  parameters: cells.flat(),
})

const inPostgres = ({ columns, cells }: Rows): Source => {
  const parameters: string[] = []
  const arrays: string[] = []
  const selected = columns.map((name, index) => {
    const column = cells.map((row) => row[index] ?? null)
    const sample = column.find((cell) => cell !== null)
    // A column that is empty in every row has no type of its own.
    if (sample === undefined) return `NULL AS ${name}`
    parameters.push(arrayOf(column))
    arrays.push(`$${parameters.length}::${arrayTypeOf(sample)}`)
    return `u${parameters.length} AS ${name}`
  })
  const names = parameters.map((_, index) => `u${index + 1}`)
  return {
    text: `SELECT ${selected.join(', ')} FROM unnest(${arrays.join(', ')}) AS u (${names.join(', ')})`,
    parameters,
  }
}

const inPortions = async (
  db: StoreWriter,
  objects: readonly object[],
  statement: (columns: readonly string[], source: string) => string,
): Promise<void> => {
  const [size, sourceOf] = isPostgres(db) ? [postgresRowsMax, inPostgres] : [sqliteRowsMax, inSqlite]
  for (let at = 0; at < objects.length; at += size) {
    const rows = rowsOf(objects.slice(at, at + size))
    const { text, parameters } = sourceOf(rows)
    await db.executeQuery(CompiledQuery.raw(statement(rows.columns, text), [...parameters]))
  }
}

/** @param rows all with the same columns in the same order */
export const insertRows = <Name extends keyof Tables>(
  db: StoreWriter,
  table: Name,
  rows: readonly Insertable<Tables[Name]>[],
): Promise<void> => inPortions(db, rows, (columns, source) => `INSERT INTO ${table} (${columns.join(', ')}) ${source}`)

/** Sets the other columns of the rows that `key` names. */
export const updateRows = <Name extends keyof Tables, Key extends keyof Selectable<Tables[Name]> & string>(
  db: StoreWriter,
  { table, key }: { readonly table: Name; readonly key: Key },
  rows: readonly (Partial<Selectable<Tables[Name]>> & Pick<Selectable<Tables[Name]>, Key>)[],
): Promise<void> =>
  inPortions(db, rows, (columns, source) => {
    const changes = columns.filter((name) => name !== key).map((name) => `${name} = changed.${name}`)
    return `WITH changed (${columns.join(', ')}) AS (${source}) UPDATE ${table} SET ${changes.join(', ')} FROM changed WHERE ${table}.${key} = changed.${key}`
  })
