/** Operator mode through the till: real ledger, real software cards, a printer that decodes what it is sent, a stick in a folder. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { NewJournalEntry } from '../../db/journal.ts'
import { LedgerFault } from '../../db/open.ts'
import {
  mayAct,
  mayLook,
  type OperatorAct,
  type OperatorScreen,
  operatorSections,
} from '../../preload/operator-contract.ts'
import { encodeJournalAnswer, parseJournal } from '../../protocol/journal.ts'
import { hashOperatorPin } from '../../protocol/operator.ts'
import { cardId } from '../../protocol/quantities.ts'
import { makeKiosk } from '../kiosk/kiosk.ts'
import type { Kiosk } from '../kiosk/kiosk-contract.ts'
import { openTill, settings } from '../kiosk/test-kiosk.ts'
import type { LoadDesk } from '../kiosk/top-up.ts'
import { type LoadOutcome, loadCard } from '../load.ts'
import { openPrinter } from '../printer/printer.ts'
import { printerSettingSchema } from '../printer/printer-settings.ts'
import { startTestPrinter, textOfPage } from '../printer/test-printer.ts'
import { takeJournalAnswer } from '../sync/intake.ts'
import { connectIssuer, IssuerUnreachable } from '../sync/issuer-client.ts'
import { cutJournal } from '../sync/sync.ts'
import { makeTestCard, seededBytes, testFolder } from '../test-terminal.ts'

const pin = '271828'
const operatorCardId = cardId('0be7a70700000001')
/** One slow hash for all tests. */
const hashed = await hashOperatorPin(pin, seededBytes(7)(16))
const ada = { cardId: operatorCardId, name: 'Ada', role: 'operator' as const, pin: hashed }
const operators = [ada]

const openOperated = (options: Parameters<typeof openTill>[0] = {}) => {
  const publication = options.publication === 'none' ? {} : options.publication
  const till = openTill({ ...options, publication: { ...publication, keyring: { operators } } })
  const operatorCard = makeTestCard({ balanceMinor: 0, personalisation: { cardId: operatorCardId } })
  const { kiosk, screen, put, reader, terminal } = till
  const key = async (digits: string) => {
    for (const digit of digits) await kiosk.operatorKey(digit as '0')
    await kiosk.operatorKey('enter')
  }
  const phase = <Phase extends OperatorScreen['phase']>(wanted: Phase) =>
    screen('operator', (now) => now.phase === wanted) as Promise<Extract<OperatorScreen, { phase: Phase }>>
  const enter = async () => {
    put(operatorCard)
    await phase('entering')
    await key(pin)
    await phase('open')
    reader.remove()
  }
  const sell = async (itemId: string) => {
    const card = makeTestCard()
    await kiosk.buy(itemId)
    put(card)
    await screen('approved')
    reader.remove()
    await kiosk.finish()
    return card
  }
  const acts = () => terminal.ledger.journalEntries({ limit: 100 }).map(({ act }) => act)
  return { ...till, operatorCard, key, phase, enter, sell, acts }
}

const withPrinter = async () => {
  const device = await startTestPrinter()
  const printer = openPrinter(v.parse(printerSettingSchema, { tcp: `127.0.0.1:${device.port}` }), device.clock)
  onTestFinished(async () => {
    await printer.close()
    await device.close()
  })
  return { device, printer }
}

test('an operator enters by card and PIN, and leaves nothing; a customer sees his balance as ever', async () => {
  const { kiosk, screen, put, reader, enter, acts } = openOperated()
  put(makeTestCard())
  expect(await screen('balance')).toMatchObject({ balanceMinor: 1000 })
  expect(await kiosk.operatorAct({ act: 'sync' })).toEqual({ outcome: 'ignored' })
  expect(await kiosk.operatorLook({ section: 'logs' })).toBeUndefined()
  reader.remove()
  await kiosk.finish()
  await enter()
  expect(kiosk.state.screen).toMatchObject({ name: 'operator', operator: 'Ada' })
  await kiosk.buy('map')
  expect(kiosk.state.screen.name).toBe('operator')
  await kiosk.operatorLeave()
  expect(kiosk.state.screen).toEqual({ name: 'browse' })
  expect(await kiosk.operatorLook({ section: 'today' })).toBeUndefined()
  expect(acts()).toEqual(['leave', 'enter'])
})

