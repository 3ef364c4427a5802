/** The fleet at work: carries out the workload's events with the production code, and tells the auditor what is true. */
import { mkdirSync } from 'node:fs'
import type { Intent } from '../db/ledger.ts'
import { blockCard } from '../issuer/bulletin-publisher.ts'
import { readStatement } from '../main/card-statement.ts'
import { loadCard } from '../main/load.ts'
import { itemOf } from '../main/payment.ts'
import { finishOpen, type PurchaseOutcome, purchase, witnessAfterSale } from '../main/purchase/purchase.ts'
import { witness } from '../main/purchase/recovery.ts'
import { type CardChannel, CardFault } from '../main/reader/card-reader.ts'
import { IssuerRefused, IssuerUnreachable } from '../main/sync/issuer-client.ts'
import { cutBatch, syncOnce } from '../main/sync/sync.ts'
import type { Terminal } from '../main/terminal.ts'
import { toHex } from '../protocol/bytes.ts'
import { parseClaim } from '../protocol/claim.ts'
import { type TerminalId, terminalId } from '../protocol/quantities.ts'
import { encodeRecord } from '../protocol/record.ts'
import { Auditor } from './auditor.ts'
import { Bank } from './bank.ts'
import { readBooks } from './book-rows.ts'
import { chanceOf } from './chance.ts'
import { openChannel } from './fault-channel.ts'
import { Network } from './fault-network.ts'
import type { Figures } from './figures.ts'
import { makeCard, type SimCard } from './sim-card.ts'
import { type AtWork, issuerUrl, SimTerminal } from './sim-terminal.ts'
import { type Deed, daySeconds, type Event, type Mishaps, type Scale } from './workload.ts'

const startTime = 1_790_000_000
const merchants = ['Kiosk at the pier', 'Kiosk in the park'] as const

type Buy = Extract<Deed, { kind: 'buy' }>
const calm: Mishaps = {}
/** Records that a card's log holds: a last look needs at most as many taps. */
const lastTapsMax = 11
const settlingRounds = 3

export class Fleet {
  readonly auditor: Auditor
  readonly #figures: Figures
  readonly #bank: Bank
  readonly #cards: readonly SimCard[]
  readonly #terminals: readonly SimTerminal[]
  /** That customers photographed. */
  readonly #claims: Uint8Array[] = []
  #now: { seconds: number }

  private constructor(parts: {
    auditor: Auditor
    figures: Figures
    bank: Bank
    cards: readonly SimCard[]
    terminals: readonly SimTerminal[]
    now: { seconds: number }
  }) {
    this.auditor = parts.auditor
    this.#figures = parts.figures
    this.#bank = parts.bank
    this.#cards = parts.cards
    this.#terminals = parts.terminals
    this.#now = parts.now
  }

  static async found(folder: string, scale: Scale, figures: Figures): Promise<Fleet> {
    mkdirSync(folder, { recursive: true })
    const now = { seconds: startTime }
    const clock = () => now.seconds
    const bank = await Bank.open(folder, clock, chanceOf(scale.seed, 'bank'))
    const masters = bank.issuer.keys.masters(1)
    if (masters === undefined) throw new Error('an issuer without keys')
    const cards = Array.from({ length: scale.cards }, (_, at) => makeCard(scale.seed, at, { masters, startTime }))
    const ids: TerminalId[] = Array.from({ length: scale.terminals }, (_, at) =>
      terminalId(`7e23${at.toString(16).padStart(12, '0')}`),
    )
    await bank.found({
      merchants,
      terminals: ids.map((id, at) => ({ terminalId: id, merchant: merchants[at % merchants.length] ?? merchants[0] })),
      cards: cards.map(({ id }) => id),
    })
    const auditor = new Auditor(figures)
    const network = new Network(bank, (bytes) => auditor.sawBatch(bytes))
    const terminals = ids.map((id) => new SimTerminal({ id, folder, bank, network, clock, seed: scale.seed }))
    const fleet = new Fleet({ auditor, figures, bank, cards, terminals, now })
    for (const [at, terminal] of terminals.entries()) {
      await terminal.enrol()
      await fleet.#sync(terminal, calm)
      if (at === 0) for (const card of cards) await fleet.#load(terminal, card, 2000, calm)
    }
    return fleet
  }

