/** The issuer: its whole HTTP interface with and without a true seal, the catalogue's import, codes and arguments. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import Database from 'better-sqlite3'
import { InvalidArgumentError } from 'commander'
import { pino } from 'pino'
import * as typed from '../../cli/arguments.ts'
import { auditBooks } from '../../issuer/audit.ts'
import { currentBulletin, publish } from '../../issuer/bulletin-publisher.ts'
import { byteRangeOf } from '../../issuer/byte-range.ts'
import { addItem, goodsFolder, listItems, type NewItem } from '../../issuer/catalogue.ts'
import { collectClaim } from '../../issuer/claim-collection.ts'
import { enrolmentCode, enrolmentCodeHash } from '../../issuer/enrolment-code.ts'
import { IssuerError } from '../../issuer/errors.ts'
import { createApp } from '../../issuer/http-app.ts'
import { createStore, type Issuer } from '../../issuer/issuer.ts'
import { keyringFor } from '../../issuer/keyring-maker.ts'
import { mediaTypeOf } from '../../issuer/media-types.ts'
import { serve } from '../../issuer/server.ts'
import { pictureOf } from '../../issuer/shelf/pictures.ts'
import { storePath } from '../../issuer/store.ts'
import { newCard, newTerminal, now, type TestCard, type TestTerminal } from '../../issuer/test-support.ts'
import { batchHeaderLength } from '../../protocol/batch.ts'
import { openBulletin } from '../../protocol/bulletin.ts'
import { concat, fromHex } from '../../protocol/bytes.ts'
import { claimLength } from '../../protocol/claim.ts'
import { entryLength, headLength, nextHead } from '../../protocol/entry.ts'
import { encodeInquiry } from '../../protocol/inquiry.ts'
import { encodeJournal, encodeJournalEntry, firstJournalHead, nextJournalHead } from '../../protocol/journal.ts'
import { deriveInquiryKey, deriveJournalKey, deriveSettleKey } from '../../protocol/keys.ts'
import { loadRequestLength } from '../../protocol/load.ts'
import { type MacKey, macKey, macTag, offerMac, seal, sealLength, settlementMac } from '../../protocol/mac.ts'
import { counter, macLength, shortHash } from '../../protocol/quantities.ts'
import { recordLength } from '../../protocol/record.ts'
import { type Chance, chanceOf } from '../../simulate/chance.ts'
import { bytesOf, jsonBytesOf, jsonOf, refusing, refusingLater, type Target, textOf } from './target.ts'

interface Place {
  readonly folder: string
  readonly issuer: Issuer
  readonly close: () => Promise<void>
}

/** The same keys every time, so that an input that was found is found again. */
const openPlace = async (): Promise<Place> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-fuzz-'))
  const chance = chanceOf('issuer')
  const issuer = await createStore({
    url: `sqlite:${path.join(folder, 'issuer.db')}`,
    currency: 'EUR',
    clock: () => now,
    randomBytes: (count) => chance.bytes(count),
  })
  const close = async () => {
    await issuer.store.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { folder, issuer, close }
}

interface Town extends Place {
  readonly kiosk: TestTerminal
  readonly card: TestCard
  readonly documents: { readonly batch: Uint8Array; readonly load: Uint8Array; readonly claim: Uint8Array }
  /** Paths under which there is something. */
  readonly contentUrl: string
  readonly goodsHash: string
}

/** An issuer with a catalogue, a kiosk that has sold, a card, and a claim that was collected. */
const openTown = async (): Promise<Town> => {
  const place = await openPlace()
  const { issuer } = place
  const { item } = await addItem(issuer, {
    file: { name: 'map.txt', bytes: bytesOf('a map of the old town') },
    id: 'map',
    priceMinor: 250,
    title: { en: 'Map' },
  })
  const codes = { name: 'codes.txt', bytes: bytesOf('AAAA-1\nBBBB-2\n') }
  await addItem(issuer, { file: codes, id: 'wifi', priceMinor: 100, title: { en: 'Wi-Fi' }, kind: 'code' })
  const kiosk = await newTerminal(issuer, 'Town')
  await publish(issuer)
  await keyringFor(issuer, kiosk.id)
  const card = await newCard(issuer)
  await kiosk.load(card, 4000)
  const collected = card.pay(kiosk, item)
  await kiosk.sync(kiosk.entry(collected))
  const collection = await collectClaim(issuer, kiosk.claim(collected), '/v1/claims/content')
  if (collection.outcome !== 'collected') throw new Error(collection.reason)
  const sale = card.pay(kiosk, item)
  return {
    ...place,
    kiosk,
    card,
    documents: {
      batch: kiosk.batch(kiosk.entry(sale), kiosk.entry(card.pay(kiosk, item), 'void')),
      load: kiosk.loadRequest(card, kiosk.loadOrder(100)),
      claim: kiosk.claim(sale),
    },
    contentUrl: collection.answer.contentUrl ?? '',
    goodsHash: item.contentHash,
  }
}

