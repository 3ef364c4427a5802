/** A book with terminals and loaded cards, and the batches that the terminals send, made ahead of time from a seed. */
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { insertRows } from '../../issuer/bulk-rows.ts'
import { createStore, type Issuer } from '../../issuer/issuer.ts'
import { addMerchant, addTerminal, startEpoch } from '../../issuer/parties.ts'
import { batchHeaderLength } from '../../protocol/batch.ts'
import { entryLength, firstHead, headLength } from '../../protocol/entry.ts'
import { deriveSettleKey } from '../../protocol/keys.ts'
import { macTag, sealLength } from '../../protocol/mac.ts'
import { cardId, type TerminalId, terminalId, unixTime } from '../../protocol/quantities.ts'
import { recordLength } from '../../protocol/record.ts'

export const entriesPerBatch = 10_000
export const batchBytes = batchHeaderLength + entriesPerBatch * entryLength + headLength + sealLength
const terminalCount = 20
const merchantCount = 10
const itemCount = 50
const loadedMinor = 1_000_000_000
const begin = 1_763_000_000
export const now = unixTime(begin + 40 * 86_400)

const masterHex = (byte: number): string => byte.toString(16).padStart(2, '0').repeat(32)
const masters = { pay: masterHex(1), settle: masterHex(2), load: masterHex(3), terminal: masterHex(4) }

