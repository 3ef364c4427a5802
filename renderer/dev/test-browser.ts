/** For tests: the harness's pages, served, and a real Chromium to look at them with. */
import { type Browser, chromium } from 'playwright'
import { createServer } from 'vite'

export interface Harness {
  readonly browser: Browser
  /** Of harness.html, without its query. */
  readonly url: string
  close(): Promise<void>
}

export const openHarness = async (): Promise<Harness> => {
  const server = await createServer({
    configFile: 'renderer/dev/vite.config.ts',
    server: { host: '127.0.0.1', port: 0 },
    logLevel: 'error',
  })
  await server.listen()
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
    },
  }
}
