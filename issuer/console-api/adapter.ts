/**
 * Puts the console's routes on the HTTP interface, below /console/api: session, permission, forgery token, shape,
 * handler, in this order and for all of them in this one place.
 */
import { Hono, type MiddlewareHandler } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import * as v from 'valibot'
import { backgroundHeader, forgeryHeader } from '../console-contract/access.ts'
import { mayDo } from '../console-contract/roles.ts'
import { IssuerError } from '../errors.ts'
import {
  type AppContext,
  type AppEnvironment,
  addressOf,
  isConfidential,
  isHttps,
  limited,
  outage,
  refuse,
} from '../http-edge.ts'
import type { Issuer } from '../issuer.ts'
import { networkOf } from '../network-of.ts'
import { rateLimit } from '../rate-limit.ts'
import { provedSeconds, sessionOf } from '../sessions.ts'
import { csvOf, listColumns } from './list-export.ts'
import type { Caller, ConsoleRoute, Download, Visit } from './route.ts'

export const apiPath = '/console/api'
const bodyBytesMaxDefault = 65_536
/** A person who clicks fast, and a page that refreshes itself, stay below. */
const requestsOfSession = { failuresMax: 1200, windowSeconds: 60, addressesMax: 10_000 }
const requestsOfAddress = { failuresMax: 300, windowSeconds: 60, addressesMax: 10_000 }

/** "__Host-" binds a cookie to this host and to TLS; on loopback without TLS a browser would not take it. */
const secureCookie = '__Host-farthing'
const plainCookie = 'farthing-console'

const nobody: Caller = { name: 'nobody', userNo: undefined, role: 'viewer' }

/** What an error of the issuer's is in HTTP; those that are not named are a contradiction to what stands (409). */
const statuses: Readonly<Record<string, ContentfulStatusCode>> = {
  input: 400,
  weakPassword: 400,
  wrongPassword: 403,
  notAllowed: 403,
  tooManyTries: 429,
  tooManyStreams: 429,
}
export const statusOf = (code: string): ContentfulStatusCode =>
  statuses[code] ?? (code.startsWith('store') ? 503 : code.startsWith('unknown') ? 404 : 409)

const tokenOf = (c: AppContext): string | undefined =>
  isHttps(c) ? getCookie(c, 'farthing', 'host') : getCookie(c, plainCookie)

const visitOf = (c: AppContext): Visit => ({
  address: addressOf(c),
  browser: c.req.header('user-agent') ?? '',
  session: c.get('session'),
  setToken: (token) => {
    const always = { httpOnly: true, sameSite: 'Strict' } as const
    if (isHttps(c)) setCookie(c, 'farthing', token, { ...always, prefix: 'host', secure: true, path: '/' })
    else setCookie(c, plainCookie, token, { ...always, path: '/console' })
  },
  clearToken: () => {
    if (isHttps(c)) deleteCookie(c, secureCookie, { secure: true, path: '/' })
    else deleteCookie(c, plainCookie, { path: '/console' })
  },
})

/** Whether a browser sends this on behalf of another site's page. Whoever is no browser says nothing, and has no cookie to lend. */
const isFromElsewhere = (c: AppContext): boolean => {
  const site = c.req.header('sec-fetch-site')
  if (site !== undefined) return site !== 'same-origin' && !(site === 'none' && c.req.method === 'GET')
  const origin = c.req.header('origin')
  if (origin === undefined) return false
  const hosts = [c.req.header('host'), c.req.header('x-forwarded-host')]
  return !URL.canParse(origin) || !hosts.includes(new URL(origin).host)
}

const sameText = (a: string, b: string): boolean => {
  let difference = a.length ^ b.length
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}

/** Who calls, if anybody is signed in. */
const withSession =
  (issuer: Issuer): MiddlewareHandler<AppEnvironment> =>
  async (c, next) => {
    const background = c.req.header(backgroundHeader) === '1'
    const session = await sessionOf(issuer, tokenOf(c), { background })
    if (session !== undefined) c.set('session', session)
    return next()
  }

const withoutFloods = (issuer: Issuer): MiddlewareHandler<AppEnvironment> => {
  const bySession = rateLimit(requestsOfSession, issuer.clock)
  const byAddress = rateLimit(requestsOfAddress, issuer.clock)
  return async (c, next) => {
    const session = c.get('session')
    const [limit, whose] =
      session === undefined ? [byAddress, networkOf(addressOf(c))] : [bySession, String(session.sessionNo)]
    if (!limit.allows(whose)) return refuse(c, 429, 'tooManyRequests', 'Too many requests: wait a minute.')
    limit.countFailure(whose)
    return next()
  }
}

