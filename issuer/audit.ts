/** Counts the books again from their lines, and says where they disagree: the report's figures rest on this. The database adds up. */
import { sql } from 'kysely'
import { toHex } from '../protocol/bytes.ts'
import type { Issuer } from './issuer.ts'
import { type Report, report } from './report.ts'
import type { StoreReader } from './store.ts'

const rowsOf = async <Row>(db: StoreReader, query: ReturnType<typeof sql<Row>>): Promise<Row[]> =>
  (await query.execute(db)).rows

const auditAccounts = async (db: StoreReader): Promise<string[]> => {
  const wrong = await rowsOf(
    db,
    sql<{ account_no: number; kind: string }>`
      SELECT account.account_no, account.kind FROM account
      LEFT JOIN (SELECT to_account AS account_no, sum(amount_minor) AS minor FROM transfer GROUP BY to_account) AS came
        ON came.account_no = account.account_no
      LEFT JOIN (SELECT from_account AS account_no, sum(amount_minor) AS minor FROM transfer GROUP BY from_account) AS gone
        ON gone.account_no = account.account_no
      WHERE coalesce(came.minor, 0) - coalesce(gone.minor, 0) <> account.balance_minor
      ORDER BY account.account_no`,
  )
  return wrong.map(({ account_no, kind }) => `account ${account_no} (${kind}) is not the sum of its transfers`)
}

/** What a card puts into the float is its balance, less what left it when it was closed: no value from nothing (PROTOCOL.md, I1). */
const auditCards = async (db: StoreReader): Promise<string[]> => {
  const wrong = await rowsOf(
    db,
    sql<{ card_id: string; balance_minor: number; minor: number }>`
      SELECT card.card_id, card.balance_minor, coalesce(held.minor, 0) + coalesce(closed.minor, 0) AS minor FROM card
      LEFT JOIN (
        SELECT transfer.card_no, sum(CASE WHEN arrives.kind = 'float' THEN amount_minor ELSE -amount_minor END) AS minor
        FROM transfer
        JOIN account AS arrives ON arrives.account_no = transfer.to_account
        JOIN account AS leaves ON leaves.account_no = transfer.from_account
        WHERE transfer.card_no IS NOT NULL AND (arrives.kind = 'float' OR leaves.kind = 'float')
        GROUP BY transfer.card_no
      ) AS held ON held.card_no = card.card_no
      LEFT JOIN (
        SELECT card_no, sum(amount_minor) AS minor FROM card_closure WHERE state = 'done' GROUP BY card_no
      ) AS closed ON closed.card_no = card.card_no
      WHERE coalesce(held.minor, 0) + coalesce(closed.minor, 0) <> card.balance_minor
      ORDER BY card.card_no`,
  )
  return wrong.map(
    ({ card_id, balance_minor, minor }) =>
      `card ${card_id} holds ${balance_minor}, its float and what left it are ${minor}`,
  )
}

const readFundings = async (db: StoreReader) => ({
  accounts: await db.selectFrom('account').selectAll().where('kind', 'in', ['vouchers', 'credits']).execute(),
  fundings: await db
    .selectFrom('funding')
    .leftJoin('voucher_lot', 'voucher_lot.lot_no', 'funding.lot_no')
    .selectAll('funding')
    .select('voucher_lot.paid_at')
    .execute(),
  loads: await db
    .selectFrom('load_authorisation')
    .select(['order_bytes', 'state', 'amount_minor'])
    .where('funded_from', 'is not', null)
    .execute(),
})

/** A funding is used by one load that stands, and the accounts of vouchers and credits are what is open of them. */
const auditFundings = ({ accounts, fundings, loads }: Awaited<ReturnType<typeof readFundings>>): string[] => {
  const standing = new Map(
    loads.filter(({ state }) => state !== 'void').map((load) => [toHex(load.order_bytes), load.amount_minor]),
  )
  const used = fundings.filter(({ state }) => state === 'used')
  const unmatched = used.filter(
    ({ used_order, amount_minor }) => used_order === null || standing.get(toHex(used_order)) !== amount_minor,
  )
  const sum = (rows: readonly { amount_minor: number }[]) => rows.reduce((all, row) => all + row.amount_minor, 0)
  const vouchers = fundings.filter(({ kind }) => kind === 'voucher')
  const isHeld = (state: string) => state === 'open' || state === 'used'
  const vouchersMinor =
    sum(vouchers.filter(({ paid_at, state }) => paid_at !== null && isHeld(state))) -
    sum(vouchers.filter(({ state }) => state === 'used'))
  const creditsMinor = sum(fundings.filter(({ kind, state }) => kind === 'credit' && state === 'open'))
  const balance = (kind: string) =>
    sum(accounts.filter((row) => row.kind === kind).map((row) => ({ amount_minor: row.balance_minor })))
  return [
    ...unmatched.map(({ funding_no }) => `funding ${funding_no} is used, by no load that stands`),
    ...(standing.size === used.length ? [] : [`${standing.size} loads stand on ${used.length} fundings`]),
    ...(balance('vouchers') === vouchersMinor
      ? []
      : [`the vouchers come to ${vouchersMinor}, their account to ${balance('vouchers')}`]),
    ...(balance('credits') === creditsMinor
      ? []
      : [`the credits come to ${creditsMinor}, their account to ${balance('credits')}`]),
  ]
}

