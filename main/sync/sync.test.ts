import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { openLedger } from '../../db/ledger.ts'
import { openWritable } from '../../db/open.ts'
import { type Acknowledgement, type BatchVerdict, encodeAcknowledgement } from '../../protocol/acknowledgement.ts'
import { type Batch, parseBatch, requireBatchSeal } from '../../protocol/batch.ts'
import { nextHead } from '../../protocol/entry.ts'
import { hotlistEntryLength, hotlistPageBytesMax, hotlistPageEntriesMax } from '../../protocol/hotlist.ts'
import { macKey } from '../../protocol/mac.ts'
import { amountMinor, cardId, counter, currencyCode, mac, unixTime, zeroHash } from '../../protocol/quantities.ts'
import type { CardRecord } from '../../protocol/record.ts'
import { goodsPath } from '../catalogue.ts'
import { outOfServiceReason } from '../purchase/rules.ts'
import type { Terminal } from '../terminal.ts'
import {
  hotlistBytes,
  makeTestTerminal,
  mapBlob,
  mapItem,
  type Publication,
  publish,
  shownFile,
  testIdentity,
  testStartTime,
  testTerminalId,
  testTerminalKey,
} from '../test-terminal.ts'
import { backoffMs } from './backoff.ts'
import { connectIssuer, IssuerRefused, IssuerUnreachable } from './issuer-client.ts'
import { fetchNews, type SyncLoop, startSync, syncOnce } from './sync.ts'

const sealKey = macKey(testTerminalKey())

type Reply = { status?: number; body: Uint8Array | string } | 'cut'

const bodyOf = async (request: IncomingMessage): Promise<Uint8Array> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return new Uint8Array(Buffer.concat(chunks))
}

