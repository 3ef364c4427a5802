/**
 * The process that is measured: a terminal, as the kiosk runs it, but without screen and reader. It syncs in the background
 * and, if told so, sells all the while. Prints one line of JSON: node drain-child.ts '{"dataDir": ..., "sell": ...}'
 */
import { readFileSync } from 'node:fs'
import { loadCard } from '../../main/load.ts'
import { purchase } from '../../main/purchase/purchase.ts'
import { connectIssuer } from '../../main/sync/issuer-client.ts'
import { startSync } from '../../main/sync/sync.ts'
import { openTerminal } from '../../main/terminal.ts'
import { channelTo, makeTestCard } from '../../main/test-terminal.ts'
import { cardId } from '../../protocol/quantities.ts'

export interface DrainTask {
  readonly dataDir: string
  /** A card that the bank knows and that pays for sales while the queue drains; absent: nothing is sold. */
  readonly sellWith?: string
  /** Sales before the sync begins, to compare with. */
  readonly salesBefore?: number
  /** Opens the terminal and ends. */
  readonly openOnly?: boolean
}

export interface DrainFigures {
  readonly openMs: number
  readonly queued: number
  readonly drainMs: number
  /** As onBatch told it: entries sent, and left, after each batch. */
  readonly progress: readonly { readonly entries: number; readonly left: number }[]
  readonly left: number
  readonly saleMsBefore: readonly number[]
  readonly saleMs: readonly number[]
  /** The longest that nothing else could run: by the clock, and in processor time, which a busy machine does not stretch. */
  readonly stallMsMax: number
  readonly stallCpuMsMax: number
  readonly rssMbOpen: number
  readonly rssMbMax: number
}

const rssMbMax = (): number => {
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return Math.max(Number(kilobytes ?? 0), process.resourceUsage().maxRSS) / 1024
}

const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const watchStalls = () => {
  let wall = performance.now()
  let cpu = cpuMs()
  const longest = { stallMsMax: 0, stallCpuMsMax: 0 }
  const timer = setInterval(() => {
    longest.stallMsMax = Math.max(longest.stallMsMax, performance.now() - wall)
    longest.stallCpuMsMax = Math.max(longest.stallCpuMsMax, cpuMs() - cpu)
    wall = performance.now()
    cpu = cpuMs()
  }, 1)
  return () => {
    clearInterval(timer)
    return longest
  }
}

const drain = async (task: DrainTask): Promise<DrainFigures> => {
  const begun = performance.now()
  const terminal = openTerminal(task.dataDir)
  const openMs = performance.now() - begun
  const rssMbOpen = rssMbMax()
  const queued = terminal.ledger.unsynced.count
  const client = connectIssuer(terminal.identity.issuerUrl)
  const progress: { entries: number; left: number }[] = []
  const saleMsBefore: number[] = []
  const saleMs: number[] = []

  const seller = async () => {
    if (task.sellWith === undefined) return undefined
    const card = makeTestCard({ balanceMinor: 0, personalisation: { cardId: cardId(task.sellWith) } })
    const loaded = await loadCard(terminal, client, channelTo(card), { amountMinor: 1_000_000 })
    if (loaded.outcome !== 'captured') throw new Error(`not loaded: ${JSON.stringify(loaded)}`)
    return async (): Promise<number> => {
      const goods = terminal.issued?.catalogue.prepare('map')
      if (goods === undefined || typeof goods === 'string') throw new Error('the map is not for sale')
      const from = performance.now()
      const sold = await purchase(terminal, channelTo(card), goods)
      const tookMs = performance.now() - from
      if (sold.outcome !== 'captured') throw new Error(`not sold: ${JSON.stringify(sold)}`)
      terminal.ledger.markReleased(sold.payment.terminalSeq)
      return tookMs
    }
  }
  const sell = await seller()
  // The kiosk has been up for a while when the network comes back.
  for (let sale = 0; sell !== undefined && sale < (task.salesBefore ?? 0); sale += 1) saleMsBefore.push(await sell())

  let online = false
  const stalls = watchStalls()
  const from = performance.now()
  const sync = startSync(terminal, client, {
    onBatch: (told) => progress.push(told),
    onChange: (now) => {
      online = now
    },
    onFault: (error) => {
      throw error
    },
  })
  while (!online) {
    // Sales come as customers do: each takes its turn after what else waits.
    if (sell !== undefined) saleMs.push(await sell())
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const drainMs = performance.now() - from
  const longest = stalls()
  await sync.stop()
  const { count: left } = terminal.ledger.unsynced
  terminal.close()
  return {
    openMs,
    queued,
    drainMs,
    progress,
    left,
    saleMsBefore,
    saleMs,
    ...longest,
    rssMbOpen,
    rssMbMax: rssMbMax(),
  }
}

const open = (task: DrainTask) => {
  const from = performance.now()
  const cpuFrom = cpuMs()
  const terminal = openTerminal(task.dataDir)
  const openMs = performance.now() - from
  const openCpuMs = cpuMs() - cpuFrom
  const queued = terminal.ledger.unsynced.count
  terminal.close()
  return { openMs, openCpuMs, queued, rssMbMax: rssMbMax() }
}

if (import.meta.main) {
  const task: DrainTask = JSON.parse(process.argv[2] ?? '')
  console.log(JSON.stringify(task.openOnly === true ? open(task) : await drain(task)))
}
