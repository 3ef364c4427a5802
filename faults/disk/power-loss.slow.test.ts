/**
 * A kill cannot show what a power cut loses: what was written and never synced. So a day is recorded, and every beginning
 * of it is played onto a disk that kept only what was synced, and any part of the rest.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { requireChain } from '../../db/ledger.ts'
import { ledgerPath, openWritable } from '../../db/open.ts'
import { auditBooks } from '../../issuer/audit.ts'
import { IssuerError } from '../../issuer/errors.ts'
import { openIssuer } from '../../issuer/issuer.ts'
import { readIdentity } from '../../main/identity.ts'
import { openTerminal } from '../../main/terminal.ts'
import { unixTime } from '../../protocol/quantities.ts'
import { startTime, world } from '../crash/world.ts'
import { compileLayer, faultFolder, soak, startOnFaultyDisk, untilEnd } from './disk-faults.ts'
import { fingerprintOf } from './fingerprint.ts'
import { cutPowerEverywhere, type Reported } from './power-loss.ts'
import { parseRecording, type RecordedCall } from './recording.ts'

const seeds = soak ? 40 : 1
/** The test command cuts the power after every twelfth call, FARTHING_SOAK=1 after each. */
const stride = soak ? 1 : 12

const recordDay = async (folder: string, side: 'terminal' | 'issuer'): Promise<readonly RecordedCall[]> => {
  const watched = path.join(folder, side)
  for (const name of ['terminal', 'issuer']) mkdirSync(path.join(folder, name))
  const record = path.join(folder, 'calls')
  const program = path.join(import.meta.dirname, 'day-process.ts')
  const library = compileLayer(folder)
  const child = startOnFaultyDisk({ library, program, argv: [folder, side], folder: watched, record })
  const { status, stderr } = await untilEnd(child)
  if (status !== 0) throw new Error(`the day failed: ${stderr}`)
  return parseRecording(readFileSync(record), watched)
}

/** The newest mark of that name before the cut, and the first after it. */
const around = (name: string, { marks, next }: Reported) => {
  const told = (mark: string | undefined) => mark?.slice(name.length + 1)
  const ours = (mark: string) => mark.startsWith(`${name} `)
  return { last: told(marks.findLast(ours)), next: told(next.find(ours)) }
}

/** Goods are whole or not there: what is not there, the next sync brings. */
const goodsProblems = (folder: string, real: string): readonly string[] =>
  (existsSync(folder) ? readdirSync(folder) : []).flatMap((name) =>
    name.endsWith('.part') || readFileSync(path.join(folder, name)).equals(readFileSync(path.join(real, name)))
      ? []
      : [`the goods ${name} are not whole`],
  )

/** What the export called done lies on the stick, whole. */
const stickProblems = (folder: string, day: string, reported: Reported): readonly string[] => {
  const { last } = around('exported', reported)
  const isWhole = (name: string) => {
    const kept = path.join(folder, 'stick', name)
    return existsSync(kept) && readFileSync(kept).equals(readFileSync(path.join(day, 'stick', name)))
  }
  return (last?.split(' ') ?? []).filter((name) => !isWhole(name)).map((name) => `${name} is not on the stick`)
}

const identityProblems = (folder: string, reported: Reported): readonly string[] => {
  const { last, next } = around('enrolled', reported)
  const identity = readIdentity(folder)
  if (identity === undefined) return last === undefined ? [] : ['terminal.json is gone']
  return [last, next].includes(String(identity.epoch)) ? [] : [`terminal.json is of epoch ${identity.epoch}`]
}

/** @returns the ledger's state, once SQLite and the chain have been checked; undefined: there is none yet */
const openedLedger = (folder: string): string | undefined => {
  if (!existsSync(ledgerPath(folder))) return undefined
  const { database, close } = openWritable(folder)
  try {
    requireChain(database)
    return fingerprintOf(ledgerPath(folder))
  } finally {
    close()
  }
}

const checkTerminal = (day: string) => {
  const started = new Set<string | undefined>()
  return (folder: string, reported: Reported): readonly string[] => {
    const { last, next } = around('ledger', reported)
    const now = openedLedger(folder)
    const kept = last === undefined || now === last || now === next
    // The same state starts in the same way; once is enough.
    if (readIdentity(folder) !== undefined && !started.has(now)) openTerminal(folder, world(1)).close()
    started.add(now)
    return [
      ...identityProblems(folder, reported),
      ...(kept ? [] : [`the ledger holds ${now ?? 'nothing'}; reported was ${last}`]),
      ...goodsProblems(path.join(folder, 'goods'), path.join(day, 'goods')),
      ...stickProblems(folder, day, reported),
    ]
  }
}

/** Goods that the store tells of are there, and whole. */
const blobProblems = (folder: string, day: string): readonly string[] => {
  const database = new Database(path.join(folder, 'issuer.db'), { readonly: true })
  const hashes = database.prepare<[], string>('SELECT content_hash FROM content').pluck().all()
  database.close()
  const whole = (hash: string) => {
    const [kept, real] = [folder, day].map((at) => path.join(at, 'issuer.db.goods', hash))
    return kept !== undefined && real !== undefined && existsSync(kept) && readFileSync(kept).equals(readFileSync(real))
  }
  return hashes.filter((hash) => !whole(hash)).map((hash) => `the goods ${hash} are not there`)
}

const checkIssuer = (day: string) => {
  const audited = new Set<string>()
  const world = { clock: () => unixTime(startTime), randomBytes: (count: number) => new Uint8Array(count) }
  return async (folder: string, reported: Reported): Promise<readonly string[]> => {
    const { last, next } = around('store', reported)
    const file = path.join(folder, 'issuer.db')
    try {
      const issuer = await openIssuer({ url: `sqlite:${file}`, ...world })
      const now = fingerprintOf(file)
      const problems = last === undefined || audited.has(now) ? [] : await auditBooks(issuer)
      audited.add(now)
      await issuer.store.close()
      const kept = last === undefined || now === last || now === next
      const blobs = last === undefined ? [] : blobProblems(folder, day)
      return kept ? [...problems, ...blobs] : [...problems, ...blobs, `the store holds ${now}; reported was ${last}`]
    } catch (error) {
      // Before its first hour was over there is no issuer yet, and it says so.
      const unborn = ['storeMissing', 'storeForeign', 'keysMissing', 'keysDamaged']
      if (last === undefined && error instanceof IssuerError && unborn.includes(error.code)) return []
      throw error
    }
  }
}

test('a terminal whose power is cut anywhere in its day has everything that it reported as durable', async () => {
  const folder = faultFolder(onTestFinished)
  const calls = await recordDay(folder, 'terminal')
  const check = checkTerminal(path.join(folder, 'terminal'))
  const done = await cutPowerEverywhere(calls, { folder: path.join(folder, 'after'), seeds, stride, check })
  console.log(`terminal: ${done.calls} calls, ${done.images} images, seeds 0 to ${seeds - 1}`)
  expect(done.problems).toEqual([])
}, 600_000)

test('an issuer whose power is cut anywhere in its day has every answer that left it', async () => {
  const folder = faultFolder(onTestFinished)
  const calls = await recordDay(folder, 'issuer')
  const check = checkIssuer(path.join(folder, 'issuer'))
  const done = await cutPowerEverywhere(calls, { folder: path.join(folder, 'after'), seeds, stride, check })
  console.log(`issuer: ${done.calls} calls, ${done.images} images, seeds 0 to ${seeds - 1}`)
  expect(done.problems).toEqual([])
}, 600_000)
