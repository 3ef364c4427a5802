/** Customers at the terminals: taps as main/kiosk carries them out, without the screen, with all their mishaps. */
import type { Intent } from '../db/ledger.ts'
import { LedgerFault } from '../db/open.ts'
import { readStatement } from '../main/kiosk/card-statement.ts'
import { loadCard, tellThenLoad } from '../main/load.ts'
import { itemOf } from '../main/payment.ts'
import {
  finishOpen,
  type PaidBefore,
  type PurchaseOutcome,
  purchase,
  witnessAfterSale,
} from '../main/purchase/purchase.ts'
import { witness } from '../main/purchase/recovery.ts'
import { type CardChannel, CardFault } from '../main/reader/card-reader.ts'
import type { Terminal } from '../main/terminal.ts'
import { toHex } from '../protocol/bytes.ts'
import type { Auditor } from './auditor.ts'
import { openChannel } from './fault-channel.ts'
import type { Figures } from './figures.ts'
import { isNoAnswer, type Phones } from './phones.ts'
import type { SimCard } from './sim-card.ts'
import type { AtWork, SimTerminal } from './sim-terminal.ts'
import type { Deed, Mishaps } from './workload.ts'

export type Buy = Omit<Extract<Deed, { kind: 'buy' }>, 'kind' | 'terminal' | 'card'>

/** A purchase with nothing odd about it. */
export const plainBuy = (item: Buy['item']): Buy => ({
  item,
  printer: 'none',
  handOver: 'calm',
  again: false,
  phone: false,
})

export const calm: Mishaps = {}

/** A fault of the world that ends a tap, and nothing else. */
const isOfTheWorld = (error: unknown): error is Error =>
  error instanceof CardFault || error instanceof LedgerFault || isNoAnswer(error)

export class Customers {
  readonly #auditor: Auditor
  readonly #figures: Figures
  readonly #phones: Phones
  readonly #otherCard: (dice: number) => SimCard
  readonly onFault: (group: string, what: string) => void

  constructor(parts: {
    auditor: Auditor
    figures: Figures
    phones: Phones
    otherCard: (dice: number) => SimCard
    onFault: (group: string, what: string) => void
  }) {
    this.#auditor = parts.auditor
    this.#figures = parts.figures
    this.#phones = parts.phones
    this.#otherCard = parts.otherCard
    this.onFault = parts.onFault
  }

