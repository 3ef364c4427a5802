import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { consoleFiles } from './console-files.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-console-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const build = (): void => {
  mkdirSync(join(folder, 'assets'), { recursive: true })
  writeFileSync(join(folder, 'index.html'), '<!doctype html>the page')
  writeFileSync(join(folder, 'assets/index-abc.js'), 'the script')
  writeFileSync(join(folder, 'secret.txt'), 'not for anybody')
}

test('says what to do where it was never built, and serves it as soon as it is', async () => {
  const app = consoleFiles(folder)
  const missing = await app.request('/terminals')
  expect(missing.status).toBe(503)
  expect(await missing.text()).toContain('npm run build')
  build()
  expect((await app.request('/terminals')).status).toBe(200)
  expect((await app.request('/assets/index-abc.js')).status).toBe(200)
})

test('answers every address with the page, under a policy without exceptions, and its files for ever', async () => {
  build()
  const app = consoleFiles(folder)
  for (const path of ['/', '/terminals/0123456789abcdef', '/batches/0123456789abcdef/1/1?tab=x']) {
    const page = await app.request(path)
    expect(await page.text()).toContain('the page')
    expect(page.headers.get('cache-control')).toBe('no-cache')
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|data:|\*/)
  }
  const script = await app.request('/assets/index-abc.js')
  expect(script.headers.get('cache-control')).toContain('immutable')
  expect(script.headers.get('content-type')).toContain('text/javascript')
  expect(await script.text()).toBe('the script')
})

test('gives away no other file, and no page for what is not built', async () => {
  build()
  const app = consoleFiles(folder)
  for (const path of ['/assets/none-1.js', '/assets/..%2Fsecret.txt', '/assets/%2e%2e/secret.txt']) {
    const answer = await app.request(path)
    expect(await answer.text()).not.toContain('not for anybody')
  }
  expect((await app.request('/assets/none-1.js')).status).toBe(404)
})
