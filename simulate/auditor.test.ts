/** The auditor itself: each law is broken once, by facts made up here, and it must say so. */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { encodeBatch } from '../protocol/batch.ts'
import { type EntryStatus, encodeEntry, firstHead, nextHead, paysNothing } from '../protocol/entry.ts'
import { macKey } from '../protocol/mac.ts'
import {
  amountMinor,
  cardId,
  counter,
  currencyCode,
  mac,
  shortHash,
  terminalId,
  unixTime,
  zeroHash,
  zeroMac,
} from '../protocol/quantities.ts'
import { balanceChangeMinor, type CardRecord, encodeRecord } from '../protocol/record.ts'
import { Auditor, type CardTold } from './auditor.ts'
import type { BookRows } from './book-rows.ts'
import { Figures } from './figures.ts'
import { watchSecrets } from './secrets.ts'

const kiosk = terminalId('7e23000000000000')
const card = cardId('ca4d000000000000')
const content = new TextEncoder().encode('a map')
const hash = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest()
const itemJson = JSON.stringify({ contentHash: hash(content).toString('hex') })

interface Step {
  readonly type: 'payment' | 'load' | 'reversal'
  readonly amount: number
  readonly reference?: number
}

/** A card that did these things, one after the other. */
const recordsOf = (steps: readonly Step[]): CardRecord[] => {
  let balance = 0
  return steps.map(({ type, amount, reference = 0 }, index) => {
    const order = {
      type,
      currency: currencyCode(978),
      amountMinor: amountMinor(amount),
      reference: counter(reference),
      terminalId: kiosk,
      terminalSeq: index + 1,
      time: unixTime(1_790_000_000 + index),
      itemHash: type === 'load' ? zeroHash() : shortHash(new Uint8Array(hash(itemJson).subarray(0, 16))),
      lock: new Uint8Array(16).fill(index + 1),
    }
    balance += balanceChangeMinor(order)
    return {
      identity: { keyVersion: 1, cardId: card },
      counter: counter(index + 1),
      balanceAfterMinor: amountMinor(balance),
      order,
    }
  })
}

const settlementMacOf = (record: CardRecord) => mac(new Uint8Array(16).fill(record.counter))
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

const told = (records: readonly CardRecord[]): CardTold => ({
  cardId: card,
  counter: records.length,
  balanceMinor: records.at(-1)?.balanceAfterMinor ?? 0,
  log: records
    .slice(-10)
    .reverse()
    .map((record) => ({
      record: hexOf(encodeRecord(record)),
      settlementMac: hexOf(settlementMacOf(record)),
      acceptanceMac: hexOf(settlementMacOf(record)),
    })),
})

const make = () => new Auditor(new Figures(), watchSecrets())

const entry = (record: CardRecord, status: EntryStatus, settlementMac = settlementMacOf(record)) =>
  encodeEntry({
    record,
    status,
    settlementMac: paysNothing(status) ? zeroMac() : settlementMac,
    resolvedTime: unixTime(0),
  })

const batch = (entries: readonly Uint8Array[], firstEntry = 1, batchNo = 1) => {
  const previousHead = firstHead(kiosk, 1)
  return encodeBatch(macKey(new Uint8Array(32)), {
    keyVersion: 1,
    terminalId: kiosk,
    epoch: 1,
    batchNo,
    firstEntry,
    previousHead,
    entries,
    head: entries.reduce<Uint8Array>(nextHead, previousHead),
  })
}

const first = <Value>(values: readonly Value[], index = 0): Value => {
  const value = values[index]
  if (value === undefined) throw new Error('too few')
  return value
}

const loadAndPay: readonly Step[] = [
  { type: 'load', amount: 1000 },
  { type: 'payment', amount: 250 },
]
const thenBack: readonly Step[] = [...loadAndPay, { type: 'reversal', amount: 250, reference: 2 }]

test('an honest card, its goods and its batch break nothing', () => {
  const auditor = make()
  const records = recordsOf(loadAndPay)
  auditor.sawCard(told(records))
  auditor.handed({ by: 'terminal', record: encodeRecord(first(records, 1)), itemJson, content })
  auditor.sawBatch(batch(records.map((record) => entry(record, 'captured'))))
  expect(auditor.factsOf(card)).toHaveLength(2)
})

