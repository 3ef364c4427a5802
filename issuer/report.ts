/**
 * The reconciled day: what terminals and merchants took, what cards hold, what waits, and that the books balance. The database adds
 * up what is plain; only what is not is read row by row.
 */
import { sql } from 'kysely'
import type { ExceptionReason } from '../protocol/acknowledgement.ts'
import { businessDay } from './console-api/days.ts'
import { salesByArticle } from './console-api/sales.ts'
import { directionOf, type Facts, type Index, indexFacts, keyOf, readFacts, requireDay } from './facts.ts'
import { type FundingReport, fundingReport } from './funding.ts'
import type { Issuer } from './issuer.ts'
import type { StoreReader } from './store.ts'
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
  /** What people call it; absent: nothing. */
  readonly terminalName?: string
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
  /** Of the days that the report is about: taken, less reversed, less held, less money back. */
  readonly earnedMinor: number
  /** The same under the name that it had first. */
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
  /** Of a day alone: what was taken for each article, the most money first. */
  readonly articles?: readonly (CountAndAmount & { readonly itemId: string; readonly title: string })[]
  readonly merchants: readonly {
    readonly merchant: string
    /** The sums of his terminals. */
    readonly taken: CountAndAmount
    readonly reversed: CountAndAmount
    readonly inDoubt: number
    readonly exceptions: number
    /** All days: what is owed to him now, held payments included. */
    readonly owedMinor: number
    /** The same under the name that it had first. */
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
    /** As the terminals' own. */
    readonly earnedMinor: number
    readonly payableMinor: number
    readonly heldMinor: number
    readonly loadedMinor: number
  }
  readonly trialBalanceMinor: number
}

/** In UNIX seconds: from the first to before the last. */
interface Span {
  readonly from: number
  readonly until: number
}

/** @throws IssuerError `input` */
const spanOf = (day: string | undefined, timeZone: string): Span | undefined => {
  if (day === undefined) return undefined
  requireDay(day)
  const { begins, ends } = businessDay(day, timeZone)
  return { from: begins, until: ends }
}

const within = (span: Span | undefined, time: number | null): boolean =>
  span === undefined || (time !== null && time >= span.from && time < span.until)

const sumUp = (amounts: readonly number[]): CountAndAmount => ({
  count: amounts.length,
  amountMinor: amounts.reduce((sum, amount) => sum + amount, 0),
})
const none: CountAndAmount = { count: 0, amountMinor: 0 }

/** What the database adds up: how many, and how much. */
const counted = [
  sql<number | string>`count(*)`.as('count'),
  sql<number | string>`coalesce(sum(amount_minor), 0)`.as('minor'),
] as const
const countedOf = (row: { count: number | string; minor: number | string }): CountAndAmount => ({
  count: Number(row.count),
  amountMinor: Number(row.minor),
})

/** Sums of plain rows, by terminal and by card: as many rows as there are of those, however many sales. */
const readSums = async (db: StoreReader, span: Span | undefined) => {
  const from = span?.from ?? 0
  const until = span?.until ?? Number.MAX_SAFE_INTEGER
  return {
    taken: await db
      .selectFrom('settlement')
      .select('terminal_no')
      .select(counted)
      .where('order_type', '=', 'payment')
      .where('exception', 'is', null)
      .$if(span !== undefined, (query) => query.where('order_time', '>=', from).where('order_time', '<', until))
      .groupBy('terminal_no')
      .execute(),
    couriers: await db
      .selectFrom('courier_only')
      .innerJoin('settlement', (join) =>
        join
          .onRef('settlement.card_no', '=', 'courier_only.card_no')
          .onRef('settlement.counter', '=', 'courier_only.counter'),
      )
      .select(['terminal_no', 'source'])
      .select(counted)
      .where('order_type', '=', 'payment')
      .where('exception', 'is', null)
      .$if(span !== undefined, (query) => query.where('order_time', '>=', from).where('order_time', '<', until))
      .groupBy(['terminal_no', 'source'])
      .execute(),
    loads: await db
      .selectFrom('load_authorisation')
      .select('terminal_no')
      .select([
        sql<number>`CASE WHEN state = 'void' THEN 1 ELSE 0 END`.as('void'),
        sql<number>`CASE WHEN funded_from IS NULL THEN 1 ELSE 0 END`.as('cash'),
      ])
      .select(counted)
      .$if(span !== undefined, (query) => query.where('order_time', '>=', from).where('order_time', '<', until))
      .groupBy(['terminal_no', 'void', 'cash'])
      .execute(),
    byCard: await db
      .selectFrom('settlement')
      .select(['card_no', 'order_type'])
      .select(sql<number | string>`sum(amount_minor)`.as('minor'))
      .where('order_type', 'in', ['load', 'payment', 'reversal'])
      .groupBy(['card_no', 'order_type'])
      .execute(),
  }
}
type Sums = Awaited<ReturnType<typeof readSums>>

