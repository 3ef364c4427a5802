/** The flows that are killed at every step, and where each begins. */

import { type PurchaseHooks, type PurchaseOutcome, purchase } from '../../main/purchase/purchase.ts'
import type { CardChannel } from '../../main/reader/card-reader.ts'
import { CardFault } from '../../main/reader/card-reader.ts'
import { cutBatch } from '../../main/sync/sync.ts'
import type { Terminal } from '../../main/terminal.ts'
import type { Flow } from './flow-names.ts'
import type { ShopCard } from './shop.ts'
import { makeBareTemplate, makeTemplate, type Shop, type Template } from './shop.ts'

/** The card leaves at COMMIT, before it did it or after. */
const cutAtCommit = (card: ShopCard, when: 'before' | 'after'): CardChannel => {
  const channel = card.channel()
  return {
    async transmit(command) {
      const commits = command[1] === 0x14
      if (commits && when === 'before') throw new CardFault('removed', 'the card is gone')
      const answer = await channel.transmit(command)
      if (commits) throw new CardFault('removed', 'the card is gone')
      return answer
    },
  }
}

export const buy = async (
  terminal: Terminal,
  channel: CardChannel,
  itemId: string,
  hooks: PurchaseHooks = {},
): Promise<PurchaseOutcome> => {
  const wanted = terminal.issued?.catalogue.prepare(itemId)
  if (wanted === undefined || typeof wanted === 'string') throw new Error(`nothing to sell: ${wanted}`)
  return purchase(terminal, channel, wanted, hooks)
}

/** A sale whose goods were handed over. */
export const sellAndRelease = async (terminal: Terminal, card: ShopCard, itemId: string): Promise<void> => {
  const outcome = await buy(terminal, card.channel(), itemId)
  if (outcome.outcome !== 'captured') throw new Error(`not sold: ${JSON.stringify(outcome)}`)
  terminal.ledger.markReleased(outcome.payment.terminalSeq)
}

const threeBatches = async (shop: Shop, terminal: Terminal): Promise<void> => {
  for (const itemId of ['map', 'wifi', 'map']) {
    await sellAndRelease(terminal, shop.cards[0], itemId)
    await sellAndRelease(terminal, shop.cards[1], 'map')
    if (itemId !== 'map' || terminal.ledger.unsynced.count < 5) cutBatch(terminal)
  }
}

const prepare: Partial<Record<Flow, (shop: Shop, terminal: Terminal) => Promise<void>>> = {
  delivery: async (shop, terminal) => {
    await buy(terminal, shop.cards[0].channel(), 'wifi')
  },
  recovery: async (shop, terminal) => {
    await buy(terminal, cutAtCommit(shop.cards[0], 'after'), 'wifi')
  },
  recoveryVoid: async (shop, terminal) => {
    await buy(terminal, cutAtCommit(shop.cards[0], 'before'), 'wifi')
  },
  sync: threeBatches,
}

export const templateOf = (flow: Flow, folder: string): Promise<Template> =>
  flow === 'enrolment' ? makeBareTemplate(folder) : makeTemplate(folder, prepare[flow])
