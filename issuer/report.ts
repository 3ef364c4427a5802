/** The reconciled day: what terminals and merchants took, what cards hold, what waits, and that the books balance. */
import type { ExceptionReason } from '../protocol/acknowledgement.ts'
import { type Archive, entryKey, readArchive } from './archive.ts'
import { businessDays, directionOf, type Facts, type Index, indexFacts, keyOf, readFacts, requireDay } from './facts.ts'
import { type FundingReport, fundingReport } from './funding.ts'
import type { Issuer } from './issuer.ts'
import type { AccountKind, SeamExplanation } from './tables.ts'

export interface CountAndAmount {
  readonly count: number
  readonly amountMinor: number
}

/** Payments that no batch of the terminal that sold has brought, by what brought them first. */
export interface CourierFigures {
  readonly witness: CountAndAmount
  readonly claim: CountAndAmount
}

export interface TerminalReport {
  readonly terminalId: string
  readonly merchant: string
  readonly epoch: number
  readonly taken: CountAndAmount
  /** Of what was taken: brought by couriers alone. */
  readonly couriers: CourierFigures
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
  /** Payments whose money was given back at the merchant's cost. */
  readonly moneyBack: CountAndAmount
  /** Taken, less reversed, less held, less money back. */
  readonly payableMinor: number
  /** Payments right before a hole, or whose reversal is in doubt. */
  readonly heldMinor: number
  /** Loads in cash that stand: it is the merchant's debt. */
  readonly loads: CountAndAmount
  /** Loads that stand and were paid by voucher or credit. */
  readonly fundedLoads: CountAndAmount
  /** Loads whose cash was taken and that never reached the card: owed back to the customer. */
  readonly owedBack: CountAndAmount
  /** Sales whose goods this terminal could not hand over: their claims stand. */
  readonly owedGoods: CountAndAmount
  /** All days: one-time codes that a lost ledger may have sold, and whose sale nobody has brought since. */
  readonly withheldUnits: CountAndAmount
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
    /** The sum of his terminals: not to be paid out yet. */
    readonly heldMinor: number
    /** All days: cash that he took for loads and owes. */
    readonly cashOwedMinor: number
  }[]
  readonly cards: readonly CardReport[]
  /** All days: what stands behind the money on cards. */
  readonly funding: FundingReport
  /** All days. */
  readonly accounts: Readonly<Record<AccountKind, number>>
  readonly totals: {
    readonly taken: CountAndAmount
    readonly couriers: CourierFigures
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

/** @throws IssuerError `input` */
const dayFilter = (day: string | undefined, timeZone: string): Day => {
  if (day === undefined) return () => true
  requireDay(day)
  const dayOf = businessDays(timeZone)
  return (time) => time !== null && dayOf(time) === day
}

const sumUp = (amounts: readonly number[]): CountAndAmount => ({
  count: amounts.length,
  amountMinor: amounts.reduce((sum, amount) => sum + amount, 0),
})

interface Book {
  readonly facts: Facts
  readonly index: Index
  /** Counters that only couriers brought, by `keyOf`. */
  readonly courierOnly: ReadonlySet<string>
  readonly isOfDay: Day
}

const reportTerminal = (book: Book, terminal: Facts['terminals'][number]): TerminalReport => {
  const { facts, index, courierOnly, isOfDay } = book
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
  const cashLoads = loads.filter(({ funded_from }) => funded_from === null)
  const moneyBack = amounts(mine(facts.moneyBacks).filter(({ charged }) => charged === 'merchant'))
  const broughtBy = (source: string) =>
    amounts(payments.filter((row) => row.source === source && courierOnly.has(keyOf(row.card_no, row.counter))))
  return {
    terminalId: terminal.terminal_id,
    merchant: terminal.name,
    epoch: terminal.epoch,
    taken,
    couriers: { witness: broughtBy('witness'), claim: broughtBy('claim') },
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
    moneyBack,
    payableMinor: taken.amountMinor - reversed.amountMinor - heldMinor - moneyBack.amountMinor,
    heldMinor,
    loads: amounts(cashLoads.filter(({ state }) => state !== 'void')),
    fundedLoads: amounts(loads.filter(({ state, funded_from }) => state !== 'void' && funded_from !== null)),
    owedBack: amounts(cashLoads.filter(({ state }) => state === 'void')),
    // A payment that was undone owes no goods any more.
    owedGoods: amounts(mine(index.owed).filter((note) => !index.undone.has(keyOf(note.card_no, note.counter)))),
    withheldUnits: addUp(facts.withheld.filter(({ terminalId }) => terminalId === terminal.terminal_id)),
    alarms: facts.alarms
      .filter((row) => row.terminal_no === terminal.terminal_no && row.card_no === null)
      .map(({ kind }) => ({ kind })),
  }
}

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
      heldMinor: his.reduce((sum, { heldMinor }) => sum + heldMinor, 0),
      // 0 - x, since -0 would be printed as such.
      cashOwedMinor: 0 - balance(merchant, 'merchantCash'),
    }
  })
}

const sumAccounts = (accounts: Facts['accounts']): Report['accounts'] => {
  const sums: Record<AccountKind, number> = {
    ...{ float: 0, payable: 0, merchantCash: 0, fees: 0, suspense: 0, holes: 0 },
    ...{ bank: 0, breakage: 0, vouchers: 0, credits: 0, losses: 0 },
  }
  for (const { kind, balance_minor } of accounts) sums[kind] += balance_minor
  return sums
}

/** The counters that couriers brought and no batch of the terminal that made them, by `keyOf`. */
export const courierOnly = ({ couriered }: Facts, archive: Archive): ReadonlySet<string> =>
  new Set(
    couriered
      .filter((row) => !archive.words.has(entryKey(row.record, row.settlement_mac)))
      .map((row) => keyOf(row.card_no, row.counter)),
  )

/**
 * What the books say, all amounts in minor units.
 * @param options.day such as "2026-11-23", of the book's time zone, by the orders' times: limits terminals' figures to it
 * @throws IssuerError `input`
 */
export const report = async (issuer: Issuer, options: { readonly day?: string } = {}): Promise<Report> => {
  const isOfDay = dayFilter(options.day, issuer.book.timeZone)
  const { facts, archive, funding } = await issuer.store.read(async (db) => {
    const rows = await readFacts(db)
    const couriered = rows.couriered.map((row) => entryKey(row.record, row.settlement_mac))
    const terminalNos = [...new Set(rows.couriered.map((row) => row.terminal_no))]
    const funded = await fundingReport(db)
    return { facts: rows, funding: funded, archive: await readArchive(db, { keys: new Set(couriered), terminalNos }) }
  })
  const index = indexFacts(facts)
  const book = { facts, index, courierOnly: courierOnly(facts, archive), isOfDay }
  const terminals = facts.terminals.map((terminal) => reportTerminal(book, terminal))
  const contradictions = index.contradictions.map((row) => ({ ...row, kind: 'voidButSettled' }))
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
    funding,
    accounts,
    totals: {
      taken: { count: total(({ taken }) => taken.count), amountMinor: total(({ taken }) => taken.amountMinor) },
      reversed: {
        count: total(({ reversed }) => reversed.count),
        amountMinor: total(({ reversed }) => reversed.amountMinor),
      },
      couriers: {
        witness: addUp(terminals.map(({ couriers }) => couriers.witness)),
        claim: addUp(terminals.map(({ couriers }) => couriers.claim)),
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
