/** `farthing issuer day | period | bank | merchant set, fee, cash`: closing, statements and payments. */
import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { clockTimes } from '../issuer/business-days.ts'
import { closeDay, closedDay, listClosedDays } from '../issuer/closing/days.ts'
import { payInCash, setBank, setFee, setMerchant } from '../issuer/closing/payees.ts'
import { exportPayments, listPaymentRuns, paymentRunFile } from '../issuer/closing/payment-runs.ts'
import {
  type ClosedPeriod,
  closeAllPeriods,
  closePeriod,
  listPeriods,
  previewAllPeriods,
  previewPeriod,
  readStatement,
} from '../issuer/closing/periods.ts'
import { statementCsv } from '../issuer/closing/statement-csv.ts'
import { statementPdf } from '../issuer/closing/statement-pdf.ts'
import type { Statement } from '../issuer/console-contract/statement.ts'
import {
  accountLines,
  cashLines,
  hasCash,
  notPaidWords,
  percentOf,
} from '../issuer/console-contract/statement-lines.ts'
import { unreportedWords } from '../issuer/console-contract/unreported-words.ts'
import { plural } from '../issuer/explain/terminals.ts'
import type { Issuer } from '../issuer/issuer.ts'
import { type Unreported, unreportedSince } from '../issuer/unreported.ts'
import { formatAmount, parseAmount } from '../protocol/currency.ts'
import { basisPoints, day, wholeNumber } from './arguments.ts'
import { commandCaller } from './caller.ts'
import { CliError, exitStatus, result } from './output.ts'
import { table } from './table.ts'

interface StoreOptions {
  store: string
  json?: boolean
}
type WithIssuer = <Result>(url: string, work: (issuer: Issuer) => Promise<Result>) => Promise<Result>

/** What the closing commands need of those around them. */
export interface Surroundings {
  readonly storeOption: readonly [string, string]
  readonly withIssuer: WithIssuer
}

const given = <Value extends object>(options: Value): { [Name in keyof Value]?: NonNullable<Value[Name]> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never

/** What is not complete, in one line; none: every kiosk has reported. */
export const unreportedLines = (
  { kiosks, since, mayHoldMinor, unknownKiosks: unknown }: Unreported,
  currency: string,
): readonly string[] =>
  kiosks === 0
    ? []
    : [unreportedWords({ kiosks, since, unknown, mayHold: `${formatAmount(mayHoldMinor, currency)} ${currency}` })]

const dayCommands = (issuer: Command, { storeOption, withIssuer }: Surroundings): void => {
  const command = issuer.command('day').description('business days: what is closed never changes')
  command
    .command('close')
    .description('close all days up to one that is over; what comes later goes into the day that is open')
    .argument('[day]', 'absent: yesterday', day)
    .requiredOption(...storeOption)
    .action((until: string | undefined, options: StoreOptions) =>
      withIssuer(options.store, async (opened) => {
        const closed = await closeDay(opened, { ...(until === undefined ? {} : { day: until }), by: commandCaller() })
        const missed = await unreportedSince(opened, closed.day)
        result(options, { ...closed, unreported: missed }, () =>
          [
            closed.closed.length === 0 ? `${closed.day} was closed already.` : `Closed: ${closed.closed.join(', ')}.`,
            ...unreportedLines(missed, opened.book.currency),
          ].join('\n'),
        )
      }),
    )
  command
    .command('list')
    .description('the days that were closed')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (opened) => {
        const days = await listClosedDays(opened)
        const clockTime = clockTimes(opened.book.timeZone)
        result(options, { days }, () =>
          table(
            ['day', 'closed', 'by'],
            days.map((each) => [each.day, clockTime(Date.parse(each.closedAt) / 1000), each.closedBy]),
          ),
        )
      }),
    )
  command
    .command('show')
    .description('the trial balance at the end of a closed day')
    .argument('<day>', 'a day that is closed', day)
    .requiredOption(...storeOption)
    .action((of: string, options: StoreOptions) =>
      withIssuer(options.store, async (opened) => {
        const shown = await closedDay(opened, of)
        result(options, shown, () =>
          table(
            ['account', 'merchant', `balance ${opened.book.currency}`],
            shown.accounts.map((row) => [
              row.kind,
              row.merchant ?? '',
              formatAmount(row.balanceMinor, opened.book.currency),
            ]),
          ),
        )
      }),
    )
}

