/** Every route of the console, called directly: by every role, and by nobody. */
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forgeryHeader } from '../console-contract/access.ts'
import { listQuery, pageOf } from '../console-contract/list.ts'
import { type Permission, type Role, roles } from '../console-contract/roles.ts'
import { IssuerError } from '../errors.ts'
import { type ConsoleClient, clientWith, consoleApp, newUser, signedIn, testPassword } from '../test-console.ts'
import { type Bench, openBench } from '../test-support.ts'
import { addUser, setDisabled, setRole } from '../users.ts'
import { csvCell } from './csv.ts'
import { type ConsoleRoute, route } from './route.ts'
import { consoleRoutes } from './routes.ts'

let bench: Bench
let clients: Readonly<Record<Role, ConsoleClient>>
const called: string[] = []

/** The routes as they are declared, except that they do nothing: who gets as far as the handler is what is asked here. */
const hollow: readonly ConsoleRoute[] = consoleRoutes.map((declared) => {
  const { output: _, ...rest } = declared
  return {
    ...rest,
    input: v.any(),
    handle: async () => {
      called.push(`${declared.method} ${declared.path}`)
      return {}
    },
  }
})
const isSession = (path: string) => path === '/session/sign-in'
const pathOf = (declared: ConsoleRoute) => declared.path.replaceAll(/:\w+/g, '1')

const call = (client: ConsoleClient, declared: ConsoleRoute, headers: Readonly<Record<string, string>> = {}) =>
  declared.method === 'GET'
    ? client.get(pathOf(declared), headers)
    : client.post(
        pathOf(declared),
        {},
        declared.takesBytes === true ? { ...headers, 'content-type': 'application/octet-stream' } : headers,
      )

const app = () =>
  consoleApp(
    bench.issuer,
    hollow.filter(({ path }) => !isSession(path)),
  )

beforeAll(async () => {
  bench = await openBench()
  const real = consoleApp(bench.issuer)
  const made = []
  for (const role of roles) made.push([role, await newUser(real, bench.issuer, role)] as const)
  const hollowApp = app()
  clients = Object.fromEntries(
    made.map(([role, { cookie, forgeryToken }]) => [role, clientWith(hollowApp, { cookie, forgeryToken })]),
  ) as Record<Role, ConsoleClient>
})
afterAll(() => bench.close())

/** Written out once more, apart from the table that the adapter asks. */
const expected: Readonly<Record<Permission, readonly Role[]>> = {
  none: ['viewer', 'operator', 'finance', 'admin'],
  read: ['viewer', 'operator', 'finance', 'admin'],
  reconcile: ['operator', 'finance', 'admin'],
  operate: ['operator', 'admin'],
  finance: ['finance', 'admin'],
  administer: ['admin'],
}

describe('each route', () => {
  const others = hollow.filter(({ path }) => !isSession(path))

  it('lets in the roles that it names, and no other', async () => {
    for (const declared of others)
      for (const role of roles) {
        called.length = 0
        const answer = await call(clients[role], declared)
        const may = expected[declared.permission].includes(role)
        const what = `${role} ${declared.method} ${declared.path}`
        expect([what, answer.status]).toEqual([what, may ? 200 : 403])
        expect(called.length, what).toBe(may ? 1 : 0)
        expect(answer.headers.get('cache-control')).toBe('no-store')
      }
  })

  it('lets in nobody who is not signed in, however the cookie is made up', async () => {
    const cookies = ['', 'farthing-console=', `farthing-console=${'A'.repeat(43)}`, `__Host-farthing=${'A'.repeat(43)}`]
    for (const cookie of cookies) {
      // Each with a limit of its own on how much one address may ask.
      const hollowApp = app()
      for (const declared of others.filter(({ permission }) => permission !== 'none')) {
        called.length = 0
        const answer = await call(clientWith(hollowApp, { cookie, forgeryToken: 'x' }), declared)
        expect([declared.path, answer.status, called.length]).toEqual([declared.path, 401, 0])
      }
    }
  })

  it('refuses a change without the forgery token, with another session’s, and from another site', async () => {
    const changes = others.filter(({ method, permission }) => method === 'POST' && permission !== 'none')
    const { admin, viewer } = clients
    for (const declared of changes)
      for (const headers of [
        { [forgeryHeader]: '' },
        { [forgeryHeader]: viewer.forgeryToken },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { 'sec-fetch-site': 'none' },
        { origin: 'https://elsewhere.example' },
        { origin: 'null' },
      ]) {
        called.length = 0
        const answer = await call(admin, declared, headers)
        expect([declared.path, answer.status, called.length]).toEqual([declared.path, 403, 0])
        expect(await answer.json()).toMatchObject({ error: 'forgery' })
      }
  })

  it('asks for the password again before what is marked so, once the sign-in is a quarter of an hour old', async () => {
    bench.clock.seconds += 16 * 60
    for (const declared of others.filter(({ fresh }) => fresh === true)) {
      const answer = await call(clients.admin, declared)
      expect([declared.path, await answer.json()]).toEqual([
        declared.path,
        { error: 'passwordNeeded', sentence: expect.any(String) },
      ])
    }
    bench.clock.seconds -= 16 * 60
  })

  it('is marked so, if it changes money or users, or hands out what a key is got with', () => {
    const careless = consoleRoutes.filter(
      ({ method, permission, fresh }) =>
        method === 'POST' && (permission === 'finance' || permission === 'administer') && fresh !== true,
    )
    expect(careless.map(({ path }) => path)).toEqual([])
    const operators = consoleRoutes.filter(({ permission, fresh }) => permission === 'operate' && fresh === true)
    expect(operators.map(({ path }) => path)).toEqual([
      '/cards/:cardId/replace',
      '/terminals/:terminalId/enrolment-code',
    ])
  })

  it('is closed to a user who has to choose a password first, but for that', async () => {
    const real = consoleApp(bench.issuer)
    await addUser(
      bench.issuer,
      { name: 'new', role: 'admin', password: testPassword, mustChange: true },
      { name: 'test' },
    )
    const { cookie, forgeryToken } = await signedIn(real, { name: 'new' })
    const client = clientWith(app(), { cookie, forgeryToken })
    const open: string[] = []
    for (const declared of others) if ((await call(client, declared)).ok) open.push(declared.path)
    expect(open).toEqual([
      '/session',
      '/session/start',
      '/session/first-user',
      '/session/sign-out',
      '/session/password',
    ])
  })
})

