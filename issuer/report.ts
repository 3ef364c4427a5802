/** The reconciled day: what terminals and merchants took, what cards hold, what waits, and that the books balance. */
import type { ExceptionReason } from '../protocol/acknowledgement.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import type { StoreReader } from './store.ts'
import type { AccountKind, SeamExplanation } from './tables.ts'

export interface CountAndAmount {
  readonly count: number
  readonly amountMinor: number
}

export interface TerminalReport {
  readonly terminalId: string
  readonly merchant: string
  readonly epoch: number
  readonly taken: CountAndAmount
  /** Undone payments, those that only a hole tells of included. */
  readonly reversed: CountAndAmount
  /** Records of which this terminal's last word is that it does not know. */
  readonly inDoubt: number
  readonly exceptions: readonly {
    readonly entry: number
    readonly reason: ExceptionReason
    readonly cardId?: string
    readonly counter?: number
    readonly amountMinor?: number
  }[]
  /** Taken, less reversed, less held. */
  readonly payableMinor: number
  /** Payments right before a hole, or whose reversal is in doubt. */
  readonly heldMinor: number
  /** Loads that stand: their cash is the merchant's debt. */
  readonly loads: CountAndAmount
  /** Loads whose cash was taken and that never reached the card: owed back to the customer. */
  readonly owedBack: CountAndAmount
  /** Sales whose goods this terminal could not hand over: their claims stand. */
  readonly owedGoods: CountAndAmount
  readonly alarms: readonly { readonly kind: string }[]
}

export interface CardReport {
  readonly cardId: string
  readonly status: string
  readonly loadedMinor: number
  /** Payments less reversals. */
  readonly spentMinor: number
  /** After the highest known counter. */
  readonly balanceMinor: number
  readonly counter: number
  readonly holes: readonly {
    /** The first that is missing. */
    readonly counter: number
    /** The last, when more than one is missing. */
    readonly lastCounter?: number
    /** What the missing counters moved, by the balances of their neighbours. */
    readonly amountMinor: number
    readonly direction: 'debit' | 'credit' | 'none'
    readonly explanation: SeamExplanation
  }[]
  readonly alarms: readonly { readonly kind: string; readonly counter?: number }[]
}

export interface Report {
  readonly currency: string
  readonly day?: string
  readonly terminals: readonly TerminalReport[]
  readonly merchants: readonly {
    readonly merchant: string
    /** The sums of his terminals. */
    readonly taken: CountAndAmount
    readonly reversed: CountAndAmount
    readonly inDoubt: number
    readonly exceptions: number
    /** All days: what is owed to him, held payments included. */
    readonly payableMinor: number
    /** All days: cash that he took for loads and owes. */
    readonly cashOwedMinor: number
  }[]
  readonly cards: readonly CardReport[]
  /** All days. */
  readonly accounts: Readonly<Record<AccountKind, number>>
  readonly totals: {
    readonly taken: CountAndAmount
    readonly reversed: CountAndAmount
    readonly inDoubt: number
    readonly exceptions: number
    readonly payableMinor: number
    readonly heldMinor: number
    readonly loadedMinor: number
  }
  readonly trialBalanceMinor: number
}

type Day = (time: number | null) => boolean

/** @throws IssuerError `input` unless `day` is such as 2026-11-23 */
const dayFilter = (day: string | undefined, timeZone: string): Day => {
  if (day === undefined) return () => true
  const parsed = new Date(`${day}T00:00:00Z`)
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(parsed.getTime()) || !parsed.toISOString().startsWith(day))
    throw new IssuerError('input', `"${day}" is not a day such as 2026-11-23.`)
  const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
  const inZone = new Intl.DateTimeFormat('en-CA', { ...parts, timeZone })
  return (time) => time !== null && inZone.format(time * 1000) === day
}

const sumUp = (amounts: readonly number[]): CountAndAmount => ({
  count: amounts.length,
  amountMinor: amounts.reduce((sum, amount) => sum + amount, 0),
})

