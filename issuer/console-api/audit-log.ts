/** The log of changes: read, filtered, and its chain walked. */
import type * as v from 'valibot'
import { verifyChain } from '../audit-log.ts'
import {
  type AuditRow,
  auditListInput,
  auditPageSchema,
  chainInput,
  chainStateSchema,
} from '../console-contract/audit-log.ts'
import { IssuerError } from '../errors.ts'
import { isoTime } from '../iso-times.ts'
import type { StoreReader } from '../store.ts'
import { dayAfter, dayBegins } from './days.ts'
import { countRows } from './paging.ts'
import { route } from './route.ts'

/** A number that an earlier page said. @throws IssuerError `input` */
const placeOf = (after: string): number => {
  if (!/^\d{1,15}$/.test(after)) throw new IssuerError('input', 'Begin at the first page: this is no place in the log.')
  return Number(after)
}

const filtered = (db: StoreReader, timeZone: string, query: v.InferOutput<typeof auditListInput>) => {
  let rows = db.selectFrom('audit_log')
  if (query.name !== undefined) rows = rows.where('name', '=', query.name)
  if (query.subject !== undefined) rows = rows.where('subject', '=', query.subject)
  // All that begin so: "." comes right before "/".
  const { action } = query
  if (action !== undefined)
    rows = rows.where((eb) =>
      eb.or([eb('action', '=', action), eb.and([eb('action', '>=', `${action}.`), eb('action', '<', `${action}/`)])]),
    )
  if (query.from !== undefined) rows = rows.where('at', '>=', dayBegins(query.from, timeZone))
  if (query.until !== undefined) rows = rows.where('at', '<', dayBegins(dayAfter(query.until, 1), timeZone))
  return rows
}

const parsed = (json: string | null): unknown => (json === null ? undefined : JSON.parse(json))

export const auditRoutes = [
  route({
    method: 'GET',
    path: '/audit-log',
    permission: 'administer',
    summary: 'Lists changes: who made which one when, and what was before and after.',
    input: auditListInput,
    output: auditPageSchema,
    handle: ({ issuer, input }) =>
      issuer.store.read(async (db) => {
        const descending = input.direction === 'descending'
        const all = filtered(db, issuer.book.timeZone, input)
        let page = all.selectAll()
        if (input.after !== undefined) page = page.where('audit_no', descending ? '<' : '>', placeOf(input.after))
        const found = await page
          .orderBy('audit_no', descending ? 'desc' : 'asc')
          .limit(input.limit + 1)
          .execute()
        const rows = found.slice(0, input.limit).map((row): AuditRow => {
          const [before, after] = [parsed(row.before_json), parsed(row.after_json)]
          return {
            auditNo: row.audit_no,
            at: isoTime(row.at),
            name: row.name,
            action: row.action,
            subject: row.subject,
            ...(before === undefined ? {} : { before }),
            ...(after === undefined ? {} : { after }),
            hash: row.hash,
          }
        })
        const last = rows.at(-1)
        const total = await countRows(db, all.select('audit_no'))
        return {
          rows,
          ...(found.length > input.limit && last !== undefined ? { next: String(last.auditNo) } : {}),
          ...(total === undefined ? {} : { total }),
        }
      }),
  }),
  route({
    method: 'GET',
    path: '/audit-log/chain',
    permission: 'administer',
    summary: 'Walks the log’s chain of hashes, and names the first row that does not follow.',
    input: chainInput,
    output: chainStateSchema,
    handle: ({ issuer, input }) => issuer.store.read((db) => verifyChain(db, input.seen)),
  }),
]
