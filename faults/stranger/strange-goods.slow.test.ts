/**
 * Goods as long, large, dear and cheap as they come, and a ticket: from the issuer's shelf through the sync, a card in the
 * real reader and the built kiosk's viewer; the ticket goes on to a door.
 * Run it inside `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run faults/stranger`; `npm test` does.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect as expectPage, type Page } from '@playwright/test'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plugIntoVpcd } from '../../card/vpcd.ts'
import { checkTickets } from '../../cli/ticket.ts'
import { openUsedTickets } from '../../cli/used-tickets.ts'
import { type LaunchedKiosk, launchKiosk } from '../../e2e/launch.ts'
import { virtualReaders } from '../../e2e/system.ts'
import { readIdentity } from '../../main/identity.ts'
import type { TestCard } from '../../main/test-terminal.ts'
import { amountMinor } from '../../protocol/quantities.ts'
import { ticketVerifier } from '../../protocol/ticket.ts'
import { bitmapOf, bookOf, pdfOfPages, wavOf } from '../../renderer/dev/test-goods.ts'
import { openShop, type Shop } from './shop.ts'

const startMs = 120_000
const dearest = 999_999
const longTitle = 'A title that goes on and on, '.repeat(11).slice(0, 300)

let shop: Shop
let kiosk: LaunchedKiosk
let page: Page
let rich: TestCard
let poor: TestCard

beforeAll(async () => {
  const article = (id: string, priceMinor: number, name: string, bytes: Uint8Array, title = id) => ({
    file: { name, bytes },
    id,
    priceMinor,
    title: { en: title },
  })
  shop = await openShop({
    items: [
      article('plan', 1, 'plan.pdf', await pdfOfPages(600), longTitle),
      article('book', dearest, 'book.epub', bookOf({ chapters: 300 })),
      article('sound', 100, 'sound.wav', wavOf(7200)),
      // Four seconds down a poster of ours (resources/goods), with a tone.
      article('film', 100, 'film.webm', readFileSync(new URL('harbour.webm', import.meta.url))),
      { ...article('picture', 100, 'picture.bmp', bitmapOf(3840, 2160)), mediaType: 'image/bmp' },
      { file: { tickets: { count: 2 } }, id: 'concert', kind: 'ticket', priceMinor: 1200, title: { en: 'A concert' } },
    ],
  })
  rich = await shop.makeCard(dearest + 1, { balanceMaxMinor: amountMinor(dearest + 1) })
  poor = await shop.makeCard(2000)
  kiosk = await launchKiosk({ dataDir: shop.dataDir })
  page = kiosk.page
}, startMs)
afterAll(async () => {
  const status = await kiosk?.close()
  await shop?.close()
  expect(status).toBe(0)
})

const touch = (action: string) => page.locator(`[data-action="${action}"]`).first().click()
const onScreen = (screen: string) =>
  expectPage(page.locator(`[data-screen="${screen}"]`)).toBeVisible({ timeout: 20_000 })

/** From the start screen to the goods, which `look` looks at, and back. */
const buy = async (card: TestCard, itemId: string, priceText: string, look: () => Promise<void>) => {
  await onScreen('attract')
  await touch('start')
  await page.locator(`[data-action="open"][data-item-id="${itemId}"]`).click()
  await expectPage(page.locator('[data-screen="item"]')).toContainText(priceText)
  await touch('buy')
  await onScreen('pay')
  card.reset()
  const plug = plugIntoVpcd({ port: virtualReaders[0].port, purse: card.purse })
  await expectPage(page.locator('[data-screen="approved"]')).toContainText(`You paid ${priceText}`, { timeout: 20_000 })
  await touch('show-goods')
  await onScreen('goods')
  await look()
  await plug.pull()
  await touch('finish')
  await onScreen('attract')
}

test('six hundred pages with a title of three hundred letters cost a cent, and are all there', async () => {
  await buy(rich, 'plan', '€0.01', async () => {
    await page.locator('canvas[data-ready]').first().waitFor()
    await page.locator('.scrubber').press('End')
    await page.locator('canvas[aria-label="Page 600 of 600"][data-ready]').waitFor()
  })
})

test('a large book at the highest price is read at its end', async () => {
  await buy(rich, 'book', '€9,999.99', async () => {
    await page.locator('.viewer[data-ready]').waitFor()
    await page.locator('.scrubber').press('End')
    const reader = () => page.frames().find((frame) => frame.url().includes('book.html'))
    const headline = `document.querySelector('foliate-paginator').getContents()[0].doc.querySelector('h1')?.textContent`
    await expect.poll(() => reader()?.evaluate(headline)).toBe('Chapter 300')
  })
})

test('two hours of sound play, from anywhere', async () => {
  await buy(poor, 'sound', '€1.00', async () => {
    await page.getByText('0:00 / 2:00:00').waitFor()
    await touch('play')
    await page.locator('button[data-action="pause"]').waitFor()
    await page.locator('.scrubber').press('End')
    await page.locator('.scrubber').press('PageDown')
    const second = () => page.locator('.media').evaluate((media) => Number(Reflect.get(media, 'currentTime')))
    await expect.poll(second).toBeGreaterThan(5000)
  })
})

/** Runs in the page: of what stands on the screen of the player. */
const coloursOfFilm = `(() => {
  const film = document.querySelector('video.media')
  const canvas = new OffscreenCanvas(film.videoWidth, film.videoHeight).getContext('2d')
  canvas.drawImage(film, 0, 0)
  return new Set(new Uint32Array(canvas.getImageData(0, 0, film.videoWidth, film.videoHeight).data.buffer)).size
})()`

test('a film plays from its start to its end, and is seen', async () => {
  await buy(poor, 'film', '€1.00', async () => {
    await page.getByText('0:00 / 0:04').waitFor()
    await touch('play')
    const media = page.locator('video.media')
    await expect.poll(() => media.evaluate((film) => Reflect.get(film, 'ended'))).toBe(true)
    await page.locator('button[data-action="play"]').waitFor()
    expect(await page.evaluate<number>(coloursOfFilm)).toBeGreaterThan(10)
  })
})

test('a picture of 4K is shown whole', async () => {
  await buy(poor, 'picture', '€1.00', () => page.locator('.picture[data-ready]').waitFor())
})

test('a ticket that was sold lets its holder in, once', async () => {
  let ticket = ''
  await buy(poor, 'concert', '€12.00', async () => {
    ticket = (await page.locator('.code').getAttribute('data-code')) ?? ''
  })
  const keys = readIdentity(shop.dataDir)?.bulletinPublicKeys ?? new Map<number, Uint8Array>()
  const used = openUsedTickets(path.join(shop.dataDir, 'door.db'))
  const door = {
    keys: new Map([...keys].map(([version, key]) => [version, ticketVerifier(key)])),
    eventIds: ['concert'],
    used,
    now: Math.floor(Date.now() / 1000),
  }
  const outcomes = [ticket, ticket, ticket.replace(/.$/, '')].map((text) => checkTickets([text], door)[0]?.outcome)
  used.close()
  expect(outcomes.slice(0, 2)).toEqual(['accepted', 'used'])
  expect(outcomes[2]).not.toBe('accepted')
  expect([rich, poor].map((card) => card.state.balanceMinor)).toEqual([0, 500])
})
