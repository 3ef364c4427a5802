/** Accounts and the journal: every number is made of transfers, and each of those has its document. */
import * as v from 'valibot'
import { bookAccounts } from '../books-tables.ts'
import {
  type Account,
  accountInput,
  accountSchema,
  balancesSchema,
  transfersPage,
  transfersQuery,
} from '../console-contract/ledger.ts'
import { IssuerError } from '../errors.ts'
import { isoTime } from '../iso-times.ts'
import type { StoreReader } from '../store.ts'
import { answerList } from './paging.ts'
import { route } from './route.ts'

const accounts = (db: StoreReader) =>
  db
    .selectFrom('account')
    .leftJoin('merchant', 'merchant.merchant_no', 'account.merchant_no')
    .select(['account_no', 'kind', 'account.merchant_no', 'merchant.name', 'balance_minor'])
type Found = Awaited<ReturnType<ReturnType<typeof accounts>['execute']>>[number]

const shown = (row: Found): Account => ({
  accountNo: row.account_no,
  kind: row.kind,
  ...(row.merchant_no === null ? {} : { merchantNo: row.merchant_no }),
  ...(row.name === null ? {} : { merchant: row.name }),
  balanceMinor: row.balance_minor,
})

const balances = route({
  method: 'GET',
  path: '/accounts',
  permission: 'read',
  summary: 'The trial balance: the accounts of the book, and the sums of all merchants.',
  input: v.object({}),
  output: balancesSchema,
  handle: ({ issuer }) =>
    issuer.store.read(async (db) => {
      const own = await accounts(db).where('account.merchant_no', 'is', null).execute()
      const theirs = await db
        .selectFrom('account')
        .select('kind')
        .select((eb) => [
          eb.fn.sum<number | string>('balance_minor').as('minor'),
          eb.fn.countAll<number | string>().as('count'),
        ])
        .where('merchant_no', 'is not', null)
        .groupBy('kind')
        .execute()
      const sum = (kind: string) => Number(theirs.find((row) => row.kind === kind)?.minor ?? 0)
      const [payableMinor, merchantCashMinor] = [sum('payable'), sum('merchantCash')]
      const order: readonly string[] = bookAccounts
      return {
        accounts: own.map(shown).toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)),
        payableMinor,
        merchantCashMinor,
        merchants: Number(theirs.find((row) => row.kind === 'payable')?.count ?? 0),
        trialBalanceMinor: own.reduce((all, row) => all + row.balance_minor, 0) + payableMinor + merchantCashMinor,
      }
    }),
})

const account = route({
  method: 'GET',
  path: '/accounts/:accountNo',
  permission: 'read',
  summary: 'One account.',
  input: accountInput,
  output: accountSchema,
  handle: ({ issuer, input }) =>
    issuer.store.read(async (db) => {
      const row = await accounts(db).where('account_no', '=', input.accountNo).executeTakeFirst()
      if (row === undefined) throw new IssuerError('input', 'There is no such account: see the ledger.')
      return shown(row)
    }),
})

const transfers = route({
  method: 'GET',
  path: '/transfers',
  permission: 'read',
  summary: 'The journal: every transfer with its cause and its document.',
  input: transfersQuery,
  output: transfersPage,
  handle: ({ issuer, input }) =>
    answerList(issuer, input, {
      select: (db) =>
        db
          .selectFrom('transfer')
          .leftJoin('card', 'card.card_no', 'transfer.card_no')
          .select(['transfer_no', 'from_account', 'to_account', 'amount_minor', 'cause', 'document', 'counter'])
          .select(['booked_at', 'business_day', 'period_no', 'card_id'])
          .$if(input.accountNo !== undefined, (query) =>
            query.where((eb) =>
              eb.or([eb('from_account', '=', input.accountNo ?? 0), eb('to_account', '=', input.accountNo ?? 0)]),
            ),
          )
          .$if(input.merchantNo !== undefined, (query) =>
            query.where((eb) => {
              const his = eb
                .selectFrom('account')
                .select('account_no')
                .where('merchant_no', '=', input.merchantNo ?? 0)
              return eb.or([eb('from_account', 'in', his), eb('to_account', 'in', his)])
            }),
          )
          .$if(input.day !== undefined && input.day !== '', (query) =>
            query.where('business_day', '=', input.day ?? ''),
          )
          .$if(input.cause !== undefined && input.cause !== '', (query) => query.where('cause', '=', input.cause ?? ''))
          .$if(input.card !== undefined && input.card !== '', (query) =>
            query.where((eb) =>
              eb(
                'transfer.card_no',
                'in',
                eb
                  .selectFrom('card')
                  .select('card_no')
                  .where('card_id', '=', input.card ?? ''),
              ),
            ),
          )
          .$if(input.document !== undefined && input.document !== '', (query) =>
            query.where('document', '=', input.document ?? ''),
          ),
      sorts: { booked: 'transfer_no' },
      key: 'transfer_no',
      show: async (rows, db) => {
        const numbers = [...new Set(rows.flatMap((row) => [row.from_account, row.to_account]))]
        const named = numbers.length === 0 ? [] : await accounts(db).where('account_no', 'in', numbers).execute()
        const known = new Map(named.map((row) => [row.account_no, shown(row)]))
        const find = (accountNo: number): Account => {
          const found = known.get(accountNo)
          if (found === undefined) throw new Error(`there is no account ${accountNo}`)
          return found
        }
        return rows.map((row) => ({
          transferNo: row.transfer_no,
          bookedAt: isoTime(row.booked_at),
          businessDay: row.business_day,
          from: find(row.from_account),
          to: find(row.to_account),
          amountMinor: row.amount_minor,
          cause: row.cause,
          document: row.document,
          ...(row.card_id === null ? {} : { cardId: row.card_id }),
          ...(row.counter === null ? {} : { counter: row.counter }),
          ...(row.period_no === null ? {} : { periodNo: row.period_no }),
        }))
      },
      csv: {
        fileName: 'journal',
        columns: {
          transfer: (row) => row.transferNo,
          booked: (row) => row.bookedAt,
          businessDay: (row) => row.businessDay,
          from: (row) => row.from.kind,
          fromMerchant: (row) => row.from.merchant,
          to: (row) => row.to.kind,
          toMerchant: (row) => row.to.merchant,
          amountMinor: (row) => row.amountMinor,
          cause: (row) => row.cause,
          document: (row) => row.document,
          card: (row) => row.cardId,
          counter: (row) => row.counter,
          period: (row) => row.periodNo,
        },
      },
    }),
})

export const ledgerRoutes = [balances, account, transfers]
