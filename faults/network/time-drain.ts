/**
 * A month offline: how the time to drain a queue grows with its length, what memory it takes, and what it does to the sales
 * that are made meanwhile. Terminal and issuer are processes of their own. Fails above the limits (docs/PROTOCOL.md, Documents).
 */
import { drainInChild, makeMonthOffline, sellingCard } from './month-offline.ts'

const lengths = [10_000, 50_000, 100_000]
/** Per entry, the longest queue against the shortest: proportional is 1, square is 10. The rest is for a busy machine. */
const ratioMax = 2
const rssMbMax = 200
/** In processor time. */
const stallCpuMsMax = 100

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const worst = (values: readonly number[]): number => Math.max(...values)

const perEntryMs: number[] = []
const faults: string[] = []
for (const length of lengths) {
  const cleanUps: (() => void)[] = []
  const month = await makeMonthOffline(length, (cleanUp) => cleanUps.unshift(cleanUp))
  const stop = await month.serve()
  try {
    const figures = await drainInChild({ dataDir: month.dataDir, sellWith: sellingCard, salesBefore: 50 })
    perEntryMs.push(figures.drainMs / figures.queued)
    console.log(
      `${figures.queued} entries: open ${figures.openMs.toFixed(0)} ms, drained in ${(figures.drainMs / 1000).toFixed(1)} s ` +
        `(${(figures.drainMs / figures.queued).toFixed(3)} ms each), ${figures.rssMbMax.toFixed(0)} MB at most; ` +
        `a sale takes ${median(figures.saleMsBefore).toFixed(1)} ms (worst ${worst(figures.saleMsBefore).toFixed(0)}) before, ` +
        `${median(figures.saleMs).toFixed(1)} ms (worst ${worst(figures.saleMs).toFixed(0)} of ${figures.saleMs.length}) meanwhile; ` +
        `longest stall ${figures.stallMsMax.toFixed(0)} ms, ${figures.stallCpuMsMax.toFixed(0)} ms of it processor time`,
    )
    if (figures.rssMbMax >= rssMbMax)
      faults.push(`${length} entries took ${figures.rssMbMax.toFixed(0)} MB: the limit is ${rssMbMax}.`)
    if (figures.stallCpuMsMax >= stallCpuMsMax)
      faults.push(
        `${length} entries held the kiosk up for ${figures.stallCpuMsMax.toFixed(0)} ms: the limit is ${stallCpuMsMax}.`,
      )
  } finally {
    await stop()
    for (const cleanUp of cleanUps) cleanUp()
  }
}
const ratio = (perEntryMs.at(-1) ?? Number.NaN) / (perEntryMs[0] ?? Number.NaN)
console.log(`time per entry, ${lengths.at(-1)} against ${lengths[0]}: ${ratio.toFixed(2)}; limit ${ratioMax}`)
if (!(ratio < ratioMax)) faults.push(`The time is not proportional to the count: ${ratio.toFixed(2)} times per entry.`)
for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1
