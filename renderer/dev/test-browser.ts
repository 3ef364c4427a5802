/** For tests: the harness's pages, served, and a real Chromium to look at them with. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Browser, chromium } from 'playwright'
import { build, preview } from 'vite'

export interface Harness {
  readonly browser: Browser
  /** Of harness.html, without its query. */
  readonly url: string
  close(): Promise<void>
}

/** Built, not served piece by piece: a test loads the page some thirty times. */
export const openHarness = async (): Promise<Harness> => {
  const configFile = 'renderer/dev/vite.config.ts'
  const outDir = mkdtempSync(path.join(tmpdir(), 'farthing-harness-'))
  await build({ configFile, logLevel: 'error', build: { outDir, minify: false, emptyOutDir: true } })
  const server = await preview({
    configFile,
    appType: 'mpa',
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0 },
    logLevel: 'error',
  })
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  })
  return {
    browser,
    url: `${server.resolvedUrls?.local[0] ?? ''}dev/harness.html`,
    async close() {
      await browser.close()
      await server.close()
      rmSync(outDir, { recursive: true, force: true })
    },
  }
}
