/** Counts the books again from their lines, and says where they disagree: the report's figures rest on this. */

import { toHex } from '../protocol/bytes.ts'
import type { Issuer } from './issuer.ts'
import { type Report, report } from './report.ts'
import type { StoreReader } from './store.ts'

const readLines = async (db: StoreReader) => ({
  accounts: await db.selectFrom('account').selectAll().execute(),
  merchants: await db.selectFrom('merchant').selectAll().execute(),
  transfers: await db.selectFrom('transfer').selectAll().execute(),
  cards: await db.selectFrom('card').selectAll().execute(),
  settlements: await db.selectFrom('settlement').select(['card_no', 'counter', 'balance_after_minor']).execute(),
  seams: await db.selectFrom('seam').selectAll().execute(),
  closures: await db
    .selectFrom('card_closure')
    .select(['card_no', 'amount_minor'])
    .where('state', '=', 'done')
    .execute(),
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
type Lines = Awaited<ReturnType<typeof readLines>>

const add = (sums: Map<number, number>, key: number, byMinor: number) => sums.set(key, (sums.get(key) ?? 0) + byMinor)

const auditAccounts = ({ accounts, transfers }: Lines): string[] => {
  const sums = new Map<number, number>()
  for (const transfer of transfers) {
    add(sums, transfer.from_account, -transfer.amount_minor)
    add(sums, transfer.to_account, transfer.amount_minor)
  }
  return accounts
    .filter((account) => (sums.get(account.account_no) ?? 0) !== account.balance_minor)
    .map((account) => `account ${account.account_no} (${account.kind}) is not the sum of its transfers`)
}

/** What a card puts into the float is its balance, less what left it when it was closed: no value from nothing (PROTOCOL.md, I1). */
const auditCards = ({ accounts, transfers, cards, closures }: Lines): string[] => {
  const float = accounts.find(({ kind }) => kind === 'float')?.account_no
  const sums = new Map<number, number>()
  for (const transfer of transfers) {
    if (transfer.card_no === null) continue
    if (transfer.to_account === float) add(sums, transfer.card_no, transfer.amount_minor)
    if (transfer.from_account === float) add(sums, transfer.card_no, -transfer.amount_minor)
  }
  for (const { card_no, amount_minor } of closures) add(sums, card_no, amount_minor)
  return cards
    .filter((card) => (sums.get(card.card_no) ?? 0) !== card.balance_minor)
    .map(
      (card) =>
        `card ${card.card_id} holds ${card.balance_minor}, its float and what left it are ${sums.get(card.card_no) ?? 0}`,
    )
}

/** A funding is used by one load that stands, and the accounts of vouchers and credits are what is open of them. */
const auditFundings = ({ accounts, fundings, loads }: Lines): string[] => {
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

/** Every gap is a seam and every seam is a gap (PROTOCOL.md, I4). */
const auditSeams = ({ cards, settlements, seams }: Lines): string[] => {
  const problems: string[] = []
  for (const card of cards) {
    const known = settlements.filter((row) => row.card_no === card.card_no).map((row) => row.counter)
    const line = [0, ...known.sort((a, b) => a - b)]
    const gaps = line.flatMap((after, index) => {
      const before = line[index + 1]
      return before !== undefined && before - after > 1 ? [`${after}-${before}`] : []
    })
    const named = seams
      .filter((seam) => seam.card_no === card.card_no && seam.before_counter - seam.after_counter > 1)
      .map((seam) => `${seam.after_counter}-${seam.before_counter}`)
    if (gaps.toSorted().join() !== named.toSorted().join())
      problems.push(`card ${card.card_id} misses ${gaps.join() || 'nothing'}, named are ${named.join() || 'none'}`)
    if (line.at(-1) !== card.mark) problems.push(`card ${card.card_id} has mark ${card.mark}, not ${line.at(-1)}`)
  }
  return problems
}

const auditMerchants = (told: Report): string[] =>
  told.merchants.flatMap(({ merchant, payableMinor, cashOwedMinor }) => {
    const theirs = told.terminals.filter((terminal) => terminal.merchant === merchant)
    const taken = theirs.reduce((sum, each) => sum + each.payableMinor + each.heldMinor, 0)
    const loads = theirs.reduce((sum, each) => sum + each.loads.amountMinor, 0)
    return [
      ...(taken === payableMinor ? [] : [`${merchant} is owed ${payableMinor}, his terminals say ${taken}`]),
      ...(loads === cashOwedMinor ? [] : [`${merchant} owes ${cashOwedMinor} of loads, his terminals say ${loads}`]),
    ]
  })

/** @returns one sentence for each disagreement; none: the books agree with themselves */
export const auditBooks = async (issuer: Issuer): Promise<readonly string[]> => {
  const lines = await issuer.store.read(readLines)
  const told = await report(issuer)
  return [
    ...(told.trialBalanceMinor === 0 ? [] : [`the trial balance is ${told.trialBalanceMinor}`]),
    ...auditAccounts(lines),
    ...auditCards(lines),
    ...auditSeams(lines),
    ...auditFundings(lines),
    ...auditMerchants(told),
  ]
}
