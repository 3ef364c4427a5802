/**
 * The machine at rest: what is left of a customer who went, and what becomes of a page that hangs or grows.
 * Run it inside `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run faults/stranger`; `npm test` does.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect as expectPage, type Page } from '@playwright/test'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plugIntoVpcd, type Tear } from '../../card/vpcd.ts'
import { profilePrefix } from '../../chromium/browser.ts'
import { ledgerPath } from '../../db/open.ts'
import { type LaunchedKiosk, launchKiosk } from '../../e2e/launch.ts'
import { virtualReaders } from '../../e2e/system.ts'
import type { TestCard } from '../../main/test-terminal.ts'
import { type DrivenClock, driveClock } from '../clock/driven-clock.ts'
import { seededNumbers } from '../reader/fault-list.ts'
import { runDay, sleep } from './day.ts'
import { heldNow } from './machine-memory.ts'
import { openShop, type Shop } from './shop.ts'
import { watchPage } from './watched-page.ts'

const story = 'A story that was told to nobody else. '.repeat(20)
const code = 'WIFI-ONLY-FOR-THIS-CUSTOMER'
/** Somebody's money, typed and not used. */
const voucher = '7H3KM2PQ7H3KM2PQ'

/** Of tomorrow. */
const at = (hour: number, minute: number) => new Date(new Date().setHours(24)).setHours(hour, minute, 0, 0)

let clock: DrivenClock
let shop: Shop
let kiosk: LaunchedKiosk
let page: Page

beforeAll(async () => {
  clock = await driveClock(at(21, 38))
  shop = await openShop({
    nowMs: clock.nowMs,
    items: [
      {
        file: { name: 'story.md', bytes: Buffer.from(`# A story\n\n${story}`) },
        id: 'story',
        priceMinor: 50,
        title: { en: 'A story' },
      },
      {
        file: { name: 'codes.txt', bytes: Buffer.from(code) },
        id: 'wifi',
        kind: 'code',
        priceMinor: 100,
        title: { en: 'Wi-Fi' },
      },
    ],
  })
  kiosk = await launchKiosk({ dataDir: shop.dataDir, env: clock.env() })
  page = kiosk.page
})
afterAll(async () => {
  const status = await kiosk?.close()
  await shop?.close()
  clock?.close()
  expect(status).toBe(0)
})

const onScreen = (screen: string) =>
  expectPage(page.locator(`[data-screen="${screen}"]`)).toBeVisible({ timeout: 20_000 })
const touch = (action: string) => page.locator(`[data-action="${action}"]`).first().click()

const choose = async (itemId: string) => {
  await onScreen('attract')
  await touch('start')
  await buy(itemId)
}
const buy = async (itemId: string) => {
  await page.locator(`[data-action="open"][data-item-id="${itemId}"]`).click()
  await touch('buy')
  await onScreen('pay')
}
const insert = (card: TestCard, tear?: Tear) => plugIntoVpcd({ port: virtualReaders[0].port, purse: card.purse, tear })

const payments = () => {
  const ledger = new Database(ledgerPath(shop.dataDir), { readonly: true })
  try {
    return ledger.prepare("SELECT state, goods FROM intent WHERE type = 'payment' ORDER BY terminal_seq").all()
  } finally {
    ledger.close()
  }
}
/** After its page was taken away; Playwright's own page is of no more use. */
const theNextPage = async (screen: string) => {
  await expectPage(async () => {
    page = await kiosk.reattach()
    await expectPage(page.locator(`[data-screen="${screen}"]`)).toBeVisible({ timeout: 2000 })
  }).toPass()
}

test('a page that hangs while a payment is in doubt comes back to what main did meanwhile, paid once', async () => {
  const card = await shop.makeCard(500)
  await choose('story')
  await insert(card, 'after').closed
  await onScreen('recover')
  const crashed = page.waitForEvent('crash', { timeout: 20_000 })
  page.evaluate('for (;;);').catch(() => {})
  // The customer does as he was told; nothing on the screen moves.
  const again = insert(card)
  await clock.passWithoutPage(20_000)
  await crashed
  await theNextPage('approved')
  await touch('show-goods')
  await onScreen('goods')
  await expectPage(page.locator('[data-screen="goods"]')).toContainText('told to nobody else')
  // Goods that end their page do not end the next one: it has their claim.
  const session = await page.context().newCDPSession(page)
  session.send('Page.crash').catch(() => {})
  await page.waitForEvent('crash')
  await theNextPage('goods')
  await expectPage(page.locator('[data-screen="goods"] [data-claim-url]')).toBeVisible()
  await expectPage(page.locator('[data-screen="goods"]')).not.toContainText('told to nobody else')
  await again.pull()
  await touch('finish')
  await onScreen('attract')
  expect(card.state).toMatchObject({ balanceMinor: 450, counter: 2 })
  expect(payments()).toEqual([{ state: 'captured', goods: 'released' }])
})

test('a page that has grown is begun anew when nobody is in front of it', async () => {
  await choose('story')
  const crashed = page.waitForEvent('crash', { timeout: 60_000 })
  await page.evaluate('window.hoard = Array.from({ length: 40 }, () => new Array(1_000_000).fill(0.5)); undefined')
  // The customer stays in front of it for two beats and more, and keeps his screen.
  await page.evaluate('new Promise((resolve) => setTimeout(resolve, 4500))')
  await onScreen('pay')
  await touch('cancel')
  await crashed
  await theNextPage('attract')
  expect(await page.evaluate("'hoard' in window")).toBe(false)
}, 90_000)