const documentPaths = ['/v1/batches', '/v1/loads', '/v1/claims', '/v1/journals', '/v1/vouchers', '/v1/credits'] as const

const terminalKeyOf = ({ issuer, kiosk }: Pick<Town, 'issuer' | 'kiosk'>): Uint8Array => {
  const key = issuer.keys.terminalKey(1, kiosk.id)
  if (key === undefined) throw new Error('no key')
  return key
}

/** A journal, and what a terminal asks about a voucher and about a card. */
const deskSeeds = (town: Pick<Town, 'issuer' | 'kiosk' | 'card'>): readonly Uint8Array[] => {
  const { kiosk, card } = town
  const key = terminalKeyOf(town)
  const operator = { cardId: card.id, name: 'Ada' }
  const details = { cardId: card.id, counter: 2, terminalSeq: 1, amountMinor: 250, reason: 'torn' }
  const entries = [
    { no: 1, at: '2026-11-23T10:00:00.000Z', act: 'start' },
    { no: 2, at: '2026-11-23T10:00:00.000Z', act: 'refund', operator, details },
  ].map(encodeJournalEntry)
  const previousHead = firstJournalHead(kiosk.id, kiosk.epoch)
  const place = { keyVersion: 1, terminalId: kiosk.id, epoch: kiosk.epoch, journalNo: 1, firstEntry: 1 }
  const inquiry = { keyVersion: 1, terminalId: kiosk.id, nonce: new Uint8Array(16).fill(3) }
  return [
    encodeJournal(key, { ...place, previousHead, entries, head: entries.reduce(nextJournalHead, previousHead) }),
    encodeInquiry(key, { ...inquiry, about: { kind: 'voucher', hash: shortHash(new Uint8Array(16).fill(4)) } }),
    encodeInquiry(key, { ...inquiry, about: { kind: 'credits', cardId: card.id } }),
  ]
}

/** What anybody may leave behind: that a kiosk's news were asked for, that somebody tried to sign in, and what the server found by itself. */
const unasked: ReadonlySet<string> = new Set([
  'terminal_news',
  'console_failure',
  'case_file',
  'case_event',
  'sqlite_sequence',
])

/** Of all else that the store holds. */
const digestOf = (folder: string): string => {
  const database = new Database(path.join(folder, 'issuer.db'), { readonly: true })
  try {
    const tables = database.prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").all()
    const hash = createHash('sha256')
    for (const { name } of tables.filter((table) => !unasked.has(table.name)))
      for (const row of database.prepare<[], unknown[]>(`SELECT * FROM "${name}" ORDER BY rowid`).raw().iterate())
        for (const value of row)
          hash.update(`${value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value}|`)
    return hash.digest('hex')
  } finally {
    database.close()
  }
}

/** What no answer may tell. */
const insides = /\n\s+at |node_modules|\.ts:\d|SQLITE_|SqliteError/

const requireDecent = async (response: Response): Promise<void> => {
  assert(response.status < 500, `status ${response.status}`)
  const body = await response.text()
  assert(!insides.test(body), `the answer tells of our insides: ${body.slice(0, 200)}`)
  for (const [name, value] of response.headers) assert(!insides.test(value), `${name}: ${value}`)
}

/** A log that must stay empty: what is written there was not expected by any handler. */
const silentLog = () => {
  const lines: string[] = []
  return {
    log: pino({}, { write: (line: string) => void lines.push(line) }),
    requireSilence: () => {
      const line = lines.shift()
      if (line !== undefined) throw new Error(`logged: ${line}`)
    },
  }
}

