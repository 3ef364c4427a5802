/**
 * The built kiosk on this machine, with a thousand articles (docs/ARCHITECTURE.md, The screen): `npm run bench -- kiosk
 * [--customers N]`. Times stand beside the start of an empty page in the same Chromium, and beside the machine's load.
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { chromium } from '@playwright/test'
import { launchKiosk } from '../../e2e/launch.ts'
import { runErrand, touchWhenThere } from '../../faults/stranger/errand.ts'
import { type Held, heldNow } from '../../faults/stranger/machine-memory.ts'
import { openShop, type ShopItem } from '../../faults/stranger/shop.ts'
import { watchPage } from '../../faults/stranger/watched-page.ts'

const limits = { startMs: 2000, touchMs: 100, pageSideMib: 300, framesPerSecond: 55, growthPercent: 3 }
const { values } = parseArgs({
  options: { customers: { type: 'string', default: '1000' }, articles: { type: 'string', default: '1000' } },
})
const customers = Number(values.customers)
const samples = 20
const scrollMs = 3000

const verdicts: boolean[] = []
const say = (what: string, holds: boolean) => {
  verdicts.push(holds)
  console.log(`${holds ? 'holds ' : 'MISSED'} ${what}`)
}
const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
const ms = (value: number) => `${value.toFixed(0)} ms`
const mib = (bytes: number) => bytes / 1024 / 1024

/** An empty page, from nothing to its first frame. */
const emptyPageMs = async () => {
  const begin = performance.now()
  const browser = await chromium.launch({
    executablePath: process.env.FARTHING_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run', '--disable-sync'],
  })
  const page = await browser.newPage()
  await page.goto('data:text/html,<p>empty')
  await page.evaluate('new Promise(requestAnimationFrame)')
  const tookMs = performance.now() - begin
  await browser.close()
  return tookMs
}

/** Runs in the page: for each touch, the time from the finger to the first frame of another screen. */
const timeTouches = `(() => {
  window.touchesMs = []
  let down
  addEventListener('pointerdown', ({ timeStamp }) => { down = timeStamp }, true)
  let screen = document.querySelector('[data-screen]').dataset.screen
  new MutationObserver(() => {
    const now = document.querySelector('[data-screen]')?.dataset.screen
    if (now === screen || now === undefined) return
    screen = now
    const from = down
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => window.touchesMs.push(performance.now() - from)
      port2.postMessage('')
    })
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-screen'] })
})()`

/** Runs in the page: scrolls what scrolls farthest, and tells each frame's time. */
const scroll = `new Promise((resolve) => {
  const roomOf = (element) => element.scrollHeight - element.clientHeight
  const scroller = [...document.querySelectorAll('*')]
    .filter((element) => /auto|scroll/.test(getComputedStyle(element).overflowY))
    .sort((a, b) => roomOf(b) - roomOf(a))[0] ?? document.scrollingElement
  const frames = []
  const begin = performance.now()
  let last = begin
  const step = (at) => {
    frames.push(at - last)
    last = at
    scroller.scrollTop += 40
    if (at - begin < ${scrollMs}) requestAnimationFrame(step)
    else resolve({ frames: frames.slice(2), scrolled: scroller.scrollTop, all: document.querySelectorAll('[data-action="open"]').length })
  }
  requestAnimationFrame(step)
})`

/** By how many percent of its middle a series grew from its first to its last point, by the line of least squares. */
const growthPercent = (series: readonly number[]): number => {
  const n = series.length
  const meanX = (n - 1) / 2
  const meanY = series.reduce((sum, y) => sum + y, 0) / n
  const over = series.reduce((sum, y, x) => sum + (x - meanX) * (y - meanY), 0)
  const under = series.reduce((sum, _, x) => sum + (x - meanX) ** 2, 0)
  return ((over / under) * (n - 1) * 100) / meanY
}

const items: readonly ShopItem[] = [
  {
    file: { name: 'a.md', bytes: Buffer.from(`# A page\n\n${'Words. '.repeat(500)}`) },
    id: 'a-page',
    priceMinor: 50,
    title: { en: 'A page' },
  },
  ...Array.from(
    { length: Number(values.articles) - 1 },
    (_, at): ShopItem => ({
      file: { name: `${at}.md`, bytes: Buffer.from(`# Article ${at}`) },
      id: `article-${at}`,
      priceMinor: 50 + at,
      title: { en: `Article ${at}`, de: `Artikel ${at}` },
    }),
  ),
]

