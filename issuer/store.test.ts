import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { unixTime } from '../protocol/quantities.ts'
import { createStore, type Issuer, openIssuer } from './issuer.ts'
import { keysPath, type Masters } from './issuer-keys.ts'
import { addCard, addMerchant, addTerminal, listMerchants, listTerminals, nameTerminal, startEpoch } from './parties.ts'
import { openStore } from './store.ts'

const world = { clock: () => unixTime(1), randomBytes: (count: number) => new Uint8Array(randomBytes(count)) }
let folder: string
let url: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-store-'))
  url = `sqlite:${join(folder, 'books.db')}`
})
afterEach(() => rmSync(folder, { recursive: true }))

const init = () => createStore({ url, currency: 'EUR', timeZone: 'Europe/Vienna', ...world })
const withIssuer = async (use: (issuer: Issuer) => Promise<void>): Promise<void> => {
  const issuer = await init()
  try {
    await use(issuer)
  } finally {
    await issuer.store.close()
  }
}

test('is made once, and opens with the same book and keys', async () => {
  const made = await init()
  await made.store.close()
  const opened = await openIssuer({ url, ...world })
  expect(opened.book).toEqual({ currency: 'EUR', currencyCode: 978, timeZone: 'Europe/Vienna' })
  expect(opened.keys.masters(1)).toEqual(made.keys.masters(1))
  expect(opened.keys.dev).toBe(false)
  await opened.store.close()
  await expect(init()).rejects.toMatchObject({ code: 'storeExists' })
})

test('is durable: WAL with synchronous FULL, foreign keys, STRICT tables', async () => {
  await withIssuer(async ({ store }) => {
    const pragma = (name: string) =>
      store.write((db) => sql<Record<string, unknown>>`PRAGMA ${sql.raw(name)}`.execute(db))
    expect((await pragma('journal_mode')).rows).toEqual([{ journal_mode: 'wal' }])
    expect((await pragma('synchronous')).rows).toEqual([{ synchronous: 2 }])
    expect((await pragma('foreign_keys')).rows).toEqual([{ foreign_keys: 1 }])
    const loose = await store.write((db) =>
      sql`SELECT name FROM pragma_table_list WHERE strict = 0 AND name NOT LIKE 'sqlite_%'`.execute(db),
    )
    expect(loose.rows).toEqual([])
  })
})

test('undoes a transaction that fails, and lets the next one in', async () => {
  await withIssuer(async ({ store }) => {
    const attempt = store.write(async (db) => {
      await db.insertInto('setting').values({ key: 'a', value: 'b' }).execute()
      throw new Error('no')
    })
    await expect(attempt).rejects.toThrow('no')
    await store.write((db) => db.insertInto('setting').values({ key: 'a', value: 'c' }).execute())
    const rows = await store.read((db) => db.selectFrom('setting').selectAll().where('key', '=', 'a').execute())
    expect(rows).toEqual([{ key: 'a', value: 'c' }])
  })
})

test('never changes a transfer or a batch, and balances by its shape', async () => {
  await withIssuer(async ({ store }) => {
    const transfer = {
      ...{ from_account: 1, to_account: 2, cause: 'test', document: 'test' },
      ...{ booked_at: 1, business_day: '2026-11-23' },
    }
    await store.write((db) =>
      db
        .insertInto('transfer')
        .values({ ...transfer, amount_minor: 5, card_no: null, counter: null })
        .execute(),
    )
    await expect(store.write((db) => db.deleteFrom('transfer').execute())).rejects.toThrow('never deleted')
    await expect(store.write((db) => db.updateTable('transfer').set({ amount_minor: 6 }).execute())).rejects.toThrow(
      'never changes',
    )
  })
})

describe('says what to do about', () => {
  test.each([
    ['postgres://127.0.0.1:1/books', 'storeMissing', /does not answer/],
    ['books.db', 'storeUrl', /sqlite:PATH/],
    ['sqlite:/nowhere/books.db', 'storeMissing', /issuer init/],
  ])('%s', async (address, code, words) => {
    await expect(openStore(address)).rejects.toMatchObject({ code, message: expect.stringMatching(words) })
  })

  test('a file that is no store', async () => {
    writeFileSync(join(folder, 'books.db'), 'Dear diary, '.repeat(1000))
    await expect(openStore(url)).rejects.toMatchObject({ code: 'storeForeign' })
  })

  test('a store from a newer version, which it leaves alone', async () => {
    await withIssuer(async ({ store }) => {
      await store.write((db) => sql`INSERT INTO migration (version, name) VALUES (999, 'later')`.execute(db))
    })
    const before = readFileSync(join(folder, 'books.db'))
    await expect(openStore(url)).rejects.toMatchObject({ code: 'storeNewer', message: /run the newer program/ })
    expect(readFileSync(join(folder, 'books.db')).equals(before)).toBe(true)
  })

  test('keys that are missing, damaged or readable by others', async () => {
    await withIssuer(async () => undefined)
    const path = keysPath(url)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    chmodSync(path, 0o640)
    await expect(openIssuer({ url, ...world })).rejects.toMatchObject({ code: 'keysExposed', message: /chmod 600/ })
    chmodSync(path, 0o600)
    writeFileSync(path, '{}')
    await expect(openIssuer({ url, ...world })).rejects.toMatchObject({ code: 'keysDamaged' })
    rmSync(path)
    await expect(openIssuer({ url, ...world })).rejects.toMatchObject({ code: 'keysMissing' })
  })

  test('wrong master keys, an unknown currency or time zone; nothing is left behind', async () => {
    const masters: Masters = { pay: 'x', settle: 'x', load: 'x', terminal: 'x' }
    await expect(createStore({ url, currency: 'EUR', masters, ...world })).rejects.toMatchObject({ code: 'input' })
    await expect(createStore({ url, currency: 'XXX', ...world })).rejects.toThrow('currency')
    await expect(createStore({ url, currency: 'EUR', timeZone: 'Moon', ...world })).rejects.toMatchObject({
      code: 'input',
    })
    expect(existsSync(join(folder, 'books.db'))).toBe(false)
    expect(existsSync(keysPath(url))).toBe(false)
  })
})

