import { existsSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
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
