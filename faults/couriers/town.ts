/**
 * A small town with real parts: an issuer behind HTTP on loopback, kiosks with their data folders, cards that are
 * software purses. The clock and the chance alone are the test's.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import { openPurse, type Purse } from '../../card/purse.ts'
import { newCardState } from '../../card/purse-state.ts'
import { publish } from '../../issuer/bulletin-publisher.ts'
import { addItem } from '../../issuer/catalogue.ts'
import { createEnrolmentCode } from '../../issuer/enrolment.ts'
import { createStore, type Issuer } from '../../issuer/issuer.ts'
import { addCard, addMerchant, addTerminal } from '../../issuer/parties.ts'
import { type RunningServer, serve } from '../../issuer/server.ts'
import { enrol } from '../../main/enrol.ts'
import { readStatement } from '../../main/kiosk/card-statement.ts'
import { loadCard } from '../../main/load.ts'
import { finishOpen, purchase, witnessAfterSale } from '../../main/purchase/purchase.ts'
import { witness } from '../../main/purchase/recovery.ts'
import type { CardChannel } from '../../main/reader/card-reader.ts'
import { connectIssuer, IssuerUnreachable } from '../../main/sync/issuer-client.ts'
import { syncOnce } from '../../main/sync/sync.ts'
import { openTerminal, type Terminal } from '../../main/terminal.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { parseClaim } from '../../protocol/claim.ts'
import { currencyOf } from '../../protocol/currency.ts'
import { deriveLoadKey, derivePayKey, deriveSettleKey } from '../../protocol/keys.ts'
import { amountMinor, type CardId, cardId, type TerminalId, terminalId, unixTime } from '../../protocol/quantities.ts'
import { type Chance, chanceOf } from '../../simulate/chance.ts'

export interface Sale {
  readonly cardId: CardId
  readonly counter: number
  readonly amountMinor: number
  /** PUBLIC_URL/c#..., as the QR code shows it. */
  readonly claimUrl: string
}

export interface Town {
  readonly issuer: Issuer
  readonly url: string
  readonly clock: { seconds: number }
  readonly cards: readonly Card[]
  close(): Promise<void>
}

export interface Card {
  readonly id: CardId
  /** The card lies in the reader, with nothing between. */
  insert(): CardChannel
}

const makeCard = (issuer: Issuer, index: number, chance: Chance): Card => {
  const masters = issuer.keys.masters(1)
  if (masters === undefined) throw new Error('an issuer without keys')
  const id = cardId(`ca4d${index.toString(16).padStart(12, '0')}`)
  const key = (derive: typeof derivePayKey, master: string) => derive(fromHex(master, 32), 1, id)
  const purse: Purse = openPurse({
    state: newCardState({
      keyVersion: 1,
      cardId: id,
      currency: currencyOf('EUR').code,
      expiry: unixTime(0xffffffff),
      balanceMaxMinor: amountMinor(100_000),
      pinFreeMaxMinor: amountMinor(0xffffffff),
      pinTriesMax: 3,
      pin: '',
      payKey: key(derivePayKey, masters.pay),
      settleKey: key(deriveSettleKey, masters.settle),
      loadKey: key(deriveLoadKey, masters.load),
    }),
    save: () => undefined,
    randomBytes: (length) => chance.bytes(length),
  })
  return {
    id,
    insert: () => {
      purse.reset()
      return { transmit: async (command) => purse.process(command) }
    },
  }
}