test('wrong PINs are counted in the journal and make the card wait, over a restart too', async () => {
  const { kiosk, put, operatorCard, key, phase, acts, terminal, restart } = openOperated()
  put(operatorCard)
  await phase('entering')
  await kiosk.operatorKey('enter')
  for (const _ of [1, 2]) {
    await key('999999')
    expect(await phase('wrong')).toMatchObject({ digits: 0 })
  }
  await key('999999')
  await phase('waiting')
  expect(acts()).toEqual(['wrongPin', 'wrongPin', 'wrongPin'])
  // Typed all the same, it is not even looked at.
  await key(pin)
  expect(acts()).toHaveLength(3)
  expect(terminal.ledger.wrongPins(operatorCardId).count).toBe(3)
  await kiosk.operatorLeave()
  expect(acts()).toHaveLength(3)
  expect(restart().ledger.wrongPins(operatorCardId).count).toBe(3)
})

test('who waited may enter, and counts from nothing again', async () => {
  const { kiosk, put, operatorCard, key, phase, terminal, clock, reader } = openOperated()
  for (const _ of [1, 2, 3])
    terminal.ledger.writeJournal({ act: 'wrongPin', operator: { cardId: operatorCardId, name: 'Ada' } })
  put(operatorCard)
  await phase('waiting')
  await kiosk.operatorLeave()
  reader.remove()
  clock.seconds += 31
  put(operatorCard)
  await phase('wrong')
  await key(pin)
  await phase('open')
  expect(terminal.ledger.wrongPins(operatorCardId).count).toBe(0)
})

test('an operator may buy like anybody else, from the PIN on', async () => {
  const loadDesk: LoadDesk = {
    voucher: () => Promise.reject(new Error('nobody has one')),
    credits: async () => [{ funding: 'credit:1', amountMinor: 150 }],
    load: () => Promise.reject(new Error('nobody loads')),
  }
  const { kiosk, screen, put, operatorCard, phase } = openOperated({ parts: { loadDesk } })
  kiosk.attachSync({ online: true, nudge: () => {}, now: () => Promise.reject(new Error()), stop: async () => {} })
  operatorCard.load(700)
  put(operatorCard)
  expect(await phase('entering')).toMatchObject({ balance: true })
  await kiosk.operatorBalance()
  expect(await screen('balance', ({ waitingMinor }) => waitingMinor === 150)).toMatchObject({ balanceMinor: 700 })
})

test("an operator's card that was reported lost, or proves nothing, opens nothing", async () => {
  const lost = openOperated({ publication: { hotlist: [{ cardId: operatorCardId }] } })
  lost.put(lost.operatorCard)
  await lost.screen('balance')
  const { screen, operatorCard, reader } = openOperated()
  // As a blocked one does, or an imitation: it refuses every INITIATE.
  reader.insert((command) => (command[1] === 0x10 ? Uint8Array.of(0x69, 0x83) : operatorCard.answers(command)))
  await screen('balance')
})

test('who leaves while the PIN is looked at, or a card is loaded, does not find the desk open again behind him', async () => {
  const loaded = Promise.withResolvers<LoadOutcome>()
  const loadDesk: LoadDesk = {
    voucher: async () => ({ state: 'unknown' }),
    credits: async () => [],
    load: () => loaded.promise,
  }
  const { kiosk, put, operatorCard, key, phase, reader, acts, screen } = openOperated({ parts: { loadDesk } })
  kiosk.attachSync({ online: true, nudge: () => {}, now: () => Promise.reject(new Error()), stop: async () => {} })
  put(operatorCard)
  await phase('entering')
  await key(pin)
  await kiosk.operatorLeave()
  expect(kiosk.state.screen).toMatchObject({ name: 'operator', phase: 'checking' })
  await phase('open')
  reader.remove()
  await kiosk.operatorAct({ act: 'load', amountMinor: 2000 })
  put(makeTestCard())
  const isWorking = (now: OperatorScreen): boolean => now.phase === 'open' && now.task?.phase === 'working'
  await screen('operator', isWorking)
  await kiosk.operatorLeave()
  expect(kiosk.state.screen).toSatisfy(isWorking)
  loaded.resolve({ outcome: 'captured', cardId: 'c', counter: 2, balanceAfterMinor: 3000 })
  await screen('operator', (now) => now.phase === 'open' && now.task?.phase === 'done')
  await kiosk.operatorLeave()
  expect(acts().filter((act) => act === 'enter' || act === 'leave')).toEqual(['leave', 'enter'])
})

