/**
 * How long after the card's answer to COMMIT the screen says *approved*: real page, real pcscd, the card in this process.
 * Run it beside a pcscd of its own: scripts/pcsc/with-pcscd.sh npm run bench -- approved
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openPurse, type Purse } from '../card/purse.ts'
import { openStateFile } from '../card/state-file.ts'
import { plugIntoVpcd } from '../card/vpcd.ts'
import { launchKiosk } from '../e2e/launch.ts'
import { makeSystem, virtualReaders } from '../e2e/system.ts'
import { instruction } from '../protocol/apdu.ts'

const limitMs = 100
const rounds = 8

const dir = mkdtempSync(path.join(tmpdir(), 'farthing-bench-'))
const system = await makeSystem(path.join(dir, 'system'))
const made = await system.makeCard('bench', '20.00')
const kiosk = await launchKiosk({ dataDir: system.dataDir })
const { page } = kiosk

let answeredAtMs = 0
/** The purse, with a note of when COMMIT's answer was ready. */
const watched = (purse: Purse): Purse => ({
  ...purse,
  process(command) {
    const response = purse.process(command)
    if (command[1] === instruction.commit) answeredAtMs = Date.now()
    return response
  },
})

const tookMs: number[] = []
try {
  // The page notes, by the same machine's clock, the first frame in which a screen is there.
  await page.evaluate(() => {
    const seen = new Map<string, number>()
    Object.assign(window, { seenAtMs: seen })
    new MutationObserver(() => {
      const name = document.querySelector('[data-screen]')?.getAttribute('data-screen')
      if (name && !seen.has(name)) requestAnimationFrame(() => seen.set(name, Date.now()))
    }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-screen'] })
  })
  for (let round = 0; round < rounds; round += 1) {
    await page.locator('[data-action="start"]').click()
    await page.locator('[data-action="open"][data-item-id="walking-map"]').click()
    await page.locator('[data-action="buy"]').click()
    await page.locator('[data-screen="pay"]').waitFor()
    const file = openStateFile(made.stateFile)
    const purse = openPurse({ ...file, randomBytes: (length) => Uint8Array.from(randomBytes(length)) })
    const plug = plugIntoVpcd({ port: virtualReaders[0].port, purse: watched(purse) })
    await page.locator('[data-screen="approved"]').waitFor({ timeout: 20_000 })
    const approvedAtMs = await page.waitForFunction(() => {
      const seen: unknown = Reflect.get(window, 'seenAtMs')
      return seen instanceof Map ? seen.get('approved') : undefined
    })
    tookMs.push(Number(await approvedAtMs.jsonValue()) - answeredAtMs)
    await plug.pull()
    await plug.closed
    file.close()
    await page.evaluate(() => {
      const seen: unknown = Reflect.get(window, 'seenAtMs')
      if (seen instanceof Map) seen.clear()
    })
    await page.locator('[data-action="show-goods"]').click()
    await page.locator('[data-action="finish"]').click()
    await page.locator('[data-screen="attract"]').waitFor()
  }
} finally {
  await kiosk.close()
  await system.stopIssuer()
  rmSync(dir, { recursive: true, force: true })
}
const sorted = [...tookMs].sort((a, b) => a - b)
const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
console.log(
  `card's answer to the approved screen: median ${median} ms, worst ${sorted.at(-1)} ms of ${rounds} (limit ${limitMs} ms; ${process.env.FARTHING_STOCK_PCSCD === '1' ? 'stock pcscd' : 'pcscd with the fast shim'})`,
)
process.exitCode = median <= limitMs ? 0 : 1
