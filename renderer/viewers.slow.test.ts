/**
 * The viewers of goods in real Chromium, as they are built and under the app's own policies: long books, films and plans,
 * books that were made to run or to reach out, and that nothing stays when the customer leaves. Slow: it builds the page.
 */
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type {} from './dev/harness.tsx'
import { buildTestApp, type TestApp } from './dev/test-app.ts'
import { bitmapOf, bookOf, pdfOfPages, wavOf } from './dev/test-goods.ts'

const startMs = 120_000
let app: TestApp
let browser: Browser
let context: BrowserContext
let page: Page

const offer = (name: string, mediaType: string, bytes: Uint8Array) => app.goods.set(name, { mediaType, bytes })
const epub = 'application/epub+zip'

beforeAll(async () => {
  app = await buildTestApp()
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  })
  context = await browser.newContext({
    viewport: { width: 1080, height: 1920 },
    hasTouch: true,
    reducedMotion: 'reduce',
  })
  await app.serve(context)
  page = await context.newPage()
  await page.goto(`${app.url}?many`)
  await page.locator('[data-screen]').waitFor()
}, startMs)
afterAll(async () => {
  await browser.close()
  app.close()
})
afterEach(() => {
  expect(app.strange).toEqual([])
})

const fixture = async (name: string) => {
  await page.evaluate((wanted) => window.show?.(wanted), name)
}
/** Nothing of the goods before is on the screen any more. */
const open = async (name: string, mediaType: string) => {
  await fixture('attract')
  await page.locator('[data-screen="attract"]').waitFor()
  await page.evaluate((content) => window.showGoods?.(content), { contentUrl: `/goods/${name}`, mediaType })
}
const press = (action: string) => page.locator(`button[data-action="${action}"]`).click()
const wayOut = async () => {
  const before = await page.evaluate(() => window.asked?.().length ?? 0)
  await press('finish')
  expect(await page.evaluate((from) => window.asked?.().slice(from), before)).toEqual(['finish'])
}
const shown = () => page.locator('.viewer[data-ready]').waitFor()
const unreadable = () => page.locator('.unreadable').waitFor()

/** Asked of the reader's frame: in the chapter's own, where no script runs, nothing can be asked. */
const inChapter = <T>(ask: (chapter: Document) => T): Promise<T> => {
  const reader = page.frames().find((frame) => frame.url().includes('/book.html'))
  if (reader === undefined) throw new Error('the reader has no frame')
  return reader.evaluate(`(${ask.toString()})(document.querySelector('foliate-paginator').getContents()[0].doc)`)
}
const headline = () => inChapter((chapter) => chapter.querySelector('h1')?.textContent)

describe('a book', () => {
  beforeAll(() => {
    offer('book', epub, bookOf({ chapters: 300 }))
  })

  test('of three hundred chapters opens with its own styles, and is read page by page, by chapter and by place', async () => {
    await open('book', epub)
    await shown()
    expect(await headline()).toBe('Chapter 1')
    const colour = (chapter: Document) => {
      const element = chapter.querySelector('h1')
      return element && chapter.defaultView?.getComputedStyle(element).color
    }
    expect(await inChapter(colour)).toBe('rgb(1, 2, 3)')
    const place = () => page.locator('.scrubber').evaluate((bar) => Number(Reflect.get(bar, 'value')))

    expect(await page.locator('button[data-action="previous-page"]').isDisabled()).toBe(true)
    await press('next-page')
    await expect.poll(place).toBeGreaterThan(0)

    // On a keypad 6 goes along the bar, and 8 leaves it.
    const before = await place()
    await page.locator('.scrubber').focus()
    await page.keyboard.press('6')
    await expect.poll(place).toBeGreaterThan(before + 20)
    await page.keyboard.press('8')
    expect(await page.locator('.scrubber').evaluate((bar) => bar === document.activeElement)).toBe(false)

    await press('contents')
    await page.getByRole('button', { name: 'Chapter 150', exact: true }).click()
    await expect.poll(() => headline()).toBe('Chapter 150')
    await expect.poll(place).toBeGreaterThan(480)

    await page.locator('.scrubber').press('End')
    await expect.poll(() => headline()).toBe('Chapter 300')
    await wayOut()
  })

  test('is read in white on black by whoever asked for contrast, whatever its own colours', async () => {
    await fixture('catalogue')
    await press('contrast')
    await page.evaluate((content) => window.showGoods?.(content), { contentUrl: '/goods/book', mediaType: epub })
    await shown()
    const colour = (chapter: Document) => {
      const element = chapter.querySelector('h1')
      return element && chapter.defaultView?.getComputedStyle(element).color
    }
    expect(await inChapter(colour)).toBe('rgb(255, 255, 255)')
    await wayOut()
  })

  test('has larger type, follows its own links, and counts as touched when it is', async () => {
    await open('book', epub)
    await shown()
    const size = () =>
      inChapter((chapter) => {
        const element = chapter.querySelector('p')
        return Number.parseFloat((element && chapter.defaultView?.getComputedStyle(element).fontSize) ?? '')
      })
    const before = await size()
    await press('larger')
    await expect.poll(size).toBeGreaterThan(before * 1.2)
    await inChapter((chapter) => chapter.querySelector<HTMLElement>('#on')?.click())
    await expect.poll(() => headline()).toBe('Chapter 2')
    await wayOut()
  })

  test('is left alone while a chapter is on its way in, as when the customer leaves meanwhile', async () => {
    await open('book', epub)
    await shown()
    const reader = page.frames().find((frame) => frame.url().includes('/book.html'))
    const laidOut = await reader?.evaluate(`{
      const pages = document.querySelector('foliate-paginator')
      pages.getContents()[0].doc.documentElement.remove()
      pages.render()
    }`)
    expect(laidOut).toBeUndefined()
    await wayOut()
  })

  test('from right to left turns its pages that way', async () => {
    offer(
      'arabic',
      epub,
      bookOf({ chapters: 2, language: 'ar', paragraph: 'أشعل الحارس المصباح وكتب الساعة في الكتاب. '.repeat(9) }),
    )
    await open('arabic', epub)
    await shown()
    expect(await page.locator('.viewer-bar').getAttribute('dir')).toBe('rtl')
    await page.locator('.epub-frame').focus()
    await page.keyboard.press('ArrowLeft')
    await expect
      .poll(() => page.locator('.scrubber').evaluate((bar) => Number(Reflect.get(bar, 'value'))))
      .toBeGreaterThan(0)
    await wayOut()
  })
})

