/** Closing days and periods, statements, and files for the bank. */
import { sql } from 'kysely'
import * as v from 'valibot'
import { businessDays, lastClosedDay, openDay } from '../business-days.ts'
import { closeDay } from '../closing/days.ts'
import { issuerParty, setBank } from '../closing/payees.ts'
import { exportPayments, messageId, paymentRunFile } from '../closing/payment-runs.ts'
import { closeAllPeriods, closePeriod, previewPeriod, readStatement } from '../closing/periods.ts'
import { statementCsv } from '../closing/statement-csv.ts'
import { statementPdf } from '../closing/statement-pdf.ts'
import {
  closeAnswer,
  closeDayAnswer,
  closeDayInput,
  closeInput,
  madeRun,
  makeRunInput,
  type PeriodDetail,
  type PeriodRow,
  periodDetail,
  periodInput,
  periodsPage,
  periodsQuery,
  previewInput,
  runInput,
  runsPage,
  runsQuery,
  type Settlement,
  setBankInput,
  settlementSchema,
} from '../console-contract/settlement.ts'
import { partySchema, type Statement, statementSchema } from '../console-contract/statement.ts'
import { IssuerError } from '../errors.ts'
import { isoTime } from '../iso-times.ts'
import type { StoreReader } from '../store.ts'
import { dayAfter } from './days.ts'
import { merchantName } from './merchants.ts'
import { answerList } from './paging.ts'
import { type Download, route } from './route.ts'

const text = new TextEncoder()

const sums = async (db: StoreReader, yesterday: string) => {
  const { rows } = await sql<Record<'payable' | 'cash' | 'unpayable' | 'trial', number | string | null>>`
    SELECT sum(CASE WHEN kind = 'payable' THEN balance_minor ELSE 0 END) AS payable,
      sum(CASE WHEN kind = 'merchantCash' THEN -balance_minor ELSE 0 END) AS cash,
      sum(CASE WHEN kind = 'payable' AND merchant.iban IS NULL AND balance_minor > 0 THEN balance_minor ELSE 0 END) AS unpayable,
      sum(balance_minor) AS trial
    FROM account LEFT JOIN merchant ON merchant.merchant_no = account.merchant_no`.execute(db)
  const open = await sql<{ count: number | string }>`
    SELECT count(*) AS count FROM merchant WHERE NOT EXISTS (
      SELECT 1 FROM period WHERE period.merchant_no = merchant.merchant_no AND until_day >= ${yesterday})`.execute(db)
  const unpaid = await sql<{ count: number | string; minor: number | string | null }>`
    SELECT count(*) AS count, sum(payout_minor) AS minor FROM period
    WHERE payout_minor > 0 AND NOT EXISTS (SELECT 1 FROM payout WHERE payout.period_no = period.period_no)`.execute(db)
  const [row] = rows
  return {
    payableMinor: Number(row?.payable ?? 0),
    cashOwedMinor: Number(row?.cash ?? 0),
    unpayableMinor: Number(row?.unpayable ?? 0),
    trialBalanceMinor: Number(row?.trial ?? 0),
    openMerchants: Number(open.rows[0]?.count ?? 0),
    unpaid: { count: Number(unpaid.rows[0]?.count ?? 0), amountMinor: Number(unpaid.rows[0]?.minor ?? 0) },
  }
}

const standing = route({
  method: 'GET',
  path: '/settlement',
  permission: 'read',
  summary: 'Where settlement stands: what is closed, owed and unpaid.',
  input: v.object({}),
  output: settlementSchema,
  handle: ({ issuer }) =>
    issuer.store.read(async (db): Promise<Settlement> => {
      const today = businessDays(issuer.book.timeZone)(issuer.clock())
      const yesterday = dayAfter(today, -1)
      const lastClosed = await lastClosedDay(db)
      const bank = await issuerParty(db)
      return {
        today,
        yesterday,
        ...(lastClosed === undefined ? {} : { lastClosedDay: lastClosed }),
        openDay: await openDay(db, issuer.clock()),
        ...(await sums(db, yesterday)),
        ...(bank === undefined ? {} : { bank }),
      }
    }),
})

const preview = route({
  method: 'GET',
  path: '/settlement/preview',
  permission: 'read',
  summary: 'The statement as closing a period would make it; nothing is booked.',
  input: previewInput,
  output: statementSchema,
  handle: async ({ issuer, input }) => {
    const merchant = await issuer.store.read((db) => merchantName(db, input.merchantNo))
    return previewPeriod(issuer, { merchant, untilDay: input.untilDay })
  },
})

