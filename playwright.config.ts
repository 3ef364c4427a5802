/** End-to-end tests: the built kiosk, driven through its screen (e2e/launch.ts). */
import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'e2e',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results',
  // What only the stand-in does is not asked of Electron's own binary.
  testIgnore: process.env.FARTHING_ELECTRON === '1' ? 'chromium.spec.ts' : [],
  forbidOnly: true,
  retries: 0,
  workers: 1,
  timeout: 60_000,
  reporter: 'line',
  // A phone in a test is the system's own Chromium too; Playwright's download is never needed.
  use: {
    launchOptions: {
      executablePath: process.env.FARTHING_CHROMIUM ?? '/usr/bin/chromium',
      chromiumSandbox: process.getuid?.() !== 0,
      args: ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync'],
    },
  },
})
