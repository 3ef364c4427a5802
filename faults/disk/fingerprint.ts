/**
 * What a database holds, as one short text: every row of every table, read with SQL of its own. Two equal ones are the
 * same state, so that "before or after, and nothing in between" is a comparison.
 */
import { createHash } from 'node:crypto'
import Database from 'better-sqlite3'

/** @param file an SQLite file; it is opened beside whoever else has it */
export const fingerprintOf = (file: string): string => {
  const database = new Database(file, { readonly: true, fileMustExist: true })
  try {
    const tables = database
      .prepare<[], string>(
        `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
      )
      .pluck()
      .all()
    const hash = createHash('sha256')
    for (const table of tables) {
      hash.update(`\n${table}`)
      const rows = database.prepare<[], unknown[]>(`SELECT * FROM "${table}"`).raw().all()
      const lines = rows.map((row) =>
        row.map((cell) => (cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : String(cell))).join('|'),
      )
      for (const line of lines.sort()) hash.update(`\n${line}`)
    }
    return hash.digest('hex').slice(0, 16)
  } finally {
    database.close()
  }
}