const close = route({
  method: 'POST',
  path: '/settlement/close',
  permission: 'finance',
  fresh: true,
  summary: 'Closes the period of one merchant or of all up to a day. It cannot be undone.',
  input: closeInput,
  output: closeAnswer,
  handle: async ({ issuer, input: { untilDay, merchantNo }, caller }) => {
    if (merchantNo === undefined) return { periods: [...(await closeAllPeriods(issuer, { untilDay, by: caller }))] }
    const merchant = await issuer.store.read((db) => merchantName(db, merchantNo))
    return { periods: [await closePeriod(issuer, { merchant, untilDay, by: caller })] }
  },
})

const closeOneDay = route({
  method: 'POST',
  path: '/settlement/days/close',
  permission: 'finance',
  fresh: true,
  summary: 'Closes all business days up to one that is over. It cannot be undone.',
  input: closeDayInput,
  output: closeDayAnswer,
  handle: async ({ issuer, input, caller }) => {
    const { day, closed } = await closeDay(issuer, { day: input.day, by: caller })
    return { day, closed: [...closed] }
  },
})

const periods = (db: StoreReader) =>
  db
    .selectFrom('period')
    .innerJoin('merchant', 'merchant.merchant_no', 'period.merchant_no')
    .leftJoin('payout', 'payout.period_no', 'period.period_no')
    .select(['period.period_no', 'period.merchant_no', 'merchant.name', 'from_day', 'until_day', 'payout_minor'])
    .select(['closing_minor', 'cash_closing_minor', 'payout.run_no', 'closed_at', 'closed_by'])
type Found = Awaited<ReturnType<ReturnType<typeof periods>['execute']>>[number]

const shownPeriod = (row: Found): PeriodRow => ({
  periodNo: row.period_no,
  merchantNo: row.merchant_no,
  merchant: row.name,
  fromDay: row.from_day,
  untilDay: row.until_day,
  payoutMinor: row.payout_minor,
  closingMinor: row.closing_minor,
  cashOwedMinor: row.cash_closing_minor,
  ...(row.run_no === null ? {} : { runNo: row.run_no }),
  closedAt: isoTime(row.closed_at),
  closedBy: row.closed_by,
})

const list = route({
  method: 'GET',
  path: '/periods',
  permission: 'read',
  summary: 'Periods that were closed.',
  input: periodsQuery,
  output: periodsPage,
  handle: ({ issuer, input }) =>
    answerList(issuer, input, {
      select: (db) =>
        periods(db)
          .$if(input.merchantNo !== undefined, (query) => query.where('period.merchant_no', '=', input.merchantNo ?? 0))
          .$if(input.q !== undefined, (query) =>
            query.where((eb) =>
              eb(eb.fn('lower', ['merchant.name']), 'like', `%${(input.q ?? '').trim().toLowerCase()}%`),
            ),
          )
          .$if(input.until !== undefined && input.until !== '', (query) =>
            query.where('until_day', '=', input.until ?? ''),
          )
          .$if(input.state === 'unpaid', (query) =>
            query.where('payout_minor', '>', 0).where('payout.run_no', 'is', null),
          )
          .$if(input.state === 'paid', (query) => query.where('payout.run_no', 'is not', null))
          .$if(input.state === 'nothingPaid', (query) => query.where('payout_minor', '=', 0)),
      sorts: { period: 'period.period_no', until: 'until_day', payout: 'payout_minor' },
      key: 'period.period_no',
      show: (rows) => rows.map(shownPeriod),
      csv: {
        fileName: 'periods',
        columns: {
          period: (row) => row.periodNo,
          merchant: (row) => row.merchant,
          from: (row) => row.fromDay,
          until: (row) => row.untilDay,
          paidOutMinor: (row) => row.payoutMinor,
          carriedOverMinor: (row) => row.closingMinor,
          cashOwedMinor: (row) => row.cashOwedMinor,
          paymentRun: (row) => row.runNo,
          closed: (row) => row.closedAt,
          by: (row) => row.closedBy,
        },
      },
    }),
})

const detail = route({
  method: 'GET',
  path: '/periods/:periodNo',
  permission: 'read',
  summary: 'One closed period with its statement.',
  input: periodInput,
  output: periodDetail,
  handle: async ({ issuer, input: { periodNo } }): Promise<PeriodDetail> => {
    const statement = await readStatement(issuer, periodNo)
    return issuer.store.read(async (db) => {
      const row = await periods(db).where('period.period_no', '=', periodNo).executeTakeFirst()
      if (row === undefined) throw new IssuerError('input', `There is no period ${periodNo}.`)
      const neighbours = await db
        .selectFrom('period')
        .select(['period_no', 'previous_no'])
        .where((eb) => eb.or([eb('period_no', '=', periodNo), eb('previous_no', '=', periodNo)]))
        .execute()
      const previousNo = neighbours.find(({ period_no }) => period_no === periodNo)?.previous_no ?? undefined
      const nextNo = neighbours.find(({ previous_no }) => previous_no === periodNo)?.period_no
      return {
        period: shownPeriod(row),
        statement,
        ...(previousNo === undefined ? {} : { previousNo }),
        ...(nextNo === undefined ? {} : { nextNo }),
      }
    })
  },
})