/** The rows that a report is made of, of one consistent picture. */
const readFacts = async (db: StoreReader) => ({
  terminals: await db
    .selectFrom('terminal')
    .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
    .select(['terminal_no', 'terminal_id', 'name', 'epoch'])
    .orderBy('terminal_no')
    .execute(),
  cards: await db.selectFrom('card').selectAll().orderBy('card_no').execute(),
  settlements: await db
    .selectFrom('settlement')
    .select([
      'card_no',
      'counter',
      'terminal_no',
      'order_type',
      'amount_minor',
      'order_time',
      'exception',
      'settlement_mac',
    ])
    .select((eb) =>
      eb
        .selectFrom('account')
        .whereRef('account_no', '=', 'settlement.booked_from')
        .select('kind')
        .as('booked_from_kind'),
    )
    .execute(),
  seams: await db.selectFrom('seam').selectAll().orderBy('card_no').orderBy('after_counter').execute(),
  notes: await db
    .selectFrom('note')
    .selectAll()
    .where('in_doubt', '>', 0)
    .where('voided', '=', 0)
    .where('abandoned', '=', 0)
    .execute(),
  owed: await db.selectFrom('note').selectAll().where('owed', '>', 0).execute(),
  // A terminal called it void, its card proves it paid: whoever brought which first.
  contradictions: await db
    .selectFrom('note')
    .innerJoin('settlement', (join) =>
      join.onRef('settlement.card_no', '=', 'note.card_no').onRef('settlement.counter', '=', 'note.counter'),
    )
    .whereRef('settlement.record', '=', 'note.record')
    .where('settlement.settlement_mac', 'is not', null)
    .where('note.voided', '>', 0)
    .select(['note.card_no', 'note.counter'])
    .execute(),
  exceptions: await db.selectFrom('entry_exception').selectAll().orderBy('exception_no').execute(),
  loads: await db.selectFrom('load_authorisation').selectAll().orderBy('load_no').execute(),
  alarms: await db.selectFrom('alarm').selectAll().orderBy('alarm_no').execute(),
  accounts: await db
    .selectFrom('account')
    .leftJoin('merchant', 'merchant.merchant_no', 'account.merchant_no')
    .select(['account_no', 'kind', 'balance_minor', 'name'])
    .orderBy('account_no')
    .execute(),
})
type Facts = Awaited<ReturnType<typeof readFacts>>

const keyOf = (cardNo: number, counter: number): string => `${cardNo}/${counter}`

/** The facts by where they are looked for. */
const indexFacts = (facts: Facts) => {
  const settled = new Map(facts.settlements.map((row) => [keyOf(row.card_no, row.counter), row]))
  const proven = (cardNo: number, counter: number) => {
    const row = settled.get(keyOf(cardNo, counter))
    return row?.settlement_mac != null
  }
  const openNotes = facts.notes.filter((note) => !proven(note.card_no, note.counter))
  const held = new Set<string>()
  for (const seam of facts.seams)
    if (seam.before_counter - seam.after_counter > 1 && seam.explanation !== 'reversal')
      held.add(keyOf(seam.card_no, seam.after_counter))
  for (const note of openNotes) if (note.order_type === 'reversal') held.add(keyOf(note.card_no, note.reference))
  // A hole that is explained as a reversal undoes the payment just before it.
  const presumed = facts.seams
    .filter((seam) => seam.explanation === 'reversal')
    .map((seam) => settled.get(keyOf(seam.card_no, seam.after_counter)))
    .filter((row) => row !== undefined)
  const undone = new Set(presumed.map((row) => keyOf(row.card_no, row.counter)))
  for (const row of facts.settlements)
    if (row.order_type === 'reversal' && row.booked_from_kind === 'payable')
      undone.add(keyOf(row.card_no, row.counter - 1))
  return { openNotes, held, presumed, undone }
}
type Index = ReturnType<typeof indexFacts>

