/** Closing business days: each day's postings by account and cause, and the trial balance after it, written once. */
import type { Actor } from '../actor.ts'
import { noteChange } from '../audit-log.ts'
import { businessDays, lastClosedDay, requireDay } from '../business-days.ts'
import { chunks } from '../chunks.ts'
import { dayAfter } from '../console-api/days.ts'
import { IssuerError } from '../errors.ts'
import { isoTime } from '../iso-times.ts'
import type { Issuer } from '../issuer.ts'
import type { StoreReader, StoreWriter } from '../store.ts'

export interface DayPosting {
  readonly day: string
  readonly accountNo: number
  readonly cause: string
  readonly inCount: number
  readonly inMinor: number
  readonly outCount: number
  readonly outMinor: number
}

const rowsMax = 100

/** After a day and until a day, both open: counted from the transfers themselves. */
export const countPostings = async (
  db: Pick<StoreReader, 'selectFrom'>,
  days: { readonly after: string | undefined; readonly until: string },
  accountNos?: readonly number[],
): Promise<DayPosting[]> => {
  const side = (account: 'to_account' | 'from_account') =>
    db
      .selectFrom('transfer')
      .select(['business_day', account, 'cause'])
      .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.sum<number>('amount_minor').as('minor')])
      .where('business_day', '<=', days.until)
      .$if(days.after !== undefined, (query) => query.where('business_day', '>', days.after ?? ''))
      .$if(accountNos !== undefined, (query) => query.where(account, 'in', accountNos ?? []))
      .groupBy(['business_day', account, 'cause'])
      .execute()
  const postings = new Map<string, DayPosting>()
  const add = (posting: DayPosting) => {
    const key = `${posting.day}/${posting.accountNo}/${posting.cause}`
    const known = postings.get(key)
    postings.set(
      key,
      known === undefined
        ? posting
        : {
            ...known,
            inCount: known.inCount + posting.inCount,
            inMinor: known.inMinor + posting.inMinor,
            outCount: known.outCount + posting.outCount,
            outMinor: known.outMinor + posting.outMinor,
          },
    )
  }
  const none = { inCount: 0, inMinor: 0, outCount: 0, outMinor: 0 }
  for (const { business_day: day, to_account: accountNo, cause, count, minor } of await side('to_account'))
    add({ ...none, day, accountNo, cause, inCount: Number(count), inMinor: Number(minor) })
  for (const { business_day: day, from_account: accountNo, cause, count, minor } of await side('from_account'))
    add({ ...none, day, accountNo, cause, outCount: Number(count), outMinor: Number(minor) })
  return [...postings.values()]
}

const changeOf = (postings: readonly DayPosting[]): Map<number, number> => {
  const changes = new Map<number, number>()
  for (const { accountNo, inMinor, outMinor } of postings)
    changes.set(accountNo, (changes.get(accountNo) ?? 0) + inMinor - outMinor)
  return changes
}

/** What is closed and what was booked since make up every account's balance, or the books were changed behind their back. */
const requireSums = async (
  db: StoreWriter,
  about: { readonly balances: ReadonlyMap<number, number>; readonly day: string },
): Promise<void> => {
  const later = changeOf(await countPostings(db, { after: about.day, until: '9999-12-31' }))
  for (const { account_no, kind, balance_minor } of await db.selectFrom('account').selectAll().execute())
    if ((about.balances.get(account_no) ?? 0) + (later.get(account_no) ?? 0) !== balance_minor)
      throw new Error(`account ${account_no} (${kind}) is not the sum of its transfers`)
  const sum = [...about.balances.values()].reduce((all, balance) => all + balance, 0)
  if (sum !== 0) throw new Error(`the trial balance of ${about.day} is ${sum}`)
}

const writeDay = async (
  db: StoreWriter,
  closed: {
    readonly day: string
    readonly postings: readonly DayPosting[]
    readonly balances: ReadonlyMap<number, number>
    readonly at: number
    readonly by: Actor
  },
): Promise<void> => {
  const { day } = closed
  const postings = closed.postings.map((each) => ({
    day,
    account_no: each.accountNo,
    cause: each.cause,
    in_count: each.inCount,
    in_minor: each.inMinor,
    out_count: each.outCount,
    out_minor: each.outMinor,
  }))
  for (const rows of chunks(postings, rowsMax)) await db.insertInto('closed_day_posting').values(rows).execute()
  const balances = [...closed.balances].map(([account_no, balance_minor]) => ({ day, account_no, balance_minor }))
  for (const rows of chunks(balances, rowsMax)) await db.insertInto('closed_day_balance').values(rows).execute()
  // Last: from here on nothing is added to the day.
  await db.insertInto('closed_day').values({ day, closed_at: closed.at, closed_by: closed.by.name }).execute()
}

