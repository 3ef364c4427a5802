/** What those who run the server ask it: whether it lives, can work, how it does, and what it understands. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Hono, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { ConsoleRoute } from './console-api/route.ts'
import { readiness } from './health.ts'
import { type AppContext, type AppEnvironment, isDirect, refuse } from './http-edge.ts'
import type { Issuer } from './issuer.ts'
import type { Metrics } from './metrics.ts'
import { openApiOf } from './openapi.ts'

/** Counts each request under its route as declared. */
export const timed =
  (metrics: Metrics): MiddlewareHandler<AppEnvironment> =>
  async (c, next) => {
    const began = performance.now()
    await next()
    const route = matchedRoutes(c)
      .map(({ path }) => path)
      .filter((path) => !path.includes('*'))
      .at(-1)
    const seconds = (performance.now() - began) / 1000
    metrics.noteRequest({ method: c.req.method, route: route ?? 'none', status: c.res.status, seconds })
  }

/** Figures of the business are confidential: for this machine itself, or with the token. */
const mayReadMetrics = (c: AppContext, token: string | undefined): boolean => {
  if (isDirect(c)) return true
  const given = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1]
  if (token === undefined || given === undefined) return false
  const [one, other] = [token, given].map((text) => createHash('sha256').update(text).digest())
  return one !== undefined && other !== undefined && timingSafeEqual(one, other)
}

export const operationRoutes = (
  app: Hono<AppEnvironment>,
  issuer: Issuer,
  options: {
    readonly metrics: Metrics
    /** undefined: nobody reads metrics from elsewhere. */
    readonly metricsToken: string | undefined
    readonly routes: readonly ConsoleRoute[]
  },
): void => {
  const noStore = { 'cache-control': 'no-store' }
  app.get('/health', async (c) => {
    await issuer.store.read((db) => db.selectFrom('setting').select('key').limit(1).execute())
    return c.json({ status: 'ok' }, 200, noStore)
  })
  app.get('/health/ready', async (c) => {
    const ready = await readiness(issuer)
    return c.json(ready, ready.status === 'ready' ? 200 : 503, noStore)
  })
  app.get('/metrics', async (c) => {
    if (!mayReadMetrics(c, options.metricsToken))
      return refuse(c, 403, 'notAllowed', 'Ask from the issuer’s own machine, or with its metrics token.')
    const { text, mediaType } = await options.metrics.scrape()
    return c.body(text, 200, { ...noStore, 'content-type': mediaType })
  })
  const description = JSON.stringify(openApiOf(options.routes))
  app.get('/openapi.json', (c) =>
    c.body(description, 200, { 'content-type': 'application/json', 'cache-control': 'no-cache' }),
  )
}
