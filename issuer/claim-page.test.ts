import { readFile } from 'node:fs/promises'
import { AxeBuilder } from '@axe-core/playwright'
import jsQR from 'jsqr'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Item, unitItem } from '../protocol/item.ts'
import { cardId, unixTime } from '../protocol/quantities.ts'
import { parseTicket, ticketNumber } from '../protocol/ticket.ts'
import { publish } from './bulletin-publisher.ts'
import { addItem } from './catalogue.ts'
import { nameTerminal } from './parties.ts'
import { report } from './report.ts'
import { type RunningServer, serve } from './server.ts'
import { setBrand } from './shelf/brand.ts'
import { setDisplay } from './shelf/shelf.ts'
import { type Bench, newCard, newTerminal, now, openBench, TestCard, type TestTerminal } from './test-support.ts'
import { makeTickets } from './tickets.ts'

const phone: BrowserContextOptions = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, locale: 'en-GB' }
const picturesFolder = process.env.FARTHING_PICTURES

const bridge =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 12" width="640" height="480"><path fill="#f3b23c" d="M0 0h16v12H0z"/><path fill="none" stroke="#12504c" d="M0 9q4-6 8 0q4-6 8 0"/></svg>'

let bench: Bench
let server: RunningServer
let browser: Browser
let kiosk: TestTerminal
let card: TestCard
let wifi: Item
let article: Item
let drawing: Item
let concert: Item
let tickets: readonly string[]
let film: Item
let map: Item

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
  tickets = makeTickets(issuer, 'concert', { count: 2, validFrom: now + 3600, validUntil: now + 90_000 })
  concert = await add({
    file: { name: 'tickets.txt', bytes: text(tickets.join('\n')) },
    id: 'concert',
    kind: 'ticket',
    priceMinor: 1250,
    taxBasisPoints: 1000,
    title: { en: 'Concert on the quay', de: 'Konzert am Kai', ar: 'حفلة على الرصيف' },
    summary: { en: 'Sunday at eight, standing.', ar: 'الأحد الساعة الثامنة، وقوفًا.' },
  })
  map = await add({
    file: { name: 'map.pdf', bytes: text(`%PDF-1.4 ${'a map '.repeat(40_000)}`) },
    id: 'walking-map',
    priceMinor: 250,
    taxBasisPoints: 1900,
    title: { en: 'A walking map of the old town and its eleven bridges', de: 'Wanderkarte der Altstadt' },
    summary: { en: 'Two hours, no stairs.' },
  })
  film = await add({
    file: { name: 'tide.mp3', bytes: text('not much of a sound') },
    id: 'tide',
    priceMinor: 80,
    title: { en: 'The tide, recorded', es: 'La marea, grabada' },
  })
  await setDisplay(issuer, 'walking-map', { picture: { name: 'bridge.svg', bytes: text(bridge) } })
  await publish(issuer)
  kiosk = await newTerminal(issuer, 'Harbour Office')
  await nameTerminal(issuer, { terminalId: kiosk.id, name: 'Pier 3', by: 'test' })
  card = await newCard(issuer)
  await kiosk.load(card, 20_000)
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
  if (picturesFolder !== undefined)
    await page.screenshot({ path: `${picturesFolder}/claim-${name}.png`, fullPage: true })
}

const faultsOf = async (page: Page) =>
  (await new AxeBuilder({ page }).analyze()).violations.map(({ id, nodes }) => [id, nodes[0]?.html])

