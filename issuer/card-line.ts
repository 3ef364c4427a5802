/**
 * One card's line of counters and what the books make of it (PROTOCOL.md, Documents: holes). Pure: the bookings depend on
 * what is known, not on the order in which it became known (but for a card that lied about its balance: coveredMinor). The sum that a card's line puts into the float account is
 * always its shadow balance.
 */
import type { ExceptionReason } from '../protocol/acknowledgement.ts'
import { equalBytes } from '../protocol/bytes.ts'
import { shortHashOf } from '../protocol/mac.ts'
import { orderLength } from '../protocol/order.ts'
import { balanceChangeMinor, type CardRecord, recordLength } from '../protocol/record.ts'
import { CounterSet } from './counters.ts'
import type { LoadState, SeamExplanation, SettlementSource } from './tables.ts'

/** Minor units that leave one account and arrive in another. */
export interface Booking {
  readonly from: number
  readonly to: number
  readonly amountMinor: number
}

/** A booking made or taken back, as it goes into the books. */
export interface Move extends Booking {
  readonly cause: string
  readonly counter: number
}

/** The account numbers of the book. */
export interface Accounts {
  readonly float: number
  readonly suspense: number
  readonly holes: number
  readonly payable: (merchantNo: number) => number
  readonly merchantCash: (merchantNo: number) => number
}

/** A known counter: settled by its record, or (no settlement MAC yet) by a load that was authorised for it. */
export interface Point {
  readonly bytes: Uint8Array
  readonly record: CardRecord
  readonly terminalNo: number
  readonly merchantNo: number
  readonly settlementMac: Uint8Array | undefined
  readonly source: SettlementSource
  readonly exception: ExceptionReason | undefined
  readonly booking: Booking | undefined
  readonly settledAt: number
  readonly moneyBackAt: number | undefined
}

/** Between two known counters that are not neighbours, or whose balances disagree. */
export interface Seam {
  readonly after: number
  readonly before: number
  /** What the missing counters did to the balance. */
  readonly netMinor: number
  readonly explanation: SeamExplanation
  readonly booking: Booking | undefined
}

export interface Load {
  /** undefined: new. */
  readonly loadNo: number | undefined
  readonly order: Uint8Array
  readonly recordBytes: Uint8Array
  readonly record: CardRecord
  readonly terminalNo: number
  readonly merchantNo: number
  /** The account that pays for it; undefined: the cash of its merchant. */
  readonly fundedFrom: number | undefined
  readonly state: LoadState
  readonly booking: Booking | undefined
}

/** What became of the card that a person should hear of. */
export type LineAlarm = { readonly kind: 'reversal'; readonly counter: number }

export const balanceBeforeMinor = (record: CardRecord): number =>
  record.balanceAfterMinor - balanceChangeMinor(record.order)

/** Whether a reversal undoes exactly this payment, lock and all. */
export const undoes = (reversal: CardRecord, payment: CardRecord): boolean =>
  payment.order.type === 'payment' &&
  reversal.order.reference === payment.counter &&
  reversal.order.terminalId === payment.order.terminalId &&
  reversal.order.currency === payment.order.currency &&
  reversal.order.amountMinor === payment.order.amountMinor &&
  equalBytes(reversal.order.itemHash, payment.order.itemHash) &&
  equalBytes(shortHashOf(reversal.order.lock), payment.order.lock)

const sameBooking = (a: Booking | undefined, b: Booking | undefined): boolean =>
  a === b || (a?.from === b?.from && a?.to === b?.to && a?.amountMinor === b?.amountMinor)

/** The booking that brings the float up (or down) by `netMinor` against `other`. */
const towardsFloat = (accounts: Accounts, other: number, netMinor: number): Booking | undefined => {
  if (netMinor === 0) return undefined
  return netMinor > 0
    ? { from: other, to: accounts.float, amountMinor: netMinor }
    : { from: accounts.float, to: other, amountMinor: -netMinor }
}

/** What a payment moves that is no exception. */
export const paymentBooking = (
  { float, payable }: Pick<Accounts, 'float' | 'payable'>,
  payment: { readonly merchantNo: number; readonly amountMinor: number },
): Booking => ({ from: float, to: payable(payment.merchantNo), amountMinor: payment.amountMinor })