interface Gap {
  readonly card_id: string
  readonly after_counter: number
  readonly before_counter: number
}

/** Every gap is a seam and every seam is a gap (PROTOCOL.md, I4). */
const auditSeams = async (db: StoreReader): Promise<string[]> => {
  const gaps = sql`SELECT card_no, after_counter, before_counter FROM (
      SELECT card_no, counter AS before_counter,
        coalesce(lag(counter) OVER (PARTITION BY card_no ORDER BY counter), 0) AS after_counter
      FROM settlement
    ) AS line WHERE before_counter - after_counter > 1`
  const seams = sql`SELECT card_no, after_counter, before_counter FROM seam WHERE before_counter - after_counter > 1`
  const differing = (these: typeof gaps, those: typeof gaps) =>
    rowsOf(
      db,
      sql<Gap>`SELECT card.card_id, odd.after_counter, odd.before_counter FROM (${these} EXCEPT ${those}) AS odd
        JOIN card ON card.card_no = odd.card_no ORDER BY card.card_no, odd.after_counter`,
    )
  const marks = await rowsOf(
    db,
    sql<{ card_id: string; mark: number; highest: number }>`
      SELECT card_id, mark, highest FROM (
        SELECT card.card_no, card_id, mark, coalesce(max(counter), 0) AS highest
        FROM card LEFT JOIN settlement ON settlement.card_no = card.card_no GROUP BY card.card_no, card_id, mark
      ) AS marked WHERE mark <> highest ORDER BY card_no`,
  )
  const between = (gap: Gap) => `between ${gap.after_counter} and ${gap.before_counter}`
  return [
    ...(await differing(gaps, seams)).map((gap) => `card ${gap.card_id} misses counters ${between(gap)}: not named`),
    ...(await differing(seams, gaps)).map((gap) => `card ${gap.card_id} has no gap ${between(gap)}, but one is named`),
    ...marks.map(({ card_id, mark, highest }) => `card ${card_id} has mark ${mark}, not ${highest}`),
  ]
}

/** What his terminals' records made of a merchant's accounts, by cause; the rest is of closings and decisions. */
const lineCauses = { payable: ['payment', 'reversal', 'hole', 'moneyBack'], merchantCash: ['load'] } as const

const lineSums = async (db: StoreReader, kind: keyof typeof lineCauses): Promise<ReadonlyMap<string, number>> => {
  const causes = lineCauses[kind].flatMap((cause) => [cause, `${cause}, undone`])
  const rows = await rowsOf(
    db,
    sql<{ name: string; minor: number }>`
      SELECT merchant.name, sum(moved.minor) AS minor FROM (
        SELECT to_account AS account_no, sum(amount_minor) AS minor FROM transfer
        WHERE cause IN (${sql.join(causes)}) GROUP BY to_account
        UNION ALL
        SELECT from_account AS account_no, -sum(amount_minor) AS minor FROM transfer
        WHERE cause IN (${sql.join(causes)}) GROUP BY from_account
      ) AS moved
      JOIN account ON account.account_no = moved.account_no
      JOIN merchant ON merchant.merchant_no = account.merchant_no
      WHERE account.kind = ${kind}
      GROUP BY merchant.name`,
  )
  return new Map(rows.map(({ name, minor }) => [name, Number(minor)]))
}

interface LineSums {
  readonly payable: ReadonlyMap<string, number>
  readonly cash: ReadonlyMap<string, number>
}

const auditMerchants = (told: Report, sums: LineSums): string[] =>
  told.merchants.flatMap(({ merchant }) => {
    const theirs = told.terminals.filter((terminal) => terminal.merchant === merchant)
    const taken = theirs.reduce((sum, each) => sum + each.payableMinor + each.heldMinor, 0)
    const loads = theirs.reduce((sum, each) => sum + each.loads.amountMinor, 0)
    const earnedMinor = sums.payable.get(merchant) ?? 0
    const loadedMinor = 0 - (sums.cash.get(merchant) ?? 0)
    return [
      ...(taken === earnedMinor ? [] : [`${merchant} was booked ${earnedMinor}, his terminals say ${taken}`]),
      ...(loads === loadedMinor ? [] : [`${merchant} was booked ${loadedMinor} of loads, his terminals say ${loads}`]),
    ]
  })

/** @returns one sentence for each disagreement; none: the books agree with themselves */
export const auditBooks = async (issuer: Issuer): Promise<readonly string[]> => {
  const { problems, sums } = await issuer.store.read(async (db) => ({
    problems: [
      ...(await auditAccounts(db)),
      ...(await auditCards(db)),
      ...(await auditSeams(db)),
      ...auditFundings(await readFundings(db)),
    ],
    sums: { payable: await lineSums(db, 'payable'), cash: await lineSums(db, 'merchantCash') },
  }))
  const told = await report(issuer)
  return [
    ...(told.trialBalanceMinor === 0 ? [] : [`the trial balance is ${told.trialBalanceMinor}`]),
    ...problems,
    ...auditMerchants(told, sums),
  ]
}