  /** A touch of a card, with its faults; faults of the world end here. */
  async #touch(
    terminal: SimTerminal,
    card: SimCard,
    mishaps: Mishaps,
    task: (at: AtWork, channel: CardChannel) => Promise<void>,
  ): Promise<void> {
    const other = this.#otherCard(mishaps.reader?.dice ?? 0)
    const look = (seen: SimCard) => this.#auditor.sawCard(seen.state)
    try {
      await terminal.work(mishaps, this.onFault, async (at) => {
        const channel = openChannel(card, {
          fault: mishaps.reader,
          other,
          life: at.life,
          onFault: (what) => this.onFault('reader', what),
        })
        // The auditor looks after every APDU, so that nothing is handed out before it knows what the card did.
        const watched: CardChannel = {
          transmit: async (command) => {
            try {
              return await channel.transmit(command)
            } finally {
              look(card)
              look(other)
            }
          },
        }
        await task(at, watched)
      })
    } catch (error) {
      if (!isOfTheWorld(error)) throw error
      this.#figures.count('taps', error.name)
    }
  }

  async buy(terminal: SimTerminal, card: SimCard, deed: Buy, mishaps: Mishaps): Promise<void> {
    let again = false
    const before = this.#auditor.factsOf(card.id).length
    await this.#touch(terminal, card, mishaps, async (at, channel) => {
      const wanted = at.terminal.issued?.catalogue.prepare(deed.item) ?? 'outOfService'
      if (typeof wanted === 'string') return this.#figures.count('sales', wanted)
      const printed = { done: false }
      const outcome = await purchase(at.terminal, channel, wanted, {
        ...(deed.printer === 'none' ? {} : { handOver: (payment) => this.#print(at, deed, payment, printed) }),
      })
      this.#auditor.told(card.id, outcome.outcome, before)
      this.#count(outcome)
      again = outcome.outcome === 'inDoubt' || outcome.outcome === 'cardLost'
      if (outcome.outcome !== 'captured') return
      if (outcome.goods === 'due') this.#handOver(at, outcome.payment, { deed, printed: printed.done })
      if (outcome.claimable && deed.phone) this.#phones.photograph(at.terminal, outcome.payment)
      await witnessAfterSale(at.terminal, channel, outcome.payment)
    })
    if (again && deed.again) await this.buy(terminal, card, { ...deed, again: false }, calm)
  }

  #count(outcome: PurchaseOutcome): void {
    if (outcome.outcome === 'declined')
      this.#figures.count('sales', outcome.reversed ? 'reversed' : `declined, ${outcome.reason}`)
    else if (outcome.outcome === 'captured' && outcome.recovered)
      this.#figures.count('recoveries', `captured at a later tap, goods ${outcome.goods}`)
    else this.#figures.count('sales', outcome.outcome)
  }

  async #print(at: AtWork, deed: Buy, payment: Intent, printed: { done: boolean }): Promise<void> {
    if (deed.printer === 'fails') throw new Error('out of paper')
    if (deed.printer === 'dies') at.life.die('while it prints')
    this.#giveGoods(at.terminal, payment)
    printed.done = true
  }

  #giveGoods(terminal: Terminal, payment: Intent): boolean {
    const goods = terminal.issued?.catalogue.goodsOf(itemOf(payment))
    if (goods === undefined) return false
    this.#auditor.handed({
      by: 'terminal',
      record: payment.record,
      itemJson: payment.itemJson ?? '',
      ...(goods.code === undefined ? {} : { code: goods.code }),
      ...(goods.content === undefined ? {} : { content: goods.content }),
    })
    return true
  }

  #handOver(at: AtWork, payment: Intent, how: { deed?: Buy; printed: boolean }): void {
    if (how.deed?.handOver === 'dieBefore' && !how.printed) at.life.die('before the goods are handed over')
    if (!how.printed && !this.#giveGoods(at.terminal, payment)) {
      this.#figures.count('goods', 'not here any more')
      return
    }
    if (how.deed?.handOver === 'dieAfter') at.life.die('after the goods are handed over')
    at.terminal.ledger.markReleased(payment.terminalSeq)
    this.#auditor.notedHandedOver(payment.record)
  }

  /**
   * A tap that buys nothing: what is open is finished, what was paid and not had is collected by claim.
   * @returns whether it brought anything new
   */
  async balance(terminal: SimTerminal, card: SimCard, mishaps: Mishaps): Promise<boolean> {
    let news = false
    await this.#touch(terminal, card, mishaps, async (at, channel) => {
      const tap = await finishOpen(at.terminal, channel)
      this.#figures.count('taps', tap.outcome)
      if (tap.outcome === 'captured') {
        news = true
        this.#finish(at, tap)
      }
      const { session } = tap
      if (tap.outcome !== 'clear' || session === undefined) return
      const statement = await readStatement(at.terminal, session)
      for (const line of statement?.lines ?? [])
        if (line.collectable && !this.#auditor.hasGoods(toHex(line.bytes)))
          this.#phones.photograph(at.terminal, { record: line.bytes, settlementMac: line.settlementMac })
      if (statement !== undefined && (await witness(at.terminal, session, statement.card.counter))) news = true
    })
    return news
  }

  #finish(at: AtWork, paid: PaidBefore): void {
    this.#figures.count('recoveries', `captured at a later tap, goods ${paid.goods}`)
    if (paid.goods === 'due') this.#handOver(at, paid.payment, { printed: false })
    if (paid.claimable) this.#phones.photograph(at.terminal, paid.payment)
  }

  async load(terminal: SimTerminal, card: SimCard, amountMinor: number, mishaps: Mishaps): Promise<void> {
    await this.#touch(terminal, card, mishaps, async (at, channel) => {
      const outcome = await tellThenLoad(
        (load) => loadCard(at.terminal, at.client, channel, load),
        { amountMinor },
        (paid) => this.#finish(at, paid),
      )
      this.#figures.count('loads', outcome.outcome === 'declined' ? `declined, ${outcome.reason}` : outcome.outcome)
    })
  }
}