test.each([
  ['taken back', {}],
  ['reported lost', { keyring: { operators }, hotlist: [{ cardId: operatorCardId }] }],
])('an operator who was %s while inside does nothing more there', async (_how, news) => {
  const { kiosk, enter, acts, publish } = openOperated()
  await enter()
  publish({ serial: 2, ...news })
  expect(await kiosk.operatorAct({ act: 'outOfService', reason: 'mine' })).toEqual({ outcome: 'ignored' })
  expect(kiosk.state.screen.name).toBe('browse')
  expect(acts()).toEqual(['leave', 'enter'])
})

test.each<[string, Parameters<ReturnType<typeof openOperated>['publish']>[0]]>([
  ['taken back', {}],
  ['given another role', { keyring: { operators: [{ ...ada, role: 'technician' as const }] } }],
  ['reported lost', { keyring: { operators }, hotlist: [{ cardId: operatorCardId }] }],
])('an operator who is %s sees nothing more once the news are here, inside or before the PIN', async (_how, news) => {
  const { kiosk, enter, screen, acts, publish, put, operatorCard, phase, reader, lines } = openOperated()
  const loop = { online: true, nudge: () => {}, now: () => Promise.reject(new Error()), stop: async () => {} }
  await enter()
  kiosk.attachSync(loop)
  expect(kiosk.state.screen.name).toBe('operator')
  publish({ serial: 2, ...news })
  // Before the till has heard of it, a look tells it.
  expect(await kiosk.operatorLook({ section: 'today' })).toBeUndefined()
  expect(kiosk.state.screen.name).toBe('browse')
  publish({ serial: 3, keyring: { operators } })
  await enter()
  publish({ serial: 4, ...news })
  kiosk.attachSync(loop)
  expect(kiosk.state.screen.name).toBe('browse')
  expect(acts()).toEqual(['leave', 'enter', 'leave', 'enter'])
  publish({ serial: 5, keyring: { operators } })
  put(operatorCard)
  await phase('entering')
  reader.remove()
  publish({ serial: 6, ...news })
  kiosk.attachSync(loop)
  await screen('browse')
  expect(acts()).toHaveLength(4)
  expect(lines.filter((line) => line.startsWith('Ada '))).toEqual(
    Array(3).fill('Ada was taken back, changed or reported lost: the visit to operator mode has ended.'),
  )
})

test("a technician sees to the machine, and to nobody's money: each act and view is his or not by the table", async () => {
  const { kiosk, put, operatorCard, phase, key, reader, sell, publish, acts, terminal } = openOperated()
  await sell('map')
  publish({ serial: 2, keyring: { operators: [{ ...ada, role: 'technician' }] } })
  put(operatorCard)
  await phase('entering')
  await key(pin)
  expect(await phase('open')).toMatchObject({ role: 'technician' })
  reader.remove()
  for (const section of operatorSections)
    expect((await kiosk.operatorLook({ section })) !== undefined, section).toBe(mayLook[section].includes('technician'))
  const terminalSeq = terminal.ledger.receipts({ countMax: 1 })[0]?.terminalSeq ?? 0
  const before = acts().length
  for (const act of [
    { act: 'refund', terminalSeq, reason: 'mine' },
    { act: 'reprint', terminalSeq, language: 'en' },
    { act: 'dayClose', language: 'en' },
    { act: 'load', amountMinor: 100 },
  ] as const) {
    expect(await kiosk.operatorAct(act), act.act).toEqual({ outcome: 'ignored' })
    expect(mayAct[act.act]).not.toContain('technician')
  }
  expect(acts()).toHaveLength(before)
  expect(terminal.ledger.intent(terminalSeq).refunded).toBe(false)
  expect(await kiosk.operatorAct({ act: 'printerTest', language: 'en' })).toMatchObject({ outcome: 'printed' })
  expect(await kiosk.operatorAct({ act: 'outOfService', reason: 'Being serviced' })).toEqual({ outcome: 'done' })
})