const fileName = ({ periodNo, merchant, untilDay }: Statement, ending: string): string => {
  const name = merchant.name.normalize('NFD').replaceAll(/[^A-Za-z0-9]+/g, '-')
  return `statement-${periodNo}-${name}-${untilDay}.${ending}`
}

const pdf = route({
  method: 'GET',
  path: '/periods/:periodNo/pdf',
  permission: 'read',
  summary: 'The statement of a period as PDF.',
  input: periodInput,
  handle: async ({ issuer, input }): Promise<Download> => {
    const statement = await readStatement(issuer, input.periodNo)
    return { mediaType: 'application/pdf', fileName: fileName(statement, 'pdf'), body: await statementPdf(statement) }
  },
})

const csv = route({
  method: 'GET',
  path: '/periods/:periodNo/csv',
  permission: 'read',
  summary: 'The statement of a period as CSV.',
  input: periodInput,
  handle: async ({ issuer, input }): Promise<Download> => {
    const statement = await readStatement(issuer, input.periodNo)
    const body = text.encode(`\uFEFF${statementCsv(statement)}`)
    return { mediaType: 'text/csv; charset=utf-8', fileName: fileName(statement, 'csv'), body }
  },
})

const runs = route({
  method: 'GET',
  path: '/payment-runs',
  permission: 'read',
  summary: 'Payment files that were made.',
  input: runsQuery,
  output: runsPage,
  handle: ({ issuer, input }) =>
    answerList(issuer, input, {
      select: (db) =>
        db
          .selectFrom('payment_run')
          .select(['payment_run.run_no', 'execution_day', 'made_at', 'made_by'])
          .select((eb) => [
            eb
              .selectFrom('payout')
              .whereRef('payout.run_no', '=', 'payment_run.run_no')
              .select((of) => of.fn.countAll<number | string>().as('count'))
              .as('count'),
            eb
              .selectFrom('payout')
              .innerJoin('period', 'period.period_no', 'payout.period_no')
              .whereRef('payout.run_no', '=', 'payment_run.run_no')
              .select((of) => of.fn.sum<number | string>('payout_minor').as('minor'))
              .as('minor'),
          ]),
      sorts: { run: 'payment_run.run_no' },
      key: 'payment_run.run_no',
      show: (rows) =>
        rows.map((row) => ({
          runNo: row.run_no,
          messageId: messageId(row.run_no, row.execution_day),
          executionDay: row.execution_day,
          count: Number(row.count ?? 0),
          sumMinor: Number(row.minor ?? 0),
          madeAt: isoTime(row.made_at),
          madeBy: row.made_by,
        })),
      csv: {
        fileName: 'payment-runs',
        columns: {
          run: (row) => row.runNo,
          message: (row) => row.messageId,
          execution: (row) => row.executionDay,
          payments: (row) => row.count,
          sumMinor: (row) => row.sumMinor,
          made: (row) => row.madeAt,
          by: (row) => row.madeBy,
        },
      },
    }),
})

const makeRun = route({
  method: 'POST',
  path: '/payment-runs',
  permission: 'finance',
  fresh: true,
  summary:
    'Gathers the payouts that are in no payment file yet into a new one; are there none, it is the last one again.',
  input: makeRunInput,
  output: madeRun,
  handle: async ({ issuer, input: { executionDay }, caller }) => {
    const {
      xml: _,
      executionDay: __,
      ...made
    } = await exportPayments(issuer, {
      by: caller,
      ...(executionDay === undefined ? {} : { executionDay }),
    })
    return made
  },
})

const runFile = route({
  method: 'GET',
  path: '/payment-runs/:runNo/file',
  permission: 'finance',
  summary: 'A payment file for the bank, ISO 20022 pain.001.001.09: always the same bytes.',
  input: runInput,
  handle: async ({ issuer, input }): Promise<Download> => {
    const { xml, messageId: id } = await paymentRunFile(issuer, input.runNo)
    return { mediaType: 'application/xml; charset=utf-8', fileName: `${id}.xml`, body: text.encode(xml) }
  },
})

const bank = route({
  method: 'POST',
  path: '/settlement/bank',
  permission: 'finance',
  fresh: true,
  summary: 'Says from which account merchants are paid.',
  input: setBankInput,
  output: partySchema,
  handle: ({ issuer, input, caller }) => {
    const details = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== ''))
    return setBank(issuer, { details, by: caller })
  },
})

export const settlementRoutes = [
  ...[standing, preview, close, closeOneDay, list, detail, pdf, csv],
  ...[runs, makeRun, runFile, bank],
]