describe('a hostile book', () => {
  const take = (what: string) => `top.taken='${what}';parent.taken='${what}';window.taken='${what}'`
  const hostile = [
    `<script>${take('script')}</script>`,
    '<script src="evil.js"></script>',
    `<img src="no.png" onerror="${take('handler')}"/>`,
    '<img src="https://stranger.example/pixel.png"/>',
    '<iframe src="evil.xhtml"></iframe><iframe src="https://stranger.example/"></iframe>',
    `<svg xmlns="http://www.w3.org/2000/svg" onload="${take('svg')}"><script>${take('svg script')}</script></svg>`,
    '<object data="evil.svg" type="image/svg+xml"></object><embed src="evil.svg"/>',
    '<link rel="stylesheet" href="https://stranger.example/a.css"/><link rel="preconnect" href="https://stranger.example"/>',
    '<style>@import "https://stranger.example/b.css"; p { background: url(https://stranger.example/c.png) }</style>',
    '<meta http-equiv="refresh" content="0;url=https://stranger.example/"/>',
    '<form action="https://stranger.example/"><button id="send">send</button></form>',
    `<a id="run" href="javascript:${take('link')}">run</a>`,
    '<a id="leave" href="https://stranger.example/" target="_top">leave</a>',
  ].join('')
  const evilPage = `<html xmlns="http://www.w3.org/1999/xhtml"><body><script>${take('frame')}</script></body></html>`
  const evilSvg = `<svg xmlns="http://www.w3.org/2000/svg"><script>${take('object')}</script></svg>`

  test('runs nothing, reaches nothing, leads nowhere, and can be left', async () => {
    const files = {
      'evil.js': { bytes: strToU8(take('file')), mediaType: 'text/javascript' },
      'evil.xhtml': { bytes: strToU8(evilPage), mediaType: 'application/xhtml+xml' },
      'evil.svg': { bytes: strToU8(evilSvg), mediaType: 'image/svg+xml' },
    }
    offer('hostile', epub, bookOf({ chapters: 2, paragraphs: 1, more: hostile, files }))
    await open('hostile', epub)
    await shown()
    await inChapter((chapter) => {
      for (const link of chapter.querySelectorAll<HTMLElement>('#run, #leave')) link.click()
    })
    await press('next-page')
    const reader = page.frames().find((frame) => frame.url().includes('/book.html'))
    expect(await page.evaluate(() => Reflect.get(window, 'taken'))).toBeUndefined()
    expect(await reader?.evaluate(() => Reflect.get(window, 'taken') ?? 'nothing')).toBe('nothing')
    expect(await inChapter((chapter) => Reflect.get(chapter.defaultView ?? {}, 'taken') ?? 'nothing')).toBe('nothing')
    expect(page.url()).toContain('kiosk.farthing.localhost/dev/harness.html')
    expect(context.pages()).toEqual([page])
    const unwanted = (chapter: Document) =>
      chapter.querySelectorAll('script, iframe, object, form, meta[http-equiv]').length
    expect(await inChapter(unwanted)).toBe(0)
    await wayOut()
  })

  test('has documents under other names as text', async () => {
    const files = unzipSync(bookOf({ chapters: 2, paragraphs: 1, more: hostile }))
    const disguised = strFromU8(files['OPS/book.opf'] ?? new Uint8Array()).replaceAll(
      'media-type="application/xhtml+xml"/><item id="c1"',
      'media-type="application/xhtml+xml; charset=utf-8"/><item id="c1"',
    )
    offer('disguised', epub, zipSync({ ...files, 'OPS/book.opf': strToU8(disguised) }))
    await open('disguised', epub)
    await shown()
    expect(await inChapter(({ contentType }) => contentType)).toBe('text/plain')
    expect(await inChapter((chapter) => chapter.querySelectorAll('script, iframe, form').length)).toBe(0)
    await wayOut()
  })

  test('that is none, or unpacks to more than it says, is unreadable', async () => {
    const lying = Buffer.from(bookOf({ chapters: 1 }))
    // Every size that the archive's directory announces becomes four gigabytes.
    for (let at = lying.indexOf('PK\x01\x02'); at >= 0; at = lying.indexOf('PK\x01\x02', at + 4))
      lying.writeUInt32LE(0xffff_fff0, at + 24)
    offer('none', epub, strToU8('<html><script>parent.taken=1</script></html>'))
    offer('lying', epub, lying)
    for (const name of ['none', 'lying']) {
      await open(name, epub)
      await unreadable()
      await wayOut()
    }
  })
})

