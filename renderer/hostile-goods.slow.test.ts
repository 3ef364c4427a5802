/**
 * What a hostile catalogue does to the screen, in real Chromium: titles, articles, PDFs and pictures that were made to run, to
 * hang or to lie. Whatever comes, the customer's way out works. Slow: it starts a browser and a development server.
 */
import { deflateSync } from 'node:zlib'
import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type {} from './dev/harness.tsx'
import { type Harness, openHarness } from './dev/test-browser.ts'

const startMs = 120_000
let harness: Harness

beforeAll(async () => {
  harness = await openHarness()
}, startMs)
afterAll(() => harness.close())

interface Served {
  readonly file: string
  readonly body: string | Uint8Array
  readonly mediaType: string
}

const open = async (query: string, served?: Served): Promise<Page> => {
  const page = await harness.browser.newPage()
  if (served !== undefined)
    await page.route(`**/${served.file}`, (route) =>
      route.fulfill({ body: Buffer.from(served.body), contentType: served.mediaType }),
    )
  await page.goto(`${harness.url}?${query}`)
  return page
}
const taken = (page: Page) => page.evaluate(() => Reflect.get(window, 'taken'))
const shown = (page: Page) => page.locator('[data-screen="goods"] [data-ready="true"]').first()
const unreadable = (page: Page) => page.locator('[data-screen="goods"] .unreadable')
/** The screen answers a finger, whatever is being drawn. */
const wayOut = async (page: Page) => {
  await page.locator('button[data-action="finish"]').click()
  expect(await page.evaluate(() => window.asked?.() ?? [])).toContain('finish')
  expect(await taken(page)).toBeUndefined()
  await page.close()
}

test('a title and a summary are text, on every screen that shows them', async () => {
  for (const query of ['screen=catalogue&hostile', 'screen=item&hostile&item=hostile']) {
    const page = await open(query)
    await page.locator('[data-screen]').first().waitFor()
    await page.getByText('<img src=x onerror=').first().waitFor()
    expect(await page.locator('[data-screen] script, [data-screen] iframe, [data-screen] img[src="x"]').count()).toBe(0)
    // A turned direction of writing stays within its own title.
    if (query.includes('catalogue')) expect(await page.locator('[data-screen]').innerText()).toMatch(/2\.50/)
    expect(await taken(page)).toBeUndefined()
    await page.close()
  }
})

test('an article with HTML, frames and links shows them as text', async () => {
  const body = [
    '# <script>window.taken=1</script>',
    '<iframe src="javascript:parent.taken=2"></iframe>',
    '[click](javascript:window.taken=3) ![x](x" onerror="window.taken=4)',
    '**<img src=x onerror=window.taken=5>** `<svg onload=window.taken=6>`',
  ].join('\n\n')
  const page = await open('screen=goods-article', { file: 'article.md', body, mediaType: 'text/html' })
  await shown(page).waitFor()
  expect(await page.locator('.article a, .article iframe, .article script, .article img, .article svg').count()).toBe(0)
  expect(await page.locator('.article').innerText()).toContain('[click](javascript:window.taken=3)')
  await wayOut(page)
})

test.each([
  ['a million headings', '# a\n'.repeat(250_000)],
  ['a million paragraphs', 'a\n\n'.repeat(333_333)],
  ['one word of ten million letters', 'a'.repeat(10_000_000)],
])('an article of %s is shown as far as an article goes', async (_name, body) => {
  const page = await open('screen=goods-article', { file: 'article.md', body, mediaType: 'text/markdown' })
  await shown(page).waitFor()
  await wayOut(page)
})

interface PdfPart {
  readonly dictionary: string
  readonly stream?: Uint8Array
}

/** A PDF of these objects, numbered from 1; the first is the catalogue. */
const pdfOf = (parts: readonly PdfPart[]): Uint8Array => {
  const chunks: Buffer[] = [Buffer.from('%PDF-1.7\n')]
  const offsets: number[] = []
  let length = chunks[0]?.length ?? 0
  const add = (bytes: Buffer) => {
    chunks.push(bytes)
    length += bytes.length
  }
  for (const [at, { dictionary, stream }] of parts.entries()) {
    offsets.push(length)
    const lengthKey = stream === undefined ? '' : ` /Length ${stream.length}`
    add(Buffer.from(`${at + 1} 0 obj\n<< ${dictionary}${lengthKey} >>\n`))
    if (stream !== undefined) {
      add(Buffer.from('stream\n'))
      add(Buffer.from(stream))
      add(Buffer.from('\nendstream\n'))
    }
    add(Buffer.from('endobj\n'))
  }
  const xref = length
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  add(Buffer.from(`xref\n0 ${parts.length + 1}\n0000000000 65535 f \n${rows}`))
  add(Buffer.from(`trailer\n<< /Size ${parts.length + 1} /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF`))
  return new Uint8Array(Buffer.concat(chunks))
}
const page1 = (resources = '') =>
  `/Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources << ${resources} >>`
