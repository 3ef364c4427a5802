/** What a peer on the network may try at the issuer beyond malformed bytes: wrong routes, lies about itself, guesses, slowness. */
import { connect } from 'node:net'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { publish } from '../../issuer/bulletin-publisher.ts'
import { addItem } from '../../issuer/catalogue.ts'
import { createEnrolmentCode } from '../../issuer/enrolment.ts'
import { createApp } from '../../issuer/http-app.ts'
import { serve } from '../../issuer/server.ts'
import { cutBatch } from '../../main/sync/sync.ts'
import { openKeyring } from '../../protocol/keyring.ts'
import { openScene, type Scene } from './scene.ts'

const silent = pino({ level: 'silent' })

/** One sale, told in three documents that were not sent yet. */
const setUp = async () => {
  const scene = await openScene(onTestFinished)
  const kiosk = await scene.kiosk('Town')
  const card = await scene.card({ at: kiosk })
  await kiosk.sync()
  const sold = await kiosk.sell(card)
  if (sold.outcome !== 'captured' || sold.payment.settlementMac === undefined) throw new Error('it was sold')
  const { url } = kiosk.terminal.claimUrl(sold.payment.record, sold.payment.settlementMac)
  const claim = new Uint8Array(Buffer.from(url.split('#')[1] ?? '', 'base64url'))
  cutBatch(kiosk.terminal)
  const batch = kiosk.terminal.ledger.nextUnanswered()?.bytes
  if (batch === undefined) throw new Error('a batch was cut')
  return { scene, kiosk, card, claim, batch }
}

/** All that the server says on a connection of its own, until it hangs up. */
const saidTo = (url: string, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    let said = ''
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes, 'latin1'))
    socket.on('data', (chunk) => {
      said += String(chunk)
    })
    socket.on('error', () => resolve(said))
    socket.on('close', () => resolve(said))
  })

test('a document at the route of another is refused, and books nothing', async () => {
  const { scene, claim, batch } = await setUp()
  const before = await scene.figures()
  const wrong = [
    ['/v1/batches', claim],
    ['/v1/loads', claim],
    ['/v1/claims', batch],
    ['/v1/loads', batch],
    ['/v1/enrolments', batch],
    ['/v1/enrolments', claim],
  ] as const
  for (const [route, body] of wrong) {
    const answer = await scene.post(route, body, { 'content-type': 'application/json' })
    expect([route, answer.status]).toEqual([route, 400])
  }
  for (const route of ['/v1/batches', '/v1/loads', '/v1/claims', '/v1/enrolments'])
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH'])
      expect((await fetch(scene.url + route, { method })).status).toBe(404)
  expect(await scene.figures()).toEqual(before)
})

test("another terminal's keyring may be fetched and not opened; its documents are not sealed in its name", async () => {
  const { scene, kiosk, batch } = await setUp()
  const other = await scene.kiosk('Port')
  const answer = await fetch(`${scene.url}/v1/keyrings/${kiosk.id}`)
  const bytes = new Uint8Array(await answer.arrayBuffer())
  expect(openKeyring(bytes, kiosk.terminal.identity.terminalKey).terminalId).toBe(kiosk.id)
  expect(() => openKeyring(bytes, other.terminal.identity.terminalKey)).toThrow()
  const renamed = Uint8Array.from(batch)
  renamed.set(Buffer.from(other.id, 'hex'), 8)
  expect((await scene.post('/v1/batches', renamed)).status).toBe(403)
})

test('headers without end, and headers that never end, are hung up on', async () => {
  const { issuer, url } = await openScene(onTestFinished)
  const huge = await saidTo(url, `GET /health HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`)
  expect(huge).toMatch(/^HTTP\/1\.1 431 /)
  const server = await serve({ issuer, port: 0, requestTimeoutMs: 300, log: silent })
  onTestFinished(() => server.close())
  const slow = [
    'GET /health HTTP/1.1\r\nhost: x\r\nx-',
    'POST /v1/batches HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nFB',
  ]
  for (const said of await Promise.all(slow.map((bytes) => saidTo(server.url, bytes))))
    expect(said).toMatch(/^HTTP\/1\.1 4\d\d |^$/)
  // And others are served all the while.
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
})

