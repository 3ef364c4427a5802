import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bench, openBench } from '../test-support.ts'
import { answerList, countedMax, countRows, type Paging, readPage } from './paging.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

type Row = readonly [key: number, value: number]

/** The rows as a table that lives as long as the statement. */
const tableOf = (rows: readonly Row[]) =>
  sql<{ id: number; rank: number }>`(VALUES ${sql.join(
    [[-1, 0] as const, ...rows].map(([key, value]) => sql`(${sql.lit(key)}, ${sql.lit(value)})`),
  )})`

const queryOf = (rows: readonly Row[]) => (db: Parameters<typeof countRows>[0]) =>
  db
    .selectFrom(
      sql<{ id: number; rank: number }>`(SELECT column1 AS id, column2 AS rank FROM ${tableOf(rows)} AS all_rows)`.as(
        'listed',
      ),
    )
    .select(['id', 'rank'])
    .where('id', '>=', 0)

const walk = async (rows: readonly Row[], paging: Omit<Paging, 'after'>) => {
  const seen: (readonly [number, number])[] = []
  let after: string | undefined
  for (let pages = 0; pages <= rows.length; pages += 1) {
    const page = await bench.issuer.store.read((db) =>
      readPage(queryOf(rows)(db), { column: 'rank', key: 'id' }, { ...paging, after }),
    )
    expect(page.rows.length).toBeLessThanOrEqual(paging.limit)
    seen.push(...page.rows.map(({ id, rank }) => [Number(id), Number(rank)] as const))
    if (page.next === undefined) return seen
    expect(page.rows).toHaveLength(paging.limit)
    after = page.next
  }
  throw new Error('more pages than rows')
}

describe('a list', () => {
  test('walked page by page is the whole list in its order, whatever the size of a page and however many are equal', async () => {
    const rows = fc.uniqueArray(fc.tuple(fc.nat(500), fc.integer({ min: -3, max: 3 })), {
      selector: ([key]) => key,
      maxLength: 30,
    })
    const direction = fc.constantFrom('ascending' as const, 'descending' as const)
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 8 }), direction, async (all, limit, way) => {
        const sign = way === 'ascending' ? 1 : -1
        const ordered = all.toSorted(([a, x], [b, y]) => sign * (x - y || a - b))
        expect(await walk(all, { sort: 'rank', direction: way, limit })).toEqual(ordered)
      }),
      { numRuns: 40 },
    )
  })

  test('refuses the place of another sorting, and what is no place at all', async () => {
    const rows: Row[] = [
      [1, 1],
      [2, 2],
    ]
    const read = (paging: Paging) =>
      bench.issuer.store.read((db) => readPage(queryOf(rows)(db), { column: 'rank', key: 'id' }, paging))
    const { next } = await read({ sort: 'rank', direction: 'ascending', limit: 1 })
    await expect(read({ sort: 'rank', direction: 'descending', limit: 1, after: next })).rejects.toMatchObject({
      code: 'input',
    })
    await expect(read({ sort: 'id', direction: 'ascending', limit: 1, after: next })).rejects.toMatchObject({
      code: 'input',
    })
    for (const after of ['', 'x', 'bnVsbA', Buffer.from('["rank","ascending",{},1]').toString('base64url')])
      await expect(read({ sort: 'rank', direction: 'ascending', limit: 1, after })).rejects.toMatchObject({
        code: 'input',
      })
  })

  test.each([
    ['text', 1],
    [1, 'text'],
    ['a\0b', 1],
  ])('refuses the made-up place (%j, %j) where the database does not compare it, and nowhere breaks', async (...of) => {
    const after = Buffer.from(JSON.stringify(['rank', 'ascending', ...of])).toString('base64url')
    const paging: Paging = { sort: 'rank', direction: 'ascending', limit: 1, after }
    const page = bench.issuer.store.read((db) => readPage(queryOf([[1, 1]])(db), { column: 'rank', key: 'id' }, paging))
    if (bench.issuer.store.kind === 'postgres') await expect(page).rejects.toMatchObject({ code: 'input' })
    else await expect(page).resolves.toMatchObject({ rows: expect.any(Array) })
  })

  test('is counted up to a bound', async () => {
    const rows = Array.from({ length: 5 }, (_, key): Row => [key, key])
    expect(await bench.issuer.store.read((db) => countRows(db, queryOf(rows)(db)))).toBe(5)
    const many = Array.from({ length: countedMax + 1 }, (_, key): Row => [key, key])
    expect(await bench.issuer.store.read((db) => countRows(db, queryOf(many)(db)))).toBeUndefined()
  })

  test('is exported whole, over more pages than one, with cells that no spreadsheet runs', async () => {
    const rows = Array.from({ length: 2_345 }, (_, key): Row => [key, key % 7])
    const file = await answerList(
      bench.issuer,
      { sort: 'rank', direction: 'ascending', limit: 50, format: 'csv' },
      {
        select: queryOf(rows),
        sorts: { rank: 'rank' },
        key: 'id',
        show: (found) => found.map(({ id }) => Number(id)),
        csv: { fileName: 'rows', columns: { amountMinor: (id) => id, text: (id) => `=${id}` } },
      },
    )
    if (!('body' in file)) throw new Error('no file')
    const bytes = await new Response(file.body).bytes()
    // The mark by which spreadsheets know UTF-8.
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
    const lines = new TextDecoder().decode(bytes).split('\r\n')
    expect(lines[0]).toBe('amount_minor,text,currency')
    expect(lines[1]).toBe("0,'=0,EUR")
    const ids = lines.slice(1, -1).map((line) => Number(line.split(',')[0]))
    expect(ids.toSorted((a, b) => a - b)).toEqual(rows.map(([key]) => key))
  })
})