/** "METHOD PATH", headers, an empty line, the body. @returns undefined for what no client can send */
const requestOf = (input: Uint8Array): Request | undefined => {
  const end = Buffer.from(input).indexOf('\n\n')
  const head = Buffer.from(end === -1 ? input : input.subarray(0, end)).toString('latin1')
  const [first = '', ...lines] = head.split('\n')
  const [method = 'GET', target = '/'] = first.split(' ')
  const body = end === -1 ? undefined : Uint8Array.from(input.subarray(end + 2))
  return refusing(TypeError, () => {
    const headers = new Headers(
      lines.map((line): [string, string] => [line.split(':')[0] ?? '', line.slice(line.indexOf(':') + 1)]),
    )
    return new Request(new URL(target, 'http://issuer.example'), {
      method,
      headers,
      ...(body === undefined || body.length === 0 ? {} : { body }),
    })
  })
}

const requestBytes = (head: string, body: Uint8Array = new Uint8Array(0)): Uint8Array =>
  concat(bytesOf(`${head}\n\n`), body)

/** Another seal than the right one. */
const broken = (document: Uint8Array): Uint8Array => document.with(document.length - 1, (document.at(-1) ?? 0) ^ 0xff)

const httpWords = [
  'GET ',
  'HEAD ',
  'POST ',
  'PUT ',
  'OPTIONS ',
  '/v1/',
  '/v1/goods/',
  '/v1/keyrings/',
  '/v1/claims/content/',
  '/c/',
  '..',
  '%2e%2e%2f',
  '%00',
  '%',
  '%ff',
  '?a=1&a=2',
  '//',
  '\n',
  '\n\n',
  'range: bytes=0-0',
  'range: bytes=-1',
  'range: bytes=9-2',
  'if-none-match: "1"',
  'x-forwarded-for: 10.0.0.1',
  'x-forwarded-proto: https',
  'content-length: 99999999',
  'transfer-encoding: chunked',
  '{"code":"',
  '__proto__',
  'f'.repeat(64),
  '0'.repeat(16),
  '9'.repeat(20),
]

const httpSeeds = (town: Town): readonly Uint8Array[] => {
  const { kiosk, documents, contentUrl, goodsHash } = town
  return [
    requestBytes('GET /health'),
    requestBytes('GET /c'),
    requestBytes('GET /c/claim.js'),
    requestBytes('GET /v1/bulletin\nif-none-match: "7", W/"1"'),
    requestBytes(`GET /v1/keyrings/${kiosk.id}`),
    requestBytes(`GET /v1/goods/${goodsHash}\nrange: bytes=2-5`),
    requestBytes(`HEAD /v1/goods/${goodsHash}`),
    requestBytes(`GET ${contentUrl}\nrange: bytes=-3`),
    requestBytes(
      'POST /v1/enrolments\nx-forwarded-for: 10.1.2.3\nx-forwarded-proto: https',
      bytesOf('{"code":"0000-0000-0000-0000"}'),
    ),
    requestBytes('POST /v1/batches', broken(documents.batch)),
    requestBytes('POST /v1/loads', broken(documents.load)),
    requestBytes('POST /v1/claims', broken(documents.claim)),
    requestBytes('OPTIONS /v1/batches?x=%00'),
    ...deskSeeds(town).map((document, at) => requestBytes(`POST ${documentPaths[3 + at]}`, broken(document))),
    requestBytes('GET /t/keys.json'),
  ]
}

/** Nothing here bears a true seal or code: whatever it is, it changes nothing. */
const http: Target = {
  name: 'http',
  kind: 'text',
  inputs: 5_000,
  lengthMax: 16 * 1024,
  words: httpWords,
  open: async () => {
    const town = await openTown()
    const { log, requireSilence } = silentLog()
    const app = createApp(town.issuer, { log })
    const before = digestOf(town.folder)
    return {
      close: town.close,
      seeds: httpSeeds(town),
      async run(input) {
        const request = requestOf(input)
        if (request === undefined) return
        await requireDecent(await app.fetch(request))
        requireSilence()
      },
      check: () => assert.equal(digestOf(town.folder), before, 'the store was changed by nobody'),
    }
  },
}

