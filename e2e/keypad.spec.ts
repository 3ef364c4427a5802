/**
 * A customer who neither sees nor touches the screen: twelve keys and the spoken words, from the first screen to the
 * goods and back, with a real card in a real reader. What is spoken stands in the transcript.
 * Run beside a pcscd of its own: scripts/pcsc/with-pcscd.sh npx playwright test e2e/keypad.spec.ts
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { launchKiosk } from './launch.ts'
import { insertCard, makeSystem } from './system.ts'

/** More keys than any of these screens has controls. */
const keysMax = 30

const hears = (page: Page, words: string | RegExp) =>
  expect(page.locator('.transcript-text')).toContainText(words, { timeout: 20_000 })

/** Goes on until this control has the focus, and chooses it. */
const choose = async (page: Page, selector: string) => {
  const hasFocus = () => page.evaluate((wanted) => document.activeElement?.matches(wanted) === true, selector)
  for (let keys = 0; keys < keysMax && !(await hasFocus()); keys += 1) await page.keyboard.press('8')
  expect(await hasFocus(), selector).toBe(true)
  await page.keyboard.press('5')
}

test('buys by twelve keys and ear, and leaves nothing of it to the next customer', async () => {
  test.setTimeout(120_000)
  const dir = mkdtempSync(path.join(tmpdir(), 'farthing-keypad-'))
  const system = await makeSystem(path.join(dir, 'system'))
  const card = await system.makeCard('keypad', '5.00')
  const kiosk = await launchKiosk({ dataDir: system.dataDir })
  try {
    const { page } = kiosk
    await page.locator('[data-screen="attract"]').waitFor()
    await page.keyboard.press('0')
    await hears(page, 'Something good for small change')
    await choose(page, '[data-action="start"]')
    await hears(page, 'What would you like?')
    await choose(page, '[data-item-id="farthing-story"]')
    await hears(page, /things to choose from/)
    await choose(page, '[data-action="buy"]')
    await hears(page, 'Hold your card to the reader')
    await page.keyboard.press('*')
    await hears(page, /things to choose from/)
    await choose(page, '[data-action="buy"]')
    const inserted = await insertCard(card.stateFile)
    await hears(page, 'You paid €0.50')
    await choose(page, '[data-action="show-goods"]')
    await page.locator('[data-screen="goods"]').waitFor()
    await hears(page, /Take it along/)
    await inserted.stop()
    await page.keyboard.press('*')
    await hears(page, 'I’m done')
    await page.keyboard.press('*')
    await page.locator('[data-screen="attract"]').waitFor()
    await expect(page.locator('.transcript-text')).toHaveCount(0)
  } finally {
    await kiosk.close()
    await system.stopIssuer()
    rmSync(dir, { recursive: true, force: true })
  }
})
