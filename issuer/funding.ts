/**
 * What loads are funded with besides cash (PROTOCOL.md, Loads): vouchers, sold in lots and known by their hash alone, and
 * credits, which are owed to one card. Each pays for one load, once; and what funds the float is a report.
 */
import { type Selectable, sql } from 'kysely'
import { formatAmount } from '../protocol/currency.ts'
import { fundingHash, fundingReference } from '../protocol/funding-reference.ts'
import type { ShortHash } from '../protocol/quantities.ts'
import { type Actor, requireReason } from './actor.ts'
import { noteChange } from './audit-log.ts'
import type { CreditCause, FundingKind, VoucherLotTable } from './card-tables.ts'
import { chunks } from './chunks.ts'
import { IssuerError } from './errors.ts'
import { isoDay } from './iso-times.ts'
import type { Issuer } from './issuer.ts'
import { loadMinorMax } from './load-funding.ts'
import { type AccountName, book, findAccount } from './postings.ts'
import { askSecondPerson, type Proposed } from './second-person.ts'
import type { StoreReader, StoreWriter } from './store.ts'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** 80 bits: nobody finds a code that is valid by trying. */
const voucherLetters = 16
/** Useless without its card: short enough to be read out. */
const creditLetters = 10
export const voucherCountMax = 100_000

const randomReference = (issuer: Pick<Issuer, 'randomBytes'>, letters: number): string =>
  Array.from(issuer.randomBytes(letters), (byte) => alphabet.charAt(byte % alphabet.length))
    .join('')
    .replace(/.{4}(?=.)/g, '$&-')

/** @returns fresh codes such as "7KQ2-0F9M-XW3T-H5RA" @throws IssuerError `input` */
export const makeVoucherCodes = (issuer: Pick<Issuer, 'randomBytes'>, count: number): string[] => {
  if (!Number.isInteger(count) || count < 1 || count > voucherCountMax)
    throw new IssuerError('input', `A lot has 1 to ${voucherCountMax} vouchers.`)
  const codes = new Set<string>()
  while (codes.size < count) codes.add(randomReference(issuer, voucherLetters))
  return [...codes]
}

export interface VoucherLot {
  readonly lotNo: number
  readonly amountMinor: number
  readonly count: number
  readonly expiresAt: number
  /** absent: handed out on trust. */
  readonly paidAt?: number
  readonly paidReference?: string
}

const bankReference = (reference: string): string => {
  const text = reference.trim()
  if (text === '' || text.length > 140)
    throw new IssuerError('input', "A bank's reference has 1 to 140 characters: the one on the account statement.")
  return text
}

/**
 * Makes a lot of vouchers valid. The codes are not kept: whoever calls this has stored them already.
 * @param lot.paidReference the bank's word that they are paid; absent: they are handed out on trust, and the report says so
 * @returns `proposed`: the codes are not valid, since a second person has to decide the same
 * @throws IssuerError `input`
 */