interface Keys {
  readonly terminal: MacKey
  readonly settle: MacKey
  readonly load: MacKey
  readonly journal: Uint8Array
  readonly inquiry: Uint8Array
}

const settled = (record: Uint8Array, { settle }: Keys): Uint8Array => concat(record, settlementMac(settle, record))

/** Entries with their card's own MACs, chained and sealed: a rogue terminal with a card that lies. */
const mendedBatch = (batch: Uint8Array, keys: Keys, chance: Chance): Uint8Array => {
  const header = batch.subarray(0, batchHeaderLength)
  const count = Math.floor((batch.length - batchHeaderLength - headLength - sealLength) / entryLength)
  if (count < 0) return batch
  const places = Array.from({ length: count }, (_, index) => batchHeaderLength + index * entryLength)
  const entries = places.map((at) => {
    const record = batch.subarray(at, at + recordLength)
    const status = batch.subarray(at + recordLength + macLength, at + entryLength)
    const paid = status[0] === 1 || status[0] === 4 || status[0] === 5
    return chance.hit(0.9)
      ? concat(paid ? settled(record, keys) : concat(record, new Uint8Array(macLength)), status)
      : batch.slice(at, at + entryLength)
  })
  const counted = chance.hit(0.8)
    ? concat(header.subarray(0, 28), Uint8Array.of(0, 0, count >> 8, count & 0xff), header.subarray(32))
    : header
  let head: Uint8Array = counted.slice(32, 64)
  for (const entry of entries) head = nextHead(head, entry)
  return seal(keys.terminal, macTag.batch, concat(counted, ...entries, head))
}

const mendedLoad = (request: Uint8Array, { terminal, load }: Keys): Uint8Array => {
  if (request.length !== loadRequestLength) return request
  const view = new DataView(request.buffer, request.byteOffset)
  const offered = {
    identity: request.subarray(8, 20),
    counter: counter(view.getUint32(20)),
    balanceMinor: view.getUint32(24),
    order: request.subarray(28, 88),
    cardNonce: request.subarray(88, 96),
  }
  return seal(terminal, macTag.loadRequest, concat(request.subarray(0, 96), offerMac(load, offered)))
}

const mendedClaim = (claim: Uint8Array, keys: Keys): Uint8Array => {
  if (claim.length !== claimLength) return claim
  const body = concat(claim.subarray(0, 16), settled(claim.subarray(16, 96), keys), claim.subarray(112, 116))
  return concat(body, keys.terminal(macTag.claim, body).subarray(0, macLength))
}

const mendedDesk = (document: Uint8Array, key: Uint8Array): Uint8Array => {
  if (document.length < sealLength) return document
  const body = document.subarray(0, -sealLength)
  return concat(body, hmac(sha256, key, body))
}

/** Batches' numbers follow each other, and journals': many are taken and not only the first. They stand at the same place. */
const numbered = (batch: Uint8Array, batchNo: number): Uint8Array => {
  if (batch.length < batchHeaderLength) return batch
  const changed = Uint8Array.from(batch)
  new DataView(changed.buffer).setUint32(20, batchNo)
  return changed
}

/** True seals under false contents, by a terminal and a card that lie: refused or booked, but the books stay in order. */
const sealedDocuments: Target = {
  name: 'sealed-documents',
  kind: 'bytes',
  inputs: 1_500,
  lengthMax: 4096,
  open: async () => {
    const town = await openTown()
    const { issuer, kiosk, card, documents } = town
    const masters = issuer.keys.masters(1)
    if (masters === undefined) throw new Error('no masters')
    const keys: Keys = {
      terminal: kiosk.key(),
      settle: macKey(deriveSettleKey(fromHex(masters.settle, 32), 1, card.id)),
      load: card.loadKey(),
      journal: deriveJournalKey(terminalKeyOf(town)),
      inquiry: deriveInquiryKey(terminalKeyOf(town)),
    }
    const { log, requireSilence } = silentLog()
    const app = createApp(issuer, { log })
    return {
      close: town.close,
      seeds: [documents.batch, documents.load, documents.claim, ...deskSeeds(town)].map((document, route) =>
        concat(Uint8Array.of(route), document),
      ),
      mend(input, chance) {
        const route = (input[0] ?? 0) % documentPaths.length
        const body = input.subarray(1)
        if (chance.hit(0.1)) return input
        const next = chance.hit(0.7) ? numbered(body, 1 + chance.below(400)) : body
        const mended =
          [
            () => mendedBatch(next, keys, chance),
            () => mendedLoad(body, keys),
            () => mendedClaim(body, keys),
            () => mendedDesk(next, keys.journal),
          ][route]?.() ?? mendedDesk(body, keys.inquiry)
        return concat(Uint8Array.of(route), mended)
      },
      async run(input) {
        const target = documentPaths[(input[0] ?? 0) % documentPaths.length] ?? '/v1/batches'
        await requireDecent(await app.request(target, { method: 'POST', body: Uint8Array.from(input.subarray(1)) }))
        requireSilence()
      },
      check: async () => assert.deepEqual(await auditBooks(issuer), []),
    }
  },
}

