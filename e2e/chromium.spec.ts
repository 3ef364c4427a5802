/** The stand-in for Electron's binary (chromium/): what it leaves behind, and that it survives its browser. Linux. */
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, test } from '@playwright/test'
import { profilePrefix } from '../chromium/browser.ts'
import { enrolledData } from './enrolled-data.ts'
import { launchKiosk } from './launch.ts'

/** Every process below this one. */
const descendants = (pid: number): number[] => {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return [...children, ...children.flatMap(descendants)]
}
const commandOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8')
const alive = (pids: readonly number[]) =>
  pids.filter((pid) => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')))
const profilesOf = (pid: number | undefined) =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`${profilePrefix}${pid}-`))
const pidOf = (kiosk: Awaited<ReturnType<typeof launchKiosk>>) => {
  if (kiosk.process.pid === undefined) throw new Error('not started')
  return kiosk.process.pid
}

test('ended by SIGTERM it leaves no process and no profile', async () => {
  const data = enrolledData()
  const kiosk = await launchKiosk({ dataDir: data.dataDir })
  const pid = pidOf(kiosk)
  const below = descendants(pid)
  expect(below.length).toBeGreaterThan(2)
  expect(profilesOf(pid)).toHaveLength(1)
  expect(await kiosk.close()).toBe(0)
  await expect.poll(() => alive(below)).toEqual([])
  expect(profilesOf(pid)).toEqual([])
  data.remove()
})

test('killed it leaves no process, and its profile goes with the next start', async () => {
  const data = enrolledData()
  const killed = await launchKiosk({ dataDir: data.dataDir })
  const pid = pidOf(killed)
  const below = descendants(pid)
  killed.process.kill('SIGKILL')
  await expect.poll(() => alive(below)).toEqual([])
  const next = await launchKiosk({ dataDir: data.dataDir })
  expect(profilesOf(pid)).toEqual([])
  expect(await next.close()).toBe(0)
  data.remove()
})

test('a browser that died is started again', async () => {
  const data = enrolledData()
  const kiosk = await launchKiosk({ dataDir: data.dataDir })
  const [browser] = descendants(pidOf(kiosk)).filter((pid) => commandOf(pid).includes('--remote-debugging-pipe'))
  if (browser === undefined) throw new Error('no browser')
  process.kill(browser, 'SIGKILL')
  await expect(async () => {
    const page = await kiosk.reattach()
    await expect(page.locator('[data-screen]').first()).toBeVisible({ timeout: 2000 })
  }).toPass()
  expect(await kiosk.close()).toBe(0)
  data.remove()
})

test('a machine without Chromium is told so', async () => {
  const data = enrolledData()
  const env = { FARTHING_CHROMIUM: '/nowhere/chromium' }
  await expect(launchKiosk({ dataDir: data.dataDir, env })).rejects.toThrow(
    /status 3[\s\S]*cannot start Chromium[\s\S]*FARTHING_CHROMIUM/,
  )
  data.remove()
})

test("a worker runs on the app's own files, and closing the browser ends the kiosk", async () => {
  const data = enrolledData()
  const kiosk = await launchKiosk({ dataDir: data.dataDir })
  const script = await kiosk.page.evaluate(() => document.querySelector('script')?.src ?? '')
  // The page's own script is no worker; that it is fetched and started as one is what is asked.
  const failed = await kiosk.page.evaluate(
    (url) =>
      new Promise<string>((resolve) => {
        const worker = new Worker(url, { type: 'module' })
        worker.onerror = (event) => resolve(event.message)
      }),
    script,
  )
  expect(failed).toMatch(/document|window/)
  const ended = once(kiosk.process, 'exit')
  const session = await kiosk.page.context().browser()?.newBrowserCDPSession()
  session?.send('Browser.close').catch(() => {})
  expect(await ended).toEqual([0, null])
  data.remove()
})
