/** Terminals in the console: who reported when, what each sold, and what it may hold. */
import { sql } from 'kysely'
import * as v from 'valibot'
import { terminalId } from '../../protocol/quantities.ts'
import { itemFromStore } from '../catalogue.ts'
import { unitState } from '../catalogue-tables.ts'
import {
  addedTerminal,
  addTerminalInput,
  namedTerminal,
  nameTerminalInput,
  type TerminalRow,
  terminalDetail,
  terminalInput,
  terminalNames,
  terminalsPage,
  terminalsQuery,
} from '../console-contract/terminals.ts'
import { lastBatchAt, reportedAt } from '../contact.ts'
import { IssuerError } from '../errors.ts'
import { isoTime } from '../iso-times.ts'
import type { Issuer } from '../issuer.ts'
import { addTerminal, nameTerminal } from '../parties.ts'
import type { StoreReader } from '../store.ts'
import { settledUnits } from '../withheld-units.ts'
import { businessDayAt, dayAfter, dayBegins } from './days.ts'
import { exposuresOf, type Reporter, unsyncedLimits } from './exposure.ts'
import { missingBatchesOf } from './missing-batches.ts'
import { answerList } from './paging.ts'
import { route } from './route.ts'
import { isSale, noSales, salesBySteps, salesByTerminal } from './sales.ts'

/** A kiosk syncs every few minutes when it sells: one that has said nothing for so long is to be looked after. */
export const silentSeconds = 24 * 3600
/** A day begins at a multiple of it in every zone. */
const stepSeconds = 900
const daysShown = 30
const alarmsShown = 50

/** Each terminal that is not retired, with its last report: the arrival of its newest batch or its contact, UNIX seconds, 0 where none ever came. */
export const reportsOf = async (
  db: StoreReader,
): Promise<
  readonly (Reporter & { readonly terminalId: string; readonly merchant: string; readonly epoch: number })[]
> => {
  const rows = await db
    .selectFrom('terminal')
    .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
    .select([
      'terminal_no',
      'terminal_id',
      'merchant.name',
      'epoch',
      'terminal.created_at',
      reportedAt.as('reported_at'),
    ])
    .where('retired_at', 'is', null)
    .execute()
  return rows.map((row) => ({
    terminalNo: row.terminal_no,
    terminalId: row.terminal_id,
    merchant: row.name,
    epoch: row.epoch,
    createdAt: row.created_at,
    reportedAt: Number(row.reported_at),
  }))
}

const terminalRows = (db: StoreReader) =>
  db
    .selectFrom('terminal')
    .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
    .select(['terminal.terminal_no', 'terminal_id', 'merchant.merchant_no', 'merchant.name', 'epoch'])
    .select(['terminal.key_version', 'terminal.created_at', 'retired_at', 'terminal.name as terminal_name'])
    .select([reportedAt.as('reported_at'), lastBatchAt.as('last_batch_at')])
    .select((eb) =>
      eb
        .selectFrom('entry_exception')
        .whereRef('entry_exception.terminal_no', '=', 'terminal.terminal_no')
        .select((of) => of.fn.countAll<number | string>().as('count'))
        .as('exceptions'),
    )
type StoredTerminal = Awaited<ReturnType<ReturnType<typeof terminalRows>['executeTakeFirstOrThrow']>>

/** Today and the six days before. */
const weekOf = (issuer: Issuer) => {
  const { timeZone } = issuer.book
  const today = businessDayAt(issuer.clock(), timeZone)
  return { today, weekBegins: dayBegins(dayAfter(today.day, -6), timeZone) }
}

const showTerminals = async (
  issuer: Issuer,
  db: StoreReader,
  rows: readonly StoredTerminal[],
): Promise<TerminalRow[]> => {
  const terminalNos = rows.map((row) => row.terminal_no)
  const { today, weekBegins } = weekOf(issuer)
  const todays = await salesByTerminal(db, { from: today.begins, until: today.ends }, terminalNos)
  const weeks = await salesByTerminal(db, { from: weekBegins, until: today.ends }, terminalNos)
  return rows.map((row) => ({
    terminalId: row.terminal_id,
    ...(row.terminal_name === null ? {} : { name: row.terminal_name }),
    merchant: row.name,
    merchantNo: row.merchant_no,
    epoch: row.epoch,
    ...(Number(row.reported_at) === 0 ? {} : { reportedAt: isoTime(Number(row.reported_at)) }),
    ...(Number(row.last_batch_at) === 0 ? {} : { lastBatchAt: isoTime(Number(row.last_batch_at)) }),
    retired: row.retired_at !== null,
    silent: row.retired_at === null && row.epoch > 0 && Number(row.reported_at) < issuer.clock() - silentSeconds,
    salesToday: todays.get(row.terminal_no) ?? noSales,
    salesWeek: weeks.get(row.terminal_no) ?? noSales,
    exceptions: Number(row.exceptions ?? 0),
  }))
}

