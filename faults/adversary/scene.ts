/**
 * Where the attacks take place (docs/SECURITY.md): a real issuer behind real HTTP, real terminals that enrolled with it, and
 * real software purses under its keys. Attackers get from here exactly what they are said to hold.
 */
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { pino } from 'pino'
import { expect } from 'vitest'
import { drivePurse, samplePersonalisation } from '../../card/purse-driver.ts'
import { auditBooks } from '../../issuer/audit.ts'
import { publish } from '../../issuer/bulletin-publisher.ts'
import { addItem } from '../../issuer/catalogue.ts'
import { createEnrolmentCode } from '../../issuer/enrolment.ts'
import { createStore, type Issuer } from '../../issuer/issuer.ts'
import { addCard, addMerchant, addTerminal } from '../../issuer/parties.ts'
import { report } from '../../issuer/report.ts'
import { serve } from '../../issuer/server.ts'
import { enrol } from '../../main/enrol.ts'
import { loadCard } from '../../main/load.ts'
import { type PurchaseHooks, purchase } from '../../main/purchase/purchase.ts'
import type { CardChannel } from '../../main/reader/card-reader.ts'
import { connectIssuer, type IssuerClient } from '../../main/sync/issuer-client.ts'
import { syncOnce } from '../../main/sync/sync.ts'
import { openTerminal, type Terminal } from '../../main/terminal.ts'
import { channelTo, makeTestCard, type TestCard, testFolder, testStartTime } from '../../main/test-terminal.ts'
import type { Limits } from '../../protocol/bulletin.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { deriveLoadKey, derivePayKey, deriveSettleKey } from '../../protocol/keys.ts'
import type { Personalisation } from '../../protocol/personalise.ts'
import { amountMinor, type CardId, cardId, type TerminalId, unixTime } from '../../protocol/quantities.ts'

export const mapPriceMinor = 250
export const wifiPriceMinor = 100
export const mapText = 'A walking map of the harbour'

/** One point of sale, as its merchant runs it. */
export interface Kiosk {
  readonly id: TerminalId
  readonly dataDir: string
  readonly client: IssuerClient
  readonly terminal: Terminal
  /** One tap; goods that are due are handed over and noted. */
  sell(card: TestCard | CardChannel, itemId?: string, hooks?: PurchaseHooks): ReturnType<typeof purchase>
  sync(): ReturnType<typeof syncOnce>
  load(card: TestCard, amountMinor: number): ReturnType<typeof loadCard>
  /** The same machine again, or another folder in its place, with a new code from the issuer. */
  enrolAgain(dataDir?: string): Promise<void>
  /** The process ends. */
  close(): void
  /** The process starts, on what is on the disk now. */
  open(): void
}

export interface Scene {
  readonly issuer: Issuer
  readonly url: string
  readonly clock: { seconds: number }
  readonly folder: string
  kiosk(merchant: string): Promise<Kiosk>
  /** A purse under the issuer's keys, loaded at that kiosk. */
  card(options?: { at?: Kiosk; balanceMinor?: number; personalisation?: Partial<Personalisation> }): Promise<TestCard>
  addCodes(lines: readonly string[]): Promise<void>
  figures(): ReturnType<typeof report>
  /** Payable of a terminal, to the cent. */
  payableMinor(kiosk: Kiosk): Promise<number>
  cardFigures(card: { readonly id: CardId }): Promise<Awaited<ReturnType<typeof report>>['cards'][number]>
  exceptionsOf(kiosk: Kiosk): Promise<readonly string[]>
  /** POST of a document, as anybody on the network can. */
  post(route: string, body: Uint8Array | string, headers?: Record<string, string>): Promise<Response>
}

const fresh = (count: number): Uint8Array => Uint8Array.from(randomBytes(count))

const isCard = (card: TestCard | CardChannel): card is TestCard => 'answers' in card

let cards = 0

const openKiosk = async (
  scene: { readonly issuer: Issuer; readonly url: string; readonly clock: { seconds: number } },
  place: { readonly id: TerminalId; readonly dataDir: string; readonly atEnd: (work: () => void) => void },
): Promise<Kiosk> => {
  const { issuer, url, clock } = scene
  let { dataDir } = place
  const client = connectIssuer(url)
  let terminal: Terminal | undefined
  const open = () => {
    terminal = openTerminal(dataDir, { clock: () => clock.seconds, randomBytes: fresh })
  }
  const close = () => {
    terminal?.close()
    terminal = undefined
  }
  const running = (): Terminal => {
    if (terminal === undefined) throw new Error('this kiosk is closed')
    return terminal
  }
  const enrolNow = async () => {
    const { code } = await createEnrolmentCode(issuer, place.id)
    await enrol({ dataDir, client, code })
    open()
    await syncOnce(running(), client)
  }
  await enrolNow()
  place.atEnd(close)
  return {
    id: place.id,
    get dataDir() {
      return dataDir
    },
    client,
    get terminal() {
      return running()
    },
    async sell(card, itemId = 'map', hooks = {}) {
      const goods = running().issued?.catalogue.prepare(itemId)
      if (goods === undefined || typeof goods === 'string') throw new Error(`${itemId} is not for sale: ${goods}`)
      const outcome = await purchase(running(), isCard(card) ? channelTo(card) : card, goods, hooks)
      if (outcome.outcome === 'captured' && outcome.goods === 'due')
        running().ledger.markReleased(outcome.payment.terminalSeq)
      return outcome
    },
    sync: () => syncOnce(running(), client),
    load: (card, minor) => loadCard(running(), client, channelTo(card), { amountMinor: minor }),
    async enrolAgain(folder = dataDir) {
      close()
      dataDir = folder
      await enrolNow()
    },
    close,
    open,
  }
}

