/** Payment runs: the payouts of closed periods go to the bank in a file, each of them in one run, once. */
import * as v from 'valibot'
import type { Actor } from '../actor.ts'
import { noteChange } from '../audit-log.ts'
import { businessDays, requireDay } from '../business-days.ts'
import { partySchema, type Statement, statementSchema } from '../console-contract/statement.ts'
import { IssuerError } from '../errors.ts'
import { isoTime } from '../iso-times.ts'
import type { Issuer } from '../issuer.ts'
import type { StoreReader, StoreWriter } from '../store.ts'
import { issuerParty } from './payees.ts'
import { checkPaymentFile, type Payment, writePaymentFile } from './payment-file.ts'

/** In one file: far below what banks take. */
const paymentsMax = 10_000

export const messageId = (runNo: number, executionDay: string): string =>
  `FARTHING-R${String(runNo).padStart(6, '0')}-${executionDay.replaceAll('-', '')}`

const unpaid = (db: StoreReader) =>
  db
    .selectFrom('period')
    .leftJoin('payout', 'payout.period_no', 'period.period_no')
    .where('payout_minor', '>', 0)
    .where('payout.period_no', 'is', null)

const requireDebtor = async (db: StoreReader) => {
  const debtor = await issuerParty(db)
  if (debtor?.iban === undefined)
    throw new IssuerError(
      'input',
      'It is not known yet from which account to pay: farthing issuer bank set --name NAME --iban IBAN.',
    )
  return debtor
}

const lastRun = async (db: StoreReader): Promise<number> => {
  const { last } = await db
    .selectFrom('payment_run')
    .select((eb) => eb.fn.max<number | null>('run_no').as('last'))
    .executeTakeFirstOrThrow()
  return last ?? 0
}

const makeRun = async (
  issuer: Issuer,
  db: StoreWriter,
  { executionDay, by }: { readonly executionDay: string; readonly by: Actor },
): Promise<number> => {
  const periods = await unpaid(db).select('period.period_no').orderBy('period.period_no').limit(paymentsMax).execute()
  const last = await lastRun(db)
  if (periods.length === 0) {
    if (last > 0) return last
    throw new IssuerError(
      'refused',
      'Nothing is to be paid yet: close a period first, of merchants whose IBAN is known.',
    )
  }
  const debtor = await requireDebtor(db)
  const runNo = last + 1
  const at = issuer.clock()
  await db
    .insertInto('payment_run')
    .values({
      run_no: runNo,
      execution_day: executionDay,
      debtor: JSON.stringify(debtor),
      made_at: at,
      made_by: by.name,
    })
    .execute()
  for (const { period_no } of periods) await db.insertInto('payout').values({ period_no, run_no: runNo }).execute()
  await noteChange(
    db,
    { name: by.name, at },
    { action: 'payments.run', subject: `run ${runNo}`, after: { executionDay, payments: periods.length } },
  )
  return runNo
}

const paymentOf = (statement: Statement): Payment => ({
  reference: statement.reference ?? '',
  amountMinor: statement.payoutMinor,
  creditor: statement.merchant,
  remittance:
    `${statement.issuer.name} ${statement.fromDay} to ${statement.untilDay}, statement ${statement.periodNo}`.trim(),
})

export interface RunFile {
  readonly runNo: number
  readonly messageId: string
  readonly executionDay: string
  readonly count: number
  readonly sumMinor: number
  readonly xml: string
}

/** The file of a run that was made: always the same bytes. @throws IssuerError `input`: there is none */
export const paymentRunFile = (issuer: Issuer, runNo: number): Promise<RunFile> =>
  issuer.store.read(async (db) => {
    const run = await db.selectFrom('payment_run').selectAll().where('run_no', '=', runNo).executeTakeFirst()
    if (run === undefined)
      throw new IssuerError('input', `There is no payment run ${runNo}: see "farthing issuer period payments --list".`)
    const rows = await db
      .selectFrom('payout')
      .innerJoin('period', 'period.period_no', 'payout.period_no')
      .select('statement')
      .where('run_no', '=', runNo)
      .orderBy('payout.period_no')
      .execute()
    const payments = rows.map(({ statement }) => paymentOf(v.parse(statementSchema, JSON.parse(statement))))
    const sumMinor = payments.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
    const id = messageId(runNo, run.execution_day)
    const { currency } = issuer.book
    const xml = writePaymentFile({
      messageId: id,
      currency,
      createdAt: run.made_at,
      executionDay: run.execution_day,
      debtor: v.parse(partySchema, JSON.parse(run.debtor)),
      payments,
    })
    const wrong = checkPaymentFile(xml, { currency, count: payments.length, sumMinor })
    if (wrong.length > 0) throw new Error(`payment run ${runNo}: ${wrong.join('; ')}`)
    return { runNo, messageId: id, executionDay: run.execution_day, count: payments.length, sumMinor, xml }
  })

/**
 * Gathers the payouts that are in no run yet into a new one. Are there none, it is the last run again, byte for byte.
 * @param options.executionDay when the bank is to pay; absent: today
 * @throws IssuerError `input`: nothing is to be paid, or the issuer's account is not known
 */
export const exportPayments = async (
  issuer: Issuer,
  options: { readonly executionDay?: string; readonly by: Actor },
): Promise<RunFile> => {
  const today = businessDays(issuer.book.timeZone)(issuer.clock())
  const executionDay = options.executionDay ?? today
  requireDay(executionDay)
  if (executionDay < today) throw new IssuerError('input', `A bank pays today or later, not on ${executionDay}.`)
  const runNo = await issuer.store.write((db) => makeRun(issuer, db, { executionDay, by: options.by }))
  return paymentRunFile(issuer, runNo)
}

const listedMax = 1000

export const listPaymentRuns = (issuer: Issuer) =>
  issuer.store.read(async (db) => {
    const rows = await db
      .selectFrom('payment_run')
      .innerJoin('payout', 'payout.run_no', 'payment_run.run_no')
      .innerJoin('period', 'period.period_no', 'payout.period_no')
      .select(['payment_run.run_no', 'execution_day', 'made_at', 'made_by'])
      .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.sum<number>('payout_minor').as('minor')])
      .groupBy(['payment_run.run_no', 'execution_day', 'made_at', 'made_by'])
      .orderBy('payment_run.run_no', 'desc')
      .limit(listedMax)
      .execute()
    return rows.map((row) => ({
      runNo: row.run_no,
      messageId: messageId(row.run_no, row.execution_day),
      executionDay: row.execution_day,
      madeAt: isoTime(row.made_at),
      madeBy: row.made_by,
      count: Number(row.count),
      sumMinor: Number(row.minor),
    }))
  })