describe('a PDF of six hundred pages', () => {
  beforeAll(async () => {
    offer('plan', 'application/pdf', await pdfOfPages(600))
  })

  test('has the pages in sight alone, goes to any of them at once, and says what stands on it', async () => {
    await open('plan', 'application/pdf')
    await page.locator('canvas[data-ready]').first().waitFor()
    const canvases = () =>
      page
        .locator('canvas')
        .evaluateAll((all) => all.map((canvas) => Reflect.get(canvas, 'width') * Reflect.get(canvas, 'height')))
    expect((await canvases()).length).toBeLessThanOrEqual(4)
    await page.locator('.scrubber').press('End')
    await page.locator('canvas[aria-label="Page 600 of 600"][data-ready]').waitFor()
    await page.locator('.only-heard', { hasText: 'Page 600' }).waitFor({ state: 'attached' })
    await press('closer')
    await press('closer')
    await press('closer')
    await page.locator('canvas[data-ready]').first().waitFor()
    const pixels = await canvases()
    expect(pixels.length).toBeLessThanOrEqual(3)
    for (const count of pixels) expect(count).toBeLessThanOrEqual(8_000_000)
    await wayOut()
  })

  test('is seen page by page as a whole, too, on a screen that is wider than high', async () => {
    await page.setViewportSize({ width: 1920, height: 1080 })
    await open('plan', 'application/pdf')
    const first = page.locator('canvas[aria-label="Page 1 of 600"]')
    const hidden = () =>
      first.evaluate((canvas) => canvas.clientHeight - (canvas.closest('.viewer-stage')?.clientHeight ?? 0))
    await first.waitFor()
    expect(await hidden()).toBeGreaterThan(100)
    await press('further')
    await expect.poll(hidden).toBeLessThanOrEqual(1)
    await expect.poll(() => page.locator('canvas[data-ready]').count()).toBeGreaterThanOrEqual(1)
    expect(await page.locator('button[data-action="further"]').isDisabled()).toBe(true)
    await page.setViewportSize({ width: 1080, height: 1920 })
    await wayOut()
  })
})

describe('two hours of sound', () => {
  test('come in parts, are gone to anywhere by keys, and stop when the customer leaves', async () => {
    offer('sound', 'audio/wav', wavOf(7_200))
    await open('sound', 'audio/wav')
    await page.getByText('0:00 / 2:00:00').waitFor()
    await press('play')
    await page.locator('button[data-action="pause"]').waitFor()
    await page.locator('.scrubber').press('End')
    await page.locator('.scrubber').press('PageDown')
    const media = await page.locator('.media').elementHandle()
    await expect.poll(() => media?.evaluate((element) => Reflect.get(element, 'currentTime') > 5_000)).toBe(true)
    await expect.poll(() => media?.evaluate((element) => Reflect.get(element, 'seeking'))).toBe(false)
    expect(app.given.get('sound')).toBeLessThan(20_000_000)
    await fixture('attract')
    await page.locator('[data-screen="attract"]').waitFor()
    expect(await media?.evaluate((element) => [Reflect.get(element, 'paused'), element.hasAttribute('src')])).toEqual([
      true,
      false,
    ])
  })

  test('that are no sound are unreadable', async () => {
    offer('noise', 'audio/mpeg', strToU8('<html><script>parent.taken=1</script></html>'))
    await open('noise', 'audio/mpeg')
    await unreadable()
    await wayOut()
  })
})

