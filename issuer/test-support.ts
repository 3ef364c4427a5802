/** For tests: an issuer in a folder of its own, cards that make records with right MACs, terminals that cut batches. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { type Acknowledgement, openAcknowledgement } from '../protocol/acknowledgement.ts'
import { encodeBatch } from '../protocol/batch.ts'
import { fromHex, zeros } from '../protocol/bytes.ts'
import { canonicalBytes } from '../protocol/canonical-json.ts'
import { encodeClaim } from '../protocol/claim.ts'
import { currencyOf } from '../protocol/currency.ts'
import { type EntryStatus, encodeEntry, firstHead, nextHead, paysNothing } from '../protocol/entry.ts'
import { fundingHash } from '../protocol/funding-reference.ts'
import { type Item, itemHash } from '../protocol/item.ts'
import { deriveLoadKey, deriveSettleKey } from '../protocol/keys.ts'
import { encodeLoadRequest, type LoadAnswer, openLoadAnswer } from '../protocol/load.ts'
import { macKey, offerMac, settlementMac, shortHashOf } from '../protocol/mac.ts'
import { encodeOrder, type Order } from '../protocol/order.ts'
import {
  amountMinor,
  type CardId,
  cardId,
  counter,
  type Mac,
  type TerminalId,
  terminalId,
  unixTime,
  zeroHash,
  zeroMac,
} from '../protocol/quantities.ts'
import { balanceChangeMinor, type CardRecord, encodeIdentity, encodeRecord } from '../protocol/record.ts'
import { ingestBatch } from './ingest.ts'
import { createStore, type Issuer } from './issuer.ts'
import { authoriseLoad } from './loads.ts'
import { addCard, addMerchant, addTerminal, startEpoch } from './parties.ts'
import type { Store } from './store.ts'
import { createDatabase } from './test-postgres.ts'

export const now = unixTime(1_763_000_000)
const euro = currencyOf('EUR').code
const fresh = (count: number) => new Uint8Array(randomBytes(count))

export interface Bench {
  readonly issuer: Issuer
  readonly folder: string
  /** UNIX seconds; tests move it. */
  readonly clock: { seconds: number }
  close(): Promise<void>
}

/** Where a suite's store is to be: in the folder, or in a new database where the suite runs on PostgreSQL. */
export const testStoreUrl = async (folder: string): Promise<string> => {
  const cluster = process.env.FARTHING_TEST_POSTGRES
  if (cluster === undefined) return `sqlite:${join(folder, 'issuer.db')}`
  process.env.FARTHING_HOME = folder
  return createDatabase(cluster)
}