export const addVoucherLot = async (
  issuer: Issuer,
  by: Actor,
  lot: {
    readonly codes: readonly string[]
    readonly amountMinor: number
    readonly expiresAt: number
    readonly paidReference?: string
  },
): Promise<VoucherLot | Proposed> => {
  const { codes, amountMinor, expiresAt } = lot
  const at = issuer.clock()
  const paidReference = lot.paidReference === undefined ? undefined : bankReference(lot.paidReference)
  if (!Number.isSafeInteger(amountMinor) || amountMinor <= 0 || amountMinor > loadMinorMax(issuer))
    throw new IssuerError('input', 'A voucher is worth more than nothing, and no more than a single load may bring.')
  if (expiresAt <= at) throw new IssuerError('input', 'The vouchers would have expired already: choose a later day.')
  return issuer.store.write(async (db) => {
    if (paidReference === undefined) {
      const count = codes.length
      const proposed = await askSecondPerson(db, {
        by,
        at,
        decision: { kind: 'vouchers', amountMinor: amountMinor * count, eachMinor: amountMinor, count, expiresAt },
        reason: 'on trust',
      })
      if (proposed !== undefined) return proposed
    }
    const { lot_no: lotNo } = await db
      .insertInto('voucher_lot')
      .values({
        amount_minor: amountMinor,
        voucher_count: codes.length,
        expires_at: expiresAt,
        paid_at: null,
        paid_reference: null,
        made_at: at,
        made_by: by.name,
      })
      .returning('lot_no')
      .executeTakeFirstOrThrow()
    for (const some of chunks(codes, 50))
      await db
        .insertInto('funding')
        .values(
          some.map((code) => ({
            reference_hash: fundingHash(code),
            kind: 'voucher' as const,
            amount_minor: amountMinor,
            expires_at: expiresAt,
            lot_no: lotNo,
            made_at: at,
            made_by: by.name,
          })),
        )
        .execute()
    if (paidReference !== undefined) await bookLotPaid(issuer, db, { lotNo, paidReference })
    await noteChange(
      db,
      { name: by.name, at },
      {
        action: 'voucher.lot.add',
        subject: String(lotNo),
        after: {
          amountMinor,
          count: codes.length,
          expiresAt,
          ...(paidReference === undefined ? {} : { paidReference }),
        },
      },
    )
    return {
      lotNo,
      amountMinor,
      count: codes.length,
      expiresAt,
      ...(paidReference === undefined ? {} : { paidAt: at, paidReference }),
    }
  })
}

/** @throws IssuerError `input` */
const bookLotPaid = async (
  issuer: Issuer,
  db: StoreWriter,
  { lotNo, paidReference }: { readonly lotNo: number; readonly paidReference: string },
): Promise<number> => {
  const at = issuer.clock()
  const { sum } = await db
    .selectFrom('funding')
    .select((eb) => eb.fn.sum<number | null>('amount_minor').as('sum'))
    .where('lot_no', '=', lotNo)
    .where('state', '!=', 'cancelled')
    .executeTakeFirstOrThrow()
  const amountMinor = Number(sum ?? 0)
  if (amountMinor === 0) throw new IssuerError('refused', `Lot ${lotNo} was cancelled: nothing of it is to be paid.`)
  await db
    .updateTable('voucher_lot')
    .set({ paid_at: at, paid_reference: paidReference })
    .where('lot_no', '=', lotNo)
    .execute()
  await book(
    db,
    {
      from: { kind: 'bank' },
      to: { kind: 'vouchers' },
      amountMinor,
      cause: 'vouchersPaid',
      document: `voucher lot ${lotNo}`,
    },
    at,
  )
  return amountMinor
}

const requireUnpaidLot = async (db: StoreReader, lotNo: number) => {
  const lot = await db.selectFrom('voucher_lot').selectAll().where('lot_no', '=', lotNo).executeTakeFirst()
  if (lot === undefined)
    throw new IssuerError('input', `There is no voucher lot ${lotNo}: see "farthing issuer voucher list".`)
  if (lot.paid_at !== null)
    throw new IssuerError('refused', `Lot ${lotNo} was paid already, with the reference "${lot.paid_reference}".`)
  return lot
}

/** The bank told of a lot's money. @throws IssuerError `input` */
export const payVoucherLot = (
  issuer: Issuer,
  by: Actor,
  lot: { readonly lotNo: number; readonly paidReference: string },
): Promise<{ lotNo: number; amountMinor: number }> => {
  const { lotNo } = lot
  const paidReference = bankReference(lot.paidReference)
  return issuer.store.write(async (db) => {
    await requireUnpaidLot(db, lotNo)
    const amountMinor = await bookLotPaid(issuer, db, { lotNo, paidReference })
    await noteChange(
      db,
      { name: by.name, at: issuer.clock() },
      {
        action: 'voucher.lot.pay',
        subject: String(lotNo),
        after: { paidReference, amountMinor },
      },
    )
    return { lotNo, amountMinor }
  })
}