/** An issuer with a catalogue of two articles, and blank cards. */
export const foundTown = async (options: { seed: number; cards: number; startTime: number }): Promise<Town> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-couriers-'))
  const clock = { seconds: options.startTime }
  const chance = chanceOf(options.seed, 'issuer')
  const issuer = await createStore({
    url: `sqlite:${path.join(folder, 'bank.db')}`,
    currency: 'EUR',
    clock: () => unixTime(clock.seconds),
    randomBytes: (count) => chance.bytes(count),
  })
  const server: RunningServer = await serve({ issuer, port: 0, log: pino({ level: 'silent' }) })
  for (const [id, priceMinor] of [
    ['map', 250],
    ['guide', 120],
  ] as const)
    await addItem(issuer, { file: { name: `${id}.txt`, bytes: Buffer.from(id) }, id, priceMinor, title: { en: id } })
  await publish(issuer)
  const cards = Array.from({ length: options.cards }, (_, index) =>
    makeCard(issuer, index, chanceOf(options.seed, 'card', index)),
  )
  for (const card of cards) await addCard(issuer, { cardId: card.id })
  return {
    issuer,
    url: server.url,
    clock,
    cards,
    close: async () => {
      await server.close()
      await issuer.store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const attemptsMax = 3

/** An idle connection may be closed under a request: as a kiosk's sync and a phone's owner do, it is tried again. */
const persist = async <Result>(request: () => Promise<Result>): Promise<Result> => {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await request()
    } catch (error) {
      const unreachable = error instanceof IssuerUnreachable || error instanceof TypeError
      if (!unreachable || attempt === attemptsMax) throw error
    }
}

/** A kiosk as a shopkeeper knows it: enrolled, it sells, looks at cards, syncs; its disk can be lost. */
export class Kiosk {
  readonly id: TerminalId
  readonly #town: Town
  readonly #dataDir: string
  readonly #chance: Chance
  #terminal: Terminal | undefined

  private constructor(town: Town, id: TerminalId, chance: Chance) {
    this.id = id
    this.#town = town
    this.#dataDir = mkdtempSync(path.join(tmpdir(), 'farthing-kiosk-'))
    this.#chance = chance
  }

  static async open(town: Town, merchant: string, seed: number): Promise<Kiosk> {
    const chance = chanceOf(seed, merchant)
    await addMerchant(town.issuer, merchant)
    const added = await addTerminal(town.issuer, {
      merchant,
      terminalId: terminalId(Buffer.from(chance.bytes(8)).toString('hex')),
    })
    const kiosk = new Kiosk(town, added.terminalId, chance)
    await kiosk.enrol()
    return kiosk
  }

  get #running(): Terminal {
    if (this.#terminal === undefined) throw new Error('the kiosk is not running')
    return this.#terminal
  }

  get #client() {
    return connectIssuer(this.#town.url)
  }

  /** A technician comes with a code, and the kiosk fetches what it needs. */
  async enrol(): Promise<void> {
    await persist(async () => {
      const { code } = await createEnrolmentCode(this.#town.issuer, this.id)
      return enrol({ dataDir: this.#dataDir, client: this.#client, code })
    })
    this.#terminal = openTerminal(this.#dataDir, {
      clock: () => this.#town.clock.seconds,
      randomBytes: (length) => this.#chance.bytes(length),
    })
    await this.sync()
  }

  sync() {
    return persist(() => syncOnce(this.#running, this.#client))
  }

  async load(card: Card, minor: number): Promise<void> {
    const loaded = await loadCard(this.#running, this.#client, card.insert(), { amountMinor: minor })
    if (loaded.outcome !== 'captured') throw new Error(`the load is ${loaded.outcome}`)
  }

  /** One tap that buys: the goods are handed over, and the card is asked for a witness. */
  async sell(card: Card, itemId: string): Promise<Sale> {
    const terminal = this.#running
    const goods = terminal.issued?.catalogue.prepare(itemId)
    if (goods === undefined || typeof goods === 'string') throw new Error(`${itemId} is not for sale`)
    const channel = card.insert()
    const outcome = await purchase(terminal, channel, goods)
    if (outcome.outcome !== 'captured') throw new Error(`the purchase is ${outcome.outcome}`)
    const { payment } = outcome
    const { settlementMac } = payment
    if (settlementMac === undefined) throw new Error('a captured payment without its proof')
    terminal.ledger.markReleased(payment.terminalSeq)
    await witnessAfterSale(terminal, channel, payment)
    return {
      cardId: payment.cardId,
      counter: payment.counter,
      amountMinor: goods.item.priceMinor,
      claimUrl: terminal.claimUrl(payment.record, settlementMac).url,
    }
  }

  /** One tap that only looks at the balance. @returns the claims of what may be collected, newest first */
  async look(card: Card): Promise<readonly string[]> {
    const terminal = this.#running
    const tap = await finishOpen(terminal, card.insert())
    if (tap.outcome !== 'clear' || tap.session === undefined) throw new Error(`the tap is ${tap.outcome}`)
    const statement = await readStatement(terminal, tap.session)
    if (statement === undefined) throw new Error('the card proves nothing')
    await witness(terminal, tap.session, statement.card.counter)
    return statement.lines
      .filter(({ collectable }) => collectable)
      .map(({ bytes, settlementMac }) => terminal.claimUrl(bytes, settlementMac).url)
  }

  /** The disk is gone, and all that was on it. */
  loseDisk(): void {
    this.#terminal?.close()
    this.#terminal = undefined
    rmSync(this.#dataDir, { recursive: true, force: true })
  }
}

/** A phone opens the claim's address: its page posts what is behind the #. @returns the HTTP status */
export const openClaim = (town: Town, claimUrl: string): Promise<number> =>
  persist(async () => {
    const response = await fetch(`${town.url}/v1/claims`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: Uint8Array.from(claimBytes(claimUrl)),
    })
    await response.arrayBuffer()
    return response.status
  })

const claimBytes = (claimUrl: string): Uint8Array => Buffer.from(new URL(claimUrl).hash.slice(1), 'base64url')

/** The sale that a claim's address is about. */
export const saleOf = (claimUrl: string): Pick<Sale, 'cardId' | 'counter'> & { readonly terminalId: TerminalId } => {
  const { identity, counter, order } = parseClaim(Uint8Array.from(claimBytes(claimUrl))).record
  return { cardId: identity.cardId, counter, terminalId: order.terminalId }
}
