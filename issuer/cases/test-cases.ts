/** For tests: the files of a bench's cases, and its accounts. */
import type { Bench } from '../test-support.ts'
import { type CaseRow, listCases } from './case-view.ts'
import { reconcileCases } from './round.ts'

/** After a reconciliation: all of them, or those of one cause. */
export const casesOf = async ({ issuer }: Bench, cause?: string): Promise<readonly CaseRow[]> => {
  await reconcileCases(issuer)
  const { cases } = await issuer.store.read((db) => listCases(db, { state: 'all', limit: 10_000 }, issuer.clock()))
  return cases.filter((each) => cause === undefined || each.cause === cause)
}

/** By kind, and by merchant where there is one: minor units. */
export const balances = async ({ issuer }: Bench): Promise<Record<string, number>> => {
  const rows = await issuer.store.read((db) =>
    db
      .selectFrom('account')
      .leftJoin('merchant', 'merchant.merchant_no', 'account.merchant_no')
      .select(['kind', 'name', 'balance_minor'])
      .execute(),
  )
  return Object.fromEntries(
    rows.map(({ kind, name, balance_minor }) => [name === null ? kind : `${kind} ${name}`, balance_minor]),
  )
}

export const total = (accounts: Record<string, number>): number =>
  Object.values(accounts).reduce((sum, minor) => sum + minor, 0)