/** @param options.timeZone UTC where absent */
export const openBench = async (options: { readonly timeZone?: string } = {}): Promise<Bench> => {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-issuer-'))
  const clock = { seconds: Number(now) }
  const issuer = await createStore({
    url: await testStoreUrl(folder),
    currency: 'EUR',
    clock: () => unixTime(clock.seconds),
    randomBytes: fresh,
    ...options,
  })
  return {
    issuer,
    folder,
    clock,
    close: async () => {
      await issuer.store.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Makes a table refuse what is written, saying "broken". @returns mends it */
export const breakTable = async (
  store: Store,
  { table, event }: { readonly table: string; readonly event: 'INSERT' | 'UPDATE' },
): Promise<() => Promise<void>> => {
  const execute = (statement: string) => store.write((db) => sql.raw(statement).execute(db))
  const does =
    store.kind === 'sqlite'
      ? "BEGIN SELECT raise(ABORT, 'broken'); END"
      : "FOR EACH ROW EXECUTE FUNCTION refuse_change('broken')"
  await execute(`CREATE TRIGGER broken BEFORE ${event} ON ${table} ${does}`)
  return async () => {
    await execute(store.kind === 'sqlite' ? 'DROP TRIGGER broken' : `DROP TRIGGER broken ON ${table}`)
  }
}

/** Publishes a document at a price. */
export const publish = async (issuer: Issuer, id: string, priceMinor: number): Promise<Item> => {
  const item: Item = {
    v: 1,
    id,
    version: 1,
    kind: 'document',
    title: { en: id },
    summary: { en: id },
    priceMinor,
    currency: 'EUR',
    taxBasisPoints: 0,
    mediaType: 'text/plain',
    bytes: 1,
    contentHash: '00'.repeat(32),
  }
  await issuer.store.write((db) =>
    db
      .insertInto('item_version')
      .values({
        item_hash: itemHash(item),
        item_id: id,
        version: 1,
        json: new TextDecoder().decode(canonicalBytes(item)),
        price_minor: priceMinor,
        currency: euro,
        unit: null,
        added_at: issuer.clock(),
      })
      .execute(),
  )
  return item
}

/** A record with the MAC that its card gave for it, and the secret that its terminal had. */
export interface Made {
  readonly record: CardRecord
  readonly settlementMac: Mac
  readonly secret: Uint8Array
}

const masterOf = (issuer: Issuer, which: 'settle' | 'load'): Uint8Array => {
  const masters = issuer.keys.masters(1)
  if (masters === undefined) throw new Error('no masters')
  return fromHex(masters[which], 32)
}

/** A card that does as it is told: for wrong records too. */
export class TestCard {
  readonly id: CardId
  readonly #issuer: Issuer
  balanceMinor = 0
  counter = 0

  constructor(issuer: Issuer, id: CardId) {
    this.#issuer = issuer
    this.id = id
  }

  identity() {
    return { keyVersion: 1, cardId: this.id }
  }

  /** A copy at this moment, as a thief would have it. */
  copy(): TestCard {
    const copy = new TestCard(this.#issuer, this.id)
    copy.balanceMinor = this.balanceMinor
    copy.counter = this.counter
    return copy
  }

  sign(record: CardRecord): Mac {
    const key = deriveSettleKey(masterOf(this.#issuer, 'settle'), record.identity.keyVersion, record.identity.cardId)
    return settlementMac(macKey(key), encodeRecord(record))
  }

  loadKey() {
    return macKey(deriveLoadKey(masterOf(this.#issuer, 'load'), 1, this.id))
  }

  commit(order: Order, secret: Uint8Array = zeros(16)): Made {
    this.balanceMinor += balanceChangeMinor(order)
    this.counter += 1
    const record: CardRecord = {
      identity: this.identity(),
      counter: counter(this.counter),
      balanceAfterMinor: amountMinor(this.balanceMinor),
      order,
    }
    return { record, settlementMac: this.sign(record), secret }
  }

  pay(terminal: TestTerminal, item: Item, amount = item.priceMinor): Made {
    const secret = fresh(16)
    return this.commit(
      terminal.order({
        type: 'payment',
        amountMinor: amountMinor(amount),
        itemHash: itemHash(item),
        lock: shortHashOf(secret),
      }),
      secret,
    )
  }

  reverse(payment: Made, changes: Partial<Order> = {}): Made {
    const { order } = payment.record
    return this.commit({
      ...order,
      type: 'reversal',
      reference: payment.record.counter,
      lock: payment.secret,
      ...changes,
    })
  }
}

export class TestTerminal {
  readonly id: TerminalId
  readonly #issuer: Issuer
  epoch: number
  #seq = 0
  #batchNo = 0
  #entries = 0
  #head: Uint8Array

  constructor(issuer: Issuer, id: TerminalId, epoch: number) {
    this.#issuer = issuer
    this.id = id
    this.epoch = epoch
    this.#head = firstHead(id, epoch)
  }

  key() {
    const key = this.#issuer.keys.terminalKey(1, this.id)
    if (key === undefined) throw new Error('no key')
    return macKey(key)
  }

  order(changes: Partial<Order> & Pick<Order, 'type'>): Order {
    this.#seq += 1
    return {
      currency: euro,
      amountMinor: amountMinor(0),
      reference: counter(0),
      terminalId: this.id,
      terminalSeq: this.#seq,
      time: this.#issuer.clock(),
      itemHash: zeroHash(),
      lock: zeros(16),
      ...changes,
    }
  }

  entry(made: Made, status: EntryStatus = 'captured', resolvedTime = 0): Uint8Array {
    return encodeEntry({
      record: made.record,
      settlementMac: paysNothing(status) ? zeroMac() : made.settlementMac,
      status,
      resolvedTime: unixTime(resolvedTime),
    })
  }

  /** Cuts the next batch of this epoch. */
  batch(...entries: readonly Uint8Array[]): Uint8Array {
    this.#batchNo += 1
    const previousHead = this.#head
    for (const entry of entries) this.#head = nextHead(this.#head, entry)
    const bytes = encodeBatch(this.key(), {
      keyVersion: 1,
      terminalId: this.id,
      epoch: this.epoch,
      batchNo: this.#batchNo,
      firstEntry: this.#entries + 1,
      previousHead,
      entries,
      head: this.#head,
    })
    this.#entries += entries.length
    return bytes
  }

  async send(bytes: Uint8Array): Promise<Acknowledgement> {
    const result = await ingestBatch(this.#issuer, bytes)
    if ('refused' in result) throw new Error(result.sentence)
    return openAcknowledgement(this.key(), result.ack)
  }

  async sync(...entries: readonly Uint8Array[]): Promise<Acknowledgement> {
    return this.send(this.batch(...entries))
  }

  claim(made: Made, expiry = unixTime(now + 1000)): Uint8Array {
    const { record, settlementMac } = made
    return encodeClaim(this.key(), { keyVersion: 1, sealer: this.id, record, settlementMac, expiry })
  }

  /** @param funding a voucher's code or a credit's reference; absent: cash */
  loadOrder(amount: number, funding?: string): Order {
    return this.order({
      type: 'load',
      amountMinor: amountMinor(amount),
      lock: shortHashOf(fresh(16)),
      ...(funding === undefined ? {} : { itemHash: fundingHash(funding) }),
    })
  }

  /** What the card would offer for this order now. */
  loadRequest(card: TestCard, order: Order): Uint8Array {
    const offered = {
      identity: encodeIdentity(card.identity()),
      counter: counter(card.counter + 1),
      balanceMinor: amountMinor(card.balanceMinor),
      order: encodeOrder(order),
      cardNonce: fresh(8),
    }
    return encodeLoadRequest(this.key(), {
      keyVersion: 1,
      identity: card.identity(),
      counter: offered.counter,
      balanceMinor: offered.balanceMinor,
      order,
      cardNonce: offered.cardNonce,
      offerMac: offerMac(card.loadKey(), offered),
    })
  }

  async askLoad(request: Uint8Array): Promise<LoadAnswer> {
    const result = await authoriseLoad(this.#issuer, request)
    if ('refused' in result) throw new Error(result.sentence)
    return openLoadAnswer(this.key(), result.answer)
  }

  /** The whole load: authorised, then committed by the card. */
  async load(card: TestCard, amount: number, funding?: string): Promise<Made> {
    const order = this.loadOrder(amount, funding)
    const answer = await this.askLoad(this.loadRequest(card, order))
    if (answer.verdict !== 'authorised') throw new Error(answer.verdict)
    return card.commit(order)
  }
}

let cards = 0

export const newCard = async (issuer: Issuer): Promise<TestCard> => {
  cards += 1
  const id = cardId(`c0ffee${cards.toString(16).padStart(10, '0')}`)
  await addCard(issuer, { cardId: id })
  return new TestCard(issuer, id)
}

export const newTerminal = async (issuer: Issuer, merchant: string): Promise<TestTerminal> => {
  await addMerchant(issuer, merchant)
  const added = await addTerminal(issuer, { merchant })
  const { epoch } = await startEpoch(issuer, added.terminalId)
  return new TestTerminal(issuer, terminalId(added.terminalId), epoch)
}
