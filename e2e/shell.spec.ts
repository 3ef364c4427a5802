/** The shell around the page: what it gives to the page, what it keeps from it, and that it comes back. */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { expect, type Page, test } from '@playwright/test'
import type { FarthingBridge } from '../preload/contract.ts'
import { enrolledData } from './enrolled-data.ts'
import { type LaunchedKiosk, launchKiosk } from './launch.ts'

declare global {
  interface Window {
    readonly farthing: FarthingBridge
    strangerRan?: boolean
  }
}

let kiosk: LaunchedKiosk
let page: Page
let data: ReturnType<typeof enrolledData>
/** A site on the network that the page must never reach, and what reached it. */
let stranger: Server
let strangerUrl: string
const reached: string[] = []
/** Whoever started the kiosk may have such a thing in his environment. */
const token = 'a token of the issuer, which runs on the same machine'

test.beforeAll(async () => {
  stranger = createServer((request, response) => {
    reached.push(request.url ?? '')
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.end('hello')
  })
  stranger.listen(0, '127.0.0.1')
  await once(stranger, 'listening')
  const address = stranger.address()
  if (address === null || typeof address === 'string') throw new Error('no address')
  strangerUrl = `http://127.0.0.1:${address.port}/`
  data = enrolledData()
  kiosk = await launchKiosk({ dataDir: data.dataDir, env: { FARTHING_METRICS_TOKEN: token } })
  page = kiosk.page
})
test.afterAll(async () => {
  const status = await kiosk?.close()
  stranger?.close()
  data?.remove()
  expect(status).toBe(0)
})
test.afterEach(() => {
  expect(reached).toEqual([])
})

/** What the bridge answers to arguments that its types forbid. */
const say = (method: keyof FarthingBridge, ...given: unknown[]) =>
  page.evaluate(
    ([method, given]) =>
      Promise.resolve(Reflect.apply(window.farthing[method], undefined, given)).then(
        () => 'taken',
        (error: Error) => error.message,
      ),
    [method, given] as const,
  )

test('the page has the bridge and shows a screen', async () => {
  await expect(page.locator('[data-screen]').first()).toBeVisible()
  const state = await page.evaluate(() => window.farthing.state())
  expect(state.status).toMatchObject({ merchant: 'Harbour Museum', currency: 'EUR' })
})

test('the bridge cannot be changed, and has the methods of the contract alone', async () => {
  const found = await page.evaluate(() => {
    const { farthing } = window
    Reflect.set(window, 'farthing', {})
    Reflect.set(farthing, 'buy', () => {})
    Reflect.deleteProperty(window, 'farthing')
    return { names: Object.keys(window.farthing).sort(), same: window.farthing.buy === farthing.buy }
  })
  expect(found).toEqual({
    names: [
      'alive',
      'buy',
      'cancel',
      'collect',
      'finish',
      'hush',
      'onState',
      'operatorAct',
      'operatorBalance',
      'operatorKey',
      'operatorLeave',
      'operatorLook',
      'pinKey',
      'printReceipt',
      'showGoods',
      'speak',
      'state',
      'stay',
      'takeCredits',
      'topUp',
      'topUpCode',
    ],
    same: true,
  })
})

test('there is no Node in the page, and no way to main but the bridge', async () => {
  const found = await page.evaluate(() =>
    [
      'process',
      'require',
      'module',
      'Buffer',
      'global',
      'electron',
      'ipcRenderer',
      'farthingPost',
      'farthingReceive',
    ].filter((name) => name in window),
  )
  expect(found).toEqual([])
})

test("no other process is given the kiosk's environment", async () => {
  test.skip(
    process.platform !== 'linux' || process.env.FARTHING_ELECTRON === '1',
    "Electron's own processes are its own",
  )
  const below = (pid: number): number[] =>
    readdirSync(`/proc/${pid}/task`)
      .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
      .filter(Boolean)
      .flatMap((child) => [Number(child), ...below(Number(child))])
  const environmentOf = (pid: number) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8')
    } catch {
      // It has ended meanwhile.
      return ''
    }
  }
  const kioskPid = kiosk.process.pid ?? 0
  expect(environmentOf(kioskPid)).toContain(token)
  const others = below(kioskPid)
  // The reader's process, Chromium and its page's at the least.
  expect(others.length).toBeGreaterThanOrEqual(3)
  for (const pid of others) expect(environmentOf(pid)).not.toContain(token)
})

test('a message of the wrong shape is refused by name', async () => {
  expect(await say('buy', 42)).toContain('MessageRefused: shape: farthing:buy')
  expect(await say('buy')).toContain('MessageRefused: shape: farthing:buy')
  expect(await say('buy', 'x'.repeat(1000), 0, 'en')).toContain('MessageRefused: shape: farthing:buy')
  expect(await say('collect', 1.5)).toContain('MessageRefused: shape: farthing:collect')
  expect(await say('collect', { counter: 1 })).toContain('MessageRefused: shape: farthing:collect')
})

test('a script that was not delivered with the app does not run', async () => {
  const ran = await page.evaluate(() => {
    const script = document.createElement('script')
    script.textContent = 'window.strangerRan = true'
    document.head.append(script)
    const button = document.createElement('button')
    button.setAttribute('onclick', 'window.strangerRan = true')
    document.body.append(button)
    button.click()
    button.remove()
    return window.strangerRan === true
  })
  expect(ran).toBe(false)
  await expect(
    page.addScriptTag({ url: `${strangerUrl}script.js` }),
    'a script from elsewhere is not even asked for',
  ).rejects.toThrow()
})

