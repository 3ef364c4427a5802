/** The list of tickets that were let in: an SQLite file of its own, which checkers on one machine share (PROTOCOL.md, Tickets). */
import { existsSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import type { Ticket } from '../protocol/ticket.ts'
import { CliError, exitStatus } from './output.ts'

/** "FTKU": tells the file from any other of SQLite's. */
const applicationId = 0x46_54_4b_55
const busyMs = 10_000

const schema = `
CREATE TABLE used (
  event TEXT NOT NULL CHECK (length(event) = 16),
  number TEXT NOT NULL CHECK (length(number) = 16),
  used_at INTEGER NOT NULL,
  PRIMARY KEY (event, number)
) STRICT`

const world = (file: string, what: string, cause: unknown): CliError => {
  const error = new CliError(exitStatus.world, `The list of used tickets ${file} ${what}`)
  error.cause = cause
  return error
}

/** SQLite's own words are for programmers. */
const inWords = (file: string, error: unknown): unknown => {
  if (!(error instanceof Database.SqliteError)) return error
  if (error.code === 'SQLITE_NOTADB' || error.code.startsWith('SQLITE_CORRUPT'))
    return world(file, 'is damaged or no such list: keep it, and begin another one under a new name.', error)
  if (error.code.startsWith('SQLITE_BUSY'))
    return world(file, 'is held by another program: close that, then try again.', error)
  return world(file, `cannot be written (${error.code}): check the disk, its free space and the folder’s owner.`, error)
}

const prepare = (database: Database.Database): void => {
  database
    .transaction(() => {
      const found = Number(database.pragma('application_id', { simple: true }))
      if (found === applicationId) return
      const tables = database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
      if (found !== 0 || tables !== 0) throw new Database.SqliteError('another file', 'SQLITE_NOTADB')
      database.exec(schema)
      database.pragma(`application_id = ${applicationId}`)
    })
    .immediate()
}

export interface UsedTickets {
  /**
   * Takes tickets down as used, all in one step that is on the disk when this returns.
   * @param now UNIX seconds
   * @returns for each, undefined where it is new, else when it was used
   */
  take(tickets: readonly Pick<Ticket, 'event' | 'number'>[], now: number): readonly (number | undefined)[]
  close(): void
}

/** @param file made where it is not there @throws CliError `world` */
export const openUsedTickets = (file: string): UsedTickets => {
  if (!existsSync(path.dirname(path.resolve(file))))
    throw world(file, 'cannot be made: there is no such folder.', undefined)
  let database: Database.Database | undefined
  try {
    database = new Database(file, { timeout: busyMs })
    // A rollback journal: what two processes take is one after the other, and a copy of the one file is whole.
    database.pragma('journal_mode = DELETE')
    database.pragma('synchronous = EXTRA')
    database.pragma('trusted_schema = OFF')
    prepare(database)
  } catch (error) {
    database?.close()
    throw inWords(file, error)
  }
  const opened = database
  const insert = opened.prepare<[string, string, number]>(
    'INSERT INTO used (event, number, used_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  )
  const find = opened
    .prepare<[string, string], number>('SELECT used_at FROM used WHERE event = ? AND number = ?')
    .pluck()
  const takeAll = opened.transaction((tickets: readonly Pick<Ticket, 'event' | 'number'>[], now: number) =>
    tickets.map(({ event, number }) =>
      insert.run(event, number, now).changes === 1 ? undefined : find.get(event, number),
    ),
  )
  return {
    take(tickets, now) {
      try {
        return takeAll.immediate(tickets, now)
      } catch (error) {
        throw inWords(file, error)
      }
    },
    close: () => opened.close(),
  }
}
