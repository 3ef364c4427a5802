/**
 * Every screen in real Chromium, in three cabinets, by millimetre: capitals and targets are large enough, nothing
 * stands outside of the screen, and what must be pressed can be. Slow: it draws some two hundred screens.
 */
import { createRequire } from 'node:module'
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
/** Of one cabinet, seen in one way. `axe`: also by axe-core's rules (WCAG 2.2 AA and its best practices). */
interface Mode {
  readonly mode: string
  readonly query: string
  readonly axe?: true
}
const everywhere: readonly Mode[] = [
  { mode: 'Traditional Chinese', query: '&language=zh-Hant' },
  { mode: 'German, large type, offline, reader on the right', query: '&language=de&large&offline&reader=right' },
  {
    mode: 'Arabic, contrast, many items, reader on the left',
    query: '&language=ar&contrast&many&reader=left&item=long',
  },
]
const arabicHeard: Mode = { mode: 'Arabic, large type, spoken', query: '&language=ar&large&speech&offline', axe: true }
/** The test command takes what differs most; FARTHING_SOAK=1 everything everywhere. */
const soak = process.env.FARTHING_SOAK === '1'
/** In the largest cabinet every comfort in both directions of writing. */
const modesOf: Readonly<Record<string, readonly Mode[]>> = {
  portrait: [
    { mode: 'English, contrast, spoken', query: '&contrast&speech', axe: true },
    { mode: 'German, large type, within reach', query: '&language=de&large&reach', axe: true },
    { mode: 'Arabic, within reach, contrast', query: '&language=ar&reach&contrast&many&item=long', axe: true },
    ...(soak ? [{ mode: 'English', query: '', axe: true } as const, arabicHeard, ...everywhere] : []),
  ],
  landscape: [
    ...(soak ? everywhere : everywhere.slice(1, 2)),
    { mode: 'Arabic, within reach, spoken', query: '&language=ar&reach&speech', axe: true },
  ],
  small: [
    ...(soak ? everywhere : everywhere.slice(0, 2)),
    ...(soak ? [{ mode: 'Spanish, spoken', query: '&language=es&speech', axe: true } as const] : []),
    arabicHeard,
  ],
}
/** Without these a screen would be a dead end. By fixture, else by screen. */
const wayOn: Readonly<Record<string, readonly string[]>> = {
  attract: ['start', 'language', 'contrast', 'large-type'],
  catalogue: ['back', 'open', 'languages'],
  item: ['back', 'buy'],
  pay: ['cancel'],
  approved: ['show-goods'],
  'approved-owed': ['finish'],
  goods: ['finish'],
  declined: ['finish', 'browse'],
  recover: ['finish'],
  balance: ['finish'],
  'out-of-service': [],
  operator: ['operator-leave', 'stay'],
}
/** Refusals differ in words alone: the others are drawn where room is least. */
const refusalsEverywhere = ['declined-balanceTooLow', 'declined-notAPurse']

function drawn(cabinet: string, { axe }: Mode): readonly string[] {
  const allRefusals = cabinet.startsWith('small') && axe === undefined
  return Object.keys(screens).filter(
    (name) => allRefusals || !name.startsWith('declined') || refusalsEverywhere.includes(name),
  )
}