test('left alone, it closes by itself', async () => {
  const { kiosk, enter, terminal } = openOperated()
  await enter()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  await kiosk.stay()
  vi.advanceTimersByTime(179_000)
  await kiosk.operatorLook({ section: 'today' })
  vi.advanceTimersByTime(179_000)
  expect(kiosk.state.screen.name).toBe('operator')
  vi.advanceTimersByTime(1_001)
  expect(kiosk.state.screen.name).toBe('browse')
  expect(terminal.ledger.journalEntries({ limit: 1 })[0]).toMatchObject({ act: 'leave', details: { untouched: true } })
})

test.each<[string, (kiosk: Kiosk) => Promise<unknown>]>([
  ['an act', (kiosk) => kiosk.operatorAct({ act: 'volume', percent: 30 })],
  ['leaving by the clock', async () => vi.advanceTimersByTime(180_001)],
])('a disk that fails at %s ends operator mode and sales, and no more than that', async (_what, touch) => {
  let isFull = false
  const { kiosk, enter, lines } = openOperated({
    breakLedger: (terminal) => {
      const { writeJournal } = terminal.ledger
      Object.assign(terminal.ledger, {
        writeJournal: (entry: NewJournalEntry) => {
          if (isFull) throw new LedgerFault('storage', 'The disk is full.')
          return writeJournal(entry)
        },
      })
      return terminal
    },
  })
  await enter()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  await kiosk.stay()
  isFull = true
  await touch(kiosk)
  expect(kiosk.state.screen).toEqual({ name: 'out-of-service', reason: 'storage' })
  expect(lines).toEqual(['The disk is full.'])
})

test('the day closes with a numbered report on paper, and the next one begins at nothing', async () => {
  const { device, printer } = await withPrinter()
  const { kiosk, enter, sell, terminal } = openOperated({ parts: { printer } })
  await sell('map')
  await sell('wifi')
  await enter()
  const today = await kiosk.operatorLook({ section: 'today' })
  expect(today).toMatchObject({
    figures: {
      closeNo: 1,
      sales: { count: 2, amountMinor: 350 },
      refunds: { count: 0, amountMinor: 0 },
      byKind: [
        { kind: 'document', count: 1, amountMinor: 250 },
        { kind: 'code', count: 1, amountMinor: 100 },
      ],
    },
    health: { unsynced: { count: 2, amountMinor: 350 }, inDoubt: 0 },
  })
  const mapSale = terminal.ledger.receipts({ countMax: 2 })[1]
  await kiosk.operatorAct({ act: 'refund', terminalSeq: mapSale?.terminalSeq ?? 0, reason: 'Torn' })
  const closed = await kiosk.operatorAct({ act: 'dayClose', language: 'en' })
  expect(closed).toMatchObject({ outcome: 'report', title: 'Day close no. 1', print: 'printed' })
  const page = textOfPage(device.jobs[0] ?? { printed: [], cut: false })
  expect(page).toContain('Day close no. 1')
  expect(page).toMatch(/Sales, 2 +€3\.50/)
  expect(page).toMatch(/Refunds asked for, 1 +-€2\.50/)
  expect(page).toMatch(/Sales less returns +€1\.00/)
  expect(await kiosk.operatorLook({ section: 'today' })).toMatchObject({
    figures: { closeNo: 2, sales: { count: 0, amountMinor: 0 }, refunds: { count: 0 } },
  })
  expect(terminal.ledger.newestAct(['dayClose'])).toMatchObject({
    operator: { cardId: operatorCardId, name: 'Ada' },
    details: { no: 1, salesMinor: 350, refundsMinor: 250, netMinor: 100 },
  })
  await kiosk.operatorLeave()
  await sell('map')
  await enter()
  const second = await kiosk.operatorAct({ act: 'dayClose', language: 'de' })
  expect(second).toMatchObject({ title: 'Tagesabschluss Nr. 2', print: 'printed' })
  expect(terminal.ledger.newestAct(['dayClose'])?.details).toMatchObject({
    no: 2,
    salesMinor: 250,
    refundsMinor: 0,
    allSalesMinor: 600,
  })
})

