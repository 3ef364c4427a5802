/** The fleet at work: carries out the workload's events with the production code, and tells the auditor what is true. */
import { mkdirSync } from 'node:fs'
import { LedgerFault } from '../db/open.ts'
import { explain } from '../issuer/explain/explain.ts'
import { blockCard } from '../issuer/hotlist.ts'
import { cutBatch, syncOnce } from '../main/sync/sync.ts'
import { terminalId } from '../protocol/quantities.ts'
import { Auditor } from './auditor.ts'
import { Bank } from './bank.ts'
import { BookFile } from './book-rows.ts'
import { chanceOf } from './chance.ts'
import { Customers, calm, plainBuy } from './customers.ts'
import { Network } from './fault-network.ts'
import type { Figures } from './figures.ts'
import { isNoAnswer, Phones } from './phones.ts'
import { makeRogue, type RogueCard, RogueMerchant, rogueKinds, rogueTerminalId } from './rogues.ts'
import { watchSecrets } from './secrets.ts'
import { makeCard, type SimCard } from './sim-card.ts'
import { SimTerminal } from './sim-terminal.ts'
import { Sticks } from './sticks.ts'
import { demand } from './violation.ts'
import { type Deed, daySeconds, type Event, type Mishaps, type Scale } from './workload.ts'

const startTime = 1_790_000_000
const merchants = ['Kiosk at the pier', 'Kiosk in the park'] as const
const rogueMerchant = 'Kiosk behind the station'
/** Two of each kind. */
const roguesMany = 2 * rogueKinds.length

/** Records that a card's log holds: a last look needs at most as many taps. */
const lastTapsMax = 11
const settlingRounds = 3

interface Parts {
  readonly auditor: Auditor
  readonly figures: Figures
  readonly bank: Bank
  readonly books: BookFile
  readonly cards: readonly SimCard[]
  readonly rogues: readonly RogueCard[]
  readonly merchant: RogueMerchant
  readonly terminals: readonly SimTerminal[]
  readonly phones: Phones
  readonly customers: Customers
  readonly sticks: Sticks
  readonly now: { seconds: number }
}

const at = <Value>(values: readonly Value[], index: number): Value => {
  const value = values[index % values.length]
  if (value === undefined) throw new Error('a fleet without cards or terminals')
  return value
}

export class Fleet {
  readonly #parts: Parts

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  static async found(folder: string, scale: Scale, figures: Figures): Promise<Fleet> {
    mkdirSync(folder, { recursive: true })
    const { seed } = scale
    const now = { seconds: startTime }
    const clock = () => now.seconds
    const secrets = watchSecrets()
    const bank = await Bank.open(folder, { clock, chance: chanceOf(seed, 'bank'), onLog: secrets.look })
    const masters = bank.issuer.keys.masters(1)
    if (masters === undefined) throw new Error('an issuer without keys')
    const source = { seed, masters, startTime }
    const cards = Array.from({ length: scale.cards }, (_, index) => makeCard(index, source))
    const rogues = Array.from({ length: roguesMany }, (_, index) => makeRogue(at(rogueKinds, index), index, source))
    const ids = Array.from({ length: scale.terminals }, (_, index) =>
      terminalId(`7e23${index.toString(16).padStart(12, '0')}`),
    )
    await bank.found({
      merchants: [...merchants, rogueMerchant],
      terminals: [
        ...ids.map((id, index) => ({ terminalId: id, merchant: at(merchants, index) })),
        { terminalId: rogueTerminalId, merchant: rogueMerchant },
      ],
      cards: [...cards, ...rogues].map(({ id }) => id),
    })
    secrets.learn(...Object.values(masters))
    for (const id of ids) secrets.learn(Buffer.from(bank.issuer.keys.terminalKey(1, id) ?? []).toString('hex'))
    for (const { state } of cards) secrets.learn(state.payKey, state.settleKey, state.loadKey)
    const auditor = new Auditor(figures, secrets)
    const network = new Network(bank, (bytes) => auditor.sawBatch(bytes))
    const terminals = ids.map(
      (id) => new SimTerminal({ id, folder, bank, network, clock, seed, onAlarm: secrets.look }),
    )
    const phones = new Phones({ bank, auditor, figures })
    const customers = new Customers({
      auditor,
      figures,
      phones,
      otherCard: (dice) => at(cards, dice),
      onFault: (group, what) => figures.count(`fault, ${group}`, what),
    })
    const key = bank.issuer.keys.terminalKey(1, rogueTerminalId)
    if (key === undefined) throw new Error('no key for the rogue')
    const merchant = new RogueMerchant(Buffer.from(key).toString('hex'), await bank.newEpoch(rogueTerminalId))
    const books = new BookFile(bank.storePath)
    const sticks = new Sticks({ folder, auditor, figures })
    const fleet = new Fleet({
      ...{ auditor, figures, bank, books, cards, rogues, merchant, terminals, phones, customers, sticks, now },
    })
    await fleet.#openShop()
    return fleet
  }