export const requireOver = (issuer: Issuer, day: string): void => {
  requireDay(day)
  const today = businessDays(issuer.book.timeZone)(issuer.clock())
  if (day >= today)
    throw new IssuerError(
      'refused',
      `${day} is not over yet: it can be closed from the day after on. Today is ${today}.`,
    )
}

/**
 * Closes all days until `day` that are open still, within the transaction.
 * @returns those that were closed now
 * @throws IssuerError `input`: the day is not over
 */
export const closeDays = async (
  issuer: Issuer,
  db: StoreWriter,
  { day, by }: { readonly day: string; readonly by: Actor },
): Promise<readonly string[]> => {
  requireOver(issuer, day)
  const closed = await lastClosedDay(db)
  if (closed !== undefined && day <= closed) return []
  const postings = await countPostings(db, { after: closed, until: day })
  const byDay = Map.groupBy(postings, (posting) => posting.day)
  const days = [...new Set([...byDay.keys(), day])].toSorted()
  const before = await db
    .selectFrom('closed_day_balance')
    .select(['account_no', 'balance_minor'])
    .where('day', '=', closed ?? '')
    .execute()
  const balances = new Map(before.map((row) => [row.account_no, row.balance_minor]))
  for (const each of days) {
    const booked = byDay.get(each) ?? []
    for (const [accountNo, change] of changeOf(booked)) balances.set(accountNo, (balances.get(accountNo) ?? 0) + change)
    await writeDay(db, { day: each, postings: booked, balances, at: issuer.clock(), by })
  }
  await requireSums(db, { balances, day })
  await noteChange(
    db,
    { name: by.name, at: issuer.clock() },
    { action: 'day.close', subject: day, before: { lastClosed: closed ?? null }, after: { lastClosed: day } },
  )
  return days
}

/** @param options.day absent: the last day that is over */
export const closeDay = (
  issuer: Issuer,
  options: { readonly day?: string; readonly by: Actor },
): Promise<{ readonly day: string; readonly closed: readonly string[] }> => {
  const dayOf = businessDays(issuer.book.timeZone)
  const today = dayOf(issuer.clock())
  const day = options.day ?? dayAfter(today, -1)
  return issuer.store.write(async (db) => ({ day, closed: await closeDays(issuer, db, { day, by: options.by }) }))
}

/** The trial balance at the end of a closed day, by account. @throws IssuerError `input`: it is open */
export const closedDay = (issuer: Issuer, day: string) =>
  issuer.store.read(async (db) => {
    requireDay(day)
    const closed = await lastClosedDay(db)
    // A day without bookings has no row of its own, and the balance of the one before.
    const row = await db
      .selectFrom('closed_day')
      .selectAll()
      .where('day', '<=', day)
      .orderBy('day', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (row === undefined || closed === undefined || day > closed)
      throw new IssuerError('refused', `${day} is not closed: close it with "farthing issuer day close ${day}".`)
    const accounts = await db
      .selectFrom('closed_day_balance')
      .innerJoin('account', 'account.account_no', 'closed_day_balance.account_no')
      .leftJoin('merchant', 'merchant.merchant_no', 'account.merchant_no')
      .select(['closed_day_balance.account_no', 'kind', 'name', 'closed_day_balance.balance_minor'])
      .where('day', '=', row.day)
      .orderBy('closed_day_balance.account_no')
      .execute()
    return {
      day,
      closedAt: isoTime(row.closed_at),
      closedBy: row.closed_by,
      accounts: accounts.map(({ kind, name, balance_minor }) => ({
        kind,
        ...(name === null ? {} : { merchant: name }),
        balanceMinor: balance_minor,
      })),
    }
  })

const daysListed = 400

export const listClosedDays = (issuer: Issuer) =>
  issuer.store.read(async (db) => {
    const rows = await db.selectFrom('closed_day').selectAll().orderBy('day', 'desc').limit(daysListed).execute()
    return rows.map((row) => ({
      day: row.day,
      closedAt: isoTime(row.closed_at),
      closedBy: row.closed_by,
    }))
  })