test('I1: money that no record explains', () => {
  const records = recordsOf(loadAndPay)
  expect(() => make().sawCard({ ...told(records), balanceMinor: 751 })).toThrow('holds 751')
  const richer = { ...first(records, 1), balanceAfterMinor: amountMinor(760) }
  expect(() => make().sawCard(told([first(records), richer]))).toThrow('does not follow')
})

test('I2: what was called void is made after all, and the reverse', () => {
  const records = recordsOf(loadAndPay)
  const auditor = make()
  auditor.sawCard(told(records.slice(0, 1)))
  auditor.sawBatch(batch([entry(first(records, 1), 'void')]))
  expect(() => auditor.sawCard(told(records))).toThrow('was called void')
  const other = make()
  other.sawCard(told(records))
  expect(() => other.sawBatch(batch([entry(first(records, 1), 'void')]))).toThrow('calls void what was made')
})

test('I2: a capture that no card made, with a forged MAC, or twice', () => {
  const records = recordsOf(loadAndPay)
  const captured = entry(first(records, 1), 'captured')
  expect(() => make().sawBatch(batch([captured]))).toThrow('of what no card made')
  const seen = () => {
    const auditor = make()
    auditor.sawCard(told(records))
    return auditor
  }
  const forged = entry(first(records, 1), 'captured', mac(new Uint8Array(16).fill(0xff)))
  expect(() => seen().sawBatch(batch([forged]))).toThrow('of what no card made')
  expect(() => seen().sawBatch(batch([captured, captured]))).toThrow('captured twice')
})

test('I3: goods unpaid, other goods, goods again, goods after money back, money back after goods', () => {
  const records = recordsOf(loadAndPay)
  const record = encodeRecord(first(records, 1))
  const goods = { by: 'terminal', record, itemJson, content } as const
  expect(() => make().handed(goods)).toThrow('without a captured payment')
  const auditor = make()
  auditor.sawCard(told(records))
  expect(() => auditor.handed({ ...goods, content: new Uint8Array(3) })).toThrow('other goods')
  auditor.handed(goods)
  auditor.notedHandedOver(record)
  expect(() => auditor.handed(goods)).toThrow('handed over again')
  expect(() => auditor.sawCard(told(recordsOf(thenBack)))).toThrow('money back after the goods')
  const undone = make()
  undone.sawCard(told(recordsOf(thenBack)))
  expect(() => undone.handed(goods)).toThrow('goods after money back')
})

test('I5: an entry that changed, or was left out', () => {
  const records = recordsOf(loadAndPay)
  const auditor = make()
  auditor.sawCard(told(records))
  auditor.sawBatch(batch([entry(first(records), 'captured')]))
  expect(() => auditor.sawBatch(batch([entry(first(records, 1), 'captured')]))).toThrow('changed')
  expect(() => auditor.sawBatch(batch([entry(first(records, 1), 'captured')], 3, 2))).toThrow('were left out')
})

/** Books that say just what the two records say. */
const booksOf = (records: readonly CardRecord[]): BookRows => ({
  cards: [{ card_no: 1, card_id: card, mark: 2, balance_minor: 750 }],
  terminals: [{ terminal_no: 1, terminal_id: kiosk, merchant_no: 1 }],
  settlements: records.map((record) => ({
    card_no: 1,
    counter: record.counter,
    record: encodeRecord(record),
    settlement_mac: settlementMacOf(record),
    exception: null,
  })),
  seams: [],
  loads: [{ card_no: 1, counter: 1, record: encodeRecord(first(records)), terminal_no: 1, state: 'settled' }],
  accounts: [
    { account_no: 1, kind: 'float', merchant_no: null, balance_minor: 750 },
    { account_no: 2, kind: 'payable', merchant_no: 1, balance_minor: 250 },
    { account_no: 3, kind: 'merchantCash', merchant_no: 1, balance_minor: -1000 },
  ],
  rogueMoves: [],
  exceptions: [],
  alarms: [],
})

