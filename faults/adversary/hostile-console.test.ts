/** What a peer on the network may try at the console of a running server: sizes, slowness, methods, addresses, lies, floods. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Hono } from 'hono'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { forgeryHeader } from '../../issuer/console-contract/access.ts'
import { consoleFiles } from '../../issuer/console-files.ts'
import { type RunningServer, serve } from '../../issuer/server.ts'
import { type Bench, openBench } from '../../issuer/test-support.ts'
import { addUser } from '../../issuer/users.ts'

const silent = pino({ level: 'silent' })
const password = 'gravel tuba ninety cloud'
const gigabyte = 1024 ** 3

let bench: Bench
let server: RunningServer
let signedIn: Readonly<Record<string, string>>

const api = (address: string, init: RequestInit = {}) => fetch(`${server.url}/console/api${address}`, init)
const post = (address: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  api(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

beforeAll(async () => {
  bench = await openBench()
  server = await serve({ issuer: bench.issuer, port: 0, requestTimeoutMs: 400, log: silent })
  await addUser(bench.issuer, { name: 'ann', role: 'admin', password, mustChange: false }, { name: 'test' })
  const answer = await post('/session/sign-in', { name: 'ann', password })
  const { forgeryToken }: { forgeryToken: string } = JSON.parse(await answer.text())
  signedIn = { cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '', [forgeryHeader]: forgeryToken }
})
afterAll(async () => {
  await server.close()
  await bench.close()
})

/** All that the server says on a connection of its own, until it hangs up or has said `enough`. */
const saidTo = (bytes: string, enough = /\r\n\r\n/, more?: string): Promise<string> =>
  new Promise((resolve) => {
    let said = ''
    const socket = connect(server.port, '127.0.0.1', () => {
      socket.write(bytes, 'latin1')
      const pump = () => {
        while (more !== undefined && !socket.destroyed && socket.write(more, 'latin1'));
      }
      socket.on('drain', pump)
      pump()
    })
    socket.on('data', (chunk) => {
      said += String(chunk)
      if (enough.test(said)) socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(said))
  })

test('a gigabyte is refused before it is read, announced or not, from a stranger and from a user', async () => {
  const lines = (length: string, headers = '') =>
    `POST /console/api/users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${headers}${length}\r\n\r\n`
  const user = Object.entries(signedIn)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  const chunk = `8000\r\n${' '.repeat(0x8000)}\r\n`
  expect(await saidTo(lines(`content-length: ${gigabyte}`))).toMatch(/^HTTP\/1\.1 401 /)
  expect(await saidTo(lines(`content-length: ${gigabyte}`, user))).toMatch(/^HTTP\/1\.1 413 /)
  expect(await saidTo(lines('transfer-encoding: chunked'), /\r\n\r\n/, chunk)).toMatch(/^HTTP\/1\.1 401 /)
  expect(await saidTo(lines('transfer-encoding: chunked', user), /\r\n\r\n/, chunk)).toMatch(/^HTTP\/1\.1 413 /)
})

test('a body that does not arrive is hung up on, and two lengths are one too many', async () => {
  const start = 'POST /console/api/session/sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
  expect(await saidTo(`${start}content-length: 50\r\n\r\n{"name`)).toMatch(/^HTTP\/1\.1 4\d\d |^$/)
  for (const smuggled of [
    'content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}',
    'content-length: 2\r\ncontent-length: 3\r\n\r\n{} ',
  ])
    expect(await saidTo(start + smuggled)).toMatch(/^HTTP\/1\.1 400 /)
})

test('hundreds of idle connections keep nobody out', async () => {
  const sockets = Array.from({ length: 300 }, () => connect(server.port, '127.0.0.1').on('error', () => undefined))
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
  expect((await api('/session/start')).status).toBe(200)
  for (const socket of sockets) socket.destroy()
})

test('no method is taken for another', async () => {
  const body = { name: 'eve', role: 'admin', password }
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS'])
    expect((await api('/users', { method, headers: signedIn })).status).toBe(405)
  for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
    const answer = await api('/users?_method=POST', { headers: { ...signedIn, [name]: 'POST' } })
    expect(answer.status).toBe(200)
    expect((await api('/session/sign-out', { headers: { ...signedIn, [name]: 'POST' } })).status).toBe(405)
  }
  expect((await api('/users', { method: 'HEAD', headers: signedIn })).status).toBe(200)
  expect(await saidTo('TRACE /console/api/session HTTP/1.1\r\nhost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 (400|404|405) /)
  // As a form could send it, without asking the browser's leave.
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const answer = await post('/users', body, { ...signedIn, 'content-type': type })
    expect(answer.status).toBe(415)
  }
  const users = await bench.issuer.store.read((db) => db.selectFrom('console_user').select('name').execute())
  expect(users).toEqual([{ name: 'ann' }])
})

test('no address leads out of the page’s folder', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-console-'))
  try {
    mkdirSync(path.join(folder, 'console/assets'), { recursive: true })
    writeFileSync(path.join(folder, 'secret.js'), 'the secret')
    writeFileSync(path.join(folder, 'console/index.html'), 'the page')
    writeFileSync(path.join(folder, 'console/assets/a-1234.js'), 'a script')
    const app = new Hono().route('/console', consoleFiles(path.join(folder, 'console')))
    const get = async (address: string) => (await app.request(address)).text()
    expect(await get('/console/assets/a-1234.js')).toBe('a script')
    for (const up of ['..', '%2e%2e', '..%2f..', '%2e%2e%2f%2e%2e', '..%5c..', '%252e%252e', '....', '%00'])
      for (const address of [
        `/console/assets/${up}/secret.js`,
        `/console/assets/${up}%2fsecret.js`,
        `/console/${up}/secret.js`,
      ])
        expect(await get(address)).not.toContain('secret')
  } finally {
    rmSync(folder, { recursive: true })
  }
  for (const raw of [
    '/console/../../package.json',
    '/console/assets/../../../package.json',
    '//package.json',
    '/console//etc/passwd',
    '/console/assets/%00.js',
    '/%',
  ])
    expect(await saidTo(`GET ${raw} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`, /^$/)).not.toMatch(
      /"farthing"|root:/,
    )
})

