import { describe, expect, test } from 'vitest'
import { debugPortAllowed, startOptions } from './start-options.ts'

describe('the start', () => {
  test('takes the data folder among switches that it does not know', () => {
    const argv = ['.', '--no-sandbox', '--headless', '--data', '/srv/kiosk', '--lang=de']
    expect(startOptions({ argv, env: {} })).toEqual({ dataDir: '/srv/kiosk' })
    expect(startOptions({ argv: ['--data=/srv/kiosk'], env: {} })).toEqual({ dataDir: '/srv/kiosk' })
  })
  test('says what is missing', () => {
    for (const argv of [[], ['--data'], ['--data='], ['/srv/kiosk']])
      expect(startOptions({ argv, env: {} })).toEqual({ problem: 'say where the terminal keeps its data: --data DIR' })
  })
  test('takes a window size and a port for a debugger from the environment', () => {
    const env = { FARTHING_WINDOW: '1080x1920', FARTHING_DEBUG_PORT: '9222' }
    expect(startOptions({ argv: ['--data', 'd'], env })).toEqual({
      dataDir: 'd',
      windowSize: { width: 1080, height: 1920 },
      debugPort: '9222',
    })
  })
  test('refuses a window size that is none', () => {
    for (const FARTHING_WINDOW of ['', 'big', '0x0', '1080', '1080x', '99x99', '1080x1920x2', '-100x100'])
      expect(startOptions({ argv: ['--data', 'd'], env: { FARTHING_WINDOW } })).toHaveProperty('problem')
  })
})

describe("a debugger's port", () => {
  const wish = { port: '9222', packaged: false, productionKeys: false }
  test('is opened in development', () => {
    expect(debugPortAllowed(wish)).toEqual({ allowed: true, port: 9222 })
  })
  test('is refused beside production keys, and in the packaged app', () => {
    expect(debugPortAllowed({ ...wish, productionKeys: true })).toMatchObject({ allowed: false })
    expect(debugPortAllowed({ ...wish, packaged: true })).toMatchObject({ allowed: false })
  })
  test('is refused when it is no port', () => {
    for (const port of ['', '0', '80', '65536', '9222 ', '0x2400', '1e4', '9222.5'])
      expect(debugPortAllowed({ ...wish, port })).toMatchObject({ allowed: false })
  })
})
