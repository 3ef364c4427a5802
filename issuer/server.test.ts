import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import * as v from 'valibot'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAcknowledgement } from '../protocol/acknowledgement.ts'
import { batchBytesMax } from '../protocol/batch.ts'
import { openBulletin } from '../protocol/bulletin.ts'
import { fromHex } from '../protocol/bytes.ts'
import { type Item, unitItem } from '../protocol/item.ts'
import { decryptContent, openKeyring } from '../protocol/keyring.ts'
import { unixTime } from '../protocol/quantities.ts'
import { publish } from './bulletin-publisher.ts'
import { addItem } from './catalogue.ts'
import { createEnrolmentCode } from './enrolment.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import { type RunningServer, serve } from './server.ts'
import { type Bench, newCard, newTerminal, now, openBench, type TestTerminal } from './test-support.ts'

let bench: Bench
let issuer: Issuer
let server: RunningServer
let time: number
let logged: string
let kiosk: TestTerminal
let map: Item
const mapBytes = new TextEncoder().encode('%PDF a walking map of the harbour')

const log = () =>
  pino(
    new Writable({
      write: (chunk, _encoding, done) => {
        logged += String(chunk)
        done()
      },
    }),
  )

beforeEach(async () => {
  bench = await openBench()
  time = now
  logged = ''
  issuer = { ...bench.issuer, clock: () => unixTime(time) }
  const added = await addItem(issuer, {
    file: { name: 'map.pdf', bytes: mapBytes },
    id: 'map',
    priceMinor: 250,
    title: { en: 'Walking map' },
  })
  map = added.item
  kiosk = await newTerminal(issuer, 'Town')
  server = await serve({ issuer, port: 0, log: log() })
})
afterEach(async () => {
  await server.close()
  await bench.close()
})

const get = (path: string, headers: Record<string, string> = {}) => fetch(server.url + path, { headers })
const post = (path: string, body: Uint8Array | string, headers: Record<string, string> = {}) =>
  fetch(server.url + path, { method: 'POST', body: typeof body === 'string' ? body : Uint8Array.from(body), headers })
const bytesOf = async (answer: Response) => new Uint8Array(await answer.arrayBuffer())
/** All that the server says on a connection of its own until that ends. */
const saidBy = (port: number, bytes: string, { end = false } = {}): Promise<string> =>
  new Promise((resolve) => {
    let said = ''
    const socket = connect(port, '127.0.0.1', () => (end ? socket.end(bytes, 'latin1') : socket.write(bytes, 'latin1')))
    socket.on('data', (chunk) => {
      said += String(chunk)
    })
    socket.on('error', () => resolve(said))
    socket.on('close', () => resolve(said))
  })
const jsonOf = async (answer: Response) => v.parse(v.record(v.string(), v.unknown()), await answer.json())
const refusalOf = async (answer: Response) => {
  const body = await jsonOf(answer)
  expect(body).toEqual({ error: expect.any(String), sentence: expect.any(String) })
  return { status: answer.status, error: body.error }
}

describe('enrolment over HTTP', () => {
  const enrol = (code: unknown, headers = {}) => post('/v1/enrolments', JSON.stringify({ code }), headers)

  it('hands out key, epoch and addresses for a code, once', async () => {
    const { code } = await createEnrolmentCode(issuer, kiosk.id)
    const answer = await enrol(code.toLowerCase().replaceAll('-', ' '))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.json()).toEqual({
      terminalId: kiosk.id,
      epoch: 2,
      keyVersion: 1,
      terminalKey: Buffer.from(issuer.keys.terminalKey(1, kiosk.id) ?? []).toString('hex'),
      bulletinPublicKey: Buffer.from(issuer.keys.signing.publicKey).toString('hex'),
      bulletinKeyVersion: 1,
      publicUrl: server.url,
      currency: 'EUR',
      merchant: 'Town',
      dev: false,
    })
    expect(await refusalOf(await enrol(code))).toEqual({ status: 403, error: 'wrongCode' })
  })

  it('refuses a code after 15 minutes, and one that was replaced', async () => {
    const { code: first } = await createEnrolmentCode(issuer, kiosk.id)
    const { code: second } = await createEnrolmentCode(issuer, kiosk.id)
    expect((await enrol(first)).status).toBe(403)
    time += 15 * 60 + 1
    expect((await enrol(second)).status).toBe(403)
  })

  it.each(['', 'null', '[]', '{}', '{"code":7}', '{"code":', '\u0000', `{"code":"${'A'.repeat(101)}"}`])(
    'calls %j malformed',
    async (body) => {
      expect(await refusalOf(await post('/v1/enrolments', body))).toEqual({ status: 400, error: 'layout' })
    },
  )

  it('refuses to send a key past this machine without TLS', async () => {
    const { code } = await createEnrolmentCode(issuer, kiosk.id)
    const plain = await enrol(code, { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'http' })
    expect(await refusalOf(plain)).toEqual({ status: 403, error: 'tlsNeeded' })
    const secure = await enrol(code, { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' })
    expect(secure.status).toBe(200)
  })

  it('slows an address down that guesses, and it alone', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address, 'x-forwarded-proto': 'https' })
    for (let guess = 0; guess < 20; guess += 1) await enrol('0000-0000-0000-0000', from('203.0.113.7'))
    const { code } = await createEnrolmentCode(issuer, kiosk.id)
    expect(await refusalOf(await enrol(code, from('203.0.113.7')))).toEqual({ status: 429, error: 'tooManyTries' })
    expect((await enrol(code, from('203.0.113.8'))).status).toBe(200)
  })
})

