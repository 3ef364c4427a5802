/**
 * A purse's state in a file: replaced whole and durably, checked when it is read, held by one process at a time.
 * The file is JSON, { sha256, state }; a kernel lock on FILE.lock (SQLite's, so that it also works on Windows and dies
 * with its process) keeps a second card away.
 */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import * as v from 'valibot'
import { blankState, type PurseState, purseStateSchema } from './purse-state.ts'

const fileSchema = v.strictObject({ sha256: v.string(), state: v.unknown() })

/** What is wrong with a state file, in a sentence that says what to do. */
export class StateFileError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StateFileError'
  }
}

const digestOf = (state: unknown): string => createHash('sha256').update(JSON.stringify(state)).digest('hex')

const damaged = (file: string, what: string, cause?: unknown) =>
  new StateFileError(`The card in ${file} is damaged (${what}); restore the file, or make a new card in another.`, {
    cause,
  })

/** @throws StateFileError for anything but a whole, consistent state */
export const readStateFile = (file: string): PurseState => {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw damaged(file, 'it cannot be read as JSON', cause)
  }
  const outer = v.safeParse(fileSchema, json)
  if (!outer.success) throw damaged(file, 'it is not a card')
  const state = v.safeParse(purseStateSchema, outer.output.state)
  if (!state.success) {
    const [issue] = state.issues
    throw damaged(file, `${v.getDotPath(issue) ?? 'card'}: ${issue.message}`)
  }
  if (outer.output.sha256 !== digestOf(outer.output.state)) throw damaged(file, 'its check sum is wrong')
  return state.output
}

/** A rename is durable once its folder is; Windows has no such call and needs none. */
const syncFolder = (folder: string) => {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Replaces the file: afterwards, and after any crash, it holds the old state or the new one. */
export const writeStateFile = (file: string, state: PurseState, rename: typeof renameSync = renameSync): void => {
  const next = `${file}.next`
  const handle = openSync(next, 'w', 0o600)
  try {
    writeFileSync(handle, `${JSON.stringify({ sha256: digestOf(state), state }, undefined, 2)}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  rename(next, file)
  syncFolder(path.dirname(path.resolve(file)))
}

export interface StateFile {
  /** As it was when the file was opened. */
  readonly state: PurseState
  save(state: PurseState): void
  close(): void
}

const lock = (file: string): Database.Database => {
  let database: Database.Database | undefined
  try {
    database = new Database(`${file}.lock`, { timeout: 0 })
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (cause) {
    database?.close()
    if (cause instanceof Database.SqliteError && cause.code === 'SQLITE_BUSY')
      throw new StateFileError(`The card in ${file} is in use: end the process that runs it first.`, { cause })
    throw new StateFileError(`No card can be kept in ${file}: its folder is missing or cannot be written.`, { cause })
  }
}

/**
 * Takes the card for this process; a file that does not exist becomes a blank card.
 * @throws StateFileError: in use by another process, damaged, or not writable
 */
export const openStateFile = (file: string): StateFile => {
  const held = lock(file)
  try {
    if (!existsSync(file)) writeStateFile(file, blankState)
    return { state: readStateFile(file), save: (state) => writeStateFile(file, state), close: () => held.close() }
  } catch (error) {
    held.close()
    throw error
  }
}