const floorMs = median([await emptyPageMs(), await emptyPageMs(), await emptyPageMs()])
const shop = await openShop({ items })
// The shelf is fetched and the page's files are read once before anything is timed, as on every day but the first.
await (await launchKiosk({ dataDir: shop.dataDir })).close()
const startedAtMs = Date.now()
const kiosk = await launchKiosk({ dataDir: shop.dataDir })
const mainPid = kiosk.process.pid ?? 0
try {
  const firstPaintAtMs = await kiosk.page.evaluate<number>(
    `new Promise((resolve) =>
      new PerformanceObserver((list) => {
        const [painted] = list.getEntriesByName('first-contentful-paint')
        if (painted !== undefined) resolve(performance.timeOrigin + painted.startTime)
      }).observe({ type: 'paint', buffered: true }),
    )`,
  )
  const startMs = firstPaintAtMs - startedAtMs
  console.log(
    `load average ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')} on this machine, pcscd with the fast shim`,
  )
  say(
    `first screen ${ms(startMs)} after the start (limit ${ms(limits.startMs)}); an empty page in the same Chromium ${ms(floorMs)}, so ${(startMs / floorMs).toFixed(2)} times that`,
    startMs <= limits.startMs,
  )
  const page = await watchPage(kiosk.page)

  await touchWhenThere(page, 'start')
  await page.until(['catalogue'], 20_000)
  const { frames, scrolled, all } = await kiosk.page.evaluate<{ frames: number[]; scrolled: number; all: number }>(
    scroll,
  )
  const rate = (frames.length * 1000) / frames.reduce((sum, frame) => sum + frame, 0)
  const late = frames.filter((frame) => frame > 25).length
  say(
    `${rate.toFixed(1)} frames a second over ${scrolled.toFixed(0)} px of ${items.length} articles, ${late} of ${frames.length} frames late, ${all} in the document (limit ${limits.framesPerSecond})`,
    rate >= limits.framesPerSecond && scrolled > 1000,
  )
  await touchWhenThere(page, 'back')
  await page.until(['attract'], 20_000)

  await kiosk.page.evaluate(timeTouches)
  for (let round = 0; round < 10; round += 1) {
    await touchWhenThere(page, 'start')
    await touchWhenThere(page, 'open')
    await touchWhenThere(page, 'buy')
    await touchWhenThere(page, 'cancel')
    await page.until(['item'], 20_000)
    await touchWhenThere(page, 'back')
    await page.until(['catalogue'], 20_000)
    await touchWhenThere(page, 'back')
    await page.until(['attract'], 20_000)
  }
  const touchesMs = await kiosk.page.evaluate<number[]>('window.touchesMs')
  say(
    `touch to the next screen's frame: median ${ms(median(touchesMs))}, worst ${ms(Math.max(...touchesMs))} of ${touchesMs.length} (limit ${ms(limits.touchMs)})`,
    median(touchesMs) <= limits.touchMs,
  )

  const held: Held[] = []
  const perSample = Math.max(1, Math.round(customers / samples))
  const begin = performance.now()
  let card = await shop.makeCard(10_000)
  for (let customer = 1; customer <= customers; customer += 1) {
    if (card.state.balanceMinor < 50) card = await shop.makeCard(10_000)
    await runErrand(page, { card, itemId: 'a-page' })
    if (customer % perSample === 0) held.push(await heldNow(page.session, mainPid))
  }
  const seconds = (performance.now() - begin) / 1000
  // The first half is warm-up: caches fill, code is compiled.
  const settled = held.slice(held.length >> 1)
  const last = held.at(-1)
  if (last === undefined) throw new Error('no customers')
  console.log(`${customers} customers in ${seconds.toFixed(0)} s; load average now ${loadavg()[0]?.toFixed(1)}`)
  for (const [name, of, unit] of [
    ["page's script", (one: Held) => mib(one.heapBytes), 'MiB'],
    ["page's nodes", (one: Held) => one.nodes, ''],
    ["page's listeners", (one: Held) => one.listeners, ''],
    ['page side (PSS of all processes)', (one: Held) => mib(one.pageSideBytes), 'MiB'],
    ["main's process (RSS)", (one: Held) => mib(one.mainBytes), 'MiB'],
  ] as const) {
    const series = settled.map(of)
    const growth = growthPercent(series)
    say(
      `${name}: ${of(last).toFixed(1)} ${unit}, ${growth >= 0 ? '+' : ''}${growth.toFixed(2)} % over the last ${(customers / 2).toFixed(0)} customers (limit ${limits.growthPercent} %)`,
      growth <= limits.growthPercent,
    )
  }
  say(
    `page side ${mib(last.pageSideBytes).toFixed(0)} MiB (limit ${limits.pageSideMib} MiB)`,
    mib(last.pageSideBytes) < limits.pageSideMib,
  )
} finally {
  await kiosk.close()
  await shop.close()
}
process.exitCode = verdicts.every(Boolean) ? 0 : 1