test('a copy says that it is one and bears no code; a refund is one, and withholds the goods', async () => {
  const { device, printer } = await withPrinter()
  const { kiosk, enter, sell, screen, put, terminal, acts } = openOperated({ parts: { printer } })
  const card = await sell('wifi')
  await enter()
  const list = await kiosk.operatorLook({ section: 'receipts' })
  const [row] = list !== undefined && 'rows' in list ? list.rows : []
  expect(row).toMatchObject({ number: '1-1', priceMinor: 100, state: 'paid', cardEnding: card.id.slice(-4) })
  const terminalSeq = row !== undefined && 'terminalSeq' in row ? row.terminalSeq : 0
  expect(await kiosk.operatorAct({ act: 'reprint', terminalSeq, language: 'en' })).toEqual({
    outcome: 'printed',
    print: 'printed',
  })
  const page = textOfPage(device.jobs[0] ?? { printed: [], cut: false })
  expect(page).toContain('Copy, printed')
  expect(page).not.toContain('ALPHA-1')
  device.setState({ paper: false })
  expect(await kiosk.operatorAct({ act: 'reprint', terminalSeq, language: 'en' })).toMatchObject({ print: 'paperOut' })
  const refund: OperatorAct = { act: 'refund', terminalSeq, reason: 'It did not work' }
  expect(await kiosk.operatorAct(refund)).toEqual({ outcome: 'refunded', amountMinor: 100, sent: false })
  expect(await kiosk.operatorAct(refund)).toEqual({ outcome: 'refundRefused', reason: 'refunded' })
  expect(await kiosk.operatorAct({ act: 'reprint', terminalSeq: 999, language: 'en' })).toEqual({ outcome: 'ignored' })
  await kiosk.operatorLeave()
  expect(acts()).toEqual(['leave', 'refund', 'reprint', 'reprint', 'enter'])
  put(card)
  expect((await screen('balance')).movements[0]).toMatchObject({ collectable: false })
  expect(terminal.ledger.intent(terminalSeq).refunded).toBe(true)
})

test('a refund goes to the issuer at once where that answers, and says so; where it does not, it waits', async () => {
  const { kiosk, enter, sell, terminal } = openOperated()
  await sell('map')
  await sell('map')
  await enter()
  const [newer, older] = terminal.ledger.receipts({ countMax: 2 })
  const { identity, ledger } = terminal
  let syncs = 0
  const nothing = { batches: 0, entries: 0, exceptions: 0 }
  const loop = {
    online: true,
    nudge: () => {},
    stop: async () => {},
    async now() {
      syncs += 1
      cutJournal(terminal)
      for (let due = ledger.journalDue(); due !== undefined; due = ledger.journalDue())
        takeJournalAnswer(
          terminal,
          encodeJournalAnswer(identity.terminalKey, { ...parseJournal(due.bytes), verdict: 'taken' }),
        )
      return nothing
    },
  }
  const refund = (of: typeof newer) =>
    kiosk.operatorAct({ act: 'refund', terminalSeq: of?.terminalSeq ?? 0, reason: 'Torn' })
  kiosk.attachSync({ ...loop, now: () => Promise.reject(new IssuerUnreachable('The network is gone.')) })
  expect(await refund(newer)).toMatchObject({ outcome: 'refunded', sent: false })
  kiosk.attachSync(loop)
  expect(await refund(older)).toMatchObject({ outcome: 'refunded', sent: true })
  expect(syncs).toBe(1)
})