interface PartyOptions {
  street?: string
  postcode?: string
  town?: string
  country?: string
  iban?: string
  bic?: string
}

const addPartyOptions = (command: Command): Command =>
  command
    .option('--street <text>', 'street and number')
    .option('--postcode <text>', 'postcode')
    .option('--town <text>', 'town')
    .option('--country <letters>', 'country, such as AT')
    .option('--iban <iban>', 'bank account (ISO 13616)')
    .option('--bic <bic>', 'bank, where the account is outside of SEPA')

const partyOf = ({ street, postcode, town, country, iban, bic }: PartyOptions) =>
  given({ street, postcode, town, country, iban, bic })

const merchantCommands = (merchant: Command, { storeOption, withIssuer }: Surroundings): void => {
  addPartyOptions(
    merchant
      .command('set')
      .description('whom to pay, and where; an empty text removes what was known')
      .argument('<name>', 'the merchant'),
  )
    .requiredOption(...storeOption)
    .option('--legal-name <text>', 'as his bank knows him')
    .action((name: string, options: StoreOptions & PartyOptions & { legalName?: string }) =>
      withIssuer(options.store, async (opened) => {
        const details = { ...partyOf(options), ...given({ legalName: options.legalName }) }
        const party = await setMerchant(opened, { merchant: name, details, by: commandCaller() })
        result(options, party, () =>
          Object.entries(party)
            .map(([field, value]) => `${field}: ${value}`)
            .join('\n'),
        )
      }),
    )
  merchant
    .command('fee')
    .description('what sales cost a merchant from a day on')
    .argument('<name>', 'the merchant')
    .requiredOption(...storeOption)
    .requiredOption('--basis-points <n>', 'of sales less reversals: 250 are 2.5 %', basisPoints)
    .option('--fixed <amount>', 'for each sale that is not reversed', '0')
    .option('--from <day>', 'absent: today', day)
    .action((name: string, options: StoreOptions & { basisPoints: number; fixed: string; from?: string }) =>
      withIssuer(options.store, async (opened) => {
        const { currency } = opened.book
        const fees = await setFee(opened, {
          merchant: name,
          rate: {
            basisPoints: options.basisPoints,
            fixedMinor: parseAmount(options.fixed, currency),
            ...(options.from === undefined ? {} : { fromDay: options.from }),
          },
          by: commandCaller(),
        })
        result(options, { merchant: name, fees }, () =>
          table(
            ['from', 'of sales', `a sale ${currency}`],
            fees.map((fee) => [fee.fromDay, percentOf(fee.basisPoints), formatAmount(fee.fixedMinor, currency)]),
          ),
        )
      }),
    )
  merchant
    .command('cash')
    .description('note that a merchant paid in cash that he took for loads')
    .argument('<name>', 'the merchant')
    .requiredOption(...storeOption)
    .requiredOption('--amount <amount>', 'how much arrived at the bank')
    .requiredOption('--document <text>', "what the bank's statement calls it")
    .action((name: string, options: StoreOptions & { amount: string; document: string }) =>
      withIssuer(options.store, async (opened) => {
        const { currency } = opened.book
        const amountMinor = parseAmount(options.amount, currency)
        const paid = await payInCash(opened, {
          merchant: name,
          amountMinor,
          document: options.document,
          by: commandCaller(),
        })
        result(
          options,
          paid,
          () => `${paid.merchant} still owes ${formatAmount(paid.cashOwedMinor, currency)} ${currency}.`,
        )
      }),
    )
}

const bankCommands = (issuer: Command, { storeOption, withIssuer }: Surroundings): void => {
  const bank = issuer.command('bank').description("the issuer's own account")
  addPartyOptions(bank.command('set').description('from which account merchants are paid'))
    .requiredOption(...storeOption)
    .option('--name <text>', 'as the bank knows the issuer')
    .action((options: StoreOptions & PartyOptions & { name?: string }) =>
      withIssuer(options.store, async (opened) => {
        const details = { ...partyOf(options), ...given({ name: options.name }) }
        const party = await setBank(opened, { details, by: commandCaller() })
        result(options, party, () =>
          Object.entries(party)
            .map(([field, value]) => `${field}: ${value}`)
            .join('\n'),
        )
      }),
    )
}

const nobodyToClose = (untilDay: string) =>
  `There is no merchant to close: all that there were on ${untilDay} are closed until that day or later.`