/** Ends what is still open of a lot that nobody paid: stolen, or never sold. @throws IssuerError `input` */
export const cancelVoucherLot = (
  issuer: Issuer,
  by: Actor,
  lot: { readonly lotNo: number; readonly reason: string },
): Promise<{ lotNo: number; cancelled: number }> => {
  const { lotNo } = lot
  const reason = requireReason(lot.reason)
  return issuer.store.write(async (db) => {
    await requireUnpaidLot(db, lotNo)
    const ended = await db
      .updateTable('funding')
      .set({ state: 'cancelled' })
      .where('lot_no', '=', lotNo)
      .where('state', '=', 'open')
      .executeTakeFirst()
    const cancelled = Number(ended.numUpdatedRows)
    await db
      .updateTable('voucher_lot')
      .set({ cancelled_at: issuer.clock() })
      .where('lot_no', '=', lotNo)
      .where('cancelled_at', 'is', null)
      .execute()
    await noteChange(
      db,
      { name: by.name, at: issuer.clock() },
      {
        action: 'voucher.lot.cancel',
        subject: String(lotNo),
        after: { cancelled, reason },
      },
    )
    return { lotNo, cancelled }
  })
}

export interface LotOverview extends VoucherLot {
  readonly openCount: number
  readonly usedCount: number
  readonly cancelledCount: number
  readonly lapsedCount: number
  readonly madeAt: number
  readonly madeBy: string
}

/** The newest first. @param before only older lots than this one */
export const voucherLots = async (
  db: StoreReader,
  page: { readonly before?: number; readonly limit: number },
): Promise<LotOverview[]> => {
  const lots = await db
    .selectFrom('voucher_lot')
    .selectAll()
    .$if(page.before !== undefined, (query) => query.where('lot_no', '<', page.before ?? 0))
    .orderBy('lot_no', 'desc')
    .limit(page.limit)
    .execute()
  return lotOverviews(db, lots)
}

/** How many of each lot's vouchers are in which state. */
export const lotOverviews = async (
  db: StoreReader,
  lots: readonly Selectable<VoucherLotTable>[],
): Promise<LotOverview[]> => {
  if (lots.length === 0) return []
  const counts = await db
    .selectFrom('funding')
    .select(['lot_no', 'state', (eb) => eb.fn.countAll<number>().as('count')])
    .where(
      'lot_no',
      'in',
      lots.map(({ lot_no }) => lot_no),
    )
    .groupBy(['lot_no', 'state'])
    .execute()
  return lots.map((lot) => {
    const count = (state: string) =>
      Number(counts.find((row) => row.lot_no === lot.lot_no && row.state === state)?.count ?? 0)
    return {
      lotNo: lot.lot_no,
      amountMinor: lot.amount_minor,
      count: lot.voucher_count,
      expiresAt: lot.expires_at,
      ...(lot.paid_at === null || lot.paid_reference === null
        ? {}
        : { paidAt: lot.paid_at, paidReference: lot.paid_reference }),
      openCount: count('open'),
      usedCount: count('used'),
      cancelledCount: count('cancelled'),
      lapsedCount: count('lapsed'),
      madeAt: lot.made_at,
      madeBy: lot.made_by,
    }
  })
}

/**
 * Owes money to one card: it reaches the card with a load that names the reference. In the caller's transaction.
 * @param credit.from the account that pays for it
 * @param credit.onlyCounter no other counter of the card may take it, unless a record other than a reversal has settled that one
 */
