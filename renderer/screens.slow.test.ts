/**
 * Every screen in real Chromium, in three cabinets, by millimetre: capitals and targets are large enough, nothing
 * stands outside of the screen, and what must be pressed can be. Slow: it draws some two hundred screens.
 */
import type { Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { screens } from './dev/fixtures.ts'
import type {} from './dev/harness.tsx'
import { type Harness, openHarness } from './dev/test-browser.ts'
import { capitalMmMin, capitalOfType, targetMmMin } from './sizes.ts'

const cabinets = [
  { name: 'portrait, 21.5 inch', width: 1080, height: 1920, diagonalMm: 546 },
  { name: 'landscape, 21.5 inch', width: 1920, height: 1080, diagonalMm: 546 },
  { name: 'small, 10.1 inch', width: 1024, height: 600, diagonalMm: 257 },
]
const modes = [
  { mode: 'Traditional Chinese', query: '&language=zh-Hant' },
  { mode: 'German, large type, offline, reader on the right', query: '&language=de&large&offline&reader=right' },
  {
    mode: 'Arabic, contrast, many items, reader on the left',
    query: '&language=ar&contrast&many&reader=left&item=long',
  },
]
/** Without these a screen would be a dead end. */
const wayOn: Readonly<Record<string, readonly string[]>> = {
  attract: ['start', 'language', 'contrast', 'large-type'],
  catalogue: ['back', 'open', 'languages'],
  item: ['back', 'buy'],
  pay: ['cancel'],
  approved: ['show-goods'],
  goods: ['finish'],
  declined: ['finish', 'browse'],
  recover: ['finish'],
  balance: ['finish'],
  'out-of-service': [],
}
/** Refusals differ in words alone: the others are drawn where room is least. */
const refusalsEverywhere = ['declined-balanceTooLow', 'declined-notAPurse']

function drawn(cabinet: string): readonly string[] {
  return Object.keys(screens).filter(
    (name) => cabinet.startsWith('small') || !name.startsWith('declined') || refusalsEverywhere.includes(name),
  )
}
/** The card works: there is nothing to press. */
const working = new Set(['pay-working', 'recover-working'])
const timeoutMs = 120_000
const customerTimeoutMs = 30_000

let harness: Harness

beforeAll(async () => {
  harness = await openHarness()
}, timeoutMs)

afterAll(() => harness.close())

/** Runs in the page: what a customer could not read, hit or reach. */
function faultsOnScreen({ capital, target, inkOfType }: { capital: number; target: number; inkOfType: number }) {
  const millimetre = Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--millimetre'))
  const faults: string[] = []
  const scrolls = (element: Element) =>
    element.closest('.shelf, .movements ol, .purse, .refusal, .item-text, .article') !== null
  for (const button of document.querySelectorAll('button')) {
    const { width, height, left, right, top, bottom } = button.getBoundingClientRect()
    const name = button.dataset.action
    if (width / millimetre < target || height / millimetre < target) faults.push(`${name} is too small to hit`)
    if (left < -1 || right > innerWidth + 1) faults.push(`${name} stands beside the screen`)
    if ((top < -1 || bottom > innerHeight + 1) && !scrolls(button))
      faults.push(`${name} stands above or below the screen`)
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const { parentElement, textContent } = texts.currentNode
    if (parentElement === null || parentElement.closest('svg, script, style') !== null || !textContent?.trim()) continue
    const height = (Number.parseFloat(getComputedStyle(parentElement).fontSize) * inkOfType) / millimetre
    if (height < capital) faults.push(`"${textContent}" is too small to read`)
    const range = document.createRange()
    range.selectNodeContents(texts.currentNode)
    const { left, right } = range.getBoundingClientRect()
    if (left < -1 || right > innerWidth + 1) faults.push(`"${textContent}" stands beside the screen`)
  }
  const body = document.querySelector('.screen-body')
  if (body !== null && body.scrollHeight > body.clientHeight + 2) faults.push('the body does not fit')
  return faults
}

describe.each(cabinets)('$name', ({ name: cabinet, width, height, diagonalMm }) => {
  it.each(modes)(
    '$mode: every screen can be read and left',
    async ({ query }) => {
      const page = await harness.browser.newPage({ viewport: { width, height }, reducedMotion: 'reduce' })
      const broken: string[] = []
      page.on('pageerror', (error) => broken.push(error.message))
      await page.goto(`${harness.url}?diagonal=${diagonalMm}${query}`)
      await page.waitForSelector('[data-screen]')
      await page.evaluate(() => document.fonts.ready)
      for (const name of drawn(cabinet)) {
        const main = screens[name]?.().name
        const shown = main === undefined || main === 'browse' ? name : main
        await page.evaluate((wanted) => window.show?.(wanted), name)
        await page.waitForSelector(`[data-screen="${shown}"]`)
        const faults = await page.evaluate(faultsOnScreen, {
          capital: capitalMmMin,
          target: targetMmMin,
          inkOfType: capitalOfType,
        })
        expect(faults, name).toEqual([])
        if (working.has(name)) expect(await page.locator('button').count(), name).toBe(0)
        else
          for (const action of wayOn[shown] ?? [])
            expect(await page.locator(`[data-action="${action}"]`).count(), `${name}: ${action}`).toBeGreaterThan(0)
      }
      expect(broken).toEqual([])
      await page.close()
    },
    timeoutMs,
  )
})

describe('a customer', { timeout: customerTimeoutMs }, () => {
  const open = async (query: string) => {
    const page = await harness.browser.newPage({
      viewport: { width: 1080, height: 1920 },
      hasTouch: true,
      reducedMotion: 'reduce',
    })
    await page.goto(`${harness.url}?${query}`)
    return page
  }
  const press = (page: Page, action: string) => page.locator(`[data-action="${action}"]`).first().tap()
  const asked = (page: Page) => page.evaluate(() => window.asked?.())

  it('comes with three touches from the start to the reader', async () => {
    const page = await open('screen=attract')
    await press(page, 'start')
    await page.locator('[data-action="open"][data-item-id="walking-map"]').tap()
    await press(page, 'buy')
    expect(await asked(page)).toEqual(['buy walking-map'])
    await page.close()
  })

  it('reads German from the first screen on, and the next one English again', async () => {
    const page = await open('screen=attract')
    await page.locator('[data-action="language"][data-language="de"]').tap()
    await page.getByRole('heading', { name: 'Was darf es sein?' }).waitFor()
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('de')
    await press(page, 'contrast')
    await press(page, 'large-type')
    expect(await page.evaluate(() => document.documentElement.dataset.contrast)).toBe('high')
    await press(page, 'back')
    await page.getByText('Touch to start').waitFor()
    expect(await page.evaluate(() => document.documentElement.dataset.contrast)).toBe('normal')
    await page.close()
  })

  it('is heard by main on every screen of a sale', async () => {
    const page = await open('screen=pay')
    await press(page, 'cancel')
    for (const [screen, action] of [
      ['approved', 'show-goods'],
      ['balance', 'collect'],
      ['declined-balanceTooLow', 'buy'],
      ['declined-timeout', 'retry'],
      ['goods-code', 'finish'],
    ] as const) {
      await page.evaluate((name) => window.show?.(name), screen)
      await press(page, action)
    }
    expect(await asked(page)).toEqual(['cancel', 'showGoods', 'collect 9', 'buy wifi-day', 'buy walking-map', 'finish'])
    await page.close()
  })

  it.each(['goods-pdf', 'goods-article', 'goods-picture', 'goods-code', 'goods-lost', 'goods-elsewhere', 'goods-bare'])(
    'is shown %s, or told how to get it',
    async (name) => {
      const page = await open(`screen=${name}`)
      await page.locator('[data-screen="goods"] [data-ready="true"]').first().waitFor()
      await page.close()
    },
  )

  it('never sees the trace of a fault: a calm page, which starts afresh', async () => {
    const page = await open('screen=attract')
    await page.evaluate(() => window.show?.('broken'))
    await page.getByText('One moment, please').waitFor()
    expect(await page.locator('body').innerText()).not.toMatch(/Error|NaN|undefined/)
    await page.locator('[data-screen="attract"]').waitFor({ timeout: 10_000 })
    await page.close()
  })

  it('can scroll through a thousand items', async () => {
    const page = await open('screen=catalogue&thousand')
    await page.locator('.shelf-end').scrollIntoViewIfNeeded()
    await page.locator('[data-item-id="item-30"]').waitFor()
    await page.close()
  })
})
