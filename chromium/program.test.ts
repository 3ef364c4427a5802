import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { startBrowser } from './browser.ts'
import { chromiumProgram } from './program.ts'

afterEach(() => vi.unstubAllEnvs())

test('a window is the whole browser; without one the page alone does, where it is installed', () => {
  vi.stubEnv('FARTHING_CHROMIUM', undefined)
  expect(chromiumProgram({ headless: false })).toBe('/usr/bin/chromium')
  const pageAlone = '/usr/lib/chromium/chromium-headless-shell'
  expect(chromiumProgram({ headless: true })).toBe(existsSync(pageAlone) ? pageAlone : '/usr/bin/chromium')
})

test('the one that is named stands for both', () => {
  vi.stubEnv('FARTHING_CHROMIUM', '/opt/chromium')
  for (const headless of [true, false]) expect(chromiumProgram({ headless })).toBe('/opt/chromium')
})

test('it finds display, sound, folders and language, and no secret', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-program-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const program = path.join(folder, 'chromium')
  const seen = path.join(folder, 'environment')
  writeFileSync(program, `#!/bin/sh\nexec env >${seen}\n`, { mode: 0o755 })
  const given = {
    DISPLAY: ':7',
    WAYLAND_DISPLAY: 'wayland-7',
    XAUTHORITY: '/x',
    XDG_RUNTIME_DIR: '/run/user/7',
    HOME: '/home/k',
    LANG: 'de_AT.UTF-8',
    LC_TIME: 'de_AT.UTF-8',
    PULSE_SERVER: 'unix:/pulse',
  }
  const secrets = { FARTHING_METRICS_TOKEN: 'a secret', PGPASSWORD: 'a secret', AWS_SECRET_ACCESS_KEY: 'a secret' }
  for (const [name, value] of Object.entries({ ...given, ...secrets, FARTHING_CHROMIUM: program }))
    vi.stubEnv(name, value)
  const browser = await startBrowser({ headless: true, kiosk: false, switches: [] })
  expect(await browser.ended).toBe(0)
  const found = readFileSync(seen, 'utf8')
  expect(found.split('\n')).toEqual(expect.arrayContaining(Object.entries(given).map((each) => each.join('='))))
  expect(found).toMatch(/^PATH=/m)
  expect(found).not.toContain('secret')
  expect(found).not.toContain('FARTHING')
})
