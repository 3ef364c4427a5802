import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { encodeEntry } from '../protocol/entry.ts'
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
  zeroMac,
} from '../protocol/quantities.ts'
import { type CardRecord, encodeRecord } from '../protocol/record.ts'
import { type Intent, initialiseLedger, type Ledger, openLedger } from './ledger.ts'
import { ledgerMigration } from './migrations/0001-ledger.ts'
import { outboxIndexMigration } from './migrations/0002-outbox-index.ts'
import { hotlistMigration } from './migrations/0003-hotlist.ts'
import { ledgerPath, openWritable } from './open.ts'

const owner = { terminalId: terminalId('7465726d30303031'), epoch: 1 }
const settlement = mac(new Uint8Array(16).fill(7))
const startTime = 1_790_000_000
const allKnown = { epoch: 0xffffffff, lastEntry: 0 }

const folder = (): string => {
  const dir = mkdtempSync(path.join(tmpdir(), 'farthing-receipts-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

const open = (dataDir: string) => {
  const { database, close } = openWritable(dataDir, { create: true })
  onTestFinished(close)
  if (database.prepare('SELECT 1 FROM terminal').get() === undefined) initialiseLedger(database, owner)
  return { database, close, ledger: openLedger(database, { clock: () => startTime }) }
}

const cardOf = (number: number): CardId => cardId(`c0ffee${number.toString(16).padStart(10, '0')}`)

const recordOf = (change: {
  terminalSeq: number
  card: number
  counter?: number
  type?: 'payment' | 'load' | 'reversal'
}): CardRecord => ({
  identity: { keyVersion: 1, cardId: cardOf(change.card) },
  counter: counter(change.counter ?? 1),
  balanceAfterMinor: amountMinor(1000),
  order: {
    type: change.type ?? 'payment',
    currency: currencyCode(978),
    amountMinor: amountMinor(200 + change.card),
    reference: counter(change.type === 'reversal' ? (change.counter ?? 1) - 1 : 0),
    terminalId: owner.terminalId,
    terminalSeq: change.terminalSeq,
    time: unixTime(startTime),
    itemHash: shortHash(new Uint8Array(16).fill(1)),
    lock: new Uint8Array(16).fill(2),
  },
})

let cards = 0
/** Each to a card of its own. */
const intend = (ledger: Ledger): Intent => {
  cards += 1
  return ledger.writeIntent({
    record: recordOf({ terminalSeq: ledger.nextTerminalSeq(), card: cards }),
    itemJson: `{"n":${cards}}`,
  })
}
const sell = (ledger: Ledger): Intent => ledger.capture(intend(ledger), settlement)

const numbersOf = (ledger: Ledger): number[] => ledger.receipts({ countMax: 1000 }).map(({ receiptNo }) => receiptNo)

test('numbers are given as payments are captured, in that order, and none to what was not paid', () => {
  const { ledger } = open(folder())
  const [first, second, third, fourth] = [intend(ledger), intend(ledger), intend(ledger), intend(ledger)]
  expect(first.receiptNo).toBeUndefined()
  expect(ledger.capture(third, settlement).receiptNo).toBe(1)
  ledger.writeVoids([first])
  ledger.writeAbandoned(second)
  // As on recovery, at a later tap.
  expect(ledger.capture(fourth, settlement).receiptNo).toBe(2)
  expect(ledger.intent(first.terminalSeq).receiptNo).toBeUndefined()
  expect(ledger.intent(second.terminalSeq).receiptNo).toBeUndefined()
  cards += 1
  const load = ledger.writeIntent({
    record: recordOf({ terminalSeq: ledger.nextTerminalSeq(), card: cards, type: 'load' }),
  })
  expect(ledger.capture(load, settlement).receiptNo).toBeUndefined()
  expect(sell(ledger).receiptNo).toBe(3)
})

test('a reversal takes no number; its payment keeps the one that it has, and is shown as reversed', () => {
  const { ledger } = open(folder())
  const paid = sell(ledger)
  const reversal = ledger.writeIntent({
    record: recordOf({ terminalSeq: ledger.nextTerminalSeq(), card: cards, counter: 2, type: 'reversal' }),
    reverses: paid.terminalSeq,
  })
  expect(ledger.capture(reversal, settlement).receiptNo).toBeUndefined()
  expect(ledger.intent(paid.terminalSeq)).toMatchObject({ receiptNo: 1, state: 'reversed' })
  expect(sell(ledger).receiptNo).toBe(2)
  expect(ledger.receipts({ countMax: 10 }).map(({ receiptNo, state }) => [receiptNo, state])).toEqual([
    [2, 'captured'],
    [1, 'reversed'],
  ])
})

test('a capture that the disk refuses takes no number', () => {
  const { database, ledger } = open(folder())
  sell(ledger)
  const doubt = intend(ledger)
  database.pragma('query_only = ON')
  expect(() => ledger.capture(doubt, settlement)).toThrow(expect.objectContaining({ code: 'storage' }))
  database.pragma('query_only = OFF')
  expect(ledger.capture(doubt, settlement).receiptNo).toBe(2)
})

test('restarts and new enrolments go on with the next number', () => {
  const dataDir = folder()
  const from = open(dataDir)
  sell(from.ledger)
  const doubt = intend(from.ledger)
  from.close()
  const again = open(dataDir)
  again.ledger.beginEpoch(2, allKnown)
  expect(again.ledger.capture(doubt, settlement)).toMatchObject({ receiptNo: 2, epoch: 1 })
  expect(sell(again.ledger)).toMatchObject({ receiptNo: 3, epoch: 2 })
  expect(numbersOf(again.ledger)).toEqual([3, 2, 1])
})

test('receipts are listed newest first, in portions, with what an operator tells them apart by', () => {
  const { ledger } = open(folder())
  const sold = Array.from({ length: 5 }, () => sell(ledger))
  expect(numbersOf(ledger)).toEqual([5, 4, 3, 2, 1])
  const [fourth, third] = ledger.receipts({ countMax: 2, before: 5 })
  expect([fourth?.receiptNo, third?.receiptNo]).toEqual([4, 3])
  const intent = sold[3]
  if (intent === undefined) throw new Error('sold five')
  expect(fourth).toEqual({
    receiptNo: 4,
    terminalSeq: intent.terminalSeq,
    epoch: 1,
    time: startTime,
    itemJson: intent.itemJson,
    amountMinor: 200 + cards - 1,
    state: 'captured',
    goods: 'due',
  })
})

test.each([
  ['a number that is gone', 'UPDATE intent SET receipt_no = NULL WHERE receipt_no = 2'],
  ['a number that was changed', 'UPDATE intent SET receipt_no = 7 WHERE receipt_no = 3'],
])('%s is found at the next start', (_what, damage) => {
  const dataDir = folder()
  const from = open(dataDir)
  for (let i = 0; i < 3; i += 1) sell(from.ledger)
  from.database.exec(damage)
  from.close()
  expect(() => open(dataDir)).toThrow(
    expect.objectContaining({ code: 'damaged', message: expect.stringContaining('gap') }),
  )
})

test('a ledger of version 3 numbers what it captured in the order in which it did', () => {
  const dataDir = folder()
  const old = new Database(ledgerPath(dataDir))
  for (const migration of [ledgerMigration, outboxIndexMigration, hotlistMigration]) old.exec(migration)
  old.pragma('user_version = 3')
  old.exec(`INSERT INTO terminal (id, terminal_id, epoch, next_terminal_seq) VALUES (1, '${owner.terminalId}', 2, 65)`)
  const insertIntent = old.prepare(
    `INSERT INTO intent (terminal_seq, epoch, type, card_id, counter, record, item_json, reverses, state, goods, created_time)
     VALUES (?, ?, ?, ?, ?, ?, '{}', ?, ?, 'none', 0)`,
  )
  const intentOf = (record: CardRecord, state: string, reverses: number | null = null) =>
    insertIntent.run(
      record.order.terminalSeq,
      1,
      record.order.type,
      record.identity.cardId,
      record.counter,
      encodeRecord(record),
      reverses,
      state,
    )
  const insertEntry = old.prepare(
    `INSERT INTO entry (epoch, entry_no, card_id, counter, status, value_minor, bytes, head, appended_time)
     VALUES (?, ?, ?, ?, ?, 0, ?, zeroblob(32), 0)`,
  )
  let entryNo = 0
  const entryOf = (record: CardRecord, status: 'captured' | 'void' | 'inDoubt') => {
    entryNo += 1
    const settlementMac = status === 'captured' ? settlement : zeroMac()
    const resolvedTime = unixTime(status === 'void' ? startTime : 0)
    const bytes = encodeEntry({ record, settlementMac, status, resolvedTime })
    insertEntry.run(1, entryNo, record.identity.cardId, record.counter, status, bytes)
  }
  const sale = (terminalSeq: number) => recordOf({ terminalSeq, card: terminalSeq })
  const undone = recordOf({ terminalSeq: 5, card: 4, counter: 2, type: 'reversal' })
  const load = recordOf({ terminalSeq: 6, card: 6, type: 'load' })
  intentOf(sale(1), 'captured')
  intentOf(sale(2), 'void')
  intentOf(sale(3), 'captured')
  intentOf(sale(4), 'reversed')
  intentOf(undone, 'captured', 4)
  intentOf(load, 'captured')
  intentOf(sale(7), 'open')
  // The first sale was in doubt, and decided last.
  entryOf(sale(1), 'inDoubt')
  entryOf(sale(2), 'void')
  entryOf(sale(3), 'captured')
  entryOf(sale(4), 'captured')
  entryOf(undone, 'captured')
  entryOf(load, 'captured')
  entryOf(sale(1), 'captured')
  old.close()
  const { database, close } = openWritable(dataDir)
  onTestFinished(close)
  expect(database.prepare('SELECT terminal_seq, receipt_no FROM intent ORDER BY terminal_seq').raw().all()).toEqual([
    [1, 3],
    [2, null],
    [3, 1],
    [4, 2],
    [5, null],
    [6, null],
    [7, null],
  ])
})