/** What a phone's camera would read in a picture: it takes it in several sizes. */
const readInPage = async (page: Page, picture: Buffer): Promise<string | undefined> => {
  const reader = await page.context().newPage()
  await reader.setContent(`<img src="data:image/png;base64,${picture.toString('base64')}">`)
  const seen = await reader.evaluate<{ width: number; height: number; grey: string }[]>(`(async () => {
    const picture = document.querySelector('img')
    await picture.decode()
    return [400, 560, 800, 1200].map((widthMax) => {
      const scale = Math.min(1, widthMax / picture.naturalWidth)
      const canvas = new OffscreenCanvas(picture.naturalWidth * scale, picture.naturalHeight * scale)
      const context = canvas.getContext('2d')
      context.drawImage(picture, 0, 0, canvas.width, canvas.height)
      const { width, height, data } = context.getImageData(0, 0, canvas.width, canvas.height)
      const grey = Array.from({ length: width * height }, (_, at) => String.fromCharCode(data[4 * at])).join('')
      return { width, height, grey }
    })
  })()`)
  await reader.close()
  for (const { width, height, grey } of seen) {
    const pixels = Uint8ClampedArray.from({ length: 4 * grey.length }, (_, at) => grey.charCodeAt(at >> 2))
    const read = jsQR.default(pixels, width, height)?.data
    if (read !== undefined) return read
  }
  return undefined
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
    await keepPicture(page, 'code-de')
    await page.context().close()
  })

  it('has an article read here, and saved', async () => {
    const { page, troubles } = await openPage(urlOf(kiosk.claim(card.pay(kiosk, article))))
    await keepPicture(page, 'document')
    const saved = page.waitForEvent('download')
    await page.click('#save')
    const download = await saved
    expect(download.suggestedFilename()).toBe('bells.md')
    expect(await readFile(await download.path(), 'utf8')).toContain('They ring at noon.')
    expect(await page.innerText('.article')).toBe('They ring at noon.')
    expect(troubles).toEqual([])
    await page.context().close()
  })

  it('shows a picture at once', async () => {
    const { page, troubles } = await openPage(urlOf(kiosk.claim(card.pay(kiosk, drawing))))
    await page.locator('img.picture').waitFor()
    await page.evaluate('document.querySelector("img.picture").decode()')
    expect(troubles).toEqual([])
    const opened = page.context().waitForEvent('page')
    await page.click('#open')
    const apart = await opened
    await apart.waitForLoadState()
    expect(await apart.locator('rect').count()).toBe(1)
    await keepPicture(page, 'picture')
    await page.context().close()
  })

  it('shows a ticket’s code so that its letters are read from it, its number, and when it is good; and saves it', async () => {
    const [first = ''] = tickets
    const claim = kiosk.claim(card.pay(kiosk, unitItem(concert, first)))
    const { page, troubles } = await openPage(urlOf(claim))
    const drawn = await page.locator('.ticket').screenshot()
    expect(await readInPage(page, drawn)).toBe(first)
    expect(await page.innerText('#ticket-number')).toBe(ticketNumber(parseTicket(first)))
    const text = await page.innerText('main')
    for (const shown of ['Pier 3', '€12.50', '€1.14', '10%', `•••• ${card.id.slice(-4)}`]) expect(text).toContain(shown)
    await keepPicture(page, 'ticket')
    const saved = page.waitForEvent('download')
    await page.click('#save-ticket')
    const download = await saved
    expect(download.suggestedFilename()).toMatch(/^concert-[0-9A-Z]{4}-[0-9A-Z]{4}\.png$/)
    expect(await readInPage(page, await readFile(await download.path()))).toBe(first)
    expect(troubles).toEqual([])
    await page.context().close()
  })

  it('is read from right to left in Arabic, by day and by night, and on paper', async () => {
    const claim = kiosk.claim(card.pay(kiosk, unitItem(concert, tickets[1] ?? '')))
    const { page } = await openPage(urlOf(claim), { locale: 'ar-EG', viewport: { width: 360, height: 740 } })
    expect(await page.getAttribute('html', 'dir')).toBe('rtl')
    expect(await page.innerText('h1')).toBe('حفلة على الرصيف')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    await keepPicture(page, 'ticket-ar')
    expect(await faultsOf(page)).toEqual([])
    await page.emulateMedia({ colorScheme: 'dark' })
    await keepPicture(page, 'ticket-ar-dark')
    expect(await faultsOf(page)).toEqual([])
    await page.emulateMedia({ media: 'print', colorScheme: 'light' })
    expect(await page.locator('#print').isVisible()).toBe(false)
    expect(await page.locator('.ticket').isVisible()).toBe(true)
    await keepPicture(page, 'print')
    await page.context().close()
  })

  it('hands out a file under its name, and lies side by side on a tablet, in the seller’s colours', async () => {
    const logo = { name: 'logo.svg', bytes: new TextEncoder().encode(bridge) }
    // Nobody could read it on paper as it is.
    await setBrand(bench.issuer, 'Harbour Office', { accent: '#f7d51d', logo })
    const { page } = await openPage(urlOf(kiosk.claim(card.pay(kiosk, map))), {
      viewport: { width: 1024, height: 768 },
    })
    expect(
      await page.evaluate(
        'document.querySelector("img.cover").decode().then(() => document.querySelector("img.cover").naturalWidth)',
      ),
    ).toBe(640)
    expect(await page.evaluate('document.querySelector("header img").naturalWidth')).toBe(640)
    expect(await page.innerText('.file')).toMatch(/walking-map\.pdf\s+240 kB/)
    const accent = () => page.evaluate('getComputedStyle(document.querySelector("#open")).backgroundColor')
    expect(await accent()).toMatch(/^rgb\(1\d\d, 1?\d\d, \d\d\)$/)
    const saved = page.waitForEvent('download')
    await page.click('#save')
    expect((await saved).suggestedFilename()).toBe('walking-map.pdf')
    await keepPicture(page, 'tablet')
    expect(await faultsOf(page)).toEqual([])
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await accent()).toBe('rgb(247, 213, 29)')
    await keepPicture(page, 'tablet-dark')
    expect(await faultsOf(page)).toEqual([])
    await page.context().close()
  })

  it('plays a sound in Spanish words', async () => {
    const { page } = await openPage(urlOf(kiosk.claim(card.pay(kiosk, film))), { locale: 'es-MX' })
    expect(await page.innerText('h1')).toBe('La marea, grabada')
    expect(await page.locator('audio[controls]').count()).toBe(1)
    expect(await page.innerText('#print')).toBe('Imprimir el recibo')
    await keepPicture(page, 'audio-es')
    await page.context().close()
  })

  it('fits the narrowest phone', async () => {
    const { page } = await openPage(urlOf(kiosk.claim(card.pay(kiosk, article))), {
      viewport: { width: 320, height: 568 },
      locale: 'de-DE',
    })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
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
    const stranger = new TestCard(bench.issuer, cardId('0123456789abcdef'))
    stranger.balanceMinor = 1000
    const cases = [
      ['forged', urlOf(forged), 'notGenuine'],
      ['expired', urlOf(expired), 'expired'],
      ['cut', urlOf(genuine.subarray(0, 100)), 'incomplete'],
      ['no claim', `${server.publicUrl}/c`, 'incomplete'],
      ['of a card that is not known yet', urlOf(kiosk.claim(stranger.pay(kiosk, article))), 'unknownYet'],
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