/** Long enough for an answer; a request that never ends is the server's to end, by its own limit. */
const socketMsMax = 1000

/** Sends raw bytes, and says no more. @returns all that came back */
const rawExchange = (port: number, bytes: Uint8Array): Promise<string> =>
  new Promise((resolve) => {
    const parts: Buffer[] = []
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.end(bytes))
    const limit = setTimeout(() => socket.destroy(), socketMsMax)
    socket.on('data', (part) => parts.push(part))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(limit)
      resolve(Buffer.concat(parts).toString('latin1'))
    })
  })

const rawSeeds = (town: Town): readonly Uint8Array[] =>
  httpSeeds(town).map((seed) => {
    const end = Buffer.from(seed).indexOf('\n\n')
    const [first, ...lines] = Buffer.from(seed.subarray(0, end)).toString('latin1').split('\n')
    const body = seed.subarray(end + 2)
    const head = [
      `${first} HTTP/1.1`,
      'host: issuer.example',
      'connection: close',
      `content-length: ${body.length}`,
      ...lines,
    ]
    return concat(bytesOf(`${head.join('\r\n')}\r\n\r\n`), body)
  })

/** The real server on loopback: its own HTTP parser and the adapter to the application are tested too. */
const httpSocket: Target = {
  name: 'http-socket',
  kind: 'text',
  inputs: 700,
  lengthMax: 8 * 1024,
  words: [
    ...httpWords,
    'HTTP/1.0',
    'HTTP/1.1\r\n',
    '\r\n',
    '\r\n\r\n',
    'host: ',
    'host: [',
    'expect: 100-continue',
    'upgrade: websocket',
    'connection: keep-alive',
  ],
  open: async () => {
    const town = await openTown()
    const { log, requireSilence } = silentLog()
    const server = await serve({ issuer: town.issuer, port: 0, log, requestTimeoutMs: 500 })
    const before = digestOf(town.folder)
    return {
      close: async () => {
        await server.close()
        await town.close()
      },
      seeds: rawSeeds(town),
      async run(input) {
        const answer = await rawExchange(server.port, input)
        for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm))
          assert(Number(status) < 500, `status ${status}`)
        assert(!insides.test(answer), `the answer tells of our insides: ${answer.slice(0, 300)}`)
        requireSilence()
      },
      async check() {
        assert.equal((await fetch(`${server.url}/health`)).status, 200)
        assert.equal(digestOf(town.folder), before, 'the store was changed by nobody')
      },
    }
  },
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** As the command line would give it: any text in any place, but of the right types. */
const newItemOf = (value: unknown, folder: string): NewItem => {
  const textsOf = (texts: unknown): Record<string, string> =>
    typeof texts === 'object' && texts !== null
      ? Object.fromEntries(Object.entries(texts).map(([language, text]) => [language, stringOf(text)]))
      : typed.texts([stringOf(texts)])
  const file = memberOf(value, 'file')
  const price = memberOf(value, 'priceMinor')
  const tax = memberOf(value, 'taxBasisPoints')
  const mediaType = memberOf(value, 'mediaType')
  const kind = (['document', 'media', 'code', 'ticket'] as const).find((known) => known === memberOf(value, 'kind'))
  const codes = memberOf(file, 'text')
  return {
    file:
      typeof codes === 'string'
        ? { name: stringOf(memberOf(file, 'name')), bytes: bytesOf(codes) }
        : { path: path.resolve(folder, stringOf(memberOf(file, 'path'))) },
    id: stringOf(memberOf(value, 'id')),
    priceMinor: typeof price === 'number' ? price : 1,
    title: textsOf(memberOf(value, 'title')),
    ...(memberOf(value, 'summary') === undefined ? {} : { summary: textsOf(memberOf(value, 'summary')) }),
    ...(kind === undefined ? {} : { kind }),
    ...(typeof mediaType === 'string' ? { mediaType } : {}),
    ...(typeof tax === 'number' ? { taxBasisPoints: tax } : {}),
  }
}