  async #openShop(): Promise<void> {
    const { terminals, cards, rogues, customers } = this.#parts
    for (const terminal of terminals) {
      await this.#enrol(terminal, true)
      await this.#sync(terminal, calm)
    }
    for (const card of [...cards, ...rogues.filter(({ kind }) => kind !== 'imitation')])
      await customers.load(at(terminals, 0), card, 2000, calm)
  }

  async close(): Promise<void> {
    for (const terminal of this.#parts.terminals) terminal.stop()
    this.#parts.books.close()
    await this.#parts.bank.close()
  }

  #card(index: number): SimCard {
    return at(this.#parts.cards, index)
  }
  #terminal(index: number): SimTerminal {
    return at(this.#parts.terminals, index)
  }

  /** @throws Violation, and whatever the production code threw and should not have */
  async play(event: Event): Promise<void> {
    this.#parts.now.seconds = startTime + event.at
    this.#parts.figures.count('events', event.kind)
    await this.#carryOut(event, event.mishaps)
    this.#checkNews()
  }

  async #carryOut(deed: Deed, mishaps: Mishaps): Promise<void> {
    const { customers, bank, phones, merchant, auditor } = this.#parts
    switch (deed.kind) {
      case 'buy':
        return customers.buy(this.#terminal(deed.terminal), this.#card(deed.card), deed, mishaps)
      case 'balance':
        await customers.balance(this.#terminal(deed.terminal), this.#card(deed.card), mishaps)
        return
      case 'load':
        return customers.load(this.#terminal(deed.terminal), this.#card(deed.card), deed.amountMinor, mishaps)
      case 'rogueBuy':
      case 'rogueLoad':
        return this.#rogueTap(deed, mishaps)
      case 'rogueBatch':
        return phones.sendRogueBatch(merchant.batch(auditor.allFacts(), chanceOf('rogue batch', deed.dice)))
      case 'forgery':
        return phones.forge(deed.order, deed.dice)
      case 'sync':
        return this.#sync(this.#terminal(deed.terminal), mishaps)
      case 'courier':
        return this.#carry(this.#terminal(deed.terminal), deed.order, mishaps)
      case 'stickOut':
      case 'stickDesk':
      case 'stickBack':
        return this.#stick(this.#terminal(deed.terminal), deed, mishaps)
      case 'phone':
        return phones.open(deed.order)
      case 'clock':
        return this.#terminal(deed.terminal).setClock(deed.offSeconds)
      case 'restart':
        return this.#terminal(deed.terminal).stop()
      case 'hotlist':
        await blockCard(bank.issuer, this.#card(deed.card).id)
        return
      case 'prices':
        return bank.newEdition()
      case 'codes':
        return bank.addCodes()
      default:
        return this.#disaster(this.#terminal(deed.terminal), deed.kind)
    }
  }

  async #rogueTap(deed: Extract<Deed, { kind: 'rogueBuy' | 'rogueLoad' }>, mishaps: Mishaps): Promise<void> {
    const { rogues, customers, auditor, figures } = this.#parts
    const card = at(rogues, deed.rogue)
    const terminal = this.#terminal(deed.terminal)
    figures.count('fault, adversary', `a tap of a card that is ${card.kind === 'liar' ? 'a liar' : card.kind}`)
    auditor.rogueAt(terminal.id)
    card.prepare(deed.dice)
    if (deed.kind === 'rogueLoad') await customers.load(terminal, card, deed.amountMinor, mishaps)
    else await customers.buy(terminal, card, { ...plainBuy(deed.item), phone: deed.phone }, mishaps)
  }

  async #disaster(terminal: SimTerminal, kind: 'image' | 'restore' | 'diskLost' | 'technician'): Promise<void> {
    const { auditor, figures } = this.#parts
    switch (kind) {
      case 'image':
        terminal.takeImage()
        return auditor.imageTaken(terminal.id)
      case 'restore':
        if (!terminal.restoreImage()) return
        figures.count('fault, disk', 'old image restored')
        return auditor.imageRestored(terminal.id)
      case 'diskLost':
        terminal.loseDisk()
        figures.count('fault, disk', 'lost')
        auditor.diskLost(terminal.id)
        return this.#enrol(terminal, true)
      case 'technician':
        figures.count('recoveries', terminal.stopped ? 'enrolled again after a fork' : 'enrolled again for no reason')
        return this.#enrol(terminal, terminal.stopped)
    }
  }

  /** @param isNoticed its ledger is gone, or the issuer called it a fork */
  async #enrol(terminal: SimTerminal, isNoticed: boolean): Promise<void> {
    await terminal.enrol()
    if (isNoticed) this.#parts.auditor.enrolled(terminal.id)
  }

  /** The books against the cards: what changed, if anybody wrote in them. */
  #checkNews(): void {
    const { books, auditor } = this.#parts
    if (books.changed()) auditor.checkBooks(books.news())
  }

  /** All of the books. */
  checkBooks(): void {
    const { books, auditor } = this.#parts
    auditor.checkBooks(books.read())
  }

  async #sync(terminal: SimTerminal, mishaps: Mishaps): Promise<void> {
    const { figures, customers } = this.#parts
    try {
      const result = await terminal.work(mishaps, customers.onFault, (work) => syncOnce(work.terminal, work.client))
      if (result === 'died') return
      figures.count('sync', 'batches', result.batches)
      figures.count('sync', result.stopped ?? 'done')
    } catch (error) {
      if (!isNoAnswer(error) && !(error instanceof LedgerFault)) throw error
      figures.count('sync', error.name)
    }
  }

  /** One step of a stick's journey. Faults of the world end here. */
  async #stick(
    terminal: SimTerminal,
    { kind, dice }: Extract<Deed, { kind: 'stickOut' | 'stickDesk' | 'stickBack' }>,
    mishaps: Mishaps,
  ): Promise<void> {
    const { sticks, figures, customers, bank } = this.#parts
    figures.count('sticks', kind)
    try {
      if (kind === 'stickDesk') await sticks.answer(terminal.id, bank.issuer)
      else
        await terminal.work(mishaps, customers.onFault, async ({ terminal: opened }) =>
          kind === 'stickOut' ? sticks.write(opened) : sticks.read(opened),
        )
    } catch (error) {
      if (!(error instanceof LedgerFault)) throw error
      figures.count('sticks', error.name)
    }
    sticks.suffer(terminal.id, dice)
  }

  async #carry(terminal: SimTerminal, order: number, mishaps: Mishaps): Promise<void> {
    const { auditor, figures, customers, bank } = this.#parts
    await terminal.work(withoutLedgerFault(mishaps), customers.onFault, async ({ terminal: opened }) => {
      if (opened.ledger.stoppedVerdict !== undefined) return
      while (cutBatch(opened));
      const chance = chanceOf('courier', order)
      const batches = opened.ledger.unanswered().map(({ bytes }) => ({ bytes, place: chance.fraction() }))
      for (const { bytes } of batches) auditor.sawBatch(bytes)
      // Some sticks are lost on the way.
      for (const { bytes, place } of batches.toSorted((a, b) => a.place - b.place))
        if (place < 0.7) await bank.post('/v1/batches', bytes)
      figures.count('fault, network', 'carried in any order, answer lost')
    })
  }

  /** Everything works again: all cards are tapped everywhere, all terminals synced, all claims opened. */
  async settle(days: number): Promise<void> {
    const { now, terminals, cards, customers, phones, auditor, books, bank } = this.#parts
    now.seconds = startTime + (days + 1) * daySeconds
    for (const terminal of terminals) terminal.setClock(0)
    for (let round = 0; round < settlingRounds; round += 1) {
      for (const terminal of terminals) await this.#syncForGood(terminal)
      for (const card of cards)
        for (const terminal of terminals)
          for (let taps = 0; taps < lastTapsMax && (await customers.balance(terminal, card, calm)); taps += 1);
      await phones.openAll()
    }
    for (const terminal of terminals) await this.#syncForGood(terminal)
    // A last sale to each card: its record decides what became of a load that never came.
    for (const [index, card] of cards.entries()) await customers.buy(this.#terminal(index), card, plainBuy('map'), calm)
    for (const terminal of terminals) await this.#syncForGood(terminal)
    auditor.close(books.read(), books.batches())
    const { unexplainedMinor, unexplainedCount } = await explain(bank.issuer)
    demand(
      'I4',
      unexplainedMinor === 0 && unexplainedCount === 0,
      () => `the issuer cannot explain ${unexplainedMinor} and ${unexplainedCount} counters`,
    )
  }

  async #syncForGood(terminal: SimTerminal): Promise<void> {
    await this.#sync(terminal, calm)
    if (!terminal.stopped) return
    await this.#enrol(terminal, true)
    await this.#sync(terminal, calm)
  }
}

const withoutLedgerFault = ({ ledger: _ledger, ...rest }: Mishaps): Mishaps => rest
