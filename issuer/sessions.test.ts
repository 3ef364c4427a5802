/** Users and their sessions, by way of the API as the page uses it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { verifyChain } from './audit-log.ts'
import { IssuerError } from './errors.ts'
import { makeSetupCode } from './setup-code.ts'
import {
  type ConsoleClient,
  clientWith,
  consoleApp,
  cookieOf,
  newUser,
  signedIn,
  testPassword,
} from './test-console.ts'
import { type Bench, openBench } from './test-support.ts'
import { addUser, resetPassword } from './users.ts'

const meanwhile = vi.hoisted(() => ({ hashing: async () => {}, full: false }))
// Argon2id is meant to be slow; password.test.ts has the true one.
vi.mock(import('./password.ts'), async (original) => ({
  ...(await original()),
  hashPassword: async (password) => {
    const { hashing } = meanwhile
    meanwhile.hashing = async () => {}
    await hashing()
    return `plain ${password}`
  },
  checkPassword: async (password, hash) => {
    if (meanwhile.full) throw new IssuerError('tooManyTries', 'full')
    return hash === `plain ${password}` ? 'right' : 'wrong'
  },
}))

let bench: Bench
let app: ReturnType<typeof consoleApp>
let nobody: ConsoleClient
beforeAll(async () => {
  bench = await openBench()
})
beforeEach(async () => {
  await bench.issuer.store.write(async (db) => {
    for (const table of ['console_session', 'console_failure', 'console_setup_code', 'console_user'] as const)
      await db.deleteFrom(table).execute()
  })
  app = consoleApp(bench.issuer)
  nobody = clientWith(app, { cookie: '' })
})
afterAll(() => bench.close())

const tryIn = (name: string, password: string, address = '203.0.113.1') =>
  nobody.post('/session/sign-in', { name, password }, { 'x-forwarded-for': address, 'x-forwarded-proto': 'https' })
const loggedActions = async () =>
  (
    await bench.issuer.store.read((db) => db.selectFrom('audit_log').select(['name', 'action', 'subject']).execute())
  ).map(({ name, action, subject }) => `${name} ${action} ${subject}`)

it('counts no try that was turned away unread, so that a flood costs a right password no wait', async () => {
  await addUser(
    bench.issuer,
    { name: 'ann', role: 'viewer', password: testPassword, mustChange: false },
    { name: 'test' },
  )
  meanwhile.full = true
  const sentences = new Set<string>()
  for (let tries = 0; tries < 40; tries += 1)
    sentences.add(((await (await tryIn('ann', testPassword)).json()) as { sentence: string }).sentence)
  meanwhile.full = false
  expect([...sentences]).toEqual(['full'])
  expect((await tryIn('ann', testPassword)).status).toBe(200)
})

describe('the first administrator', () => {
  it('is made with the code of the server’s log, once', async () => {
    expect(await (await nobody.get('/session/start')).json()).toEqual({ firstRun: true })
    const code = (await makeSetupCode(bench.issuer)) ?? ''
    const given = { name: 'Ann', password: testPassword }
    const wrong = await nobody.post('/session/first-user', { ...given, code: '0000-0000-0000-0000' })
    expect([wrong.status, await wrong.json()]).toMatchObject([403, { error: 'wrongPassword' }])
    const weak = await nobody.post('/session/first-user', { ...given, code, password: 'password1234' })
    expect(weak.status).toBe(400)
    const made = await nobody.post('/session/first-user', { ...given, code: code.toLowerCase() })
    expect([made.status, await made.json()]).toMatchObject([200, { user: { name: 'ann', role: 'admin' } }])
    expect((await clientWith(app, { cookie: cookieOf(made) }).get('/users')).status).toBe(200)
    expect((await nobody.post('/session/first-user', { ...given, name: 'eve', code })).status).toBe(409)
    expect(await makeSetupCode(bench.issuer)).toBeUndefined()
    expect(await (await nobody.get('/session/start')).json()).toEqual({ firstRun: false })
  })

  it('needs a code of today', async () => {
    const code = (await makeSetupCode(bench.issuer)) ?? ''
    bench.clock.seconds += 24 * 3600 + 1
    const late = await nobody.post('/session/first-user', { code, name: 'ann', password: testPassword })
    expect(late.status).toBe(403)
  })
})

describe('the cookie', () => {
  it('is bound to the host and to TLS where there is TLS', async () => {
    await newUser(app, bench.issuer, 'viewer')
    const cookie = (await tryIn('viewer', testPassword)).headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/^__Host-farthing=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  })

  it('stays below /console on loopback', async () => {
    await newUser(app, bench.issuer, 'viewer')
    const answer = await nobody.post('/session/sign-in', { name: 'viewer', password: testPassword })
    expect(answer.headers.get('set-cookie')).toMatch(
      /^farthing-console=[\w-]{43}; Path=\/console; HttpOnly; SameSite=Strict$/,
    )
  })

  it('is not given where others can listen', async () => {
    await newUser(app, bench.issuer, 'viewer')
    const answer = await nobody.post(
      '/session/sign-in',
      { name: 'viewer', password: testPassword },
      { 'x-forwarded-for': '203.0.113.1' },
    )
    expect([answer.status, await answer.json()]).toMatchObject([403, { error: 'tlsNeeded' }])
  })

  it('is kept as a hash alone', async () => {
    const { cookie } = await newUser(app, bench.issuer, 'viewer')
    const rows = await bench.issuer.store.read((db) => db.selectFrom('console_session').selectAll().execute())
    expect(JSON.stringify(rows)).not.toContain(cookie.split('=')[1])
  })
})

describe('a session', () => {
  it('ends after half an hour without its person, however often the page refreshes itself', async () => {
    const viewer = await newUser(app, bench.issuer, 'viewer')
    for (let minutes = 0; minutes < 60; minutes += 20) {
      bench.clock.seconds += 20 * 60
      expect((await viewer.get('/session')).status).toBe(200)
    }
    const background = { 'farthing-background': '1' }
    bench.clock.seconds += 20 * 60
    expect((await viewer.get('/session', background)).status).toBe(200)
    bench.clock.seconds += 11 * 60
    expect((await viewer.get('/session', background)).status).toBe(401)
  })

  it('ends after twelve hours in any case', async () => {
    const viewer = await newUser(app, bench.issuer, 'viewer')
    for (let minutes = 0; minutes < 12 * 60; minutes += 20) {
      expect((await viewer.get('/session')).status).toBe(200)
      bench.clock.seconds += 20 * 60
    }
    bench.clock.seconds += 1
    expect((await viewer.get('/session')).status).toBe(401)
  })

  it('ends at sign-out, and takes its cookie along', async () => {
    const viewer = await newUser(app, bench.issuer, 'viewer')
    const out = await viewer.post('/session/sign-out')
    expect(out.headers.get('set-cookie')).toMatch(/^farthing-console=; Max-Age=0; Path=\/console/)
    expect((await viewer.get('/session')).status).toBe(401)
  })

  it('is listed to its user alone, who ends it from another one', async () => {
    const one = await newUser(app, bench.issuer, 'viewer')
    const two = await signedIn(app, { name: 'viewer' })
    const stranger = await newUser(app, bench.issuer, 'admin')
    const { sessions } = (await (await two.get('/sessions')).json()) as {
      sessions: { sessionNo: number; current: boolean }[]
    }
    expect(sessions.map(({ current }) => current)).toEqual([true, false])
    const first = sessions[1]?.sessionNo
    expect((await stranger.post(`/sessions/${first}/end`)).status).toBe(404)
    expect((await one.get('/session')).status).toBe(200)
    expect((await two.post(`/sessions/${first}/end`)).status).toBe(200)
    expect((await one.get('/session')).status).toBe(401)
  })

  it('is one of twenty at the most', async () => {
    const first = await newUser(app, bench.issuer, 'viewer')
    for (let more = 0; more < 20; more += 1) await signedIn(app, { name: 'viewer' })
    expect((await first.get('/session')).status).toBe(401)
  })
})

describe('a changed password', () => {
  it('ends the other sessions, gives this one a new token, and is asked for from then on', async () => {
    const one = await newUser(app, bench.issuer, 'viewer')
    const two = await signedIn(app, { name: 'viewer' })
    const newPassword = 'marble kite ostrich run'
    const wrong = await one.post('/session/password', { password: 'x', newPassword })
    expect(wrong.status).toBe(403)
    const changed = await one.post('/session/password', { password: testPassword, newPassword })
    expect(changed.status).toBe(200)
    expect((await one.get('/session')).status).toBe(401)
    expect((await two.get('/session')).status).toBe(401)
    expect((await clientWith(app, { cookie: cookieOf(changed) }).get('/session')).status).toBe(200)
    expect((await tryIn('viewer', testPassword)).status).toBe(403)
    expect((await tryIn('viewer', newPassword)).status).toBe(200)
    expect(await loggedActions()).toContain('viewer user.password.change viewer')
  })

  it('does not overrule an administrator who gave another one in the same moment', async () => {
    const ann = await newUser(app, bench.issuer, 'viewer')
    const given = { name: 'viewer', password: 'willow drum seventy ink', mustChange: true }
    meanwhile.hashing = () => resetPassword(bench.issuer, given, { name: 'test' })
    const newPassword = 'paper lantern eleven fox'
    const changed = await ann.post('/session/password', { password: testPassword, newPassword })
    expect([changed.status, await changed.json()]).toMatchObject([404, { error: 'unknownSession' }])
    expect((await tryIn('viewer', newPassword)).status).toBe(403)
    expect((await tryIn('viewer', given.password)).status).toBe(200)
  })

  it('may not be the old one, nor a weak one', async () => {
    const viewer = await newUser(app, bench.issuer, 'viewer')
    for (const newPassword of [testPassword, 'viewer-viewer'])
      expect((await viewer.post('/session/password', { password: testPassword, newPassword })).status).toBe(400)
  })
})

describe('an administrator', () => {
  it('adds a user, who has to choose a password and can then work', async () => {
    const admin = await newUser(app, bench.issuer, 'admin')
    const added = await admin.post('/users', { name: 'Bob', role: 'finance', password: testPassword })
    expect(added.status).toBe(200)
    expect((await admin.post('/users', { name: 'bob', role: 'viewer', password: testPassword })).status).toBe(409)
    expect((await admin.post('/users', { name: 'a b', role: 'viewer', password: testPassword })).status).toBe(400)
    const bob = await signedIn(app, { name: 'BOB' })
    expect((await bob.get('/sessions')).status).toBe(403)
    const newPassword = 'marble kite ostrich run'
    expect((await bob.post('/session/password', { password: testPassword, newPassword })).status).toBe(200)
    const again = await signedIn(app, { name: 'bob', password: newPassword })
    expect((await again.get('/sessions')).status).toBe(200)
    const { rows } = (await (await admin.get('/users?sort=name&direction=ascending')).json()) as { rows: object[] }
    expect(rows).toMatchObject([
      { name: 'admin', role: 'admin' },
      { name: 'bob', role: 'finance', mustChangePassword: false, disabled: false },
    ])
    expect(JSON.stringify(rows)).not.toContain('argon2')
  })

  it('takes a role away at once, and shuts a user out at once', async () => {
    const admin = await newUser(app, bench.issuer, 'admin')
    const operator = await newUser(app, bench.issuer, 'operator')
    expect((await admin.post('/users/operator/role', { role: 'admin' })).status).toBe(200)
    expect((await operator.get('/users')).status).toBe(200)
    expect((await admin.post('/users/operator/role', { role: 'viewer' })).status).toBe(200)
    expect((await operator.get('/users')).status).toBe(403)
    expect((await admin.post('/users/operator/disabled', { disabled: true })).status).toBe(200)
    expect((await operator.get('/session')).status).toBe(401)
    expect((await tryIn('operator', testPassword)).status).toBe(403)
    expect((await admin.post('/users/operator/disabled', { disabled: false })).status).toBe(200)
    expect((await tryIn('operator', testPassword)).status).toBe(200)
    expect(await loggedActions()).toEqual(
      expect.arrayContaining([
        'admin user.role.set operator',
        'admin user.disable operator',
        'admin user.enable operator',
      ]),
    )
    expect(await bench.issuer.store.read((db) => verifyChain(db))).toMatchObject({ state: 'whole' })
  })

  it('stays, if it is the last', async () => {
    const admin = await newUser(app, bench.issuer, 'admin')
    for (const [path, body] of [
      ['/users/admin/role', { role: 'viewer' }],
      ['/users/admin/disabled', { disabled: true }],
    ] as const) {
      const answer = await admin.post(path, body)
      expect([answer.status, await answer.json()]).toMatchObject([409, { error: 'lastAdmin' }])
    }
    expect((await admin.post('/users/nobody/role', { role: 'viewer' })).status).toBe(404)
  })

  it('resets a password, which ends the user’s sessions', async () => {
    const admin = await newUser(app, bench.issuer, 'admin')
    const viewer = await newUser(app, bench.issuer, 'viewer')
    const password = 'marble kite ostrich run'
    expect((await admin.post('/users/viewer/password', { password })).status).toBe(200)
    expect((await viewer.get('/session')).status).toBe(401)
    const again = await signedIn(app, { name: 'viewer', password })
    expect((await again.get('/sessions')).status).toBe(403)
  })

  it('proves the password again after a quarter of an hour', async () => {
    const admin = await newUser(app, bench.issuer, 'admin')
    bench.clock.seconds += 16 * 60
    const added = { name: 'bob', role: 'viewer', password: testPassword }
    expect(await (await admin.post('/users', added)).json()).toMatchObject({ error: 'passwordNeeded' })
    expect((await admin.post('/session/confirm', { password: 'wrong' })).status).toBe(403)
    expect((await admin.post('/users', added)).status).toBe(403)
    expect((await admin.post('/session/confirm', { password: testPassword })).status).toBe(200)
    expect((await admin.post('/users', added)).status).toBe(200)
  })
})

describe('guessing', () => {
  it('is slowed down more and more, for a name that nobody has in the same words', async () => {
    await newUser(app, bench.issuer, 'viewer')
    for (const name of ['viewer', 'nobody-of-this-name']) {
      const answers: unknown[] = []
      for (let tries = 0; tries < 7; tries += 1) {
        const answer = await tryIn(name, 'wrong', `203.0.113.${name.length}`)
        answers.push([answer.status, await answer.json()])
      }
      const wrong = [403, { error: 'wrongPassword', sentence: expect.any(String) }]
      const wait = [429, { error: 'tooManyTries', sentence: expect.any(String) }]
      expect(answers).toEqual([wrong, wrong, wrong, wrong, wrong, wait, wait])
      expect(answers[0]).toEqual([
        403,
        { error: 'wrongPassword', sentence: (answers[1] as [number, { sentence: string }])[1].sentence },
      ])
    }
  })

  it('does not keep the user out who sits elsewhere, and is forgotten after a wait', async () => {
    await newUser(app, bench.issuer, 'viewer')
    for (let tries = 0; tries < 7; tries += 1) await tryIn('viewer', 'wrong')
    expect((await tryIn('viewer', testPassword)).status).toBe(429)
    expect((await tryIn('viewer', testPassword, '203.0.113.2')).status).toBe(200)
    bench.clock.seconds += 15 * 60
    expect((await tryIn('viewer', testPassword)).status).toBe(200)
  })

  it('from many addresses at once counts for the name', async () => {
    await newUser(app, bench.issuer, 'viewer')
    const statuses: number[] = []
    for (let tries = 0; tries < 33; tries += 1)
      statuses.push((await tryIn('viewer', 'wrong', `198.51.100.${tries}`)).status)
    expect(statuses.filter((status) => status === 429)).toHaveLength(3)
  })

  it('of many at once gains nothing', async () => {
    await newUser(app, bench.issuer, 'viewer')
    const all = await Promise.all(Array.from({ length: 12 }, () => tryIn('viewer', 'wrong')))
    expect(all.filter(({ status }) => status === 403)).toHaveLength(5)
  })

  it('keeps nothing that may be a password typed as a name', async () => {
    await tryIn('hunter2 hunter2', 'wrong')
    const rows = await bench.issuer.store.read((db) => db.selectFrom('console_failure').selectAll().execute())
    expect(rows).toHaveLength(3)
    expect(JSON.stringify(rows)).not.toContain('hunter2')
  })
})
