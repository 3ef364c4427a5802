/** What the disk and the database do with nothing around them: what the issuer's figures are to be read against. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import pg from 'pg'

export const bareCommitsPerSecond = (folder: string): number => {
  const file = openSync(path.join(folder, 'bare'), 'w')
  const page = Buffer.alloc(4096, 1)
  const commits = 200
  const begin = performance.now()
  for (let commit = 0; commit < commits; commit += 1) {
    writeSync(file, page)
    fdatasyncSync(file)
  }
  closeSync(file)
  return commits / ((performance.now() - begin) / 1000)
}

const rows = 200_000
const rowsPerTransaction = 10_000

const bareSqlite = (file: string): void => {
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec('CREATE TABLE bare (id INTEGER PRIMARY KEY, record BLOB, mac BLOB, amount INTEGER)')
  const insert = database.prepare('INSERT INTO bare (record, mac, amount) VALUES (?, ?, ?)')
  const [record, mac] = [Buffer.alloc(80, 1), Buffer.alloc(16, 2)]
  const some = database.transaction(() => {
    for (let row = 0; row < rowsPerTransaction; row += 1) insert.run(record, mac, row)
  })
  for (let row = 0; row < rows; row += rowsPerTransaction) some()
  database.close()
}

const barePostgres = async (url: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('CREATE TABLE bare (id bigint PRIMARY KEY, record bytea, mac bytea, amount bigint)')
  for (let row = 0; row < rows; row += rowsPerTransaction)
    await client.query(
      `INSERT INTO bare SELECT id, decode(repeat('01', 80), 'hex'), decode(repeat('02', 16), 'hex'), id
        FROM generate_series($1::bigint, $2::bigint) AS id`,
      [row, row + rowsPerTransaction - 1],
    )
  await client.end()
}

/** @param place a folder, or the address of an empty database */
export const bareRowsPerSecond = async (place: string): Promise<number> => {
  const begin = performance.now()
  if (place.startsWith('postgres')) await barePostgres(place)
  else bareSqlite(path.join(place, 'bare.db'))
  return rows / ((performance.now() - begin) / 1000)
}