const reportTerminal = (facts: Facts, index: Index, isOfDay: Day, terminal: Facts['terminals'][number]) => {
  const mine = <Row extends { terminal_no: number | null; order_time: number | null }>(rows: readonly Row[]): Row[] =>
    rows.filter((row) => row.terminal_no === terminal.terminal_no && isOfDay(row.order_time))
  const amounts = (rows: readonly { amount_minor: number }[]) => sumUp(rows.map((row) => row.amount_minor))
  const settled = mine(facts.settlements)
  const payments = settled.filter((row) => row.order_type === 'payment' && row.exception === null)
  const reversals = settled.filter((row) => row.order_type === 'reversal' && row.booked_from_kind === 'payable')
  const taken = amounts(payments)
  const reversed = amounts([...reversals, ...mine(index.presumed)])
  const isHeld = ({ card_no, counter }: { card_no: number; counter: number }) =>
    index.held.has(keyOf(card_no, counter)) && !index.undone.has(keyOf(card_no, counter))
  const heldMinor = amounts(payments.filter(isHeld)).amountMinor
  const loads = mine(facts.loads)
  const report: TerminalReport = {
    terminalId: terminal.terminal_id,
    merchant: terminal.name,
    epoch: terminal.epoch,
    taken,
    reversed,
    inDoubt: mine(index.openNotes).length,
    exceptions: facts.exceptions
      .filter(
        (row) => row.terminal_no === terminal.terminal_no && (row.order_time === null ? true : isOfDay(row.order_time)),
      )
      .map((row) => ({
        entry: row.entry,
        reason: row.reason,
        ...(row.card_id === null ? {} : { cardId: row.card_id }),
        ...(row.counter === null ? {} : { counter: row.counter }),
        ...(row.amount_minor === null ? {} : { amountMinor: row.amount_minor }),
      })),
    payableMinor: taken.amountMinor - reversed.amountMinor - heldMinor,
    heldMinor,
    loads: amounts(loads.filter(({ state }) => state !== 'void')),
    owedBack: amounts(loads.filter(({ state }) => state === 'void')),
    // A payment that was undone owes no goods any more.
    owedGoods: amounts(mine(facts.owed).filter((note) => !index.undone.has(keyOf(note.card_no, note.counter)))),
    alarms: facts.alarms
      .filter((row) => row.terminal_no === terminal.terminal_no && row.card_no === null)
      .map(({ kind }) => ({ kind })),
  }
  return report
}

const directionOf = (netMinor: number) => (netMinor < 0 ? 'debit' : netMinor > 0 ? 'credit' : 'none')

const reportCard = (
  card: Facts['cards'][number],
  of: {
    readonly settlements: Facts['settlements']
    readonly seams: Facts['seams']
    readonly alarms: readonly { readonly kind: string; readonly counter: number | null }[]
  },
): CardReport => {
  const sum = (type: string) =>
    sumUp(of.settlements.filter((row) => row.order_type === type).map((row) => row.amount_minor)).amountMinor
  return {
    cardId: card.card_id,
    status: card.status,
    // Loads that stand at their counter, and those that were never authorised here.
    loadedMinor: sum('load'),
    spentMinor: sum('payment') - sum('reversal'),
    balanceMinor: card.balance_minor,
    counter: card.mark,
    holes: of.seams
      .filter((seam) => seam.before_counter - seam.after_counter > 1)
      .map((seam) => ({
        counter: seam.after_counter + 1,
        ...(seam.before_counter - seam.after_counter > 2 ? { lastCounter: seam.before_counter - 1 } : {}),
        amountMinor: Math.abs(seam.net_minor),
        direction: directionOf(seam.net_minor),
        explanation: seam.explanation,
      })),
    alarms: of.alarms.map(({ kind, counter }) => ({ kind, ...(counter === null ? {} : { counter }) })),
  }
}

