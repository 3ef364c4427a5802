import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { emptyContentHash, itemHash, unitOf } from '../protocol/item.ts'
import { judgeTicket, ticketVerifier } from '../protocol/ticket.ts'
import { addItem, assignUnits, goodsFolder, listItems, type NewItem } from './catalogue.ts'
import { codeOpener } from './content-keys.ts'
import { contentBytesMax } from './goods.ts'
import type { Issuer } from './issuer.ts'
import { addTerminal } from './parties.ts'
import { type Bench, newTerminal, openBench } from './test-support.ts'
import type { NewTickets } from './tickets.ts'

let bench: Bench
let issuer: Issuer

beforeEach(async () => {
  bench = await openBench()
  issuer = bench.issuer
})
afterEach(() => bench.close())

const bytes = (text: string) => new TextEncoder().encode(text)
const article = (changes: Partial<NewItem> = {}): NewItem => ({
  file: { name: 'bells.md', bytes: bytes('# Bells') },
  id: 'bells',
  priceMinor: 90,
  title: { en: 'The bells' },
  ...changes,
})
const codes = (lines: string, changes: Partial<NewItem> = {}): NewItem =>
  article({ file: { name: 'codes.txt', bytes: bytes(lines) }, id: 'wifi', kind: 'code', ...changes })
const sold = (id: string) =>
  issuer.store.read((db) => db.selectFrom('item_version').selectAll().where('item_id', '=', id).execute())

