/** The users as the console lists them. There are few: a page is cut from all of them. */
import type * as v from 'valibot'
import type { User, userListInput, userPageSchema } from './console-contract/access.ts'
import { isoTime } from './iso-times.ts'
import type { Issuer } from './issuer.ts'

const readUsers = (issuer: Issuer, search: string): Promise<User[]> =>
  issuer.store.read(async (db) => {
    const rows = await db
      .selectFrom('console_user')
      .select(['name', 'role', 'disabled', 'must_change', 'created_at', 'password_at', 'user_no'])
      .select((eb) =>
        eb
          .selectFrom('console_session')
          .select((session) => session.fn.max('console_session.seen_at').as('seen'))
          .whereRef('console_session.user_no', '=', 'console_user.user_no')
          .as('seen_at'),
      )
      .where('name', 'like', `%${search.toLowerCase().replaceAll(/[%_\\]/g, '')}%`)
      .execute()
    return rows.map((row) => ({
      name: row.name,
      role: row.role,
      disabled: row.disabled === 1,
      mustChangePassword: row.must_change === 1,
      createdAt: isoTime(row.created_at),
      passwordAt: isoTime(row.password_at),
      ...(row.seen_at === null ? {} : { seenAt: isoTime(row.seen_at) }),
    }))
  })

/** `after` is the last name of the page before. */
export const listUsers = async (
  issuer: Issuer,
  query: v.InferOutput<typeof userListInput>,
): Promise<v.InferOutput<typeof userPageSchema>> => {
  const all = await readUsers(issuer, query.search ?? '')
  const found = all.filter(({ role }) => query.role === undefined || role === query.role)
  const keyOf = (user: User): string => (query.sort === 'name' ? user.name : `${user.createdAt} ${user.name}`)
  const sorted = found.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  if (query.direction === 'descending') sorted.reverse()
  const from = query.after === undefined ? 0 : sorted.findIndex(({ name }) => name === query.after) + 1
  const rows = sorted.slice(from, from + query.limit)
  const last = rows.at(-1)
  const next = last === undefined || from + query.limit >= sorted.length ? {} : { next: last.name }
  return { rows, ...next, total: sorted.length }
}