/** What closing would do for each merchant, and what for all of them. */
const previewsText = (previews: readonly Statement[], untilDay: string, currency: string): string => {
  if (previews.length === 0) return nobodyToClose(untilDay)
  const money = (minor: number) => formatAmount(minor, currency)
  const amountsOf = ({ sales, reversals, feeMinor, payoutMinor, dueMinor, held, closingMinor }: Statement) => [
    sales.amountMinor,
    reversals.amountMinor,
    feeMinor,
    payoutMinor,
    dueMinor,
    held.amountMinor,
    closingMinor,
  ]
  const amounts = previews.map(amountsOf)
  const sums = amounts.reduce((sum, of) => sum.map((minor, at) => minor + (of[at] ?? 0)))
  const rows = previews.map((each, at) => [
    ...[each.merchant.name, each.fromDay, each.untilDay],
    ...(amounts[at] ?? []).map(money),
    each.notPaid === undefined ? '' : notPaidWords[each.notPaid],
  ])
  const head = ['merchant', 'from', 'until', 'sales', 'reversed', 'fees', 'to pay', 'due from him', 'held']
  return table([...head, 'carried over', ''], [...rows, [`all ${previews.length}`, '', '', ...sums.map(money), '']])
}

const closedText = (closed: readonly ClosedPeriod[], untilDay: string, currency: string): string => {
  const money = (minor: number) => formatAmount(minor, currency)
  const rows = closed.map((each) => [
    ...[String(each.periodNo), each.merchant, each.fromDay, each.untilDay, money(each.feeMinor)],
    ...[money(each.payoutMinor), money(each.dueMinor), money(each.heldMinor), money(each.closingMinor)],
    each.closedNow ? 'now' : 'before',
  ])
  const head = [
    'period',
    'merchant',
    'from',
    'until',
    'fees',
    'paid out',
    'due from him',
    'held',
    'carried over',
    'closed',
  ]
  return closed.length === 0 ? nobodyToClose(untilDay) : table(head, rows)
}

export const statementText = (statement: Statement): string => {
  const { currency } = statement
  const money = (minor: number) => formatAmount(minor, currency)
  const lines = (title: string, of: ReturnType<typeof accountLines>) =>
    table(
      [title, 'number', `amount ${currency}`],
      of.map(({ label, count, amountMinor }) => [label, count === undefined ? '' : String(count), money(amountMinor)]),
    )
  const { merchant, held, exceptions } = statement
  return [
    `${merchant.legalName ?? merchant.name}, ${statement.fromDay} to ${statement.untilDay}`,
    lines('account', accountLines(statement)),
    ...(hasCash(statement) ? [lines('cash for loads', cashLines(statement))] : []),
    `Held: ${plural(held.count, 'payment')}, ${money(held.amountMinor)}. Being looked into: ${plural(exceptions.count, 'exception')}.`,
    statement.payoutMinor > 0
      ? `Paid out: ${money(statement.payoutMinor)} ${currency}, ${statement.reference ?? 'when it is closed'}.`
      : `Nothing is paid out: ${notPaidWords[statement.notPaid ?? 'nothingDue']}.`,
    ...(statement.dueMinor > 0 ? [`Due from him: ${money(statement.dueMinor)} ${currency}.`] : []),
  ].join('\n\n')
}

const writeStatement = async (statement: Statement, to: { readonly pdf?: string; readonly csv?: string }) => {
  if (to.pdf !== undefined) writeFileSync(to.pdf, await statementPdf(statement))
  if (to.csv !== undefined) writeFileSync(to.csv, statementCsv(statement))
}

const closeCommand = (period: Command, { storeOption, withIssuer }: Surroundings): void => {
  period
    .command('close')
    .description('charge fees, set off cash, pay the rest: up to a day that is over')
    .requiredOption(...storeOption)
    .requiredOption('--until <day>', 'the last day of the period', day)
    .option('--merchant <name>', 'one merchant')
    .option('--all', 'every merchant')
    .option('--preview', 'show what it would do, and book nothing')
    .action((options: StoreOptions & { until: string; merchant?: string; all?: boolean; preview?: boolean }) =>
      withIssuer(options.store, async (opened) => {
        const { merchant, until: untilDay } = options
        if ((merchant === undefined) === (options.all !== true))
          throw new CliError(exitStatus.usage, 'Say whose period: --merchant NAME, or --all.')
        if (options.preview === true) {
          if (merchant === undefined) {
            const previews = await previewAllPeriods(opened, untilDay)
            result(options, { previews }, () => previewsText(previews, untilDay, opened.book.currency))
            return
          }
          const preview = await previewPeriod(opened, { merchant, untilDay })
          result(options, preview, () => statementText(preview))
          return
        }
        const by = commandCaller()
        const closed =
          merchant === undefined
            ? await closeAllPeriods(opened, { untilDay, by })
            : [await closePeriod(opened, { merchant, untilDay, by })]
        result(options, { periods: closed }, () => closedText(closed, untilDay, opened.book.currency))
      }),
    )
}

