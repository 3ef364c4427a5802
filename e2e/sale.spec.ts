/**
 * The first sale, end to end: real pcscd, cards as processes of their own, the built kiosk's page, the issuer over HTTP.
 * Run beside a pcscd of its own: scripts/pcsc/with-pcscd.sh npx playwright test e2e/sale.spec.ts
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { type LaunchedKiosk, launchKiosk } from './launch.ts'
import { farthing, insertCard, makeSystem, must, type System, start, virtualReaders } from './system.ts'

test.describe.configure({ mode: 'serial' })

let dir: string
let system: System
let kiosk: LaunchedKiosk | undefined

interface ReportLine {
  readonly taken: { readonly count: number; readonly amountMinor: number }
  readonly inDoubt: number
  readonly exceptions: readonly unknown[]
  readonly payableMinor: number
}
interface ReportedCard {
  readonly cardId: string
  readonly loadedMinor: number
  readonly spentMinor: number
  readonly balanceMinor: number
  readonly counter: number
}
const books = async (): Promise<{
  terminal: ReportLine
  cards: readonly ReportedCard[]
  trialBalanceMinor: number
}> => {
  const report = (await system.report()) as {
    terminals: ReportLine[]
    cards: ReportedCard[]
    trialBalanceMinor: number
  }
  const [terminal] = report.terminals
  if (terminal === undefined) throw new Error('the report has no terminal')
  return { terminal, cards: report.cards, trialBalanceMinor: report.trialBalanceMinor }
}

const inspect = async (stateFile: string): Promise<Record<string, unknown>> => {
  const card = await insertCard(stateFile)
  try {
    return await must('card', 'inspect', '--reader', virtualReaders[0].name)
  } finally {
    await card.stop()
  }
}

const onScreen = (page: Page, screen: string) =>
  expect(page.locator(`[data-screen="${screen}"]`)).toBeVisible({ timeout: 20_000 })

const choose = async (page: Page, itemId: string) => {
  await onScreen(page, 'attract')
  await page.locator('[data-action="start"]').click()
  await page.locator(`[data-action="open"][data-item-id="${itemId}"]`).click()
  await page.locator('[data-action="buy"]').click()
  await onScreen(page, 'pay')
}

const withKiosk = async (work: (page: Page) => Promise<void>) => {
  kiosk = await launchKiosk({ dataDir: system.dataDir })
  try {
    await work(kiosk.page)
  } finally {
    await kiosk.close()
    kiosk = undefined
  }
}

test.beforeAll(async () => {
  test.setTimeout(120_000)
  dir = mkdtempSync(path.join(tmpdir(), 'farthing-sale-'))
  system = await makeSystem(path.join(dir, 'system'))
})

test.afterAll(async () => {
  await kiosk?.close()
  await system?.stopIssuer()
  rmSync(dir, { recursive: true, force: true })
})

test('a vending machine sells offline, says so in one line, and settles later', async () => {
  test.setTimeout(120_000)
  const card = await system.makeCard('vending', '5.00')
  await system.stopIssuer()
  const inserted = await insertCard(card.stateFile)
  const sold = await farthing('terminal', 'sell', 'wifi-day', '--data', system.dataDir, '--timeout', '20')
  await inserted.stop()
  expect(sold.status).toBe(0)
  expect(sold.lines).toHaveLength(1)
  expect(sold.lines[0]).toMatchObject({
    outcome: 'captured',
    item: 'wifi-day',
    amountMinor: 100,
    cardId: card.cardId,
    counter: 2,
    balanceAfterMinor: 400,
  })
  expect(sold.lines[0]?.claimUrl).toMatch(/\/c#[\w-]{176}$/)
  expect(await system.status()).toMatchObject({ online: false, unsynced: { count: 2, amountMinor: 100 }, inDoubt: 0 })
  await system.startIssuer()
  expect(await must('terminal', 'sync', '--data', system.dataDir)).toMatchObject({ entries: 2, exceptions: 0 })
  const { terminal, trialBalanceMinor } = await books()
  expect(terminal).toMatchObject({
    taken: { count: 1, amountMinor: 100 },
    payableMinor: 100,
    exceptions: [],
    inDoubt: 0,
  })
  expect(trialBalanceMinor).toBe(0)
})

for (const tear of ['before', 'after'] as const)
  test(`a card pulled ${tear} its COMMIT took effect pays once, at its next tap on the same screen`, async () => {
    test.setTimeout(120_000)
    const card = await system.makeCard(`torn-${tear}`, '5.00')
    await withKiosk(async (page) => {
      await choose(page, 'farthing-story')
      await (await insertCard(card.stateFile, { tear })).ended
      await onScreen(page, 'recover')
      const again = await insertCard(card.stateFile)
      await onScreen(page, 'approved')
      await page.locator('[data-action="show-goods"]').click()
      await onScreen(page, 'goods')
      await expect(page.locator('[data-screen="goods"]')).toContainText('farthing', { ignoreCase: true })
      await again.stop()
      await page.locator('[data-action="finish"]').click()
      await onScreen(page, 'attract')
    })
    expect(await inspect(card.stateFile)).toMatchObject({ balanceMinor: 450, counter: 2 })
    await must('terminal', 'sync', '--data', system.dataDir)
    const { cards, terminal, trialBalanceMinor } = await books()
    expect(cards.find((row) => row.cardId === card.cardId)).toMatchObject({
      spentMinor: 50,
      balanceMinor: 450,
      counter: 2,
    })
    expect(terminal).toMatchObject({ exceptions: [], inDoubt: 0 })
    expect(trialBalanceMinor).toBe(0)
  })

test('another card in a recovery is told so, is not charged, and the first one still finishes', async () => {
  test.setTimeout(120_000)
  const first = await system.makeCard('first', '5.00')
  const other = await system.makeCard('other', '5.00')
  await withKiosk(async (page) => {
    await choose(page, 'farthing-story')
    await (await insertCard(first.stateFile, { tear: 'after' })).ended
    await onScreen(page, 'recover')
    const wrong = await insertCard(other.stateFile)
    await expect(page.locator('[data-screen="recover"]')).toContainText(/another|other|different|not the same/i)
    await wrong.stop()
    const right = await insertCard(first.stateFile)
    await onScreen(page, 'approved')
    await right.stop()
  })
  expect(await inspect(other.stateFile)).toMatchObject({ balanceMinor: 500, counter: 1 })
  expect(await inspect(first.stateFile)).toMatchObject({ balanceMinor: 450, counter: 2 })
})

test('a claim opened on a phone before the kiosk syncs books the sale, once', async ({ browser }) => {
  test.setTimeout(120_000)
  await must('terminal', 'sync', '--data', system.dataDir)
  const card = await system.makeCard('phone', '5.00')
  const before = (await books()).terminal
  const inserted = await insertCard(card.stateFile)
  const sold = await farthing('terminal', 'sell', 'wifi-day', '--data', system.dataDir, '--timeout', '20')
  await inserted.stop()
  const claimUrl = String(sold.lines[0]?.claimUrl)
  const goods = sold.lines[0]?.goods as { code: string }
  const page = await browser.newPage()
  await page.goto(claimUrl)
  await expect(page.locator('body')).toContainText(goods.code)
  await page.reload()
  await expect(page.locator('body')).toContainText(goods.code)
  await page.close()
  const claimed = (await books()).terminal
  expect(claimed.taken).toEqual({ count: before.taken.count + 1, amountMinor: before.taken.amountMinor + 100 })
  await must('terminal', 'sync', '--data', system.dataDir)
  const synced = await books()
  expect(synced.terminal.taken).toEqual(claimed.taken)
  expect(synced.terminal.exceptions).toEqual([])
  expect(synced.trialBalanceMinor).toBe(0)
})

test('killed at any moment of its sales, the machine loses and doubles nothing', async () => {
  test.setTimeout(240_000)
  await must('terminal', 'sync', '--data', system.dataDir)
  const card = await system.makeCard('killed', '20.00')
  const inserted = await insertCard(card.stateFile)
  const before = (await books()).terminal.taken
  const handedOver = new Set<number>()
  const rounds = 8
  // The kill falls ever later after the machine's start: into its start, its first sale, its second, ...
  for (let round = 0; round < rounds; round += 1) {
    const machine = await startSelling()
    machine.onLine((line) => {
      if (line.outcome === 'captured') handedOver.add(Number(line.counter))
      if (handedOver.size % 3 === round % 3) machine.process.kill('SIGKILL')
    })
    if (machine.ready.outcome === 'captured') handedOver.add(Number(machine.ready.counter))
    await machine.ended
  }
  const last = await farthing('terminal', 'sell', 'farthing-story', '--data', system.dataDir, '--timeout', '20')
  for (const line of last.lines) if (line.outcome === 'captured') handedOver.add(Number(line.counter))
  await inserted.stop()
  const seen = await inspect(card.stateFile)
  const sales = Number(seen.counter) - 1
  // Every counter of the card is one sale of 0.50, and each had its goods.
  expect(seen.balanceMinor).toBe(2000 - 50 * sales)
  await must('terminal', 'sync', '--data', system.dataDir)
  const after = await books()
  expect(after.terminal.taken).toEqual({
    count: before.count + sales,
    amountMinor: before.amountMinor + 50 * sales,
  })
  expect(after.cards.find((row) => row.cardId === card.cardId)).toMatchObject({ balanceMinor: seen.balanceMinor })
  expect(after.terminal).toMatchObject({ exceptions: [] })
  expect(after.trialBalanceMinor).toBe(0)
  expect([...handedOver].sort((a, b) => a - b)).toEqual(Array.from({ length: sales }, (_, i) => i + 2))
})

const startSelling = () =>
  start('terminal', 'sell', 'farthing-story', '--data', system.dataDir, '--count', '50', '--timeout', '20')
