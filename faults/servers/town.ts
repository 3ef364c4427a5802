/**
 * Twenty terminals of five merchants, cards that roam over all of them, and every document that they will ever send, made beforehand
 * by one seed. What they must come to is counted here, apart from the issuer.
 */
import { randomBytes } from 'node:crypto'
import { createStore, type Issuer } from '../../issuer/issuer.ts'
import {
  type Made,
  newCard,
  newTerminal,
  publish,
  type TestCard,
  type TestTerminal,
} from '../../issuer/test-support.ts'
import type { Item } from '../../protocol/item.ts'
import { unixTime } from '../../protocol/quantities.ts'
import { type Chance, chanceOf } from '../../simulate/chance.ts'

const merchantCount = 5
export const terminalCount = 20
const entriesMax = 12

export interface Document {
  readonly kind: 'batch' | 'load' | 'claim'
  readonly name: string
  readonly terminal: TestTerminal
  readonly bytes: Uint8Array
  /** Loads that must be answered before: without its answer no card would have made what is in here. */
  readonly after: readonly Document[]
}

/** Counted as it was made. */
export interface Oracle {
  /** By merchant. */
  readonly salesMinor: Map<string, number>
  readonly cashMinor: Map<string, number>
  /** By card. */
  readonly balanceMinor: Map<string, number>
  readonly counter: Map<string, number>
  payments: number
  reversals: number
  loads: number
}

export interface Town {
  readonly issuer: Issuer
  readonly documents: readonly Document[]
  readonly oracle: Oracle
  /** Batches by their terminal's id. */
  readonly batches: number
}

interface Drawer {
  readonly terminal: TestTerminal
  readonly merchant: string
  entries: Uint8Array[]
  after: Set<Document>
}

interface Purse {
  readonly card: TestCard
  lastLoad: Document | undefined
  /** What was paid last, where nothing came after it. */
  last: { readonly made: Made; readonly drawer: Drawer; readonly claimed: boolean } | undefined
}

const add = (sums: Map<string, number>, name: string, by: number): void => {
  sums.set(name, (sums.get(name) ?? 0) + by)
}

class TownMaker {
  readonly documents: Document[] = []
  readonly oracle: Oracle = {
    ...{ salesMinor: new Map(), cashMinor: new Map(), balanceMinor: new Map(), counter: new Map() },
    ...{ payments: 0, reversals: 0, loads: 0 },
  }
  readonly #chance: Chance
  readonly #drawers: readonly Drawer[]
  readonly #items: readonly Item[]
  readonly #expiry: number

  constructor(chance: Chance, made: { drawers: readonly Drawer[]; items: readonly Item[]; expiry: number }) {
    this.#chance = chance
    this.#drawers = made.drawers
    this.#items = made.items
    this.#expiry = made.expiry
  }

