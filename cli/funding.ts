/** `farthing issuer voucher ...`, `credit ...`, `breakage ...`, `money-back` and `decisions ...`: what loads are funded with, and money that goes back. */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { Command, Option } from 'commander'
import { runBreakage, setBreakageGrace } from '../issuer/card-closure.ts'
import type { Charged } from '../issuer/card-tables.ts'
import {
  addVoucherLot,
  cancelCredit,
  cancelVoucherLot,
  type FundingReport,
  makeVoucherCodes,
  payVoucherLot,
  voucherCsv,
  voucherLots,
} from '../issuer/funding.ts'
import { isoDay, withIsoTimes } from '../issuer/iso-times.ts'
import type { Issuer } from '../issuer/issuer.ts'
import { giveMoneyBack } from '../issuer/money-back.ts'
import { formatAmount, parseAmount } from '../protocol/currency.ts'
import { count, dayEnd, id8 } from './arguments.ts'
import { commandCaller } from './caller.ts'
import { storeOption, withIssuer } from './issuer.ts'
import { moneyDecisionCommands, tellProposed } from './money-decisions.ts'
import { result } from './output.ts'
import { table } from './table.ts'

interface StoreOptions {
  store: string
  json?: boolean
}

const reasonOption = ['--reason <text>', 'why: others will ask'] as const
const voucherDays = 2 * 365

/** The codes are on the disk before they are valid: nobody ever looks for them again. */
const writeOnce = (file: string, text: string): void => {
  const handle = openSync(file, 'wx', 0o600)
  try {
    writeSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

const addLot = async (
  issuer: Issuer,
  options: { amount: string; count: number; expires?: number; paidByBank?: string; out: string },
) => {
  const { currency } = issuer.book
  const codes = makeVoucherCodes(issuer, options.count)
  const lot = {
    codes,
    amountMinor: parseAmount(options.amount, currency),
    expiresAt: options.expires ?? dayEnd(isoDay(issuer.clock() + voucherDays * 86_400)),
    ...(options.paidByBank === undefined ? {} : { paidReference: options.paidByBank }),
  }
  writeOnce(options.out, voucherCsv({ ...lot, currency }))
  try {
    const added = await addVoucherLot(issuer, commandCaller(), lot)
    if ('outcome' in added) rmSync(options.out, { force: true })
    return added
  } catch (error) {
    rmSync(options.out, { force: true })
    throw error
  }
}

const voucherCommands = (): Command => {
  const voucher = new Command('voucher').description('vouchers: codes that pay for a load, in lots')
  voucher
    .command('add')
    .description('make a lot of vouchers; their codes are in the file, and nowhere else')
    .requiredOption(...storeOption)
    .requiredOption('--amount <amount>', 'what each is worth, such as 20.00')
    .requiredOption('--count <n>', 'how many', count)
    .requiredOption('--out <file>', 'a new file for the codes')
    .option('--expires <day>', 'their last day; absent: in two years', dayEnd)
    .option(
      '--paid-by-bank <reference>',
      "the bank's reference when they are paid already; absent: handed out on trust",
    )
    .action((options: StoreOptions & Parameters<typeof addLot>[1]) =>
      withIssuer(options.store, async (issuer) => {
        const lot = await addLot(issuer, options)
        const { currency } = issuer.book
        if ('outcome' in lot) return tellProposed(options, lot, currency)
        result(options, withIsoTimes({ ...lot, file: options.out }), () =>
          [
            `Lot ${lot.lotNo}: ${lot.count} vouchers of ${formatAmount(lot.amountMinor, currency)} ${currency}, until ${isoDay(lot.expiresAt)}.`,
            `The codes are in ${options.out}, and nowhere else: whoever has one has its money.`,
            lot.paidReference === undefined
              ? `They are on trust until: farthing issuer voucher pay ${lot.lotNo} --bank-reference REF`
              : `Paid by the bank: ${lot.paidReference}.`,
          ].join('\n'),
        )
      }),
    )
  voucher
    .command('pay')
    .argument('<lot>', 'the lot', count)
    .description('the bank told of the money of a lot')
    .requiredOption(...storeOption)
    .requiredOption('--bank-reference <reference>', 'as on the account statement')
    .action((lotNo: number, options: StoreOptions & { bankReference: string }) =>
      withIssuer(options.store, async (issuer) => {
        const paid = await payVoucherLot(issuer, commandCaller(), { lotNo, paidReference: options.bankReference })
        result(options, paid, () => `Lot ${lotNo} is paid: ${formatAmount(paid.amountMinor, issuer.book.currency)}.`)
      }),
    )
  voucher
    .command('cancel')
    .argument('<lot>', 'the lot', count)
    .description('end the unused vouchers of a lot that nobody paid')
    .requiredOption(...storeOption)
    .requiredOption(...reasonOption)
    .action((lotNo: number, options: StoreOptions & { reason: string }) =>
      withIssuer(options.store, async (issuer) => {
        const ended = await cancelVoucherLot(issuer, commandCaller(), { lotNo, reason: options.reason })
        result(options, ended, () => `${ended.cancelled} vouchers of lot ${lotNo} are worth nothing any more.`)
      }),
    )
  voucher
    .command('list')
    .description('the newest lots: used, open, paid or not')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        const lots = await issuer.store.read((db) => voucherLots(db, { limit: 200 }))
        const { currency } = issuer.book
        result(options, withIsoTimes({ currency, lots }), () =>
          table(
            ['lot', `each ${currency}`, 'vouchers', 'used', 'open', 'expires', 'paid'],
            lots.map((lot) => [
              String(lot.lotNo),
              formatAmount(lot.amountMinor, currency),
              String(lot.count),
              String(lot.usedCount),
              String(lot.openCount),
              isoDay(lot.expiresAt),
              lot.paidReference ?? 'NOT PAID',
            ]),
          ),
        )
      }),
    )
  return voucher
}

