/** A merchant's account over a period, and what closing it would charge, set off and pay. Reads only. */
import { businessDays, lastClosedDay } from '../business-days.ts'
import { businessDay, dayAfter } from '../console-api/days.ts'
import type { Statement } from '../console-contract/statement.ts'
import { IssuerError } from '../errors.ts'
import type { Issuer } from '../issuer.ts'
import { findAccount } from '../postings.ts'
import type { StoreReader } from '../store.ts'
import { countPostings, type DayPosting } from './days.ts'
import { chargeFees, type DayTaken } from './fees.ts'
import { carriedExceptions, heldPayments } from './held.ts'
import { feeRates, issuerParty, type MerchantRow, partyOf } from './payees.ts'

/** Listed in a statement; the counts and sums are of all. */
const listedMax = 500

/** What the closing of a period books itself: never counted as a posting of the next one. */
export const closingCauses = ['fee', 'cashOffset', 'payout'] as const
export type ClosingCause = (typeof closingCauses)[number]

const isOfClosing = ({ cause }: DayPosting): boolean => closingCauses.some((each) => each === cause)

export interface PreviousPeriod {
  readonly periodNo: number
  readonly sequence: number
  readonly untilDay: string
  readonly closingMinor: number
  readonly cashClosingMinor: number
}

export const previousPeriod = async (
  db: Pick<StoreReader, 'selectFrom'>,
  merchantNo: number,
): Promise<PreviousPeriod | undefined> => {
  const row = await db
    .selectFrom('period')
    .select(['period_no', 'sequence', 'until_day', 'closing_minor', 'cash_closing_minor'])
    .where('merchant_no', '=', merchantNo)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined
    ? undefined
    : {
        periodNo: row.period_no,
        sequence: row.sequence,
        untilDay: row.until_day,
        closingMinor: row.closing_minor,
        cashClosingMinor: row.cash_closing_minor,
      }
}

/** Of two accounts, from what is closed and, for a preview, from the transfers of days that are open still. */
const readPostings = async (
  db: StoreReader,
  about: {
    readonly accountNos: readonly number[]
    readonly after: string | undefined
    readonly until: string
  },
): Promise<readonly DayPosting[]> => {
  const rows = await db
    .selectFrom('closed_day_posting')
    .selectAll()
    .where('account_no', 'in', about.accountNos)
    .where('day', '<=', about.until)
    .$if(about.after !== undefined, (query) => query.where('day', '>', about.after ?? ''))
    .execute()
  const closed = rows.map((row) => ({
    day: row.day,
    accountNo: row.account_no,
    cause: row.cause,
    inCount: row.in_count,
    inMinor: row.in_minor,
    outCount: row.out_count,
    outMinor: row.out_minor,
  }))
  const last = await lastClosedDay(db)
  if (last !== undefined && about.until <= last) return closed
  const after = about.after !== undefined && (last === undefined || about.after > last) ? about.after : last
  return [...closed, ...(await countPostings(db, { after, until: about.until }, about.accountNos))]
}

interface Sum {
  readonly count: number
  readonly amountMinor: number
}

/** What arrived less what was taken back, or the other way round. */
const sumOf = (postings: readonly DayPosting[], causes: readonly string[], direction: 'in' | 'out'): Sum => {
  const sign = direction === 'in' ? 1 : -1
  const all = postings.filter(({ cause }) => causes.some((each) => cause === each || cause === `${each}, undone`))
  return {
    count: all.reduce((sum, each) => sum + sign * (each.inCount - each.outCount), 0),
    amountMinor: all.reduce((sum, each) => sum + sign * (each.inMinor - each.outMinor), 0),
  }
}

const saleCauses = ['payment']
const reversalCauses = ['reversal', 'hole']
const loadCauses = ['load']