/** A folder with what an import may stumble over. */
const fillImports = (folder: string): void => {
  mkdirSync(path.join(folder, 'folder.pdf'))
  writeFileSync(path.join(folder, 'map.pdf'), 'map')
  writeFileSync(path.join(folder, 'empty.txt'), '')
  writeFileSync(path.join(folder, 'codes.txt'), 'A\r\nB\rC\n\n')
  writeFileSync(path.join(folder, 'latin.txt'), Uint8Array.of(0xe9, 0x0a))
  writeFileSync(path.join(folder, 'huge.pdf'), '')
  truncateSync(path.join(folder, 'huge.pdf'), 300 * 1024 * 1024)
  symlinkSync('loop.pdf', path.join(folder, 'loop.pdf'))
}

/** What was imported can be listed and published, and a terminal can read it; nothing is written but goods by their hash. */
const requirePublishable = async ({ issuer, folder }: Place, files: readonly string[]): Promise<void> => {
  assert.deepEqual(
    readdirSync(folder)
      .filter((name) => !name.startsWith('issuer.db'))
      .toSorted(),
    files,
  )
  for (const name of readdirSync(goodsFolder(issuer))) assert.match(name, /^[0-9a-f]{64}$/)
  await listItems(issuer)
  await publish(issuer)
  const published = await currentBulletin(issuer)
  assert(published !== undefined)
  openBulletin(published.bytes, issuer.keys.signing.publicKey)
}

const catalogueImport: Target = {
  name: 'catalogue-import',
  kind: 'json',
  inputs: 1_500,
  lengthMax: 24 * 1024,
  words: [
    'en',
    'de',
    'code',
    'ticket',
    'document',
    '../map.pdf',
    '/dev/zero',
    'huge.pdf',
    'folder.pdf',
    'loop.pdf',
    'latin.txt',
    'A\nB\nC',
    'text/plain',
    'a/b\r\nx: y',
    'constructor',
    '\u0000',
  ],
  open: async () => {
    const place = await openPlace()
    fillImports(place.folder)
    const base = {
      id: 'map',
      priceMinor: 250,
      title: { en: 'Map', 'de-AT': 'Plan' },
      summary: { en: '' },
      taxBasisPoints: 2000,
    }
    const seeds = [
      { ...base, file: { path: 'map.pdf' } },
      { ...base, id: 'wifi', kind: 'code', file: { name: 'codes.txt', text: 'A\nB\n\nC' } },
      { ...base, id: 'ride', kind: 'ticket', file: { path: 'codes.txt' } },
      { ...base, id: 'note', title: 'de=Notiz', mediaType: 'text/plain', file: { name: 'x', text: 'note' } },
    ]
    await addItem(place.issuer, newItemOf(seeds[0], place.folder))
    const files = readdirSync(place.folder)
      .filter((name) => !name.startsWith('issuer.db'))
      .toSorted()
    return {
      close: place.close,
      seeds: seeds.map(jsonBytesOf),
      async run(input) {
        await refusingLater(IssuerError, () => addItem(place.issuer, newItemOf(jsonOf(input), place.folder)))
      },
      check: () => requirePublishable(place, files),
    }
  },
}