describe('the adapter', () => {
  const thing = v.object({ name: v.pipe(v.string(), v.maxLength(20)), note: v.optional(v.string()) })
  const rows = Array.from({ length: 2500 }, (_, at) => ({ name: `=row "${at}"`, amountMinor: -at }))
  const trial: readonly ConsoleRoute[] = [
    route({
      method: 'POST',
      path: '/things/:name',
      permission: 'read',
      summary: 'Says what it got.',
      input: thing,
      output: thing,
      handle: async ({ input }) => ({ ...input, secret: 'never sent' }),
    }),
    route({
      method: 'GET',
      path: '/refused/:code',
      permission: 'read',
      summary: 'Refuses.',
      input: v.object({ code: v.picklist(['input', 'unknownCard', 'lastAdmin', 'tooManyTries']) }),
      handle: async ({ input }) => {
        throw new IssuerError(input.code, 'Because.')
      },
    }),
    route({
      method: 'GET',
      path: '/broken',
      permission: 'read',
      summary: 'Breaks.',
      input: v.object({}),
      handle: async () => {
        throw new Error('SELECT secret FROM somewhere')
      },
    }),
    route({
      method: 'POST',
      path: '/bytes',
      permission: 'read',
      summary: 'Counts bytes.',
      takesBytes: true,
      bodyBytesMax: 10,
      input: v.object({ bytes: v.instance(Uint8Array) }),
      handle: async ({ input }) => ({ count: input.bytes.length }),
    }),
    route({
      method: 'GET',
      path: '/file',
      permission: 'read',
      summary: 'A file.',
      input: v.object({}),
      handle: async () => ({ mediaType: 'text/plain', fileName: 'a"\r\nx: y.txt', body: new Uint8Array([104, 105]) }),
    }),
    route({
      method: 'GET',
      path: '/rows',
      permission: 'read',
      summary: 'Rows.',
      input: listQuery(['name'], {}),
      output: pageOf(v.object({ name: v.string(), amountMinor: v.number() })),
      handle: async ({ input }) => {
        const from = Number(input.after ?? 0)
        const page = rows.slice(from, from + input.limit)
        const end = from + page.length
        return { rows: page, ...(end < rows.length ? { next: String(end) } : {}) }
      },
    }),
  ]
  const viewer = () => {
    const { cookie, forgeryToken } = clients.viewer
    return clientWith(consoleApp(bench.issuer, trial), { cookie, forgeryToken })
  }

  it('joins path, query and body, refuses a name twice, and lets nothing out that is not declared', async () => {
    expect(await (await viewer().post('/things/cup', { note: 'n' })).json()).toEqual({ name: 'cup', note: 'n' })
    expect((await viewer().post('/things/cup', { name: 'mug' })).status).toBe(400)
    expect((await viewer().post('/things/cup?note=a', { note: 'b' })).status).toBe(400)
    expect((await viewer().post('/things/cup?note=a&note=b')).status).toBe(400)
    expect((await viewer().post(`/things/${'x'.repeat(21)}`)).status).toBe(400)
    expect((await viewer().post('/things/cup', { ['__proto__']: { note: 'n' } })).status).toBe(200)
  })

  it('takes JSON objects alone, or bytes where it says so, and not too many', async () => {
    const plain = await viewer().post('/things/cup', {}, { 'content-type': 'text/plain' })
    expect(plain.status).toBe(415)
    expect((await viewer().post('/things/cup', [])).status).toBe(415)
    expect((await viewer().post('/things/cup', { note: 'x'.repeat(70_000) })).status).toBe(413)
    expect((await viewer().post('/bytes', {})).status).toBe(415)
    const octets = { 'content-type': 'application/octet-stream' }
    expect(await (await viewer().post('/bytes', {}, octets)).json()).toEqual({ count: 2 })
    expect((await viewer().post('/bytes', 'x'.repeat(9), octets)).status).toBe(413)
  })

  it('refuses text that is none: a NUL, half of a surrogate pair', async () => {
    expect((await viewer().post('/things/cup', { note: 'a\0b' })).status).toBe(415)
    expect((await viewer().post('/things/cup', { note: 'a\ud800b' })).status).toBe(415)
    expect((await viewer().post('/things/cup', { note: 'a\u{1f600}b' })).status).toBe(200)
  })

  it('asks again who calls once a slow body has come: what was taken away meanwhile is gone', async () => {
    const { issuer } = bench
    const by = { name: 'test' }
    const name = 'slow'
    await addUser(issuer, { name, role: 'finance', password: testPassword, mustChange: false }, by)
    const reached: string[] = []
    const slow = route({
      method: 'POST',
      path: '/money',
      permission: 'finance',
      summary: 'Moves money.',
      input: v.object({}),
      handle: async () => ({ reached: reached.push('money') }),
    })
    const slowApp = consoleApp(issuer, [slow])
    const postSlowly = async (meanwhile: () => Promise<void>) => {
      const { cookie, forgeryToken } = await signedIn(consoleApp(issuer), { name })
      const body = new ReadableStream(
        {
          pull: async (controller) => {
            await meanwhile()
            controller.enqueue(new TextEncoder().encode('{}'))
            controller.close()
          },
        },
        { highWaterMark: 0 },
      )
      const headers = { cookie, [forgeryHeader]: forgeryToken, 'content-type': 'application/json' }
      return (await slowApp.request('/console/api/money', { method: 'POST', headers, body, duplex: 'half' })).status
    }
    expect(await postSlowly(async () => {})).toBe(200)
    expect(await postSlowly(() => setRole(issuer, { name, role: 'viewer' }, by))).toBe(403)
    await setRole(issuer, { name, role: 'finance' }, by)
    expect(await postSlowly(() => setDisabled(issuer, { name, disabled: true }, by))).toBe(401)
    expect(reached).toEqual(['money'])
  })

  it('says a refusal with its sentence, and nothing of a failure', async () => {
    const statuses = { input: 400, unknownCard: 404, lastAdmin: 409, tooManyTries: 429 }
    for (const [code, status] of Object.entries(statuses)) {
      const answer = await viewer().get(`/refused/${code}`)
      expect([answer.status, await answer.json()]).toEqual([status, { error: code, sentence: 'Because.' }])
    }
    const broken = await viewer().get('/broken')
    expect(broken.status).toBe(500)
    expect(await broken.text()).not.toContain('SELECT')
  })

  it('answers other methods and addresses with what is allowed there', async () => {
    const other = await consoleApp(bench.issuer, trial).request('/console/api/file', { method: 'DELETE' })
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET'])
    for (const path of ['/nothing', '/', '/../api/nothing', '/things']) {
      const answer = await viewer().get(path)
      expect([answer.status, await answer.json()]).toMatchObject([404, { error: 'notFound' }])
    }
  })

  it('sends a file under a name that cannot become a header', async () => {
    const file = await viewer().get('/file')
    expect(file.headers.get('content-disposition')).toBe(
      `attachment; filename="a___x_ y.txt"; filename*=UTF-8''a%22%0D%0Ax%3A%20y.txt`,
    )
    expect(await file.text()).toBe('hi')
  })

  it('exports a whole list as CSV that no spreadsheet runs', async () => {
    const file = await viewer().get('/rows?format=csv')
    expect(file.headers.get('content-type')).toMatch(/^text\/csv/)
    const lines = (await file.text()).split('\r\n')
    expect(lines).toHaveLength(2502)
    expect(lines.slice(0, 2)).toEqual(['name,amount_minor,currency', '"\'=row ""0""",0,EUR'])
    expect(lines[2500]).toBe('"\'=row ""2499""",-2499,EUR')
  })

  it.each([
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', '-1'],
    ['-1+cmd', "'-1+cmd"],
    ['＝1', "'＝1"],
    ['@x', "'@x"],
    ['\tx', "'\tx"],
    [' =1', "' =1"],
    ['a,b', '"a,b"'],
    ['a\nb', '"a\nb"'],
    ['plain', 'plain'],
    [-5, '-5'],
    [undefined, ''],
  ])('writes the cell %j as %j', (value, cell) => {
    expect(csvCell(value)).toBe(cell)
  })
})
