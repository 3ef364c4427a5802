/** A real terminal for the network's faults: it sells to real software purses, and says what it knows in its own words. */
import path from 'node:path'
import Database from 'better-sqlite3'
import { ledgerPath } from '../../db/open.ts'
import { purchase } from '../../main/purchase/purchase.ts'
import { cutBatch } from '../../main/sync/sync.ts'
import { openTerminal, realWorld, type Terminal } from '../../main/terminal.ts'
import { type AtEnd, channelTo, type TestCard } from '../../main/test-terminal.ts'
import type { Bank } from './bank.ts'

export interface Till {
  readonly terminal: Terminal
  readonly dataDir: string
  readonly clock: { seconds: number }
  /** @returns how the sale of a map ended */
  sell(card: TestCard): Promise<string>
  /** Sells so many, and cuts a batch of them that is not sent yet. */
  sellBatch(card: TestCard, sales: number): Promise<void>
  restart(): Terminal
  /** Every entry of every epoch, oldest first, in hex, read beside the terminal. */
  entries(): string[]
  /** How many of them, from the first, the terminal takes for settled. */
  settled(): number
}

export const openTill = (bank: Bank, atEnd: AtEnd, dataDir = path.join(bank.folder, 'terminal')): Till => {
  const clock = { seconds: bank.clock.seconds }
  const world = { ...realWorld, clock: () => clock.seconds }
  let terminal = openTerminal(dataDir, world)
  atEnd(() => terminal.close())
  const read = <Row>(sql: string): Row[] => {
    const database = new Database(ledgerPath(dataDir), { readonly: true })
    try {
      return database.prepare<[], Row>(sql).all()
    } finally {
      database.close()
    }
  }
  const sell = async (card: TestCard): Promise<string> => {
    const goods = terminal.issued?.catalogue.prepare('map')
    if (goods === undefined || typeof goods === 'string') return `no goods: ${goods}`
    const sold = await purchase(terminal, channelTo(card), goods)
    if (sold.outcome === 'captured') terminal.ledger.markReleased(sold.payment.terminalSeq)
    return sold.outcome === 'declined' ? sold.reason : sold.outcome
  }
  return {
    get terminal() {
      return terminal
    },
    dataDir,
    clock,
    sell,
    async sellBatch(card, sales) {
      for (let sale = 0; sale < sales; sale += 1) {
        const outcome = await sell(card)
        if (outcome !== 'captured') throw new Error(`not sold: ${outcome}`)
      }
      if (!cutBatch(terminal)) throw new Error('nothing to cut')
    },
    restart() {
      terminal.close()
      terminal = openTerminal(dataDir, world)
      return terminal
    },
    entries: () =>
      read<{ hex: string }>('SELECT lower(hex(bytes)) AS hex FROM entry ORDER BY epoch, entry_no').map(
        ({ hex }) => hex,
      ),
    settled: () =>
      read<{ count: number }>('SELECT coalesce(sum(count), 0) AS count FROM batch WHERE verdict IS NOT NULL')[0]
        ?.count ?? 0,
  }
}
