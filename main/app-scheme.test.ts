import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { appContent, fileOf, partBytesMax, rangeOf } from './app-scheme.ts'

let folder: string
let rendererDir: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farthing-content-'))
  rendererDir = path.join(folder, 'renderer')
  mkdirSync(path.join(rendererDir, 'assets'), { recursive: true })
  writeFileSync(path.join(folder, 'secret.txt'), 'secret')
  writeFileSync(path.join(rendererDir, 'index.html'), '<!doctype html>')
  writeFileSync(path.join(rendererDir, 'book.html'), '<!doctype html>')
  writeFileSync(path.join(rendererDir, 'assets/a.js'), 'export {}')
  writeFileSync(path.join(rendererDir, 'assets/key.pem'), 'secret')
  writeFileSync(path.join(rendererDir, '.env'), 'secret')
})
afterAll(() => rmSync(folder, { recursive: true }))

const shelfHash = 'ab'.repeat(32)
const picture = { mediaType: 'image/svg+xml', bytes: Buffer.from('<svg/>') }
const goods = { mediaType: 'text/html', bytes: Buffer.from('0123456789') }
const ask = (url: string, init?: RequestInit) =>
  appContent({
    rendererDir,
    goodsContent: (token) => (token === 'sold' ? goods : undefined),
    shelfContent: (contentHash) => (contentHash === shelfHash ? picture : undefined),
  })(new Request(url, init))

describe('a file of the page', () => {
  test('comes with its type, and under the strict policy', async () => {
    const page = await ask('farthing://kiosk/')
    expect(page.status).toBe(200)
    expect(await page.text()).toBe('<!doctype html>')
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    const policy = page.headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'/)
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/)
    const script = await ask('farthing://kiosk/assets/a.js?v=1')
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  })
  test('is not to be had outside of its folder, when hidden, or of a type that the page has no use for', async () => {
    for (const wanted of [
      '../secret.txt',
      '%2e%2e/secret.txt',
      '..%2fsecret.txt',
      'assets/..%2f..%2fsecret.txt',
      '..%5csecret.txt',
      '%00',
      '%zz',
      '.env',
      'assets/key.pem',
      'assets',
      'assets/',
      'nothing.js',
    ])
      expect((await ask(`farthing://kiosk/${wanted}`)).status, wanted).toBe(404)
  })
  test('is given to no other host and by no other method', async () => {
    expect((await ask('farthing://other/')).status).toBe(403)
    expect((await ask('farthing://kiosk/', { method: 'POST', body: 'x' })).status).toBe(405)
  })
  test('has a path of its own folder only', () => {
    expect(fileOf('/app', '/')).toBe(path.join('/app', 'index.html'))
    expect(fileOf('/app', '/assets/a.js')).toBe(path.join('/app', 'assets', 'a.js'))
    expect(fileOf('/app', '/../app-secret/a.js')).toBeUndefined()
    expect(fileOf('/app', '/C:/a.js')).toBeUndefined()
  })
})

describe('the book reader', () => {
  test('has a host and a policy of its own: styles from memory, scripts from the app alone, no network', async () => {
    const reader = await ask('farthing://book/book.html')
    expect(reader.status).toBe(200)
    const policy = reader.headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'; script-src 'self';/)
    expect(policy).not.toMatch(/connect-src|worker-src|'unsafe-eval'|https?:|\*/)
    expect((await ask('farthing://book/assets/a.js')).status).toBe(200)
  })
  test('has no other page, and no goods', async () => {
    for (const wanted of ['', 'index.html', 'goods/sold', 'assets/..%2findex.html', 'assets/key.pem'])
      expect((await ask(`farthing://book/${wanted}`)).status, wanted).toBe(404)
  })
})

describe('goods', () => {
  test('come under the token of their sale, and can do nothing as a page', async () => {
    const sold = await ask('farthing://kiosk/goods/sold')
    expect(sold.status).toBe(200)
    expect(await sold.text()).toBe('0123456789')
    expect(sold.headers.get('content-type')).toBe('text/html')
    expect(sold.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
    expect(sold.headers.get('cache-control')).toBe('no-store')
    expect((await ask('farthing://kiosk/goods/other')).status).toBe(404)
  })
  test('come in parts', async () => {
    const part = await ask('farthing://kiosk/goods/sold', { headers: { range: 'bytes=2-4' } })
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toBe('bytes 2-4/10')
    expect(await part.text()).toBe('234')
  })
  test('come piece by piece when they are long', async () => {
    expect(rangeOf('bytes=5-', 10 * partBytesMax)).toEqual({ first: 5, last: partBytesMax + 4 })
    expect(rangeOf(`bytes=${partBytesMax}-`, partBytesMax + 9)).toEqual({ first: partBytesMax, last: partBytesMax + 8 })
  })
  test('come whole when the part asked for cannot be given', () => {
    expect(rangeOf('bytes=0-', 10)).toEqual({ first: 0, last: 9 })
    expect(rangeOf('bytes=-3', 10)).toEqual({ first: 7, last: 9 })
    expect(rangeOf('bytes=5-99', 10)).toEqual({ first: 5, last: 9 })
    for (const header of [null, '', 'bytes=-', 'bytes=10-', 'bytes=4-2', 'bytes=0-1,3-4', 'items=0-1', 'bytes=-0'])
      expect(rangeOf(header, 10), String(header)).toBeUndefined()
  })
})

describe('what the shelf shows', () => {
  test('comes by its hash, can run nothing, and is kept by the page', async () => {
    const answer = await ask(`farthing://kiosk/shelf/${shelfHash}`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('image/svg+xml')
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
    expect(answer.headers.get('cache-control')).toContain('immutable')
    expect((await ask('farthing://kiosk/goods/sold')).headers.get('cache-control')).toBe('no-store')
  })

  test('is nothing else', async () => {
    for (const name of ['cd'.repeat(32), shelfHash.toUpperCase(), `${shelfHash}/x`, 'x', ''])
      expect((await ask(`farthing://kiosk/shelf/${name}`)).status).toBe(404)
  })
})
