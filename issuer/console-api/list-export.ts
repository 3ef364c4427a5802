/** Lists as CSV (RFC 4180): all rows with the list's filters, page by page, as they are read. */
import * as v from 'valibot'
import { type Cell, csvTable } from './csv.ts'
import type { ConsoleRoute, Download, RouteContext, Visit } from './route.ts'

/** Rows read at once; the page that a person sees has fewer. */
const rowsAtOnce = 1000
const rowsMax = 5_000_000

const pageShape = v.object({ rows: v.array(v.record(v.string(), v.unknown())), next: v.optional(v.string()) })

const cellOf = (value: unknown): Cell => {
  if (value === undefined || value === null) return undefined
  return typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value)
}

interface Objects extends v.GenericSchema {
  readonly entries: Readonly<Record<string, v.GenericSchema>>
}
const hasEntries = (schema: unknown): schema is Objects =>
  typeof schema === 'object' && schema !== null && 'entries' in schema

/** @returns the columns of a list's rows; undefined: this route is no list, or makes its own file */
export const listColumns = ({ method, input, output }: ConsoleRoute): readonly string[] | undefined => {
  if (method !== 'GET' || (hasEntries(input) && 'format' in input.entries)) return undefined
  if (!hasEntries(output) || !('next' in output.entries)) return undefined
  const rows: unknown = output.entries.rows
  if (typeof rows !== 'object' || rows === null || !('item' in rows) || !hasEntries(rows.item)) return undefined
  return Object.keys(rows.item.entries)
}

/** @param columns of `listColumns` */
export const csvOf = (
  listed: ConsoleRoute,
  columns: readonly string[],
  context: RouteContext<unknown>,
  visit: Visit,
): Download => {
  const input = { ...(context.input as object), limit: rowsAtOnce, after: undefined }
  const pages = async function* () {
    const { head, lineOf } = csvTable(columns, context.issuer.book.currency)
    yield head
    let after: string | undefined
    for (let rows = 0; rows < rowsMax; ) {
      const answer = await listed.handle({ ...context, input: { ...input, after } }, visit)
      const page = v.parse(pageShape, answer)
      yield page.rows.map((row) => lineOf(columns.map((column) => cellOf(row[column])))).join('')
      if (page.next === undefined) return
      rows += page.rows.length
      after = page.next
    }
    // Rather a file that breaks off than one that passes for the whole.
    throw new Error(`the list ${listed.path} has more than ${rowsMax} rows`)
  }
  const text = pages()
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await text.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      cancel: async () => {
        await text.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
  const name = listed.path.replaceAll(/[^a-z0-9]+/gi, '-').replaceAll(/^-+|-+$/g, '')
  return { mediaType: 'text/csv; charset=utf-8; header=present', fileName: `${name}.csv`, body }
}
