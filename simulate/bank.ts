/** The issuer in process: the production application over real SQLite, called without a socket; it can die and restart. */
import path from 'node:path'
import { pino } from 'pino'
import { publish } from '../issuer/bulletin-publisher.ts'
import { addItem } from '../issuer/catalogue.ts'
import { createEnrolmentCode } from '../issuer/enrolment.ts'
import { createApp } from '../issuer/http-app.ts'
import { createStore, type Issuer, openIssuer } from '../issuer/issuer.ts'
import { addCard, addMerchant, addTerminal, startEpoch } from '../issuer/parties.ts'
import type { Store, StoreWriter } from '../issuer/store.ts'
import { type CardId, type TerminalId, type UnixTime, unixTime } from '../protocol/quantities.ts'
import { type Chance, chanceOf } from './chance.ts'
import { itemIds } from './workload.ts'

export const issuerUrl = 'http://127.0.0.1:1'

const unitsMany = 60

export class Bank {
  #issuer: Issuer
  #app: ReturnType<typeof createApp>
  /** The next transaction is not committed. */
  #dies = false
  #codesAdded = 0
  #edition = 0
  readonly #url: string
  readonly #world: {
    clock: () => UnixTime
    randomBytes: (count: number) => Uint8Array
    onLog: (line: string) => void
  }

  private constructor(url: string, world: Bank['world'], issuer: Issuer) {
    this.#url = url
    this.#world = world
    this.#issuer = issuer
    this.#app = this.#serve()
  }

  get world() {
    return this.#world
  }
  get issuer(): Issuer {
    return this.#issuer
  }
  /** Of the store's file. */
  get storePath(): string {
    return this.#url.replace(/^sqlite:/, '')
  }

  /** @param given.onLog every line that the server writes into its log */
  static async open(
    folder: string,
    given: { readonly clock: () => number; readonly chance: Chance; readonly onLog: (line: string) => void },
  ): Promise<Bank> {
    const { clock, chance, onLog } = given
    const world = { clock: () => unixTime(clock()), randomBytes: (count: number) => chance.bytes(count) }
    const url = `sqlite:${path.join(folder, 'issuer.db')}`
    return new Bank(url, { ...world, onLog }, await createStore({ url, currency: 'EUR', ...world }))
  }

  #serve(): ReturnType<typeof createApp> {
    const { store } = this.#issuer
    const dying =
      <Result>(work: (db: StoreWriter) => Promise<Result>) =>
      async (db: StoreWriter): Promise<Result> => {
        const result = await work(db)
        if (this.#dies) {
          this.#dies = false
          throw new Error('the issuer dies before it commits')
        }
        return result
      }
    const failing: Store = {
      ...store,
      write: (work) => store.write(dying(work)),
      writeBeside: (work) => store.writeBeside(dying(work)),
    }
    return createApp(
      { ...this.#issuer, store: failing },
      { log: pino({ level: 'trace' }, { write: this.#world.onLog }) },
    )
  }

  /** The first transaction from now on is undone. */
  dieInTheMiddle(): void {
    this.#dies = true
  }

  async restart(): Promise<void> {
    await this.#issuer.store.close()
    this.#dies = false
    this.#issuer = await openIssuer({ url: this.#url, ...this.#world })
    this.#app = this.#serve()
  }

  async answer(url: string, init: RequestInit): Promise<Response> {
    return this.#app.fetch(new Request(url, init))
  }

  post(route: string, bytes: Uint8Array): Promise<Response> {
    return this.answer(`${issuerUrl}${route}`, { method: 'POST', body: new Uint8Array(bytes) })
  }

  async newEpoch(terminal: TerminalId): Promise<number> {
    return (await startEpoch(this.#issuer, terminal)).epoch
  }

  async found(parties: {
    readonly merchants: readonly string[]
    readonly terminals: readonly { readonly merchant: string; readonly terminalId: TerminalId }[]
    readonly cards: readonly CardId[]
  }): Promise<void> {
    for (const merchant of parties.merchants) await addMerchant(this.#issuer, merchant)
    for (const terminal of parties.terminals) await addTerminal(this.#issuer, terminal)
    for (const card of parties.cards) await addCard(this.#issuer, { cardId: card })
    await this.newEdition()
    await this.addCodes()
  }

  /** Articles at new prices: older sales still settle at theirs. */
  async newEdition(): Promise<void> {
    this.#edition += 1
    const prices = chanceOf('prices', this.#edition)
    for (const id of itemIds)
      if (id === 'map' || id === 'guide')
        await addItem(this.#issuer, {
          file: { name: `${id}.txt`, bytes: Buffer.from(`${id}, edition ${this.#edition}`) },
          id,
          priceMinor: 50 + 10 * prices.below(20),
          title: { en: id },
        })
    await publish(this.#issuer)
  }

  async addCodes(): Promise<void> {
    for (const [id, kind] of [
      ['wifi', 'code'],
      ['ticket', 'ticket'],
    ] as const) {
      const codes = Array.from({ length: unitsMany }, (_, at) => `${id}-${this.#codesAdded}-${at}`)
      await addItem(this.#issuer, {
        file: { name: `${id}.txt`, bytes: Buffer.from(codes.join('\n')) },
        id,
        kind,
        priceMinor: id === 'wifi' ? 100 : 150,
        title: { en: id },
      })
    }
    this.#codesAdded += 1
    await publish(this.#issuer)
  }

  async enrolmentCode(terminal: TerminalId): Promise<string> {
    return (await createEnrolmentCode(this.#issuer, terminal)).code
  }

  /** The canonical JSON of what was published under that hash. */
  async itemJson(itemHash: Uint8Array): Promise<string> {
    const row = await this.#issuer.store.read((db) =>
      db.selectFrom('item_version').select('json').where('item_hash', '=', itemHash).executeTakeFirst(),
    )
    return row?.json ?? ''
  }

  close(): Promise<void> {
    return this.#issuer.store.close()
  }
}