const list = route({
  method: 'GET',
  path: '/terminals',
  permission: 'read',
  summary: 'Terminals with when they last reported and what they sold.',
  input: terminalsQuery,
  output: terminalsPage,
  handle: ({ issuer, input }) => {
    const silentBefore = issuer.clock() - silentSeconds
    const { weekBegins } = weekOf(issuer)
    const words = `%${(input.q ?? '').trim().toLowerCase()}%`
    return answerList(issuer, input, {
      select: (db) =>
        terminalRows(db)
          // Summed once for all of them, and only where the order asks for it.
          .$if(input.sort === 'sales', (query) =>
            query.leftJoin(
              db
                .selectFrom('settlement')
                .select((eb) => ['terminal_no', eb.fn.sum<number | string>('amount_minor').as('amount')])
                .where(isSale)
                .where('order_time', '>=', weekBegins)
                .groupBy('terminal_no')
                .as('week'),
              'week.terminal_no',
              'terminal.terminal_no',
            ),
          )
          .$if(input.q !== undefined, (query) =>
            query.where((eb) =>
              eb.or([
                eb('terminal_id', 'like', words),
                eb(eb.fn('lower', ['merchant.name']), 'like', words),
                eb(eb.fn('lower', ['terminal.name']), 'like', words),
              ]),
            ),
          )
          .$if(input.state === 'silent', (query) =>
            query
              .where('epoch', '>', 0)
              .where('retired_at', 'is', null)
              .where(sql<boolean>`${reportedAt} < ${silentBefore}`),
          )
          .$if(input.state === 'reporting', (query) => query.where(sql<boolean>`${reportedAt} >= ${silentBefore}`))
          .$if(input.state === 'neverEnrolled', (query) => query.where('epoch', '=', 0))
          .$if(input.state === 'retired', (query) => query.where('retired_at', 'is not', null)),
      sorts: {
        reported: reportedAt,
        terminal: 'terminal_id',
        merchant: 'merchant.name',
        sales: sql`CAST(coalesce(week.amount, 0) AS bigint)`,
      },
      key: 'terminal.terminal_no',
      show: (rows, db) => showTerminals(issuer, db, rows),
      csv: {
        fileName: 'terminals',
        columns: {
          terminal: (row) => row.terminalId,
          name: (row) => row.name,
          merchant: (row) => row.merchant,
          lastContact: (row) => row.reportedAt,
          lastSales: (row) => row.lastBatchAt,
          salesToday: (row) => row.salesToday.count,
          salesTodayMinor: (row) => row.salesToday.amountMinor,
          salesInWeek: (row) => row.salesWeek.count,
          salesInWeekMinor: (row) => row.salesWeek.amountMinor,
          exceptions: (row) => row.exceptions,
        },
      },
    })
  },
})

/** What each of the last days brought, days without a sale too. */
const salesByDay = async (issuer: Issuer, db: StoreReader, terminalNo: number) => {
  const { timeZone } = issuer.book
  const { day: today, ends } = businessDayAt(issuer.clock(), timeZone)
  const days = Array.from({ length: daysShown }, (_, at) => dayAfter(today, at + 1 - daysShown))
  const begins = days.map((day) => dayBegins(day, timeZone))
  const from = begins[0] ?? ends
  const steps = await salesBySteps(db, { from, until: ends }, { stepSeconds, terminalNos: [terminalNo] })
  return days.map((day, at) => {
    const until = begins[at + 1] ?? ends
    const of = steps.filter(
      ({ step }) => from + step * stepSeconds >= (begins[at] ?? ends) && from + step * stepSeconds < until,
    )
    return {
      day,
      count: of.reduce((sum, { count }) => sum + count, 0),
      amountMinor: of.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
    }
  })
}

/** One-time codes that a lost ledger of this terminal may have sold. */
const withheldOf = async (db: StoreReader, terminalNo: number) => {
  const rows = await db
    .selectFrom('unit')
    .innerJoin('article', 'article.item_id', 'unit.item_id')
    .select((eb) => ['unit.item_id', 'article.json', eb.fn.countAll<number | string>().as('count')])
    .where('unit.terminal_no', '=', terminalNo)
    .where('unit.retired', '=', unitState.withheld)
    .where('unit.unit', 'not in', settledUnits(db, terminalNo))
    .groupBy(['unit.item_id', 'article.json'])
    .orderBy('unit.item_id')
    .execute()
  return rows.map((row) => ({
    itemId: row.item_id,
    count: Number(row.count),
    amountMinor: Number(row.count) * itemFromStore(row.json).priceMinor,
  }))
}