const othersOf = (postings: readonly DayPosting[]): Statement['others'] => {
  const named = [...saleCauses, ...reversalCauses].flatMap((cause) => [cause, `${cause}, undone`])
  const byCause = Map.groupBy(
    postings.filter(({ cause }) => !named.includes(cause)),
    ({ cause }) => cause,
  )
  return [...byCause]
    .map(([cause, some]) => ({
      cause,
      amountMinor: some.reduce((sum, { inMinor, outMinor }) => sum + inMinor - outMinor, 0),
    }))
    .toSorted((a, b) => a.cause.localeCompare(b.cause))
}

interface DayPostings {
  readonly payable: readonly DayPosting[]
  readonly cash: readonly DayPosting[]
}

const daysOf = ({ payable, cash }: DayPostings): Statement['days'] =>
  [...new Set([...payable, ...cash].map(({ day }) => day))]
    .toSorted()
    .map((day) => {
      const ofDay = (postings: readonly DayPosting[]) => postings.filter((posting) => posting.day === day)
      return {
        day,
        sales: sumOf(ofDay(payable), saleCauses, 'in'),
        reversals: sumOf(ofDay(payable), reversalCauses, 'out'),
        loads: sumOf(ofDay(cash), loadCauses, 'out'),
      }
    })
    .filter(({ sales, reversals, loads }) => [sales, reversals, loads].some((sum) => sum.count !== 0))

const cashPaidIn = (postings: readonly DayPosting[]): number => sumOf(postings, ['cashPaidIn'], 'in').amountMinor

const cashOf = (postings: readonly DayPosting[], openingMinor: number) => {
  const loads = sumOf(postings, loadCauses, 'out')
  const paidInMinor = cashPaidIn(postings)
  const allMinor = postings.reduce((sum, { inMinor, outMinor }) => sum + outMinor - inMinor, 0)
  const otherMinor = allMinor - loads.amountMinor + paidInMinor
  return { openingMinor, loads, paidInMinor, otherMinor, owedMinor: openingMinor + allMinor }
}

/** What is paid, in this order: fees, what is held, cash that he owes, and the rest to his bank. */
const decidePayment = (of: {
  readonly balanceMinor: number
  readonly feeMinor: number
  readonly heldMinor: number
  readonly cashOwedMinor: number
  /** Of it: came after the period, and before it was closed. */
  readonly paidInSinceMinor: number
  readonly hasBankAccount: boolean
}): Pick<Statement, 'payoutMinor' | 'notPaid' | 'closingMinor' | 'dueMinor'> & { readonly offsetMinor: number } => {
  const chargedMinor = of.balanceMinor - of.feeMinor
  // Cash that was paid in and is not owed any more, as after a load that never was, is his.
  const creditMinor = Math.max(0, -of.cashOwedMinor)
  const availableMinor = Math.max(0, chargedMinor + creditMinor - of.heldMinor)
  const openCashMinor = of.cashOwedMinor - of.paidInSinceMinor
  const offsetMinor = creditMinor > 0 ? -creditMinor : Math.min(availableMinor, openCashMinor)
  const restMinor = availableMinor - Math.max(0, offsetMinor)
  const payoutMinor = of.hasBankAccount ? restMinor : 0
  const closingMinor = chargedMinor - offsetMinor - payoutMinor
  const notPaid = restMinor > 0 ? 'noBankAccount' : closingMinor > 0 && offsetMinor === 0 ? 'allHeld' : 'nothingDue'
  return {
    offsetMinor,
    payoutMinor,
    ...(payoutMinor > 0 ? {} : { notPaid }),
    closingMinor,
    dueMinor: openCashMinor - offsetMinor + Math.max(0, 0 - closingMinor),
  }
}

export interface Draft {
  readonly statement: Statement
  readonly previous: PreviousPeriod | undefined
}

const firstDayOf = (issuer: Issuer, merchant: MerchantRow): string =>
  businessDays(issuer.book.timeZone)(merchant.created_at)

/**
 * The statement as closing the period now would make it.
 * @throws IssuerError `input`: until lies in a closed period, or before the merchant was added
 */