/** An issuer that speaks just enough: each batch is sealed, chained and answered, whatever else it is told to do. */
const openIssuer = async () => {
  const received: Batch[] = []
  const paths: string[] = []
  let documents = publish()
  let hotlist: Uint8Array = new Uint8Array(0)
  let goods: Reply = { body: mapBlob() }
  let verdictOf: (batch: Batch) => BatchVerdict = () => 'taken'
  let spoil: (ack: Uint8Array, batch: Batch) => Reply = (body) => ({ body })
  let news: (path: string) => Reply | undefined = () => undefined
  const broken: unknown[] = []
  let inFlightMax = 0
  let inFlight = 0

  const onBatch = (bytes: Uint8Array): Reply => {
    requireBatchSeal(sealKey, bytes)
    const batch = parseBatch(bytes)
    expect(batch.entries.reduce(nextHead, batch.previousHead)).toEqual(batch.head)
    received.push(batch)
    const verdict = verdictOf(batch)
    const taken = verdict === 'taken' || verdict === 'outOfOrder'
    const ack: Acknowledgement = {
      keyVersion: 1,
      verdict,
      terminalId: batch.terminalId,
      epoch: batch.epoch,
      batchNo: batch.batchNo,
      head: batch.head,
      accepted: taken ? batch.entries.length : 0,
      exceptions: [],
    }
    return spoil(encodeAcknowledgement(sealKey, ack), batch)
  }
  const replyTo = (path: string, body: Uint8Array): Reply => {
    const other = news(path)
    if (other !== undefined) return other
    if (path === '/v1/batches') return onBatch(body)
    if (path === '/v1/bulletin') return { body: documents.bulletin }
    if (path.startsWith('/v1/hotlist?')) {
      const after = Number(new URL(path, 'http://localhost').searchParams.get('after'))
      return { body: hotlist.slice(after * hotlistEntryLength).slice(0, hotlistPageBytesMax) }
    }
    if (path.startsWith('/v1/keyrings/')) return { body: documents.keyring }
    return path.startsWith('/v1/goods/') ? goods : { status: 404, body: '{"sentence":"none"}' }
  }
  const server = createServer(async (request, response) => {
    const path = request.url ?? ''
    paths.push(path)
    inFlight += 1
    inFlightMax = Math.max(inFlightMax, inFlight)
    let reply: Reply
    try {
      reply = replyTo(path, await bodyOf(request))
    } catch (error) {
      reply = { status: 500, body: String(error) }
      broken.push(error)
    }
    inFlight -= 1
    if (reply === 'cut') request.socket.destroy()
    else response.writeHead(reply.status ?? 200).end(reply.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
    expect(broken).toEqual([])
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    client: connectIssuer(`http://127.0.0.1:${address.port}`),
    received,
    paths,
    get inFlightMax() {
      return inFlightMax
    },
    publish(publication: Publication) {
      documents = publish(publication)
      hotlist = hotlistBytes(publication)
    },
    serve(raw: Partial<typeof documents>) {
      documents = { ...documents, ...raw }
    },
    goods(reply: Reply) {
      goods = reply
    },
    verdict(of: typeof verdictOf) {
      verdictOf = of
    },
    spoil(by: typeof spoil) {
      spoil = by
    },
    answer(by: typeof news) {
      news = by
    },
  }
}

const make = (options: Parameters<typeof makeTestTerminal>[1] = {}) => makeTestTerminal(onTestFinished, options)

let counters = 0
const record = (): CardRecord => {
  counters += 1
  return {
    identity: { keyVersion: 1, cardId: cardId('c0ffee0000000001') },
    counter: counter(counters),
    balanceAfterMinor: amountMinor(0),
    order: {
      type: 'payment',
      currency: currencyCode(978),
      amountMinor: amountMinor(250),
      reference: counter(0),
      terminalId: testTerminalId,
      terminalSeq: counters,
      time: unixTime(testStartTime),
      itemHash: zeroHash(),
      lock: new Uint8Array(16),
    },
  }
}
const addEntries = ({ ledger }: Terminal, count: number) => {
  for (let i = 0; i < count; i += 1) ledger.writeWitness(record(), mac(new Uint8Array(16).fill(1)))
}

/** A long offline time's entries. Not flushed one by one: that is not what is tested here. */
const fillLedger = (dataDir: string, count: number) => {
  const { database, close } = openWritable(dataDir)
  database.pragma('synchronous = OFF')
  const ledger = openLedger(database, { clock: () => testStartTime })
  for (let i = 0; i < count; i += 1) ledger.writeWitness(record(), mac(new Uint8Array(16).fill(1)))
  close()
}

const proxyPage = { body: '<html><body>Please log in to the Wi-Fi</body></html>' }

test.each([
  [1, 0, 1000],
  [1, 1, 2000],
  [2, 1, 4000],
  [8, 0, 128_000],
  [9, 1, 300_000],
  [1000, 0, 150_000],
  [1000, 1, 300_000],
])('after %i failures and with chance %d the pause is %i ms', (failures, random, expected) => {
  expect(backoffMs(failures, { firstMs: 2000, maxMs: 300_000 }, random)).toBe(expected)
})

test('what is due is sent, oldest first, and settled by the acknowledgement alone', async () => {
  const { terminal } = make()
  const issuer = await openIssuer()
  addEntries(terminal, 3)
  expect(await syncOnce(terminal, issuer.client)).toEqual({ batches: 1, entries: 3, exceptions: 0 })
  expect(terminal.ledger.unsynced.count).toBe(0)
  addEntries(terminal, 1)
  await syncOnce(terminal, issuer.client)
  expect(issuer.received.map(({ batchNo, firstEntry, entries }) => [batchNo, firstEntry, entries.length])).toEqual([
    [1, 1, 3],
    [2, 4, 1],
  ])
  await syncOnce(terminal, issuer.client)
  expect(issuer.received).toHaveLength(2)
})

test('an acknowledgement that was lost is asked for again with the same bytes', async () => {
  const made = make()
  const issuer = await openIssuer()
  addEntries(made.terminal, 2)
  issuer.spoil(() => 'cut')
  await expect(syncOnce(made.terminal, issuer.client)).rejects.toThrow(IssuerUnreachable)
  expect(made.terminal.ledger.unsynced.count).toBe(2)
  addEntries(made.terminal, 1)
  issuer.spoil((body) => ({ body }))
  expect(await syncOnce(made.restart(), issuer.client)).toMatchObject({ batches: 2, entries: 3 })
  expect(issuer.received[1]).toEqual(issuer.received[0])
  expect(issuer.received.map((batch) => batch.batchNo)).toEqual([1, 1, 2])
})

const otherKey = macKey(testTerminalKey(9))
const resealed = (change: Partial<Acknowledgement>, batch: Batch, key = sealKey) =>
  encodeAcknowledgement(key, {
    keyVersion: 1,
    verdict: 'taken',
    terminalId: testTerminalId,
    epoch: 1,
    batchNo: batch.batchNo,
    head: batch.head,
    accepted: batch.entries.length,
    exceptions: [],
    ...change,
  })

test.each<[string, (ack: Uint8Array, batch: Batch) => Reply]>([
  ['a login page with status 200', () => proxyPage],
  ['nothing', () => ({ body: '' })],
  ['a wrong seal', (ack) => ({ body: ack.map((byte, at) => (at === ack.length - 1 ? byte ^ 1 : byte)) })],
  ['a seal of another key', (_ack, batch) => ({ body: resealed({}, batch, otherKey) })],
  ['another epoch', (_ack, batch) => ({ body: resealed({ epoch: 2 }, batch) })],
  ['another batch', (_ack, batch) => ({ body: resealed({ batchNo: 7 }, batch) })],
  ['another head', (_ack, batch) => ({ body: resealed({ head: new Uint8Array(32) }, batch) })],
  ['too few entries', (_ack, batch) => ({ body: resealed({ accepted: 0 }, batch) })],
  ['an error page', () => ({ status: 502, body: '<html>bad gateway</html>' })],
])('%s settles nothing', async (_name, spoil) => {
  const { terminal } = make()
  const issuer = await openIssuer()
  addEntries(terminal, 2)
  issuer.spoil(spoil)
  await expect(syncOnce(terminal, issuer.client)).rejects.toThrow(IssuerUnreachable)
  expect(terminal.ledger.unsynced.count).toBe(2)
  expect(terminal.ledger.stoppedVerdict).toBeUndefined()
})

test('a refusal bears the issuer’s own sentence', async () => {
  const { terminal } = make()
  const issuer = await openIssuer()
  addEntries(terminal, 1)
  issuer.spoil(() => ({ status: 400, body: '{"sentence":"This terminal is not known."}' }))
  await expect(syncOnce(terminal, issuer.client)).rejects.toThrow(new IssuerRefused(400, 'This terminal is not known.'))
})

test.each(['fork', 'epochEnded', 'keyVersionEnded'] as const)(
  '%s stops the terminal until it is enrolled again',
  async (verdict) => {
    const made = make()
    const issuer = await openIssuer()
    addEntries(made.terminal, 1)
    issuer.verdict(() => verdict)
    expect(await syncOnce(made.terminal, issuer.client)).toMatchObject({ batches: 0, stopped: verdict })
    expect(await syncOnce(made.restart(), issuer.client)).toMatchObject({ stopped: verdict })
    expect(issuer.received).toHaveLength(1)
    expect(made.terminal.ledger.unsynced.count).toBe(1)
  },
)

test('an issuer restored from a backup gets what it lacks again, also when the sync was cut in between', async () => {
  const made = make()
  const issuer = await openIssuer()
  for (let batch = 1; batch <= 5; batch += 1) {
    addEntries(made.terminal, 1)
    await syncOnce(made.terminal, issuer.client)
  }
  // It knows 1 and 2 only.
  const known = new Set([1, 2])
  issuer.received.length = 0
  issuer.verdict((batch) => {
    known.add(batch.batchNo)
    return known.has(batch.batchNo - 1) ? 'taken' : 'outOfOrder'
  })
  addEntries(made.terminal, 1)
  issuer.spoil((body, batch) => (batch.batchNo === 4 ? 'cut' : { body }))
  await expect(syncOnce(made.terminal, issuer.client)).rejects.toThrow(IssuerUnreachable)
  issuer.spoil((body) => ({ body }))
  await syncOnce(made.restart(), issuer.client)
  expect([...known].sort()).toEqual([1, 2, 3, 4, 5, 6])
  expect(issuer.received.map((batch) => batch.batchNo)).toEqual([6, 5, 4, 4, 3])
  expect(made.terminal.ledger.unsynced.count).toBe(0)
})

test('a fork that shows in a resend stops too', async () => {
  const { terminal } = make()
  const issuer = await openIssuer()
  addEntries(terminal, 1)
  await syncOnce(terminal, issuer.client)
  addEntries(terminal, 1)
  issuer.verdict((batch) => (batch.batchNo === 2 ? 'outOfOrder' : 'fork'))
  expect(await syncOnce(terminal, issuer.client)).toMatchObject({ stopped: 'fork' })
  expect(issuer.received.map((batch) => batch.batchNo)).toEqual([1, 2, 1])
})

test('20,000 entries go in bounded batches, one at a time, with bounded memory', async () => {
  const made = make()
  const issuer = await openIssuer()
  made.terminal.close()
  fillLedger(made.dataDir, 20_000)
  const terminal = made.restart()
  expect(terminal.ledger.unsynced.count).toBe(20_000)
  const sizes: number[] = []
  issuer.spoil((body, batch) => {
    sizes.push(batch.entries.length)
    issuer.received.length = 0
    return { body }
  })
  const before = process.memoryUsage().rss
  expect(await syncOnce(terminal, issuer.client)).toMatchObject({ batches: 20, entries: 20_000 })
  expect(sizes).toEqual(Array(20).fill(1000))
  expect(issuer.inFlightMax).toBe(1)
  // Terminal and issuer are one process here, so this is generous: a batch is 104 kB.
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024)
}, 60_000)

test('new documents come in, and goods are fetched, checked and kept', async () => {
  const made = make({ publication: 'none', goods: false })
  const issuer = await openIssuer()
  expect(made.terminal.issued).toBeUndefined()
  await syncOnce(made.terminal, issuer.client)
  expect(made.terminal.issued?.catalogue.offerings().map(({ article }) => article.id)).toEqual(['map', 'wifi'])
  expect(made.terminal.issued?.catalogue.prepare('map')).toMatchObject({ item: mapItem })
})

test('older documents change nothing; newer ones do at once, though their goods fail', async () => {
  const made = make()
  const issuer = await openIssuer()
  made.publish({ serial: 5, bulletin: { publicUrl: 'https://five.example' } })
  const listed = cardId('c0ffee0000000009')
  const hotlist = [{ cardId: listed }]
  issuer.publish({ serial: 4, hotlist })
  await fetchNews(made.terminal, issuer.client)
  expect(made.terminal.issued?.bulletin.serial).toBe(5)
  expect(made.terminal.hotlist.find(listed)).toBeUndefined()

  const unknown = { ...mapItem, id: 'new', contentHash: 'ab'.repeat(32) }
  const contentKeys = [{ contentHash: unknown.contentHash, key: 'cd'.repeat(32) }]
  issuer.publish({ serial: 6, hotlist, bulletin: { items: [unknown, mapItem] }, keyring: { contentKeys } })
  issuer.goods({ status: 404, body: '{"sentence":"There are no such goods."}' })
  await fetchNews(made.terminal, issuer.client)
  expect(made.terminal.hotlist.find(listed)).toEqual({ blockMac: undefined })
})

const manyCards = (count: number) =>
  Array.from({ length: count }, (_, number) => ({ cardId: cardId(number.toString(16).padStart(16, '0')) }))

test('a long hotlist holds up no batch, goes on where it was cut off, and counts when it is whole', async () => {
  const made = make()
  const issuer = await openIssuer()
  const cards = manyCards(2 * hotlistPageEntriesMax + 1)
  const last = cards.at(-1)?.cardId ?? cardId('0000000000000000')
  const before = made.terminal.hotlist.inForce
  issuer.publish({ serial: 2, hotlist: cards, bulletin: { publicUrl: 'https://two.example' } })
  issuer.answer((path) => (path.endsWith(`after=${hotlistPageEntriesMax}`) ? 'cut' : undefined))
  await expect(syncOnce(made.terminal, issuer.client)).rejects.toThrow(IssuerUnreachable)
  // Prices hold at once; the list before stays in force, and its age with it.
  const cut = made.restart()
  expect(cut.issued?.bulletin.publicUrl).toBe('https://two.example')
  expect(cut.hotlist.inForce).toEqual(before)
  expect(cut.hotlist.find(cards[0]?.cardId ?? last)).toBeUndefined()

  issuer.paths.length = 0
  // A sale while the first of the two pages that are left is on its way.
  issuer.answer((path) => {
    if (path.endsWith(`after=${hotlistPageEntriesMax}`)) addEntries(cut, 1)
    return undefined
  })
  expect(await syncOnce(cut, issuer.client)).toEqual({ batches: 1, entries: 1, exceptions: 0 })
  expect(issuer.paths.filter((path) => /hotlist|batches/.test(path))).toEqual([
    `/v1/hotlist?generation=2&after=${hotlistPageEntriesMax}`,
    '/v1/batches',
    `/v1/hotlist?generation=2&after=${2 * hotlistPageEntriesMax}`,
  ])
  expect(cut.hotlist.find(last)).toEqual({ blockMac: undefined })
})

test('a bulletin whose hotlist does not come is no fresh hotlist: limits sink and sales end by the age of the one here', async () => {
  const made = make({ publication: { limits: { staleAfterSeconds: 86_400 } } })
  const issuer = await openIssuer()
  const [expiresTime, newer] = [made.terminal.hotlist.inForce?.goodUntil ?? 0, testStartTime + 20 * 86_400]
  issuer.publish({
    serial: 2,
    hotlist: manyCards(1),
    bulletin: {
      issuedAt: new Date(newer * 1000).toISOString(),
      expiresAt: new Date((newer + 60 * 86_400) * 1000).toISOString(),
    },
  })
  issuer.answer((path) => (path.startsWith('/v1/hotlist') ? { status: 404, body: '{"sentence":"none"}' } : undefined))
  expect(await syncOnce(made.terminal, issuer.client)).toMatchObject({ hotlist: 'refused' })
  made.clock.seconds = expiresTime
  expect(outOfServiceReason(made.terminal)).toBeUndefined()
  made.clock.seconds += 1
  expect(outOfServiceReason(made.terminal)).toBe('stale')
  issuer.answer(() => undefined)
  await syncOnce(made.terminal, issuer.client)
  expect(outOfServiceReason(made.terminal)).toBeUndefined()
})

test('a hotlist that was changed on the way is refused, and the next sync has the right one', async () => {
  const made = make()
  const issuer = await openIssuer()
  issuer.publish({ serial: 2, hotlist: manyCards(3) })
  const forged = hotlistBytes({ hotlist: manyCards(4).slice(1) })
  issuer.answer((path) => (path.startsWith('/v1/hotlist') ? { body: forged } : undefined))
  await expect(syncOnce(made.terminal, issuer.client)).rejects.toThrow(/not the hotlist of the issuer/)
  issuer.answer((path) => (path.startsWith('/v1/hotlist') ? proxyPage : undefined))
  await expect(syncOnce(made.terminal, issuer.client)).rejects.toThrow(/not the hotlist of the issuer/)
  expect(made.terminal.hotlist.inForce).toMatchObject({ count: 0 })
  issuer.answer(() => undefined)
  await syncOnce(made.terminal, issuer.client)
  expect(made.terminal.hotlist.inForce).toMatchObject({ generation: 2, count: 3 })
})

test('a terminal without any whole hotlist sells nothing yet', async () => {
  const made = make({ publication: 'none' })
  const issuer = await openIssuer()
  issuer.publish({ serial: 2, hotlist: manyCards(1) })
  issuer.answer((path) => (path.startsWith('/v1/hotlist') ? 'cut' : undefined))
  await expect(syncOnce(made.terminal, issuer.client)).rejects.toThrow(IssuerUnreachable)
  expect(made.terminal.issued?.bulletin.serial).toBe(2)
  expect(outOfServiceReason(made.terminal)).toBe('notEnrolled')
  issuer.answer(() => undefined)
  await syncOnce(made.terminal, issuer.client)
  expect(outOfServiceReason(made.terminal)).toBeUndefined()
})

test.each<[string, (issuer: Awaited<ReturnType<typeof openIssuer>>) => void]>([
  [
    'a login page instead of the bulletin',
    (issuer) => issuer.answer((path) => (path === '/v1/bulletin' ? proxyPage : undefined)),
  ],
  [
    'a login page instead of the keyring',
    (issuer) => issuer.answer((path) => (path.startsWith('/v1/keyrings') ? proxyPage : undefined)),
  ],
  [
    'a forged bulletin',
    (issuer) =>
      issuer.serve({ bulletin: publish({ serial: 9 }).bulletin.map((byte, at) => (at === 20 ? byte ^ 1 : byte)) }),
  ],
  ['a keyring of another key', (issuer) => issuer.serve({ keyring: publish({ serial: 9, keyVersion: 2 }).keyring })],
  ['a keyring of another epoch', (issuer) => issuer.serve({ keyring: publish({ serial: 9, epoch: 2 }).keyring })],
])('%s changes nothing', async (_name, arrange) => {
  const made = make()
  const issuer = await openIssuer()
  issuer.publish({ serial: 9, bulletin: { items: [] } })
  arrange(issuer)
  await expect(fetchNews(made.terminal, issuer.client)).rejects.toThrow(IssuerUnreachable)
  expect(made.terminal.ledger.document('bulletin')?.serial).toBe(1)
  expect(made.terminal.ledger.document('keyring')?.serial).toBe(1)
  expect(made.terminal.issued?.bulletin.items).toHaveLength(2)
})

test('a login page instead of goods is not kept, and damaged goods are fetched anew', async () => {
  const made = make({ goods: false })
  const issuer = await openIssuer()
  const file = goodsPath(made.dataDir, mapItem.contentHash)
  issuer.goods({ body: new Uint8Array(10) })
  await expect(fetchNews(made.terminal, issuer.client)).rejects.toThrow(IssuerUnreachable)
  expect(existsSync(file)).toBe(false)
  issuer.goods({ body: mapBlob() })
  await fetchNews(made.terminal, issuer.client)
  expect(readFileSync(file)).toEqual(Buffer.from(mapBlob()))

  writeFileSync(file, new Uint8Array(30))
  expect(made.terminal.issued?.catalogue.prepare('map')).toBe('outOfStock')
  await fetchNews(made.terminal, issuer.client)
  expect(made.terminal.issued?.catalogue.prepare('map')).toMatchObject({ item: { id: 'map' } })
})

test('goods larger than announced are cut off', async () => {
  const made = make({ goods: false })
  const issuer = await openIssuer()
  issuer.goods({ body: new Uint8Array(1_000_000) })
  await expect(fetchNews(made.terminal, issuer.client)).rejects.toThrow('larger than')
})

test('a picture is fetched as goods are; one that is not what the bulletin says holds up nothing', async () => {
  const made = make({ goods: false })
  const issuer = await openIssuer()
  const [wrong, large, right] = ['wrong', 'large', 'right'].map((text) => shownFile(text, 'image/svg+xml'))
  if (wrong === undefined || large === undefined || right === undefined) throw new Error('three were made')
  issuer.publish({
    serial: 2,
    bulletin: {
      display: [
        { itemId: 'map', picture: wrong.file, preview: right.file },
        { itemId: 'wifi', picture: large.file },
      ],
    },
    keyring: {
      contentKeys: [
        ...[wrong, large, right].map(({ key }) => key),
        { contentHash: mapItem.contentHash, key: right.key.key },
      ],
    },
  })
  issuer.answer((path) => {
    if (path.endsWith(wrong.file.contentHash)) return { body: new Uint8Array(wrong.blob.length) }
    if (path.endsWith(large.file.contentHash)) return { body: new Uint8Array(1_000_000) }
    return path.endsWith(right.file.contentHash) ? { body: right.blob } : undefined
  })
  await fetchNews(made.terminal, issuer.client)
  const here = [wrong, large, right].map(({ file }) => existsSync(goodsPath(made.dataDir, file.contentHash)))
  expect(here).toEqual([false, false, true])
  expect(made.terminal.issued?.catalogue.offerings()).toMatchObject([
    { article: { id: 'map' }, display: { preview: right.file } },
    { article: { id: 'wifi' }, stock: 3 },
  ])
  // Goods come before what is only shown.
  expect(issuer.paths.filter((path) => path.startsWith('/v1/goods/'))[0]).toContain(mapItem.contentHash)
})

test('after an enrolment into a new epoch nothing is sold until its keyring came', async () => {
  const made = make()
  made.terminal.close()
  const { writeIdentity } = await import('../identity.ts')
  writeIdentity(made.dataDir, testIdentity({ epoch: 2, keyVersion: 2 }))
  const reborn = made.restart()
  expect(reborn.ledger.epoch).toBe(2)
  expect(reborn.issued).toBeUndefined()
  const issuer = await openIssuer()
  issuer.publish({ serial: 2, epoch: 2, keyVersion: 2 })
  await fetchNews(reborn, issuer.client)
  expect(reborn.issued?.bulletin.serial).toBe(2)
  writeIdentity(made.dataDir, testIdentity({ epoch: 1 }))
  expect(() => made.restart()).toThrow('enrol this terminal again')
})

test('the loop notices online and offline by trying, and a nudge sends at once', async () => {
  const { terminal } = make()
  const issuer = await openIssuer()
  const seen: boolean[] = []
  let tell: () => void = () => {}
  const changed = () =>
    new Promise<void>((resolve) => {
      tell = resolve
    })
  let next = changed()
  const loop: SyncLoop = startSync(terminal, issuer.client, {
    random: () => 0,
    onChange: (online) => {
      seen.push(online)
      const told = tell
      next = changed()
      told()
    },
  })
  onTestFinished(() => loop.stop())
  await next
  expect(loop.online).toBe(true)
  addEntries(terminal, 1)
  loop.nudge()
  await next
  expect(terminal.ledger.unsynced.count).toBe(0)
  issuer.answer(() => 'cut')
  loop.nudge()
  await next
  expect(loop.online).toBe(false)
  // A busy kiosk does not hammer an issuer that is away.
  const tries = issuer.paths.length
  for (let sale = 0; sale < 20; sale += 1) loop.nudge()
  await new Promise(setImmediate)
  expect(issuer.paths.length).toBe(tries)
  await loop.stop()
  expect(seen).toEqual([true, true, false])
})

test('the loop sends the newest batch once more at its start, and when nothing was sold for twelve hours', async () => {
  const { terminal } = make()
  const issuer = await openIssuer()
  addEntries(terminal, 1)
  let now = 0
  let told: () => void = () => {}
  const loop = startSync(terminal, issuer.client, { random: () => 0, monotonicMs: () => now, onChange: () => told() })
  onTestFinished(() => loop.stop())
  const synced = () =>
    new Promise<void>((resolve) => {
      told = resolve
    })
  const batchesSent = () => issuer.paths.filter((path) => path === '/v1/batches').length
  const syncAt = async (hours: number): Promise<number> => {
    now = hours * 3_600_000
    const done = synced()
    loop.nudge()
    await done
    return batchesSent()
  }
  await synced()
  expect(batchesSent()).toBe(1)
  expect(await syncAt(11)).toBe(1)
  expect(await syncAt(12)).toBe(2)
  expect(await syncAt(23)).toBe(2)
  addEntries(terminal, 1)
  expect(await syncAt(23.5)).toBe(3)
  expect(await syncAt(35)).toBe(3)
})

test('a sync ends with what was due when it began, and fetches the news, however fast sales go on', async () => {
  const { terminal } = make()
  const issuer = await openIssuer()
  addEntries(terminal, 3)
  let meanwhile = 0
  const onBatch = () => {
    meanwhile += 1
    if (meanwhile > 5) throw new Error('no end')
    addEntries(terminal, 2)
  }
  expect(await syncOnce(terminal, issuer.client, { onBatch })).toMatchObject({ batches: 1, entries: 3 })
  expect(issuer.paths.slice(0, 3)).toEqual(['/v1/batches', '/v1/journals', '/v1/bulletin'])
  expect(terminal.ledger.unsynced.count).toBe(2)
  expect(await syncOnce(terminal, issuer.client)).toMatchObject({ batches: 1, entries: 2 })
})

test('a login page is no issuer in health', async () => {
  const issuer = await openIssuer()
  issuer.answer((path) => (path === '/health' ? { body: '{"status":"ok"}' } : undefined))
  expect(await issuer.client.reachable()).toBe(true)
  issuer.answer(() => proxyPage)
  expect(await issuer.client.reachable()).toBe(false)
  issuer.answer(() => 'cut')
  expect(await issuer.client.reachable()).toBe(false)
})