const detail = route({
  method: 'GET',
  path: '/terminals/:terminalId',
  permission: 'read',
  summary: 'One terminal: its reports, sales by day, alarms, codes that are withheld, and what it may hold.',
  input: terminalInput,
  output: terminalDetail,
  handle: ({ issuer, input }) =>
    issuer.store.read(async (db) => {
      const row = await terminalRows(db).where('terminal_id', '=', input.terminalId).executeTakeFirst()
      if (row === undefined)
        throw new IssuerError(
          'unknownTerminal',
          `There is no terminal ${input.terminalId}: check its id in the list of terminals.`,
        )
      const [shown] = await showTerminals(issuer, db, [row])
      if (shown === undefined) throw new Error('a terminal that was read is not shown')
      const terminalNo = row.terminal_no
      const now = issuer.clock()
      const { batches } = await db
        .selectFrom('batch')
        .select((eb) => eb.fn.countAll<number | string>().as('batches'))
        .where('terminal_no', '=', terminalNo)
        .executeTakeFirstOrThrow()
      const code = await db
        .selectFrom('enrolment_code')
        .select('expires_at')
        .where('terminal_no', '=', terminalNo)
        .where('expires_at', '>=', now)
        .executeTakeFirst()
      const alarms = await db
        .selectFrom('alarm')
        .select(['kind', 'raised_at', 'document'])
        .where('terminal_no', '=', terminalNo)
        .orderBy('alarm_no', 'desc')
        .limit(alarmsShown)
        .execute()
      const reporter = { terminalNo, createdAt: row.created_at, reportedAt: Number(row.reported_at) }
      const exposures = await exposuresOf(db, [reporter], { now, limits: await unsyncedLimits(issuer, db) })
      const exposure = exposures.get(terminalNo)
      const missing = await missingBatchesOf(db, terminalNo)
      return {
        ...shown,
        keyVersion: row.key_version,
        createdAt: isoTime(row.created_at),
        batches: Number(batches),
        missingBatches: missing.reduce((sum, each) => sum + each.missing, 0),
        ...(code === undefined ? {} : { codeExpiresAt: isoTime(code.expires_at) }),
        days: await salesByDay(issuer, db, terminalNo),
        alarms: alarms.map((alarm) => ({
          kind: alarm.kind,
          raisedAt: isoTime(alarm.raised_at),
          document: alarm.document,
        })),
        withheld: await withheldOf(db, terminalNo),
        ...(exposure === undefined ? {} : { exposure }),
      }
    }),
})

const given = (name: string | undefined): { name?: string } =>
  name === undefined || name.trim() === '' ? {} : { name }

const add = route({
  method: 'POST',
  path: '/terminals',
  permission: 'operate',
  summary: 'Adds a terminal of a merchant, to be enrolled.',
  input: addTerminalInput,
  output: addedTerminal,
  handle: async ({ issuer, caller, input }) => {
    const added = await addTerminal(issuer, { merchant: input.merchant, ...given(input.name) }, caller)
    return { terminalId: terminalId(added.terminalId) }
  },
})

const rename = route({
  method: 'POST',
  path: '/terminals/:terminalId/name',
  permission: 'operate',
  summary: 'Gives a terminal a name, or takes it away: what people call it.',
  input: nameTerminalInput,
  output: namedTerminal,
  handle: async ({ issuer, caller, input }) => {
    const id = terminalId(input.terminalId)
    const { name } = await nameTerminal(issuer, { terminalId: id, ...given(input.name), by: caller.name })
    return { terminalId: id, ...given(name) }
  },
})

const names = route({
  method: 'GET',
  path: '/terminals/names',
  permission: 'read',
  summary: 'The names of all terminals that have one.',
  input: v.object({}),
  output: terminalNames,
  handle: ({ issuer }) =>
    issuer.store.read(async (db) => {
      const rows = await db
        .selectFrom('terminal')
        .select(['terminal_id', 'name'])
        .where('name', 'is not', null)
        .execute()
      return { terminals: rows.map((row) => ({ terminalId: row.terminal_id, name: row.name ?? '' })) }
    }),
})

// The names before the detail: "names" is no terminal's id.
export const terminalRoutes = [list, names, detail, add, rename]
