/** Merchants: whom the issuer owes, what they are charged, where they are paid. */
import { sql } from 'kysely'
import * as v from 'valibot'
import { businessDays } from '../business-days.ts'
import { heldPayments } from '../closing/held.ts'
import { feeRates, partyOf, payInCash, setFee, setMerchant } from '../closing/payees.ts'
import {
  addedMerchant,
  addMerchantInput,
  feesAnswer,
  type MerchantDetail,
  type MerchantRow,
  merchantDetail,
  merchantInput,
  merchantsPage,
  merchantsQuery,
  payInAnswer,
  payInInput,
  setBrandInput,
  setFeeInput,
  setMerchantInput,
} from '../console-contract/merchants.ts'
import { partySchema } from '../console-contract/statement.ts'
import { IssuerError } from '../errors.ts'
import { isoTime } from '../iso-times.ts'
import type { Issuer } from '../issuer.ts'
import { addMerchant } from '../parties.ts'
import { brandIn, setBrand } from '../shelf/brand.ts'
import type { StoreReader } from '../store.ts'
import { removeUnsold, uploadOf } from './catalogue.ts'
import { answerList } from './paging.ts'
import { route } from './route.ts'

const terminalsListed = 200

export const merchantName = async (db: StoreReader, merchantNo: number): Promise<string> => {
  const row = await db.selectFrom('merchant').select('name').where('merchant_no', '=', merchantNo).executeTakeFirst()
  if (row === undefined)
    throw new IssuerError('unknownMerchant', 'There is no such merchant: see the list of merchants.')
  return row.name
}

const nameOf = (issuer: Issuer, merchantNo: number): Promise<string> =>
  issuer.store.read((db) => merchantName(db, merchantNo))

const merchants = (db: StoreReader) =>
  db
    .selectFrom('merchant')
    .innerJoin('account as payable', (join) =>
      join.onRef('payable.merchant_no', '=', 'merchant.merchant_no').on('payable.kind', '=', 'payable'),
    )
    .innerJoin('account as cash', (join) =>
      join.onRef('cash.merchant_no', '=', 'merchant.merchant_no').on('cash.kind', '=', 'merchantCash'),
    )
    .select(['merchant.merchant_no', 'merchant.name', 'merchant.iban'])
    .select(['payable.account_no as payable_no', 'payable.balance_minor as payable_minor'])
    .select(['cash.account_no as cash_no', 'cash.balance_minor as cash_minor'])
    .select((eb) => [
      eb
        .selectFrom('terminal')
        .whereRef('terminal.merchant_no', '=', 'merchant.merchant_no')
        .select((of) => of.fn.countAll<number | string>().as('count'))
        .as('terminals'),
      eb
        .selectFrom('period')
        .whereRef('period.merchant_no', '=', 'merchant.merchant_no')
        .select((of) => of.fn.max('until_day').as('until'))
        .as('closed_until'),
    ])
type Found = Awaited<ReturnType<ReturnType<typeof merchants>['execute']>>[number]

const shown = async (db: StoreReader, rows: readonly Found[], today: string): Promise<MerchantRow[]> => {
  const answers: MerchantRow[] = []
  for (const row of rows) {
    const fee = (await feeRates(db, row.merchant_no)).findLast(({ fromDay }) => fromDay <= today)
    answers.push({
      merchantNo: row.merchant_no,
      merchant: row.name,
      terminals: Number(row.terminals ?? 0),
      payableMinor: row.payable_minor,
      payableAccountNo: row.payable_no,
      cashOwedMinor: 0 - row.cash_minor,
      cashAccountNo: row.cash_no,
      ...(fee === undefined ? {} : { fee }),
      hasBankAccount: row.iban !== null,
      ...(row.closed_until === null ? {} : { closedUntil: row.closed_until }),
    })
  }
  return answers
}

const todayOf = (issuer: Issuer): string => businessDays(issuer.book.timeZone)(issuer.clock())

const list = route({
  method: 'GET',
  path: '/merchants',
  permission: 'read',
  summary: 'Merchants with what is owed to them and by them.',
  input: merchantsQuery,
  output: merchantsPage,
  handle: ({ issuer, input }) =>
    answerList(issuer, input, {
      select: (db) =>
        merchants(db)
          .$if(input.q !== undefined, (query) =>
            query.where((eb) =>
              eb(eb.fn('lower', ['merchant.name']), 'like', `%${(input.q ?? '').trim().toLowerCase()}%`),
            ),
          )
          .$if(input.state === 'owed', (query) => query.where('payable.balance_minor', '>', 0))
          .$if(input.state === 'owing', (query) =>
            query.where((eb) => eb.or([eb('cash.balance_minor', '<', 0), eb('payable.balance_minor', '<', 0)])),
          )
          .$if(input.state === 'noBankAccount', (query) => query.where('merchant.iban', 'is', null)),
      sorts: { merchant: 'merchant.name', payable: 'payable.balance_minor', cash: sql`-cash.balance_minor` },
      key: 'merchant.merchant_no',
      show: (rows, db) => shown(db, rows, todayOf(issuer)),
      csv: {
        fileName: 'merchants',
        columns: {
          merchant: (row) => row.merchant,
          terminals: (row) => row.terminals,
          owedMinor: (row) => row.payableMinor,
          cashOwedMinor: (row) => row.cashOwedMinor,
          feeBasisPoints: (row) => row.fee?.basisPoints,
          feeFixedMinor: (row) => row.fee?.fixedMinor,
          bankAccountKnown: (row) => (row.hasBankAccount ? 'yes' : 'no'),
          closedUntil: (row) => row.closedUntil,
        },
      },
    }),
})

