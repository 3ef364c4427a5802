/**
 * A month offline: the queue drains completely, in bounded memory, with progress, and the kiosk sells meanwhile. The
 * terminal and the issuer are processes of their own. FARTHING_SOAK=1 takes 100,000 entries; bench/drain.ts times it.
 */
import { expect, onTestFinished, test } from 'vitest'
import { farthing } from '../../e2e/system.ts'
import { openTerminal } from '../../main/terminal.ts'
import { mapPriceMinor } from './bank.ts'
import { drainInChild, makeMonthOffline, sellingCard } from './month-offline.ts'
import { openTill } from './till.ts'

const sales = process.env.FARTHING_SOAK === '1' ? 100_000 : 6_000
const rssMbMax = 200
/** In processor time: what a customer waits for on an idle machine. */
const stallCpuMsMax = 100

test(`${sales} sales of a month drain in under ${rssMbMax} MB while others are made, and none is lost or booked twice`, async () => {
  const month = await makeMonthOffline(sales, onTestFinished)
  const stop = await month.serve()
  const figures = await drainInChild({ dataDir: month.dataDir, sellWith: sellingCard, salesBefore: 20 })
  await stop()
  const sold = figures.saleMs.length + figures.saleMsBefore.length
  console.log(
    `${figures.queued} entries in ${Math.round(figures.drainMs)} ms, ${figures.saleMs.length} sales meanwhile; ` +
      `longest stall ${Math.round(figures.stallCpuMsMax)} ms of processor time; ${Math.round(figures.rssMbMax)} MB`,
  )
  expect(figures.queued).toBe(month.queued)
  expect(figures.rssMbMax).toBeLessThan(rssMbMax)
  expect(figures.stallCpuMsMax).toBeLessThan(stallCpuMsMax)
  expect(figures.saleMs.length).toBeGreaterThan(10)

  // Progress: step by step, to the end.
  expect(figures.progress.length).toBeGreaterThanOrEqual(month.queued / 1000)
  expect(figures.progress.map(({ entries }) => entries)).toEqual(
    figures.progress.map(({ entries }) => entries).toSorted((a, b) => a - b),
  )

  // What was sold at the very end goes with the next sync: by the real command.
  const last = await month.serve()
  const done = await farthing('terminal', 'sync', '--data', month.dataDir)
  await last()
  expect([done.status, done.stderr]).toEqual([0, ''])
  expect(done.lines[0]).toMatchObject({ exceptions: 0, entries: figures.left })

  const till = openTill(month.bank, onTestFinished, month.dataDir)
  expect(till.terminal.ledger.unsynced.count).toBe(0)
  const theirs = await month.bank.entries()
  expect(theirs.length).toBe(month.queued + sold + 1)
  // Not one by one in the message: there are many.
  expect(theirs.join() === till.entries().join()).toBe(true)
  expect(await month.bank.taken()).toEqual({ count: sales + sold, amountMinor: (sales + sold) * mapPriceMinor })
  expect(await month.bank.complaints()).toEqual([])
}, 300_000)

test('while a kiosk holds the ledger, `terminal sync` refuses in a sentence, and a month goes by the command alone', async () => {
  const month = await makeMonthOffline(3000, onTestFinished)
  const stop = await month.serve()
  const kiosk = openTerminal(month.dataDir)
  const refused = await farthing('terminal', 'sync', '--data', month.dataDir)
  kiosk.close()
  expect(refused).toMatchObject({ status: 1, stdout: '' })
  expect(refused.stderr).toMatch(/^farthing: Another Farthing process is running on this data folder: stop it first/)

  const done = await farthing('terminal', 'sync', '--data', month.dataDir)
  expect(done.lines).toEqual([{ batches: 4, entries: 3006, exceptions: 0, journals: 1 }])
  await stop()
  expect((await month.bank.taken()).count).toBe(3000)
  expect(await month.bank.complaints()).toEqual([])
}, 90_000)