test('a sync that takes for ever is waited for a minute; then the operator goes on, and so does the sync', async () => {
  const { kiosk, enter } = openOperated()
  kiosk.attachSync({ online: true, nudge: () => {}, stop: async () => {}, now: () => new Promise(() => {}) })
  await enter()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const synced = kiosk.operatorAct({ act: 'sync' })
  expect(await kiosk.operatorAct({ act: 'volume', percent: 30 })).toEqual({ outcome: 'ignored' })
  vi.advanceTimersByTime(60_000)
  expect(await synced).toEqual({ outcome: 'syncGoesOn' })
  expect(await kiosk.operatorAct({ act: 'volume', percent: 30 })).toEqual({ outcome: 'done' })
})

test('closed by an operator, nothing is sold, over a restart too', async () => {
  const { kiosk, screen, enter, put, reader, terminal, restart } = openOperated()
  await enter()
  await kiosk.operatorAct({ act: 'outOfService', reason: 'Being serviced' })
  expect(await kiosk.operatorLook({ section: 'device' })).toMatchObject({
    closed: 'Being serviced',
    outOfService: 'closed',
  })
  await kiosk.operatorLeave()
  expect(kiosk.state.screen).toEqual({ name: 'out-of-service', reason: 'closed' })
  const customer = makeTestCard()
  put(customer)
  await kiosk.buy('map')
  expect(await screen('out-of-service')).toMatchObject({ reason: 'closed' })
  expect(customer.state.balanceMinor).toBe(1000)
  expect(terminal.ledger.receipts({ countMax: 1 })).toEqual([])
  reader.remove()
  expect(restart().ledger.closedFor).toBe('Being serviced')
})

test('an operator opens it again, by the same card and PIN', async () => {
  const { kiosk, screen, put, operatorCard, phase, key, enter, reader } = openOperated()
  await enter()
  await kiosk.operatorAct({ act: 'outOfService', reason: 'Being serviced' })
  await kiosk.operatorLeave()
  put(operatorCard)
  expect(await phase('entering')).toMatchObject({ balance: false })
  await key(pin)
  await phase('open')
  reader.remove()
  expect(await kiosk.operatorAct({ act: 'inService' })).toEqual({ outcome: 'done' })
  await kiosk.operatorLeave()
  expect(await screen('browse')).toEqual({ name: 'browse' })
})

test('a stick takes batches and journal along; a folder that nobody named is not touched', async () => {
  const stick = path.join(testFolder(onTestFinished), 'stick')
  mkdirSync(stick)
  const { kiosk, enter, sell, acts } = openOperated({ settings: { ...settings, stick } })
  await sell('map')
  await enter()
  expect(await kiosk.operatorLook({ section: 'exchange' })).toMatchObject({
    drives: expect.arrayContaining([{ path: stick, name: 'stick' }]),
  })
  expect(await kiosk.operatorAct({ act: 'export', drive: '/etc' })).toEqual({ outcome: 'stickFault', problem: 'gone' })
  expect(await kiosk.operatorAct({ act: 'export', drive: stick })).toEqual({
    outcome: 'exported',
    files: 2,
    refused: [],
  })
  expect(readdirSync(stick).map((name) => path.extname(name))).toEqual(expect.arrayContaining(['.fbat', '.fjrn']))
  expect(await kiosk.operatorAct({ act: 'import', drive: stick })).toMatchObject({
    outcome: 'imported',
    answers: 0,
    waiting: true,
  })
  expect(acts().slice(0, 3)).toEqual(['import', 'export', 'export'])
  writeFileSync(path.join(stick, 'bulletin.fbul'), 'torn')
  mkdirSync(path.join(stick, 'successions.fsuc'))
  expect(await kiosk.operatorAct({ act: 'import', drive: stick })).toMatchObject({
    refused: [
      { file: 'successions.fsuc', problem: 'noFile' },
      { file: 'bulletin.fbul', problem: 'wrongDocument' },
    ],
  })
})