const creditCommands = (): Command => {
  const credit = new Command('credit').description('what is owed to one card')
  credit
    .command('cancel')
    .argument('<reference>', 'the credit')
    .description('take back a credit that was not loaded')
    .requiredOption(...storeOption)
    .requiredOption(...reasonOption)
    .action((reference: string, options: StoreOptions & { reason: string }) =>
      withIssuer(options.store, async (issuer) => {
        const gone = await cancelCredit(issuer, commandCaller(), { reference, reason: options.reason })
        result(
          options,
          gone,
          () => `The credit of ${formatAmount(gone.amountMinor, issuer.book.currency)} is taken back.`,
        )
      }),
    )
  return credit
}

const breakageCommands = (): Command => {
  const breakage = new Command('breakage').description('money of cards and vouchers that expired long ago')
  breakage
    .command('run')
    .description("list what is past expiry and grace; with --book, make it the issuer's")
    .requiredOption(...storeOption)
    .option('--book', 'book it')
    .action((options: StoreOptions & { book?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const ran = await runBreakage(issuer, commandCaller(), { book: options.book === true })
        const money = (minor: number) => formatAmount(minor, issuer.book.currency)
        result(options, withIsoTimes(ran), () =>
          [
            ...(ran.cards.length === 0
              ? []
              : [
                  table(
                    ['card', 'expired', issuer.book.currency],
                    ran.cards.map((card) => [card.cardId, isoDay(card.expiresAt), money(card.amountMinor)]),
                  ),
                ]),
            `${ran.cards.length} cards and ${ran.vouchers.count} vouchers expired more than ${ran.graceDays} days ago: ${money(ran.sumMinor)} ${issuer.book.currency}.`,
            ran.booked ? 'Booked as breakage.' : 'Nothing was booked: add --book.',
            ...(ran.more ? ['There are more cards: run it again.'] : []),
          ].join('\n'),
        )
      }),
    )
  breakage
    .command('grace')
    .argument('<days>', 'days after the last day', (text) => Number(text))
    .description("how long money stays its holder's after expiry")
    .requiredOption(...storeOption)
    .action((days: number, options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        const set = await setBreakageGrace(issuer, commandCaller(), days)
        result(options, set, () => `Money is its holder's for ${set.graceDays} days after expiry.`)
      }),
    )
  return breakage
}

const moneyBackCommand = (): Command =>
  new Command('money-back')
    .argument('<card>', 'the card: 16 hex digits', id8)
    .argument('<counter>', "the payment's counter", count)
    .description(
      'give the money of a payment back: it ends the right to the goods, and reaches the card with its next load',
    )
    .requiredOption(...storeOption)
    .requiredOption(...reasonOption)
    .addOption(
      new Option('--at-risk-of <party>', 'give it before the rule allows, at the cost of this party').choices([
        'issuer',
        'merchant',
      ]),
    )
    .action((cardId: string, counter: number, options: StoreOptions & { reason: string; atRiskOf?: Charged }) =>
      withIssuer(options.store, async (issuer) => {
        const given = await giveMoneyBack(issuer, commandCaller(), {
          cardId,
          counter,
          reason: options.reason,
          ...(options.atRiskOf === undefined ? {} : { atRiskOf: options.atRiskOf }),
        })
        if (given.outcome === 'proposed') return tellProposed(options, given, issuer.book.currency)
        const amount = formatAmount(given.amountMinor, issuer.book.currency)
        result(options, given, () =>
          [
            `${amount} ${issuer.book.currency} for #${counter}, charged to the ${given.charged}: credit ${given.reference}.`,
            `At any terminal: farthing card load ${amount} --data DIR --paid-by credit:${given.reference}`,
            ...(given.onlyCounter === undefined
              ? []
              : [
                  `It must be the card's next transaction (#${given.onlyCounter}), or come after that one is known here.`,
                ]),
          ].join('\n'),
        )
      }),
    )

/** What `farthing issuer` has from here. */
export const fundingCommands = (): Command[] => [
  voucherCommands(),
  creditCommands(),
  breakageCommands(),
  moneyBackCommand(),
  moneyDecisionCommands(),
]

/** What stands behind the money on cards, for the report. */
export const fundingText = (funding: FundingReport, currency: string): string => {
  const money = (minor: number) => formatAmount(minor, currency)
  const rows: [string, number][] = [
    ['loaded for cash, paid in by merchants', funding.cash.paidInMinor],
    ['loaded for cash, still owed by merchants', funding.cash.owedByMerchantsMinor],
    ['loaded from vouchers that were paid', funding.vouchers.paidMinor],
    ['loaded from vouchers that were NOT paid', funding.vouchers.unpaidMinor],
    ['loaded from credits', funding.credits.loadedMinor],
    ['vouchers not loaded yet, paid', funding.vouchers.openPaidMinor],
    ['vouchers not loaded yet, not paid', funding.vouchers.openUnpaidMinor],
    ['credits not loaded yet', funding.credits.openMinor],
  ]
  return [
    table(
      ['what stands behind the cards', currency],
      rows.map(([name, minor]) => [name, money(minor)]),
    ),
    `Cards hold ${money(funding.floatMinor)} ${currency}; ${funding.unfundedMinor === 0 ? 'all of it is funded' : `${money(funding.unfundedMinor)} of what was loaded is not funded yet`}.`,
    ...(funding.closedCards.overdrawnMinor === 0
      ? []
      : [
          `Closed cards were used after their money had left them: ${money(funding.closedCards.overdrawnMinor)} at the issuer's cost.`,
        ]),
  ].join('\n')
}
