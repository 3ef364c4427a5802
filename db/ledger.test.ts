import { createHash } from 'node:crypto'
import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import type { Acknowledgement, BatchVerdict } from '../protocol/acknowledgement.ts'
import { type Batch, batchHeaderLength } from '../protocol/batch.ts'
import { concat, toHex } from '../protocol/bytes.ts'
import { parseEntry } from '../protocol/entry.ts'
import { sealLength } from '../protocol/mac.ts'
import {
  amountMinor,
  type CardId,
  cardId,
  counter,
  currencyCode,
  mac,
  shortHash,
  terminalId,
  unixTime,
} from '../protocol/quantities.ts'
import type { CardRecord } from '../protocol/record.ts'
import { type Intent, initialiseLedger, type Ledger, openLedger, readLedgerStatus } from './ledger.ts'
import { ledgerPath, openReadable, openWritable, schemaVersion, type WritableDatabase } from './open.ts'

/** The issuer has all that it acknowledged. */
const allKnown = { epoch: 0xffffffff, lastEntry: 0 }

const owner = { terminalId: terminalId('7465726d30303031'), epoch: 1 }
const card = cardId('c0ffee0000000001')
const settlement = mac(new Uint8Array(16).fill(7))
const startTime = 1_790_000_000

const folder = (): string => {
  const dir = mkdtempSync(path.join(tmpdir(), 'farthing-ledger-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

interface Open {
  readonly ledger: Ledger
  readonly database: WritableDatabase
  readonly close: () => void
}

const open = (dataDir: string, clock = () => startTime): Open => {
  const { database, close } = openWritable(dataDir, { create: true })
  try {
    if (database.prepare('SELECT 1 FROM terminal').get() === undefined) initialiseLedger(database, owner)
    const ledger = openLedger(database, { clock })
    onTestFinished(close)
    return { ledger, database, close }
  } catch (error) {
    close()
    throw error
  }
}

const recordOf = (change: {
  terminalSeq: number
  counter: number
  cardId?: CardId
  type?: 'payment' | 'load' | 'reversal'
  minor?: number
}): CardRecord => ({
  identity: { keyVersion: 1, cardId: change.cardId ?? card },
  counter: counter(change.counter),
  balanceAfterMinor: amountMinor(1000),
  order: {
    type: change.type ?? 'payment',
    currency: currencyCode(978),
    amountMinor: amountMinor(change.minor ?? 250),
    reference: counter(change.type === 'reversal' ? change.counter - 1 : 0),
    terminalId: owner.terminalId,
    terminalSeq: change.terminalSeq,
    time: unixTime(startTime),
    itemHash: shortHash(new Uint8Array(16).fill(1)),
    lock: new Uint8Array(16).fill(2),
  },
})

let counters = 0
const intend = (
  { ledger }: Open,
  more: Partial<Parameters<typeof recordOf>[0]> & { unit?: string; voids?: Intent[] } = {},
): Intent => {
  counters += 1
  const { unit, voids, ...change } = more
  const record = recordOf({ terminalSeq: ledger.nextTerminalSeq(), counter: counters, ...change })
  return ledger.writeIntent({ record, itemJson: '{}', ...(unit === undefined ? {} : { unit }) }, voids)
}

const sell = (from: Open, more: Parameters<typeof intend>[1] = {}): Intent =>
  from.ledger.capture(intend(from, more), settlement)

const cut = (
  ledger: Ledger,
  options: Parameters<Ledger['cutBatch']>[1] = {},
): Omit<Batch, 'keyVersion'> | undefined => {
  let seen: Omit<Batch, 'keyVersion'> | undefined
  ledger.cutBatch((batch) => {
    seen = batch
    return concat(new Uint8Array(batchHeaderLength), ...batch.entries, batch.head, new Uint8Array(sealLength))
  }, options)
  return seen
}

const answer = (ledger: Ledger, batchNo: number, verdict: BatchVerdict = 'taken', accepted = 0): void => {
  const ack: Acknowledgement = {
    keyVersion: 1,
    verdict,
    terminalId: owner.terminalId,
    epoch: ledger.epoch,
    batchNo,
    head: new Uint8Array(32),
    accepted,
    exceptions: [],
  }
  ledger.storeAnswer(ack, new Uint8Array(8), batchNo)
}

const statusesOf = (batch: Omit<Batch, 'keyVersion'> | undefined): string[] =>
  (batch?.entries ?? []).map((bytes) => parseEntry(bytes).status)

test('a new file has the newest schema, strict tables, WAL and full synchronisation', () => {
  const { database } = open(folder())
  expect(database.pragma('user_version', { simple: true })).toBe(schemaVersion)
  expect(database.pragma('journal_mode', { simple: true })).toBe('wal')
  expect(database.pragma('synchronous', { simple: true })).toBe(2)
  const tables = database.pragma('table_list') as { name: string; schema: string; type: string; strict: number }[]
  const loose = tables.filter(
    ({ name, type, strict }) => type === 'table' && !name.startsWith('sqlite_') && strict !== 1,
  )
  expect(loose).toEqual([])
  expect(() => database.prepare(`UPDATE terminal SET epoch = 'one'`).run()).toThrow()
})

test('entries can be neither changed nor deleted', () => {
  const from = open(folder())
  sell(from)
  expect(() => from.database.prepare('UPDATE entry SET value_minor = 0').run()).toThrow('entries never change')
  expect(() => from.database.prepare('DELETE FROM entry').run()).toThrow('entries are never deleted')
})

test('there is one writer; readers look beside it', () => {
  const dataDir = folder()
  const from = open(dataDir)
  sell(from)
  expect(() => openWritable(dataDir)).toThrow(expect.objectContaining({ code: 'locked' }))
  const beside = openReadable(dataDir)
  onTestFinished(beside.close)
  expect(readLedgerStatus(beside.database)).toMatchObject({
    unsynced: { count: 1, amountMinor: 250, oldestTime: startTime },
    inDoubt: 0,
    ledgerEntries: 1,
  })
  expect(() => beside.database.prepare('DELETE FROM alarm').run()).toThrow('readonly')
  from.close()
  open(dataDir)
})

test('of alarms, which anybody with a forged card raises, the newest thousand are kept, and the last is told', () => {
  const { ledger, database } = open(folder())
  expect(ledger.status().alarms).toEqual({ count: 0 })
  const insert = database.prepare("INSERT INTO alarm (time, kind, detail) VALUES (1, 'cardSuspect', 'an old one')")
  database.transaction(() => Array.from({ length: 1000 }, () => insert.run()))()
  ledger.writeAlarm({ kind: 'cardSuspect', detail: 'wrong offer MAC' })
  expect(ledger.status().alarms).toEqual({ count: 1000, newest: { time: startTime, detail: 'wrong offer MAC' } })
})

test('a ledger of a newer version, and none at all, are named', () => {
  const dataDir = folder()
  open(dataDir).close()
  const raw = new Database(ledgerPath(dataDir))
  raw.pragma(`user_version = ${schemaVersion + 1}`)
  raw.close()
  const before = readFileSync(ledgerPath(dataDir))
  expect(() => openWritable(dataDir)).toThrow(expect.objectContaining({ code: 'newer' }))
  expect(() => openReadable(dataDir)).toThrow(expect.objectContaining({ code: 'newer' }))
  expect(readFileSync(ledgerPath(dataDir))).toEqual(before)
  expect(() => openReadable(folder())).toThrow(expect.objectContaining({ code: 'missing' }))
})

test.each([
  ['a captured sale', 'UPDATE intent SET record = zeroblob(80)', /Sale \d+ .*does not agree/],
  ['a batch that waits', 'UPDATE batch SET bytes = zeroblob(length(bytes))', /Batch 1 .*does not agree/],
])('%s that no longer agrees with its entries is found at the next start', (_what, damage, sentence) => {
  const dataDir = folder()
  const from = open(dataDir)
  sell(from)
  cut(from.ledger)
  from.database.exec(damage)
  from.close()
  expect(() => open(dataDir)).toThrow(
    expect.objectContaining({ code: 'damaged', message: expect.stringMatching(sentence) }),
  )
})

test.each(['bytes', 'head'] as const)('one flipped bit in an entry’s %s is found at the next start', (column) => {
  const dataDir = folder()
  const from = open(dataDir)
  for (let i = 0; i < 3; i += 1) sell(from)
  from.close()
  const raw = new Database(ledgerPath(dataDir))
  raw.exec('DROP TRIGGER entry_is_never_changed')
  const row = raw.prepare(`SELECT ${column} AS value FROM entry WHERE entry_no = 2`).get() as { value: Buffer }
  row.value[5] = (row.value[5] ?? 0) ^ 1
  raw.prepare(`UPDATE entry SET ${column} = ? WHERE entry_no = 2`).run(row.value)
  raw.close()
  expect(() => open(dataDir)).toThrow(
    expect.objectContaining({ code: 'damaged', message: expect.stringMatching(/entry 2 of epoch 1.*Keep/) }),
  )
})

test.each(['card_id', 'counter', 'status', 'value_minor'] as const)(
  'a column that contradicts its entry is found: %s',
  (column) => {
    const dataDir = folder()
    const from = open(dataDir)
    sell(from)
    from.close()
    const raw = new Database(ledgerPath(dataDir))
    raw.exec('DROP TRIGGER entry_is_never_changed')
    raw.prepare(`UPDATE entry SET ${column} = CASE ${column} WHEN 'captured' THEN 'witness' ELSE '7' END`).run()
    raw.close()
    expect(() => open(dataDir)).toThrow(expect.objectContaining({ code: 'damaged' }))
  },
)

test.each([
  ['a torn page', 4096],
  ['a torn header', 0],
])('%s is named, with what to do', (_name, at) => {
  const dataDir = folder()
  const from = open(dataDir)
  for (let i = 0; i < 40; i += 1) sell(from)
  from.database.pragma('wal_checkpoint(TRUNCATE)')
  from.close()
  const handle = openSync(ledgerPath(dataDir), 'r+')
  writeSync(handle, new Uint8Array(4096).fill(0xa5), 0, 4096, at)
  closeSync(handle)
  expect(() => open(dataDir)).toThrow(
    expect.objectContaining({ code: 'damaged', message: expect.stringContaining('Keep it as it is') }),
  )
})

test('every page that is torn is named or does no harm: never a stack trace, never a wrong chain', () => {
  const dataDir = folder()
  const from = open(dataDir)
  for (let i = 0; i < 20; i += 1) sell(from)
  from.database.pragma('wal_checkpoint(TRUNCATE)')
  from.close()
  const whole = readFileSync(ledgerPath(dataDir))
  for (let at = 0; at < whole.length; at += 4096) {
    const torn = new Uint8Array(whole)
    torn.fill(0, at, at + 2048)
    writeFileSync(ledgerPath(dataDir), torn)
    let code = 'opened'
    try {
      const again = open(dataDir)
      expect(again.ledger.unsynced).toEqual({ count: 20, amountMinor: 5000, oldestTime: startTime })
      again.close()
    } catch (error) {
      code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    }
    expect(['opened', 'damaged', 'missing'], `page at ${at}`).toContain(code)
  }
})

test('numbers of orders never repeat, across blocks and restarts', () => {
  const dataDir = folder()
  const seen = new Set<number>()
  for (let start = 0; start < 3; start += 1) {
    const { ledger, close } = open(dataDir)
    for (let i = 0; i < 100; i += 1) {
      const number = ledger.nextTerminalSeq()
      expect(seen.has(number)).toBe(false)
      seen.add(number)
    }
    close()
  }
  expect(seen.size).toBe(300)
})

test('an intent is decided once, and by one decision', () => {
  const from = open(folder())
  const { ledger } = from
  const captured = sell(from)
  expect(captured).toMatchObject({ state: 'captured', goods: 'due' })
  expect(() => ledger.capture(captured, settlement)).toThrow('captured once')
  expect(() => ledger.writeVoids([captured])).toThrow('decided once')
  expect(() => ledger.writeAbandoned(captured)).toThrow('decided once')

  const doubt = intend(from)
  ledger.writeVoids([doubt])
  expect(() => ledger.capture(doubt, settlement)).toThrow('captured once')
  expect(() => ledger.markOwed(doubt.terminalSeq)).toThrow()
  const lost = intend(from)
  ledger.writeAbandoned(lost)
  expect(() => ledger.writeVoids([lost])).toThrow('decided once')
  expect(statusesOf(cut(ledger))).toEqual(['captured', 'void', 'abandoned'])
})

test('a card has one open intent; the void of the last and the next are one commit', () => {
  const from = open(folder())
  const doubt = intend(from)
  expect(() => intend(from)).toThrow()
  expect(from.ledger.openIntents(card)).toEqual([doubt])
  const next = intend(from, { voids: [doubt] })
  expect(from.ledger.openIntents(card)).toEqual([next])
  expect(statusesOf(cut(from.ledger, { busyTerminalSeq: next.terminalSeq }))).toEqual(['void'])
})

test('goods go from due to released or owed, and never back', () => {
  const from = open(folder())
  const { ledger } = from
  const first = sell(from)
  ledger.markReleased(first.terminalSeq)
  ledger.markReleased(first.terminalSeq)
  expect(ledger.intent(first.terminalSeq).goods).toBe('released')
  expect(() => ledger.markOwed(first.terminalSeq)).toThrow('not owed')
  const second = sell(from)
  ledger.markOwed(second.terminalSeq)
  ledger.markOwed(second.terminalSeq)
  ledger.markReleased(second.terminalSeq)
  expect(ledger.intent(second.terminalSeq).goods).toBe('owed')
  expect(ledger.goodsDue(card)).toEqual([])
  expect(statusesOf(cut(ledger))).toEqual(['captured', 'captured', 'owed'])
})

test('a reversal withholds the goods before anything else, and its end is written once', () => {
  const from = open(folder())
  const { ledger } = from
  const undo = (payment: Intent) =>
    ledger.writeIntent({
      record: recordOf({ terminalSeq: ledger.nextTerminalSeq(), counter: payment.counter + 1, type: 'reversal' }),
      reverses: payment.terminalSeq,
    })
  const payment = sell(from, { unit: 'u1' })
  expect(ledger.reversalBegun(payment)).toBe(false)
  const reversal = undo(payment)
  expect(ledger.reversalBegun(payment)).toBe(true)
  expect(ledger.intent(payment.terminalSeq).goods).toBe('withheld')
  ledger.markReleased(payment.terminalSeq)
  expect(ledger.intent(payment.terminalSeq).goods).toBe('withheld')
  ledger.capture(reversal, settlement)
  expect(ledger.intent(payment.terminalSeq).state).toBe('reversed')
  expect(ledger.unsynced.amountMinor).toBe(0)
  expect(ledger.heldUnits().has('u1')).toBe(false)
  expect(() => undo(payment)).toThrow('undone')

  const released = sell(from, { counter: 100 })
  ledger.markReleased(released.terminalSeq)
  expect(() => undo(released)).toThrow('undone')

  const third = sell(from, { counter: 200 })
  const voided = undo(third)
  ledger.writeVoids([voided])
  expect(ledger.intent(third.terminalSeq)).toMatchObject({ state: 'captured', goods: 'owed' })
  expect(statusesOf(cut(ledger)).slice(-3)).toEqual(['captured', 'void', 'owed'])
})

test('a unit is held by one payment; a void one lets it go', () => {
  const from = open(folder())
  const other = cardId('c0ffee0000000002')
  const holder = intend(from, { unit: 'u1' })
  expect(() => intend(from, { cardId: other, unit: 'u1' })).toThrow('UNIQUE')
  expect([...from.ledger.heldUnits()]).toEqual(['u1'])
  from.ledger.writeVoids([holder])
  expect(from.ledger.heldUnits().size).toBe(0)
  const next = intend(from, { cardId: other, unit: 'u1' })
  from.ledger.writeAbandoned(next)
  expect([...from.ledger.heldUnits()]).toEqual(['u1'])
})

test('a doubt is told once when a batch is cut, but not the one at the reader; its end is a second entry', () => {
  const from = open(folder())
  const { ledger } = from
  const doubt = intend(from)
  expect(cut(ledger, { busyTerminalSeq: doubt.terminalSeq })).toBeUndefined()
  expect(statusesOf(cut(ledger))).toEqual(['inDoubt'])
  expect(cut(ledger)).toBeUndefined()
  ledger.capture(doubt, settlement)
  const [entry] = cut(ledger)?.entries.map(parseEntry) ?? []
  expect(entry).toMatchObject({ status: 'captured', resolvedTime: startTime })
})

test('a batch is cut once, is never cut anew, and chains to the one before', () => {
  const dataDir = folder()
  const from = open(dataDir)
  for (let i = 0; i < 5; i += 1) sell(from)
  const first = cut(from.ledger, { entriesMax: 3 })
  const stored = from.ledger.nextUnanswered()
  from.close()
  const again = open(dataDir)
  expect(again.ledger.nextUnanswered()).toEqual(stored)
  sell(again)
  const second = cut(again.ledger)
  expect(first).toMatchObject({ batchNo: 1, firstEntry: 1 })
  expect(second).toMatchObject({ batchNo: 2, firstEntry: 4, previousHead: first?.head })
  expect(second?.entries).toHaveLength(3)
  answer(again.ledger, 1)
  expect(again.ledger.unsynced).toMatchObject({ count: 3, amountMinor: 750 })
  answer(again.ledger, 2)
  expect(again.ledger.unsynced).toEqual({ count: 0, amountMinor: 0, oldestTime: undefined })
})

test('what the issuer lacks is remembered across a restart until it was sent again', () => {
  const dataDir = folder()
  const from = open(dataDir)
  for (let i = 0; i < 4; i += 1) {
    sell(from)
    cut(from.ledger)
  }
  for (const batchNo of [1, 2, 3]) answer(from.ledger, batchNo)
  expect(from.ledger.nextToResend()).toBeUndefined()
  answer(from.ledger, 4, 'outOfOrder')
  from.close()
  const { ledger } = open(dataDir)
  expect(ledger.unsynced.count).toBe(0)
  expect(ledger.nextToResend()?.batchNo).toBe(3)
  answer(ledger, 3, 'outOfOrder')
  expect(ledger.nextToResend()?.batchNo).toBe(2)
  answer(ledger, 2)
  expect(ledger.nextToResend()).toBeUndefined()
})

test('a messenger takes along what has no answer, and what the issuer lost before it, up to a bound', () => {
  const from = open(folder())
  const numbers = (againMax: number) => from.ledger.batchesToCarry(againMax).map(({ batchNo }) => batchNo)
  expect(numbers(10)).toEqual([])
  for (let i = 0; i < 6; i += 1) {
    sell(from)
    cut(from.ledger)
  }
  expect(numbers(10)).toEqual([1, 2, 3, 4, 5, 6])
  for (const batchNo of [1, 2, 3, 4]) answer(from.ledger, batchNo)
  expect(numbers(10)).toEqual([5, 6])
  // The one before it is on its way still: the issuer need not have lost any.
  answer(from.ledger, 6, 'outOfOrder')
  expect(numbers(10)).toEqual([5])
  answer(from.ledger, 5, 'outOfOrder')
  answer(from.ledger, 6, 'taken')
  expect(numbers(10)).toEqual([1, 2, 3, 4])
  expect(numbers(2)).toEqual([3, 4])
  answer(from.ledger, 4)
  expect(numbers(10)).toEqual([])
  expect(from.ledger.batchAt({ epoch: 1, batchNo: 4 })).toMatchObject({ batchNo: 4, count: 1, answered: true })
  expect(from.ledger.batchAt({ epoch: 1, batchNo: 7 })).toBeUndefined()
})

test('a stop stays until the next epoch; what no one took is appended there, and goods of the old one are owed', () => {
  const dataDir = folder()
  const from = open(dataDir)
  const { ledger } = from
  const taken = sell(from)
  cut(ledger)
  answer(ledger, 1)
  const sent = sell(from)
  ledger.markReleased(sent.terminalSeq)
  const doubt = intend(from)
  cut(ledger)
  answer(ledger, 2, 'fork')
  expect(ledger.stoppedVerdict).toBe('fork')
  expect(ledger.unsynced.count).toBe(2)
  from.close()

  const again = open(dataDir)
  expect(again.ledger.stoppedVerdict).toBe('fork')
  again.ledger.beginEpoch(3, allKnown)
  again.ledger.beginEpoch(3, allKnown)
  expect(() => again.ledger.beginEpoch(2, allKnown)).toThrow('never used twice')
  expect(again.ledger.stoppedVerdict).toBeUndefined()
  expect(again.ledger.unsynced.count).toBe(3)
  expect(again.ledger.goodsDue(card)).toEqual([])
  expect(again.ledger.intent(taken.terminalSeq).goods).toBe('owed')
  const batch = cut(again.ledger)
  expect(batch).toMatchObject({ epoch: 3, batchNo: 1, firstEntry: 1 })
  expect(statusesOf(batch)).toEqual(['captured', 'inDoubt', 'owed'])
  again.ledger.capture(doubt, settlement)
  expect(again.ledger.intent(doubt.terminalSeq)).toMatchObject({ state: 'captured', goods: 'owed' })
  expect(statusesOf(cut(again.ledger))).toEqual(['captured', 'owed'])
  again.close()
  open(dataDir)
})

test('a document never goes back, and the highest signed time bounds the clock', () => {
  const dataDir = folder()
  const clock = { now: 100 }
  const from = open(dataDir, () => clock.now)
  const { ledger } = from
  const store = (serial: number, signedTime: number) =>
    ledger.storeDocument({ kind: 'bulletin', serial, bytes: Uint8Array.of(serial), signedTime })
  expect(store(5, 1000)).toBe(true)
  expect(store(5, 900)).toBe(false)
  expect(store(4, 2000)).toBe(false)
  expect(ledger.document('bulletin')).toEqual({ serial: 5, bytes: Uint8Array.of(5) })
  expect(() => from.database.prepare('UPDATE document SET serial = 4').run()).toThrow('never goes back')
  expect(ledger.now()).toBe(2000)
  from.close()
  const again = open(dataDir, () => clock.now)
  expect(again.ledger.now()).toBe(2000)
  clock.now = 3000
  expect(again.ledger.now()).toBe(3000)
})

test('a full disk is a storage fault; memory and disk agree afterwards, and nothing is lost', () => {
  const dataDir = folder()
  const from = open(dataDir)
  sell(from)
  const doubt = intend(from)
  const pages = Number(from.database.pragma('page_count', { simple: true }))
  from.database.pragma(`max_page_count = ${pages}`)
  const before = from.ledger.unsynced
  const fill = () => {
    for (let i = 0; i < 1000; i += 1)
      from.ledger.writeWitness(recordOf({ terminalSeq: 1, counter: 5000 + i }), settlement)
  }
  expect(fill).toThrow(expect.objectContaining({ code: 'storage', message: expect.stringContaining('disk is full') }))
  const count = (from.database.prepare('SELECT count(*) AS count FROM entry').get() as { count: number }).count
  expect(from.ledger.unsynced.count).toBe(count)
  expect(from.ledger.unsynced.amountMinor).toBe(before.amountMinor)
  from.database.pragma('max_page_count = 1000000')
  expect(from.ledger.capture(doubt, settlement).state).toBe('captured')
  from.close()
  expect(open(dataDir).ledger.unsynced).toMatchObject({ count: count + 1, amountMinor: 500 })
})

test('a disk that turned read-only is a storage fault', () => {
  const from = open(folder())
  from.database.pragma('query_only = ON')
  expect(() => sell(from)).toThrow(expect.objectContaining({ code: 'storage' }))
  from.database.pragma('query_only = OFF')
  expect(sell(from).state).toBe('captured')
})

test('what was committed is there after a kill: a copy of the files as they are opens to the same', () => {
  const dataDir = folder()
  const from = open(dataDir)
  const kept = sell(from)
  const doubt = intend(from)
  const copy = folder()
  cpSync(dataDir, copy, { recursive: true })
  const { ledger } = open(copy)
  expect(ledger.intent(kept.terminalSeq)).toEqual(kept)
  expect(ledger.openIntents(card)).toEqual([doubt])
  expect(ledger.unsynced).toEqual(from.ledger.unsynced)
})

/** Recomputes, entry by entry and with nothing of the ledger's own, what must hold of the file. */
const audit = (database: WritableDatabase, ledger: Ledger) => {
  const entries = database
    .prepare('SELECT epoch, entry_no, bytes, head, appended_time FROM entry ORDER BY id')
    .all() as {
    epoch: number
    entry_no: number
    bytes: Buffer
    head: Buffer
    appended_time: number
  }[]
  const heads = new Map<number, { no: number; head: Uint8Array }>()
  for (const row of entries) {
    const epochBytes = Buffer.alloc(4)
    epochBytes.writeUInt32BE(row.epoch)
    const last = heads.get(row.epoch) ?? {
      no: 0,
      head: createHash('sha256')
        .update('farthing ledger')
        .update(Buffer.from(owner.terminalId, 'hex'))
        .update(epochBytes)
        .digest(),
    }
    const head = createHash('sha256').update(last.head).update(row.bytes).digest()
    expect(row.entry_no).toBe(last.no + 1)
    expect(toHex(row.head)).toBe(toHex(head))
    heads.set(row.epoch, { no: row.entry_no, head })
  }
  const taken = database
    .prepare(`SELECT epoch, first_entry, count FROM batch WHERE verdict IN ('taken', 'outOfOrder')`)
    .all() as { epoch: number; first_entry: number; count: number }[]
  const open = entries.filter(
    (row) =>
      row.epoch === ledger.epoch &&
      !taken.some(
        (b) => b.epoch === row.epoch && row.entry_no >= b.first_entry && row.entry_no < b.first_entry + b.count,
      ),
  )
  const value = open.map(({ bytes }) => {
    const sign = bytes[96] !== 1 ? 0 : bytes[20] === 1 ? 1 : bytes[20] === 3 ? -1 : 0
    return sign * bytes.readUInt32BE(24)
  })
  expect(ledger.unsynced).toEqual({
    count: open.length,
    amountMinor: value.reduce((sum, one) => sum + one, 0),
    oldestTime: open.length === 0 ? undefined : Math.min(...open.map((row) => row.appended_time)),
  })
  const numbers = database
    .prepare(
      `SELECT receipt_no FROM intent WHERE type = 'payment' AND state IN ('captured', 'reversed') ORDER BY receipt_no`,
    )
    .pluck()
    .all()
  expect(numbers).toEqual(numbers.map((_, at) => at + 1))
  const intents = database.prepare('SELECT record, state FROM intent').all() as { record: Buffer; state: string }[]
  for (const { record, state } of intents) {
    const decisions = new Set(
      entries
        .filter(({ bytes }) => bytes.subarray(0, 80).equals(record) && [1, 3, 6].includes(bytes[96] ?? 0))
        .map(({ bytes }) => bytes[96]),
    )
    const expected = { open: [], captured: [1], reversed: [1], void: [3], abandoned: [6] }[state]
    expect([...decisions], state).toEqual(expected)
  }
}

test('whatever happens in whatever order, with restarts: the chain holds, unsynced is right, each intent is decided once', () => {
  const step = fc.record({
    action: fc.constantFrom(
      'intend',
      'capture',
      'void',
      'abandon',
      'release',
      'owe',
      'reverse',
      'witness',
      'cut',
      'answer',
      'resend',
      'epoch',
      'restart',
    ),
    card: fc.nat(2),
    minor: fc.integer({ min: 1, max: 1000 }),
    tick: fc.integer({ min: -5, max: 50 }),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), (steps) => {
      const dataDir = mkdtempSync(path.join(tmpdir(), 'farthing-ledger-'))
      let now = startTime
      const start = (): Open => {
        const opened = openWritable(dataDir, { create: true })
        // The property is about order, not about power cuts.
        opened.database.pragma('synchronous = OFF')
        if (opened.database.prepare('SELECT 1 FROM terminal').get() === undefined)
          initialiseLedger(opened.database, owner)
        return { ...opened, ledger: openLedger(opened.database, { clock: () => now }) }
      }
      let from = start()
      const nextCounter = [1, 1, 1]
      const sold: Intent[] = []
      try {
        for (const { action, card: which, minor, tick } of steps) {
          now += tick
          const { ledger } = from
          const id = cardId(`c0ffee000000000${which}`)
          const doubt = ledger.openIntents(id)[0]
          const last = sold.findLast((one) => one.cardId === id)
          const lastNow = last && ledger.intent(last.terminalSeq)
          if (action === 'intend') {
            const at = nextCounter[which] ?? 1
            nextCounter[which] = at + 1
            intend(from, { cardId: id, counter: at, minor, ...(doubt === undefined ? {} : { voids: [doubt] }) })
          } else if (action === 'capture' && doubt !== undefined) {
            const captured = ledger.capture(doubt, settlement)
            if (captured.type === 'payment') sold.push(captured)
          } else if (action === 'void' && doubt !== undefined) ledger.writeVoids([doubt])
          else if (action === 'abandon' && doubt !== undefined) ledger.writeAbandoned(doubt)
          else if (action === 'release' && lastNow?.state === 'captured') ledger.markReleased(lastNow.terminalSeq)
          else if (action === 'owe' && lastNow?.state === 'captured' && lastNow.goods === 'due')
            ledger.markOwed(lastNow.terminalSeq)
          else if (
            action === 'reverse' &&
            doubt === undefined &&
            lastNow?.state === 'captured' &&
            lastNow.goods === 'due'
          )
            ledger.writeIntent({
              record: recordOf({
                terminalSeq: ledger.nextTerminalSeq(),
                counter: nextCounter[which] ?? 1,
                cardId: id,
                type: 'reversal',
                minor:
                  lastNow.record.length > 0
                    ? new DataView(lastNow.record.buffer, lastNow.record.byteOffset).getUint32(24)
                    : minor,
              }),
              reverses: lastNow.terminalSeq,
            })
          else if (action === 'witness')
            ledger.writeWitness(recordOf({ terminalSeq: 9, counter: 9000 + now, cardId: id, minor }), settlement)
          else if (action === 'cut') cut(ledger, { entriesMax: 3 })
          else if (action === 'answer') {
            const next = ledger.nextUnanswered()
            if (next !== undefined) answer(ledger, next.batchNo, minor % 3 === 0 ? 'outOfOrder' : 'taken')
          } else if (action === 'resend') {
            const missing = ledger.nextToResend()
            if (missing !== undefined) answer(ledger, missing.batchNo, minor % 3 === 0 ? 'outOfOrder' : 'taken')
          } else if (action === 'epoch' && minor > 700) ledger.beginEpoch(ledger.epoch + 1, allKnown)
          else if (action === 'restart') {
            from.close()
            from = start()
          }
          audit(from.database, from.ledger)
        }
        from.close()
        from = start()
        audit(from.database, from.ledger)
      } finally {
        from.close()
        rmSync(dataDir, { recursive: true, force: true })
      }
    }),
    { numRuns: 60 },
  )
}, 60_000)
