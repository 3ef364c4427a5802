/**
 * The log of every change that a person made, with before and after. Append-only, and chained: each row's hash covers the
 * row before it, so that a row which was changed, taken out or put in behind the database's back shows. It does not show
 * that the *last* rows are missing: for that, keep a hash that `verify` told, elsewhere.
 */
import { createHash } from 'node:crypto'
import { canonicalBytes } from '../protocol/canonical-json.ts'
import type { AuditLogTable } from './access-tables.ts'
import type { NoteChange } from './console-api/route.ts'
import type { StoreReader } from './store.ts'

const firstHash = '0'.repeat(64)
const rowsAtOnce = 500
const jsonLettersMax = 100_000

/** Members so named never enter the log, whatever they hold. */
const secretName =
  /^(code|codes|pin|puk|key|salt)$|password|passphrase|secret|token|cookie|privateKey|masterKey|terminalKey|setupCode|enrolmentCode/i
const hidden = '(not logged)'

const withoutSecrets = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, secretName.test(name) ? hidden : withoutSecrets(member)]),
  )
}

const jsonOf = (value: unknown): string | null => {
  if (value === undefined) return null
  const text = new TextDecoder().decode(canonicalBytes(withoutSecrets(JSON.parse(JSON.stringify(value)))))
  // What is that long is a document, and kept as one: the log names it.
  return text.length <= jsonLettersMax ? text : JSON.stringify({ tooLong: text.length })
}

const hashOf = (previous: string, row: Omit<AuditLogTable, 'hash'>): string =>
  createHash('sha256').update(Buffer.from(previous, 'hex')).update(canonicalBytes(row)).digest('hex')

/**
 * Appends one change, in the transaction that makes it (`store.write`: two that append at once would take the same number).
 * @param who.at UNIX seconds
 */
export const noteChange: NoteChange = async (db, { name, at }, { action, subject, before, after }) => {
  const last = await db
    .selectFrom('audit_log')
    .select(['audit_no', 'hash'])
    .orderBy('audit_no', 'desc')
    .limit(1)
    .executeTakeFirst()
  const row = {
    audit_no: (last?.audit_no ?? 0) + 1,
    at,
    name,
    action,
    subject,
    before_json: jsonOf(before),
    after_json: jsonOf(after),
  }
  await db
    .insertInto('audit_log')
    .values({ ...row, hash: hashOf(last?.hash ?? firstHash, row) })
    .execute()
}

export type ChainState =
  /** `hash`: of the last row. */
  | { readonly state: 'whole'; readonly rows: number; readonly hash: string }
  /** `auditNo`: the first row that does not follow from the one before it. */
  | { readonly state: 'broken'; readonly rows: number; readonly auditNo: number; readonly sentence: string }
  /** All rows follow from each other, but the row with the hash that was noted elsewhere is not among them. */
  | { readonly state: 'cut'; readonly rows: number; readonly hash: string; readonly sentence: string }

const broken = (rows: number, auditNo: number, what: string): ChainState => ({
  state: 'broken',
  rows,
  auditNo,
  sentence: `Row ${auditNo} of the audit log ${what}: somebody changed the database itself. Compare it with a backup from before.`,
})

/** Walks the whole chain. @param seen the hash of a row that was noted earlier, elsewhere */
export const verifyChain = async (db: StoreReader, seen?: string): Promise<ChainState> => {
  let hash = firstHash
  let rows = 0
  let seenIt = seen === undefined
  for (;;) {
    const page = await db
      .selectFrom('audit_log')
      .selectAll()
      .where('audit_no', '>', rows)
      .orderBy('audit_no')
      .limit(rowsAtOnce)
      .execute()
    for (const { hash: told, ...row } of page) {
      if (row.audit_no !== rows + 1) return broken(rows, rows + 1, 'is missing')
      hash = hashOf(hash, row)
      if (hash !== told) return broken(rows, row.audit_no, 'is not what was written')
      rows = row.audit_no
      seenIt ||= hash === seen
    }
    if (page.length < rowsAtOnce) break
  }
  if (seenIt) return { state: 'whole', rows, hash }
  return {
    state: 'cut',
    rows,
    hash,
    sentence: 'The audit log lacks the row with the hash that you gave: rows were cut off, or a backup was put back.',
  }
}