  async close(): Promise<void> {
    for (const terminal of this.#terminals) terminal.stop()
    await this.#bank.close()
  }

  #card(index: number): SimCard {
    const card = this.#cards[index % this.#cards.length]
    if (card === undefined) throw new Error('a fleet without cards')
    return card
  }
  #terminal(index: number): SimTerminal {
    const terminal = this.#terminals[index % this.#terminals.length]
    if (terminal === undefined) throw new Error('a fleet without terminals')
    return terminal
  }

  readonly #onFault = (group: string, what: string): void => this.#figures.count(`fault, ${group}`, what)

  /** @throws Violation, and whatever the production code threw and should not have */
  async play(event: Event): Promise<void> {
    this.#now.seconds = startTime + event.at
    this.#figures.count('events', event.kind)
    const { mishaps } = event
    switch (event.kind) {
      case 'buy':
        return this.#buy(this.#terminal(event.terminal), this.#card(event.card), event, mishaps)
      case 'balance':
        await this.#balance(this.#terminal(event.terminal), this.#card(event.card), mishaps)
        return
      case 'load':
        return this.#load(this.#terminal(event.terminal), this.#card(event.card), event.amountMinor, mishaps)
      case 'sync':
        return this.#sync(this.#terminal(event.terminal), mishaps)
      case 'courier':
        return this.#carry(this.#terminal(event.terminal), event.order, mishaps)
      case 'phone':
        return this.#openClaim(event.order, mishaps)
      case 'clock':
        return this.#terminal(event.terminal).setClock(event.offSeconds)
      case 'restart':
        return this.#terminal(event.terminal).stop()
      case 'hotlist':
        await blockCard(this.#bank.issuer, this.#card(event.card).id)
        return
      case 'prices':
        return this.#bank.newEdition()
      case 'codes':
        return this.#bank.addCodes()
      default:
        return this.#disaster(this.#terminal(event.terminal), event.kind)
    }
  }

  async #disaster(terminal: SimTerminal, kind: 'image' | 'restore' | 'diskLost' | 'technician'): Promise<void> {
    switch (kind) {
      case 'image':
        terminal.takeImage()
        return this.auditor.imageTaken(terminal.id)
      case 'restore':
        if (!terminal.restoreImage()) return
        this.#onFault('disk', 'old image restored')
        return this.auditor.imageRestored(terminal.id)
      case 'diskLost':
        terminal.loseDisk()
        this.#onFault('disk', 'lost')
        this.auditor.diskLost(terminal.id)
        return terminal.enrol()
      case 'technician':
        if (!terminal.stopped) return
        this.#figures.count('recoveries', 'enrolled again after a fork')
        return terminal.enrol()
    }
  }

  /** Once a day: the books against the cards. */
  checkBooks(): void {
    this.auditor.checkBooks(readBooks(this.#bank.storePath))
  }

  /** A touch of a card, with its faults; faults of the world end here. */
  async #touch(
    terminal: SimTerminal,
    card: SimCard,
    mishaps: Mishaps,
    task: (at: AtWork, channel: CardChannel) => Promise<void>,
  ): Promise<void> {
    const other = this.#card(mishaps.reader?.dice ?? 0)
    const look = (seen: SimCard) => this.auditor.sawCard(seen.state)
    try {
      await terminal.work(mishaps, this.#onFault, async (at) => {
        const channel = openChannel(card, {
          fault: mishaps.reader,
          other,
          life: at.life,
          onFault: (what) => this.#onFault('reader', what),
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
      if (!(error instanceof CardFault || error instanceof IssuerUnreachable || error instanceof IssuerRefused))
        throw error
      this.#figures.count('taps', error.name)
    }
  }

  /** As main/kiosk does it, without the screen. */
  async #buy(terminal: SimTerminal, card: SimCard, deed: Buy, mishaps: Mishaps): Promise<void> {
    let again = false
    await this.#touch(terminal, card, mishaps, async (at, channel) => {
      const wanted = at.terminal.issued?.catalogue.prepare(deed.item) ?? 'outOfService'
      if (typeof wanted === 'string') return this.#figures.count('sales', wanted)
      const printed = { done: false }
      const outcome = await purchase(at.terminal, channel, wanted, {
        ...(deed.printer === 'none' ? {} : { handOver: (payment) => this.#print(at, deed, payment, printed) }),
      })
      this.#count(outcome)
      again = outcome.outcome === 'inDoubt' || outcome.outcome === 'cardLost'
      if (outcome.outcome !== 'captured') return
      if (outcome.goods === 'due') this.#handOver(at, outcome.payment, { deed, printed: printed.done })
      if (outcome.claimable && deed.phone) this.#photograph(at.terminal, outcome.payment)
      await witnessAfterSale(at.terminal, channel, outcome.payment)
    })
    if (again && deed.again) await this.#buy(terminal, card, { ...deed, again: false }, calm)
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
    this.auditor.handed({
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
    this.auditor.notedHandedOver(payment.record)
  }

  #photograph(terminal: Terminal, payment: Pick<Intent, 'record' | 'settlementMac'>): void {
    if (payment.settlementMac === undefined) return
    const { url } = terminal.claimUrl(payment.record, payment.settlementMac)
    this.#claims.push(new Uint8Array(Buffer.from(url.slice(url.indexOf('#') + 1), 'base64url')))
  }

  /** A tap that buys nothing: what is open is finished, what was paid and not had is collected by claim. */
  async #balance(terminal: SimTerminal, card: SimCard, mishaps: Mishaps): Promise<boolean> {
    let news = false
    await this.#touch(terminal, card, mishaps, async (at, channel) => {
      const tap = await finishOpen(at.terminal, channel)
      this.#figures.count('taps', tap.outcome)
      if (tap.outcome === 'captured') {
        news = true
        this.#figures.count('recoveries', `captured at a later tap, goods ${tap.goods}`)
        if (tap.goods === 'due') this.#handOver(at, tap.payment, { printed: false })
        if (tap.claimable) this.#photograph(at.terminal, tap.payment)
      }
      const { session } = tap
      if (tap.outcome !== 'clear' || session === undefined) return
      const statement = await readStatement(at.terminal, session)
      for (const line of statement?.lines ?? [])
        if (line.collectable && !this.auditor.hasGoods(toHex(line.bytes)))
          this.#photograph(at.terminal, {
            record: line.bytes,
            settlementMac: line.settlementMac,
          })
      if (statement !== undefined && (await witness(at.terminal, session, statement.card.counter))) news = true
    })
    return news
  }

  async #load(terminal: SimTerminal, card: SimCard, amountMinor: number, mishaps: Mishaps): Promise<void> {
    await this.#touch(terminal, card, mishaps, async (at, channel) => {
      const outcome = await loadCard(at.terminal, at.client, channel, { amountMinor })
      this.#figures.count('loads', outcome.outcome === 'declined' ? `declined, ${outcome.reason}` : outcome.outcome)
    })
  }

  async #sync(terminal: SimTerminal, mishaps: Mishaps): Promise<void> {
    try {
      const result = await terminal.work(mishaps, this.#onFault, ({ terminal: at, client }) => syncOnce(at, client))
      if (result === 'died') return
      this.#figures.count('sync', 'batches', result.batches)
      this.#figures.count('sync', result.stopped ?? 'done')
    } catch (error) {
      if (!(error instanceof IssuerUnreachable || error instanceof IssuerRefused)) throw error
      this.#figures.count('sync', error.name)
    }
  }

  async #carry(terminal: SimTerminal, order: number, mishaps: Mishaps): Promise<void> {
    await terminal.work(withoutDeath(mishaps), this.#onFault, async ({ terminal: at }) => {
      if (at.ledger.stoppedVerdict !== undefined) return
      while (cutBatch(at));
      const chance = chanceOf('courier', order)
      const batches = at.ledger.unanswered().map(({ bytes }) => ({ bytes, place: chance.fraction() }))
      for (const { bytes } of batches) this.auditor.sawBatch(bytes)
      // Some sticks are lost on the way.
      for (const { bytes, place } of batches.toSorted((a, b) => a.place - b.place))
        if (place < 0.7) await this.#post('/v1/batches', bytes)
      this.#figures.count('fault, network', 'carried in any order, answer lost')
    })
  }

  #post(route: string, bytes: Uint8Array): Promise<Response> {
    return this.#bank.answer(`${issuerUrl}${route}`, { method: 'POST', body: new Uint8Array(bytes) })
  }

  async #download(address: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.#bank.answer(`${issuerUrl}${address}`, {})).arrayBuffer())
  }

  async #openClaim(order: number, _mishaps: Mishaps): Promise<void> {
    const claim = this.#claims[order % Math.max(1, this.#claims.length)]
    if (claim === undefined) return
    const response = await this.#post('/v1/claims', claim)
    const answer: unknown = await response.json()
    const { record } = parseClaim(claim)
    const told = Object.fromEntries(typeof answer === 'object' && answer !== null ? Object.entries(answer) : [])
    if (!response.ok) return this.auditor.claimRefused(record, String(told.error))
    this.auditor.handed({
      by: 'phone',
      record: encodeRecord(record),
      itemJson: await this.#bank.itemJson(record.order.itemHash),
      ...(typeof told.code === 'string' ? { code: told.code } : {}),
      ...(typeof told.contentUrl === 'string' ? { content: await this.#download(told.contentUrl) } : {}),
    })
  }

  /** Everything works again: all cards are tapped everywhere, all terminals synced, all claims opened. */
  async settle(days: number): Promise<void> {
    this.#now.seconds = startTime + (days + 1) * daySeconds
    for (const terminal of this.#terminals) terminal.setClock(0)
    for (let round = 0; round < settlingRounds; round += 1) {
      for (const terminal of this.#terminals) await this.#syncForGood(terminal)
      for (const card of this.#cards)
        for (const terminal of this.#terminals)
          for (let taps = 0; taps < lastTapsMax && (await this.#balance(terminal, card, calm)); taps += 1);
      for (let at = 0; at < this.#claims.length; at += 1) await this.#openClaim(at, calm)
      this.#claims.length = 0
    }
    for (const terminal of this.#terminals) await this.#syncForGood(terminal)
    // A last sale to each card: its record decides what became of a load that never came.
    for (const [at, card] of this.#cards.entries()) await this.#lastSale(this.#terminal(at), card)
    for (const terminal of this.#terminals) await this.#syncForGood(terminal)
    this.auditor.close(readBooks(this.#bank.storePath))
  }

  #lastSale(terminal: SimTerminal, card: SimCard): Promise<void> {
    const deed: Buy = {
      kind: 'buy',
      terminal: 0,
      card: 0,
      item: 'map',
      printer: 'none',
      handOver: 'calm',
      again: false,
      phone: false,
    }
    return this.#buy(terminal, card, deed, calm)
  }

  async #syncForGood(terminal: SimTerminal): Promise<void> {
    await this.#sync(terminal, calm)
    if (!terminal.stopped) return
    await terminal.enrol()
    await this.#sync(terminal, calm)
  }
}

const withoutDeath = ({ death: _death, ...rest }: Mishaps): Mishaps => rest
