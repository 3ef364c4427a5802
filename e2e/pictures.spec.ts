/**
 * Every screen as it looked when somebody last looked at it: three cabinets, Latin letters on a light ground and Arabic ones in high
 * contrast, half size. `npx playwright test e2e/pictures.spec.ts --update-snapshots` takes them anew; look at what changed.
 */
import { expect, type Page, test } from '@playwright/test'
import { type Harness, openHarness } from '../renderer/dev/test-browser.ts'

const cabinets = [
  { name: 'portrait', width: 1080, height: 1920, diagonal: 546 },
  { name: 'landscape', width: 1920, height: 1080, diagonal: 546 },
  { name: 'small', width: 1024, height: 600, diagonal: 257 },
] as const
const modes = [
  { name: 'latin', query: 'language=en' },
  { name: 'arabic-contrast', query: 'language=ar&contrast' },
] as const
const screens = [
  'attract',
  'catalogue',
  'item',
  'pay',
  'pay-working',
  'pin',
  'pin-tap',
  'top-up',
  'top-up-done',
  'approved',
  'goods-code',
  'declined-balanceTooLow',
  'recover',
  'balance',
  'balance-owed',
  'operator',
  'operator-open',
  'out-of-service',
] as const
/**
 * Two runs on one machine give the same points, and one word of the smallest type is some 300 of them, however large the
 * screen is: so it is points that are counted, not their part of the picture.
 */
const differingPointsMax = 24

let harness: Harness
test.beforeAll(async () => {
  harness = await openHarness()
})
test.afterAll(() => harness?.close())

/** The test command takes Arabic in the smallest cabinet alone, FARTHING_SOAK=1 everywhere. */
const modesIn = (cabinet: string) =>
  process.env.FARTHING_SOAK === '1' || cabinet === 'small' ? modes : modes.slice(0, 1)

for (const { name: cabinet, width, height, diagonal } of cabinets)
  for (const { name: mode, query } of modesIn(cabinet))
    test(`${cabinet}, ${mode}`, async () => {
      const context = await harness.browser.newContext({
        viewport: { width, height },
        deviceScaleFactor: 0.5,
        reducedMotion: 'reduce',
        timezoneId: 'UTC',
      })
      const page: Page = await context.newPage()
      await page.clock.setFixedTime('2026-11-26T09:30:00Z')
      await page.goto(`${harness.url}?stocked&diagonal=${diagonal}&${query}`)
      await page.locator('[data-screen]').first().waitFor()
      for (const screen of screens) {
        await page.evaluate((name) => (window as Window & { show?: (name: string) => void }).show?.(name), screen)
        await page.evaluate(() => document.fonts.ready)
        await page.waitForFunction(() => [...document.images].every(({ complete }) => complete))
        await expect.soft(page).toHaveScreenshot(`${screen}-${cabinet}-${mode}.png`, {
          scale: 'device',
          maxDiffPixels: differingPointsMax,
        })
      }
      await context.close()
    })
