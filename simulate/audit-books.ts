/**
 * Derives what the issuer's accounts must hold, from the cards' own facts and from which counters the issuer knows
 * (PROTOCOL.md, Documents: holes), and compares to the cent. Not the issuer's code: the page's words again.
 */
import { toHex } from '../protocol/bytes.ts'
import { balanceChangeMinor, type CardRecord, parseRecord } from '../protocol/record.ts'
import type { Fact } from './auditor.ts'
import type { BookRows } from './book-rows.ts'
import { demand } from './violation.ts'

interface Known {
  readonly factsOf: (card: string) => readonly Fact[]
  readonly wentBack: (terminal: string) => boolean
}

class Sums {
  readonly #sums = new Map<string, number>()
  move(from: string, to: string, amountMinor: number): void {
    this.#sums.set(from, (this.#sums.get(from) ?? 0) - amountMinor)
    this.#sums.set(to, (this.#sums.get(to) ?? 0) + amountMinor)
  }
  of(account: string): number {
    return this.#sums.get(account) ?? 0
  }
}

/** What is known at one counter: the card's record, or (not proved) a load that was authorised. */
interface Point {
  readonly counter: number
  readonly record: CardRecord
  readonly hex: string
  readonly proved: boolean
}

const beforeMinor = (record: CardRecord): number => record.balanceAfterMinor - balanceChangeMinor(record.order)

/** @throws Violation */
export const auditBooks = (books: BookRows, known: Known): void => {
  requireNoAlarm(books, known)
  const sums = new Sums()
  const merchantOf = new Map(books.terminals.map((row) => [row.terminal_id, row.merchant_no]))
  const settlements = Map.groupBy(books.settlements, (row) => row.card_no)
  const seams = Map.groupBy(books.seams, (row) => row.card_no)
  const loads = Map.groupBy(books.loads, (row) => row.card_no)
  for (const card of books.cards) {
    const facts = known.factsOf(card.card_id)
    const points = (settlements.get(card.card_no) ?? []).map((row) => pointOf(card.card_id, row, facts))
    const ours = loads.get(card.card_no) ?? []
    requireAuthorised(facts, ours)
    bookLoads(sums, books, ours, points)
    const named = bookLine(sums, points, (terminal) => `payable/${merchantOf.get(terminal)}`)
    requireSeams(card.card_id, named, seams.get(card.card_no) ?? [])
    const shadow = points.at(-1)?.record.balanceAfterMinor ?? 0
    demand(
      'I1',
      card.balance_minor === shadow && card.mark === (points.at(-1)?.counter ?? 0),
      () => `card ${card.card_id} is booked at ${card.balance_minor}#${card.mark}, known is ${shadow}`,
    )
  }
  for (const { kind, merchant_no, balance_minor } of books.accounts) {
    const name = merchant_no === null ? kind : `${kind}/${merchant_no}`
    demand(
      'I1',
      sums.of(name) === balance_minor,
      () => `account ${name} holds ${balance_minor}, and should hold ${sums.of(name)}`,
    )
  }
}

const requireNoAlarm = (books: BookRows, known: Known): void => {
  const exception = books.exceptions[0]
  demand('I4', exception === undefined, () => `an honest entry is an exception: ${JSON.stringify(exception)}`)
  for (const alarm of books.alarms) {
    const isExplained =
      // A garbled load offer looks like a forged one.
      alarm.kind === 'offerMac' ||
      (['fork', 'chainBreak', 'firstEntry'].includes(alarm.kind) && known.wentBack(alarm.terminal_id ?? ''))
    demand('I4', isExplained, () => `an alarm without a cause: ${JSON.stringify(alarm)}`)
  }
}

