/**
 * The built kiosk on this machine, with a thousand articles (docs/ARCHITECTURE.md, The screen): `npm run bench -- kiosk
 * [--customers N]`. Times stand beside the start of an empty page in the same Chromium, and beside the machine's load. The
 * customers come from 8 to 22 o'clock of one day, its clocks driven together (faults/clock), and the night follows.
 */
import { loadavg } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { chromium } from '@playwright/test'
import { chromiumProgram, hasDisplay } from '../../chromium/program.ts'
import { launchKiosk } from '../../e2e/launch.ts'
import { driveClock } from '../../faults/clock/driven-clock.ts'
import { seededNumbers } from '../../faults/reader/fault-list.ts'
import { runDay, sleep } from '../../faults/stranger/day.ts'
import { runErrand, touchWhenThere } from '../../faults/stranger/errand.ts'
import { type Held, heldNow, othersBrowsers } from '../../faults/stranger/machine-memory.ts'
import { openShop, type ShopItem } from '../../faults/stranger/shop.ts'
import { watchPage } from '../../faults/stranger/watched-page.ts'
import { heavyGoods } from './heavy-goods.ts'

const limits = { startMs: 2000, touchMs: 100, pageSideMib: 300, framesPerSecond: 55, growthPercent: 3, leftMib: 20 }
const { values } = parseArgs({
  options: { customers: { type: 'string', default: '1000' }, articles: { type: 'string', default: '1000' } },
})
const customers = Number(values.customers)
const samples = 20
const scrollMs = 3000
/** Chromium keeps pictures of layers that are gone for some seconds, by its own clock, which cannot be driven. */
const layersKeptMs = 15_000
const weighings = 3
const betweenWeighingsMs = 1000

