/**
 * The page that checks tickets on a phone, as `npm run build` left it in out/ticket-page, at /t/. It needs no login: what it is
 * given, public keys and what is on sale, anybody may have.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Hono } from 'hono'
import { currentBulletin } from './bulletin-publisher.ts'
import type { AppEnvironment } from './http-edge.ts'
import type { Issuer } from './issuer.ts'
import { ticketKeys } from './tickets.ts'

const builtPage = path.join(import.meta.dirname, '../out/ticket-page')

const ticketPagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const mediaTypes = {
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'worker.js': 'text/javascript; charset=utf-8',
  'farthing.svg': 'image/svg+xml',
} as const
const isFile = (name: string): name is keyof typeof mediaTypes => Object.hasOwn(mediaTypes, name)

const headers = {
  'content-security-policy': ticketPagePolicy,
  'permissions-policy': 'camera=(self)',
  'cache-control': 'no-cache',
}

const notBuilt =
  'The ticket page is not built: run "npm run build" where Farthing is installed, then load this page again. "farthing ticket check" works all the same.'

/** What the page is to know, all of it public. */
const doorKeys = async (issuer: Issuer) => {
  const published = await currentBulletin(issuer)
  const tickets = published?.bulletin.items.filter(({ kind }) => kind === 'ticket') ?? []
  return { ...ticketKeys(issuer.keys.signingPublicKeys), events: tickets.map(({ id, title }) => ({ id, title })) }
}

/** The page's files, read from `folder` as they are asked for. To be mounted at /t. */
export const ticketPage = (issuer: Issuer, folder = builtPage): Hono<AppEnvironment> => {
  const app = new Hono<AppEnvironment>()
  app.get('/keys.json', async (c) => c.json(await doorKeys(issuer), 200, { 'cache-control': 'no-store' }))
  app.get('/:file', (c) => {
    const name = c.req.param('file')
    if (!isFile(name) || !existsSync(path.join(folder, name))) return c.notFound()
    return c.body(readFileSync(path.join(folder, name), 'utf8'), 200, { ...headers, 'content-type': mediaTypes[name] })
  })
  app.get('*', (c) => {
    // Its files are beside it, wherever the issuer's public address has it.
    if (c.req.path.endsWith('/t')) return c.redirect('t/')
    if (!c.req.path.endsWith('/t/')) return c.notFound()
    const index = path.join(folder, 'index.html')
    if (!existsSync(index)) return c.text(notBuilt, 503, { 'cache-control': 'no-store' })
    return c.body(readFileSync(index, 'utf8'), 200, { ...headers, 'content-type': 'text/html; charset=utf-8' })
  })
  return app
}