describe('addItem', () => {
  it('keeps the goods encrypted beside the store, named by the hash of their content', async () => {
    const path = join(bench.folder, 'map.pdf')
    writeFileSync(path, '%PDF a walking map')
    const { item, outcome } = await addItem(issuer, article({ file: { path }, id: 'map', taxBasisPoints: 1000 }))
    expect(outcome).toBe('added')
    expect(item).toMatchObject({
      version: 1,
      kind: 'document',
      mediaType: 'application/pdf',
      bytes: 18,
      currency: 'EUR',
    })
    const folder = goodsFolder(issuer)
    expect(readdirSync(folder)).toEqual([item.contentHash])
    expect(readFileSync(join(folder, item.contentHash)).includes('walking map')).toBe(false)
    expect((await sold('map')).map(({ item_hash }) => Uint8Array.from(item_hash))).toEqual([itemHash(item)])
  })

  it('makes tickets that prove themselves, each sold as a unit of its own', async () => {
    const clock = issuer.clock()
    const tickets = { count: 3, validFrom: clock + 60, validUntil: clock + 120 }
    const added = await addItem(issuer, article({ file: { tickets }, id: 'concert', kind: 'ticket' }))
    expect(added).toMatchObject({ outcome: 'added', unitsAdded: 3, item: { kind: 'ticket', bytes: 0 } })
    const rows = await issuer.store.read((db) => db.selectFrom('unit').selectAll().execute())
    const texts = rows.map(({ unit, sealed_code }) => codeOpener(issuer)({ unit, sealed: sealed_code }))
    const { keyVersion, publicKey } = issuer.keys.signing
    const door = { keys: new Map([[keyVersion, ticketVerifier(publicKey)]]), eventIds: ['concert'], now: clock + 60 }
    const verdicts = texts.map((text) => judgeTicket(text, door))
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['good', 'good', 'good'])
    expect(new Set(verdicts.map((verdict) => ('ticket' in verdict ? verdict.ticket.number : ''))).size).toBe(3)
    expect(judgeTicket(texts[0] ?? '', { ...door, now: clock }).outcome).toBe('notYetValid')
    const more = await addItem(issuer, article({ file: { tickets: { count: 2 } }, id: 'concert', kind: 'ticket' }))
    expect(more).toMatchObject({ outcome: 'unchanged', unitsAdded: 2 })
  })

  it('makes no tickets of an article that has none, that are over, or that end before they begin', async () => {
    const clock = issuer.clock()
    const add = (tickets: NewTickets, kind: NewItem['kind'] = 'ticket') =>
      addItem(issuer, article({ file: { tickets }, ...(kind === undefined ? {} : { kind }) }))
    await expect(add({ count: 1 }, 'code')).rejects.toMatchObject({ code: 'input' })
    await expect(add({ count: 0 })).rejects.toMatchObject({ code: 'input' })
    await expect(add({ count: 20_001 })).rejects.toMatchObject({ code: 'input' })
    await expect(add({ count: 1, validFrom: 10, validUntil: 9 })).rejects.toMatchObject({ code: 'input' })
    await expect(add({ count: 1, validFrom: 0, validUntil: clock - 1 })).rejects.toThrow('ended already')
  })

  it('counts the version up when anything changed, and keeps every version on sale', async () => {
    await addItem(issuer, article())
    expect(await addItem(issuer, article())).toMatchObject({ outcome: 'unchanged', item: { version: 1 } })
    expect(await addItem(issuer, article({ priceMinor: 95 }))).toMatchObject({
      outcome: 'changed',
      item: { version: 2 },
    })
    const rewritten = article({ priceMinor: 95, file: { name: 'bells.md', bytes: bytes('# More bells') } })
    expect(await addItem(issuer, rewritten)).toMatchObject({ outcome: 'changed', item: { version: 3 } })
    expect((await sold('bells')).map(({ version, price_minor }) => [version, price_minor])).toEqual([
      [1, 90],
      [2, 95],
      [3, 95],
    ])
    expect(await listItems(issuer)).toMatchObject([{ item: { id: 'bells', version: 3 } }])
  })

  it('refuses a title with half a character, which no bulletin could carry', async () => {
    await expect(addItem(issuer, article({ title: { en: 'Bells \ud800' } }))).rejects.toMatchObject({ code: 'input' })
  })

  it('makes a unit of each code, sold by its own item, and keeps no code in the clear', async () => {
    const { item, unitsAdded } = await addItem(issuer, codes('\uFEFFLARK-1\r\n\r\n  WREN-2  \nÜbung-3'))
    expect([unitsAdded, item.contentHash, item.bytes]).toEqual([3, emptyContentHash, 0])
    const hashes = ['LARK-1', 'WREN-2', 'Übung-3'].map((code) => Buffer.from(itemHash({ ...item, unit: unitOf(code) })))
    const stored = (await sold('wifi')).map(({ item_hash }) => Buffer.from(item_hash))
    expect(stored.map(String).sort()).toEqual(hashes.map(String).sort())
    for (const file of readdirSync(bench.folder).filter((name) => /\.db/.test(name) && !/keys|goods/.test(name)))
      expect(readFileSync(join(bench.folder, file)).includes('LARK-1'), file).toBe(false)
  })

  it('takes more codes of an article, and its new price for all of them', async () => {
    await addItem(issuer, codes('LARK-1\nWREN-2'))
    expect(await addItem(issuer, codes('LARK-1\nWREN-2\nGULL-3'))).toMatchObject({
      outcome: 'unchanged',
      unitsAdded: 1,
    })
    expect(await sold('wifi')).toHaveLength(3)
    expect(await addItem(issuer, codes('LARK-1', { priceMinor: 200 }))).toMatchObject({ unitsAdded: 0 })
    expect(await sold('wifi')).toHaveLength(6)
    expect(await listItems(issuer)).toMatchObject([{ units: { total: 3, unassigned: 3 } }])
  })

  it.each([
    ['an id with spaces', article({ id: 'the bells' }), /id has a-z/],
    ['no price', article({ priceMinor: 0 }), /price is more than 0/],
    ['half a cent', article({ priceMinor: 0.5 }), /price is more than 0/],
    ['no title', article({ title: {} }), /title in at least one language/],
    ['an empty title', article({ title: { en: ' ' } }), /title is not empty/],
    ['a tax over 100 %', article({ taxBasisPoints: 10_001 }), /10000 basis points/],
    ['an unknown extension', article({ file: { name: 'bells.xyz', bytes: bytes('x') } }), /end it in pdf/],
    ['a wrong media type', article({ mediaType: 'pdf' }), /written like/],
    ['an empty file', article({ file: { name: 'bells.md', bytes: bytes('') } }), /is empty/],
    ['a file that is not there', article({ file: { path: '/nowhere/bells.md' } }), /cannot be read/],
    ['a folder', article({ file: { path: '/' } }), /not a file/],
    ['a code twice', codes('LARK-1\nWREN-2\nLARK-1'), /Line 3 of codes.txt repeats the code of line 1/],
    ['no codes', codes('\n \n'), /no codes/],
    ['a code too long', codes('A'.repeat(501)), /Line 1/],
    ['a code with a control character', codes('LARK\u0007'), /Line 1/],
    ['codes that are not text', codes('', { file: { name: 'codes.txt', bytes: Uint8Array.of(0xff, 0xfe) } }), /UTF-8/],
  ])('refuses %s with a sentence', async (_name, given, sentence) => {
    await expect(addItem(issuer, given)).rejects.toMatchObject({
      name: 'IssuerError',
      code: 'input',
      message: expect.stringMatching(sentence),
    })
    expect(await listItems(issuer)).toEqual([])
  })

  it('refuses goods that are too large, before it reads them', async () => {
    const path = join(bench.folder, 'film.mp4')
    writeFileSync(path, '')
    truncateSync(path, contentBytesMax + 1)
    await expect(addItem(issuer, article({ file: { path } }))).rejects.toThrow(/up to 256 MiB/)
  })

  it('repairs damaged goods when they are added again', async () => {
    const { item } = await addItem(issuer, article())
    const blob = join(goodsFolder(issuer), item.contentHash)
    const whole = readFileSync(blob)
    writeFileSync(blob, 'damaged')
    await addItem(issuer, article())
    expect(readFileSync(blob)).toEqual(whole)
  })

  it('refuses a code that another article sells, and an article that changes its kind', async () => {
    await addItem(issuer, codes('LARK-1'))
    await expect(addItem(issuer, codes('LARK-1', { id: 'other' }))).rejects.toThrow(/sold as "wifi" already/)
    await expect(addItem(issuer, article({ id: 'wifi' }))).rejects.toThrow(/give the document another id/)
    expect(await listItems(issuer)).toHaveLength(1)
  })
})

