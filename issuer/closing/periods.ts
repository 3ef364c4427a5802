/** Closing merchants' periods: fees are charged, cash for loads is set off, the rest is paid; written once, each after the other. */
import * as v from 'valibot'
import type { Actor } from '../actor.ts'
import { noteChange } from '../audit-log.ts'
import { businessDays } from '../business-days.ts'
import { type Statement, statementSchema } from '../console-contract/statement.ts'
import { IssuerError } from '../errors.ts'
import { isoTime } from '../iso-times.ts'
import type { Issuer } from '../issuer.ts'
import { book, type Posting } from '../postings.ts'
import type { StoreReader, StoreWriter } from '../store.ts'
import { closeDays, requireOver } from './days.ts'
import { findMerchant, type MerchantRow } from './payees.ts'
import { type ClosingCause, draftStatement } from './statement.ts'

/** EndToEndId of the payment: by it the merchant finds the statement, and a payment that was made twice is found. */
export const paymentReference = (periodNo: number, untilDay: string): string =>
  `FARTHING-P${String(periodNo).padStart(6, '0')}-${untilDay.replaceAll('-', '')}`

export interface ClosedPeriod {
  readonly periodNo: number
  readonly merchant: string
  readonly fromDay: string
  readonly untilDay: string
  readonly feeMinor: number
  readonly payoutMinor: number
  readonly dueMinor: number
  readonly closingMinor: number
  readonly heldMinor: number
  /** Closed by this very call; false: it was closed so before. */
  readonly closedNow: boolean
}

const told = (statement: Statement, periodNo: number, closedNow: boolean): ClosedPeriod => ({
  periodNo,
  merchant: statement.merchant.name,
  fromDay: statement.fromDay,
  untilDay: statement.untilDay,
  feeMinor: statement.feeMinor,
  payoutMinor: statement.payoutMinor,
  dueMinor: statement.dueMinor,
  closingMinor: statement.closingMinor,
  heldMinor: statement.held.amountMinor,
  closedNow,
})

const postingsOf = (statement: Statement, about: { merchantNo: number; periodNo: number }): readonly Posting[] => {
  const { merchantNo, periodNo } = about
  const payable = { kind: 'payable', merchantNo } as const
  const fees = { kind: 'fees' } as const
  const merchantCash = { kind: 'merchantCash', merchantNo } as const
  const { feeMinor, payoutMinor, cash } = statement
  const { offsetMinor } = cash
  const post = (cause: ClosingCause, way: Pick<Posting, 'from' | 'to' | 'amountMinor'>): Posting => ({
    ...way,
    cause,
    document: `period ${periodNo}`,
    periodNo,
  })
  return [
    feeMinor < 0
      ? post('fee', { from: fees, to: payable, amountMinor: -feeMinor })
      : post('fee', { from: payable, to: fees, amountMinor: feeMinor }),
    offsetMinor < 0
      ? post('cashOffset', { from: merchantCash, to: payable, amountMinor: -offsetMinor })
      : post('cashOffset', { from: payable, to: merchantCash, amountMinor: offsetMinor }),
    post('payout', { from: payable, to: { kind: 'bank' }, amountMinor: payoutMinor }),
  ].filter(({ amountMinor }) => amountMinor > 0)
}

const nextPeriodNo = async (db: StoreReader): Promise<number> => {
  const { last } = await db
    .selectFrom('period')
    .select((eb) => eb.fn.max<number | null>('period_no').as('last'))
    .executeTakeFirstOrThrow()
  return (last ?? 0) + 1
}

interface Closing {
  readonly merchant: MerchantRow
  readonly untilDay: string
  readonly by: Actor
}

const closeNext = async (
  issuer: Issuer,
  db: StoreWriter,
  { merchant, untilDay, by }: Closing,
): Promise<ClosedPeriod> => {
  const merchantNo = merchant.merchant_no
  const { statement: draft, previous } = await draftStatement(issuer, db, { merchant, untilDay })
  const periodNo = await nextPeriodNo(db)
  const at = issuer.clock()
  const statement: Statement = {
    ...draft,
    periodNo,
    reference: paymentReference(periodNo, untilDay),
    closedAt: isoTime(at),
  }
  for (const posting of postingsOf(statement, { merchantNo, periodNo })) await book(db, posting, at)
  // Last: from here on nothing is added to the period.
  await db
    .insertInto('period')
    .values({
      period_no: periodNo,
      merchant_no: merchantNo,
      sequence: (previous?.sequence ?? 0) + 1,
      previous_no: previous?.periodNo ?? null,
      from_day: statement.fromDay,
      until_day: untilDay,
      closing_minor: statement.closingMinor,
      cash_closing_minor: statement.cash.closingMinor,
      payout_minor: statement.payoutMinor,
      statement: JSON.stringify(statement),
      closed_at: at,
      closed_by: by.name,
    })
    .execute()
  const closed = told(statement, periodNo, true)
  await noteChange(db, { name: by.name, at }, { action: 'period.close', subject: merchant.name, after: closed })
  return closed
}