/** Rows of what is not plain, by terminal: each is looked at once. */
const byTerminal = (facts: Facts, index: Index, span: Span | undefined) => {
  const group = <Row extends { terminal_no: number | null; order_time: number | null }>(rows: readonly Row[]) => {
    const groups = Map.groupBy(
      rows.filter((row) => within(span, row.order_time)),
      (row) => row.terminal_no,
    )
    return (terminalNo: number): readonly Row[] => groups.get(terminalNo) ?? []
  }
  const exceptions = facts.exceptions.filter((row) => row.order_time === null || within(span, row.order_time))
  const exceptionGroups = Map.groupBy(exceptions, (row) => row.terminal_no)
  const alarmGroups = Map.groupBy(
    facts.alarms.filter((row) => row.card_no === null),
    (row) => row.terminal_no,
  )
  const isUndone = (row: { card_no: number; counter: number }) => index.undone.has(keyOf(row.card_no, row.counter))
  return {
    reversals: group(
      facts.settlements.filter((row) => row.order_type === 'reversal' && row.booked_from_kind === 'payable'),
    ),
    presumed: group(index.presumed),
    held: group(
      facts.settlements.filter(
        (row) =>
          row.order_type === 'payment' &&
          row.exception === null &&
          index.held.has(keyOf(row.card_no, row.counter)) &&
          !isUndone(row),
      ),
    ),
    openNotes: group(index.openNotes),
    // A payment that was undone owes no goods any more.
    owed: group(index.owed.filter((note) => !isUndone(note))),
    moneyBacks: group(facts.moneyBacks.filter(({ charged }) => charged === 'merchant')),
    exceptions: (terminalNo: number) => exceptionGroups.get(terminalNo) ?? [],
    alarms: (terminalNo: number) => alarmGroups.get(terminalNo) ?? [],
  }
}

interface Book {
  readonly facts: Facts
  readonly rows: ReturnType<typeof byTerminal>
  readonly sums: ReturnType<typeof sumsByTerminal>
}

const sumsByTerminal = ({ taken, couriers, loads }: Sums) => {
  const takenOf = new Map(taken.map((row) => [row.terminal_no, countedOf(row)]))
  const couriersOf = new Map(couriers.map((row) => [`${row.terminal_no}/${row.source}`, countedOf(row)]))
  const loadsOf = new Map(loads.map((row) => [`${row.terminal_no}/${row.void}/${row.cash}`, countedOf(row)]))
  return {
    taken: (terminalNo: number) => takenOf.get(terminalNo) ?? none,
    broughtBy: (terminalNo: number, source: string) => couriersOf.get(`${terminalNo}/${source}`) ?? none,
    loads: (terminalNo: number, is: { readonly void: boolean; readonly cash: boolean }) =>
      loadsOf.get(`${terminalNo}/${Number(is.void)}/${Number(is.cash)}`) ?? none,
  }
}

const reportTerminal = ({ facts, rows, sums }: Book, terminal: Facts['terminals'][number]): TerminalReport => {
  const no = terminal.terminal_no
  const amounts = (some: readonly { amount_minor: number }[]) => sumUp(some.map((row) => row.amount_minor))
  const taken = sums.taken(no)
  const reversed = amounts([...rows.reversals(no), ...rows.presumed(no)])
  const heldMinor = amounts(rows.held(no)).amountMinor
  const moneyBack = amounts(rows.moneyBacks(no))
  const earnedMinor = taken.amountMinor - reversed.amountMinor - heldMinor - moneyBack.amountMinor
  return {
    terminalId: terminal.terminal_id,
    ...(terminal.terminal_name === null ? {} : { terminalName: terminal.terminal_name }),
    merchant: terminal.name,
    epoch: terminal.epoch,
    taken,
    couriers: { witness: sums.broughtBy(no, 'witness'), claim: sums.broughtBy(no, 'claim') },
    reversed,
    inDoubt: rows.openNotes(no).length,
    exceptions: rows.exceptions(no).map((row) => ({
      entry: row.entry,
      reason: row.reason,
      ...(row.card_id === null ? {} : { cardId: row.card_id }),
      ...(row.counter === null ? {} : { counter: row.counter }),
      ...(row.amount_minor === null ? {} : { amountMinor: row.amount_minor }),
    })),
    moneyBack,
    earnedMinor,
    payableMinor: earnedMinor,
    heldMinor,
    loads: sums.loads(no, { void: false, cash: true }),
    fundedLoads: sums.loads(no, { void: false, cash: false }),
    owedBack: sums.loads(no, { void: true, cash: true }),
    owedGoods: amounts(rows.owed(no)),
    withheldUnits: addUp(facts.withheld.filter(({ terminalId }) => terminalId === terminal.terminal_id)),
    alarms: rows.alarms(no).map(({ kind }) => ({ kind })),
  }
}

