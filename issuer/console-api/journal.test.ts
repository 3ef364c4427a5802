import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  encodeJournal,
  encodeJournalEntry,
  firstJournalHead,
  type JournalEntry,
  nextJournalHead,
} from '../../protocol/journal.ts'
import { changedOperator, journalPage, operatorsAnswer } from '../console-contract/journal.ts'
import { takeJournal } from '../journals.ts'
import { decideRefunds } from '../refunds.ts'
import { type ConsoleClient, consoleApp, newUser } from '../test-console.ts'
import {
  type Bench,
  newCard,
  newTerminal,
  openBench,
  publish,
  type TestCard,
  type TestTerminal,
} from '../test-support.ts'

let bench: Bench
let viewer: ConsoleClient
let admin: ConsoleClient
let kiosk: TestTerminal
let staff: TestCard

beforeAll(async () => {
  bench = await openBench()
  const { issuer } = bench
  kiosk = await newTerminal(issuer, 'Town')
  staff = await newCard(issuer)
  const card = await newCard(issuer)
  const map = await publish(issuer, 'map', 250)
  const loaded = await kiosk.load(card, 1000)
  const sold = card.pay(kiosk, map)
  await kiosk.sync(kiosk.entry(loaded), kiosk.entry(sold))
  const app = consoleApp(issuer)
  viewer = await newUser(app, issuer, 'viewer')
  admin = await newUser(app, issuer, 'admin')
  const operator = { cardId: staff.id, name: 'Ada Byron' }
  const at = new Date(bench.clock.seconds * 1000).toISOString()
  const { identity, counter, order } = sold.record
  const acts: Omit<JournalEntry, 'no' | 'at'>[] = [
    { act: 'start' },
    { act: 'enter', operator },
    { act: 'volume', operator, details: { percent: 40 } },
    {
      act: 'refund',
      operator,
      details: {
        cardId: identity.cardId,
        counter,
        terminalSeq: order.terminalSeq,
        amountMinor: 250,
        reason: 'torn, "wet"',
      },
    },
  ]
  const entries = acts.map((act, index) => encodeJournalEntry({ no: index + 1, at, ...act }))
  const previousHead = firstJournalHead(kiosk.id, 1)
  const key = issuer.keys.terminalKey(1, kiosk.id) ?? new Uint8Array()
  const place = { keyVersion: 1, terminalId: kiosk.id, epoch: 1, journalNo: 1, firstEntry: 1 }
  const head = entries.reduce(nextJournalHead, previousHead)
  await takeJournal(issuer, encodeJournal(key, { ...place, previousHead, entries, head }))
  await decideRefunds(issuer)
})
afterAll(() => bench.close())

const journal = async (query = '') => {
  const answer = await viewer.get(`/terminals/${kiosk.id}/journal${query}`)
  expect(answer.status).toBe(200)
  return v.parse(journalPage, await answer.json())
}

test('the journal of a terminal is paged, filtered, and says what became of a refund', async () => {
  const all = await journal()
  expect(all.total).toBe(4)
  expect(all.rows.map(({ act }) => act)).toEqual(['refund', 'volume', 'enter', 'start'])
  // Nobody is an operator here yet.
  expect(all.rows[0]).toMatchObject({ operator: 'Ada Byron', refund: { state: 'person', why: /no operator/ } })
  const first = await journal('?limit=3&direction=ascending')
  expect(first.rows.map(({ entryNo }) => entryNo)).toEqual([1, 2, 3])
  const next = await journal(`?limit=3&direction=ascending&after=${encodeURIComponent(first.next ?? '')}`)
  expect(next.rows.map(({ entryNo }) => entryNo)).toEqual([4])
  expect((await journal('?act=vol')).rows).toHaveLength(1)
  expect((await journal('?operator=byron')).rows).toHaveLength(3)
  expect((await journal(`?operator=${staff.id}`)).rows).toHaveLength(3)
  expect((await journal('?until=2001-01-01')).rows).toEqual([])
  const file = await (await viewer.get(`/terminals/${kiosk.id}/journal?format=csv`)).text()
  expect(file.trimEnd().split('\n')).toHaveLength(5)
  expect(file).toContain('Ada Byron')
})

test('an administrator adds and removes operators; nobody is told a PIN or its hash', async () => {
  const operator = { cardId: staff.id, name: 'Ada', role: 'operator', pin: '493817', terminals: [kiosk.id] }
  expect((await viewer.post('/operators', operator)).status).toBe(403)
  expect((await admin.post('/operators', { ...operator, pin: '12' })).status).toBe(400)
  v.parse(changedOperator, await (await admin.post('/operators', operator)).json())
  expect((await admin.post('/operators/refund-max', { amountMinor: 1000 })).status).toBe(200)
  const text = await (await viewer.get('/operators')).text()
  expect(text).not.toMatch(/scrypt|493817/)
  const answer = v.parse(operatorsAnswer, JSON.parse(text))
  expect(answer).toMatchObject({ refundMinorMax: 1000, operators: [{ name: 'Ada', terminals: [kiosk.id] }] })
  expect((await admin.post(`/operators/${staff.id}/remove`, {})).status).toBe(200)
  expect((await admin.post(`/operators/${staff.id}/remove`, {})).status).toBe(400)
})
