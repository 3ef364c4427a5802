/** Whom to pay and how: merchants' names, addresses, bank accounts and fees, and the issuer's own. */
import * as v from 'valibot'
import type { Actor } from '../actor.ts'
import { noteChange } from '../audit-log.ts'
import { businessDays, requireDay } from '../business-days.ts'
import { type Party, partySchema } from '../console-contract/statement.ts'
import { IssuerError } from '../errors.ts'
import type { Issuer } from '../issuer.ts'
import { book } from '../postings.ts'
import type { StoreReader, StoreWriter } from '../store.ts'
import type { FeeRate } from './fees.ts'
import { parseBic, parseIban } from './iban.ts'

/** The fields of ISO 20022's structured address, and how long they may be. */
const lengthMax = { legalName: 70, street: 70, postcode: 16, town: 35 } as const

export type PartyDetails = Partial<Omit<Party, 'name'>>

const wholeText = (field: keyof typeof lengthMax, text: string): string => {
  const whole = text.replaceAll(/\s+/g, ' ').trim()
  if (whole === '' || whole.length > lengthMax[field])
    throw new IssuerError('input', `"${text}" does not fit: ${field} has 1 to ${lengthMax[field]} characters.`)
  return whole
}

const parseCountry = (text: string): string => {
  const country = text.trim().toUpperCase()
  if (!/^[A-Z]{2}$/.test(country))
    throw new IssuerError('input', `"${text}" is not a country: two letters of ISO 3166, such as AT.`)
  return country
}

/** @throws IssuerError `input` */
const checkDetails = (details: PartyDetails): PartyDetails => ({
  ...(details.legalName === undefined ? {} : { legalName: wholeText('legalName', details.legalName) }),
  ...(details.street === undefined ? {} : { street: wholeText('street', details.street) }),
  ...(details.postcode === undefined ? {} : { postcode: wholeText('postcode', details.postcode) }),
  ...(details.town === undefined ? {} : { town: wholeText('town', details.town) }),
  ...(details.country === undefined ? {} : { country: parseCountry(details.country) }),
  ...(details.iban === undefined ? {} : { iban: parseIban(details.iban) }),
  ...(details.bic === undefined ? {} : { bic: parseBic(details.bic) }),
})

/** @throws IssuerError `unknownMerchant` */
export const findMerchant = async (db: Pick<StoreReader, 'selectFrom'>, name: string) => {
  const row = await db.selectFrom('merchant').selectAll().where('name', '=', name.trim()).executeTakeFirst()
  if (row === undefined)
    throw new IssuerError(
      'unknownMerchant',
      `There is no merchant "${name}": add it with "farthing issuer merchant add".`,
    )
  return row
}
export type MerchantRow = Awaited<ReturnType<typeof findMerchant>>

const present = <Value extends object>(value: Value): Value =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null && member !== undefined)) as Value

export const partyOf = (row: MerchantRow): Party =>
  v.parse(
    partySchema,
    present({
      name: row.name,
      legalName: row.legal_name,
      street: row.street,
      postcode: row.postcode,
      town: row.town,
      country: row.country,
      iban: row.iban,
      bic: row.bic,
    }),
  )

/** Changes what is given, removes what is given as '', and leaves the rest. @throws IssuerError `input`, `unknownMerchant` */
export const setMerchant = async (
  issuer: Issuer,
  change: { readonly merchant: string; readonly details: PartyDetails; readonly by: Actor },
): Promise<Party> => {
  const entries = Object.entries(change.details)
  const removed = Object.fromEntries(entries.filter(([, text]) => text === '').map(([field]) => [field, null]))
  const details = { ...checkDetails(Object.fromEntries(entries.filter(([, text]) => text !== ''))), ...removed }
  return issuer.store.write(async (db) => {
    const before = await findMerchant(db, change.merchant)
    const { legalName, ...rest } = details
    const columns = { ...rest, ...(legalName === undefined ? {} : { legal_name: legalName }) }
    if (Object.keys(columns).length > 0)
      await db.updateTable('merchant').set(columns).where('merchant_no', '=', before.merchant_no).execute()
    const after = partyOf(await findMerchant(db, before.name))
    await noteChange(
      db,
      { name: change.by.name, at: issuer.clock() },
      { action: 'merchant.set', subject: before.name, before: partyOf(before), after },
    )
    return after
  })
}

export const feeRates = async (db: Pick<StoreReader, 'selectFrom'>, merchantNo: number): Promise<FeeRate[]> => {
  const rows = await db
    .selectFrom('merchant_fee')
    .selectAll()
    .where('merchant_no', '=', merchantNo)
    .orderBy('from_day')
    .execute()
  return rows.map((row) => ({ fromDay: row.from_day, basisPoints: row.basis_points, fixedMinor: row.fixed_minor }))
}

const requireRate = ({ basisPoints, fixedMinor }: FeeRate): void => {
  if (!Number.isInteger(basisPoints) || basisPoints < 0 || basisPoints > 10_000)
    throw new IssuerError('input', 'A fee has 0 to 10000 basis points: 250 are 2.5 %.')
  if (!Number.isSafeInteger(fixedMinor) || fixedMinor < 0)
    throw new IssuerError('input', "A fee's fixed amount is not below 0.")
}