const detail = route({
  method: 'GET',
  path: '/merchants/:merchantNo',
  permission: 'read',
  summary: 'One merchant: whom to pay and how, fees, terminals, what is held.',
  input: merchantInput,
  output: merchantDetail,
  handle: ({ issuer, input: { merchantNo } }) =>
    issuer.store.read(async (db): Promise<MerchantDetail> => {
      const found = await merchants(db).where('merchant.merchant_no', '=', merchantNo).executeTakeFirst()
      const row = await db.selectFrom('merchant').selectAll().where('merchant_no', '=', merchantNo).executeTakeFirst()
      if (found === undefined || row === undefined)
        throw new IssuerError('unknownMerchant', 'There is no such merchant: see the list of merchants.')
      const [summary] = await shown(db, [found], todayOf(issuer))
      if (summary === undefined) throw new Error('a merchant vanished')
      const held = await heldPayments(db, { merchantNo, untilDay: '9999-12-31' })
      const terminals = await db
        .selectFrom('terminal')
        .select('terminal_id')
        .where('merchant_no', '=', merchantNo)
        .orderBy('terminal_no')
        .limit(terminalsListed)
        .execute()
      const { accent, logo } = (await brandIn(db, found.name)) ?? {}
      return {
        ...summary,
        brand: { ...(accent === undefined ? {} : { accent }), ...(logo === undefined ? {} : { logo }) },
        party: partyOf(row),
        fees: await feeRates(db, merchantNo),
        heldMinor: held.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
        heldCount: held.length,
        terminalIds: terminals.map(({ terminal_id }) => terminal_id),
        addedAt: isoTime(row.created_at),
      }
    }),
})

const add = route({
  method: 'POST',
  path: '/merchants',
  permission: 'finance',
  fresh: true,
  summary: 'Adds a merchant with his accounts.',
  input: addMerchantInput,
  output: addedMerchant,
  handle: async ({ issuer, input, caller }) => {
    const { merchant, added } = await addMerchant(issuer, input.name, caller)
    if (!added) throw new IssuerError('refused', `There is a merchant "${merchant}" already.`)
    const row = await issuer.store.read((db) =>
      db.selectFrom('merchant').select('merchant_no').where('name', '=', merchant).executeTakeFirstOrThrow(),
    )
    return { merchantNo: row.merchant_no, merchant }
  },
})

/** Fields that were left empty are not changed. */
const given = <Value extends object>(value: Value): Partial<Value> =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Partial<Value>

const change = route({
  method: 'POST',
  path: '/merchants/:merchantNo/details',
  permission: 'finance',
  fresh: true,
  summary: 'Changes whom to pay and where; what is left out stays, and an empty text removes what was known.',
  input: setMerchantInput,
  output: partySchema,
  handle: async ({ issuer, input: { merchantNo, ...details }, caller }) =>
    setMerchant(issuer, { merchant: await nameOf(issuer, merchantNo), details: given(details), by: caller }),
})

const brand = route({
  method: 'POST',
  path: '/merchants/:merchantNo/brand',
  permission: 'operate',
  summary: 'Changes by what a merchant’s kiosks are recognised, from the next publication on.',
  input: setBrandInput,
  output: v.object({}),
  handle: async ({ issuer, caller, input: { merchantNo, accent, logo } }) => {
    const file = await uploadOf(issuer, logo)
    const change = {
      ...(accent === undefined ? {} : { accent }),
      ...(file === undefined ? {} : { logo: file }),
    }
    try {
      await setBrand(issuer, await nameOf(issuer, merchantNo), change, caller.name)
    } catch (error) {
      // Nobody will ask for it again.
      if (logo) await removeUnsold(issuer, logo.contentHash)
      throw error
    }
    return {}
  },
})

const fee = route({
  method: 'POST',
  path: '/merchants/:merchantNo/fee',
  permission: 'finance',
  fresh: true,
  summary: 'Sets a fee from a day on, after the last closed period.',
  input: setFeeInput,
  output: feesAnswer,
  handle: async ({ issuer, input: { merchantNo, ...rate }, caller }) => ({
    fees: await setFee(issuer, { merchant: await nameOf(issuer, merchantNo), rate, by: caller }),
  }),
})

const payIn = route({
  method: 'POST',
  path: '/merchants/:merchantNo/cash',
  permission: 'finance',
  fresh: true,
  summary: 'Notes that a merchant paid in cash that he took for loads.',
  input: payInInput,
  output: payInAnswer,
  handle: async ({ issuer, input: { merchantNo, ...paid }, caller }) =>
    payInCash(issuer, { merchant: await nameOf(issuer, merchantNo), ...paid, by: caller }),
})

export const merchantRoutes = [list, detail, add, change, brand, fee, payIn]