describe('assignUnits', () => {
  const assigned = async () => {
    const rows = await issuer.store.read((db) =>
      db
        .selectFrom('unit')
        .leftJoin('terminal', 'terminal.terminal_no', 'unit.terminal_no')
        .select(['unit.unit', 'terminal.terminal_id'])
        .orderBy('unit.unit_no')
        .execute(),
    )
    return rows.map(({ terminal_id }) => terminal_id)
  }
  const count = async (id: string) => (await assigned()).filter((terminal) => terminal === id).length
  const assign = () => issuer.store.write(assignUnits)

  it('shares evenly among enrolled terminals, and an assigned unit stays where it is', async () => {
    await addItem(issuer, codes('a\nb\nc\nd\ne\nf'))
    expect(await assign()).toBe(0)
    const one = await newTerminal(issuer, 'Town')
    const two = await newTerminal(issuer, 'Town')
    expect(await assign()).toBe(6)
    expect([await count(one.id), await count(two.id)]).toEqual([3, 3])
    const before = await assigned()
    await newTerminal(issuer, 'Town')
    expect(await assign()).toBe(0)
    expect(await assigned()).toEqual(before)
    await expect(issuer.store.write((db) => db.updateTable('unit').set({ terminal_no: 3 }).execute())).rejects.toThrow(
      /stays where it is/,
    )
  })

  it('keeps the share of a terminal that is not enrolled yet', async () => {
    const one = await newTerminal(issuer, 'Town')
    await addTerminal(issuer, { merchant: 'Town' })
    await addItem(issuer, codes('a\nb\nc\nd'))
    expect(await assign()).toBe(2)
    expect(await count(one.id)).toBe(2)
  })
})