describe('documents over HTTP', () => {
  it('answers a batch with its acknowledgement, and the same batch with the same bytes', async () => {
    const card = await newCard(issuer)
    await kiosk.load(card, 1000)
    const batch = kiosk.batch(kiosk.entry(card.pay(kiosk, map)))
    const first = await post('/v1/batches', batch, { 'content-type': 'application/octet-stream' })
    const again = await post('/v1/batches', batch)
    expect([first.status, first.headers.get('content-type')]).toEqual([200, 'application/octet-stream'])
    const bytes = await bytesOf(first)
    expect(openAcknowledgement(kiosk.key(), bytes)).toMatchObject({ verdict: 'taken', accepted: 1, exceptions: [] })
    expect(await bytesOf(again)).toEqual(bytes)
  })

  it('takes a batch whose length is not announced, as a proxy may send it on', async () => {
    const batch = kiosk.batch()
    const pieces = new Blob([batch.slice(0, 10), batch.slice(10)]).stream()
    const answer = await fetch(`${server.url}/v1/batches`, { method: 'POST', body: pieces, duplex: 'half' })
    expect(openAcknowledgement(kiosk.key(), await bytesOf(answer))).toMatchObject({ verdict: 'taken' })
    expect(logged).toBe('')
  })

  it.each(['a.3', 'issuer2.3', '.3'])('refuses a document for the host %s, which is none', async (host) => {
    const request = `POST /v1/batches HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1\r\n\r\nF`
    expect(await saidBy(server.port, request, { end: true })).toMatch(/^HTTP\/1\.1 400 /)
    expect(logged).toBe('')
  })

  it('authorises a load', async () => {
    const card = await newCard(issuer)
    const answer = await post('/v1/loads', kiosk.loadRequest(card, kiosk.loadOrder(500)))
    expect([answer.status, (await bytesOf(answer)).length]).toEqual([200, 72])
  })

  it.each(['/v1/batches', '/v1/loads', '/v1/claims'])('refuses malformed bytes at %s', async (path) => {
    const valid = kiosk.batch()
    const bodies = [new Uint8Array(0), new Uint8Array(1), new Uint8Array(132), new Uint8Array(144), valid.slice(1)]
    for (const body of bodies) {
      const { status } = await refusalOf(await post(path, body))
      expect([400, 403, 404]).toContain(status)
    }
    expect(logged).toBe('')
  })

  it('refuses a batch with any flipped bit of its head and seal', async () => {
    const batch = kiosk.batch()
    for (let at = 0; at < batch.length; at += 1) {
      const damaged = Uint8Array.from(batch)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
      expect((await post('/v1/batches', damaged)).status, `byte ${at}`).toBeGreaterThanOrEqual(400)
    }
    expect(logged).toBe('')
  })

  it('takes no more bytes than a document has, announced or not', async () => {
    const tooLarge = { status: 413, error: 'tooLarge' }
    const announced = `Host: a\r\nContent-Length: ${batchBytesMax + 1}\r\n\r\n`
    expect(await saidBy(server.port, `POST /v1/batches HTTP/1.1\r\n${announced}`)).toMatch(/^HTTP\/1\.1 413 /)
    expect(await refusalOf(await post('/v1/claims', new Uint8Array(5000)))).toEqual(tooLarge)
    const chunked = await fetch(`${server.url}/v1/claims`, {
      method: 'POST',
      body: new Blob([new Uint8Array(50_000)]).stream(),
      duplex: 'half',
    })
    expect(await refusalOf(chunked)).toEqual(tooLarge)
  })
})