const parseStatement = (json: string): Statement => v.parse(statementSchema, JSON.parse(json))

const closeOne = (issuer: Issuer, closing: Omit<Closing, 'merchant'> & { merchant: string }): Promise<ClosedPeriod> =>
  issuer.store.write(async (db) => {
    const merchant = await findMerchant(db, closing.merchant)
    const known = await db
      .selectFrom('period')
      .select(['period_no', 'statement'])
      .where('merchant_no', '=', merchant.merchant_no)
      .where('until_day', '=', closing.untilDay)
      .executeTakeFirst()
    if (known !== undefined) return told(parseStatement(known.statement), known.period_no, false)
    await closeDays(issuer, db, { day: closing.untilDay, by: closing.by })
    return closeNext(issuer, db, { ...closing, merchant })
  })

/**
 * Closes a merchant's period up to a day, and with it all days until then. The same again changes nothing.
 * @throws IssuerError `input`: the day is not over, or lies in a longer period that is closed; `unknownMerchant`
 */
export const closePeriod = async (
  issuer: Issuer,
  closing: { readonly merchant: string; readonly untilDay: string; readonly by: Actor },
): Promise<ClosedPeriod> => {
  requireOver(issuer, closing.untilDay)
  return closeOne(issuer, closing)
}

/** Who has a period to close until the day: all that were there and are not closed beyond it. */
const merchantsToClose = (
  issuer: Issuer,
  untilDay: string,
): Promise<{ readonly name: string; readonly until: string | null }[]> =>
  issuer.store.read(async (db) => {
    const dayOf = businessDays(issuer.book.timeZone)
    const rows = await db
      .selectFrom('merchant')
      .select(['name', 'created_at'])
      .select((eb) =>
        eb
          .selectFrom('period')
          .whereRef('period.merchant_no', '=', 'merchant.merchant_no')
          .select((of) => of.fn.max('until_day').as('until'))
          .as('until'),
      )
      .orderBy('merchant_no')
      .execute()
    return rows.filter(
      ({ created_at, until }) => dayOf(created_at) <= untilDay && (until === null || until <= untilDay),
    )
  })

/** As `closePeriod`, for every merchant; each in a transaction of its own, so that all can be done again after a failure. */
export const closeAllPeriods = async (
  issuer: Issuer,
  closing: { readonly untilDay: string; readonly by: Actor },
): Promise<readonly ClosedPeriod[]> => {
  requireOver(issuer, closing.untilDay)
  const closed: ClosedPeriod[] = []
  for (const { name } of await merchantsToClose(issuer, closing.untilDay))
    closed.push(await closeOne(issuer, { ...closing, merchant: name }))
  return closed
}

/** What closing would do; nothing is booked. @throws IssuerError */
export const previewPeriod = (
  issuer: Issuer,
  about: { readonly merchant: string; readonly untilDay: string },
): Promise<Statement> => {
  requireOver(issuer, about.untilDay)
  return issuer.store.read(async (db) => {
    const merchant = await findMerchant(db, about.merchant)
    return (await draftStatement(issuer, db, { merchant, untilDay: about.untilDay })).statement
  })
}

/** What closing would do, for every merchant who is not closed until that day. @throws IssuerError */
export const previewAllPeriods = async (issuer: Issuer, untilDay: string): Promise<readonly Statement[]> => {
  requireOver(issuer, untilDay)
  const statements: Statement[] = []
  for (const { name, until } of await merchantsToClose(issuer, untilDay))
    if (until !== untilDay) statements.push(await previewPeriod(issuer, { merchant: name, untilDay }))
  return statements
}

/** @throws IssuerError `input`: there is none of that number */
export const readStatement = (issuer: Issuer, periodNo: number): Promise<Statement> =>
  issuer.store.read(async (db) => {
    const row = await db.selectFrom('period').select('statement').where('period_no', '=', periodNo).executeTakeFirst()
    if (row === undefined)
      throw new IssuerError('input', `There is no period ${periodNo}: see "farthing issuer period list".`)
    return parseStatement(row.statement)
  })

const listedMax = 1000

export const listPeriods = (issuer: Issuer, of: { readonly merchant?: string } = {}) =>
  issuer.store.read(async (db) => {
    const rows = await db
      .selectFrom('period')
      .innerJoin('merchant', 'merchant.merchant_no', 'period.merchant_no')
      .leftJoin('payout', 'payout.period_no', 'period.period_no')
      .select(['period.period_no', 'name', 'from_day', 'until_day', 'closing_minor', 'payout_minor', 'run_no'])
      .$if(of.merchant !== undefined, (query) => query.where('name', '=', of.merchant ?? ''))
      .orderBy('period.period_no', 'desc')
      .limit(listedMax)
      .execute()
    return rows.map((row) => ({
      periodNo: row.period_no,
      merchant: row.name,
      fromDay: row.from_day,
      untilDay: row.until_day,
      closingMinor: row.closing_minor,
      payoutMinor: row.payout_minor,
      ...(row.run_no === null ? {} : { runNo: row.run_no }),
    }))
  })