/** @param atEnd vitest's onTestFinished; the books are audited before anything is closed */
export const openScene = async (
  atEnd: (work: () => void | Promise<void>) => void,
  options: { readonly limits?: Partial<Limits> } = {},
): Promise<Scene> => {
  const folder = testFolder(atEnd)
  const clock = { seconds: testStartTime }
  const world = { clock: () => unixTime(clock.seconds), randomBytes: fresh }
  const issuer = await createStore({ url: `sqlite:${path.join(folder, 'issuer.db')}`, currency: 'EUR', ...world })
  await addItem(issuer, {
    file: { name: 'map.txt', bytes: Buffer.from(mapText) },
    id: 'map',
    priceMinor: mapPriceMinor,
    title: { en: 'Walking map' },
  })
  const addCodes = async (lines: readonly string[]) => {
    await addItem(issuer, {
      file: { name: 'wifi.txt', bytes: Buffer.from(lines.join('\n')) },
      id: 'wifi',
      kind: 'code',
      priceMinor: wifiPriceMinor,
      title: { en: 'Wi-Fi' },
    })
    await publish(issuer)
  }
  await publish(issuer, { limits: options.limits ?? {} })
  const server = await serve({ issuer, port: 0, log: pino({ level: 'silent' }) })
  atEnd(async () => {
    const complaints = await auditBooks(issuer)
    await server.close()
    await issuer.store.close()
    expect(complaints).toEqual([])
  })
  const masters = issuer.keys.masters(1)
  if (masters === undefined) throw new Error('an issuer has keys')

  const scene: Scene = {
    issuer,
    url: server.url,
    clock,
    folder,
    async kiosk(merchant) {
      await addMerchant(issuer, merchant)
      const { terminalId: id } = await addTerminal(issuer, { merchant })
      return openKiosk({ issuer, url: server.url, clock }, { id, dataDir: path.join(folder, id), atEnd })
    },
    async card({ at, balanceMinor = at === undefined ? 0 : 1000, personalisation = {} } = {}) {
      cards += 1
      const id = cardId(`ad7e${cards.toString(16).padStart(12, '0')}`)
      await addCard(issuer, { cardId: id })
      const card = makeTestCard({
        balanceMinor: 0,
        personalisation: {
          cardId: id,
          payKey: derivePayKey(fromHex(masters.pay, 32), 1, id),
          settleKey: deriveSettleKey(fromHex(masters.settle, 32), 1, id),
          loadKey: deriveLoadKey(fromHex(masters.load, 32), 1, id),
          ...personalisation,
        },
      })
      if (balanceMinor > 0 && at !== undefined)
        expect(await at.load(card, balanceMinor)).toMatchObject({ outcome: 'captured' })
      return card
    },
    addCodes,
    figures: () => report(issuer),
    async payableMinor(kiosk) {
      const { terminals } = await report(issuer)
      return terminals.find(({ terminalId }) => terminalId === kiosk.id)?.payableMinor ?? Number.NaN
    },
    async cardFigures({ id }) {
      const found = (await report(issuer)).cards.find(({ cardId: each }) => each === id)
      if (found === undefined) throw new Error(`the report has no card ${id}`)
      return found
    },
    async exceptionsOf(kiosk) {
      const { terminals } = await report(issuer)
      const found = terminals.find(({ terminalId }) => terminalId === kiosk.id)
      return found?.exceptions.map(({ reason }) => reason) ?? []
    },
    post: (route, body, headers = {}) =>
      fetch(server.url + route, {
        method: 'POST',
        body: typeof body === 'string' ? body : Uint8Array.from(body),
        headers,
      }),
  }
  return scene
}

/** A second chip with the same memory, as it is now. */
export const copyOf = (card: TestCard): TestCard => {
  const copy = makeTestCard({ balanceMinor: 0, personalisation: { cardId: card.id } })
  copy.rollBack(card.state)
  return copy
}

/** A purse of whoever has K_pay of a card alone: it answers like the card, and its settlement MACs are worth nothing. */
export const imitate = (options: { id: CardId; payKey: Uint8Array; balanceMinor: number }): TestCard => {
  const card = makeTestCard({
    balanceMinor: 0,
    personalisation: { cardId: options.id, payKey: options.payKey, settleKey: fresh(32), loadKey: fresh(32) },
  })
  card.rollBack({ ...card.state, balanceMinor: amountMinor(options.balanceMinor) })
  return card
}

/** The card held to a reader of whoever has these keys; the rest of the personalisation is not needed to drive it. */
export const readerOver = (card: TestCard, keys: { payKey: Uint8Array; loadKey?: Uint8Array }) => {
  card.reset()
  return drivePurse(
    card.answers,
    samplePersonalisation({ cardId: card.id, payKey: keys.payKey, loadKey: keys.loadKey ?? fresh(32) }),
  )
}