/**
 * Sets a fee from a day on.
 * @param change.rate.fromDay absent: today
 * @throws IssuerError `input`: the day lies in a period that is closed; `unknownMerchant`
 */
export const setFee = async (
  issuer: Issuer,
  change: {
    readonly merchant: string
    readonly rate: Omit<FeeRate, 'fromDay'> & { readonly fromDay?: string }
    readonly by: Actor
  },
): Promise<FeeRate[]> => {
  const rate: FeeRate = {
    ...change.rate,
    fromDay: change.rate.fromDay ?? businessDays(issuer.book.timeZone)(issuer.clock()),
  }
  requireDay(rate.fromDay)
  requireRate(rate)
  return issuer.store.write(async (db) => {
    const merchant = await findMerchant(db, change.merchant)
    const merchantNo = merchant.merchant_no
    const closed = await db
      .selectFrom('period')
      .select('until_day')
      .where('merchant_no', '=', merchantNo)
      .orderBy('sequence', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (closed !== undefined && rate.fromDay <= closed.until_day)
      throw new IssuerError(
        'input',
        `The period of ${merchant.name} until ${closed.until_day} is closed: a fee can begin on the day after, or later.`,
      )
    const before = await feeRates(db, merchantNo)
    const columns = { basis_points: rate.basisPoints, fixed_minor: rate.fixedMinor, set_at: issuer.clock() }
    await db
      .insertInto('merchant_fee')
      .values({ merchant_no: merchantNo, from_day: rate.fromDay, ...columns })
      .onConflict((conflict) => conflict.columns(['merchant_no', 'from_day']).doUpdateSet(columns))
      .execute()
    const after = await feeRates(db, merchantNo)
    await noteChange(
      db,
      { name: change.by.name, at: issuer.clock() },
      { action: 'merchant.fee.set', subject: merchant.name, before, after },
    )
    return after
  })
}

const bankSetting = 'bank'

/** The issuer as a payer; undefined: it was not said yet. */
export const issuerParty = async (db: Pick<StoreReader, 'selectFrom'>): Promise<Party | undefined> => {
  const row = await db.selectFrom('setting').select('value').where('key', '=', bankSetting).executeTakeFirst()
  return row === undefined ? undefined : v.parse(partySchema, JSON.parse(row.value))
}

/** @throws IssuerError `input` */
export const setBank = async (
  issuer: Issuer,
  change: { readonly details: Omit<PartyDetails, 'legalName'> & { readonly name?: string }; readonly by: Actor },
): Promise<Party> => {
  const { name, ...rest } = change.details
  const details = checkDetails({ ...rest, ...(name === undefined ? {} : { legalName: name }) })
  return issuer.store.write(async (db) => {
    const before = await issuerParty(db)
    const { legalName, ...others } = details
    const after: Party = { ...before, ...others, name: legalName ?? before?.name ?? '' }
    if (after.name === '') throw new IssuerError('input', 'Say whose account it is: --name NAME.')
    await db
      .insertInto('setting')
      .values({ key: bankSetting, value: JSON.stringify(after) })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: JSON.stringify(after) }))
      .execute()
    await noteChange(
      db,
      { name: change.by.name, at: issuer.clock() },
      { action: 'bank.set', subject: after.name, ...(before === undefined ? {} : { before }), after },
    )
    return after
  })
}

/** Cash that a merchant took for loads and owes: above 0. */
export const cashOwed = async (db: StoreWriter, merchantNo: number): Promise<number> => {
  const row = await db
    .selectFrom('account')
    .select('balance_minor')
    .where('kind', '=', 'merchantCash')
    .where('merchant_no', '=', merchantNo)
    .executeTakeFirstOrThrow()
  return 0 - row.balance_minor
}

/**
 * Notes that a merchant paid in cash that he took for loads.
 * @param paid.document what the bank's statement calls it
 * @throws IssuerError `input`: more than he owes; `unknownMerchant`
 */
export const payInCash = (
  issuer: Issuer,
  paid: { readonly merchant: string; readonly amountMinor: number; readonly document: string; readonly by: Actor },
): Promise<{ readonly merchant: string; readonly cashOwedMinor: number }> =>
  issuer.store.write(async (db) => {
    const merchant = await findMerchant(db, paid.merchant)
    const merchantNo = merchant.merchant_no
    const before = await cashOwed(db, merchantNo)
    if (!Number.isSafeInteger(paid.amountMinor) || paid.amountMinor <= 0)
      throw new IssuerError('input', 'Say how much was paid in: more than 0.')
    if (paid.amountMinor > before)
      throw new IssuerError(
        'refused',
        `${merchant.name} owes less than that: check the amount, and whose payment it is.`,
      )
    await book(
      db,
      {
        from: { kind: 'bank' },
        to: { kind: 'merchantCash', merchantNo },
        amountMinor: paid.amountMinor,
        cause: 'cashPaidIn',
        document: `bank ${paid.document}`,
      },
      issuer.clock(),
    )
    const after = before - paid.amountMinor
    await noteChange(
      db,
      { name: paid.by.name, at: issuer.clock() },
      {
        action: 'merchant.cash.paidIn',
        subject: merchant.name,
        before: { cashOwedMinor: before },
        after: { cashOwedMinor: after, amountMinor: paid.amountMinor, document: paid.document },
      },
    )
    return { merchant: merchant.name, cashOwedMinor: after }
  })
