/** The morning's page, in parts that are read beside each other (docs/OPERATIONS.md, Reconcile). */
import { sql } from 'kysely'
import * as v from 'valibot'
import { bookAccounts, merchantAccounts } from '../books-tables.ts'
import {
  articlesOverview,
  attentionOverview,
  booksOverview,
  salesOverview,
  unreportedOverview,
} from '../console-contract/overview.ts'
import type { CountAndAmount, Exposure } from '../console-contract/terminals.ts'
import { advice, causes } from '../explain/case.ts'
import { isoTime } from '../iso-times.ts'
import type { StoreReader } from '../store.ts'
import { type BusinessDay, businessDay, businessDayAt, dayAfter } from './days.ts'
import { exposuresOf, sumExposures, unsyncedLimits } from './exposure.ts'
import { missingBatchesOf } from './missing-batches.ts'
import { route } from './route.ts'
import { addSales, noSales, salesByArticle, salesBySteps, salesByTerminal, sumSales } from './sales.ts'
import { reportsOf, silentSeconds } from './terminals.ts'

const nothing = v.object({})
const hourSeconds = 3600
const kiosksShown = 10
const unreportedShown = 10
/** A kiosk that was heard of so lately is in no list of those that were not. */
const heardLatelySeconds = 2 * hourSeconds
const attentionDays = 7

const hoursOf = async (
  db: StoreReader,
  { begins, ends }: BusinessDay,
): Promise<ReadonlyMap<number, CountAndAmount>> => {
  const steps = await salesBySteps(db, { from: begins, until: ends }, { stepSeconds: hourSeconds })
  return new Map(steps.map(({ step, count, amountMinor }) => [step, { count, amountMinor }]))
}

const salesOfDays = async (db: StoreReader, options: { readonly now: number; readonly timeZone: string }) => {
  const { now, timeZone } = options
  const today = businessDayAt(now, timeZone)
  const yesterday = businessDay(dayAfter(today.day, -1), timeZone)
  const dayBefore = businessDay(dayAfter(today.day, -2), timeZone)
  const whole = ({ begins, ends }: BusinessDay) => ({ from: begins, until: ends })
  const [todays, yesterdays] = [await hoursOf(db, today), await hoursOf(db, yesterday)]
  const untilNow = yesterday.begins + (now - today.begins)
  const hours = Array.from({ length: Math.ceil((today.ends - today.begins) / hourSeconds) }, (_, hour) => ({
    hour: isoTime(today.begins + hour * hourSeconds),
    yesterday: yesterdays.get(hour) ?? noSales,
    ...(today.begins + hour * hourSeconds > now ? {} : { today: todays.get(hour) ?? noSales }),
  }))
  const [kiosksToday, kiosksYesterday] = [
    await salesByTerminal(db, whole(today)),
    await salesByTerminal(db, whole(yesterday)),
  ]
  const selling = [...new Set([...kiosksToday.keys(), ...kiosksYesterday.keys()])]
    .map((terminalNo) => ({
      terminalNo,
      today: kiosksToday.get(terminalNo) ?? noSales,
      yesterday: kiosksYesterday.get(terminalNo) ?? noSales,
    }))
    .sort((a, b) => addSales(b.today, b.yesterday).amountMinor - addSales(a.today, a.yesterday).amountMinor)
  const shown = selling.slice(0, kiosksShown)
  const names = await namesOf(
    db,
    shown.map(({ terminalNo }) => terminalNo),
  )
  return {
    today: today.day,
    yesterday: yesterday.day,
    sales: {
      today: [...todays.values()].reduce(addSales, noSales),
      yesterdayUntilNow: await sumSales(db, { from: yesterday.begins, until: Math.min(untilNow, yesterday.ends) }),
      yesterday: [...yesterdays.values()].reduce(addSales, noSales),
      dayBefore: await sumSales(db, whole(dayBefore)),
    },
    hours,
    kiosks: shown.map(({ terminalNo, ...sums }) => ({ ...nameIn(names, terminalNo), ...sums })),
    kiosksSelling: selling.length,
  }
}

interface TerminalName {
  readonly terminalId: string
  readonly merchant: string
}

const namesOf = async (db: StoreReader, terminalNos: readonly number[]): Promise<ReadonlyMap<number, TerminalName>> => {
  if (terminalNos.length === 0) return new Map()
  const rows = await db
    .selectFrom('terminal')
    .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
    .select(['terminal_no', 'terminal_id', 'merchant.name'])
    .where('terminal_no', 'in', terminalNos)
    .execute()
  return new Map(rows.map((row) => [row.terminal_no, { terminalId: row.terminal_id, merchant: row.name }]))
}

