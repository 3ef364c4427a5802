/**
 * For tests: an enrolled terminal in a folder of its own, with a crafted bulletin and keyring, goods on the disk, cards
 * that are real software purses, and a clock and chance that repeat.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { openPurse, type Purse } from '../card/purse.ts'
import { drivePurse, sampleMasters, sampleOrder, samplePersonalisation } from '../card/purse-driver.ts'
import { type CardState, newCardState } from '../card/purse-state.ts'
import { initialiseLedger } from '../db/ledger.ts'
import { openWritable } from '../db/open.ts'
import { type Bulletin, encodeBulletin, type Limits } from '../protocol/bulletin.ts'
import { concat, toHex } from '../protocol/bytes.ts'
import { encodeHotlistEntry, firstHotlistHead, nextHotlistHead } from '../protocol/hotlist.ts'
import { emptyContentHash, type Item } from '../protocol/item.ts'
import { encodeKeyring, encryptContent, type KeyringBody } from '../protocol/keyring.ts'
import { deriveTerminalKey } from '../protocol/keys.ts'
import { type MacKey, macKey } from '../protocol/mac.ts'
import type { Personalisation } from '../protocol/personalise.ts'
import { amountMinor, type CardId, cardId, type Mac, terminalId, unixTime } from '../protocol/quantities.ts'
import { type CardRecord, parseRecord } from '../protocol/record.ts'
import { goodsPath, type ReadyGoods } from './catalogue.ts'
import { type IdentityFile, writeIdentity } from './identity.ts'
import type { CardChannel } from './reader/card-reader.ts'
import { missingHotlist, takeHotlistPage } from './sync/intake.ts'
import { openTerminal, type Terminal, type World } from './terminal.ts'

export const testStartTime = 1_790_000_000
export const testTerminalId = terminalId('7465726d30303031')
const signingKey = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i)
const contentKey = Uint8Array.from({ length: 32 }, (_, i) => 0xc0 + i)
export const testTerminalKey = (keyVersion = 1): Uint8Array =>
  deriveTerminalKey(
    Uint8Array.from({ length: 32 }, (_, i) => 0x60 + i),
    keyVersion,
    testTerminalId,
  )

/** Repeats: the same seed, the same bytes. */
export const seededBytes = (seed: number) => {
  let count = 0
  return (length: number): Uint8Array => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 32) {
      count += 1
      bytes.set(sha256(Uint8Array.of(seed & 0xff, seed >> 8, count >> 16, count >> 8, count)).slice(0, length - at), at)
    }
    return bytes
  }
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString()

export const mapContent = new TextEncoder().encode('%PDF-1.7 a walking map')
export const mapItem: Item = {
  v: 1,
  id: 'map',
  version: 1,
  kind: 'document',
  title: { en: 'Walking map' },
  summary: { en: 'Every path' },
  priceMinor: 250,
  currency: 'EUR',
  taxBasisPoints: 1900,
  mediaType: 'application/pdf',
  bytes: mapContent.length,
  contentHash: toHex(sha256(mapContent)),
}
export const wifiItem: Item = {
  ...mapItem,
  id: 'wifi',
  kind: 'code',
  title: { en: 'Wi-Fi' },
  priceMinor: 100,
  mediaType: 'text/plain',
  bytes: 0,
  contentHash: emptyContentHash,
}
export const wifiCodes = ['ALPHA-1', 'BRAVO-2', 'CHARLIE-3']

const generousLimits: Limits = {
  saleMinorMax: 100_000,
  cardUnsyncedMinorMax: 10_000_000,
  unsyncedCountMax: 1_000_000,
  unsyncedMinorMax: 1_000_000_000,
  unsyncedSecondsMax: 365 * 86_400,
  staleAfterSeconds: 7 * 86_400,
  staleSaleMinorMax: 1000,
}

export interface Publication {
  readonly bulletin?: Partial<Bulletin>
  readonly limits?: Partial<Limits>
  readonly keyring?: Partial<KeyringBody>
  readonly serial?: number
  readonly epoch?: number
  readonly keyVersion?: number
  /** Cards on the list; each publication begins a log of its own, numbered by its serial. */
  readonly hotlist?: readonly { readonly cardId: CardId; readonly blockMac?: Mac }[]
}

/** The log of a publication: its entries, whole. */
export const hotlistBytes = ({ hotlist = [] }: Publication): Uint8Array =>
  concat(...hotlist.map(({ cardId: card, blockMac }) => encodeHotlistEntry({ op: 'list', cardId: card, blockMac })))

