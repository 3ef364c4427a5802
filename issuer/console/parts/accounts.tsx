/** Accounts and causes of the books in words. */
import { Link } from 'wouter'
import type { Account } from '../../console-contract/ledger.ts'
import { causeInWords } from '../../console-contract/statement-lines.ts'
import { MerchantLink, pathTo } from './links.tsx'

/** Name, and what stands in it. */
const accountWords: Readonly<Record<string, readonly [string, string]>> = {
  float: ['Float', 'What cards hold'],
  payable: ['Payable', 'Owed to merchants'],
  merchantCash: ['Merchants’ cash', 'Cash that merchants took for loads; below zero, they owe it'],
  fees: ['Fees', 'Earned from merchants'],
  suspense: ['Suspense', 'Waits for a person'],
  holes: ['Holes', 'Named sums of counters that are missing'],
  bank: ['Bank', 'The issuer’s own account; below zero, it is there'],
  breakage: ['Breakage', 'Value of cards that lapsed'],
  vouchers: ['Vouchers', 'Sold, and on no card yet'],
  credits: ['Credits', 'Owed to cardholders'],
  losses: ['Losses', 'Written off; below zero'],
}

export const accountName = (kind: string): string => accountWords[kind]?.[0] ?? kind
export const accountMeaning = (kind: string): string => accountWords[kind]?.[1] ?? ''

export function AccountLink({ account }: { account: Account }) {
  return (
    <>
      <Link href={pathTo.account(account.accountNo)}>{accountName(account.kind)}</Link>
      {account.merchantNo === undefined || account.merchant === undefined ? null : (
        <>
          {' · '}
          <MerchantLink no={account.merchantNo} name={account.merchant} />
        </>
      )}
    </>
  )
}

const causes: Readonly<Record<string, string>> = {
  payment: 'Sale',
  reversal: 'Reversal',
  hole: 'Gap of a card',
  load: 'Load',
  fee: 'Fee',
  cashOffset: 'Cash set off',
  payout: 'Payout',
  cashPaidIn: 'Cash paid in',
}

/** Such as "Sale" or "Sale, undone". */
export const causeName = (cause: string): string => {
  const [plain = '', undone] = cause.split(', ')
  const name = causes[plain] ?? causeInWords(plain)
  return undone === undefined ? name : `${name}, ${undone}`
}

export const causeOptions = Object.entries(causes)
