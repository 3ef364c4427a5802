/**
 * A month offline, written at once: as many captured sales as are asked for, each with its intent, its entry and a right
 * settlement MAC, by the ledger's own methods. Only the flush of each single sale is saved.
 */
import { randomBytes } from 'node:crypto'
import { sampleMasters } from '../../card/purse-driver.ts'
import { openLedger } from '../../db/ledger.ts'
import { openWritable } from '../../db/open.ts'
import { nodeMacKey } from '../../issuer/issuer-keys.ts'
import { loadCard } from '../../main/load.ts'
import type { IssuerClient } from '../../main/sync/issuer-client.ts'
import type { Terminal } from '../../main/terminal.ts'
import { channelTo, type TestCard } from '../../main/test-terminal.ts'
import { canonicalBytes } from '../../protocol/canonical-json.ts'
import { type Item, itemHash } from '../../protocol/item.ts'
import { deriveSettleKey } from '../../protocol/keys.ts'
import { type MacKey, settlementMac, shortHashOf } from '../../protocol/mac.ts'
import { amountMinor, counter, currencyCode, type TerminalId, unixTime } from '../../protocol/quantities.ts'
import { type CardRecord, encodeRecord } from '../../protocol/record.ts'

const salesPerCommit = 5000

/** Puts the same amount on each card, online. */
export const loadAll = async (
  terminal: Terminal,
  client: IssuerClient,
  load: { readonly cards: readonly TestCard[]; readonly amountMinor: number },
): Promise<void> => {
  for (const card of load.cards) {
    const { outcome } = await loadCard(terminal, client, channelTo(card), { amountMinor: load.amountMinor })
    if (outcome !== 'captured') throw new Error(`the load of ${card.id} is ${outcome}`)
  }
}

/** Where a card of the month stands. */
interface Standing {
  readonly card: TestCard
  readonly settleKey: MacKey
  counter: number
  balanceMinor: number
}

const standingOf = (card: TestCard): Standing => ({
  card,
  settleKey: nodeMacKey(deriveSettleKey(sampleMasters.settle, 1, card.id)),
  counter: card.state.counter,
  balanceMinor: card.state.balanceMinor,
})

interface Month {
  readonly dataDir: string
  readonly terminalId: TerminalId
  readonly item: Item
  /** Loaded with enough; they are not used after the month. */
  readonly cards: readonly TestCard[]
  readonly sales: number
  /** UNIX seconds of the first sale, and how many pass between two. */
  readonly startTime: number
  readonly intervalSeconds: number
}

const nextRecord = (month: Month, standing: Standing, sale: { terminalSeq: number; time: number }): CardRecord => {
  standing.counter += 1
  standing.balanceMinor -= month.item.priceMinor
  return {
    identity: { keyVersion: 1, cardId: standing.card.id },
    counter: counter(standing.counter),
    balanceAfterMinor: amountMinor(standing.balanceMinor),
    order: {
      type: 'payment',
      currency: currencyCode(978),
      amountMinor: amountMinor(month.item.priceMinor),
      reference: counter(0),
      terminalId: month.terminalId,
      terminalSeq: sale.terminalSeq,
      time: unixTime(sale.time),
      itemHash: itemHash(month.item),
      lock: shortHashOf(Uint8Array.from(randomBytes(16))),
    },
  }
}

/** The terminal must be closed. */
export const writeMonth = (month: Month): void => {
  const { database, close } = openWritable(month.dataDir)
  try {
    database.pragma('synchronous = OFF')
    let time = month.startTime
    const ledger = openLedger(database, { clock: () => time })
    const itemJson = Buffer.from(canonicalBytes(month.item)).toString('utf8')
    const standings = month.cards.map(standingOf)
    const sell = (standing: Standing) => {
      time += month.intervalSeconds
      const record = nextRecord(month, standing, { terminalSeq: ledger.nextTerminalSeq(), time })
      const intent = ledger.writeIntent({ record, itemJson })
      ledger.capture(intent, settlementMac(standing.settleKey, encodeRecord(record)))
      ledger.markReleased(intent.terminalSeq)
    }
    for (let sold = 0; sold < month.sales; sold += salesPerCommit)
      database.transaction(() => {
        for (let sale = sold; sale < Math.min(sold + salesPerCommit, month.sales); sale += 1) {
          const standing = standings[sale % standings.length]
          if (standing !== undefined) sell(standing)
        }
      })()
    database.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    close()
  }
}
