import { readFile } from 'node:fs/promises'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Item, unitItem } from '../protocol/item.ts'
import { unixTime } from '../protocol/quantities.ts'
import { publish } from './bulletin-publisher.ts'
import { addItem } from './catalogue.ts'
import { report } from './report.ts'
import { type RunningServer, serve } from './server.ts'
import { type Bench, newCard, newTerminal, now, openBench, type TestCard, type TestTerminal } from './test-support.ts'

const phone: BrowserContextOptions = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, locale: 'en-GB' }
const picturesFolder = process.env.FARTHING_PICTURES

let bench: Bench
let server: RunningServer
let browser: Browser
let kiosk: TestTerminal
let card: TestCard
let wifi: Item
let article: Item
let drawing: Item

beforeAll(async () => {
  bench = await openBench()
  const { issuer } = bench
  const add = async (given: Parameters<typeof addItem>[1]) => (await addItem(issuer, given)).item
  const text = (lines: string) => new TextEncoder().encode(lines)
  wifi = await add({
    file: { name: 'codes.txt', bytes: text('HARBOUR-4471-LARK\nHARBOUR-9920-WREN\n') },
    id: 'wifi-day',
    kind: 'code',
    priceMinor: 150,
    taxBasisPoints: 2000,
    title: { en: 'Harbour Wi-Fi, one day', de: 'Hafen-WLAN, ein Tag' },
    summary: { en: 'Fast internet along the whole quay.', de: 'Schnelles Internet am ganzen Kai.' },
  })
  article = await add({
    file: { name: 'bells.md', bytes: text('# The bells of the old town\n\nThey ring at noon.\n') },
    id: 'bells',
    priceMinor: 90,
    title: { en: 'The bells of the old town', de: 'Die Glocken der Altstadt' },
    summary: { en: 'Why they ring eleven minutes late.', de: 'Warum sie elf Minuten zu spät läuten.' },
  })
  drawing = await add({
    file: {
      name: 'quay.svg',
      bytes: text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 2"><rect width="4" height="2" fill="teal"/></svg>',
      ),
    },
    id: 'quay',
    priceMinor: 120,
    title: { en: 'The quay in 1890' },
  })
  await publish(issuer)
  kiosk = await newTerminal(issuer, 'Harbour Office')
  card = await newCard(issuer)
  await kiosk.load(card, 5000)
  server = await serve({ issuer, port: 0 })
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
}, 60_000)

afterAll(async () => {
  await browser.close()
  await server.close()
  await bench.close()
})

const urlOf = (claim: Uint8Array): string => `${server.publicUrl}/c#${Buffer.from(claim).toString('base64url')}`

const openPage = async (
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; troubles: string[] }> => {
  const context = await browser.newContext({ ...phone, ...options })
  const page = await context.newPage()
  const troubles: string[] = []
  page.on('pageerror', (error) => troubles.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) troubles.push(message.text())
  })
  await page.goto(url)
  await page.waitForSelector('body:not([data-state=loading])')
  return { page, troubles }
}

const keepPicture = async (page: Page, name: string): Promise<void> => {
  await page.evaluate('Promise.all(document.getAnimations().map((animation) => animation.finished))')
  if (picturesFolder !== undefined) await page.screenshot({ path: `${picturesFolder}/claim-${name}.png` })
}