export class CardLine {
  readonly counters: CounterSet
  /** Not all: those that are touched, and their neighbours. */
  readonly #points = new Map<number, Point>()
  readonly #seams = new Map<number, Seam>()
  readonly #loads: Load[] = []
  readonly #accounts: Accounts
  #balanceMinor: number
  /** What changed since it was read. */
  readonly moves: Move[] = []
  readonly alarms: LineAlarm[] = []
  readonly changedPoints = new Set<number>()
  readonly changedSeams = new Set<number>()
  readonly changedLoads = new Set<number>()
  /** Orders of loads that never were: what paid for them is given back. */
  readonly returnedOrders: Uint8Array[] = []
  /** Placed into gaps that an earlier document had left. */
  readonly lateRecords: CardRecord[] = []
  readonly #gapsBefore: readonly { readonly after: number; readonly before: number }[]

  constructor(
    state: { readonly mark: number; readonly balanceMinor: number; readonly seams: readonly Seam[] },
    accounts: Accounts,
  ) {
    this.#accounts = accounts
    this.#balanceMinor = state.balanceMinor
    const seams = [...state.seams].sort((a, b) => a.after - b.after)
    for (const seam of seams) this.#seams.set(seam.after, seam)
    this.#gapsBefore = seams
    this.counters = new CounterSet(
      state.mark,
      seams
        .filter(({ after, before }) => before - after > 1)
        .map(({ after, before }) => ({ first: after + 1, last: before - 1 })),
    )
  }

  /** The balance after the highest known counter. */
  get balanceMinor(): number {
    return this.#balanceMinor
  }

  /** The known counters that settling `counter` looks at. */
  neighbourhood(counter: number): number[] {
    const above = this.counters.above(counter)
    return [this.counters.below(counter), counter, ...(above === undefined ? [] : [above])].filter(
      (each) => each > 0 && this.counters.has(each),
    )
  }

  /** Puts in what the store has. */
  restore(point: Point): void {
    this.#points.set(point.record.counter, point)
  }
  restoreLoad(load: Load): void {
    this.#loads.push(load)
  }

  point(counter: number): Point | undefined {
    return this.#points.get(counter)
  }
  seam(after: number): Seam | undefined {
    return this.#seams.get(after)
  }
  load(index: number): Load | undefined {
    return this.#loads[index]
  }
  loadsAt(counter: number): readonly Load[] {
    return this.#loads.filter((load) => load.record.counter === counter)
  }

