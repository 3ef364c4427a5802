/**
 * The operators' page, as `npm run build` left it in out/console, at /console. Every address below that is no file and not
 * the API's is answered with the page itself, which knows its own addresses.
 */
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { Hono } from 'hono'
import type { AppEnvironment } from './http-edge.ts'

const builtConsole = path.join(import.meta.dirname, '../out/console')

/** Nothing from elsewhere, nothing inline; the page's own sheets and scripts alone. */
export const consolePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  // Goods that are looked at before they are sold.
  "media-src 'self'",
  "frame-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const mediaTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
}

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': consolePolicy,
  'cache-control': 'no-cache',
}

/** Files whose names hold their content's hash. */
const listAssets = (folder: string): ReadonlyMap<string, number> => {
  const assets = path.join(folder, 'assets')
  if (!existsSync(assets)) return new Map()
  return new Map(readdirSync(assets).map((name) => [name, statSync(path.join(assets, name)).size]))
}

const notBuilt =
  'The console is not built: run "npm run build" where Farthing is installed, then load this page again. Terminals are served all the same.'

/** The page's files, read from `folder` as they are asked for. To be mounted at /console, behind its API. */
export const consoleFiles = (folder = builtConsole): Hono<AppEnvironment> => {
  const app = new Hono<AppEnvironment>()
  let assets = listAssets(folder)
  app.get('/assets/:name', (c) => {
    const name = c.req.param('name')
    // Built anew since: its names are others.
    if (!assets.has(name)) assets = listAssets(folder)
    const bytes = assets.get(name)
    const mediaType = mediaTypes[path.extname(name)]
    if (bytes === undefined || mediaType === undefined) return c.notFound()
    const headers = {
      'content-type': mediaType,
      'content-length': String(bytes),
      'cache-control': 'public, max-age=31536000, immutable',
    }
    if (c.req.method === 'HEAD') return c.body(null, 200, headers)
    const file = Readable.toWeb(createReadStream(path.join(folder, 'assets', name)))
    return c.body(file as ReadableStream<Uint8Array>, 200, headers)
  })
  app.get('*', (c) => {
    const index = path.join(folder, 'index.html')
    if (!existsSync(index)) return c.text(notBuilt, 503, { 'cache-control': 'no-store' })
    return c.body(readFileSync(index, 'utf8'), 200, pageHeaders)
  })
  return app
}