const reportCard = (
  card: Facts['cards'][number],
  of: {
    /** Of all orders of a type. */
    readonly sumMinor: (type: string) => number
    readonly seams: Facts['seams']
    readonly alarms: readonly { readonly kind: string; readonly counter: number | null }[]
  },
): CardReport => ({
  cardId: card.card_id,
  status: card.status,
  // Loads that stand at their counter, and those that were never authorised here.
  loadedMinor: of.sumMinor('load'),
  spentMinor: of.sumMinor('payment') - of.sumMinor('reversal'),
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
})

const addUp = (amounts: readonly CountAndAmount[]): CountAndAmount => ({
  count: amounts.reduce((sum, { count }) => sum + count, 0),
  amountMinor: amounts.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
})

const reportMerchants = (accounts: Facts['accounts'], terminals: readonly TerminalReport[]): Report['merchants'] => {
  const names = [...new Set(accounts.map(({ name }) => name).filter((name) => name !== null))]
  const balance = (merchant: string, kind: AccountKind) =>
    accounts.find((row) => row.name === merchant && row.kind === kind)?.balance_minor ?? 0
  return names.map((merchant) => {
    const owedMinor = balance(merchant, 'payable')
    const his = terminals.filter((terminal) => terminal.merchant === merchant)
    return {
      merchant,
      taken: addUp(his.map(({ taken }) => taken)),
      reversed: addUp(his.map(({ reversed }) => reversed)),
      inDoubt: his.reduce((sum, { inDoubt }) => sum + inDoubt, 0),
      exceptions: his.reduce((sum, { exceptions }) => sum + exceptions.length, 0),
      owedMinor,
      payableMinor: owedMinor,
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

/**
 * What the books say, all amounts in minor units.
 * @param options.day such as "2026-11-23", of the book's time zone, by the orders' times: limits terminals' figures to it
 * @throws IssuerError `input`
 */
export const report = async (issuer: Issuer, options: { readonly day?: string } = {}): Promise<Report> => {
  const span = spanOf(options.day, issuer.book.timeZone)
  const { facts, sums, funding, articles } = await issuer.store.read(async (db) => ({
    facts: await readFacts(db),
    sums: await readSums(db, span),
    funding: await fundingReport(db),
    articles: span === undefined ? undefined : await salesByArticle(db, span),
  }))
  const index = indexFacts(facts)
  const book = { facts, rows: byTerminal(facts, index, span), sums: sumsByTerminal(sums) }
  const terminals = facts.terminals.map((terminal) => reportTerminal(book, terminal))
  const contradictions = index.contradictions.map((row) => ({ ...row, kind: 'voidButSettled' }))
  const seamsOf = Map.groupBy(facts.seams, (row) => row.card_no)
  const alarmsOf = Map.groupBy([...facts.alarms, ...contradictions], (row) => row.card_no ?? 0)
  const sumOf = new Map(sums.byCard.map((row) => [`${row.card_no}/${row.order_type}`, Number(row.minor)]))
  const cards = facts.cards.map((card) =>
    reportCard(card, {
      sumMinor: (type) => sumOf.get(`${card.card_no}/${type}`) ?? 0,
      seams: seamsOf.get(card.card_no) ?? [],
      alarms: alarmsOf.get(card.card_no) ?? [],
    }),
  )
  const accounts = sumAccounts(facts.accounts)
  const total = (of: (terminal: TerminalReport) => number) => terminals.reduce((sum, terminal) => sum + of(terminal), 0)
  const earnedMinor = total((terminal) => terminal.earnedMinor)
  return {
    currency: issuer.book.currency,
    ...(options.day === undefined ? {} : { day: options.day }),
    terminals,
    ...(articles === undefined ? {} : { articles }),
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
      earnedMinor,
      payableMinor: earnedMinor,
      heldMinor: total(({ heldMinor }) => heldMinor),
      loadedMinor: cards.reduce((sum, card) => sum + card.loadedMinor, 0),
    },
    trialBalanceMinor: Object.values(accounts).reduce((sum, balance) => sum + balance, 0),
  }
}