const section = (name: string, ...actions: readonly string[]) => [
  'operator-open',
  `[data-section-name="${name}"]`,
  ...actions.map((action) => `[data-action="${action}"]`),
]
/** What no state of main shows by itself: a screen, and what is pressed there. */
const reached: readonly (readonly string[])[] = [
  ['catalogue', '[data-action="languages"]'],
  section('today'),
  section('dayClose', 'operator-day-close'),
  section('receipts', 'operator-receipt', 'operator-refund'),
  section('load'),
  section('stock'),
  section('exchange', 'operator-export'),
  section('tests', 'operator-choose'),
  section('device', 'operator-close'),
  section('logs'),
]
/** Where they are opened, and whether axe looks at them there: where room is least, and in the other direction of writing. */
const reachedIn: Readonly<Record<string, { readonly axe: boolean }>> = {
  'Spanish, spoken': { axe: true },
  'Arabic, large type, spoken': { axe: true },
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

const axeSource: string = createRequire(import.meta.resolve('@axe-core/playwright'))('axe-core').source

/** Runs in the page: what axe-core finds wrong. */
async function axeFindings(): Promise<readonly string[]> {
  const { axe } = window as unknown as {
    axe: {
      run: (context: object, options: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>
    }
  }
  const { violations } = await axe.run(document, { resultTypes: ['violations'], iframes: false })
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' ')}`)
}

interface Floors {
  readonly capital: number
  readonly target: number
  readonly inkOfType: number
  readonly codeMin: number
}
/** All in millimetres but for the part of the type size; a phone reads a code of 22 from where one stands. */
const floors: Floors = { capital: capitalMmMin, target: targetMmMin, inkOfType: capitalOfType, codeMin: 22 }

/** Runs in the page: what a customer could not read, hit or reach. */
function faultsOnScreen({ capital, target, inkOfType, codeMin }: Floors) {
  const millimetre = Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--millimetre'))
  const faults: string[] = []
  const scrollerOf = (element: Element) =>
    element.closest(
      '.receipt-price, .shelf, .rail, .movements ol, .purse, .refusal, .item-text, .article, .transcript-text, .operator-home, .operator-scroll',
    )
  const scrolls = (element: Element) => scrollerOf(element) !== null
  for (const button of document.querySelectorAll('button')) {
    const { width, height, left, right, top, bottom } = button.getBoundingClientRect()
    const name = button.dataset.action
    // Left out where room is least.
    if (button.getClientRects().length === 0) continue
    if (width / millimetre < target || height / millimetre < target) faults.push(`${name} is too small to hit`)
    if (left < -1 || right > innerWidth + 1) faults.push(`${name} stands beside the screen`)
    if ((top < -1 || bottom > innerHeight + 1) && !scrolls(button))
      faults.push(`${name} stands above or below the screen`)
  }
  const seen: { readonly text: string; readonly box: DOMRect }[] = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const { parentElement, textContent } = texts.currentNode
    if (parentElement === null || parentElement.closest('svg, script, style, .unseen') !== null || !textContent?.trim())
      continue
    const { clipPath, visibility } = getComputedStyle(parentElement)
    // What drifts by, what is written for a voice alone, and what keeps its place.
    if (parentElement.closest('.attract-covers, [data-receipt] .figure') !== null) continue
    if (clipPath !== 'none' || visibility === 'hidden') continue
    const height = (Number.parseFloat(getComputedStyle(parentElement).fontSize) * inkOfType) / millimetre
    if (height < capital) faults.push(`"${textContent}" is too small to read`)
    const range = document.createRange()
    range.selectNodeContents(texts.currentNode)
    const box = range.getBoundingClientRect()
    if (box.height === 0) continue
    const inScroller = scrolls(parentElement)
    if (!inScroller) seen.push({ text: textContent, box })
    if (box.left < -1 || box.right > innerWidth + 1) faults.push(`"${textContent}" stands beside the screen`)
    // What is in the middle of too little room stands out of it above and below.
    const room = parentElement.closest('.screen-body')?.getBoundingClientRect()
    // Its box is higher than its line.
    const air = (height * millimetre) / 2
    if (room !== undefined && !inScroller && (box.top < room.top - air || box.bottom > room.bottom + air))
      faults.push(`"${textContent}" stands above or below its place`)
  }
  // What is never to be looked for: the price, what was paid or was not, and the way on.
  for (const element of document.querySelectorAll(
    'h1.display, .shelf li:first-child .card-price, .item-price strong, .item-do button, .tap-price, .not-charged, .refusal-words strong, .instead button, .purse .display, .purse-do button',
  )) {
    if (element.getClientRects().length === 0) continue
    const box = element.getBoundingClientRect()
    const room = (scrollerOf(element) ?? document.body).getBoundingClientRect()
    if (box.top < room.top - 1 || box.bottom > room.bottom + 1)
      faults.push(`"${element.textContent}" is seen only after scrolling`)
  }
  // A text in another direction than the page begins where the page's own do.
  for (const element of document.querySelectorAll('.content-text')) {
    const { display, direction, textAlign } = getComputedStyle(element)
    if (direction !== document.documentElement.dir && display !== 'inline' && /^(start|auto)$/.test(textAlign))
      faults.push(`"${element.textContent}" stands at the other side`)
  }
  for (const mark of document.querySelectorAll('.shelf .mark'))
    if (mark.scrollWidth > mark.clientWidth + 1) faults.push(`"${mark.textContent}" is cut`)
  const body = document.querySelector('.screen-body')
  if (body !== null && body.scrollHeight > body.clientHeight + 2) faults.push('the body does not fit')
  for (const code of document.querySelectorAll('.qr')) {
    const { left, right, top, bottom } = code.getBoundingClientRect()
    if ((right - left) / millimetre < codeMin) faults.push('a code is too small to scan')
    const frame = code.closest('.goods-shown, .goods-side')?.getBoundingClientRect()
    if (frame !== undefined && (top < frame.top - 1 || bottom > frame.bottom + 1)) faults.push('a code is cut')
    for (const { text, box } of seen)
      if (box.left < right && box.right > left && box.top < bottom - 2 && box.bottom > top + 2)
        faults.push(`"${text}" stands on a code`)
  }
  return faults
}

describe.each(cabinets)('$name', ({ name: cabinet, width, height, diagonalMm }) => {
  it.each(modesOf[cabinet.split(',')[0] ?? ''] ?? [])(
    '$mode: every screen can be read and left',
    async (way) => {
      const { mode, query, axe } = way
      const page = await harness.browser.newPage({ viewport: { width, height }, reducedMotion: 'reduce' })
      const broken: string[] = []
      page.on('pageerror', (error) => broken.push(error.message))
      await page.goto(`${harness.url}?diagonal=${diagonalMm}${query}`)
      await page.waitForSelector('[data-screen]')
      await page.evaluate(() => document.fonts.ready)
      if (axe) await page.evaluate(axeSource)
      for (const name of drawn(cabinet, way)) {
        const main = screens[name]?.().name
        const shown = main === undefined || main === 'browse' ? name : main
        await page.evaluate((wanted) => window.show?.(wanted), name)
        await page.waitForSelector(`[data-screen="${shown}"]`)
        expect.soft(await page.evaluate(faultsOnScreen, floors), name).toEqual([])
        if (axe) expect.soft(await page.evaluate(axeFindings), name).toEqual([])
        if (working.has(name)) expect(await page.locator('main button').count(), name).toBe(0)
        else
          for (const action of wayOn[name] ?? wayOn[shown] ?? [])
            expect(await page.locator(`[data-action="${action}"]`).count(), `${name}: ${action}`).toBeGreaterThan(0)
      }
      const opened = reachedIn[mode]
      for (const [name = '', ...presses] of opened === undefined ? [] : reached) {
        // Operator mode forgets with its screen which section was open.
        await page.evaluate(() => window.show?.('attract'))
        await page.waitForSelector('[data-screen="attract"]')
        await page.evaluate((wanted) => window.show?.(wanted), name)
        for (const selector of presses) await page.locator(selector).first().click()
        const where = presses.join(' ')
        expect.soft(await page.evaluate(faultsOnScreen, floors), where).toEqual([])
        if (opened?.axe) expect.soft(await page.evaluate(axeFindings), where).toEqual([])
      }
      expect(broken).toEqual([])
      await page.close()
    },
    timeoutMs,
  )
})

describe('a full shelf', { timeout: timeoutMs }, () => {
  it.each(cabinets)('can be read, searched and bought from on $name', async ({ width, height, diagonalMm }) => {
    const page = await harness.browser.newPage({ viewport: { width, height }, reducedMotion: 'reduce' })
    await page.goto(`${harness.url}?stocked&screen=catalogue&language=de&large&diagonal=${diagonalMm}`)
    await page.evaluate(() => document.fonts.ready)
    const faults = async (where: string) => expect.soft(await page.evaluate(faultsOnScreen, floors), where).toEqual([])
    const press = (selector: string) => page.locator(selector).first().click()
    await faults('everything')
    await press('[data-key="tickets"]')
    await faults('one shelf')
    await press('[data-item-id="museum-ticket"]')
    await page.locator('.item .mark-strong').getByText('Ausverkauft').waitFor()
    await faults('sold out')
    await press('[data-action="back"]')
    await press('[data-action="search"]')
    for (const letter of 'weinq') await press(`[data-action="letter"][data-key="${letter}"]`)
    await press('[data-action="everything"]')
    await press('[data-action="search"]')
    for (const letter of 'weim') await press(`[data-action="letter"][data-key="${letter}"]`)
    await press('[data-action="letter-back"]')
    await faults('search')
    await press('[data-item-id="wine-tasting"]')
    await press('[data-action="buy"]')
    await faults('age')
    await press('[data-action="not-of-age"]')
    expect(await page.evaluate(() => window.asked?.())).toEqual([])
    await press('[data-action="buy"]')
    await press('[data-action="of-age"]')
    expect(await page.evaluate(() => window.asked?.())).toEqual(['buy wine-tasting at 18'])
    await page.close()
  })
})

describe('a customer', { timeout: customerTimeoutMs }, () => {
  const open = async (query: string) => {
    const page = await harness.browser.newPage({
      viewport: { width: 1080, height: 1920 },
      hasTouch: true,
      reducedMotion: 'reduce',
    })
    await page.goto(`${harness.url}?${query}`)
    await page.waitForSelector('[data-screen]')
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

  /** Presses keys as a keypad sends them, and says what has the focus then. */
  const type = async (page: Page, ...keys: readonly string[]) => {
    for (const key of keys) await page.keyboard.press(key)
    return page.evaluate(() => {
      const now = document.activeElement
      return now instanceof HTMLElement ? (now.dataset.itemId ?? now.dataset.action ?? now.tagName.toLowerCase()) : ''
    })
  }
  const transcript = (page: Page) => page.locator('.transcript-text')

  it('comes with twelve keys and in words from the start to the goods', async () => {
    const page = await open('screen=attract')
    const shown = (name: string) => page.evaluate((wanted) => window.show?.(wanted, { keep: true }), name)
    expect(await type(page, '0', '8')).toBe('start')
    await transcript(page).getByText('Touch to start button').waitFor()
    expect(await type(page, '5')).toBe('h1')
    await transcript(page).getByText('What would you like?').waitFor()
    expect(await type(page, '8', '6')).toBe('penny-post')
    expect(await type(page, '4')).toBe('walking-map')
    await transcript(page).getByText('Walking map of the old town').waitFor()
    await type(page, '5')
    // Back, and to the same place as before.
    expect(await type(page, '*')).toBe('walking-map')
    await type(page, '5')
    await page.locator('[data-action="buy"]').focus()
    await type(page, '5')
    await shown('pay')
    await transcript(page).getByText('Hold your card to the reader').waitFor()
    await shown('pin')
    await transcript(page).getByText('2 digits entered').waitFor()
    await type(page, '9', '*', '#')
    await page.locator('[data-key="7"]').focus()
    await transcript(page).getByText('A digit').waitFor()
    expect(await transcript(page).innerText()).not.toMatch(/[79]/)
    await shown('approved')
    await transcript(page).getByText('You paid €2.50').waitFor()
    await transcript(page).getByText('Left on your card €7.50').waitFor()
    expect(await type(page, '8')).toBe('show-goods')
    await type(page, '5')
    await shown('goods-code')
    expect(await type(page, '*')).toBe('finish')
    await type(page, '*')
    expect(await asked(page)).toEqual([...['buy walking-map', 'pinKey 9', 'pinKey back'], ...['showGoods', 'finish']])
    await page.close()
  })

  it('types a voucher by figures and finds its letters with four keys', async () => {
    const page = await open('screen=top-up&speech')
    await type(page, '1', '2', '#')
    await transcript(page).getByText('Letters:').waitFor()
    await page.locator('[data-key="1"]').focus()
    await type(page, '8', '5', '#', '5')
    expect(await page.locator('.code-entered').innerText()).toMatch(/^1\s*2\s*A\s*5$/)
    await type(page, '*', '*', '*', '*', '*')
    expect(await asked(page)).toEqual(['cancel'])
    // The letters stand from left to right on an Arabic page, too, and the keys go as they stand.
    await page.goto(`${harness.url}?screen=top-up&language=ar`)
    await page.locator('[data-key="B"]').focus()
    await type(page, '#', '6')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-key'))).toBe('C')
    await page.close()
  })

  it('is never caught: Tab stays in a dialog, star leaves it, and the focus is where it was', async () => {
    const page = await open('screen=catalogue')
    await page.locator('[data-action="languages"]').focus()
    expect(await type(page, '5')).toBe('language')
    for (let i = 0; i < 12; i += 1) await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.closest('[role="dialog"]') !== null)).toBe(true)
    expect(await type(page, '*')).toBe('languages')
    // Round the whole screen, by one key, to where it began.
    const seen = new Set<string>()
    for (let i = 0; i < 9; i += 1) seen.add(await type(page, '6'))
    expect(seen.size).toBe(9)
    expect(seen).toContain('languages')
    await page.close()
  })

  it('hears a code only when he comes to it', async () => {
    const page = await open('screen=goods-code&speech')
    await transcript(page).getByText('Your code').waitFor()
    expect(await transcript(page).innerText()).not.toContain('KESTREL')
    await page.locator('.code').focus()
    await transcript(page).getByText('KESTREL').waitFor()
    await page.close()
  })

  it('is asked in time, and gets more with one key', async () => {
    const page = await open('screen=pay-late')
    await page.getByText('This ends soon.').waitFor()
    await page.locator('[data-action="stay"]').focus()
    await type(page, '5')
    expect(await asked(page)).toEqual(['stay'])
    // Main gave none: it is not offered again.
    await page.locator('[data-action="stay"]').waitFor({ state: 'detached' })
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

  it('is told where help is before he needs it, and wherever he is turned away', async () => {
    const page = await open('screen=attract')
    for (const screen of ['attract', 'out-of-service', 'declined-hotlisted', 'top-up-failed', 'balance-empty']) {
      await page.evaluate((name) => window.show?.(name), screen)
      await page.getByText('Help: \u2068Station desk, 030 1234567\u2069').waitFor()
    }
    await page.close()
  })

  it('is heard by main on every screen of a sale', async () => {
    const page = await open('screen=pay')
    await press(page, 'cancel')
    for (const [screen, action] of [
      ['approved', 'show-goods'],
      ['approved', 'print-receipt'],
      ['balance', 'collect'],
      ['balance', 'top-up'],
      ['declined-balanceTooLow', 'buy'],
      ['declined-timeout', 'retry'],
      ['goods-code', 'finish'],
    ] as const) {
      await page.evaluate((name) => window.show?.(name), screen)
      await press(page, action)
    }
    expect(await asked(page)).toEqual([
      ...['cancel', 'showGoods', 'printReceipt', 'collect 9', 'topUp', 'buy wifi-day', 'buy walking-map', 'finish'],
    ])
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

  it('whose card can never pay is asked for another one, and any other to try again', async () => {
    const page = await open('screen=declined-hotlisted')
    const retry = page.locator('[data-action="retry"]')
    await retry.getByText('Another card').waitFor()
    await page.evaluate((name) => window.show?.(name), 'declined-pinWrong')
    await retry.getByText('Try again').waitFor()
    await page.close()
  })

  it('who works here is led back step by step, out of a section last, and is told what a test printed', async () => {
    const page = await open('screen=operator-open')
    await page.locator('[data-section-name="receipts"]').tap()
    const back = () => press(page, 'operator-back')
    await press(page, 'operator-receipt')
    await page.getByText('Left on the card').waitFor()
    await press(page, 'operator-refund')
    await press(page, 'operator-refund-own')
    await back()
    await page.locator('[data-action="operator-refund-own"]').waitFor()
    await back()
    await page.locator('[data-action="operator-refund"]').waitFor()
    await back()
    await page.locator('[data-action="operator-receipt"]').first().waitFor()
    await back()
    await page.locator('.operator-home').waitFor()
    await page.locator('[data-section-name="tests"]').tap()
    await press(page, 'operator-choose')
    await page.locator('[data-action="operator-test-sale"]').first().tap()
    await page.locator('.operator-said').getByText('This kiosk has no printer.').waitFor()
    await page.close()
  })

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
    const shelf = page.locator('.shelf')
    await shelf.evaluate((element) => element.scrollTo(0, element.scrollHeight))
    await page.locator('[data-item-id="item-999"]').waitFor()
    expect(await page.locator('.shelf li').count()).toBeLessThan(40)
    await shelf.evaluate((element) => element.scrollTo(0, 0))
    for (let turn = 0; turn < 3; turn += 1) await press(page, 'page-down')
    await page.locator('[data-item-id="item-8"]').waitFor()
    await page.close()
  })
})