test('keys given from outside are marked as unsafe', async () => {
  const key = '00'.repeat(32)
  const masters = { pay: key, settle: key, load: key, terminal: key }
  const issuer = await createStore({ url, currency: 'EUR', masters, ...world })
  expect(issuer.keys.dev).toBe(true)
  await issuer.store.close()
})

test('terminals have names that people give them, each change noted; none that looks like something else', async () => {
  await withIssuer(async (issuer) => {
    await addMerchant(issuer, 'Town')
    const { terminalId } = await addTerminal(issuer, { merchant: 'Town' })
    const named = await addTerminal(issuer, { merchant: 'Town', name: ' Pier 3 ' }, { name: 'ann' })
    await expect(
      addTerminal(issuer, { merchant: 'Town', terminalId: named.terminalId, name: 'Gate' }),
    ).rejects.toMatchObject({ code: 'input' })
    const gate = { terminalId, name: 'Gate', by: 'ann' }
    expect(await nameTerminal(issuer, gate)).toEqual({ terminalId, name: 'Gate', changed: true })
    expect(await nameTerminal(issuer, gate)).toEqual({ terminalId, name: 'Gate', changed: false })
    for (const name of ['', ' ', 'x'.repeat(61), 'Pier\u202e3', 'Pier\n3', 'Pier\u00073'])
      await expect(nameTerminal(issuer, { terminalId, name, by: 'ann' })).rejects.toMatchObject({ code: 'input' })
    await expect(addMerchant(issuer, 'To\u202ewn')).rejects.toMatchObject({ code: 'input' })
    const row = { merchant: 'Town', epoch: 0, retired: false }
    expect(await listTerminals(issuer)).toEqual([
      { ...row, terminalId, name: 'Gate' },
      { ...row, terminalId: named.terminalId, name: 'Pier 3' },
    ])
    expect(await nameTerminal(issuer, { terminalId, by: 'ann' })).toEqual({ terminalId, changed: true })
    expect(await listMerchants(issuer)).toEqual([{ merchant: 'Town', terminals: 2 }])
    const noted = await issuer.store.read((db) => db.selectFrom('audit_log').select('action').execute())
    expect(noted.map(({ action }) => action)).toEqual(['terminal.add', 'terminal.name', 'terminal.name'])
  })
})

test('parties are added once; contradictions are refused', async () => {
  await withIssuer(async (issuer) => {
    expect(await addMerchant(issuer, ' Town ')).toEqual({ merchant: 'Town', added: true })
    expect(await addMerchant(issuer, 'Town')).toEqual({ merchant: 'Town', added: false })
    await expect(addTerminal(issuer, { merchant: 'Nobody' })).rejects.toMatchObject({ code: 'unknownMerchant' })
    const { terminalId } = await addTerminal(issuer, { merchant: 'Town' })
    expect(await addTerminal(issuer, { merchant: 'Town', terminalId })).toEqual({ terminalId })
    expect(await startEpoch(issuer, terminalId)).toEqual({ epoch: 1, keyVersion: 1 })
    expect(await startEpoch(issuer, terminalId)).toEqual({ epoch: 2, keyVersion: 1 })
    const card = { cardId: '00112233445566aa' }
    expect(await addCard(issuer, card)).toMatchObject({ added: true })
    expect(await addCard(issuer, card)).toMatchObject({ added: false })
    await expect(async () => addCard(issuer, { cardId: 'FF' })).rejects.toMatchObject({ code: 'input' })
    await expect(async () => addCard(issuer, { ...card, keyVersion: 9 })).rejects.toMatchObject({ code: 'input' })
  })
})

test('what is final cannot be replaced past its triggers', async () => {
  await withIssuer(async ({ store }) => {
    const run = (statement: string) => store.write((db) => sql.raw(statement).execute(db))
    const bulletin = "INTO bulletin (serial, bytes, issued_at, expires_at) VALUES (1, x'00', 1, 2)"
    await run(`INSERT ${bulletin}`)
    await expect(run(`INSERT OR REPLACE ${bulletin}`)).rejects.toThrow('a bulletin is never deleted')
  })
})