/** Mulberry32: the same seed, the same stream. @returns integers below `below` */
export const seededRandom = (seed: number): ((below: number) => number) => {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

export interface Fleet {
  readonly url: string
  readonly terminals: readonly TerminalId[]
  readonly cards: number
}

const cardIdOf = (index: number) => cardId(`ca${(index + 1).toString(16).padStart(14, '0')}`)
const itemHashOf = (index: number): Buffer => hash('sha256', `item ${index}`, 'buffer').subarray(0, 16)
const priceOf = (index: number): number => 50 + index * 10

const recordInto = (
  record: Buffer,
  made: { card: string; counter: number; balanceMinor: number; type: number; amountMinor: number },
): void => {
  record.fill(0)
  record[0] = 1
  record[1] = 1
  record.write(made.card, 4, 'hex')
  record.writeUInt32BE(made.counter, 12)
  record.writeUInt32BE(made.balanceMinor, 16)
  record[20] = made.type
  record.writeUInt16BE(978, 22)
  record.writeUInt32BE(made.amountMinor, 24)
}

/** Cards that were each loaded once, online: as loads.ts leaves them, written in bulk. */
const addLoadedCards = async (issuer: Issuer, cards: number): Promise<void> => {
  const cardsPerTransaction = 50_000
  for (let from = 0; from < cards; from += cardsPerTransaction)
    await issuer.store.write(async (db) => {
      const some = Array.from({ length: Math.min(cardsPerTransaction, cards - from) }, (_, index) => from + index)
      const accounts = await db.selectFrom('account').select(['account_no', 'kind', 'merchant_no']).execute()
      const float = accounts.find(({ kind }) => kind === 'float')?.account_no ?? 0
      const cash =
        accounts.find(({ kind, merchant_no }) => kind === 'merchantCash' && merchant_no === 1)?.account_no ?? 0
      const made = some.map((index) => {
        const record = Buffer.alloc(recordLength)
        const card = cardIdOf(index)
        recordInto(record, { card, counter: 1, balanceMinor: loadedMinor, type: 2, amountMinor: loadedMinor })
        record.writeUInt32BE(index + 1, 40)
        return { card_no: index + 1, card_id: card, record }
      })
      await insertRows(
        db,
        'card',
        made.map(({ card_no, card_id }) => ({
          card_no,
          card_id,
          key_version: 1,
          status: 'active' as const,
          mark: 1,
          balance_minor: loadedMinor,
          created_at: begin,
        })),
      )
      const booked = { booked_from: cash, booked_to: float, booked_minor: loadedMinor }
      await insertRows(
        db,
        'load_authorisation',
        made.map(({ card_no, record }) => ({
          card_no,
          counter: 1,
          order_bytes: record.subarray(20),
          record,
          terminal_no: 1,
          amount_minor: loadedMinor,
          order_time: begin,
          state: 'standing' as const,
          ...booked,
          authorised_at: begin,
        })),
      )
      await insertRows(
        db,
        'settlement',
        made.map(({ card_no, record }) => ({
          card_no,
          counter: 1,
          record,
          settlement_mac: null,
          terminal_no: 1,
          order_type: 'load' as const,
          amount_minor: loadedMinor,
          balance_after_minor: loadedMinor,
          order_time: begin,
          exception: null,
          booked_from: null,
          booked_to: null,
          booked_minor: 0,
          source: 'load' as const,
          settled_at: begin,
          money_back_at: null,
        })),
      )
      await insertRows(
        db,
        'transfer',
        made.map(({ card_no }) => ({
          from_account: cash,
          to_account: float,
          amount_minor: loadedMinor,
          cause: 'load',
          document: 'load 0',
          card_no,
          counter: 1,
          booked_at: begin,
          business_day: '2025-11-13',
        })),
      )
      const change = (account: number, byMinor: number) =>
        db
          .updateTable('account')
          .set((eb) => ({ balance_minor: eb('balance_minor', '+', byMinor) }))
          .where('account_no', '=', account)
          .execute()
      await change(cash, -loadedMinor * some.length)
      await change(float, loadedMinor * some.length)
    })
}

export const makeFleet = async (url: string, cards: number): Promise<Fleet> => {
  const issuer = await createStore({
    url,
    currency: 'EUR',
    masters,
    clock: () => unixTime(begin),
    randomBytes: (count) => new Uint8Array(count),
  })
  try {
    const terminals: TerminalId[] = []
    for (let merchant = 0; merchant < merchantCount; merchant += 1) await addMerchant(issuer, `Merchant ${merchant}`)
    for (let index = 0; index < terminalCount; index += 1) {
      const id = terminalId(`7e${(index + 1).toString(16).padStart(14, '0')}`)
      await addTerminal(issuer, { merchant: `Merchant ${index % merchantCount}`, terminalId: id })
      await startEpoch(issuer, id)
      terminals.push(id)
    }
    await issuer.store.write((db) =>
      db
        .insertInto('item_version')
        .values(
          Array.from({ length: itemCount }, (_, index) => ({
            item_hash: itemHashOf(index),
            item_id: `item-${index}`,
            version: 1,
            json: '{}',
            price_minor: priceOf(index),
            currency: 978,
            unit: null,
            added_at: begin,
          })),
        )
        .execute(),
    )
    await addLoadedCards(issuer, cards)
    return { url, terminals, cards }
  } finally {
    await issuer.store.close()
  }
}

interface TerminalState {
  readonly id: TerminalId
  readonly key: KeyObject
  head: Buffer
  batchNo: number
  entries: number
  /** Those of its neighbourhood, in random order, over and over: cards are mostly used where they were used before. */
  readonly cards: Uint32Array
}

/** What the cards and terminals of a fleet do from one stretch of batches to the next. */
export class Sales {
  readonly #fleet: Fleet
  readonly #random: (below: number) => number
  readonly #terminals: TerminalState[]
  readonly #counters: Uint32Array
  readonly #spentMinor: Float64Array
  #row = 0

  constructor(
    fleet: Fleet,
    seed: number,
    issuerKeys: { terminalKey(version: number, id: TerminalId): Uint8Array | undefined },
  ) {
    this.#fleet = fleet
    this.#random = seededRandom(seed)
    this.#counters = new Uint32Array(fleet.cards).fill(1)
    this.#spentMinor = new Float64Array(fleet.cards)
    this.#terminals = fleet.terminals.map((id, terminal) => {
      const key = issuerKeys.terminalKey(1, id)
      if (key === undefined) throw new Error('no terminal key')
      return {
        id,
        key: createSecretKey(key),
        head: Buffer.from(firstHead(id, 1)),
        batchNo: 0,
        entries: 0,
        cards: this.#shuffled(terminal),
      }
    })
  }

  #shuffled(terminal: number): Uint32Array {
    const { cards, terminals } = this.#fleet
    const length = Math.ceil((cards - terminal) / terminals.length)
    const order = Uint32Array.from({ length }, (_, index) => index * terminals.length + terminal)
    for (let at = length - 1; at > 0; at -= 1) {
      const other = this.#random(at + 1)
      const swapped = order[at] ?? 0
      order[at] = order[other] ?? 0
      order[other] = swapped
    }
    return order
  }

  /** Appends batches to a file, of the terminals in turn. */
  write(path: string, batches: number): void {
    const file = openSync(path, 'w')
    try {
      for (let index = 0; index < batches; index += 1) writeSync(file, this.#batch())
    } finally {
      closeSync(file)
    }
  }

  #batch(): Buffer {
    const terminal = this.#terminals[Math.floor(this.#row / entriesPerBatch) % this.#terminals.length]
    if (terminal === undefined) throw new Error('no terminal')
    terminal.batchNo += 1
    const bytes = Buffer.alloc(batchBytes)
    bytes.write('FBAT', 0, 'latin1')
    bytes[4] = 1
    bytes[5] = 1
    bytes.write(terminal.id, 8, 'hex')
    bytes.writeUInt32BE(1, 16)
    bytes.writeUInt32BE(terminal.batchNo, 20)
    bytes.writeUInt32BE(terminal.entries + 1, 24)
    bytes.writeUInt32BE(entriesPerBatch, 28)
    terminal.head.copy(bytes, 32)
    const link = Buffer.alloc(headLength + entryLength)
    for (let index = 0; index < entriesPerBatch; index += 1) {
      const entry = bytes.subarray(
        batchHeaderLength + index * entryLength,
        batchHeaderLength + (index + 1) * entryLength,
      )
      this.#entry(entry, terminal, terminal.entries + index)
      terminal.head.copy(link, 0)
      entry.copy(link, headLength)
      terminal.head = hash('sha256', link, 'buffer')
    }
    terminal.entries += entriesPerBatch
    terminal.head.copy(bytes, bytes.length - sealLength - headLength)
    createHmac('sha256', terminal.key)
      .update(Uint8Array.of(macTag.batch))
      .update(bytes.subarray(0, -sealLength))
      .digest()
      .copy(bytes, bytes.length - sealLength)
    return bytes
  }

  #entry(entry: Buffer, terminal: TerminalState, number: number): void {
    const card = terminal.cards[number % terminal.cards.length] ?? 0
    const item = this.#random(itemCount)
    const amountMinor = priceOf(item)
    const counter = (this.#counters[card] ?? 0) + 1
    this.#counters[card] = counter
    const spentMinor = (this.#spentMinor[card] ?? 0) + amountMinor
    this.#spentMinor[card] = spentMinor
    const record = entry.subarray(0, recordLength)
    const id = cardIdOf(card)
    recordInto(record, { card: id, counter, balanceMinor: loadedMinor - spentMinor, type: 1, amountMinor })
    record.write(terminal.id, 32, 'hex')
    record.writeUInt32BE(this.#row + 1, 40)
    record.writeUInt32BE(begin + Math.floor(this.#row / 4), 44)
    itemHashOf(item).copy(record, 48)
    record.writeUInt32BE(this.#row, 64)
    const key = settleKey(id)
    createHmac('sha256', key)
      .update(Uint8Array.of(macTag.settlement))
      .update(record)
      .digest()
      .copy(entry, recordLength, 0, 16)
    entry[96] = 1
    this.#row += 1
  }
}

const settleMaster = Buffer.from(masters.settle, 'hex')
const settleMasterKey = createSecretKey(settleMaster)
/** HKDF-Expand of one block, as protocol/keys.ts has it; checked against it once, below. */
const settleKey = (id: string): Buffer =>
  createHmac('sha256', settleMasterKey)
    .update('farthing settle')
    .update(Uint8Array.of(1))
    .update(id, 'hex')
    .update(Uint8Array.of(1))
    .digest()
if (!settleKey(cardIdOf(0)).equals(deriveSettleKey(settleMaster, 1, cardIdOf(0))))
  throw new Error('the fleet derives its keys wrongly')