  /** A card goes to some terminal, and does there what it can. */
  tap(purse: Purse): void {
    const drawer = this.#chance.pick(this.#drawers)
    if (purse.card.balanceMinor < 1000 || this.#chance.hit(0.06)) this.#load(purse, drawer)
    else if (purse.last !== undefined && !purse.last.claimed && this.#chance.hit(0.12)) this.#reverse(purse, purse.last)
    else this.#pay(purse, drawer)
    this.oracle.counter.set(purse.card.id, (this.oracle.counter.get(purse.card.id) ?? 0) + 1)
    if (drawer.entries.length > 0 && (drawer.entries.length >= entriesMax || this.#chance.hit(0.15))) this.cut(drawer)
  }

  cut(drawer: Drawer): void {
    const { terminal } = drawer
    this.documents.push({
      ...{ kind: 'batch', name: `batch ${this.documents.length} of ${terminal.id}`, terminal },
      ...{ bytes: terminal.batch(...drawer.entries), after: [...drawer.after] },
    })
    drawer.entries = []
    drawer.after = new Set()
  }

  #put(drawer: Drawer, purse: Purse, entry: Uint8Array): void {
    drawer.entries.push(entry)
    if (purse.lastLoad !== undefined) drawer.after.add(purse.lastLoad)
  }

  #load(purse: Purse, drawer: Drawer): void {
    const { card } = purse
    const { terminal, merchant } = drawer
    const amountMinor = 100 * (20 + this.#chance.below(30))
    const order = terminal.loadOrder(amountMinor)
    const request: Document = {
      ...{ kind: 'load', name: `load ${this.documents.length} of ${terminal.id}`, terminal },
      ...{ bytes: terminal.loadRequest(card, order), after: purse.lastLoad === undefined ? [] : [purse.lastLoad] },
    }
    this.documents.push(request)
    purse.lastLoad = request
    purse.last = undefined
    this.#put(drawer, purse, terminal.entry(card.commit(order)))
    add(this.oracle.cashMinor, merchant, -amountMinor)
    add(this.oracle.balanceMinor, card.id, amountMinor)
    this.oracle.loads += 1
  }

  #pay(purse: Purse, drawer: Drawer): void {
    const { card } = purse
    const { terminal, merchant } = drawer
    const item = this.#chance.pick(this.#items)
    // Its card's last record goes along, as terminals carry each other's: it must not be booked a second time.
    const { last } = purse
    if (last !== undefined && last.drawer !== drawer && this.#chance.hit(0.4))
      this.#put(drawer, purse, terminal.entry(last.made, 'witness'))
    const made = card.pay(terminal, item)
    this.#put(drawer, purse, terminal.entry(made))
    const claimed = this.#chance.hit(0.15)
    if (claimed)
      this.documents.push({
        ...{ kind: 'claim', name: `claim ${this.documents.length} of ${terminal.id}`, terminal },
        ...{
          bytes: terminal.claim(made, unixTime(this.#expiry)),
          after: purse.lastLoad === undefined ? [] : [purse.lastLoad],
        },
      })
    purse.last = { made, drawer, claimed }
    add(this.oracle.salesMinor, merchant, item.priceMinor)
    add(this.oracle.balanceMinor, card.id, -item.priceMinor)
    this.oracle.payments += 1
  }

  #reverse(purse: Purse, { made, drawer }: { readonly made: Made; readonly drawer: Drawer }): void {
    const { amountMinor } = made.record.order
    this.#put(drawer, purse, drawer.terminal.entry(purse.card.reverse(made)))
    purse.last = undefined
    add(this.oracle.salesMinor, drawer.merchant, -amountMinor)
    add(this.oracle.balanceMinor, purse.card.id, amountMinor)
    this.oracle.reversals += 1
  }
}

const addContent = (issuer: Issuer, { contentHash, bytes }: Item): Promise<unknown> =>
  issuer.store.write((db) =>
    db
      .insertInto('content')
      .values({ content_hash: contentHash, bytes, added_at: issuer.clock() })
      .onConflict((conflict) => conflict.doNothing())
      .execute(),
  )

/** @param options.url of a database that is empty */
export const makeTown = async (options: {
  readonly url: string
  readonly seed: number
  readonly cards: number
  readonly taps: number
}): Promise<Town> => {
  const chance = chanceOf('servers', options.seed)
  const issuer = await createStore({
    ...{ url: options.url, currency: 'EUR', clock: () => unixTime(Math.floor(Date.now() / 1000)) },
    randomBytes: (count) => new Uint8Array(randomBytes(count)),
  })
  const items: Item[] = []
  for (const [name, priceMinor] of [
    ['map', 250],
    ['guide', 120],
    ['wifi', 90],
  ] as const)
    items.push(await publish(issuer, name, priceMinor))
  for (const item of items) await addContent(issuer, item)
  const drawers: Drawer[] = []
  for (let index = 0; index < terminalCount; index += 1) {
    const merchant = `Merchant ${1 + (index % merchantCount)}`
    drawers.push({ terminal: await newTerminal(issuer, merchant), merchant, entries: [], after: new Set() })
  }
  const purses: Purse[] = []
  for (let index = 0; index < options.cards; index += 1)
    purses.push({ card: await newCard(issuer), lastLoad: undefined, last: undefined })
  const maker = new TownMaker(chance, { drawers, items, expiry: issuer.clock() + 86_400 })
  for (let tap = 0; tap < options.taps; tap += 1) maker.tap(chance.pick(purses))
  for (const drawer of drawers) if (drawer.entries.length > 0) maker.cut(drawer)
  const { documents, oracle } = maker
  return { issuer, documents, oracle, batches: documents.filter(({ kind }) => kind === 'batch').length }
}