describe('publications over HTTP', () => {
  it('has no bulletin before the first was published, and tells its changes by its tag', async () => {
    expect(await refusalOf(await get('/v1/bulletin'))).toEqual({ status: 404, error: 'notPublished' })
    const { serial } = await publish(issuer)
    const answer = await get('/v1/bulletin')
    const bulletin = openBulletin(await bytesOf(answer), issuer.keys.signing.publicKey)
    expect(bulletin).toMatchObject({ serial, publicUrl: server.url, items: [map] })
    const etag = answer.headers.get('etag') ?? ''
    expect((await get('/v1/bulletin', { 'if-none-match': etag })).status).toBe(304)
    await publish(issuer)
    expect((await get('/v1/bulletin', { 'if-none-match': etag })).status).toBe(200)
  })

  it('gives a terminal its keyring, and the goods that it opens', async () => {
    const answer = await get(`/v1/keyrings/${kiosk.id}`)
    const terminalKey = issuer.keys.terminalKey(1, kiosk.id) ?? new Uint8Array()
    const { body } = openKeyring(await bytesOf(answer), terminalKey)
    const key = fromHex(body.contentKeys.find(({ contentHash }) => contentHash === map.contentHash)?.key ?? '', 32)
    const blob = await bytesOf(await get(`/v1/goods/${map.contentHash}`))
    expect(decryptContent(blob, { key, contentHash: map.contentHash })).toEqual(mapBytes)
    expect(Buffer.from(blob).includes('walking map')).toBe(false)
  })

  it.each(['0000000000000000', 'x', '..%2f..%2fetc%2fpasswd', 'A'.repeat(300)])(
    'knows no keyring and no goods of %j',
    async (name) => {
      for (const path of ['/v1/keyrings/', '/v1/goods/', '/v1/claims/content/', '/c/'])
        expect((await refusalOf(await get(path + name))).status).toBe(404)
    },
  )

  it('serves goods by ranges', async () => {
    const path = `/v1/goods/${map.contentHash}`
    const whole = await bytesOf(await get(path))
    const part = await get(path, { range: 'bytes=5-9' })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 5-9/${whole.length}`])
    expect(await bytesOf(part)).toEqual(whole.slice(5, 10))
    const rest = await get(path, { range: 'bytes=10-' })
    expect(await bytesOf(rest)).toEqual(whole.slice(10))
    const past = await get(path, { range: `bytes=${whole.length}-` })
    expect([past.status, past.headers.get('content-range')]).toEqual([416, `bytes */${whole.length}`])
    const head = await fetch(server.url + path, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(whole.length)])
  })
})

describe('claims over HTTP', () => {
  it('hands the same code out each time, and the content by a ticket that ends', async () => {
    const { item: wifi } = await addItem(issuer, {
      file: { name: 'codes.txt', bytes: new TextEncoder().encode('LARK-1\nWREN-2\n') },
      id: 'wifi',
      kind: 'code',
      priceMinor: 100,
      title: { en: 'Wi-Fi' },
    })
    const card = await newCard(issuer)
    await kiosk.load(card, 1000)
    const codeClaim = kiosk.claim(card.pay(kiosk, unitItem(wifi, 'WREN-2')))
    for (const _visit of [1, 2]) {
      const answer = await post('/v1/claims', codeClaim)
      expect(await answer.json()).toMatchObject({ item: 'wifi', merchant: 'Town', amountMinor: 100, code: 'WREN-2' })
    }
    const sale = await jsonOf(await post('/v1/claims', kiosk.claim(card.pay(kiosk, map))))
    expect(sale).toMatchObject({ item: 'map', currency: 'EUR', paidAt: new Date(now * 1000).toISOString() })
    const contentUrl = String(sale.contentUrl)
    const content = await get(contentUrl)
    expect(content.headers.get('content-type')).toBe('application/pdf')
    expect(content.headers.get('cache-control')).toBe('no-store')
    expect(await bytesOf(content)).toEqual(mapBytes)
    expect(await bytesOf(await get(contentUrl, { range: 'bytes=0-3' }))).toEqual(mapBytes.slice(0, 4))
    time += 15 * 60 + 1
    const gone = await get(contentUrl)
    expect([gone.status, gone.headers.get('cache-control')]).toEqual([404, 'no-store'])
    for (const path of ['/nothing', '/c/nothing', '/t/nothing', '/v1/goods/00'])
      expect((await get(path)).headers.get('cache-control'), path).toBe('no-store')
  })

  it('keeps the claim page to itself', async () => {
    const page = await get('/c')
    const policy = page.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await page.text()).toContain('<main')
    for (const file of ['claim.css', 'claim.js', 'article.js', 'uqr.js', 'words.js', 'farthing.svg'])
      expect((await get(`/c/${file}`)).status).toBe(200)
  })
})

describe('the server', () => {
  it('answers health, and JSON where there is nothing', async () => {
    expect(await (await get('/health')).json()).toEqual({ status: 'ok' })
    expect(await refusalOf(await get('/'))).toEqual({ status: 404, error: 'notFound' })
    expect(await refusalOf(await get('/v1/batches'))).toEqual({ status: 404, error: 'notFound' })
  })

  it('says nothing of an unexpected failure but logs it in one line', async () => {
    await bench.issuer.store.write((db) => db.schema.dropTable('hotlist').execute())
    await bench.issuer.store.write((db) => db.schema.dropTable('bulletin').execute())
    const answer = await get('/v1/bulletin')
    const text = await answer.text()
    expect(answer.status).toBe(500)
    expect(JSON.parse(text).error).toBe('internal')
    expect(text).not.toMatch(/bulletin|\.ts/)
    expect(logged.trim().split('\n')).toHaveLength(1)
    expect(JSON.parse(logged)).toMatchObject({ route: '/v1/bulletin', error: { message: expect.any(String) } })
  })

  it('says which port is in use', async () => {
    const second = serve({ issuer, port: server.port, log: log() })
    await expect(second).rejects.toBeInstanceOf(IssuerError)
    await expect(second).rejects.toMatchObject({
      code: 'portInUse',
      message: expect.stringContaining(`${server.port}`),
    })
    await expect(serve({ issuer, port: 70_000 })).rejects.toMatchObject({ code: 'address' })
    await expect(serve({ issuer, port: 0, host: '203.0.113.1' })).rejects.toMatchObject({ code: 'address' })
  })

  it('hangs up on a body that does not arrive', async () => {
    const slow = await serve({ issuer, port: 0, requestTimeoutMs: 100, log: log() })
    try {
      const said = await saidBy(slow.port, 'POST /v1/batches HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nFBAT')
      expect(said === '' || said.startsWith('HTTP/1.1 408') || said.startsWith('HTTP/1.1 400')).toBe(true)
      expect(logged).toBe('')
    } finally {
      await slow.close()
    }
  })

  it('survives whatever a peer sends that is not HTTP', async () => {
    const noises = ['\r\n\r\n', 'GET', '\u0000\u00ff\u0016\u0003', 'GET / HTTP/9.9\r\n\r\n']
    for (const noise of noises) await saidBy(server.port, noise, { end: true })
    expect((await get('/health')).status).toBe(200)
  })

  it('ends cleanly at SIGTERM, with its store', async () => {
    const program = `
      import { openIssuer } from '${new URL('issuer.ts', import.meta.url)}'
      import { closeOnSignal, serve } from '${new URL('server.ts', import.meta.url)}'
      const world = { clock: () => ${now}, randomBytes: (count) => new Uint8Array(count) }
      const issuer = await openIssuer({ url: '${issuer.store.url}', ...world })
      const server = await serve({ issuer, port: 0 })
      console.log(server.url)
      console.log(await closeOnSignal(server, issuer))
    `
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const url = (await lines.next()).value
    expect((await fetch(`${url}/health`)).status).toBe(200)
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    expect((await lines.next()).value).toBe('SIGTERM')
    expect(await ended).toEqual([0, null])
  })

  it('announces where it is reached, and signs a published bulletin anew for it', async () => {
    const { serial } = await publish(issuer)
    const other = await serve({ issuer, port: 0, publicUrl: 'https://pay.example.org/kiosk/', log: log() })
    const bulletin = openBulletin(await bytesOf(await get('/v1/bulletin')), issuer.keys.signing.publicKey)
    expect([other.publicUrl, bulletin.publicUrl]).toEqual([
      'https://pay.example.org/kiosk',
      'https://pay.example.org/kiosk',
    ])
    expect(bulletin.serial).toBeGreaterThan(serial)
    await other.close()
    const again = await serve({ issuer, port: 0, log: log() })
    expect(again.publicUrl).toBe('https://pay.example.org/kiosk')
    await again.close()
    await expect(serve({ issuer, port: 0, publicUrl: 'nowhere', log: log() })).rejects.toMatchObject({ code: 'input' })
  })
})
