import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright'
import { encode } from 'uqr'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publish } from './bulletin-publisher.ts'
import { addItem } from './catalogue.ts'
import { type RunningServer, serve } from './server.ts'
import { type Bench, openBench } from './test-support.ts'
import { makeTickets } from './tickets.ts'

const phone: BrowserContextOptions = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, locale: 'en-GB' }
const picturesFolder = process.env.FARTHING_PICTURES
const video = { width: 640, height: 480 }

/** A film of one picture, for the browser's camera: the code in black on white, in the middle, as 4:2:0 luma. */
const filmOf = (text: string): Buffer => {
  const { size, data } = encode(text, { ecc: 'M', border: 4 })
  const dot = Math.floor((video.height - 40) / size)
  const luma = Buffer.alloc(video.width * video.height, 235)
  const left = Math.floor((video.width - size * dot) / 2)
  const top = Math.floor((video.height - size * dot) / 2)
  for (let y = 0; y < size * dot; y += 1)
    for (let x = 0; x < size * dot; x += 1)
      if (data[Math.floor(y / dot)]?.[Math.floor(x / dot)] === true) luma[(top + y) * video.width + left + x] = 16
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, Buffer.alloc((video.width * video.height) / 2, 128)])
  return Buffer.concat([
    Buffer.from(`YUV4MPEG2 W${video.width} H${video.height} F10:1 Ip A1:1 C420jpeg\n`),
    frame,
    frame,
  ])
}

let bench: Bench
let server: RunningServer
let browser: Browser
let folder: string
let inCamera: string

const makeOne = (itemId = 'concert', times: { validFrom?: number; validUntil?: number } = {}): string =>
  makeTickets(bench.issuer, itemId, { count: 1, ...times })[0] ?? expect.fail('no ticket')

