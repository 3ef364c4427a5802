/** For tests: the console's API with somebody signed in, called without a socket. */
import type { Hono } from 'hono'
import { pino } from 'pino'
import * as v from 'valibot'
import type { ConsoleRoute } from './console-api/route.ts'
import { forgeryHeader } from './console-contract/access.ts'
import type { Role } from './console-contract/roles.ts'
import { sessionSchema } from './console-contract/session.ts'
import { createApp } from './http-app.ts'
import type { AppEnvironment } from './http-edge.ts'
import type { Issuer } from './issuer.ts'
import { addUser } from './users.ts'

export const testPassword = 'gravel tuba ninety cloud'

export interface ConsoleClient {
  readonly cookie: string
  readonly forgeryToken: string
  /** @param path below /console/api */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>
}

export const consoleApp = (issuer: Issuer, consoleRoutes?: readonly ConsoleRoute[]): Hono<AppEnvironment> =>
  createApp(issuer, {
    log: pino({ level: 'silent' }),
    strict: true,
    ...(consoleRoutes === undefined ? {} : { consoleRoutes }),
  })

/** @param forgeryToken of the session; absent: none is sent */
export const clientWith = (
  app: Hono<AppEnvironment>,
  { cookie, forgeryToken }: { readonly cookie: string; readonly forgeryToken?: string },
): ConsoleClient => ({
  cookie,
  forgeryToken: forgeryToken ?? '',
  get: async (path, headers = {}) => app.request(`/console/api${path}`, { headers: { cookie, ...headers } }),
  post: async (path, body = {}, headers = {}) =>
    app.request(`/console/api${path}`, {
      method: 'POST',
      headers: {
        cookie,
        'content-type': 'application/json',
        ...(forgeryToken === undefined ? {} : { [forgeryHeader]: forgeryToken }),
        ...headers,
      },
      body: JSON.stringify(body),
    }),
})

export const cookieOf = (answer: Response): string => answer.headers.get('set-cookie')?.split(';')[0] ?? ''

export const signedIn = async (
  app: Hono<AppEnvironment>,
  { name, password = testPassword }: { readonly name: string; readonly password?: string },
): Promise<ConsoleClient> => {
  const answer = await clientWith(app, { cookie: '' }).post('/session/sign-in', { name, password })
  if (!answer.ok) throw new Error(`sign-in: ${await answer.text()}`)
  const { forgeryToken } = v.parse(sessionSchema, await answer.json())
  return clientWith(app, { cookie: cookieOf(answer), forgeryToken })
}

/** A user of the role, signed in, whose name is the role's. */
export const newUser = async (app: Hono<AppEnvironment>, issuer: Issuer, role: Role): Promise<ConsoleClient> => {
  await addUser(issuer, { name: role, role, password: testPassword, mustChange: false }, { name: 'test' })
  return signedIn(app, { name: role })
}