const nameIn = (names: ReadonlyMap<number, TerminalName>, terminalNo: number): TerminalName =>
  names.get(terminalNo) ?? { terminalId: '', merchant: '' }

const sales = route({
  method: 'GET',
  path: '/overview/sales',
  permission: 'read',
  summary: 'Sales of today and yesterday, by hour and by kiosk.',
  input: nothing,
  output: salesOverview,
  handle: ({ issuer }) =>
    issuer.store.read((db) => salesOfDays(db, { now: issuer.clock(), timeZone: issuer.book.timeZone })),
})

const articles = route({
  method: 'GET',
  path: '/overview/articles',
  permission: 'read',
  summary: 'Sales of today and yesterday, by article.',
  input: nothing,
  output: articlesOverview,
  handle: ({ issuer }) =>
    issuer.store.read(async (db) => {
      const { timeZone } = issuer.book
      const today = businessDayAt(issuer.clock(), timeZone)
      const yesterday = businessDay(dayAfter(today.day, -1), timeZone)
      const soldOn = async ({ begins, ends }: BusinessDay) =>
        new Map((await salesByArticle(db, { from: begins, until: ends })).map((row) => [row.itemId, row]))
      const [todays, yesterdays] = [await soldOn(today), await soldOn(yesterday)]
      const sumIn = (sums: typeof todays, itemId: string): CountAndAmount => {
        const { count, amountMinor } = sums.get(itemId) ?? noSales
        return { count, amountMinor }
      }
      return {
        articles: [...new Map([...yesterdays, ...todays]).values()]
          .map(({ itemId, title }) => ({
            itemId,
            title,
            today: sumIn(todays, itemId),
            yesterday: sumIn(yesterdays, itemId),
          }))
          .sort((a, b) => addSales(b.today, b.yesterday).amountMinor - addSales(a.today, a.yesterday).amountMinor),
      }
    }),
})

const unreported = route({
  method: 'GET',
  path: '/overview/unreported',
  permission: 'read',
  summary: 'Kiosks that should have sold something since they last reported, and how much they may hold.',
  input: nothing,
  output: unreportedOverview,
  handle: ({ issuer }) =>
    issuer.store.read(async (db) => {
      const now = issuer.clock()
      const limits = await unsyncedLimits(issuer, db)
      const enrolled = (await reportsOf(db)).filter(({ epoch }) => epoch > 0)
      const quiet = enrolled.filter(({ reportedAt }) => reportedAt < now - heardLatelySeconds)
      const exposures = await exposuresOf(db, quiet, { now, limits })
      const expectedMinor = ({ exposure }: { readonly exposure: Exposure | undefined }) =>
        exposure?.expected.amountMinor ?? 0
      const silent = ({ reportedAt }: { readonly reportedAt: number }) => reportedAt < now - silentSeconds
      const kiosks = quiet
        .map((reporter) => ({ ...reporter, exposure: exposures.get(reporter.terminalNo) }))
        .filter((kiosk) => (kiosk.exposure?.expected.count ?? 0) > 0 || silent(kiosk))
        .sort((a, b) => expectedMinor(b) - expectedMinor(a) || a.reportedAt - b.reportedAt)
      const all = sumExposures(kiosks.map(({ exposure }) => exposure))
      return {
        kiosks: kiosks.slice(0, unreportedShown).map((kiosk) => ({
          terminalId: kiosk.terminalId,
          merchant: kiosk.merchant,
          ...(kiosk.reportedAt === 0 ? {} : { reportedAt: isoTime(kiosk.reportedAt) }),
          silent: silent(kiosk),
          ...(kiosk.exposure === undefined ? {} : { exposure: kiosk.exposure }),
        })),
        count: kiosks.length,
        silentCount: kiosks.filter(silent).length,
        silentSince: businessDayAt(now - silentSeconds, issuer.book.timeZone).day,
        silentMinor: kiosks.filter(silent).reduce((sum, kiosk) => sum + expectedMinor(kiosk), 0),
        enrolledCount: enrolled.length,
        expectedMinor: all.atLeastMinor,
        unknownCount: all.unknownCount,
        ...(limits === undefined
          ? {}
          : {
              limits: {
                unsyncedMinorMax: limits.unsyncedMinorMax,
                unsyncedSecondsMax: limits.unsyncedSecondsMax,
              },
            }),
      }
    }),
})

const kinds = ['float', ...merchantAccounts, ...bookAccounts.filter((kind) => kind !== 'float')]

