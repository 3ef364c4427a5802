import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { encodeJournal, isChained, type Journal, parseJournal, parseJournalEntry } from '../protocol/journal.ts'
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
import type { CardRecord } from '../protocol/record.ts'
import { initialiseLedger, type Ledger, openLedger } from './ledger.ts'
import { openWritable, type WritableDatabase } from './open.ts'

const owner = { terminalId: terminalId('7465726d30303031'), epoch: 1 }
const card = cardId('c0ffee0000000001')
const operator = { cardId: cardId('c0ffee00000000aa'), name: 'Ada' }
const key = new Uint8Array(32).fill(7)
const settlement = mac(new Uint8Array(16).fill(7))
const startTime = 1_790_000_000

const folder = (): string => {
  const dir = mkdtempSync(path.join(tmpdir(), 'farthing-journal-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

const open = (dataDir: string): { ledger: Ledger; database: WritableDatabase; close: () => void } => {
  const { database, close } = openWritable(dataDir, { create: true })
  onTestFinished(close)
  if (database.prepare('SELECT 1 FROM terminal').get() === undefined) initialiseLedger(database, owner)
  return { ledger: openLedger(database, { clock: () => startTime }), database, close }
}

const seal = (journal: Omit<Journal, 'keyVersion'>) => encodeJournal(key, { ...journal, keyVersion: 1 })

const cutAll = (ledger: Ledger): void => {
  while (ledger.cutJournal(seal));
}

const answer = (ledger: Ledger, verdict: 'taken' | 'outOfOrder' | 'fork'): Journal => {
  const due = ledger.journalDue()
  if (due === undefined) throw new Error('nothing is due')
  const journal = parseJournal(due.bytes)
  ledger.storeJournalAnswer({ ...journal, verdict }, new Uint8Array(1))
  return journal
}

let counters = 0
const sell = (ledger: Ledger): number => {
  counters += 1
  const terminalSeq = ledger.nextTerminalSeq()
  const record: CardRecord = {
    identity: { keyVersion: 1, cardId: card },
    counter: counter(counters),
    balanceAfterMinor: amountMinor(1000),
    order: {
      type: 'payment',
      currency: currencyCode(978),
      amountMinor: amountMinor(250),
      reference: counter(0),
      terminalId: owner.terminalId,
      terminalSeq,
      time: unixTime(startTime),
      itemHash: shortHash(new Uint8Array(16).fill(1)),
      lock: new Uint8Array(16).fill(2),
    },
  }
  return ledger.capture(ledger.writeIntent({ record, itemJson: '{}' }), settlement).terminalSeq
}

const actsOf = (journal: Journal) => journal.entries.map((each) => parseJournalEntry(each).act)

test('acts are chained, cut once, sent oldest first, and settled by their answer alone; a restart changes nothing', () => {
  const dataDir = folder()
  const first = open(dataDir)
  first.ledger.writeJournal({ act: 'enter', operator })
  first.ledger.writeJournal({ act: 'volume', operator, details: { percent: 40 } })
  cutAll(first.ledger)
  first.ledger.writeJournal({ act: 'leave', operator })
  cutAll(first.ledger)
  expect(first.ledger.journalsToCarry().map(({ journalNo }) => journalNo)).toEqual([1, 2])
  const sent = first.ledger.journalDue()
  first.close()
  const { ledger } = open(dataDir)
  expect(ledger.journalDue()).toEqual(sent)
  const one = answer(ledger, 'taken')
  const two = answer(ledger, 'taken')
  expect([actsOf(one), actsOf(two)]).toEqual([['enter', 'volume'], ['leave']])
  expect(isChained(one) && isChained(two)).toBe(true)
  expect(two.previousHead).toEqual(one.head)
  expect(ledger.journalDue()).toBeUndefined()
  expect(ledger.cutJournal(seal)).toBe(false)
  expect(ledger.journalEntries({ limit: 2 }).map(({ no, act }) => [no, act])).toEqual([
    [3, 'leave'],
    [2, 'volume'],
  ])
})

test('a terminal where nobody did anything says once that it keeps a journal', () => {
  const { ledger } = open(folder())
  cutAll(ledger)
  expect(actsOf(answer(ledger, 'taken'))).toEqual(['start'])
  cutAll(ledger)
  expect(ledger.journalDue()).toBeUndefined()
})

test('the issuer that lost a journal gets it again; a fork stops the terminal', () => {
  const { ledger } = open(folder())
  for (const act of ['enter', 'sync', 'leave'] as const) {
    ledger.writeJournal({ act, operator })
    cutAll(ledger)
  }
  answer(ledger, 'taken')
  answer(ledger, 'taken')
  expect(answer(ledger, 'outOfOrder').journalNo).toBe(3)
  expect(ledger.journalsToCarry().map(({ journalNo }) => journalNo)).toEqual([2])
  expect(answer(ledger, 'taken').journalNo).toBe(2)
  expect(ledger.journalDue()).toBeUndefined()
  ledger.writeJournal({ act: 'enter', operator })
  cutAll(ledger)
  answer(ledger, 'fork')
  expect(ledger.stoppedVerdict).toBe('fork')
})

test('entries are never changed or deleted, and what was changed behind the database shows at the start', () => {
  const dataDir = folder()
  const { ledger, database, close } = open(dataDir)
  ledger.writeJournal({ act: 'enter', operator })
  ledger.writeJournal({ act: 'leave', operator })
  for (const statement of ["UPDATE journal_entry SET act = 'sync'", 'DELETE FROM journal_entry'])
    expect(() => database.prepare(statement).run()).toThrow(/journal entries/)
  database.exec("DROP TRIGGER journal_entry_is_never_changed; UPDATE journal_entry SET act = 'sync' WHERE entry_no = 2")
  close()
  expect(() => open(dataDir)).toThrow(/journal.s chain is broken at entry 2 of epoch 1/)
})

test('a refund withholds the goods and asks for the money in one commit, once, and for no more than the price', () => {
  const dataDir = folder()
  const { ledger, close } = open(dataDir)
  const [sold, released] = [sell(ledger), sell(ledger)]
  ledger.markReleased(released)
  const asked = { operator, reason: 'torn page' }
  expect(ledger.refund(sold, { ...asked, amountMinor: 251 })).toEqual({ outcome: 'refused', reason: 'amount' })
  expect(ledger.refund(9999, asked)).toEqual({ outcome: 'refused', reason: 'notCaptured' })
  expect(ledger.refund(sold, asked)).toMatchObject({ outcome: 'refunded', entry: { no: 1, act: 'refund' } })
  expect(ledger.refund(released, { ...asked, amountMinor: 100 })).toMatchObject({
    entry: { no: 2, operator, details: { cardId: card, terminalSeq: released, amountMinor: 100, reason: 'torn page' } },
  })
  expect(ledger.refund(sold, asked)).toEqual({ outcome: 'refused', reason: 'refunded' })
  // The sale's own flow, which was still under way, finds them withheld.
  ledger.markReleased(sold)
  ledger.markOwed(released)
  close()
  const again = open(dataDir).ledger
  expect(again.intent(sold)).toMatchObject({ goods: 'withheld', refunded: true, state: 'captured' })
  expect(again.goodsDue(card)).toEqual([])
  again.beginEpoch(2, { epoch: 1, lastEntry: 0 })
  expect(again.intent(sold).goods).toBe('withheld')
  expect(again.intent(released).goods).toBe('withheld')
})

test.each(['journal_entry', 'intent'] as const)(
  'power that fails while a refund is written leaves all of it or nothing: %s',
  (table) => {
    const dataDir = folder()
    const { ledger, database, close } = open(dataDir)
    const sold = sell(ledger)
    const event = table === 'intent' ? 'UPDATE OF refunded ON intent' : 'INSERT ON journal_entry'
    database.exec(`CREATE TRIGGER broken BEFORE ${event} BEGIN SELECT RAISE(ABORT, 'power'); END`)
    expect(() => ledger.refund(sold, { operator, reason: 'torn' })).toThrow()
    database.exec('DROP TRIGGER broken')
    close()
    const again = open(dataDir).ledger
    expect(again.intent(sold)).toMatchObject({ goods: 'due', refunded: false })
    expect(again.journalEntries({ limit: 9 })).toEqual([])
    expect(again.refund(sold, { operator, reason: 'torn' })).toMatchObject({ outcome: 'refunded', entry: { no: 1 } })
  },
)

test('a new epoch takes along what the issuer has not taken, with its time, in a chain of its own', () => {
  const dataDir = folder()
  const { ledger } = open(dataDir)
  ledger.writeJournal({ act: 'enter', operator })
  cutAll(ledger)
  answer(ledger, 'taken')
  ledger.writeJournal({ act: 'sync', operator })
  cutAll(ledger)
  ledger.writeJournal({ act: 'leave', operator })
  ledger.beginEpoch(2, { epoch: 1, lastEntry: 0 })
  cutAll(ledger)
  const journal = answer(ledger, 'taken')
  expect(journal).toMatchObject({ epoch: 2, journalNo: 1, firstEntry: 1 })
  expect(journal.entries.map(parseJournalEntry)).toMatchObject([
    { no: 1, act: 'sync', at: new Date(startTime * 1000).toISOString() },
    { no: 2, act: 'leave' },
  ])
  expect(isChained(journal)).toBe(true)
})

test('wrong PINs are counted until the card enters, also across a restart', () => {
  const dataDir = folder()
  const { ledger, close } = open(dataDir)
  for (const act of ['wrongPin', 'enter', 'wrongPin', 'wrongPin'] as const) ledger.writeJournal({ act, operator })
  close()
  const again = open(dataDir).ledger
  expect(again.wrongPins(operator.cardId)).toEqual({ count: 2, lastTime: startTime })
  expect(again.wrongPins(card)).toEqual({ count: 0, lastTime: 0 })
})

test('whatever is done in whatever order, with restarts and epochs: every act reaches the issuer once, in order', () => {
  const seed = 20_261_126
  let state = seed
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state % below
  }
  const dataDir = folder()
  let at = open(dataDir)
  const said: string[] = []
  const heard: string[] = []
  let epoch = 1
  for (let step = 0; step < 120; step += 1)
    switch (random(5)) {
      case 0:
      case 1:
        at.ledger.writeJournal({ act: 'sync', operator, details: { step } })
        said.push(String(step))
        break
      case 2:
        cutAll(at.ledger)
        while (at.ledger.journalDue() !== undefined && random(3) > 0)
          for (const bytes of answer(at.ledger, 'taken').entries) {
            const { act, details } = parseJournalEntry(bytes)
            if (act !== 'start') heard.push(String(details?.step))
          }
        break
      case 3:
        at.close()
        at = open(dataDir)
        break
      default:
        if (random(4) === 0) {
          epoch += 1
          at.ledger.beginEpoch(epoch, { epoch: epoch - 1, lastEntry: 0 })
        }
    }
  cutAll(at.ledger)
  while (at.ledger.journalDue() !== undefined)
    for (const bytes of answer(at.ledger, 'taken').entries) {
      const { act, details } = parseJournalEntry(bytes)
      if (act !== 'start') heard.push(String(details?.step))
    }
  expect(heard, `seed ${seed}`).toEqual(said)
})