/** What the issuer would publish. */
export const publish = (publication: Publication = {}): { bulletin: Uint8Array; keyring: Uint8Array } => {
  const { serial = 1, epoch = 1, keyVersion = 1 } = publication
  const bulletin: Bulletin = {
    v: 1,
    serial,
    issuedAt: iso(testStartTime),
    expiresAt: iso(testStartTime + 30 * 86_400),
    currency: 'EUR',
    publicUrl: 'https://pay.example/',
    claimSeconds: 30 * 86_400,
    items: [mapItem, wifiItem],
    hotlist: {
      generation: serial,
      count: publication.hotlist?.length ?? 0,
      head: toHex(nextHotlistHead(firstHotlistHead(), hotlistBytes(publication))),
    },
    payKeyVersions: [1],
    ...publication.bulletin,
    limits: { ...generousLimits, ...publication.limits },
  }
  const body: KeyringBody = {
    v: 1,
    issuedAt: iso(testStartTime),
    merchant: 'Kiosk at the pier',
    payKeys: [{ version: 1, key: toHex(sampleMasters.pay) }],
    contentKeys: [{ contentHash: mapItem.contentHash, key: toHex(contentKey) }],
    units: wifiCodes.map((code) => ({ itemId: wifiItem.id, code })),
    ...publication.keyring,
  }
  return {
    bulletin: encodeBulletin(bulletin, { privateKey: signingKey, keyVersion: 1 }),
    keyring: encodeKeyring(
      { keyVersion, terminalId: testTerminalId, epoch, serial, body },
      { terminalKey: testTerminalKey(keyVersion), nonce: seededBytes(serial)(24) },
    ),
  }
}

/** Something that the shelf shows, as the bulletin names it and as it is fetched. */
export const shownFile = (text: string, mediaType: string) => {
  const content = new TextEncoder().encode(text)
  const contentHash = toHex(sha256(content))
  return {
    file: { contentHash, mediaType, bytes: content.length },
    content,
    key: { contentHash, key: toHex(contentKey) },
    blob: encryptContent(content, { key: contentKey, contentHash }),
  }
}

export const mapBlob = (): Uint8Array =>
  encryptContent(mapContent, { key: contentKey, contentHash: mapItem.contentHash })

/** What an enrolment would write. */
export const testIdentity = (changes: Partial<IdentityFile> = {}): IdentityFile => ({
  terminalId: testTerminalId,
  epoch: 1,
  keyVersion: 1,
  terminalKey: toHex(testTerminalKey(changes.keyVersion)),
  bulletinPublicKey: toHex(ed25519.getPublicKey(signingKey)),
  publicUrl: 'https://pay.example',
  currency: 'EUR',
  merchant: 'Kiosk at the pier',
  dev: true,
  issuerUrl: 'http://127.0.0.1:1',
  lastBatch: allKnown,
  ...changes,
})

export interface TestTerminal {
  readonly terminal: Terminal
  readonly dataDir: string
  readonly sealKey: MacKey
  readonly clock: { seconds: number }
  /** The process dies and starts again: nothing is committed on the way out. */
  restart(): Terminal
  /** The issuer's news arrive. */
  publish(publication: Publication): void
}

/** Says what to do when the test (or the bench) is over: vitest's onTestFinished. */
export type AtEnd = (cleanUp: () => void) => void

