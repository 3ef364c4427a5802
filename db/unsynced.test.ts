/** The sums of what waits agree, at every step, with a count over the whole queue. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { concat } from '../protocol/bytes.ts'
import {
  amountMinor,
  cardId,
  counter,
  currencyCode,
  mac,
  shortHash,
  terminalId,
  unixTime,
} from '../protocol/quantities.ts'
import { type Intent, initialiseLedger, type Ledger, openLedger } from './ledger.ts'
import { ledgerMigration } from './migrations/0001-ledger.ts'
import { ledgerPath, openWritable, schemaVersion, type WritableDatabase } from './open.ts'

const owner = { terminalId: terminalId('7465726d30303031'), epoch: 1 }
const folder = (): string => {
  const dir = mkdtempSync(path.join(tmpdir(), 'farthing-unsynced-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

let counters = 0
const intend = (ledger: Ledger, sale: { minor: number; cardNumber?: number }): Intent => {
  counters += 1
  const id = cardId(`c0ffee${String(sale.cardNumber ?? 1).padStart(10, '0')}`)
  return ledger.writeIntent({
    record: {
      identity: { keyVersion: 1, cardId: id },
      counter: counter(counters),
      balanceAfterMinor: amountMinor(0),
      order: {
        type: 'payment',
        currency: currencyCode(978),
        amountMinor: amountMinor(sale.minor),
        reference: counter(0),
        terminalId: owner.terminalId,
        terminalSeq: ledger.nextTerminalSeq(),
        time: unixTime(1_790_000_000),
        itemHash: shortHash(new Uint8Array(16).fill(1)),
        lock: new Uint8Array(16).fill(2),
      },
    },
  })
}
const sell = (ledger: Ledger, sale: { minor: number; cardNumber?: number }) =>
  ledger.capture(intend(ledger, sale), mac(new Uint8Array(16).fill(7)))

const answerNext = (ledger: Ledger): void => {
  const next = ledger.nextUnanswered()
  if (next === undefined) return
  ledger.storeAnswer(
    {
      ...owner,
      keyVersion: 1,
      verdict: 'taken',
      batchNo: next.batchNo,
      head: new Uint8Array(32),
      accepted: next.count,
      exceptions: [],
    },
    new Uint8Array(8),
    next.batchNo,
  )
}
const cut = (ledger: Ledger, entriesMax: number) =>
  ledger.cutBatch((batch) => concat(new Uint8Array(64), ...batch.entries, batch.head), { entriesMax })

/** Its own words: no block, no memory. */
const countAll = (database: WritableDatabase, taken: number) =>
  database
    .prepare(
      'SELECT count(*) AS count, total(value_minor) AS amountMinor, min(appended_time) AS oldestTime FROM entry WHERE entry_no > ?',
    )
    .get(taken)

const open = (dataDir: string, clock: () => number) => {
  const { database, close } = openWritable(dataDir, { create: true })
  onTestFinished(close)
  database.pragma('synchronous = OFF')
  if (database.prepare('SELECT 1 FROM terminal').get() === undefined) initialiseLedger(database, owner)
  return { database, ledger: openLedger(database, { clock }), close }
}

test('count, amount and oldest time stay right over 2,500 entries, batches of any size, and a clock that goes back', () => {
  const dataDir = folder()
  let clock = 1_790_000_000
  const opened = open(dataDir, () => clock)
  let { ledger } = opened
  let taken = 0
  let sold = 0
  for (const size of [1, 998, 1, 1, 700, 299, 500]) {
    while (sold < Math.min(2500, taken + size + 200)) {
      sold += 1
      clock += sold % 7 === 0 ? -40 : 10
      sell(ledger, { minor: sold })
    }
    expect(ledger.unsynced).toEqual(countAll(opened.database, taken))
    cut(ledger, size)
    answerNext(ledger)
    taken += size
    expect(ledger.unsynced).toEqual(countAll(opened.database, taken))
    // What was noted on the way to a batch that came to nothing is forgotten again.
    const doubt = intend(ledger, { minor: 7 })
    expect(() =>
      ledger.cutBatch(() => {
        throw new Error('no seal')
      }),
    ).toThrow('no seal')
    expect(ledger.unsynced).toEqual(countAll(opened.database, taken))
    ledger.writeVoids([doubt])
  }
  expect(taken).toBe(2500)
  ledger = openLedger(opened.database, { clock: () => clock })
  expect(ledger.unsynced).toEqual(countAll(opened.database, taken))
})

test('what a card spent is looked up by the card, not by going through the queue', () => {
  const { database, ledger } = open(folder(), () => 1_790_000_000)
  database.transaction(() => {
    for (let sale = 0; sale < 8000; sale += 1) sell(ledger, { minor: 5, cardNumber: sale < 3 ? 1 : sale })
  })()
  const before = process.threadCpuUsage()
  for (let sale = 0; sale < 200; sale += 1) expect(ledger.cardUnsyncedMinor(cardId('c0ffee0000000001'))).toBe(15)
  const { user, system } = process.threadCpuUsage(before)
  // Through the whole queue it is well over 1 ms each.
  expect((user + system) / 1000 / 200).toBeLessThan(0.5)
})

test('a ledger of schema version 1 is brought up to date with all that it holds', () => {
  const dataDir = folder()
  const old = new Database(ledgerPath(dataDir))
  old.exec(ledgerMigration)
  old.pragma('user_version = 1')
  old.exec(`INSERT INTO terminal (id, terminal_id, epoch, next_terminal_seq) VALUES (1, '${owner.terminalId}', 1, 1)`)
  old.close()
  const { database, ledger } = open(dataDir, () => 1_790_000_000)
  expect(database.pragma('user_version', { simple: true })).toBe(schemaVersion)
  sell(ledger, { minor: 250 })
  expect(ledger.unsynced).toMatchObject({ count: 1, amountMinor: 250 })
  expect(database.prepare(`SELECT 1 FROM sqlite_master WHERE name = 'batch_out_of_order'`).all()).toHaveLength(1)
})
