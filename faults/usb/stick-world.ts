/**
 * For tests of the stick: an issuer with its real store and server, kiosks enrolled over HTTP with their real ledgers,
 * cards whose records bear right MACs, and sticks that are folders.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { pino } from 'pino'
import { answerStick, type DeskResult, deskOver } from '../../cli/desk.ts'
import { auditBooks } from '../../issuer/audit.ts'
import { publish } from '../../issuer/bulletin-publisher.ts'
import { addItem } from '../../issuer/catalogue.ts'
import { createEnrolmentCode } from '../../issuer/enrolment.ts'
import { ingestBatch } from '../../issuer/ingest.ts'
import { createStore, type Issuer, openIssuer } from '../../issuer/issuer.ts'
import { keysPath } from '../../issuer/issuer-keys.ts'
import { addMerchant, addTerminal } from '../../issuer/parties.ts'
import { type Report, report } from '../../issuer/report.ts'
import { type RunningServer, serve } from '../../issuer/server.ts'
import { newCard, newTerminal, now, type TestCard } from '../../issuer/test-support.ts'
import { enrol } from '../../main/enrol.ts'
import { type ExportResult, exportBatches } from '../../main/stick/export.ts'
import type { StickDisk } from '../../main/stick/stick-disk.ts'
import { type TakeResult, takeFromStick } from '../../main/stick/take.ts'
import { connectIssuer, type IssuerClient } from '../../main/sync/issuer-client.ts'
import { type SyncOptions, type SyncResult, syncOnce } from '../../main/sync/sync.ts'
import { openTerminal, type Terminal, type World } from '../../main/terminal.ts'
import { currencyOf } from '../../protocol/currency.ts'
import { itemHash } from '../../protocol/item.ts'
import { shortHashOf } from '../../protocol/mac.ts'
import { amountMinor, counter, type TerminalId, unixTime } from '../../protocol/quantities.ts'

const silent = pino({ level: 'silent' })
const issuerWorld = {
  clock: () => now,
  randomBytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)),
}
const terminalWorld = { clock: () => now + 60, randomBytes: issuerWorld.randomBytes }

export const mapText = 'a walking map, folded twice'
const fundsMinor = 100_000

/** Says what to do when the test is over: vitest's onTestFinished. */
export type AtEnd = (cleanUp: () => void | Promise<void>) => void

/** A kiosk: its data folder, and its process, which is opened for each piece of work. */
export class Kiosk {
  readonly id: TerminalId
  readonly dataDir: string
  readonly #world: World

  constructor(id: TerminalId, dataDir: string, world: World = terminalWorld) {
    this.id = id
    this.dataDir = dataDir
    this.#world = world
  }

  async work<Result>(task: (terminal: Terminal) => Result | Promise<Result>): Promise<Result> {
    const terminal = openTerminal(this.dataDir, this.#world)
    try {
      return await task(terminal)
    } finally {
      terminal.close()
    }
  }

  /** A payment in the ledger, as a tap makes it, with what the card gave. */
  sell(card: TestCard, times = 1): Promise<void> {
    return this.work((terminal) => {
      const item = terminal.issued?.bulletin.items.find(({ id }) => id === 'map')
      if (item === undefined) throw new Error('nothing to sell')
      for (let sale = 0; sale < times; sale += 1) {
        const secret = terminal.randomBytes(16)
        const { record, settlementMac } = card.commit(
          {
            type: 'payment',
            currency: currencyOf('EUR').code,
            amountMinor: amountMinor(item.priceMinor),
            reference: counter(0),
            terminalId: terminal.identity.terminalId,
            terminalSeq: terminal.ledger.nextTerminalSeq(),
            time: unixTime(terminal.ledger.now()),
            itemHash: itemHash(item),
            lock: shortHashOf(secret),
          },
          secret,
        )
        const intent = terminal.ledger.writeIntent({ record, itemJson: JSON.stringify(item) })
        terminal.ledger.capture(intent, settlementMac)
        terminal.ledger.markReleased(intent.terminalSeq)
      }
    })
  }

  export(stick: string, disk?: StickDisk): Promise<ExportResult> {
    return this.work((terminal) => exportBatches(terminal, stick, disk))
  }
  take(stick: string, disk?: StickDisk): Promise<TakeResult> {
    return this.work((terminal) => takeFromStick(terminal, stick, disk))
  }
  sync(client: IssuerClient, options: SyncOptions = {}): Promise<SyncResult> {
    return this.work((terminal) => syncOnce(terminal, client, options))
  }
  unsynced(): Promise<number> {
    return this.work(({ ledger }) => ledger.unsynced.count)
  }
}

export class StickWorld {
  readonly folder: string
  readonly kiosks: readonly Kiosk[]
  cards: readonly TestCard[] = []
  #issuer: Issuer
  #server: RunningServer | undefined
  #sticks = 0

  constructor(folder: string, issuer: Issuer, kiosks: readonly Kiosk[]) {
    this.folder = folder
    this.#issuer = issuer
    this.kiosks = kiosks
  }