  #known(counter: number): Point {
    const point = this.#points.get(counter)
    if (point === undefined) throw new Error(`counter ${counter} is known but was not read`)
    return point
  }

  #balanceAfter(counter: number): number {
    return counter === 0 ? 0 : this.#known(counter).record.balanceAfterMinor
  }

  /** A load that was authorised and whose record has not come may never have reached the card: it proves nothing. */
  #isProven(counter: number): boolean {
    return counter === 0 || this.#known(counter).settlementMac !== undefined
  }

  /** Whether a record's balance fits those of its direct neighbours, as far as they are proven. */
  fits(record: CardRecord): boolean {
    const below = this.counters.below(record.counter)
    if (
      below === record.counter - 1 &&
      this.#isProven(below) &&
      this.#balanceAfter(below) !== balanceBeforeMinor(record)
    )
      return false
    const above = this.counters.above(record.counter)
    return (
      above !== record.counter + 1 ||
      !this.#isProven(above) ||
      balanceBeforeMinor(this.#known(above).record) === record.balanceAfterMinor
    )
  }

  /**
   * What a payment may be paid from: the balance before it, less what an earlier record of this card made from nothing
   * (a balance above what its neighbour left). Of a card that was opened, merchants are paid no more than was loaded.
   */
  coveredMinor(record: CardRecord): number {
    let inventedMinor = 0
    for (const { before, netMinor, explanation } of this.#seams.values())
      if (explanation === 'discrepancy' && netMinor > 0 && before <= record.counter) inventedMinor += netMinor
    return balanceBeforeMinor(record) - inventedMinor
  }

  #rebook(old: Booking | undefined, next: Booking | undefined, about: { cause: string; counter: number }): void {
    if (sameBooking(old, next)) return
    if (old !== undefined)
      this.moves.push({
        ...about,
        from: old.to,
        to: old.from,
        amountMinor: old.amountMinor,
        cause: `${about.cause}, undone`,
      })
    if (next !== undefined) this.moves.push({ ...about, ...next })
  }

  #bookingOf(point: Point): Booking | undefined {
    const { float, suspense, payable } = this.#accounts
    const { order, counter } = point.record
    const amountMinor = order.amountMinor
    switch (order.type) {
      case 'payment':
        if (point.exception !== undefined) return { from: float, to: suspense, amountMinor }
        return paymentBooking(this.#accounts, { merchantNo: point.merchantNo, amountMinor })
      case 'reversal': {
        // Until its payment is here, and where the payment itself waits in suspense, so does the reversal.
        const payment = counter > 1 && this.counters.has(counter - 1) ? this.#known(counter - 1) : undefined
        const charged = point.exception === undefined && payment?.exception === undefined ? payment : undefined
        const from = charged?.record.order.type === 'payment' ? payable(charged.merchantNo) : suspense
        return { from, to: float, amountMinor }
      }
      case 'load': {
        const authorised = this.loadsAt(counter).some(
          ({ state, recordBytes }) =>
            (state === 'standing' || state === 'settled') && equalBytes(recordBytes, point.bytes),
        )
        return authorised ? undefined : { from: suspense, to: float, amountMinor }
      }
      case 'block':
      case 'probe':
        return undefined
    }
  }

  #putPoint(point: Point): void {
    const { counter, order } = point.record
    const old = this.#points.get(counter)?.booking
    this.#points.set(counter, point)
    const booking = this.#bookingOf(point)
    this.#rebook(old, booking, { cause: order.type, counter })
    this.#points.set(counter, { ...point, booking })
    this.changedPoints.add(counter)
  }

  #explain(after: number, before: number, netMinor: number): Pick<Seam, 'explanation' | 'booking'> {
    const { suspense, holes, float } = this.#accounts
    const missing = before - after - 1
    if (missing === 0) {
      // Beside a load without proof it may be the load that never was: nobody lied, as far as one can see.
      const explanation = this.#isProven(after) && this.#isProven(before) ? 'discrepancy' : 'unexplained'
      return { explanation, booking: towardsFloat(this.#accounts, suspense, netMinor) }
    }
    if (netMinor === 0) return { explanation: 'nothing', booking: undefined }
    if (missing === 1) {
      if (netMinor < 0) return { explanation: 'debit', booking: towardsFloat(this.#accounts, suspense, netMinor) }
      const payment = after > 0 ? this.#known(after) : undefined
      const isPaid = payment?.record.order.type === 'payment' && payment.exception === undefined
      if (payment !== undefined && isPaid && payment.record.order.amountMinor === netMinor) {
        const from = this.#accounts.payable(payment.merchantNo)
        return { explanation: 'reversal', booking: { from, to: float, amountMinor: netMinor } }
      }
    }
    return { explanation: 'unexplained', booking: towardsFloat(this.#accounts, holes, netMinor) }
  }

  /** Sets, changes or removes what lies between two known counters with none known between them. */
  #putSeam(after: number, before: number | undefined): void {
    const old = this.#seams.get(after)
    let next: Seam | undefined
    if (before !== undefined) {
      const netMinor = balanceBeforeMinor(this.#known(before).record) - this.#balanceAfter(after)
      if (before - after > 1 || netMinor !== 0)
        next = { after, before, netMinor, ...this.#explain(after, before, netMinor) }
    }
    if (old === undefined && next === undefined) return
    this.#rebook(old?.booking, next?.booking, { cause: 'hole', counter: after + 1 })
    if (next === undefined) this.#seams.delete(after)
    else this.#seams.set(after, next)
    this.changedSeams.add(after)
  }

  /** Looks again at a reversal whose payment's counter was just settled. */
  #reviewReversal(counter: number): void {
    const reversal = this.#points.get(counter)
    const payment = this.#points.get(counter - 1)
    if (reversal?.record.order.type !== 'reversal' || payment === undefined) return
    const wrong = reversal.exception === undefined && !undoes(reversal.record, payment.record)
    if (wrong) this.alarms.push({ kind: 'reversal', counter })
    this.#putPoint(wrong ? { ...reversal, exception: 'reversal' } : reversal)
  }

  #wasMissed(counter: number): boolean {
    let [low, high] = [0, this.#gapsBefore.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#gapsBefore[middle]?.before ?? 0) <= counter) low = middle + 1
      else high = middle
    }
    const gap = this.#gapsBefore[low]
    return gap !== undefined && gap.after < counter
  }

  /** Settles a counter, or replaces the load that stood there, and books it and the holes around it anew. */
  place(point: Omit<Point, 'booking'>): void {
    const { counter } = point.record
    const below = this.counters.below(counter)
    const above = this.counters.above(counter)
    if (this.#wasMissed(counter)) this.lateRecords.push(point.record)
    this.counters.add(counter)
    this.#putPoint({ ...point, booking: undefined })
    // The seam that spanned this counter becomes two.
    this.#putSeam(below, counter)
    this.#putSeam(counter, above)
    if (above === counter + 1) this.#reviewReversal(above)
    if (counter === this.counters.mark) this.#balanceMinor = point.record.balanceAfterMinor
  }

  /** The record of an authorised load arrived: the same fact, now with its proof. */
  prove(counter: number, proof: Pick<Point, 'settlementMac' | 'source' | 'settledAt'>): void {
    this.#points.set(counter, { ...this.#known(counter), ...proof })
    this.changedPoints.add(counter)
    this.#putSeam(this.counters.below(counter), counter)
    this.#putSeam(counter, this.counters.above(counter))
  }

  #putLoad(index: number, load: Load): void {
    const { float, suspense, merchantCash } = this.#accounts
    const from = load.fundedFrom ?? merchantCash(load.merchantNo)
    const amountMinor = load.record.order.amountMinor
    const booking =
      load.state === 'void' ? undefined : { from, to: load.state === 'contested' ? suspense : float, amountMinor }
    this.#rebook(this.#loads[index]?.booking, booking, { cause: 'load', counter: load.record.counter })
    this.#loads[index] = { ...load, booking }
    this.changedLoads.add(index)
  }

  /**
   * A record settles the counter: the load that it proves is done, every other one at this counter is void. One whose very order the
   * card carried out, to another balance than it had offered, stays contested: nothing is given back for it.
   */
  decideLoads(counter: number, recordBytes: Uint8Array): void {
    const orderBytes = recordBytes.subarray(recordLength - orderLength)
    for (const [index, load] of this.#loads.entries()) {
      if (load.record.counter !== counter) continue
      const proved = equalBytes(load.recordBytes, recordBytes)
      const carriedOut = equalBytes(load.order, orderBytes)
      this.#putLoad(index, { ...load, state: proved ? 'settled' : carriedOut ? 'contested' : 'void' })
      if (!carriedOut && load.fundedFrom !== undefined) this.returnedOrders.push(load.order)
    }
  }

  /** Books an authorised load as done. An earlier one at the same counter waits for the record that decides. */
  authorise(load: Omit<Load, 'loadNo' | 'state' | 'booking'>, settledAt: number): void {
    const { counter } = load.record
    for (const [index, earlier] of this.#loads.entries())
      if (earlier.record.counter === counter && earlier.state === 'standing')
        this.#putLoad(index, { ...earlier, state: 'contested' })
    this.#putLoad(this.#loads.length, { ...load, loadNo: undefined, state: 'standing', booking: undefined })
    this.place({
      bytes: load.recordBytes,
      record: load.record,
      terminalNo: load.terminalNo,
      merchantNo: load.merchantNo,
      settlementMac: undefined,
      source: 'load',
      exception: undefined,
      settledAt,
      moneyBackAt: undefined,
    })
  }
}