const periodCommands = (issuer: Command, surroundings: Surroundings): void => {
  const { storeOption, withIssuer } = surroundings
  const period = issuer.command('period').description("merchants' statements and payments")
  closeCommand(period, surroundings)
  period
    .command('list')
    .description('the periods that were closed, the newest first')
    .requiredOption(...storeOption)
    .option('--merchant <name>', 'of one merchant')
    .action((options: StoreOptions & { merchant?: string }) =>
      withIssuer(options.store, async (opened) => {
        const periods = await listPeriods(opened, given({ merchant: options.merchant }))
        const money = (minor: number) => formatAmount(minor, opened.book.currency)
        result(options, { periods }, () =>
          table(
            ['period', 'merchant', 'from', 'until', 'paid out', 'carried over', 'payment run'],
            periods.map((each) => [
              ...[String(each.periodNo), each.merchant, each.fromDay, each.untilDay],
              ...[money(each.payoutMinor), money(each.closingMinor), String(each.runNo ?? '')],
            ]),
          ),
        )
      }),
    )
  period
    .command('statement')
    .description('the statement of a closed period')
    .argument('<period>', 'its number', wholeNumber)
    .requiredOption(...storeOption)
    .option('--pdf <file>', 'write it as PDF')
    .option('--csv <file>', 'write it as CSV')
    .action((periodNo: number, options: StoreOptions & { pdf?: string; csv?: string }) =>
      withIssuer(options.store, async (opened) => {
        const statement = await readStatement(opened, periodNo)
        await writeStatement(statement, options)
        result(options, statement, () => statementText(statement))
      }),
    )
  paymentsCommand(period, surroundings)
}

const paymentsCommand = (period: Command, { storeOption, withIssuer }: Surroundings): void => {
  period
    .command('payments')
    .description('the payouts that are in no payment file yet, as one for the bank (ISO 20022 pain.001)')
    .requiredOption(...storeOption)
    .option('--out <file>', 'where to write it')
    .option('--execution <day>', 'when the bank is to pay; absent: today', day)
    .option('--run <n>', 'a file that was made before, again', wholeNumber)
    .option('--list', 'show the files that were made')
    .action((options: StoreOptions & { out?: string; execution?: string; run?: number; list?: boolean }) =>
      withIssuer(options.store, async (opened) => {
        const money = (minor: number) => formatAmount(minor, opened.book.currency)
        if (options.list === true) {
          const runs = await listPaymentRuns(opened)
          const rows = runs.map((run) => [
            ...[String(run.runNo), run.messageId, run.executionDay],
            ...[String(run.count), money(run.sumMinor), run.madeBy],
          ])
          result(options, { runs }, () => table(['run', 'message', 'execution', 'payments', 'sum', 'by'], rows))
          return
        }
        if (options.out === undefined) throw new CliError(exitStatus.usage, 'Say where to write it: --out FILE.')
        const executionDay = options.execution
        const { xml, ...run } =
          options.run === undefined
            ? await exportPayments(opened, { by: commandCaller(), ...given({ executionDay }) })
            : await paymentRunFile(opened, options.run)
        writeFileSync(options.out, xml)
        result(options, { ...run, file: options.out }, () =>
          [
            `Run ${run.runNo}: ${plural(run.count, 'payment')}, ${money(run.sumMinor)} ${opened.book.currency}, as ${run.messageId}.`,
            `Again, byte for byte: farthing issuer period payments --run ${run.runNo} --out FILE`,
          ].join('\n'),
        )
      }),
    )
}

/** @param commands those of `farthing issuer`, and of `farthing issuer merchant` */
export const addClosingCommands = (
  commands: { readonly issuer: Command; readonly merchant: Command },
  surroundings: Surroundings,
): void => {
  merchantCommands(commands.merchant, surroundings)
  bankCommands(commands.issuer, surroundings)
  dayCommands(commands.issuer, surroundings)
  periodCommands(commands.issuer, surroundings)
}