test('the books are held against the cards, to the cent', () => {
  const records = recordsOf(loadAndPay)
  const auditor = make()
  auditor.sawCard(told(records))
  const books = booksOf(records)
  auditor.checkBooks(books)
  const accounts = (payable: number, float: number) =>
    books.accounts.map((row) => ({
      ...row,
      balance_minor: row.kind === 'payable' ? payable : row.kind === 'float' ? float : row.balance_minor,
    }))
  const judge = (changes: Partial<BookRows>) => () => auditor.checkBooks({ ...books, ...changes })
  expect(judge({ accounts: accounts(251, 749) })).toThrow('should hold 750')
  expect(judge({ loads: [] })).toThrow('was never authorised')
  expect(judge({ settlements: books.settlements.slice(0, 1) })).toThrow('is booked at')
  expect(judge({ seams: [{ card_no: 1, after_counter: 1, before_counter: 3, net_minor: 0 }] })).toThrow('holes of card')
  expect(judge({ alarms: [{ kind: 'clone', alarm_key: '', terminal_id: kiosk, card_id: card, counter: 2 }] })).toThrow(
    'without a cause',
  )
  expect(judge({ exceptions: [{ reason: 'balance', card_id: card, counter: 2, terminal_id: kiosk }] })).toThrow(
    'honest',
  )
  expect(
    judge({ settlements: books.settlements.map((row) => ({ ...row, settlement_mac: new Uint8Array(16) })) }),
  ).toThrow('what the card never did')
})

test('at the closing nothing may be left that has no explanation', () => {
  const records = recordsOf(loadAndPay)
  const taken = [batch(records.map((record) => entry(record, 'captured')))]
  const auditor = make()
  auditor.sawCard(told(records))
  expect(() => auditor.close(booksOf(records), taken)).toThrow('not handed over, not undone, and not called owed')
  auditor.handed({ by: 'phone', record: encodeRecord(first(records, 1)), itemJson, content })
  expect(() => auditor.close(booksOf(records), taken)).toThrow('not handed over, not undone, and not called owed')
  const owed = batch(records.slice(1).map((record) => entry(record, 'owed')))
  auditor.close(booksOf(records), [...taken, owed])
  auditor.handed({ by: 'terminal', record: encodeRecord(first(records, 1)), itemJson, content })
  auditor.close(booksOf(records), taken)
  expect(() => auditor.close(booksOf(records), [])).toThrow('of its own terminal nothing was taken')
  const books = booksOf(records)
  const silent = {
    ...books,
    cards: [{ card_no: 1, card_id: card, mark: 1, balance_minor: 1000 }],
    settlements: books.settlements.slice(0, 1),
    accounts: books.accounts.map((row) => ({
      ...row,
      balance_minor: row.kind === 'payable' ? 0 : row.kind === 'float' ? 1000 : row.balance_minor,
    })),
  }
  expect(() => auditor.close(silent, taken)).toThrow('nobody brought what the card still shows')
})

test('what the customer was told is held against his card', () => {
  const auditor = make()
  auditor.sawCard(told(recordsOf(loadAndPay)))
  auditor.told(card, 'captured', 0)
  expect(() => auditor.told(card, 'declined', 1)).toThrow('told "declined", and paid')
  expect(() => auditor.told(card, 'cardLost', 1)).toThrow('told "cardLost", and paid')
  const undone = make()
  undone.sawCard(told(recordsOf(thenBack)))
  undone.told(card, 'declined', 1)
})

test('what is wrong with rogues must be an alarm', () => {
  const [, payment] = recordsOf(loadAndPay)
  if (payment === undefined) throw new Error('no payment')
  const imitated = { ...payment, identity: { keyVersion: 1, cardId: cardId('bad0200000000000') } }
  const auditor = make()
  const taken = [batch([entry(imitated, 'captured')])]
  const books = { ...booksOf([payment]), cards: [], settlements: [], loads: [], accounts: [] }
  expect(() => auditor.close(books, taken)).toThrow('worthless records')
  const alarm = { kind: 'settlementMac', alarm_key: '', terminal_id: kiosk, card_id: null, counter: null }
  auditor.rogueAt(kiosk)
  auditor.close({ ...books, alarms: [alarm] }, taken)
})