const tomorrow = new Date().setHours(24)
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
    executablePath: chromiumProgram({ headless: !hasDisplay() }),
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
  window.touches = []
  let down
  let action
  addEventListener('pointerdown', ({ timeStamp, target }) => {
    down = timeStamp
    action = target.closest('[data-action]')?.dataset.action ?? ''
  }, true)
  let screen = document.querySelector('[data-screen]').dataset.screen
  new MutationObserver(() => {
    const now = document.querySelector('[data-screen]')?.dataset.screen
    if (now === screen || now === undefined) return
    screen = now
    const [from, of] = [down, action]
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => window.touches.push({ of, ms: performance.now() - from })
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

const goods = await heavyGoods()
const items: readonly ShopItem[] = [
  ...goods,
  {
    file: { name: 'a.md', bytes: Buffer.from(`# A page\n\n${'Words. '.repeat(500)}`) },
    id: 'a-page',
    priceMinor: 50,
    title: { en: 'A page' },
  },
  ...Array.from(
    { length: Number(values.articles) - goods.length - 1 },
    (_, at): ShopItem => ({
      file: { name: `${at}.md`, bytes: Buffer.from(`# Article ${at}`) },
      id: `article-${at}`,
      priceMinor: 50 + at,
      title: { en: `Article ${at}`, de: `Artikel ${at}` },
    }),
  ),
]

const floorMs = median([await emptyPageMs(), await emptyPageMs(), await emptyPageMs()])
const clock = await driveClock()
const shop = await openShop({ items, nowMs: clock.nowMs })
// The shelf is fetched and the page's files are read once before anything is timed, as on every day but the first.
const dayBefore = await launchKiosk({ dataDir: shop.dataDir })
const onShelf = () => dayBefore.page.evaluate<number>('farthing.state().then(({ status }) => status.catalogue.length)')
while ((await onShelf()) < items.length) await delay(200)
await dayBefore.close()
const startedAtMs = Date.now()
let kiosk = await launchKiosk({ dataDir: shop.dataDir })
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
  let page = await watchPage(kiosk.page)

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
  const touches = await kiosk.page.evaluate<{ of: string; ms: number }[]>('window.touches')
  const touchesMs = touches.map((touch) => touch.ms)
  for (const [of, some] of Map.groupBy(touches, (touch) => touch.of))
    console.log(
      `       ${of}: median ${ms(median(some.map((touch) => touch.ms)))}, worst ${ms(Math.max(...some.map((touch) => touch.ms)))}`,
    )
  say(
    `touch to the next screen's frame: median ${ms(median(touchesMs))}, worst ${ms(Math.max(...touchesMs))} of ${touchesMs.length} (limit ${ms(limits.touchMs)})`,
    median(touchesMs) <= limits.touchMs,
  )

  await kiosk.close()
  const at = (hour: number, minute = 0) => new Date(tomorrow).setHours(hour, minute, 0, 0)
  clock.startAt(at(7, 55))
  kiosk = await launchKiosk({ dataDir: shop.dataDir, env: clock.env() })
  const mainPid = kiosk.process.pid ?? 0
  await clock.follow(kiosk.page)
  page = await watchPage(kiosk.page)
  const held: (Held & { readonly mainHeldBytes: number })[] = []
  const perSample = Math.max(1, Math.round(customers / samples))
  const begin = performance.now()
  const day = {
    ...{ shop, page, clock, customers, random: seededNumbers(1), itemId: 'a-page', priceMinor: 50 },
    ...{ opensMs: at(8), closesMs: at(22), away: { fromMs: at(12), untilMs: at(13) } },
    onCustomer: async (customer: number) => {
      if (customer % perSample === 0)
        held.push({ ...(await heldNow(page.session, mainPid)), mainHeldBytes: await clock.heldBytes() })
    },
  }
  const bought = await runDay(day)
  const seconds = (performance.now() - begin) / 1000
  // The first half is warm-up: caches fill, code is compiled.
  const settled = held.slice(held.length >> 1)
  const last = held.at(-1)
  if (last === undefined) throw new Error('no customers')
  console.log(
    `a day from 8 to 22 o'clock in ${seconds.toFixed(0)} s: ${customers} customers, ${bought} bought; load average now ${loadavg()[0]?.toFixed(1)}`,
  )
  for (const [name, of, unit] of [
    ["page's script", (one: Held) => mib(one.heapBytes), 'MiB'],
    ["page's nodes", (one: Held) => one.nodes, ''],
    ["page's listeners", (one: Held) => one.listeners, ''],
    ['page side (PSS of all processes)', (one: Held) => mib(one.pageSideBytes), 'MiB'],
    ["main's heap and buffers", (one: (typeof held)[number]) => mib(one.mainHeldBytes), 'MiB'],
  ] as const) {
    const series = settled.map(of)
    const growth = growthPercent(series)
    say(
      `${name}: ${of(last).toFixed(1)} ${unit}, ${growth >= 0 ? '+' : ''}${growth.toFixed(2)} % over the last ${(customers / 2).toFixed(0)} customers (limit ${limits.growthPercent} %)`,
      growth <= limits.growthPercent,
    )
  }
  say(
    `page side ${mib(last.pageSideBytes).toFixed(0)} MiB beside ${othersBrowsers(mainPid)} processes of other people's browsers (limit ${limits.pageSideMib} MiB)`,
    mib(last.pageSideBytes) < limits.pageSideMib,
  )
  // What was large on the screen goes with its customer.
  const restedBytes = async () => {
    await delay(layersKeptMs)
    const weighed: number[] = []
    for (let weighing = 0; weighing < weighings; weighing += 1) {
      await delay(betweenWeighingsMs)
      weighed.push((await heldNow(page.session, mainPid)).pageSideBytes)
    }
    return median(weighed)
  }
  for (const { id = '' } of goods) {
    const beforeBytes = await restedBytes()
    let shownBytes = beforeBytes
    const card = await shop.makeCard(1000)
    await runErrand(page, { card, itemId: id }, async () => {
      await kiosk.page.locator('[data-ready="true"]').first().waitFor({ state: 'attached' })
      shownBytes = (await heldNow(page.session, mainPid)).pageSideBytes
    })
    await clock.pass(60_000)
    const afterBytes = await restedBytes()
    const leftMib = mib(afterBytes - beforeBytes)
    say(
      `${id}: page side ${mib(beforeBytes).toFixed(0)} MiB before, ${mib(shownBytes).toFixed(0)} MiB while it is shown, ${mib(afterBytes).toFixed(0)} MiB a minute after, which is ${leftMib.toFixed(1)} more (limit ${limits.leftMib})`,
      leftMib <= limits.leftMib,
    )
  }
  // The last large goods were shown after ten o'clock, and it rests ten minutes after a touch.
  await sleep(day, { restsMs: Math.max(at(22, 15), clock.nowMs() + 11 * 60_000), wakesMs: at(24 + 6, 5) })
  await runErrand(page, { card: await shop.makeCard(1000), itemId: 'a-page' })
  say('the night passed, and the first of the next morning bought', true)
} finally {
  await kiosk.close()
  await shop.close()
  clock.close()
}
process.exitCode = verdicts.every(Boolean) ? 0 : 1