/** @returns the refusal; undefined: the caller may */
const refusalOf = (issuer: Issuer, c: AppContext, called: ConsoleRoute): Response | undefined => {
  if (!isConfidential(c))
    return refuse(
      c,
      403,
      'tlsNeeded',
      'The console goes over TLS: put a TLS proxy on the issuer’s machine, and use its address.',
    )
  if (isFromElsewhere(c)) return refuse(c, 403, 'forgery', 'Another site’s page sent this: open the console itself.')
  if (called.permission === 'none') return undefined
  const session = c.get('session')
  if (session === undefined) return refuse(c, 401, 'signedOut', 'Sign in first.')
  if (!mayDo(session.role, called.permission))
    return refuse(c, 403, 'notAllowed', `A user whose role is "${session.role}" may not do this.`)
  if (session.mustChange && called.beforePasswordChange !== true)
    return refuse(c, 403, 'mustChangePassword', 'Choose a password of your own first.')
  if (called.method === 'POST' && !sameText(c.req.header(forgeryHeader) ?? '', session.forgeryToken))
    return refuse(c, 403, 'forgery', 'This did not come from the page that you signed in to: load it again.')
  if (called.fresh === true && session.provedAt < issuer.clock() - provedSeconds)
    return refuse(c, 403, 'passwordNeeded', 'Give your password again for this.')
  return undefined
}

/** Before a byte of the body is read. */
const permitted =
  (issuer: Issuer, called: ConsoleRoute): MiddlewareHandler<AppEnvironment> =>
  async (c, next) =>
    refusalOf(issuer, c, called) ?? next()

/**
 * The same once more when the body has come, which may take two minutes: who was signed out, kept out or given another
 * role meanwhile changes nothing.
 */
const refusalNow = async (issuer: Issuer, c: AppContext, called: ConsoleRoute): Promise<Response | undefined> => {
  if (called.method === 'GET' || called.permission === 'none') return undefined
  c.set('session', await sessionOf(issuer, tokenOf(c), { background: true }))
  return refusalOf(issuer, c, called)
}

const mediaTypeOf = (c: AppContext): string => c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''

/** PostgreSQL has no text with a NUL in it; SQLite has, and shows it to nobody. Half of a surrogate pair is in no UTF-8. */
const isNoText = (value: unknown): boolean =>
  typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())

/** @returns undefined: it is no JSON, or something in it is no text */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text, (name, value: unknown) => {
      if (isNoText(name) || isNoText(value)) throw new SyntaxError('no text')
      return value
    })
  } catch {
    return undefined
  }
}

/** @returns members of the body; undefined: it is not what the route takes */
const bodyOf = async (c: AppContext, called: ConsoleRoute): Promise<Readonly<Record<string, unknown>> | undefined> => {
  if (called.method === 'GET') return {}
  if (called.takesBytes === true) {
    if (mediaTypeOf(c) !== 'application/octet-stream') return undefined
    return { bytes: new Uint8Array(await c.req.arrayBuffer()) }
  }
  if (mediaTypeOf(c) !== 'application/json') return undefined
  const body = parsed(await c.req.text())
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
  return { ...body }
}

