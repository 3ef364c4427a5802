/**
 * The ordinary entry, in bulk: the next payment of a card that misses none, at the list's price, by the terminal that sends
 * it. What is not exactly that, and all else of its card in the batch, is left to the general way (ingest.ts, card-line.ts),
 * which would make the same of these: a test holds the two against each other.
 */
import type { BatchHeader } from '../protocol/batch.ts'
import { protocolVersion } from '../protocol/bytes.ts'
import { entryStatuses } from '../protocol/entry.ts'
import { orderTypes } from '../protocol/order.ts'
import { macLength } from '../protocol/quantities.ts'
import { recordLength } from '../protocol/record.ts'
import { entryAt, type OpenedBatch, statusAt } from './batch-intake.ts'
import type { AccountChanges, KnownTerminal, SettlementRow, TransferRow } from './books.ts'
import { insertRows, listOf, updateRows } from './bulk-rows.ts'
import { type Accounts, paymentBooking } from './card-line.ts'
import { locking } from './row-locks.ts'
import { checkSale, type PriceList } from './settlement.ts'
import type { StoreWriter } from './store.ts'

/** Where an entry has what (PROTOCOL.md, Layouts). */
const at = {
  version: 0,
  keyVersion: 1,
  identityZeros: 2,
  cardId: 4,
  counter: 12,
  balanceAfter: 16,
  /** Its type, and a zero byte. */
  order: 20,
  currency: 22,
  amount: 24,
  reference: 28,
  terminalId: 32,
  time: 44,
  itemHash: 48,
} as const
const payment = orderTypes.indexOf('payment') << 8
const captured = entryStatuses.indexOf('captured') << 24

export const cardIdIn = (bytes: Buffer, entry: number): string =>
  bytes.toString('hex', entry + at.cardId, entry + at.counter)
export const itemHashIn = (bytes: Buffer, entry: number): string =>
  bytes.toString('hex', entry + at.itemHash, entry + at.itemHash + 16)

/** Whether an entry's bytes are laid out as a captured payment. */
const isPayment = (bytes: Buffer, entry: number): boolean =>
  bytes[entry + at.version] === protocolVersion &&
  bytes.readUInt16BE(entry + at.identityZeros) === 0 &&
  bytes.readUInt16BE(entry + at.order) === payment &&
  bytes.readUInt32BE(entry + at.reference) === 0 &&
  bytes.readUInt32BE(entry + at.amount) > 0 &&
  bytes.readUInt32BE(entry + statusAt) === captured

interface PlainCard {
  readonly cardNo: number
  readonly keyVersion: number
  /** After what the group has booked. */
  mark: number
  balanceMinor: number
  /** After what this batch would book. */
  nextMark: number
  nextBalanceMinor: number
  /** Something about it was not plain: for the rest of the group it goes the general way. */
  isGeneral: boolean
}

interface PlainDesk {
  readonly db: StoreWriter
  readonly accounts: Accounts
  readonly changes: AccountChanges
  readonly prices: PriceList
}

/** Of one group of batches, in one transaction. */
export class PlainPayments {
  readonly #db: StoreWriter
  readonly #accounts: Accounts
  readonly #changes: AccountChanges
  readonly #prices: PriceList
  readonly #cards: ReadonlyMap<string, PlainCard>
  readonly #changed = new Set<PlainCard>()
  #settlements: SettlementRow[] = []
  #transfers: TransferRow[] = []

  private constructor(desk: PlainDesk, cards: ReadonlyMap<string, PlainCard>) {
    this.#db = desk.db
    this.#accounts = desk.accounts
    this.#changes = desk.changes
    this.#prices = desk.prices
    this.#cards = cards
  }

  /** Locks and reads the cards of all batches of a group. */
  static async open(desk: PlainDesk, batches: readonly OpenedBatch[]): Promise<PlainPayments> {
    const ids = new Set<string>()
    for (const { bytes, batch } of batches)
      for (let index = 0; index < batch.count; index += 1) ids.add(cardIdIn(bytes, entryAt(index)))
    return new PlainPayments(desk, await readPlainCards(desk.db, [...ids]))
  }