test('a test sale opens the goods and prints, and books nothing', async () => {
  const { device, printer } = await withPrinter()
  const { kiosk, enter, terminal } = openOperated({ parts: { printer } })
  await enter()
  expect(await kiosk.operatorAct({ act: 'testSale', itemId: 'map', language: 'en' })).toMatchObject({
    outcome: 'testSale',
    goods: 'ready',
    priceMinor: 250,
    print: 'printed',
  })
  expect(textOfPage(device.jobs[0] ?? { printed: [], cut: false })).toContain('This is no sale.')
  expect(await kiosk.operatorAct({ act: 'testSale', itemId: 'none', language: 'en' })).toEqual({
    outcome: 'testSale',
    goods: 'unknown',
  })
  expect(terminal.ledger.receipts({ countMax: 1 })).toEqual([])
  expect(terminal.ledger.unsynced.count).toBe(0)
  expect(terminal.ledger.heldUnits().size).toBe(0)
})

test('the reader test tells one of our cards from others, and what does not answer', async () => {
  const { kiosk, enter, put, reader, phase, screen } = openOperated()
  await enter()
  const ended = async () => {
    await screen('operator', (now) => now.phase === 'open' && now.task?.phase === 'done')
    return phase('open')
  }
  const card = makeTestCard()
  await kiosk.operatorAct({ act: 'readerTest' })
  put(card)
  expect(await ended()).toMatchObject({ task: { reader: 'Double 00', cardEnding: card.id.slice(-4) } })
  reader.remove()
  await kiosk.operatorAct({ act: 'readerTest' })
  reader.insert(() => Uint8Array.of(0x6a, 0x82))
  expect((await ended()).task).not.toHaveProperty('cardEnding')
  reader.remove()
  await kiosk.operatorAct({ act: 'readerTest' })
  reader.insertMute()
  expect((await ended()).task).not.toHaveProperty('atr')
  reader.remove()
  await kiosk.operatorAct({ act: 'readerTest' })
  expect(await kiosk.operatorAct({ act: 'inService' })).toEqual({ outcome: 'ignored' })
  await kiosk.operatorAct({ act: 'endTask' })
  expect((await phase('open')).task).toBeUndefined()
})

test('cash becomes money on a card while the issuer answers, and only then', async () => {
  const loads: unknown[] = []
  const loadDesk: LoadDesk = {
    voucher: async () => ({ state: 'unknown' }),
    credits: async () => [{ funding: 'CREDIT', amountMinor: 250 }],
    load: async (_channel, load) => {
      loads.push(load)
      return { outcome: 'captured', cardId: 'c', counter: 2, balanceAfterMinor: 3000 + 250 * (loads.length - 1) }
    },
  }
  const { kiosk, enter, put, screen, terminal } = openOperated({ parts: { loadDesk } })
  await enter()
  expect(await kiosk.operatorAct({ act: 'load', amountMinor: 2000 })).toEqual({ outcome: 'ignored' })
  kiosk.attachSync({ online: true, nudge: () => {}, now: () => Promise.reject(new Error()), stop: async () => {} })
  expect(await kiosk.operatorAct({ act: 'load', amountMinor: 2000 })).toEqual({ outcome: 'done' })
  const card = makeTestCard()
  put(card)
  expect(await screen('operator', (now) => now.phase === 'open' && now.task?.phase === 'done')).toMatchObject({
    task: { kind: 'load', amountMinor: 2000, creditsMinor: 250, balanceMinor: 3250 },
  })
  expect(loads).toEqual([{ amountMinor: 2000 }, { funding: 'CREDIT', amountMinor: 250, paidBeforeTold: true }])
  expect(terminal.ledger.newestAct(['load'])?.details).toEqual({ amountMinor: 2000, cardId: card.id })
})