export const makeCredit = async (
  issuer: Issuer,
  db: StoreWriter,
  credit: {
    readonly by: Actor
    readonly cardNo: number
    readonly amountMinor: number
    readonly from: AccountName
    readonly cause: CreditCause
    readonly document: string
    readonly counter?: number
    readonly onlyCounter?: number
    /** Whose booking it is, when not the credit's own card's. */
    readonly bookedCardNo?: number
  },
): Promise<{ fundingNo: number; reference: string }> => {
  const at = issuer.clock()
  const reference = randomReference(issuer, creditLetters)
  const { funding_no: fundingNo } = await db
    .insertInto('funding')
    .values({
      reference_hash: fundingHash(reference),
      kind: 'credit',
      amount_minor: credit.amountMinor,
      card_no: credit.cardNo,
      reference,
      cause: credit.cause,
      only_counter: credit.onlyCounter ?? null,
      from_account: (await findAccount(db, credit.from)).accountNo,
      made_at: at,
      made_by: credit.by.name,
    })
    .returning('funding_no')
    .executeTakeFirstOrThrow()
  await book(
    db,
    {
      from: credit.from,
      to: { kind: 'credits' },
      amountMinor: credit.amountMinor,
      cause: credit.cause,
      document: credit.document,
      cardNo: credit.bookedCardNo ?? credit.cardNo,
      ...(credit.counter === undefined ? {} : { counter: credit.counter }),
    },
    at,
  )
  return { fundingNo, reference }
}

/** Takes back a credit that was not used: its money returns to where it came from. @throws IssuerError `input` */
export const cancelCredit = (
  issuer: Issuer,
  by: Actor,
  credit: { readonly reference: string; readonly reason: string },
): Promise<{ reference: string; amountMinor: number }> => {
  const reason = requireReason(credit.reason)
  const hash = hashOf(credit.reference)
  return issuer.store.write(async (db) => {
    const at = issuer.clock()
    const found =
      hash === undefined
        ? undefined
        : await db
            .updateTable('funding')
            .set({ state: 'cancelled' })
            .where('reference_hash', '=', hash)
            .where('kind', '=', 'credit')
            .where('state', '=', 'open')
            .returningAll()
            .executeTakeFirst()
    if (found === undefined || found.reference === null || found.from_account === null || found.card_no === null)
      throw new IssuerError('refused', `There is no open credit "${credit.reference}": the card's history lists them.`)
    if (found.cause === 'replacement')
      throw new IssuerError('refused', "The value of a replaced card is not taken back: it is its holder's money.")
    await book(
      db,
      {
        from: { kind: 'credits' },
        to: await accountNamed(db, found.from_account),
        amountMinor: found.amount_minor,
        cause: 'creditCancelled',
        document: `credit ${found.reference}`,
        cardNo: found.card_no,
      },
      at,
    )
    await noteChange(
      db,
      { name: by.name, at },
      {
        action: 'credit.cancel',
        subject: found.reference,
        before: { amountMinor: found.amount_minor, cause: found.cause },
        after: { reason },
      },
    )
    return { reference: found.reference, amountMinor: found.amount_minor }
  })
}

const accountNamed = async (db: StoreReader, accountNo: number): Promise<AccountName> => {
  const { kind, merchant_no: merchantNo } = await db
    .selectFrom('account')
    .select(['kind', 'merchant_no'])
    .where('account_no', '=', accountNo)
    .executeTakeFirstOrThrow()
  if (kind !== 'payable' && kind !== 'merchantCash') return { kind }
  if (merchantNo === null) throw new Error(`account ${accountNo} is of no merchant`)
  return { kind, merchantNo }
}

const hashOf = (typed: string): ShortHash | undefined => {
  try {
    return fundingHash(fundingReference(typed))
  } catch {
    return undefined
  }
}

/** What stands behind the money on cards, in minor units, all days. */
export interface FundingReport {
  readonly floatMinor: number
  readonly cash: {
    /** Loads that stand and were paid in cash. */
    readonly loadedMinor: number
    /** Of it: what merchants have not handed over. */
    readonly owedByMerchantsMinor: number
    readonly paidInMinor: number
  }
  readonly vouchers: {
    readonly loadedMinor: number
    /** Of it: from lots that were paid, and from lots that were not. */
    readonly paidMinor: number
    readonly unpaidMinor: number
    /** Not loaded yet. */
    readonly openPaidMinor: number
    readonly openUnpaidMinor: number
  }
  readonly credits: {
    readonly loadedMinor: number
    /** Owed to cards, not loaded yet. */
    readonly openMinor: number
  }
  /** On cards, and nobody has paid for it yet: the merchants' cash and the vouchers on trust. */
  readonly unfundedMinor: number
  /** Paid out or passed on from cards that ended, and what late facts took from such cards afterwards. */
  readonly closedCards: { readonly withdrawnMinor: number; readonly overdrawnMinor: number }
}