describe('the claim page in a real Chromium (slow)', () => {
  it('shows the code, the same one each time, and books the sale once', async () => {
    const claim = kiosk.claim(card.pay(kiosk, unitItem(wifi, 'HARBOUR-4471-LARK')))
    for (const visit of [1, 2]) {
      const { page, troubles } = await openPage(urlOf(claim))
      expect(await page.locator('#code').textContent(), `visit ${visit}`).toBe('HARBOUR-4471-LARK')
      const text = await page.locator('main').innerText()
      expect(text).toContain('Harbour Wi-Fi, one day')
      expect(text).toContain('Harbour Office')
      expect(text).toContain('€1.50')
      expect(troubles).toEqual([])
      await keepPicture(page, 'code')
      await page.context().close()
    }
    const terminal = (await report(bench.issuer)).terminals.find(({ terminalId }) => terminalId === kiosk.id)
    expect(terminal?.taken).toEqual({ count: 1, amountMinor: 150 })
  })

  it('speaks German to a German phone, and copies the code', async () => {
    const claim = kiosk.claim(card.pay(kiosk, unitItem(wifi, 'HARBOUR-9920-WREN')))
    const { page } = await openPage(urlOf(claim), {
      locale: 'de-DE',
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    expect(await page.locator('h1').textContent()).toBe('Hafen-WLAN, ein Tag')
    expect(await page.locator('main').innerText()).toMatch(/1,50\s€/)
    await page.click('#copy')
    await page.waitForSelector('#copy:text("Kopiert")')
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('HARBOUR-9920-WREN')
    await page.click('summary')
    await keepPicture(page, 'code-de')
    await page.context().close()
  })

  it('opens and saves a document', async () => {
    const { page, troubles } = await openPage(urlOf(kiosk.claim(card.pay(kiosk, article))))
    await keepPicture(page, 'document')
    const saved = page.waitForEvent('download')
    await page.click('#save')
    const download = await saved
    expect(download.suggestedFilename()).toBe('bells.md')
    expect(await readFile(await download.path(), 'utf8')).toContain('They ring at noon.')
    const opened = page.context().waitForEvent('page')
    await page.click('#open')
    const reader = await opened
    await reader.waitForLoadState()
    expect(await reader.locator('body').innerText()).toContain('The bells of the old town')
    expect(troubles).toEqual([])
    await page.context().close()
  })

  it('shows a picture at once', async () => {
    const { page, troubles } = await openPage(urlOf(kiosk.claim(card.pay(kiosk, drawing))))
    await page.locator('img.picture').waitFor()
    await page.evaluate('document.querySelector("img.picture").decode()')
    expect(troubles).toEqual([])
    await keepPicture(page, 'picture')
    await page.context().close()
  })

  it('fits the narrowest phone', async () => {
    const { page } = await openPage(urlOf(kiosk.claim(card.pay(kiosk, article))), {
      viewport: { width: 320, height: 568 },
      locale: 'de-DE',
    })
    await page.click('summary')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
    expect(await page.evaluate('document.querySelector(".card").scrollLeft')).toBe(0)
    await keepPicture(page, 'narrow')
    await page.context().close()
  })

  it('says in plain words what is wrong with a claim', async () => {
    const payment = card.pay(kiosk, article)
    const genuine = kiosk.claim(payment)
    const forged = Uint8Array.from(genuine)
    forged[131] = (forged[131] ?? 0) ^ 1
    const expired = kiosk.claim(payment, unixTime(now - 1))
    const notLoaded = await newTerminal(bench.issuer, 'Harbour Office')
    const givenBack = card.pay(notLoaded, article)
    await notLoaded.sync(notLoaded.entry(givenBack), notLoaded.entry(card.reverse(givenBack)))
    const cases = [
      ['forged', urlOf(forged), 'notGenuine'],
      ['expired', urlOf(expired), 'expired'],
      ['cut', urlOf(genuine.subarray(0, 100)), 'incomplete'],
      ['no claim', `${server.publicUrl}/c`, 'incomplete'],
      ['given back', urlOf(notLoaded.claim(givenBack)), 'givenBack'],
    ] as const
    for (const [name, url, trouble] of cases) {
      const { page } = await openPage(url)
      expect(await page.locator('body').getAttribute('data-trouble'), name).toBe(trouble)
      expect(await page.locator('h1').count()).toBe(1)
      if (name === 'forged' || name === 'expired') await keepPicture(page, name)
      await page.context().close()
    }
  })

  it('says so when the issuer cannot be reached', async () => {
    const { page } = await openPage(`${server.publicUrl}/c`)
    await page.route('**/v1/claims', (route) => route.abort())
    await page.goto(urlOf(kiosk.claim(card.pay(kiosk, article))))
    await page.waitForSelector('body[data-trouble=offline]')
    await page.context().close()
  })
}, 60_000)