/** As if the peer had this address: the routes are called without a socket. */
const from = (scene: Scene, remoteAddress: string) => {
  const app = createApp(scene.issuer, { log: silent })
  return (code: string, headers: Record<string, string> = {}) =>
    app.fetch(
      new Request('http://issuer.example/v1/enrolments', { method: 'POST', body: JSON.stringify({ code }), headers }),
      { incoming: { socket: { remoteAddress } } },
    )
}

test('a peer from elsewhere that says it is the proxy, or came by TLS, gets no key', async () => {
  const scene = await openScene(onTestFinished)
  const kiosk = await scene.kiosk('Town')
  const { code } = await createEnrolmentCode(scene.issuer, kiosk.id)
  const ask = from(scene, '203.0.113.9')
  for (const headers of [
    {},
    { 'x-forwarded-proto': 'https' },
    { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https' },
    { 'x-forwarded-for': '127.0.0.1, ::1', forwarded: 'for=127.0.0.1;proto=https' },
  ])
    expect((await ask(code, headers)).status).toBe(403)
  // The code was never spent: behind the real proxy it works.
  const proxied = from(scene, '127.0.0.1')
  const real = { 'x-forwarded-for': '127.0.0.1, 203.0.113.9', 'x-forwarded-proto': 'https' }
  expect((await proxied(code, { ...real, 'x-forwarded-proto': 'http' })).status).toBe(403)
  expect((await proxied(code, real)).status).toBe(200)
})

test('guesses of codes are counted against the address that the proxy saw, whatever the guesser puts before it', async () => {
  const scene = await openScene(onTestFinished)
  const kiosk = await scene.kiosk('Town')
  const ask = from(scene, '127.0.0.1')
  const headersOf = (lie: number, real: string) => ({
    'x-forwarded-for': `10.0.0.${lie}, ${real}`,
    'x-forwarded-proto': 'https',
  })
  const statuses: number[] = []
  for (let guess = 0; guess < 25; guess += 1)
    statuses.push((await ask('0000-0000-0000-0000', headersOf(guess, '203.0.113.9'))).status)
  expect(statuses).toEqual([...Array.from({ length: 20 }, () => 403), ...Array.from({ length: 5 }, () => 429)])
  const { code } = await createEnrolmentCode(scene.issuer, kiosk.id)
  expect((await ask(code, headersOf(1, '203.0.113.9'))).status).toBe(429)
  scene.clock.seconds += 301
  expect((await ask(code, headersOf(1, '203.0.113.9'))).status).toBe(200)
})

test('an enrolment whose ledger is of a wrong shape spends no code', async () => {
  const scene = await openScene(onTestFinished)
  const kiosk = await scene.kiosk('Town')
  const { code } = await createEnrolmentCode(scene.issuer, kiosk.id)
  for (const ledger of [
    null,
    [],
    'x',
    {},
    { terminalId: kiosk.id, epoch: -1, batchNo: 0 },
    { terminalId: 'x', epoch: 1, batchNo: 0 },
  ])
    expect((await scene.post('/v1/enrolments', JSON.stringify({ code, ledger }))).status).toBe(400)
  const polluted = `{"__proto__":{"code":"x"},"constructor":1,"code":"${code}"}`
  expect((await scene.post('/v1/enrolments', polluted)).status).toBe(200)
})

test('claims and tickets cannot be guessed, and say nothing to who guesses', async () => {
  const { scene, claim } = await setUp()
  const before = await scene.figures()
  for (let at = 116; at < 132; at += 1) {
    const guess = Uint8Array.from(claim)
    guess[at] = (guess[at] ?? 0) ^ 0x80
    const answer = await scene.post('/v1/claims', guess)
    expect([answer.status, JSON.parse(await answer.text()).error]).toEqual([403, 'forged'])
  }
  expect(await scene.figures()).toEqual(before)
  // A lie about the host changes no address that is handed out.
  const honoured = await scene.post('/v1/claims', claim, {
    'x-forwarded-host': 'evil.example',
    forwarded: 'host=evil.example',
  })
  const { contentUrl }: { contentUrl: string } = JSON.parse(await honoured.text())
  expect(contentUrl).toMatch(/^\/v1\/claims\/content\/[\w-]{43}$/)
  expect((await fetch(scene.url + contentUrl)).status).toBe(200)
  expect((await fetch(`${scene.url}${contentUrl.slice(0, -1)}`)).status).toBe(404)
  scene.clock.seconds += 15 * 60 + 1
  expect((await fetch(scene.url + contentUrl)).status).toBe(404)
})

test('whoever has a receipt may ask for its film many times and take nothing: it is in memory once', async () => {
  const scene = await openScene(onTestFinished)
  const kiosk = await scene.kiosk('Town')
  const filmBytes = 8 * 2 ** 20
  await addItem(scene.issuer, {
    file: { name: 'film.mp4', bytes: Buffer.alloc(filmBytes, 1) },
    id: 'film',
    priceMinor: 100,
    title: { en: 'A film' },
  })
  await publish(scene.issuer)
  await kiosk.sync()
  const sold = await kiosk.sell(await scene.card({ at: kiosk }), 'film')
  if (sold.outcome !== 'captured' || sold.payment.settlementMac === undefined) throw new Error('it was sold')
  const { url } = kiosk.terminal.claimUrl(sold.payment.record, sold.payment.settlementMac)
  const claim = new Uint8Array(Buffer.from(url.split('#')[1] ?? '', 'base64url'))
  const { contentUrl }: { contentUrl: string } = JSON.parse(await (await scene.post('/v1/claims', claim)).text())
  expect((await (await fetch(scene.url + contentUrl)).arrayBuffer()).byteLength).toBe(filmBytes)
  const before = process.memoryUsage().arrayBuffers
  const idle = Array.from({ length: 20 }, () => connect(Number(new URL(scene.url).port), '127.0.0.1'))
  onTestFinished(() => {
    for (const socket of idle) socket.destroy()
  })
  const begun = idle.map(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.on('error', () => undefined)
        socket.once('readable', resolve)
        socket.write(`GET ${contentUrl} HTTP/1.1\r\nhost: x\r\n\r\n`)
      }),
  )
  await Promise.all(begun)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * filmBytes)
})

const drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><path d="M0 0h2v2z"/></svg>'

test('content of a hostile media type cannot run as a page of the issuer', async () => {
  const scene = await openScene(onTestFinished)
  const kiosk = await scene.kiosk('Town')
  for (const mediaType of ['text/html', 'application/xhtml+xml', 'image/svg+xml', 'text/javascript']) {
    await addItem(scene.issuer, {
      // A drawing with a script does not come as far as the shelf.
      file: { name: 'x.md', bytes: Buffer.from(mediaType === 'image/svg+xml' ? drawing : '<script>alert(1)</script>') },
      id: 'map',
      priceMinor: 250,
      title: { en: 'Walking map' },
      mediaType,
    })
    await publish(scene.issuer)
    await kiosk.sync()
    const sold = await kiosk.sell(await scene.card({ at: kiosk }))
    if (sold.outcome !== 'captured' || sold.payment.settlementMac === undefined) throw new Error('it was sold')
    const { url } = kiosk.terminal.claimUrl(sold.payment.record, sold.payment.settlementMac)
    const answer = await scene.post('/v1/claims', new Uint8Array(Buffer.from(url.split('#')[1] ?? '', 'base64url')))
    const { contentUrl }: { contentUrl: string } = JSON.parse(await answer.text())
    const { headers } = await fetch(scene.url + contentUrl)
    expect(headers.get('content-type')).toBe(mediaType.startsWith('text/') ? 'text/plain; charset=utf-8' : mediaType)
    expect(headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  }
})