/** A folder that is gone after the test. */
export const testFolder = (atEnd: AtEnd): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-test-'))
  atEnd(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** For beginEpoch: the issuer has all that it acknowledged. */
export const allKnown = { epoch: 0xffffffff, lastEntry: 0 }

/** What an enrolment leaves in the data folder. */
export const enrolAs = (dataDir: string, identity: IdentityFile): void => {
  mkdirSync(dataDir, { recursive: true })
  const { database, close } = openWritable(dataDir, { create: true })
  initialiseLedger(database, { terminalId: terminalId(identity.terminalId), epoch: identity.epoch })
  close()
  writeIdentity(dataDir, identity)
}

export const makeTestTerminal = (
  atEnd: AtEnd,
  options: {
    publication?: Publication | 'none'
    identity?: Partial<IdentityFile>
    goods?: boolean
    log?: (line: string) => void
  } = {},
): TestTerminal => {
  const dataDir = testFolder(atEnd)
  enrolAs(dataDir, testIdentity(options.identity))
  if (options.goods !== false) {
    mkdirSync(path.join(dataDir, 'goods'))
    writeFileSync(goodsPath(dataDir, mapItem.contentHash), mapBlob())
  }
  const clock = { seconds: testStartTime + 60 }
  const { log } = options
  const world: World = {
    clock: () => clock.seconds,
    randomBytes: seededBytes(1),
    ...(log === undefined ? {} : { log }),
  }
  let terminal = openTerminal(dataDir, world)
  atEnd(() => terminal.close())

  const store = (publication: Publication) => {
    const documents = publish(publication)
    const serial = publication.serial ?? 1
    terminal.ledger.storeDocument({ kind: 'keyring', serial, bytes: documents.keyring, signedTime: 0 })
    terminal.ledger.storeDocument({ kind: 'bulletin', serial, bytes: documents.bulletin, signedTime: testStartTime })
    terminal.refresh()
    if (missingHotlist(terminal) !== undefined) takeHotlistPage(terminal, hotlistBytes(publication))
  }
  if (options.publication !== 'none') store(options.publication ?? {})
  return {
    get terminal() {
      return terminal
    },
    dataDir,
    sealKey: macKey(testTerminalKey(options.identity?.keyVersion)),
    clock,
    restart() {
      terminal.close()
      terminal = openTerminal(dataDir, world)
      return terminal
    },
    publish: store,
  }
}

export interface TestCard {
  readonly id: ReturnType<typeof cardId>
  /** For the reader double: a power-on, then command in, response out. */
  readonly answers: (command: Uint8Array) => Uint8Array
  readonly purse: Purse
  readonly state: CardState
  /** Newest first. */
  readonly records: readonly CardRecord[]
  /** What the holder's terminals elsewhere do. */
  pay(minor: number): void
  load(minor: number): void
  block(): void
  /** Puts an earlier state back, as a cheat would. */
  rollBack(state: CardState): void
  reset(): void
}

let cardCount = 0

/** A software purse with money on it. */
export const makeTestCard = (
  options: { balanceMinor?: number; personalisation?: Partial<Personalisation> } = {},
): TestCard => {
  cardCount += 1
  const id = options.personalisation?.cardId ?? cardId(`c0ffee${cardCount.toString(16).padStart(10, '0')}`)
  const personalisation = samplePersonalisation({
    balanceMaxMinor: amountMinor(10_000_000),
    pinFreeMaxMinor: amountMinor(0xffffffff),
    ...options.personalisation,
    cardId: id,
  })
  const randomBytes = seededBytes(0x100 + cardCount)
  const open = (state: CardState) => openPurse({ state, save: () => {}, randomBytes })
  let purse = open(newCardState(personalisation))
  const state = (): CardState => {
    if (purse.state.kind === 'blank') throw new Error('a test card is personalised')
    return purse.state
  }
  const elsewhere = (...[type, changes]: Parameters<typeof sampleOrder>) => {
    const driver = drivePurse((command) => purse.process(command), personalisation)
    driver.select()
    const order = sampleOrder(type, {
      terminalId: terminalId('00000000000e15e0'),
      time: unixTime(testStartTime),
      currency: personalisation.currency,
      ...changes,
    })
    const status = driver.transact(order)
    if (status !== 0x9000) throw new Error(`the card refused: ${status.toString(16)}`)
    purse.reset()
  }
  const card: TestCard = {
    id,
    answers: (command) => purse.process(command),
    get purse() {
      return purse
    },
    get state() {
      return state()
    },
    get records() {
      return state().log.map(({ record }) => parseRecord(new Uint8Array(Buffer.from(record, 'hex'))))
    },
    pay: (minor) => elsewhere('payment', { amountMinor: amountMinor(minor) }),
    load: (minor) => elsewhere('load', { amountMinor: amountMinor(minor) }),
    block: () => elsewhere('block'),
    rollBack(earlier) {
      purse = open(earlier)
    },
    reset: () => purse.reset(),
  }
  const { balanceMinor = 1000 } = options
  if (balanceMinor > 0) card.load(balanceMinor)
  return card
}

/** The card in the reader, with nothing between. */
export const channelTo = (card: Pick<TestCard, 'answers' | 'reset'>): CardChannel => {
  card.reset()
  return { transmit: async (command) => card.answers(command) }
}

/** What such a terminal sells. @throws when it is not for sale */
export const goodsFor = (terminal: Terminal, itemId = 'map'): ReadyGoods => {
  const goods = terminal.issued?.catalogue.prepare(itemId)
  if (goods === undefined || typeof goods === 'string') throw new Error(`${itemId} is not for sale: ${goods}`)
  return goods
}