  get issuer(): Issuer {
    return this.#issuer
  }
  kiosk(at: number): Kiosk {
    const kiosk = this.kiosks[at]
    if (kiosk === undefined) throw new Error(`no kiosk ${at}`)
    return kiosk
  }
  card(at = 0): TestCard {
    const card = this.cards[at]
    if (card === undefined) throw new Error(`no card ${at}`)
    return card
  }

  stick(): string {
    this.#sticks += 1
    const dir = path.join(this.folder, `stick-${this.#sticks}`)
    mkdirSync(dir)
    return dir
  }

  /** Real HTTP; started at the first call. */
  async client(): Promise<IssuerClient> {
    this.#server ??= await serve({ issuer: this.#issuer, port: 0, log: silent })
    return connectIssuer(this.#server.url)
  }

  desk(stick: string, disk?: StickDisk): Promise<DeskResult> {
    return answerStick(deskOver(this.#issuer), stick, disk)
  }

  /** Out and back again. */
  async carry(kiosk: Kiosk, stick: string = this.stick()): Promise<TakeResult> {
    await kiosk.export(stick)
    await this.desk(stick)
    return kiosk.take(stick)
  }

  async enrol(kiosk: Kiosk): Promise<void> {
    const { code } = await createEnrolmentCode(this.#issuer, kiosk.id)
    await enrol({ dataDir: kiosk.dataDir, client: await this.client(), code })
  }

  /** A copy of the store, with its keys. @returns its address */
  backUp(name: string): string {
    const url = `sqlite:${path.join(this.folder, `${name}.db`)}`
    const database = new SqliteDatabase(this.#issuer.store.url.replace(/^sqlite:/, ''), { readonly: true })
    database.exec(`VACUUM INTO '${url.replace(/^sqlite:/, '')}'`)
    database.close()
    cpSync(keysPath(this.#issuer.store.url), keysPath(url))
    const goods = (of: string) => `${of.replace(/^sqlite:/, '')}.goods`
    cpSync(goods(this.#issuer.store.url), goods(url), { recursive: true })
    return url
  }

  /** The disk is lost, and the copy takes its place. */
  async goOnWith(url: string): Promise<void> {
    await this.close()
    this.#issuer = await openIssuer({ url, ...issuerWorld })
  }

  /** The same store and the same ledgers once more, in a folder within. */
  async twin(name: string): Promise<StickWorld> {
    const url = this.backUp(name)
    const folder = path.join(this.folder, `${name}-folder`)
    const kiosks = this.kiosks.map((kiosk, at) => new Kiosk(kiosk.id, path.join(folder, String(at))))
    for (const [at, kiosk] of this.kiosks.entries())
      cpSync(kiosk.dataDir, kiosks[at]?.dataDir ?? '', { recursive: true })
    return new StickWorld(folder, await openIssuer({ url, ...issuerWorld }), kiosks)
  }

  report(): Promise<Report> {
    return report(this.#issuer)
  }
  audit(): Promise<readonly string[]> {
    return auditBooks(this.#issuer)
  }

  /** What the books say when every batch that the kiosks ever cut comes to the issuer of that copy, in order. */
  async reportOf(url: string): Promise<Report> {
    const issuer = await openIssuer({ url, ...issuerWorld })
    try {
      for (const kiosk of this.kiosks)
        for (const bytes of await batchesOf(kiosk)) {
          const result = await ingestBatch(issuer, bytes)
          if ('refused' in result) throw new Error(result.sentence)
        }
      return await report(issuer)
    } finally {
      await issuer.store.close()
    }
  }

  async close(): Promise<void> {
    await this.#server?.close()
    this.#server = undefined
    await this.#issuer.store.close()
  }
}

const batchesOf = (kiosk: Kiosk): Promise<Uint8Array[]> =>
  kiosk.work(({ ledger }) => {
    const batches: Uint8Array[] = []
    for (let batchNo = 1; ; batchNo += 1) {
      const batch = ledger.batchAt({ epoch: ledger.epoch, batchNo })
      if (batch === undefined) return batches
      batches.push(batch.bytes)
    }
  })

/** One merchant with two kiosks, two cards with money on them, one article with goods. */
export const makeStickWorld = async (atEnd: AtEnd): Promise<StickWorld> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-stick-'))
  const issuer = await createStore({
    url: `sqlite:${path.join(folder, 'bank.db')}`,
    currency: 'EUR',
    ...issuerWorld,
  })
  await addMerchant(issuer, 'Old Town Kiosk')
  await addItem(issuer, {
    file: { name: 'map.txt', bytes: Buffer.from(mapText) },
    id: 'map',
    priceMinor: 250,
    title: { en: 'Walking map' },
  })
  await publish(issuer)
  const kiosks: Kiosk[] = []
  for (const name of ['one', 'two']) {
    const { terminalId } = await addTerminal(issuer, { merchant: 'Old Town Kiosk' })
    kiosks.push(new Kiosk(terminalId, path.join(folder, name)))
  }
  const world = new StickWorld(folder, issuer, kiosks)
  atEnd(async () => {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const client = await world.client()
  for (const kiosk of kiosks) {
    await world.enrol(kiosk)
    await kiosk.sync(client)
  }
  const cashier = await newTerminal(issuer, 'Bank')
  world.cards = [await newCard(issuer), await newCard(issuer)]
  for (const card of world.cards) await cashier.load(card, fundsMinor)
  return world
}