test.each([
  ['money comes', { outcome: 'captured', cardId: 'c', counter: 3, balanceAfterMinor: 2750 }, { phase: 'done' }],
  ['nobody answers', 'nobody', { phase: 'failed', problem: 'unanswered' }],
] as const)(
  'a card that paid here before is told so at the desk when %s, and has its goods outside',
  async (_, answer, task) => {
    const client = connectIssuer('http://127.0.0.1:1', { fetch: () => Promise.reject(new TypeError('fetch failed')) })
    const loads: unknown[] = []
    const loadDesk: LoadDesk = {
      voucher: async () => ({ state: 'unknown' }),
      credits: async () => [],
      load: async (channel, load) => {
        loads.push(load)
        return load.paidBeforeTold && answer !== 'nobody' ? answer : loadCard(till.terminal, client, channel, load)
      },
    }
    const till = openOperated({ parts: { loadDesk } })
    const { kiosk, enter, put, screen, reader } = till
    kiosk.attachSync({ online: true, nudge: () => {}, now: () => Promise.reject(new Error()), stop: async () => {} })
    const card = makeTestCard({ balanceMinor: 1000 })
    await kiosk.buy('map')
    put(card, { cut: { apdu: 3, when: 'after' } })
    await screen('recover', ({ phase }) => phase === 'waiting')
    reader.remove()
    await new Promise<void>((resolve) => setImmediate(resolve))
    await kiosk.finish()
    await enter()
    await kiosk.operatorAct({ act: 'load', amountMinor: 2000 })
    put(card)
    const { phase } = task
    expect(await screen('operator', (now) => now.phase === 'open' && now.task?.phase === phase)).toMatchObject({
      task: { kind: 'load', ...task, paidBefore: { title: { en: 'Walking map' }, amountMinor: 250, goods: 'due' } },
    })
    expect(loads).toEqual([{ amountMinor: 2000 }, { amountMinor: 2000, paidBeforeTold: true }])
    reader.remove()
    await kiosk.operatorLeave()
    put(card)
    expect(await screen('approved')).toMatchObject({ recovered: true, amountMinor: 250 })
  },
)

test('volume and brightness stay as they were set', async () => {
  const { kiosk, enter, terminal } = openOperated()
  await enter()
  await kiosk.operatorAct({ act: 'volume', percent: 30 })
  await kiosk.operatorAct({ act: 'brightness', percent: 60 })
  expect(kiosk.state.status).toMatchObject({ volume: 0.3, brightness: 0.6 })
  expect(terminal.ledger.newestAct(['volume'])?.details).toEqual({ percent: 30 })
})

test('the languages are those that the operator chose last, and the first is where a customer begins', async () => {
  const { kiosk, enter, terminal, reader } = openOperated()
  expect(kiosk.state.status.languages).toEqual(['en'])
  await enter()
  expect(await kiosk.operatorAct({ act: 'languages', languages: ['de', 'tlh'] })).toEqual({ outcome: 'ignored' })
  await kiosk.operatorAct({ act: 'languages', languages: ['ar', 'de'] })
  expect(await kiosk.operatorLook({ section: 'device' })).toMatchObject({ languages: ['ar', 'de'] })
  expect(terminal.ledger.newestAct(['languages'])?.details).toEqual({ languages: 'ar de' })
  // Started again.
  const again = makeKiosk({ terminal, reader, settings, log: () => {} })
  onTestFinished(() => again.close())
  expect(again.state.status.languages).toEqual(['ar', 'de'])
})

test('languages that kiosk.json names otherwise can be chosen from, too', async () => {
  const { kiosk, enter } = openOperated({ settings: { ...settings, languages: ['de-AT', 'zh-TW', 'de'] } })
  await enter()
  const view = await kiosk.operatorLook({ section: 'device' })
  expect(view).toMatchObject({ languages: ['de', 'zh-Hant'] })
  expect(await kiosk.operatorAct({ act: 'languages', languages: ['de', 'zh-Hant', 'es'] })).toEqual({ outcome: 'done' })
})

test('a restart is asked for once it is written down', async () => {
  const restart = vi.fn()
  const { kiosk, enter, acts } = openOperated({ parts: { restart } })
  await enter()
  await kiosk.operatorAct({ act: 'restart' })
  expect(restart).toHaveBeenCalledOnce()
  expect(acts()[0]).toBe('restart')
})
