import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { concat, toHex } from '../protocol/bytes.ts'
import {
  encodeHotlistEntry,
  firstHotlistHead,
  type HotlistEntry,
  hotlistEntryLength,
  hotlistPageBytesMax,
  nextHotlistHead,
} from '../protocol/hotlist.ts'
import { type CardId, cardId, mac } from '../protocol/quantities.ts'
import { type Hotlist, type HotlistTerms, openHotlist } from './hotlist.ts'
import { ledgerMigration } from './migrations/0001-ledger.ts'
import { outboxIndexMigration } from './migrations/0002-outbox-index.ts'
import { ledgerPath, openWritable } from './open.ts'

const startTime = 1_790_000_000
const day = 86_400

const folder = (): string => {
  const dir = mkdtempSync(path.join(tmpdir(), 'farthing-hotlist-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A list that can be closed at any moment and opened again. */
const openList = (dataDir = folder()) => {
  let opened = openWritable(dataDir, { create: true })
  let list = openHotlist(opened.database)
  const close = () => opened.close()
  onTestFinished(close)
  return {
    get list(): Hotlist {
      return list
    },
    rows: (): number => (opened.database.prepare('SELECT count(*) AS n FROM hotlist').get() as { n: number }).n,
    restart(): void {
      close()
      opened = openWritable(dataDir)
      list = openHotlist(opened.database)
    },
  }
}

const cardOf = (number: number): CardId => cardId(`c0ffee${number.toString(16).padStart(10, '0')}`)
const tokenOf = (number: number) => mac(new Uint8Array(16).fill(number % 255 || 1))
const listing = (number: number): HotlistEntry => ({ op: 'list', cardId: cardOf(number), blockMac: tokenOf(number) })
const takingOff = (number: number): HotlistEntry => ({ op: 'takeOff', cardId: cardOf(number), blockMac: undefined })
const bytesOf = (entries: readonly HotlistEntry[]): Uint8Array => concat(...entries.map(encodeHotlistEntry))

/** What the issuer would sign of its log. */
const termsOf = (entries: readonly HotlistEntry[], more: { generation?: number; day?: number } = {}): HotlistTerms => ({
  signed: {
    generation: more.generation ?? 1,
    count: entries.length,
    head: toHex(nextHotlistHead(firstHotlistHead(), bytesOf(entries))),
  },
  issuedTime: startTime + (more.day ?? 0) * day,
  expiresTime: startTime + ((more.day ?? 0) + 30) * day,
})

/** Fetches what is left, honestly. */
const fetchAll = (
  list: Hotlist,
  entries: readonly HotlistEntry[],
  terms: HotlistTerms,
  entriesPerPage = 1000,
): void => {
  const log = bytesOf(entries)
  while (list.meet(terms) === 'arriving') {
    const from = list.arrived * hotlistEntryLength
    list.append(terms, log.subarray(from, from + entriesPerPage * hotlistEntryLength))
  }
}

test('a list counts when it is whole and verified, and not an entry before; a power cut between pages costs nothing', () => {
  const at = openList()
  const entries = [listing(1), listing(2), takingOff(1), listing(3)]
  const terms = termsOf(entries)
  expect(at.list.inForce).toBeUndefined()
  expect(at.list.meet(terms)).toBe('arriving')
  expect(at.list.append(terms, bytesOf(entries.slice(0, 3)))).toBe('arriving')
  expect(at.list.find(cardOf(2))).toBeUndefined()
  at.restart()
  expect(at.list.arrived).toBe(3)
  expect(at.list.meet(terms)).toBe('arriving')
  expect(at.list.append(terms, bytesOf(entries.slice(3)))).toBe('inForce')
  at.restart()
  expect(at.list.inForce).toMatchObject({ generation: 1, count: 4, asOf: startTime, goodUntil: startTime + 30 * day })
  expect([1, 2, 3, 4].map((number) => at.list.find(cardOf(number)))).toEqual([
    undefined,
    { blockMac: tokenOf(2) },
    { blockMac: tokenOf(3) },
    undefined,
  ])
})

test('a newer bulletin makes the list in force as fresh as itself only when it names that very list', () => {
  const at = openList()
  const entries = [listing(1)]
  fetchAll(at.list, entries, termsOf(entries))
  expect(at.list.meet(termsOf(entries, { day: 1 }))).toBe('inForce')
  expect(at.list.inForce).toMatchObject({ asOf: startTime + day, goodUntil: startTime + 31 * day })
  const longer = [...entries, listing(2)]
  expect(at.list.meet(termsOf(longer, { day: 2 }))).toBe('arriving')
  expect(at.list.inForce).toMatchObject({ count: 1, asOf: startTime + day, goodUntil: startTime + 31 * day })
  fetchAll(at.list, longer, termsOf(longer, { day: 2 }))
  expect(at.list.inForce).toMatchObject({ count: 2, asOf: startTime + 2 * day })
})

test('a list that is shorter, or of an earlier log, is refused, and changes nothing', () => {
  const at = openList()
  const entries = [listing(1), listing(2)]
  fetchAll(at.list, entries, termsOf(entries, { generation: 5 }))
  const before = at.list.inForce
  const day9 = { generation: 5, day: 9 }
  expect(at.list.meet(termsOf([listing(1)], day9))).toBe('refused')
  expect(at.list.meet(termsOf([], day9))).toBe('refused')
  expect(at.list.meet(termsOf([takingOff(1), takingOff(2)], day9))).toBe('refused')
  expect(at.list.meet(termsOf([...entries, listing(3)], { generation: 4, day: 9 }))).toBe('refused')
  expect(at.list.inForce).toEqual(before)
  expect(at.list.find(cardOf(1))).toBeDefined()
})

test.each<[string, (log: Uint8Array) => Uint8Array]>([
  ['a token', (log) => log.with(20, (log[20] ?? 0) ^ 1)],
  ['a card', (log) => log.with(26, 9)],
  ['an order of entries', (log) => concat(log.subarray(25, 50), log.subarray(0, 25), log.subarray(50))],
  ['a take-off that was left out', (log) => concat(log.subarray(0, 50), log.subarray(75), log.subarray(75))],
])('%s that is not the signed one never counts; the next whole reading does', (_name, tamper) => {
  const at = openList()
  const first = [listing(7)]
  fetchAll(at.list, first, termsOf(first))
  const entries = [...first, listing(1), listing(2), takingOff(1), listing(3)]
  const terms = termsOf(entries, { day: 1 })
  expect(at.list.meet(terms)).toBe('arriving')
  const delta = bytesOf(entries.slice(1))
  expect(at.list.append(terms, tamper(delta))).toBe('forged')
  expect(at.list.inForce).toMatchObject({ count: 1, asOf: startTime })
  expect([1, 2, 3, 7].filter((number) => at.list.find(cardOf(number)) !== undefined)).toEqual([7])
  at.restart()
  // The fault may as well lie in what was here before: it is read from its beginning.
  expect(at.list.arrived).toBe(0)
  fetchAll(at.list, entries, terms)
  expect([1, 2, 3, 7].filter((number) => at.list.find(cardOf(number)) !== undefined)).toEqual([2, 3, 7])
  while (at.list.sweep());
  expect(at.rows()).toBe(entries.length)
})

test('what is no page changes nothing, and more than was signed is left out', () => {
  const at = openList()
  const entries = [listing(1), listing(2)]
  const terms = termsOf(entries)
  at.list.meet(terms)
  for (const page of [new Uint8Array(0), bytesOf(entries).subarray(0, 49), bytesOf(entries).with(0, 3)])
    expect(() => at.list.append(terms, page)).toThrow(/hotlist/)
  expect(at.list.arrived).toBe(0)
  expect(at.list.append(terms, bytesOf([...entries, listing(3)]))).toBe('inForce')
  expect(at.list.find(cardOf(3))).toBeUndefined()
})

test('a new log takes the place of the old one at once, and the old one goes bit by bit', () => {
  const at = openList()
  const many = Array.from({ length: 9000 }, (_, number) => listing(number))
  fetchAll(at.list, many, termsOf(many), 4000)
  const entries = [listing(3), listing(10_000)]
  const terms = termsOf(entries, { generation: 2, day: 1 })
  expect(at.list.meet(terms)).toBe('arriving')
  expect(at.list.append(terms, bytesOf(entries.slice(0, 1)))).toBe('arriving')
  expect(at.list.find(cardOf(8999))).toBeDefined()
  at.list.sweep()
  expect(at.list.find(cardOf(8999))).toBeDefined()
  fetchAll(at.list, entries, terms)
  expect(at.list.find(cardOf(8999))).toBeUndefined()
  expect(at.list.find(cardOf(3))).toBeDefined()
  let steps = 0
  while (at.list.sweep()) steps += 1
  expect(steps).toBe(3)
  expect(at.rows()).toBe(2)
  // Nobody is listed any more.
  expect(at.list.meet(termsOf([], { generation: 3, day: 2 }))).toBe('inForce')
  expect(at.list.find(cardOf(3))).toBeUndefined()
})

test('whatever is cut, doubled, reordered, damaged or restarted: a list that was signed is in force, whole', () => {
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('append' as const),
        cards: fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 1, maxLength: 9 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('sign' as const) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('fetch' as const), entries: fc.integer({ min: 1, max: 6 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('damage' as const),
        at: fc.nat(400),
        entries: fc.integer({ min: 1, max: 6 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('elsewhere' as const),
        from: fc.nat(12),
        entries: fc.integer({ min: 1, max: 6 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
      const at = openList()
      let log: HotlistEntry[] = []
      let generation = 1
      let today = 0
      let terms = termsOf(log, { generation })
      /** Which cards each signed list names, by a plain set. */
      const signed = new Map<string, Set<number>>()
      const sign = () => {
        today += 1
        terms = termsOf(log, { generation, day: today })
        const cards = new Set<number>()
        for (const entry of log) {
          const number = Number.parseInt(entry.cardId.slice(6), 16)
          if (entry.op === 'list') cards.add(number)
          else cards.delete(number)
        }
        signed.set(`${generation} ${log.length}`, cards)
      }
      const check = () => {
        const { inForce } = at.list
        if (inForce === undefined) return
        const cards = signed.get(`${inForce.generation} ${inForce.count}`)
        const found = Array.from({ length: 9 }, (_, number) => number).filter((number) => at.list.find(cardOf(number)))
        expect(found).toEqual([...(cards ?? [Number.NaN])].toSorted((a, b) => a - b))
      }
      sign()
      for (const now of steps) {
        const bytes = bytesOf(log)
        const take = (from: number, entries: number, change: (page: Uint8Array) => Uint8Array = (page) => page) => {
          if (at.list.meet(terms) !== 'arriving') return
          const page = change(bytes.slice(from * hotlistEntryLength, (from + entries) * hotlistEntryLength))
          try {
            at.list.append(terms, page)
          } catch (error) {
            expect(error).toMatchObject({ name: 'ProtocolError' })
          }
        }
        switch (now.do) {
          case 'append':
            log.push(...now.cards.map((card) => (card < 0 ? takingOff(-card) : listing(card))))
            break
          case 'sign':
            sign()
            break
          case 'fetch':
            take(
              at.list.arrived || (at.list.inForce?.generation === terms.signed.generation ? at.list.inForce.count : 0),
              now.entries,
            )
            break
          case 'damage':
            take(at.list.arrived, now.entries, (page) =>
              page.length === 0 ? page : page.with(now.at % page.length, (page[now.at % page.length] ?? 0) ^ 0x10),
            )
            break
          case 'elsewhere':
            take(now.from, now.entries)
            break
          case 'renew':
            generation += 1
            log = log.filter(({ op }) => op === 'list').slice(0, 3)
            sign()
            break
          case 'restart':
            at.restart()
            break
          case 'sweep':
            at.list.sweep()
        }
        check()
      }
      sign()
      fetchAll(at.list, log, terms, 4)
      expect(at.list.inForce).toMatchObject({ generation, count: log.length, asOf: terms.issuedTime })
      check()
    }),
    { numRuns: 20 },
  )
}, 60_000)

test('a ledger of version 2 keeps the hotlist of its last bulletin, as of then, until the first log has come', () => {
  const dataDir = folder()
  const old = new Database(ledgerPath(dataDir))
  old.exec(ledgerMigration)
  old.exec(outboxIndexMigration)
  old.pragma('user_version = 2')
  const json = {
    serial: 7,
    issuedAt: new Date(startTime * 1000).toISOString(),
    expiresAt: new Date((startTime + 30 * day) * 1000).toISOString(),
    hotlist: [{ cardId: cardOf(1), blockMac: toHex(tokenOf(1)) }, { cardId: cardOf(2) }],
  }
  old
    .prepare(`INSERT INTO document (kind, serial, bytes) VALUES ('bulletin', 7, ?)`)
    .run(Buffer.concat([Buffer.alloc(72, 0xff), Buffer.from(JSON.stringify(json))]))
  old.close()
  const at = openList(dataDir)
  expect(at.list.inForce).toMatchObject({ generation: 0, count: 2, asOf: startTime, goodUntil: startTime + 30 * day })
  expect(at.list.find(cardOf(1))).toEqual({ blockMac: tokenOf(1) })
  expect(at.list.find(cardOf(2))).toEqual({ blockMac: undefined })
  const entries = [listing(2), listing(3)]
  const terms = termsOf(entries, { day: 1 })
  expect(at.list.meet(terms)).toBe('arriving')
  expect(at.list.find(cardOf(1))).toBeDefined()
  fetchAll(at.list, entries, terms)
  expect([1, 2, 3].filter((number) => at.list.find(cardOf(number)) !== undefined)).toEqual([2, 3])
  while (at.list.sweep());
  expect(at.rows()).toBe(2)
})

test.each([
  ['no bulletin', undefined],
  ['a bulletin that is none', Buffer.from('x')],
  ['one that says nothing of it', Buffer.concat([Buffer.alloc(72), Buffer.from('{}')])],
])('a ledger of version 2 with %s opens without a list', (_name, bytes) => {
  const dataDir = folder()
  const old = new Database(ledgerPath(dataDir))
  old.exec(ledgerMigration)
  old.exec(outboxIndexMigration)
  old.pragma('user_version = 2')
  if (bytes !== undefined)
    old.prepare(`INSERT INTO document (kind, serial, bytes) VALUES ('bulletin', 7, ?)`).run(bytes)
  old.close()
  expect(openList(dataDir).list.inForce).toBeUndefined()
})

test('a whole page, of the largest size, is one step', () => {
  const at = openList()
  const many = Array.from({ length: hotlistPageBytesMax / hotlistEntryLength }, (_, number) => listing(number))
  const terms = termsOf(many)
  at.list.meet(terms)
  expect(at.list.append(terms, bytesOf(many))).toBe('inForce')
  expect(at.rows()).toBe(many.length)
})