  /**
   * Books what is plain in a batch.
   * @returns the entries that are left, by index
   */
  take({ bytes, batch, proven }: OpenedBatch, terminal: KnownTerminal, now: number): readonly number[] {
    const cards = Array.from({ length: batch.count }, (_, index) => this.#cards.get(cardIdIn(bytes, entryAt(index))))
    for (const [index, card] of cards.entries()) {
      if (card === undefined || card.isGeneral) continue
      card.isGeneral = proven[index] !== 1 || !this.#isNext(bytes, entryAt(index), { card, terminal })
    }
    const left: number[] = []
    const about = { document: documentName(batch), now, terminal }
    for (const [index, card] of cards.entries())
      if (card === undefined || card.isGeneral) left.push(index)
      else this.#book(bytes, entryAt(index), { card, ...about })
    return left
  }

  #isNext(bytes: Buffer, entry: number, { card, terminal }: { card: PlainCard; terminal: KnownTerminal }): boolean {
    const amountMinor = bytes.readUInt32BE(entry + at.amount)
    const counter = bytes.readUInt32BE(entry + at.counter)
    const balanceMinor = bytes.readUInt32BE(entry + at.balanceAfter)
    const isNext =
      isPayment(bytes, entry) &&
      bytes[entry + at.keyVersion] === card.keyVersion &&
      bytes.readUInt16BE(entry + at.currency) === this.#prices.currency &&
      bytes.toString('hex', entry + at.terminalId, entry + at.terminalId + 8) === terminal.terminalId &&
      counter === card.nextMark + 1 &&
      balanceMinor === card.nextBalanceMinor - amountMinor &&
      this.#isPlainSale({
        itemHash: itemHashIn(bytes, entry),
        amountMinor,
        time: bytes.readUInt32BE(entry + at.time),
      })
    card.nextMark = counter
    card.nextBalanceMinor = balanceMinor
    return isNext
  }

  /** Sales of one-time codes are marked, and so not plain. */
  #isPlainSale(sale: Parameters<typeof checkSale>[1]): boolean {
    return checkSale(this.#prices, sale) === undefined && this.#prices.items.get(sale.itemHash)?.unit === null
  }

  #book(
    bytes: Buffer,
    entry: number,
    about: { card: PlainCard; terminal: KnownTerminal; document: string; now: number },
  ): void {
    const { card, terminal, document, now } = about
    const amountMinor = bytes.readUInt32BE(entry + at.amount)
    const counter = bytes.readUInt32BE(entry + at.counter)
    card.mark = counter
    card.balanceMinor = bytes.readUInt32BE(entry + at.balanceAfter)
    this.#changed.add(card)
    const booking = paymentBooking(this.#accounts, { merchantNo: terminal.merchantNo, amountMinor })
    this.#settlements.push({
      card_no: card.cardNo,
      counter,
      record: bytes.subarray(entry, entry + recordLength),
      settlement_mac: bytes.subarray(entry + recordLength, entry + recordLength + macLength),
      terminal_no: terminal.terminalNo,
      order_type: 'payment',
      amount_minor: amountMinor,
      balance_after_minor: card.balanceMinor,
      order_time: bytes.readUInt32BE(entry + at.time),
      exception: null,
      booked_from: booking.from,
      booked_to: booking.to,
      booked_minor: booking.amountMinor,
      source: 'batch',
      settled_at: now,
      money_back_at: null,
    })
    this.#transfers.push(
      this.#changes.book({ ...booking, cause: 'payment', counter }, { cardNo: card.cardNo, document, now }),
    )
  }

  /** Writes what was booked since it was last called. */
  async write(): Promise<void> {
    // By card: rows that stand beside each other in an index are written beside each other.
    await insertRows(this.#db, 'settlement', this.#settlements.sort(byCard))
    await insertRows(this.#db, 'transfer', this.#transfers.sort(byCard))
    const cards = Array.from(this.#changed, ({ cardNo, mark, balanceMinor }) => ({
      card_no: cardNo,
      mark,
      balance_minor: balanceMinor,
    }))
    await updateRows(this.#db, { table: 'card', key: 'card_no' }, cards.sort(byCard))
    this.#settlements = []
    this.#transfers = []
    this.#changed.clear()
  }
}

const byCard = (
  a: { readonly card_no?: number | null; readonly counter?: number | null },
  b: { readonly card_no?: number | null; readonly counter?: number | null },
): number => (a.card_no ?? 0) - (b.card_no ?? 0) || (a.counter ?? 0) - (b.counter ?? 0)

/** Locked, but for those that no terminal's word may change. */
const readPlainCards = async (db: StoreWriter, ids: readonly string[]): Promise<Map<string, PlainCard>> => {
  if (ids.length === 0) return new Map()
  const rows = await locking(
    db,
    db
      .selectFrom('card')
      .select(['card_no', 'card_id', 'key_version', 'status', 'mark', 'balance_minor'])
      .where('card_id', 'in', listOf(db, ids))
      .orderBy('card_no'),
  ).execute()
  // Read after the locks: another's seams are seen only then.
  const seams = await db
    .selectFrom('seam')
    .select('card_no')
    .distinct()
    .where(
      'card_no',
      'in',
      listOf(
        db,
        rows.map(({ card_no }) => card_no),
      ),
    )
    .execute()
  const withSeams = new Set(seams.map(({ card_no }) => card_no))
  return new Map(
    rows.map((row) => [
      row.card_id,
      {
        cardNo: row.card_no,
        keyVersion: row.key_version,
        mark: row.mark,
        balanceMinor: row.balance_minor,
        nextMark: row.mark,
        nextBalanceMinor: row.balance_minor,
        isGeneral: row.status !== 'active' || withSeams.has(row.card_no),
      },
    ]),
  )
}

export const documentName = (batch: Pick<BatchHeader, 'terminalId' | 'epoch' | 'batchNo'>): string =>
  `batch ${batch.terminalId}/${batch.epoch}/${batch.batchNo}`
