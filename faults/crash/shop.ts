/**
 * A shop on real files: an issuer, an enrolled terminal with goods and codes, a card with money. It is made once, kept as a
 * template, and copied for every try, so that each begins in the same state; clock and chance repeat.
 */
import { cpSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { pino } from 'pino'
import { openPurse } from '../../card/purse.ts'
import { type CardState, newCardState } from '../../card/purse-state.ts'
import { publish } from '../../issuer/bulletin-publisher.ts'
import { addItem } from '../../issuer/catalogue.ts'
import { createEnrolmentCode } from '../../issuer/enrolment.ts'
import { createStore, type Issuer, openIssuer } from '../../issuer/issuer.ts'
import { addCard, addMerchant, addTerminal } from '../../issuer/parties.ts'
import { type RunningServer, serve } from '../../issuer/server.ts'
import { enrol } from '../../main/enrol.ts'
import { loadCard } from '../../main/load.ts'
import type { CardChannel } from '../../main/reader/card-reader.ts'
import { connectIssuer, type IssuerClient } from '../../main/sync/issuer-client.ts'
import { syncOnce } from '../../main/sync/sync.ts'
import { openTerminal, type Terminal } from '../../main/terminal.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { deriveLoadKey, derivePayKey, deriveSettleKey } from '../../protocol/keys.ts'
import { amountMinor, type CardId, cardId, currencyCode, terminalId, unixTime } from '../../protocol/quantities.ts'
import { type CardRecord, parseRecord } from '../../protocol/record.ts'
import { seededBytes, startTime, world } from './world.ts'

export const shopTerminalId = terminalId('7e23000000000001')
export const firstCardId = cardId('c0ffee00000000f1')
export const secondCardId = cardId('c0ffee00000000f2')
export const mapText = 'Every path and every bench'
export const mapPriceMinor = 250
export const wifiPriceMinor = 100
export const codes = ['ALPHA-1', 'BRAVO-2', 'CHARLIE-3', 'DELTA-4'] as const
const firstLoadMinor = 5000

const issuerWorld = (seed: number) => ({ clock: () => unixTime(startTime), randomBytes: seededBytes(seed) })

export const storeUrl = (folder: string): string => `sqlite:${path.join(folder, 'issuer', 'issuer.db')}`
export const terminalFolder = (folder: string): string => path.join(folder, 'terminal')

export const openShopIssuer = (folder: string, seed = 20): Promise<Issuer> =>
  openIssuer({ url: storeUrl(folder), ...issuerWorld(seed) })

export const serveShop = (issuer: Issuer, port = 0): Promise<RunningServer> =>
  serve({ issuer, port, publicUrl: 'https://pay.example', log: pino({ level: 'silent' }) })

/** A software purse that outlives every process under test. */
export class ShopCard {
  readonly #purse: ReturnType<typeof openPurse>
  commands = 0

  constructor(state: CardState, seed = 30) {
    this.#purse = openPurse({ state, save: () => {}, randomBytes: seededBytes(seed) })
  }

  get state(): CardState {
    const { state } = this.#purse
    if (state.kind === 'blank') throw new Error('a card of the shop is personalised')
    return state
  }
  get id(): CardId {
    return this.state.cardId
  }
  get balanceMinor(): number {
    return this.state.balanceMinor
  }
  /** Newest first. */
  get records(): readonly (CardRecord & { readonly hex: string })[] {
    return this.state.log.map(({ record }) => ({ ...parseRecord(fromHex(record, 80)), hex: record }))
  }
  answer(command: Uint8Array): Uint8Array {
    this.commands += 1
    return this.#purse.process(command)
  }
  /** Power off. */
  reset(): void {
    this.#purse.reset()
  }
  /** In the reader, with nothing between. */
  channel(): CardChannel {
    this.reset()
    return { transmit: async (command) => this.answer(command) }
  }
}

export const makeShopCard = (issuer: Issuer, id: CardId): CardState => {
  const masters = issuer.keys.masters(1)
  if (masters === undefined) throw new Error('an issuer without keys')
  return newCardState({
    keyVersion: 1,
    cardId: id,
    currency: currencyCode(978),
    expiry: unixTime(startTime + 365 * 86_400),
    balanceMaxMinor: amountMinor(100_000),
    pinFreeMaxMinor: amountMinor(100_000),
    pinTriesMax: 3,
    pin: '1234',
    payKey: derivePayKey(fromHex(masters.pay, 32), 1, id),
    settleKey: deriveSettleKey(fromHex(masters.settle, 32), 1, id),
    loadKey: deriveLoadKey(fromHex(masters.load, 32), 1, id),
  })
}

/** Everything at hand, in this process. */
export interface Shop {
  readonly folder: string
  readonly issuer: Issuer
  readonly url: string
  readonly client: IssuerClient
  readonly cards: readonly [ShopCard, ShopCard]
  openTerminal(seed?: number): Terminal
  enrolmentCode(): Promise<string>
  close(): Promise<void>
}

export const openShop = async (folder: string, states: readonly [CardState, CardState]): Promise<Shop> => {
  const issuer = await openShopIssuer(folder)
  const server = await serveShop(issuer)
  return {
    folder,
    issuer,
    url: server.url,
    client: connectIssuer(server.url),
    cards: [new ShopCard(states[0]), new ShopCard(states[1], 31)],
    openTerminal: (seed = 40) => openTerminal(terminalFolder(folder), world(seed)),
    enrolmentCode: async () => (await createEnrolmentCode(issuer, shopTerminalId)).code,
    close: async () => {
      await server.close()
      await issuer.store.close()
    },
  }
}

/** A folder and the cards' states, to begin again from. */
export interface Template {
  readonly folder: string
  readonly cards: readonly [CardState, CardState]
}

export const copyTemplate = (template: Template, folder: string): void => {
  cpSync(template.folder, folder, { recursive: true })
}

/** @param watch sees the issuer from its first hour */
export const foundIssuer = async (
  folder: string,
  watch: (issuer: Issuer) => Issuer = (issuer) => issuer,
): Promise<{ readonly issuer: Issuer; readonly cards: Template['cards'] }> => {
  mkdirSync(path.join(folder, 'issuer'), { recursive: true })
  const issuer = watch(await createStore({ url: storeUrl(folder), currency: 'EUR', ...issuerWorld(10) }))
  await addMerchant(issuer, 'Kiosk at the pier')
  await addTerminal(issuer, { merchant: 'Kiosk at the pier', terminalId: shopTerminalId })
  for (const id of [firstCardId, secondCardId]) await addCard(issuer, { cardId: id })
  const map = { name: 'map.txt', bytes: Buffer.from(mapText) }
  await addItem(issuer, { file: map, id: 'map', priceMinor: mapPriceMinor, title: { en: 'Map' } })
  const wifi = { name: 'wifi.txt', bytes: Buffer.from(codes.join('\n')) }
  await addItem(issuer, { file: wifi, id: 'wifi', kind: 'code', priceMinor: wifiPriceMinor, title: { en: 'Wi-Fi' } })
  await publish(issuer)
  return { issuer, cards: [makeShopCard(issuer, firstCardId), makeShopCard(issuer, secondCardId)] }
}

const makeIssuer = async (folder: string): Promise<Template['cards']> => {
  const { issuer, cards } = await foundIssuer(folder)
  await issuer.store.close()
  return cards
}

/** The issuer alone; the terminal is not enrolled yet. */
export const makeBareTemplate = async (folder: string): Promise<Template> => {
  mkdirSync(terminalFolder(folder), { recursive: true })
  return { folder, cards: await makeIssuer(folder) }
}

/** Both cards loaded, the terminal enrolled and in step; then `prepare` brings it where the flow begins. */
export const makeTemplate = async (
  folder: string,
  prepare: (shop: Shop, terminal: Terminal) => Promise<void> = async () => {},
): Promise<Template> => {
  const shop = await openShop(folder, await makeIssuer(folder))
  try {
    await enrol({ dataDir: terminalFolder(folder), client: shop.client, code: await shop.enrolmentCode() })
    const terminal = shop.openTerminal(41)
    try {
      await syncOnce(terminal, shop.client)
      for (const card of shop.cards)
        await loadCard(terminal, shop.client, card.channel(), { amountMinor: firstLoadMinor })
      await syncOnce(terminal, shop.client)
      await prepare(shop, terminal)
    } finally {
      terminal.close()
    }
    return { folder, cards: [shop.cards[0].state, shop.cards[1].state] }
  } finally {
    await shop.close()
  }
}