const pointOf = (card: string, row: BookRows['settlements'][number], facts: readonly Fact[]): Point => {
  const hex = toHex(row.record)
  const fact = facts[row.counter - 1]
  const proved = row.settlement_mac !== null
  const isTrue = !proved || (fact?.hex === hex && fact.settlementMac === toHex(row.settlement_mac ?? row.record))
  demand('I4', isTrue, () => `counter ${row.counter} of card ${card} is settled by what the card never did`)
  demand('I4', row.exception === null, () => `counter ${row.counter} of card ${card} is set aside: ${row.exception}`)
  const record = parseRecord(new Uint8Array(row.record))
  demand(
    'I4',
    proved || record.order.type === 'load',
    () => `counter ${row.counter} of card ${card} is settled without proof`,
  )
  return { counter: row.counter, record, hex, proved }
}

const requireAuthorised = (facts: readonly Fact[], loads: BookRows['loads']): void => {
  const authorised = new Set(loads.map((load) => toHex(load.record)))
  for (const { record, hex } of facts)
    if (record.order.type === 'load')
      demand(
        'I1',
        authorised.has(hex),
        () => `value from nothing: ${record.identity.cardId}#${record.counter} was never authorised`,
      )
}

/** Cash that merchants took: for a load that is done (or stands until a record says otherwise), or waits for that record. */
const bookLoads = (sums: Sums, books: BookRows, loads: BookRows['loads'], points: readonly Point[]): void => {
  const merchants = new Map(books.terminals.map((row) => [row.terminal_no, row.merchant_no]))
  for (const [counter, rivals] of Map.groupBy(loads, (load) => load.counter)) {
    const point = points.find((each) => each.counter === counter)
    for (const [at, load] of rivals.entries()) {
      const cash = `merchantCash/${merchants.get(load.terminal_no)}`
      const { amountMinor } = parseRecord(new Uint8Array(load.record)).order
      const isThis = point?.hex === toHex(load.record)
      if (point?.proved === true && !isThis) continue
      if (isThis || at === rivals.length - 1) sums.move(cash, 'float', amountMinor)
      else sums.move(cash, 'suspense', amountMinor)
    }
  }
}

/** Payments, reversals and holes of one card. @returns the holes and breaks: after/before/net */
const bookLine = (sums: Sums, points: readonly Point[], payable: (terminal: string) => string): readonly string[] => {
  const named: string[] = []
  let before: Point | undefined
  for (const point of points) {
    const { order } = point.record
    const gap = point.counter - (before?.counter ?? 0) - 1
    const netMinor = beforeMinor(point.record) - (before?.record.balanceAfterMinor ?? 0)
    if (gap > 0 || netMinor !== 0) named.push(`${before?.counter ?? 0}/${point.counter}/${netMinor}`)
    if (netMinor !== 0) bookGap(sums, { gap, netMinor, before }, payable)
    if (order.type === 'payment') sums.move('float', payable(order.terminalId), order.amountMinor)
    if (order.type === 'reversal')
      sums.move(
        gap === 0 && before?.record.order.type === 'payment' ? payable(before.record.order.terminalId) : 'suspense',
        'float',
        order.amountMinor,
      )
    before = point
  }
  return named
}

const bookGap = (
  sums: Sums,
  { gap, netMinor, before }: { gap: number; netMinor: number; before: Point | undefined },
  payable: (terminal: string) => string,
): void => {
  const paid = before?.record.order.type === 'payment' ? before.record.order : undefined
  if (gap === 0 || (gap === 1 && netMinor < 0)) sums.move('suspense', 'float', netMinor)
  else if (gap === 1 && paid?.amountMinor === netMinor) sums.move(payable(paid.terminalId), 'float', netMinor)
  else sums.move('holes', 'float', netMinor)
}

const requireSeams = (card: string, named: readonly string[], seams: BookRows['seams']): void => {
  const told = seams
    .map((seam) => `${seam.after_counter}/${seam.before_counter}/${seam.net_minor}`)
    .sort()
    .join(' ')
  const found = [...named].sort().join(' ')
  demand(
    'I4',
    told === found,
    () => `holes of card ${card}: the issuer names ${told || 'none'}, there are ${found || 'none'}`,
  )
}
