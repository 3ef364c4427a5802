/** Terminals in the console: who reported when, and what each sold. */
import { sql } from 'kysely'
import { terminalsPage, terminalsQuery } from '../console-contract/terminals.ts'
import type { StoreReader } from '../store.ts'
import { businessDayAt, dayAfter, dayBegins, isoTime } from './days.ts'
import { answerList } from './paging.ts'
import { route } from './route.ts'

/** A kiosk syncs every few minutes: one that has said nothing for so long is to be looked after. */
export const silentSeconds = 24 * 3600

const reportedAt = sql<number>`coalesce((SELECT max(received_at) FROM batch WHERE batch.terminal_no = terminal.terminal_no), 0)`

/** What terminals sold in a span of time: payments that are accepted, by the time of their order. */
export const salesOf = async (
  db: StoreReader,
  {
    terminalNos,
    from,
    until,
  }: { readonly terminalNos: readonly number[]; readonly from: number; readonly until: number },
): Promise<ReadonlyMap<number, { readonly count: number; readonly amountMinor: number }>> => {
  if (terminalNos.length === 0) return new Map()
  const rows = await db
    .selectFrom('settlement')
    .select(['terminal_no'])
    .select((eb) => [
      eb.fn.countAll<number | string>().as('count'),
      eb.fn.sum<number | string>('amount_minor').as('amount'),
    ])
    .where('order_type', '=', 'payment')
    .where('exception', 'is', null)
    .where('order_time', '>=', from)
    .where('order_time', '<', until)
    .where('terminal_no', 'in', terminalNos)
    .groupBy('terminal_no')
    .execute()
  return new Map(rows.map((row) => [row.terminal_no, { count: Number(row.count), amountMinor: Number(row.amount) }]))
}

const noSales = { count: 0, amountMinor: 0 }

const list = route({
  method: 'GET',
  path: '/terminals',
  permission: 'read',
  summary: 'Terminals with when they last reported and what they sold.',
  input: terminalsQuery,
  output: terminalsPage,
  handle: ({ issuer, input }) => {
    const now = issuer.clock()
    const today = businessDayAt(now, issuer.book.timeZone)
    const weekBegins = dayBegins(dayAfter(today.day, -6), issuer.book.timeZone)
    const silentBefore = now - silentSeconds
    const weekSales = sql<number>`coalesce((SELECT sum(amount_minor) FROM settlement WHERE settlement.terminal_no = terminal.terminal_no AND order_type = 'payment' AND exception IS NULL AND order_time >= ${weekBegins}), 0)`
    return answerList(issuer, input, {
      select: (db) =>
        db
          .selectFrom('terminal')
          .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
          .select(['terminal.terminal_no', 'terminal_id', 'merchant.merchant_no', 'merchant.name', 'epoch'])
          .select(reportedAt.as('reported_at'))
          .select((eb) =>
            eb
              .selectFrom('entry_exception')
              .whereRef('entry_exception.terminal_no', '=', 'terminal.terminal_no')
              .select((of) => of.fn.countAll<number | string>().as('count'))
              .as('exceptions'),
          )
          .$if(input.q !== undefined, (query) => {
            const like = `%${(input.q ?? '').trim().toLowerCase()}%`
            return query.where((eb) =>
              eb.or([eb('terminal_id', 'like', like), eb(eb.fn('lower', ['name']), 'like', like)]),
            )
          })
          .$if(input.state === 'silent', (query) =>
            query.where('epoch', '>', 0).where(sql<boolean>`${reportedAt} < ${silentBefore}`),
          )
          .$if(input.state === 'reporting', (query) => query.where(sql<boolean>`${reportedAt} >= ${silentBefore}`))
          .$if(input.state === 'neverEnrolled', (query) => query.where('epoch', '=', 0)),
      sorts: { reported: reportedAt, terminal: 'terminal_id', merchant: 'merchant.name', sales: weekSales },
      key: 'terminal.terminal_no',
      show: async (rows, db) => {
        const terminalNos = rows.map((row) => row.terminal_no)
        const until = today.ends
        const todays = await salesOf(db, { terminalNos, from: today.begins, until })
        const weeks = await salesOf(db, { terminalNos, from: weekBegins, until })
        return rows.map((row) => ({
          terminalId: row.terminal_id,
          merchant: row.name,
          merchantNo: row.merchant_no,
          epoch: row.epoch,
          ...(row.reported_at === 0 ? {} : { reportedAt: isoTime(row.reported_at) }),
          silent: row.epoch > 0 && row.reported_at < silentBefore,
          salesToday: todays.get(row.terminal_no) ?? noSales,
          salesWeek: weeks.get(row.terminal_no) ?? noSales,
          exceptions: Number(row.exceptions ?? 0),
        }))
      },
      csv: {
        fileName: 'terminals',
        columns: {
          terminal: (row) => row.terminalId,
          merchant: (row) => row.merchant,
          'last report': (row) => row.reportedAt,
          'sales today': (row) => row.salesToday.count,
          'amount today (minor units)': (row) => row.salesToday.amountMinor,
          'sales in 7 days': (row) => row.salesWeek.count,
          'amount in 7 days (minor units)': (row) => row.salesWeek.amountMinor,
          exceptions: (row) => row.exceptions,
        },
      },
    })
  },
})

export const terminalRoutes = [list]