const codes: Target = {
  name: 'enrolment-code',
  kind: 'text',
  inputs: 40_000,
  lengthMax: 2048,
  words: ['O', 'l', 'I', '-', ' ', 'ß', 'ı', 'U', '\u2028'],
  open: () => ({
    seeds: ['7KQ2-0F9M-XW3T-H5RA', '7kq20f9mxw3th5ra', 'OOOO-LLLL-IIII-0000'].map(bytesOf),
    run(input) {
      const text = textOf(input)
      const hash = enrolmentCodeHash(text)
      assert(hash === undefined || /^[0-9a-f]{64}$/.test(hash))
      const made = enrolmentCode(Uint8Array.from({ length: 10 }, (_, at) => input[at] ?? 0))
      assert.match(made, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
      assert.equal(enrolmentCodeHash(made), enrolmentCodeHash(made.toLowerCase().replaceAll('-', ' ')))
    },
  }),
}

const requireBetween = (value: number | undefined, min: number, max: number): void =>
  assert(value === undefined || (value >= min && value <= max), `${value} is taken`)

const commandArguments: Target = {
  name: 'arguments',
  kind: 'text',
  inputs: 12_000,
  lengthMax: 4096,
  words: [
    '2026-02-30',
    '2026-99-99',
    '0000-00-00',
    'en=',
    'de-AT=x',
    '__proto__=x',
    '-1',
    '1e3',
    '0x10',
    '65536',
    '٣',
    'sqlite:',
    'postgres:',
  ],
  open: () => ({
    seeds: ['8080', '30.5', '2026-11-23', 'c0ffee0000000001', '1234', 'en=Old town', 'sqlite:/x/y', 'bytes=0-4'].map(
      bytesOf,
    ),
    run(input) {
      const text = textOf(input)
      const ask = <Value>(parse: (text: string) => Value) => refusing(InvalidArgumentError, () => parse(text))
      requireBetween(ask(typed.port), 0, 65_535)
      requireBetween(ask(typed.count), 1, 1_000_000)
      requireBetween(ask(typed.seconds), 0, 1_000_000)
      requireBetween(ask(typed.dayEnd), -62_167_219_200, 253_402_300_799)
      const day = ask(typed.day)
      assert(day === undefined || new Date(day).toISOString().startsWith(day), `${day} is a day`)
      assert.match(ask(typed.id8) ?? '0000000000000000', /^[0-9a-f]{16}$/)
      assert.match(ask(typed.pin) ?? '0000', /^[0-9]{4,12}$/)
      assert.equal(Object.keys(typed.texts([text])).length, 1)
      refusing(IssuerError, () => storePath(text))
      mediaTypeOf(text)
      for (const length of [0, 1, 10]) {
        const range = byteRangeOf(text, length)
        if (typeof range === 'object') assert(range.first >= 0 && range.first <= range.last && range.last < length)
      }
    },
  }),
}

/** What a merchant calls a picture: read in one pass, whatever it is. */
const pictures: Target = {
  name: 'picture',
  kind: 'text',
  inputs: 4_000,
  lengthMax: 32 * 1024,
  words: [
    '<!--',
    '-->',
    '<use href="#a"/>',
    '<g id="a">',
    '</g>',
    'url(#a)',
    '<svg ',
    '/*',
    '<![CDATA[',
    '&#35;',
    '/>',
    'IHDR',
  ],
  open: () => ({
    seeds: [
      bytesOf(
        '<?xml version="1.0"?><!-- a --><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"><style>.a{fill:url(#l)}/* b */</style><defs><linearGradient id="l"><stop offset="0"/></linearGradient><mask id="m"><g id="a"><path d="M0 0h1"/></g></mask></defs><use href="#a" mask="url(#m)"/><image href="data:image/png;base64,iVBORw0KGgo="/></svg>',
      ),
      concat(Uint8Array.of(0x89), bytesOf('PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x09\0\0\0\x09\x08\x02\0\0\0abcd')),
      Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8, 0, 9, 0, 9, 1, 1, 17, 0),
      bytesOf('RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x08\0\0\x08\0\0'),
    ],
    run(input) {
      const picture = refusing(IssuerError, () => pictureOf({ name: 'a', bytes: input, bytesMax: 32 * 1024 }))
      assert(picture === undefined || (picture.width > 0 && picture.height > 0))
    },
  }),
}

export const issuerTargets: readonly Target[] = [
  pictures,
  http,
  sealedDocuments,
  httpSocket,
  catalogueImport,
  codes,
  commandArguments,
]
