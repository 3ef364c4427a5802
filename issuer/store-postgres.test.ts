/** What only a database with a server of its own can do to an issuer. */
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, openBench } from './test-support.ts'

const cluster = process.env.FARTHING_TEST_POSTGRES
let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

/** As a restart of the database does. */
const breakConnections = async (): Promise<void> => {
  const client = new pg.Client({ connectionString: bench.issuer.store.url })
  await client.connect()
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'farthing' AND datname = current_database()`,
  )
  await client.end()
}

test.skipIf(cluster === undefined).each(['in the middle of a query', 'between two queries'])(
  'a connection that breaks %s fails its transaction with a sentence, and nothing else',
  async (when) => {
    const { store } = bench.issuer
    const attempt = store.write(async (db) => {
      await db.insertInto('setting').values({ key: when, value: '' }).execute()
      const broken = breakConnections()
      if (when.startsWith('in')) await sql`SELECT pg_sleep(30)`.execute(db)
      await broken
      // Until this end has heard of it too.
      for (;;) await sql`SELECT 1`.execute(db)
    })
    await expect(attempt).rejects.toMatchObject({ code: 'storeMissing', message: /start it, or check its address/ })
    const rows = await store.read((db) => db.selectFrom('setting').select('key').where('key', '=', when).execute())
    expect(rows).toEqual([])
  },
)