export const draftStatement = async (
  issuer: Issuer,
  db: StoreReader,
  { merchant, untilDay }: { readonly merchant: MerchantRow; readonly untilDay: string },
): Promise<Draft> => {
  const merchantNo = merchant.merchant_no
  const previous = await previousPeriod(db, merchantNo)
  const after = previous?.untilDay
  if (after !== undefined && untilDay <= after)
    throw new IssuerError(
      'refused',
      `${merchant.name} is closed until ${after} already, and a closed period never changes.`,
    )
  const firstDay = after === undefined ? firstDayOf(issuer, merchant) : dayAfter(after, 1)
  const payableAccount = await findAccount(db, { kind: 'payable', merchantNo })
  const cashAccount = await findAccount(db, { kind: 'merchantCash', merchantNo })
  const all = await readPostings(db, {
    accountNos: [payableAccount.accountNo, cashAccount.accountNo],
    after,
    until: untilDay,
  })
  const postings = all.filter((posting) => !isOfClosing(posting))
  const payable = postings.filter(({ accountNo }) => accountNo === payableAccount.accountNo)
  const cash = postings.filter(({ accountNo }) => accountNo === cashAccount.accountNo)
  const openingMinor = previous?.closingMinor ?? 0
  const movedMinor = payable.reduce((sum, { inMinor, outMinor }) => sum + inMinor - outMinor, 0)
  const days = daysOf({ payable, cash })
  const taken = days.map(
    ({ day, sales, reversals }): DayTaken => ({
      day,
      count: sales.count - reversals.count,
      amountMinor: sales.amountMinor - reversals.amountMinor,
    }),
  )
  const fees = chargeFees(await feeRates(db, merchantNo), taken)
  const feeMinor = fees.reduce((sum, line) => sum + line.feeMinor, 0)
  const held = await heldPayments(db, { merchantNo, untilDay })
  const heldMinor = held.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
  const { owedMinor, ...cashSums } = cashOf(cash, previous?.cashClosingMinor ?? 0)
  // What he has brought meanwhile is not taken from him a second time; the next statement books it.
  const since = { accountNos: [cashAccount.accountNo], after: untilDay, until: '9999-12-31' }
  const paidInSinceMinor = Math.min(Math.max(0, owedMinor), Math.max(0, cashPaidIn(await readPostings(db, since))))
  const party = partyOf(merchant)
  const { offsetMinor, ...paid } = decidePayment({
    balanceMinor: openingMinor + movedMinor,
    feeMinor,
    heldMinor,
    cashOwedMinor: owedMinor,
    paidInSinceMinor,
    hasBankAccount: party.iban !== undefined,
  })
  const exceptions = await carriedExceptions(db, {
    merchantNo,
    before: businessDay(untilDay, issuer.book.timeZone).ends,
    limit: listedMax,
  })
  const statement: Statement = {
    v: 1,
    currency: issuer.book.currency,
    timeZone: issuer.book.timeZone,
    merchant: party,
    issuer: (await issuerParty(db)) ?? { name: '' },
    // A store that was written by an earlier version may have bookings of the day before its first.
    fromDay: firstDay <= untilDay ? firstDay : untilDay,
    untilDay,
    openingMinor,
    sales: sumOf(payable, saleCauses, 'in'),
    reversals: sumOf(payable, reversalCauses, 'out'),
    others: othersOf(payable),
    fees,
    feeMinor,
    cash: {
      ...cashSums,
      offsetMinor,
      closingMinor: owedMinor - offsetMinor,
      ...(paidInSinceMinor === 0 ? {} : { paidInSinceMinor }),
    },
    held: { count: held.length, amountMinor: heldMinor, payments: held.slice(0, listedMax) },
    ...paid,
    exceptions: { ...exceptions, list: [...exceptions.list] },
    days,
  }
  return { statement, previous }
}