const books = route({
  method: 'GET',
  path: '/overview/books',
  permission: 'read',
  summary: 'The trial balance by kind of account.',
  input: nothing,
  output: booksOverview,
  handle: ({ issuer }) =>
    issuer.store.read(async (db) => {
      const rows = await db
        .selectFrom('account')
        .select((eb) => [
          'kind',
          eb.fn.sum<number | string>('balance_minor').as('balance'),
          eb.fn.countAll<number | string>().as('accounts'),
        ])
        .groupBy('kind')
        .execute()
      const { cards } = await db
        .selectFrom('card')
        .select((eb) => eb.fn.countAll<number | string>().as('cards'))
        .executeTakeFirstOrThrow()
      const accounts = rows
        .map((row) => ({ kind: row.kind, balanceMinor: Number(row.balance), accounts: Number(row.accounts) }))
        .sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind))
      return {
        trialBalanceMinor: accounts.reduce((sum, { balanceMinor }) => sum + balanceMinor, 0),
        accounts,
        cards: Number(cards),
      }
    }),
})

/** What a case is about has a title and what to do; one of a cause that this program does not know has its name. */
const wordsOf = (name: string) => {
  const cause = causes.find((each) => each === name)
  return { place: cause === undefined ? causes.length : causes.indexOf(cause), ...(cause && advice[cause]) }
}

const openCases = async (db: StoreReader, now: number) => {
  const overdue = sql<number | string>`sum(CASE WHEN due_at < ${sql.lit(now)} THEN 1 ELSE 0 END)`
  const proposed = sql<number | string>`sum(CASE WHEN state = 'proposed' THEN 1 ELSE 0 END)`
  const rows = await db
    .selectFrom('case_file')
    .select((eb) => [
      'cause',
      eb.fn.countAll<number | string>().as('count'),
      eb.fn.sum<number | string>('amount_minor').as('amount'),
      eb.fn.sum<number | string>('at_risk_minor').as('at_risk'),
      overdue.as('overdue'),
      proposed.as('proposed'),
    ])
    .where('state', 'in', ['open', 'waiting', 'proposed'])
    .groupBy('cause')
    .execute()
  const sumOf = (of: (row: (typeof rows)[number]) => number | string) =>
    rows.reduce((sum, row) => sum + Number(of(row)), 0)
  return {
    count: sumOf((row) => row.count),
    atRiskMinor: sumOf((row) => row.at_risk),
    overdue: sumOf((row) => row.overdue),
    proposed: sumOf((row) => row.proposed),
    causes: rows
      .map((row) => ({ row, words: wordsOf(row.cause) }))
      .sort((a, b) => a.words.place - b.words.place)
      .map(({ row, words }) => ({
        cause: row.cause,
        title: words.title ?? row.cause,
        todo: words.todo ?? '',
        count: Number(row.count),
        overdue: Number(row.overdue),
        amountMinor: Number(row.amount),
        atRiskMinor: Number(row.at_risk),
      })),
  }
}

const attention = route({
  method: 'GET',
  path: '/overview/attention',
  permission: 'read',
  summary: 'What went wrong in the last 7 days, and what is missing.',
  input: nothing,
  output: attentionOverview,
  handle: ({ issuer }) =>
    issuer.store.read(async (db) => {
      const since = issuer.clock() - attentionDays * 24 * hourSeconds
      const exceptions = await db
        .selectFrom('entry_exception')
        .select((eb) => [
          'reason',
          eb.fn.countAll<number | string>().as('count'),
          eb.fn.sum<number | string | null>('amount_minor').as('amount'),
        ])
        .where('noted_at', '>=', since)
        .groupBy('reason')
        .execute()
      const alarms = await db
        .selectFrom('alarm')
        .select((eb) => ['kind', eb.fn.countAll<number | string>().as('count')])
        .where('raised_at', '>=', since)
        .groupBy('kind')
        .execute()
      const { count } = await db
        .selectFrom('terminal')
        .select((eb) => eb.fn.countAll<number | string>().as('count'))
        .where('epoch', '=', 0)
        .where('retired_at', 'is', null)
        .executeTakeFirstOrThrow()
      return {
        cases: await openCases(db, issuer.clock()),
        exceptions: exceptions
          .map((row) => ({ reason: row.reason, count: Number(row.count), amountMinor: Number(row.amount ?? 0) }))
          .sort((a, b) => b.amountMinor - a.amountMinor || b.count - a.count),
        alarms: alarms.map((row) => ({ kind: row.kind, count: Number(row.count) })).sort((a, b) => b.count - a.count),
        missingBatches: await missingBatchesOf(db),
        notEnrolled: Number(count),
      }
    }),
})

export const overviewRoutes = [sales, articles, unreported, books, attention]
