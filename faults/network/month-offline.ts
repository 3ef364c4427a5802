/**
 * The scene of the long queue: a bank in a process of its own, and a terminal that comes back from a month offline with
 * as many sales as are asked for. Shared by the test and the bench.
 */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { start } from '../../e2e/system.ts'
import { addCard } from '../../issuer/parties.ts'
import { enrol } from '../../main/enrol.ts'
import { connectIssuer } from '../../main/sync/issuer-client.ts'
import { fetchNews } from '../../main/sync/sync.ts'
import type { AtEnd } from '../../main/test-terminal.ts'
import { cardId } from '../../protocol/quantities.ts'
import { type Bank, mapPriceMinor, openBank } from './bank.ts'
import type { DrainFigures, DrainTask } from './drain-child.ts'
import { loadAll, writeMonth } from './month.ts'
import { openTill } from './till.ts'

const monthSeconds = 30 * 86_400
const salesPerCard = 500
/** Its card lies with the kiosk's own process. */
export const sellingCard = '5e11000000000001'

export interface MonthOffline {
  readonly bank: Bank
  readonly dataDir: string
  /** All entries: a load for each card, then the sales. */
  readonly queued: number
  /** Serves from a process of its own, by the real command. @returns how to stop it */
  serve(): Promise<() => Promise<void>>
}

export const makeMonthOffline = async (sales: number, atEnd: AtEnd): Promise<MonthOffline> => {
  const cardCount = Math.ceil(sales / salesPerCard)
  const bank = await openBank(atEnd)
  // The processes have the real time.
  bank.clock.seconds = Math.floor(Date.now() / 1000) - monthSeconds
  const server = await bank.serve()
  const dataDir = path.join(bank.folder, 'terminal')
  const client = connectIssuer(server.url)
  await enrol({ dataDir, client, code: await bank.code() })
  const ends: (() => void)[] = []
  const { terminal } = openTill(bank, (end) => ends.push(end), dataDir)
  await fetchNews(terminal, client)
  const cards = await Promise.all(Array.from({ length: cardCount }, () => bank.card()))
  await loadAll(terminal, client, { cards, amountMinor: mapPriceMinor * salesPerCard })
  const item = terminal.issued?.bulletin.items[0]
  if (item === undefined) throw new Error('the map is not for sale')
  for (const end of ends) end()
  const intervalSeconds = Math.floor(monthSeconds / (sales + 1))
  writeMonth({
    ...{ dataDir, terminalId: bank.terminalId, item, cards, sales, intervalSeconds },
    startTime: bank.clock.seconds,
  })
  await addCard(bank.issuer, { cardId: cardId(sellingCard) })
  await server.close()
  return {
    bank,
    dataDir,
    queued: sales + cardCount,
    async serve() {
      const store = ['--store', bank.issuer.store.url]
      const serving = await start('issuer', 'serve', ...store, '--port', String(server.port))
      return () => serving.stop()
    },
  }
}

/** Runs the terminal in a process of its own to the end of its queue. */
export const drainInChild = (task: DrainTask): Promise<DrainFigures> =>
  new Promise((resolve, reject) => {
    const program = path.join(import.meta.dirname, 'drain-child.ts')
    const child = spawn(process.execPath, [program, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8')
    })
    child.once('error', reject)
    child.once('close', (status) => {
      if (status === 0) resolve(JSON.parse(said))
      else reject(new Error(`the terminal ended with ${status}`))
    })
  })
