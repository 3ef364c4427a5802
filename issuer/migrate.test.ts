/**
 * Books of every earlier version come forward with what is in them. Some days of sales with all their troubles are made by this
 * program; what a version had columns for is put into a store of that version, and this program's migrations must make of it what
 * this program itself had written.
 */
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unixTime } from '../protocol/quantities.ts'
import { auditBooks } from './audit.ts'
import { explain } from './explain/explain.ts'
import { createStore, type Issuer, openIssuer } from './issuer.ts'
import { migrations } from './migrations.ts'
import { report } from './report.ts'
import { planStore, type Store, storePath } from './store.ts'
import { makeDays } from './test-days.ts'
import { now, testStoreUrl } from './test-support.ts'

const newest = migrations.at(-1)?.version ?? 0
const earlier = migrations.map(({ version }) => version).filter((version) => version < newest)
/** Kinds of accounts that the first versions had. */
const firstKinds = ['float', 'payable', 'merchantCash', 'fees', 'suspense', 'holes']
/** Makes a store's own account of itself differ: not part of its books. */
const ownTables = ['migration', 'balanced', 'trial_balance']

/** A store's own id, the kinds' order of numbers, and dates of publications that nobody kept then. */
const differing = ['setting', 'account', 'version_sold']

type Row = Readonly<Record<string, unknown>>
type Rows = ReadonlyMap<string, readonly Row[]>

let folder: string
let source: Issuer
const world = { clock: () => now, randomBytes: (count: number) => new Uint8Array(randomBytes(count)) }

const columnsOf = async (store: Store): Promise<ReadonlyMap<string, readonly string[]>> => {
  const { rows } = await store.read((db) =>
    (store.kind === 'sqlite'
      ? sql<{ name: string; column: string }>`
          SELECT tables.name, columns.name AS "column" FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
          WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' ORDER BY tables.rowid, columns.cid`
      : sql<{ name: string; column: string }>`
          SELECT table_name AS name, column_name AS "column" FROM information_schema.columns
          JOIN pg_class ON pg_class.oid = table_name::regclass
          WHERE table_schema = 'public' ORDER BY pg_class.oid, ordinal_position`
    ).execute(db),
  )
  const grouped = Map.groupBy(rows, ({ name }) => name)
  return new Map(
    [...grouped]
      .filter(([name]) => !ownTables.includes(name))
      .map(([name, some]) => [name, some.map(({ column }) => column)]),
  )
}

const rowsOf = async (store: Store): Promise<Rows> => {
  const read = new Map<string, readonly Row[]>()
  for (const [table] of await columnsOf(store)) {
    const { rows } = await store.read((db) => sql<Row>`SELECT * FROM ${sql.table(table)}`.execute(db))
    read.set(table, rows)
  }
  return read
}

/** Each row as text, in an order that is not the database's. */
const comparable = (rows: Rows, tables: Iterable<string>) =>
  Object.fromEntries(
    [...tables].map((table) => [
      table,
      (rows.get(table) ?? [])
        .map((row) =>
          Object.entries(row)
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, cell]) => `${name}=${cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : cell}`)
            .join(' '),
        )
        .toSorted(),
    ]),
  )

const wasThen = (version: number, table: string, row: Row): boolean =>
  version >= 4 || table !== 'account' || firstKinds.includes(String(row.kind))

/** A store of an earlier version, with the source's rows as far as it has room for them, and its keys. */
const makeEarlier = async (version: number): Promise<string> => {
  const url = await testStoreUrl(mkdtempSync(path.join(folder, `version-${version}-`)))
  const plan = await planStore(url, { upTo: version })
  const store = await plan.create()
  const columns = await columnsOf(store)
  const all = await rowsOf(source.store)
  await store.write(async (db) => {
    const isSqlite = store.kind === 'sqlite'
    await sql
      .raw(isSqlite ? 'PRAGMA defer_foreign_keys = ON' : 'SET LOCAL session_replication_role = replica')
      .execute(db)
    for (const [table, names] of columns)
      for (const row of (all.get(table) ?? []).filter((each) => wasThen(version, table, each))) {
        // Its own id names the place of its keys.
        if (table === 'setting' && row.key === 'storeId') continue
        const values = Object.fromEntries(names.map((name) => [name, row[name] ?? null]))
        await db
          .insertInto(table as 'setting')
          .values(values as { key: string; value: string })
          .execute()
      }
    if (!isSqlite)
      for (const [table, names] of columns) {
        const { rows } = await sql<{ sequence: string | null }>`
          SELECT pg_get_serial_sequence(${table}, ${names[0]}) AS sequence`.execute(db)
        const sequence = rows[0]?.sequence
        if (sequence != null)
          await sql`SELECT setval(${sequence}, coalesce((SELECT max(${sql.ref(names[0] ?? '')}) FROM ${sql.table(table)}), 0) + 1)`.execute(
            db,
          )
      }
  })
  await store.close()
  copyFileSync(source.store.files.keys, plan.files.keys)
  return url
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'farthing-versions-'))
  const clock = { seconds: Number(now) }
  source = await createStore({
    ...{ url: `sqlite:${path.join(folder, 'source.db')}`, currency: 'EUR', timeZone: 'America/Los_Angeles' },
    ...{ clock: () => unixTime(clock.seconds), randomBytes: world.randomBytes },
  })
  const bench = { issuer: source, folder, clock, close: () => source.store.close() }
  await makeDays(bench, { kiosks: 4, days: 3, sales: 12, cards: 8 })
})
afterAll(async () => {
  await source.store.close()
  rmSync(folder, { recursive: true })
})