test('the page cannot reach the network', async () => {
  const answers = await page.evaluate(async (url) => {
    const failed = (error: Error) => error.name
    const image = new Image()
    const loaded = new Promise((resolve) => {
      image.onload = () => resolve('loaded')
      image.onerror = () => resolve('refused')
    })
    image.src = `${url}picture.png`
    const socket = new Promise((resolve) => {
      const webSocket = new WebSocket(url.replace('http', 'ws'))
      webSocket.onopen = () => resolve('open')
      webSocket.onerror = () => resolve('refused')
    })
    return [
      await fetch(url).then(() => 'answered', failed),
      await fetch(url, { mode: 'no-cors' }).then(() => 'answered', failed),
      await loaded,
      await socket,
    ]
  }, strangerUrl)
  expect(answers).toEqual(['TypeError', 'TypeError', 'refused', 'refused'])
})

test('there is no page to go back to, by key or script', async () => {
  await expect.poll(() => page.evaluate(() => history.length)).toBe(1)
  await page.keyboard.press('Alt+ArrowLeft')
  await page.evaluate(() => history.back())
  expect(await say('state')).toBe('taken')
  expect(kiosk.errorOutput()).not.toContain('it left the app')
})

test('a file outside of the app is not to be had', async () => {
  const statuses = await page.evaluate(() =>
    Promise.all(
      ['/../main/index.js', '/%2e%2e/main/index.js', '/..%2fmain%2findex.js', '/goods/unsold'].map((path) =>
        fetch(path).then((response) => response.status),
      ),
    ),
  )
  expect(statuses).toEqual([404, 404, 404, 404])
})

test('the page goes nowhere else', async () => {
  const home = page.url()
  for (const url of [strangerUrl, 'https://example.com/', '/assets/nothing.html']) {
    const failed = page.waitForEvent('requestfailed', (request) => request.isNavigationRequest())
    await page.evaluate((url) => {
      location.href = url
    }, url)
    await failed
    expect(page.url()).toBe(home)
    expect(await say('state')).toBe('taken')
  }
})

test('the page comes back from an empty one', async () => {
  const home = page.url()
  const left = page.waitForEvent('framenavigated', (frame) => frame.url() === 'about:blank')
  const back = page.waitForEvent('framenavigated', (frame) => frame.url() === home)
  await page.evaluate(() => {
    location.href = 'about:blank'
  })
  await left
  await back
  await expect(page.locator('[data-screen]').first()).toBeVisible()
})

test('no second window opens, even at a touch', async () => {
  const home = page.url()
  for (const target of ['/', strangerUrl]) {
    await page.evaluate((url) => {
      const link = document.createElement('a')
      Object.assign(link, { id: 'out', href: url, target: '_blank', textContent: 'out' })
      Object.assign(link.style, { position: 'fixed', inset: '0', zIndex: '2147483647' })
      link.addEventListener('click', () => {
        link.dataset.opened = String(window.open(url))
      })
      document.body.append(link)
    }, target)
    await page.locator('#out').click()
    await expect(page.locator('#out')).toHaveAttribute('data-opened', 'null')
    await page.locator('#out').evaluate((link) => link.remove())
    expect(await say('state')).toBe('taken')
    expect(page.context().pages()).toHaveLength(1)
    expect(page.url()).toBe(home)
  }
})

test('every permission is denied, with no question on the screen', async () => {
  const states = await page.evaluate(() =>
    Promise.all(
      (['geolocation', 'notifications', 'camera', 'microphone', 'midi'] as const).map((name) =>
        navigator.permissions.query({ name }).then((status) => status.state),
      ),
    ),
  )
  expect(states).toEqual(['denied', 'denied', 'denied', 'denied', 'denied'])
  const position = await page.evaluate(
    () =>
      new Promise((resolve) =>
        navigator.geolocation.getCurrentPosition(
          () => resolve('given'),
          (error) => resolve(error.code),
        ),
      ),
  )
  expect(position).toBe(1)
})

for (const [width, height] of [
  [1080, 1920],
  [1920, 1080],
  [1024, 600],
] as const)
  test(`the page fills a screen of ${width}x${height}`, async () => {
    await page.setViewportSize({ width, height })
    const picture = await page.screenshot()
    // PNG: the header's width and height.
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([width, height])
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
  })

test('a page that crashed comes back, the bridge with it', async () => {
  const crashed = page.waitForEvent('crash')
  const session = await page.context().newCDPSession(page)
  session.send('Page.crash').catch(() => {})
  await crashed
  await expect(async () => {
    page = await kiosk.reattach()
    await expect(page.locator('[data-screen]').first()).toBeVisible({ timeout: 2000 })
  }).toPass()
  expect(await say('state')).toBe('taken')
  expect(kiosk.errorOutput()).toContain('the page is gone')
})

test('a second kiosk on the same data is refused', async () => {
  await expect(launchKiosk({ dataDir: data.dataDir })).rejects.toThrow('already running')
})

test('no debugger attaches where there are production keys', async () => {
  const production = enrolledData({ dev: false })
  await expect(launchKiosk({ dataDir: production.dataDir })).rejects.toThrow('production keys')
  production.remove()
})