beforeAll(async () => {
  await build({ configFile: 'issuer/ticket-page/vite.config.ts', logLevel: 'warn' })
  bench = await openBench()
  // The page looks at its phone's clock.
  bench.clock.seconds = Math.floor(Date.now() / 1000)
  await addItem(bench.issuer, {
    file: { tickets: { count: 1 } },
    id: 'concert',
    kind: 'ticket',
    priceMinor: 500,
    title: { en: 'Concert on the quay', de: 'Konzert am Kai', ar: 'حفلة على الرصيف' },
  })
  await publish(bench.issuer)
  server = await serve({ issuer: bench.issuer, port: 0 })
  folder = mkdtempSync(path.join(tmpdir(), 'farthing-camera-'))
  inCamera = makeOne()
  writeFileSync(path.join(folder, 'camera.y4m'), filmOf(inCamera))
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${path.join(folder, 'camera.y4m')}`,
    ],
  })
}, 60_000)

afterAll(async () => {
  await browser.close()
  await server.close()
  await bench.close()
  rmSync(folder, { recursive: true })
})

const noCamera = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('none', 'NotFoundError'))"

const openPage = async (
  options: BrowserContextOptions & { readonly script?: string } = {},
): Promise<{ page: Page; troubles: string[] }> => {
  const { script, ...rest } = options
  const context = await browser.newContext({ ...phone, ...rest })
  if (script !== undefined) await context.addInitScript(script)
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const troubles: string[] = []
  page.on('pageerror', (error) => troubles.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('ERR_INTERNET_DISCONNECTED'))
      troubles.push(message.text())
  })
  await page.goto(`${server.publicUrl}/t`)
  await page.waitForSelector('body[data-ready]')
  return { page, troubles }
}

const keepPicture = async (page: Page, name: string): Promise<void> => {
  if (picturesFolder !== undefined) await page.screenshot({ path: `${picturesFolder}/ticket-${name}.png` })
}

const beginWith = async (page: Page, camera: string): Promise<void> => {
  await page.check('input[value=concert]')
  await page.click('#begin')
  await page.waitForSelector(`body[data-camera=${camera}]`)
}

/** A verdict goes away by itself, too: perhaps it has. */
const goOn = (page: Page) => page.evaluate('document.getElementById("next").click()')

const typed = async (page: Page, text: string): Promise<string | null> => {
  await page.fill('#code', text)
  await page.press('#code', 'Enter')
  await page.waitForSelector('#verdict:not([hidden])')
  const outcome = await page.getAttribute('#verdict', 'data-outcome')
  await keepPicture(page, `${outcome}`)
  await goOn(page)
  return outcome
}

const faultsOf = async (page: Page) =>
  (await new AxeBuilder({ page }).analyze()).violations.map(({ id, nodes }) => [id, nodes[0]?.html])

describe('the ticket page in a real Chromium (slow)', () => {
  it('lets in what the camera sees, once, and says when it was used', async () => {
    const { page, troubles } = await openPage()
    await keepPicture(page, 'setup')
    await beginWith(page, 'on')
    await page.waitForSelector('#verdict[data-outcome=accepted]:not([hidden])')
    await keepPicture(page, 'camera-accepted')
    expect(await page.innerText('#verdict')).toContain('Concert on the quay')
    await goOn(page)
    // It is still in view: that is no second ticket, however many pictures come.
    await page.evaluate(`new Promise((resolve) => {
      let pictures = 10
      const next = () => (pictures-- === 0 ? resolve() : document.querySelector('video').requestVideoFrameCallback(next))
      next()
    })`)
    expect(await page.isVisible('#verdict')).toBe(false)
    expect(await page.innerText('#counts')).toContain('Let in: 1')
    await keepPicture(page, 'camera')
    expect(await typed(page, inCamera)).toBe('used')
    expect(troubles).toEqual([])
    await page.context().close()
  })

  it('judges what is typed, and keeps its list through a reload with no network', async () => {
    const { page, troubles } = await openPage({ script: noCamera })
    expect(await page.getAttribute('body', 'data-offline')).toBe('ready')
    await page.context().setOffline(true)
    await page.reload()
    await page.waitForSelector('body[data-ready]')
    await beginWith(page, 'missing')
    await keepPicture(page, 'no-camera')
    const now = bench.clock.seconds
    const good = makeOne()
    expect(await typed(page, good.toLowerCase())).toBe('accepted')
    expect(await typed(page, makeOne('other'))).toBe('otherEvent')
    expect(await typed(page, makeOne('concert', { validFrom: now + 7200 }))).toBe('notYetValid')
    expect(
      await typed(
        page,
        good.replace(/.(?=.{9}$)/, (letter) => (letter === '0' ? '1' : '0')),
      ),
    ).toBe('forged')
    expect(await typed(page, 'https://example.com/')).toBe('unreadable')
    // A scanner that types does not wait until the verdict before is gone.
    await page.fill('#code', good)
    await page.press('#code', 'Enter')
    await page.waitForSelector('#verdict[data-outcome=used]:not([hidden])')
    await page.keyboard.type(makeOne())
    await page.keyboard.press('Enter')
    await page.waitForSelector('#verdict[data-outcome=accepted]:not([hidden])')
    await page.reload()
    await page.waitForSelector('body[data-ready]')
    await beginWith(page, 'missing')
    expect(await typed(page, good)).toBe('used')
    // A browser that closes the list in the middle: every ticket still gets its verdict.
    await page.evaluate(
      "IDBObjectStore.prototype.count = () => { throw new DOMException('closed', 'InvalidStateError') }",
    )
    expect(await typed(page, makeOne())).toBe('accepted')
    expect(await typed(page, makeOne('other'))).toBe('otherEvent')
    expect(troubles).toEqual([])
    await page.context().close()
  })

  it('asks for the camera once more, and stays awake until the check ends, also after the phone was put away', async () => {
    const { page } = await openPage({
      script: `{
        const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
        let refused = false
        window.tracks = []
        navigator.mediaDevices.getUserMedia = async (wish) => {
          if (!refused) {
            refused = true
            throw new DOMException('not now', 'NotAllowedError')
          }
          const stream = await ask(wish)
          window.tracks.push(...stream.getTracks())
          await window.holderThinks
          return stream
        }
        const hold = navigator.wakeLock.request.bind(navigator.wakeLock)
        window.locks = []
        navigator.wakeLock.request = async (kind) => {
          const lock = await hold(kind)
          window.locks.push(lock)
          return lock
        }
      }`,
    })
    await beginWith(page, 'refused')
    await page.setViewportSize({ width: 360, height: 640 })
    await keepPicture(page, 'refused')
    await page.click('#camera-again')
    await page.waitForSelector('body[data-camera=on]')
    expect(await page.isVisible('#camera-again')).toBe(false)
    const held = () => page.evaluate('locks.filter(({ released }) => !released).length')
    await expect.poll(held).toBeGreaterThan(0)
    // What a browser does when the phone is put away, and taken out again.
    await page.evaluate(`Promise.all(locks.map((lock) => lock.release()))`)
    expect(await held()).toBe(0)
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect.poll(held).toBe(1)
    await goOn(page)
    await page.click('#change')
    await expect.poll(held).toBe(0)
    // Who goes back while the phone asks has no camera running behind his back.
    await page.evaluate('void (window.holderThinks = new Promise((resolve) => { window.allow = resolve }))')
    await page.click('#begin')
    await expect.poll(() => page.evaluate('tracks.length')).toBe(2)
    await page.click('#change')
    await page.evaluate('allow()')
    await expect.poll(() => page.evaluate("tracks.filter(({ readyState }) => readyState === 'live').length")).toBe(0)
    await expect.poll(held).toBe(0)
    await page.context().close()
  })

  it('takes another phone’s list over', async () => {
    const ticket = makeOne()
    const first = await openPage({ script: noCamera })
    await beginWith(first.page, 'missing')
    expect(await typed(first.page, ticket)).toBe('accepted')
    await first.page.click('#change')
    const saving = first.page.waitForEvent('download')
    await first.page.click('#save-list')
    const list = await readFile(await (await saving).path())
    await first.page.context().close()
    const second = await openPage({ script: noCamera })
    await second.page.setInputFiles('#load-list', {
      name: 'no.json',
      mimeType: 'application/json',
      buffer: Buffer.from('{}'),
    })
    await second.page.waitForSelector('#list-state:text("no list")')
    await second.page.setInputFiles('#load-list', { name: 'list.json', mimeType: 'application/json', buffer: list })
    await second.page.waitForSelector('#list-state:text("Added: 1")')
    await beginWith(second.page, 'missing')
    expect(await typed(second.page, ticket)).toBe('used')
    await second.page.context().close()
  })

  it('speaks five languages, right to left where it is written so, fits a phone in each, and leaves axe nothing to find', async () => {
    const { page } = await openPage({ locale: 'zh-TW' })
    expect(await page.getAttribute('html', 'lang')).toBe('zh-Hant')
    for (const tag of ['de', 'es', 'ar']) {
      await page.selectOption('#language', tag)
      expect(await page.getAttribute('html', 'lang')).toBe(tag)
      expect(await page.getAttribute('html', 'dir')).toBe(tag === 'ar' ? 'rtl' : 'ltr')
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
      await keepPicture(page, `setup-${tag}`)
    }
    expect(await faultsOf(page)).toEqual([])
    await beginWith(page, 'on')
    await page.waitForSelector('#verdict:not([hidden])')
    expect(await faultsOf(page)).toEqual([])
    await keepPicture(page, 'accepted-ar')
    await goOn(page)
    expect(await faultsOf(page)).toEqual([])
    await page.context().close()
  })
}, 60_000)