const onePage = (contents: PdfPart, ...more: readonly PdfPart[]): Uint8Array =>
  pdfOf([
    { dictionary: '/Type /Catalog /Pages 2 0 R' },
    { dictionary: '/Type /Pages /Kids [3 0 R] /Count 1' },
    { dictionary: page1(more.length > 0 ? '/XObject << /I 5 0 R >>' : '') },
    contents,
    ...more,
  ])
const flate = (bytes: Uint8Array): PdfPart => ({ dictionary: '/Filter /FlateDecode', stream: deflateSync(bytes) })
/** A quarter of a gigabyte, in a quarter of a megabyte. */
const bombBytes = 256 * 1024 * 1024

/** Each level has ten times the one below, which is a single object. */
const pageTreeBomb = (): Uint8Array => {
  const levels = 9
  const parts: PdfPart[] = [{ dictionary: '/Type /Catalog /Pages 2 0 R' }]
  for (let level = 0; level < levels; level += 1) {
    const kids = Array.from({ length: 10 }, () => `${level + 3} 0 R`).join(' ')
    parts.push({ dictionary: `/Type /Pages /Kids [${kids}] /Count ${10 ** (levels - level)}` })
  }
  parts.push({ dictionary: '/Type /Page /MediaBox [0 0 200 200]' })
  return pdfOf(parts)
}

test.each<[string, () => Uint8Array]>([
  [
    'that runs scripts when it is opened',
    () =>
      pdfOf([
        {
          dictionary: '/Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (window.taken=1;app.alert(1)) >>',
        },
        { dictionary: '/Type /Pages /Kids [3 0 R] /Count 1' },
        { dictionary: `${page1()} /AA << /O << /S /JavaScript /JS (window.taken=2) >> >>` },
        { dictionary: '', stream: Buffer.from('0 0 m 100 100 l S') },
      ]),
  ],
  ['whose page unpacks to a quarter of a gigabyte', () => onePage(flate(new Uint8Array(bombBytes).fill(0x20)))],
  [
    'with a picture of nine hundred million points',
    () =>
      onePage(
        { dictionary: '', stream: Buffer.from('200 0 0 200 0 0 cm /I Do') },
        {
          dictionary:
            '/Type /XObject /Subtype /Image /Width 30000 /Height 30000 /ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /FlateDecode',
          stream: deflateSync(new Uint8Array(30_000 * 3750)),
        },
      ),
  ],
  ['whose page tree has a thousand million leaves', pageTreeBomb],
])('a PDF %s leaves the screen to the customer', async (_name, make) => {
  const page = await open('screen=goods-pdf', { file: 'walking-map.pdf', body: make(), mediaType: 'application/pdf' })
  await shown(page).or(page.locator('canvas[data-broken]')).or(page.locator('.pdf')).first().waitFor()
  await wayOut(page)
})

const htmlPage = '<html><script>window.taken=1</script></html>'

test('a page of HTML that says it is a PDF is unreadable, and the way out is open', async () => {
  const served = { file: 'walking-map.pdf', body: htmlPage, mediaType: 'application/pdf' }
  const page = await open('screen=goods-pdf', served)
  await unreadable(page).waitFor()
  await wayOut(page)
})

/** The picture on the screen becomes what is served. */
const openPicture = async (body: string, mediaType: string): Promise<Page> => {
  const page = await open('screen=goods-picture', { file: 'hostile-picture', body, mediaType })
  await page.locator('.picture[data-ready]').waitFor()
  await page.locator('.picture').evaluate((picture) => picture.setAttribute('src', '/hostile-picture'))
  return page
}

test('a page of HTML that says it is a picture is unreadable; a picture with a script in it is a picture', async () => {
  for (const mediaType of ['image/png', 'image/svg+xml']) {
    const page = await openPicture(htmlPage, mediaType)
    await unreadable(page).waitFor()
    await wayOut(page)
  }
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="parent.taken=1"><script>parent.taken=2</script></svg>'
  const page = await openPicture(svg, 'image/svg+xml')
  await expect.poll(() => page.locator('.picture').evaluate((picture) => Reflect.get(picture, 'naturalWidth'))).toBe(9)
  await wayOut(page)
})