/** Inside one transaction. */
export const fundingReport = async (db: StoreReader): Promise<FundingReport> => {
  const balances = await db
    .selectFrom('account')
    .select(['kind', (eb) => eb.fn.sum<number>('balance_minor').as('sum')])
    .groupBy('kind')
    .execute()
  const balance = (kind: string) => Number(balances.find((row) => row.kind === kind)?.sum ?? 0)
  const cash = await db
    .selectFrom('load_authorisation')
    .select((eb) => eb.fn.sum<number | null>('amount_minor').as('sum'))
    .where('state', '!=', 'void')
    .where('funded_from', 'is', null)
    .executeTakeFirstOrThrow()
  const fundings = await db
    .selectFrom('funding')
    .leftJoin('voucher_lot', 'voucher_lot.lot_no', 'funding.lot_no')
    .select([
      'funding.kind',
      'funding.state',
      sql<number>`CASE WHEN voucher_lot.paid_at IS NULL THEN 0 ELSE 1 END`.as('paid'),
      (eb) => eb.fn.sum<number>('funding.amount_minor').as('sum'),
    ])
    .groupBy(['funding.kind', 'funding.state', sql`CASE WHEN voucher_lot.paid_at IS NULL THEN 0 ELSE 1 END`])
    .execute()
  const funded = (kind: FundingKind, state: 'open' | 'used', paid: 0 | 1) =>
    Number(fundings.find((row) => row.kind === kind && row.state === state && Number(row.paid) === paid)?.sum ?? 0)
  const closed = await db
    .selectFrom('card_closure')
    .innerJoin('card', 'card.card_no', 'card_closure.card_no')
    .select([
      'card.card_no',
      'card.balance_minor',
      (eb) => eb.fn.sum<number>('card_closure.amount_minor').as('withdrawn'),
    ])
    .where('card_closure.state', '=', 'done')
    .groupBy(['card.card_no', 'card.balance_minor'])
    .execute()
  const loadedMinor = Number(cash.sum ?? 0)
  const owedByMerchantsMinor = 0 - balance('merchantCash')
  const [paidMinor, unpaidMinor] = [funded('voucher', 'used', 1), funded('voucher', 'used', 0)]
  return {
    floatMinor: balance('float'),
    cash: { loadedMinor, owedByMerchantsMinor, paidInMinor: loadedMinor - owedByMerchantsMinor },
    vouchers: {
      loadedMinor: paidMinor + unpaidMinor,
      paidMinor,
      unpaidMinor,
      openPaidMinor: funded('voucher', 'open', 1),
      openUnpaidMinor: funded('voucher', 'open', 0),
    },
    credits: { loadedMinor: funded('credit', 'used', 0), openMinor: funded('credit', 'open', 0) },
    unfundedMinor: owedByMerchantsMinor + unpaidMinor,
    closedCards: {
      withdrawnMinor: closed.reduce((sum, row) => sum + Number(row.withdrawn), 0),
      overdrawnMinor: closed.reduce((sum, row) => sum + Math.max(0, Number(row.withdrawn) - row.balance_minor), 0),
    },
  }
}

/** The codes of a lot for the printer: the only place where they are. */
export const voucherCsv = (lot: {
  readonly codes: readonly string[]
  readonly amountMinor: number
  readonly currency: string
  readonly expiresAt: number
}): string => {
  const terms = `${formatAmount(lot.amountMinor, lot.currency)},${lot.currency},${isoDay(lot.expiresAt)}`
  return `code,amount,currency,expires\n${lot.codes.map((code) => `${code},${terms}\n`).join('')}`
}