const addUp = (amounts: readonly CountAndAmount[]): CountAndAmount => ({
  count: amounts.reduce((sum, { count }) => sum + count, 0),
  amountMinor: amounts.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
})

const reportMerchants = (accounts: Facts['accounts'], terminals: readonly TerminalReport[]): Report['merchants'] => {
  const names = [...new Set(accounts.map(({ name }) => name).filter((name) => name !== null))]
  const balance = (merchant: string, kind: AccountKind) =>
    accounts.find((row) => row.name === merchant && row.kind === kind)?.balance_minor ?? 0
  return names.map((merchant) => {
    const his = terminals.filter((terminal) => terminal.merchant === merchant)
    return {
      merchant,
      taken: addUp(his.map(({ taken }) => taken)),
      reversed: addUp(his.map(({ reversed }) => reversed)),
      inDoubt: his.reduce((sum, { inDoubt }) => sum + inDoubt, 0),
      exceptions: his.reduce((sum, { exceptions }) => sum + exceptions.length, 0),
      payableMinor: balance(merchant, 'payable'),
      // 0 - x, since -0 would be printed as such.
      cashOwedMinor: 0 - balance(merchant, 'merchantCash'),
    }
  })
}

const sumAccounts = (accounts: Facts['accounts']): Report['accounts'] => {
  const sums: Record<AccountKind, number> = {
    float: 0,
    payable: 0,
    merchantCash: 0,
    fees: 0,
    suspense: 0,
    holes: 0,
  }
  for (const { kind, balance_minor } of accounts) sums[kind] += balance_minor
  return sums
}

/**
 * What the books say, all amounts in minor units.
 * @param options.day such as "2026-11-23", of the book's time zone, by the orders' times: limits terminals' figures to it
 * @throws IssuerError `input`
 */
export const report = async (issuer: Issuer, options: { readonly day?: string } = {}): Promise<Report> => {
  const isOfDay = dayFilter(options.day, issuer.book.timeZone)
  const facts = await issuer.store.read(readFacts)
  const index = indexFacts(facts)
  const terminals = facts.terminals.map((terminal) => reportTerminal(facts, index, isOfDay, terminal))
  const contradictions = facts.contradictions.map((row) => ({ ...row, kind: 'voidButSettled' }))
  const byCard = {
    settlements: Map.groupBy(facts.settlements, (row) => row.card_no),
    seams: Map.groupBy(facts.seams, (row) => row.card_no),
    alarms: Map.groupBy([...facts.alarms, ...contradictions], (row) => row.card_no ?? 0),
  }
  const cards = facts.cards.map((card) =>
    reportCard(card, {
      settlements: byCard.settlements.get(card.card_no) ?? [],
      seams: byCard.seams.get(card.card_no) ?? [],
      alarms: byCard.alarms.get(card.card_no) ?? [],
    }),
  )
  const accounts = sumAccounts(facts.accounts)
  const total = (of: (terminal: TerminalReport) => number) => terminals.reduce((sum, terminal) => sum + of(terminal), 0)
  return {
    currency: issuer.book.currency,
    ...(options.day === undefined ? {} : { day: options.day }),
    terminals,
    merchants: reportMerchants(facts.accounts, terminals),
    cards,
    accounts,
    totals: {
      taken: { count: total(({ taken }) => taken.count), amountMinor: total(({ taken }) => taken.amountMinor) },
      reversed: {
        count: total(({ reversed }) => reversed.count),
        amountMinor: total(({ reversed }) => reversed.amountMinor),
      },
      inDoubt: total(({ inDoubt }) => inDoubt),
      exceptions: total(({ exceptions }) => exceptions.length),
      payableMinor: total(({ payableMinor }) => payableMinor),
      heldMinor: total(({ heldMinor }) => heldMinor),
      loadedMinor: cards.reduce((sum, card) => sum + card.loadedMinor, 0),
    },
    trialBalanceMinor: Object.values(accounts).reduce((sum, balance) => sum + balance, 0),
  }
}