/** All that a page may keep something in; and the mood that its customer left it in. */
const keptByPage = () =>
  page.evaluate<Record<string, unknown>>(`(async () => ({
    storage: [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie],
    caches: await caches.keys(),
    databases: await indexedDB.databases(),
    frames: document.querySelectorAll('iframe, audio, video, canvas').length,
    language: document.documentElement.lang,
    contrast: document.documentElement.dataset.contrast,
  }))()`)

/** All that the page's own code still reaches from its root: React's trees, the engine's state. */
const reached = () =>
  page.evaluate<string>(`(() => {
    const root = document.querySelector('#root, #app, body > div')
    const waiting = Object.entries(root).filter(([name]) => name.startsWith('__react')).map(([, value]) => value)
    if (waiting.length === 0) throw new Error('React keeps its root elsewhere now')
    const known = new Set(waiting)
    const texts = new Set()
    const take = (value) => {
      if (typeof value === 'string') texts.add(value)
      else if (value !== null && typeof value === 'object' && !known.has(value)) {
        known.add(value)
        waiting.push(value)
      }
    }
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (next === window || next === document) continue
      if (typeof next.getState === 'function') take(next.getState())
      if (next instanceof Map) for (const pair of next) take(pair)
      else if (next instanceof Set) for (const value of next) take(value)
      else for (const name of Object.getOwnPropertyNames(next)) {
        const { value } = Object.getOwnPropertyDescriptor(next, name)
        take(value)
      }
    }
    if (!texts.has('Old Town Station')) throw new Error('not even the present state was reached')
    return [...texts].join(' ')
  })()`)

test('nothing of the last customer remains', async () => {
  const card = await shop.makeCard(1500)
  const nobody = await keptByPage()
  const empty = insert(await shop.makeCard(10))
  await onScreen('balance')
  await empty.pull()
  await touch('top-up')
  for (const key of voucher) await page.locator(`[data-action="code-key"][data-key="${key}"]`).click()
  expect(await reached()).toContain(voucher)
  await touch('cancel')
  await onScreen('attract')
  await page.locator('[data-action="language"][data-language="de"]').first().click()
  await onScreen('catalogue')
  await buy('wifi')
  const plug = insert(card)
  await onScreen('approved')
  await touch('show-goods')
  await expectPage(page.locator('[data-screen="goods"]')).toContainText(code)
  const claimUrl = (await page.locator('[data-claim-url]').first().getAttribute('data-claim-url')) ?? ''
  expect(claimUrl).toContain('/c#')
  await plug.pull()
  await touch('finish')
  await onScreen('attract')
  await choose('story')
  const second = insert(card)
  await onScreen('approved')
  await touch('show-goods')
  await expectPage(page.locator('[data-screen="goods"]')).toContainText('told to nobody else')
  const goods = await page.evaluate<string[]>(
    "performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.includes('/goods/'))",
  )
  expect(goods.length).toBeGreaterThan(0)
  await second.pull()
  await touch('finish')
  await onScreen('attract')

  expect(await keptByPage()).toEqual(nobody)
  const secrets = [
    voucher,
    code,
    'told to nobody else',
    claimUrl.split('#')[1] ?? '',
    card.id.slice(-4),
    '13.50',
    '14.00',
  ]
  const html = await page.content()
  for (const secret of secrets) expect(html).not.toContain(secret)
  // Main gives the goods to nobody any more, and its page cannot have kept an address that still works.
  const statuses = await page.evaluate<number[]>(
    `Promise.all(${JSON.stringify(goods)}.map((url) => fetch(url).then(({ status }) => status)))`,
  )
  expect(statuses).toEqual(goods.map(() => 404))
  const state = await reached()
  for (const secret of secrets) expect(state).not.toContain(secret)
  for (const secret of [...secrets, card.id]) expect(kiosk.errorOutput()).not.toContain(secret)
  // The browser's profile holds nothing that was bought.
  const profile = filesBelow(profileFolder())
  expect(profile.length).toBeGreaterThan(0)
  for (const secret of secrets) expect(profile.filter((bytes) => bytes.includes(secret))).toEqual([])
})

test('customers come and go until the night: time brings each screen back, and leaves the page as large as it was', async () => {
  await clock.follow(page)
  const watched = await watchPage(page)
  const mainPid = kiosk.process.pid ?? 0
  const customers = 8
  const held: Awaited<ReturnType<typeof heldNow>>[] = []
  const day = {
    ...{ shop, page: watched, clock, customers, random: seededNumbers(1), itemId: 'story', priceMinor: 50 },
    ...{ opensMs: at(21, 40), closesMs: at(21, 53), away: { fromMs: at(21, 44), untilMs: at(21, 46) } },
    onCustomer: async () => {
      held.push(await heldNow(watched.session, mainPid))
    },
  }
  await runDay(day)
  const [warm, later] = [held[3], held.at(-1)]
  if (warm === undefined || later === undefined) throw new Error('no customers')
  expect(later.nodes - warm.nodes).toBeLessThan(50)
  expect(later.listeners - warm.listeners).toBeLessThan(10)
  expect(later.documents).toBe(warm.documents)
  await sleep(day, { restsMs: at(22, 5) })
}, 60_000)

/** Electron's lies with the terminal's data, the stand-in's among the temporary files (chromium/browser.ts). */
const profileFolder = (): string => {
  if (process.env.FARTHING_ELECTRON === '1') return path.join(shop.dataDir, 'window')
  const prefix = `${profilePrefix}${kiosk.process.pid}-`
  const name = readdirSync(tmpdir()).find((each) => each.startsWith(prefix))
  if (name === undefined) throw new Error(`no folder ${prefix}*: where does Chromium keep its profile?`)
  return path.join(tmpdir(), name)
}

const filesBelow = (folder: string): Buffer[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name)))
