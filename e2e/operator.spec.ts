/**
 * An operator's visit: card and PIN at the real reader, the day’s close, a refund, and the issuer has every act of it.
 * Run beside a pcscd of its own: scripts/pcsc/with-pcscd.sh npx playwright test e2e/operator.spec.ts
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import Database from 'better-sqlite3'
import { launchKiosk } from './launch.ts'
import { insertCard, makeSystem, must, type System } from './system.ts'

const pin = '271828'

let dir: string
let system: System

test.beforeAll(async () => {
  test.setTimeout(120_000)
  dir = mkdtempSync(path.join(tmpdir(), 'farthing-operator-'))
  system = await makeSystem(path.join(dir, 'system'))
})
test.afterAll(async () => {
  await system?.stopIssuer()
  rmSync(dir, { recursive: true, force: true })
})

const makeOperator = (card: string) => {
  const cli = path.join(import.meta.dirname, '../cli/farthing.mjs')
  const say = [
    'issuer',
    'operator',
    'add',
    '--card',
    card,
    '--name',
    'Ada',
    '--terminal',
    'all',
    '--store',
    system.store,
  ]
  const { status, stderr } = spawnSync(process.execPath, [cli, ...say], { input: `${pin}\n`, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
}

/** What the issuer has of this terminal's journal, oldest first. */
const actsAtIssuer = (column: 'act' | 'details' = 'act'): string[] => {
  const database = new Database(system.store.replace('sqlite:', ''), { readonly: true })
  try {
    return database.prepare(`SELECT ${column} FROM journal_entry ORDER BY entry_no`).pluck().all() as string[]
  } finally {
    database.close()
  }
}

test('an operator closes the day and refunds a sale, and the issuer knows it all', async () => {
  test.setTimeout(120_000)
  const customer = await system.makeCard('customer', '5.00')
  const operator = await system.makeCard('operator')
  makeOperator(operator.cardId)
  await must('terminal', 'sync', '--data', system.dataDir)
  const kiosk = await launchKiosk({ dataDir: system.dataDir, size: { width: 1024, height: 600 } })
  try {
    const { page } = kiosk
    const press = (action: string) => page.locator(`[data-action="${action}"]`).first().click()
    const section = (name: string) => page.locator(`[data-section-name="${name}"]`).click()
    const onScreen = (name: string) => expect(page.locator(`[data-screen="${name}"]`)).toBeVisible({ timeout: 20_000 })
    await press('start')
    await page.locator('[data-action="open"][data-item-id="farthing-story"]').click()
    await press('buy')
    const paying = await insertCard(customer.stateFile)
    await onScreen('approved')
    await paying.stop()
    await press('show-goods')
    await press('finish')

    const card = await insertCard(operator.stateFile)
    await onScreen('operator')
    for (const key of [...pin, 'enter']) await page.locator(`[data-action="pin-key"][data-key="${key}"]`).click()
    await expect(page.locator('.operator-home')).toBeVisible()
    await card.stop()
    await section('receipts')
    await press('operator-receipt')
    await press('operator-refund')
    await press('operator-refund-own')
    for (const letter of 'late') await page.locator(`[data-action="letter"][data-key="${letter}"]`).click()
    await press('operator-refund-because')
    await expect(page.locator('.operator-said')).toContainText('€0.50 is with the issuer now', { timeout: 20_000 })
    await press('operator-back')
    await expect(page.locator('[data-action="operator-receipt"]')).toContainText('Refund asked for')
    await press('operator-back')
    await section('dayClose')
    await press('operator-day-close')
    await expect(page.locator('.operator-report')).toContainText('Day close no. 1')
    await expect(page.locator('.operator-report')).toContainText('Sales, 1')
    await press('operator-back')
    await section('exchange')
    await press('operator-sync')
    await expect(page.locator('.operator-said')).toContainText('Done.', { timeout: 20_000 })
    await press('operator-leave')
    await onScreen('attract')
    expect(actsAtIssuer()).toEqual(['start', 'enter', 'refund', 'dayClose', 'sync'])
    expect(JSON.parse(actsAtIssuer('details')[2] ?? '')).toMatchObject({ amountMinor: 50, reason: 'late' })
  } finally {
    expect(await kiosk.close()).toBe(0)
  }
  await must('terminal', 'sync', '--data', system.dataDir)
  expect(actsAtIssuer().at(-1)).toBe('leave')
})
