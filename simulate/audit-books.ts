/**
 * Derives what the issuer's accounts must hold, from the cards' own facts and from which counters the issuer knows
 * (PROTOCOL.md, Documents: holes), and compares to the cent. Not the issuer's code: the page's words again.
 */
import { equalBytes, toHex } from '../protocol/bytes.ts'
import { balanceChangeMinor, type CardRecord, parseRecord } from '../protocol/record.ts'
import type { Fact } from './auditor.ts'
import { type BookRows, liarIdStart, rogueIdStart } from './book-rows.ts'
import { demand } from './violation.ts'

interface Known {
  readonly factsOf: (card: string) => readonly Fact[]
  readonly wentBack: (terminal: string) => boolean
  /** Whether a rogue's card was ever at that terminal: its worthless records accuse it. */
  readonly metRogue: (terminal: string) => boolean
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
  /** Of all accounts whose name begins so. */
  total(start: string): number {
    return [...this.#sums].reduce((sum, [name, minor]) => sum + (name.startsWith(start) ? minor : 0), 0)
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

const isRogue = (id: string | null): boolean => id?.startsWith(rogueIdStart) ?? false

/** What one card's line must have brought into the accounts. */
interface CardSums {
  readonly sums: Sums
  /** Its balance as far as the issuer can know it, by what the card did. */
  readonly knownMinor: number
}

/** Judges the books again and again: all of them, or what concerns some cards, and the accounts as a whole. */
export class BookAudit {
  readonly #points = new Map<string, { readonly record: Uint8Array; readonly mac: Uint8Array | null; point: Point }>()
  readonly #cards = new Map<number, CardSums>()
  /** Cards about which there was an alarm. */
  readonly #accused = new Set<string>()

  /** @param books all, or the rows of the cards that changed @throws Violation */
  check(books: BookRows, known: Known): void {
    requireNoAlarm(books, known)
    for (const { card_id } of books.alarms) if (card_id !== null) this.#accused.add(card_id)
    const payable = payableOf(books)
    const settlements = Map.groupBy(books.settlements, (row) => row.card_no)
    const seams = Map.groupBy(books.seams, (row) => row.card_no)
    const loads = Map.groupBy(books.loads, (row) => row.card_no)
    const moves = Map.groupBy(books.rogueMoves, (row) => row.card_no)
    for (const card of books.cards) {
      const { card_no: no } = card
      if (isRogue(card.card_id)) {
        const hasCredit = (seams.get(no) ?? []).some(({ net_minor }) => net_minor > 0)
        const rogue = { id: card.card_id, isNamed: hasCredit || this.#accused.has(card.card_id) }
        this.#cards.set(no, { sums: rogueSums(rogue, moves.get(no) ?? [], books), knownMinor: card.balance_minor })
        continue
      }
      const facts = known.factsOf(card.card_id)
      const points = (settlements.get(no) ?? []).map((row) => this.#pointOf(card.card_id, row, facts))
      const ours = loads.get(no) ?? []
      const sums = new Sums()
      requireAuthorised(facts, ours)
      bookLoads(sums, books, ours, points)
      requireSeams(card.card_id, bookLine(sums, points, payable), seams.get(no) ?? [])
      requireShadow(card, points.at(-1))
      const knownMinor = (facts.at(-1)?.record.balanceAfterMinor ?? 0) - inFlightOf(facts, points.at(-1))
      this.#cards.set(no, { sums, knownMinor })
    }
    requireAccounts(books, [...this.#cards.values()])
  }

  #pointOf(card: string, row: BookRows['settlements'][number], facts: readonly Fact[]): Point {
    const { counter, record, settlement_mac: mac, exception } = row
    const name = `${card}/${counter}`
    demand('I4', exception === null, () => `counter ${counter} of card ${card} is set aside: ${exception}`)
    const before = this.#points.get(name)
    const isSame = before !== undefined && equalBytes(before.record, record)
    if (isSame && (mac === null ? before.mac === null : before.mac !== null && equalBytes(before.mac, mac)))
      return before.point
    const point = { counter, record: parseRecord(new Uint8Array(record)), hex: toHex(record), proved: mac !== null }
    const fact = facts[counter - 1]
    demand(
      'I4',
      mac === null ? point.record.order.type === 'load' : fact?.hex === point.hex && fact.settlementMac === toHex(mac),
      () => `counter ${counter} of card ${card} is settled by what the card never did`,
    )
    this.#points.set(name, { record, mac, point })
    return point
  }
}

const accountName = ({ kind, merchant_no }: BookRows['accounts'][number]): string =>
  merchant_no === null ? kind : `${kind}/${merchant_no}`

/** What the card did and the issuer cannot know yet, less a load that it was given and has not done. */
const inFlightOf = (facts: readonly Fact[], newest: Point | undefined): number => {
  const done = (from: number) =>
    facts.slice(from).reduce((sum, { record }) => sum + balanceChangeMinor(record.order), 0)
  if (newest === undefined) return done(0)
  return newest.proved ? done(newest.counter) : done(newest.counter - 1) - newest.record.order.amountMinor
}

const payableOf = (books: BookRows): ((terminal: string) => string) => {
  const merchantOf = new Map(books.terminals.map((row) => [row.terminal_id, row.merchant_no]))
  return (terminal) => `payable/${merchantOf.get(terminal)}`
}

const requireShadow = (card: BookRows['cards'][number], newest: Point | undefined): void => {
  const shadow = newest?.record.balanceAfterMinor ?? 0
  demand(
    'I1',
    card.balance_minor === shadow && card.mark === (newest?.counter ?? 0),
    () => `card ${card.card_id} is booked at ${card.balance_minor}#${card.mark}, known is ${shadow}`,
  )
}

/** Each account holds what the cards' lines bring; and the whole: what was loaded is on cards, owed, or named, to the cent. */
const requireAccounts = (books: BookRows, cards: readonly CardSums[]): void => {
  let loadedMinor = 0
  let foundMinor = cards.reduce((sum, { knownMinor }) => sum + knownMinor, 0)
  for (const row of books.accounts) {
    const name = accountName(row)
    const minor = cards.reduce((sum, { sums }) => sum + sums.of(name), 0)
    demand(
      'I1',
      minor === row.balance_minor,
      () => `account ${name} holds ${row.balance_minor}, and should hold ${minor}`,
    )
    if (row.kind === 'merchantCash') loadedMinor -= row.balance_minor
    else if (row.kind !== 'float') foundMinor += row.balance_minor
  }
  demand('I1', loadedMinor === foundMinor, () => `${loadedMinor} was loaded, and ${foundMinor} is accounted for`)
}

/** What a rogue's card moved is taken from the books, and judged: no merchant has more of it than was loaded. */
const rogueSums = (
  card: { readonly id: string; readonly isNamed: boolean },
  moves: BookRows['rogueMoves'],
  books: BookRows,
): Sums => {
  const names = new Map(books.accounts.map((row) => [row.account_no, accountName(row)]))
  const sums = new Sums()
  for (const { from_account, to_account, amount_minor } of moves)
    sums.move(names.get(from_account) ?? '', names.get(to_account) ?? '', amount_minor)
  const loaded = 0 - sums.total('merchantCash')
  // docs/SECURITY.md: what a liar paid stays booked, under an alarm or beside a named hole, until a person decides.
  const isLeftToAPerson = card.id.startsWith(liarIdStart) && card.isNamed
  demand(
    'I1',
    sums.total('payable') <= loaded || isLeftToAPerson,
    () => `the rogue's card ${card.id} paid ${sums.total('payable')}, of ${loaded} that were loaded`,
  )
  return sums
}

const requireNoAlarm = (books: BookRows, known: Known): void => {
  for (const exception of books.exceptions)
    demand(
      'I4',
      isRogue(exception.card_id) || isRogue(exception.terminal_id),
      () => `an honest entry is an exception: ${JSON.stringify(exception)}`,
    )
  for (const alarm of books.alarms) {
    const terminal = alarm.terminal_id ?? ''
    const isExplained =
      isRogue(alarm.card_id) ||
      isRogue(terminal) ||
      // A garbled load offer looks like a forged one.
      alarm.kind === 'offerMac' ||
      (alarm.kind === 'settlementMac' && known.metRogue(terminal)) ||
      (['fork', 'chainBreak', 'firstEntry'].includes(alarm.kind) && known.wentBack(terminal))
    demand('I4', isExplained, () => `an alarm without a cause: ${JSON.stringify(alarm)}`)
  }
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