describe.each(earlier)('a store of version %i', (version) => {
  test('comes forward to what this program would have written, its figures to the cent, and its rules in force', async () => {
    const url = await makeEarlier(version)
    const issuer = await openIssuer({ url, ...world })
    try {
      const tables = [...(await columnsOf(issuer.store)).keys()].filter((name) => !differing.includes(name))
      const expected = comparable(await rowsOf(source.store), tables)
      expect(comparable(await rowsOf(issuer.store), Object.keys(expected))).toEqual(expected)
      expect(await report(issuer)).toEqual(await report(source))
      expect(await explain(issuer)).toEqual(await explain(source))
      expect(await auditBooks(issuer)).toEqual([])
      await expect(
        issuer.store.write((db) =>
          sql`UPDATE account SET balance_minor = balance_minor + 1 WHERE kind = 'float'`.execute(db),
        ),
      ).rejects.toThrow(/balance|FOREIGN KEY/)
      await expect(issuer.store.write((db) => sql`DELETE FROM transfer`.execute(db))).rejects.toThrow('never deleted')
      await expect(issuer.store.write((db) => sql`DELETE FROM batch`.execute(db))).rejects.toThrow('never deleted')
    } finally {
      await issuer.store.close()
    }
  })
})

/** As any other program sees it: opening it here migrates nothing. */
const openBelow = async (url: string) => {
  const sqlite = url.startsWith('sqlite:') ? new Database(storePath(url)) : undefined
  const client = sqlite === undefined ? new pg.Client({ connectionString: url }) : undefined
  await client?.connect()
  const all = async (query: string): Promise<readonly Row[]> =>
    sqlite === undefined ? ((await client?.query<Row>(query))?.rows ?? []) : sqlite.prepare<[], Row>(query).all()
  return {
    execute: async (statement: string): Promise<void> => {
      sqlite?.exec(statement)
      await client?.query(statement)
    },
    /** What it is made of, and how many rows of each. */
    content: async (): Promise<readonly unknown[]> => {
      const made = await all(
        sqlite === undefined
          ? `SELECT table_name AS name, column_name AS sql FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2`
          : 'SELECT name, sql FROM sqlite_master ORDER BY name',
      )
      const counted = ['migration', 'account', 'transfer', 'alarm'].map((table) =>
        all(`SELECT * FROM ${table} ORDER BY 1`),
      )
      return [made, ...(await Promise.all(counted))]
    },
    close: async (): Promise<void> => {
      sqlite?.close()
      await client?.end()
    },
  }
}

test('a migration that is cut in the middle leaves the store as it was, and is done another time', async () => {
  const url = await makeEarlier(2)
  const below = await openBelow(url)
  // Migration 9 makes a table of this name: those before it are done by then.
  await below.execute('CREATE TABLE assortment (name TEXT PRIMARY KEY)')
  const before = await below.content()
  await expect(openIssuer({ url, ...world })).rejects.toThrow('assortment')
  expect(await below.content()).toEqual(before)
  await below.execute('DROP TABLE assortment')
  await below.close()
  const issuer = await openIssuer({ url, ...world })
  expect(await report(issuer)).toEqual(await report(source))
  await issuer.store.close()
})

test('a lot counts as cancelled when a person cancelled it, not when its vouchers expired', async () => {
  const url = await makeEarlier(18)
  const below = await openBelow(url)
  for (const lotNo of [1, 2]) {
    await below.execute(`INSERT INTO voucher_lot (lot_no, amount_minor, voucher_count, expires_at, made_at, made_by)
      VALUES (${lotNo}, 500, 1, 10, 5, 'cli:eve')`)
    await below.execute(`INSERT INTO funding (reference_hash, kind, amount_minor, state, expires_at, lot_no, made_at, made_by)
      SELECT substr(record, ${lotNo}, 16), 'voucher', 500, 'cancelled', 10, ${lotNo}, 5, 'cli:eve' FROM settlement LIMIT 1`)
  }
  await below.execute(`INSERT INTO audit_log (audit_no, at, name, action, subject, hash)
    VALUES (1, 7, 'cli:eve', 'voucher.lot.cancel', '2', '${'0'.repeat(64)}')`)
  await below.close()
  const issuer = await openIssuer({ url, ...world })
  const lots = await issuer.store.read((db) =>
    db.selectFrom('voucher_lot').select(['lot_no', 'cancelled_at']).orderBy('lot_no').execute(),
  )
  expect(lots).toEqual([
    { lot_no: 1, cancelled_at: null },
    { lot_no: 2, cancelled_at: 7 },
  ])
  await issuer.store.close()
})

test('a store of a newer version is refused, and left alone', async () => {
  const url = await makeEarlier(10)
  const below = await openBelow(url)
  await below.execute("INSERT INTO migration (version, name) VALUES (999, 'later')")
  const before = await below.content()
  await expect(openIssuer({ url, ...world })).rejects.toMatchObject({ code: 'storeNewer', message: /newer program/ })
  expect(await below.content()).toEqual(before)
  await below.close()
})
