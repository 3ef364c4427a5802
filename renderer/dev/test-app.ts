/**
 * For tests: the harness and the book reader as they are built, served by the app's own scheme handler under its own
 * policies, on the names that the app's origins have in Chromium. What is asked for elsewhere is noted, and refused.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { BrowserContext } from 'playwright'
import { build } from 'vite'
import { inward, outward, outwardPolicy } from '../../chromium/origin.ts'
import { appContent, type Goods } from '../../main/app-scheme.ts'
import { requestAllowed } from '../../main/navigation.ts'

export interface TestApp {
  /** Of the harness, without its query. */
  readonly url: string
  /** By the name after `/goods/`. */
  readonly goods: Map<string, Goods>
  /** Addresses outside of the app that the page asked for. */
  readonly strange: string[]
  /** How many bytes went to the page for each name of goods. */
  readonly given: Map<string, number>
  serve(context: BrowserContext): Promise<unknown>
  close(): void
}

export async function buildTestApp(): Promise<TestApp> {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-viewers-'))
  await build({
    configFile: 'renderer/dev/vite.config.ts',
    logLevel: 'error',
    build: {
      outDir: folder,
      assetsInlineLimit: 0,
      minify: false,
      rolldownOptions: { input: { harness: 'renderer/dev/harness.html', book: 'renderer/book.html' } },
    },
  })
  const goods = new Map<string, Goods>()
  const strange: string[] = []
  const given = new Map<string, number>()
  const handler = appContent({
    rendererDir: folder,
    goodsContent: (token) => goods.get(token),
    shelfContent: (hash) => goods.get(hash),
  })
  return {
    url: outward('farthing://kiosk/dev/harness.html'),
    goods,
    strange,
    given,
    serve: (context) =>
      context.route('**', async (route) => {
        const request = route.request()
        const url = inward(request.url())
        if (!requestAllowed(url) || url === request.url()) {
          if (!/^(blob|data):/.test(url)) strange.push(url)
          return route.abort()
        }
        const response = await handler(new Request(url, { headers: request.headers() }))
        const body = Buffer.from(await response.arrayBuffer())
        const token = new URL(url).pathname.match(/^\/goods\/(.+)$/)?.[1]
        if (token !== undefined) given.set(token, (given.get(token) ?? 0) + body.length)
        const headers = Object.fromEntries(response.headers)
        const policy = headers['content-security-policy']
        await route
          .fulfill({
            status: response.status,
            headers: policy === undefined ? headers : { ...headers, 'content-security-policy': outwardPolicy(policy) },
            body,
          })
          .catch(() => {})
      }),
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}