/** Path, query and body as one. @returns undefined: a name stands in two of them, or is no text */
const joined = (c: AppContext, body: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined => {
  const query = Object.entries(c.req.queries()).map(([name, all]) => [name, all.length === 1 ? all[0] : all] as const)
  const address = [...Object.entries(c.req.param()), ...query]
  if (address.some(([, value]) => [value].flat().some(isNoText))) return undefined
  const members = [...address, ...Object.entries(body)]
  const input = new Map<string, unknown>(members)
  return input.size === members.length ? Object.fromEntries(input) : undefined
}

const isDownload = (answer: unknown): answer is Download =>
  typeof answer === 'object' && answer !== null && 'mediaType' in answer && 'body' in answer

const downloadAnswer = (c: AppContext, { mediaType, fileName, body, framePolicy }: Download): Response => {
  c.header('content-type', mediaType)
  if (framePolicy !== undefined) {
    c.header('content-security-policy', framePolicy)
    c.header('x-frame-options', 'SAMEORIGIN')
  }
  if (fileName !== undefined) {
    // Without quotes and control characters in the one, whole in the other (RFC 6266).
    const plain = fileName.replaceAll(/[^\w. -]/g, '_')
    c.header('content-disposition', `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(fileName)}`)
  }
  return c.body(body)
}

/** Stands in for what is no input at all, so that the shape's own words name what is missing. */
const inputIssue = (issues: readonly v.BaseIssue<unknown>[]): string => {
  const [issue] = issues
  if (issue === undefined) return 'The input is not of its shape.'
  return `${v.getDotPath(issue) ?? 'The input'}: ${issue.message.replaceAll(/\s+/g, ' ').slice(0, 300)}.`
}

export interface ApiOptions {
  /** A JSON answer that is not of the route's shape is an error, not only a warning: for tests. */
  readonly strict: boolean
  readonly warn: (facts: object, sentence: string) => void
  readonly noteStoreError: (code: string) => void
}

const jsonAnswer = (c: AppContext, called: ConsoleRoute, answer: unknown, options: ApiOptions): Response => {
  if (called.output === undefined) return c.json(answer ?? {})
  // What the shape does not name does not leave, either.
  const parsed = v.safeParse(called.output, answer)
  if (parsed.success) return c.json(parsed.output)
  const what = `the answer of ${called.path} is not of its shape: ${inputIssue(parsed.issues)}`
  if (options.strict) throw new Error(what)
  options.warn({ route: called.path }, what)
  return c.json(answer ?? {})
}

const answer = async (issuer: Issuer, c: AppContext, called: ConsoleRoute, options: ApiOptions): Promise<Response> => {
  const body = await bodyOf(c, called)
  if (body === undefined)
    return refuse(
      c,
      415,
      'mediaType',
      called.takesBytes === true ? 'Send application/octet-stream.' : 'Send a JSON object.',
    )
  const refused = await refusalNow(issuer, c, called)
  if (refused !== undefined) return refused
  const columns = listColumns(called)
  const members = joined(c, body)
  if (members === undefined)
    return refuse(c, 400, 'input', 'A name stands both in the address and in the body, or is no text.')
  const { format, ...rest } = members
  const asCsv = columns !== undefined && format === 'csv'
  const input = v.safeParse(called.input, asCsv ? rest : members)
  if (!input.success) return refuse(c, 400, 'input', inputIssue(input.issues))
  const session = c.get('session')
  const caller: Caller =
    session === undefined ? nobody : { name: session.name, userNo: session.userNo, role: session.role }
  const context = { issuer, caller, input: input.output, warn: options.warn }
  const visit = visitOf(c)
  try {
    const made = asCsv ? csvOf(called, columns, context, visit) : await called.handle(context, visit)
    return isDownload(made) ? downloadAnswer(c, made) : jsonAnswer(c, called, made, options)
  } catch (error) {
    if (error instanceof IssuerError && error.code.startsWith('store')) {
      options.noteStoreError(error.code)
      return outage(c, error)
    }
    if (error instanceof IssuerError) return refuse(c, statusOf(error.code), error.code, error.message)
    throw error
  }
}

/** The console's routes, as an app to be mounted at `apiPath`. */
export const consoleApi = (
  issuer: Issuer,
  routes: readonly ConsoleRoute[],
  options: ApiOptions,
): Hono<AppEnvironment> => {
  const api = new Hono<AppEnvironment>()
  api.use(async (c, next) => {
    c.header('cache-control', 'no-store')
    c.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
    await next()
  })
  api.use(withSession(issuer), withoutFloods(issuer))
  for (const called of routes)
    api.on(
      called.method,
      [called.path],
      permitted(issuer, called),
      limited(called.bodyBytesMax ?? bodyBytesMaxDefault),
      (c) => answer(issuer, c, called, options),
    )
  const paths = [...new Set(routes.map(({ path }) => path))]
  for (const path of paths) {
    const allow = routes.filter((each) => each.path === path).map(({ method }) => method)
    api.all(path, (c) => {
      c.header('allow', allow.join(', '))
      return refuse(c, 405, 'method', `Only ${allow.join(' and ')} work here.`)
    })
  }
  // And not the page, which answers below for addresses of its own.
  api.all('*', (c) => refuse(c, 404, 'notFound', 'There is nothing at this address.'))
  return api
}