test('every answer forbids to guess its type, to be framed, and to be read or kept by others', async () => {
  for (const address of [
    '/console/',
    '/console/api/session',
    '/console/api/nothing',
    '/nothing',
    '/health',
    '/openapi.json',
  ]) {
    const { headers } = await fetch(server.url + address)
    expect([address, headers.get('x-content-type-options')]).toEqual([address, 'nosniff'])
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('x-powered-by')).toBeNull()
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|\*/)
  }
  expect((await api('/session', { headers: signedIn })).headers.get('cache-control')).toBe('no-store')
})

test('what is said of the host, the proxy or the cookie opens nothing', async () => {
  const { cookie } = signedIn
  const lies: Readonly<Record<string, string>>[] = [
    // The cookie of the one way is not taken on the other.
    { cookie: cookie?.replace('farthing-console', '__Host-farthing') ?? '' },
    { cookie: cookie ?? '', 'x-forwarded-proto': 'https' },
    { cookie: `${cookie}x` },
    { cookie: cookie?.slice(0, -1) ?? '' },
    { authorization: `Bearer ${cookie?.split('=')[1]}` },
    { 'x-user': 'ann', 'x-remote-user': 'ann', 'x-role': 'admin' },
  ]
  for (const headers of lies) expect((await api('/users', { headers })).status).toBe(401)
  const abroad = await api('/users', { headers: { cookie: cookie ?? '', 'x-forwarded-for': '203.0.113.1' } })
  expect(abroad.status).toBe(403)
})

test('SQL and HTML in what is asked for is text', async () => {
  const nasty = ["' OR 1=1 --", '"; DROP TABLE console_user; --', '%', '_', '<img src=x onerror=alert(1)>', '\\']
  for (const text of nasty) {
    const sought = encodeURIComponent(text)
    const users = await api(`/users?search=${sought}`, { headers: signedIn })
    const log = await api(`/audit-log?name=${sought}&action=${sought}&subject=${sought}`, { headers: signedIn })
    expect([text, users.status, log.status]).toEqual([text, 200, 200])
    expect(JSON.parse(await log.text())).toEqual({ rows: [], total: 0 })
    const role = await post(`/users/${sought}/role`, { role: 'viewer' }, signedIn)
    expect([text, role.status]).toEqual([text, 400])
    const answer = await post('/session/sign-in', { name: text, password: text })
    expect([text, answer.status]).toEqual([text, 403])
    expect(answer.headers.get('content-type')).toBe('application/json')
  }
  // Which is no text in one of the databases.
  expect((await api('/users?search=%00', { headers: signedIn })).status).toBe(400)
  expect((await post('/users/%00/role', { role: 'viewer' }, signedIn)).status).toBe(400)
  expect((await post('/session/sign-in', { name: 'a\0b', password })).status).toBe(415)
})

test('a flood from one address is cut off, and keeps nobody out who is signed in', async () => {
  const statuses = await Promise.all(Array.from({ length: 320 }, async () => (await api('/session/start')).status))
  expect(statuses).toContain(429)
  expect((await api('/session', { headers: signedIn })).status).toBe(200)
})