describe('a picture', () => {
  test('of 4K is shown whole, and near', async () => {
    offer('picture', 'image/bmp', bitmapOf(3840, 2160))
    await open('picture', 'image/bmp')
    await page.locator('.picture[data-ready]').waitFor()
    const stage = page.locator('.picture-stage')
    const over = () => stage.evaluate((element) => element.scrollWidth - element.clientWidth)
    expect(await over()).toBe(0)
    // Unpacked as large as it is shown, and no larger; nearer, it is unpacked anew.
    const widthPx = () => page.locator('canvas.picture').evaluate((canvas) => Number(Reflect.get(canvas, 'width')))
    const wholePx = await stage.evaluate((element) => element.clientWidth)
    expect(await widthPx()).toBe(wholePx)
    await press('closer')
    expect(await over()).toBeGreaterThan(200)
    expect(await stage.evaluate((element) => element.scrollLeft)).toBeGreaterThan(100)
    await expect.poll(widthPx).toBe(1.5 * wholePx)
    await wayOut()
  })

  test('that was cut off is shown as far as it goes', async () => {
    const whole = bitmapOf(3840, 2160)
    offer('cut', 'image/bmp', whole.subarray(0, whole.length / 2))
    await open('cut', 'image/bmp')
    await page.locator('img.picture[data-ready]').waitFor()
    await wayOut()
  })

  test('of more points than fit into memory is not unpacked', async () => {
    offer('huge', 'image/bmp', bitmapOf(20_000, 5_000))
    await open('huge', 'image/bmp')
    await unreadable()
    await wayOut()
  })
})

test('a ticket is its whole text as a code for machines, and its ends for people', async () => {
  await fixture('goods-ticket')
  const code = page.locator('.code')
  expect(await code.getAttribute('data-code')).toHaveLength(265)
  expect(await code.innerText()).toBe('FTKT1Q … KM2RW4')
  await wayOut()
})

test('a kind of goods that this kiosk does not know waits for the phone', async () => {
  await fixture('goods-unknown')
  await page.getByText('It waits for your phone').waitFor()
  await wayOut()
})

describe('a preview', () => {
  test('opens on the item, says that it is one, and closes; nothing but the preview was fetched', async () => {
    offer('book', epub, bookOf({ chapters: 2 }))
    app.given.clear()
    await page.evaluate(() => window.showItem?.('book'))
    await press('preview')
    await page.getByText('A preview').waitFor()
    await shown()
    expect(await page.locator('[data-screen="item"]').count()).toBe(1)
    expect([...app.given.keys()]).toEqual(['book'])
    await press('close-preview')
    await page.locator('button[data-action="buy"]').waitFor()
    expect(await page.locator('iframe').count()).toBe(0)
  })
})

test('nothing stays of what was opened, however often', { timeout: startMs }, async () => {
  const rounds = process.env.FARTHING_SOAK === '1' ? 50 : 3
  offer('book', epub, bookOf({ chapters: 300 }))
  offer('sound', 'audio/wav', wavOf(60))
  const devTools = await context.newCDPSession(page)
  await devTools.send('Performance.enable')
  const round = async () => {
    await open('book', epub)
    await shown()
    await open('plan', 'application/pdf')
    await page.locator('canvas[data-ready]').first().waitFor()
    await open('sound', 'audio/wav')
    await shown()
    await open('picture', 'image/bmp')
    await page.locator('.picture[data-ready]').waitFor()
    await fixture('attract')
    await page.locator('[data-screen="attract"]').waitFor()
  }
  const kept = async () => {
    await devTools.send('HeapProfiler.collectGarbage')
    const { metrics } = await devTools.send('Performance.getMetrics')
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN
    return { nodes: of('Nodes'), documents: of('Documents'), frames: of('Frames'), heapBytes: of('JSHeapUsedSize') }
  }
  await round()
  const before = await kept()
  for (let at = 0; at < rounds; at += 1) await round()
  const after = await kept()
  expect(after.frames).toBeLessThanOrEqual(before.frames)
  expect(after.documents).toBeLessThanOrEqual(before.documents + 1)
  expect(after.nodes).toBeLessThan(before.nodes + 400)
  expect(after.heapBytes).toBeLessThan(before.heapBytes + 3_000_000)
})
