/** `farthing card ...` and `farthing issuer card ...`: how a card is blocked, replaced, refunded, and what became of it. */
import type { Command } from 'commander'
import { clockTimes } from '../issuer/business-days.ts'
import { type ClosureOutcome, closeCard, dueClosures, keepCard } from '../issuer/card-closure.ts'
import { cardHistory, cardOverview, type HistoryRow } from '../issuer/card-history.ts'
import { blockForReason, stock, unblockForReason } from '../issuer/cards.ts'
import { isoDay, withIsoTimes } from '../issuer/iso-times.ts'
import type { Issuer } from '../issuer/issuer.ts'
import type { Proposed } from '../issuer/second-person.ts'
import { formatAmount } from '../protocol/currency.ts'
import { count, id8 } from './arguments.ts'
import { commandCaller } from './caller.ts'
import { blockFile } from './card-hotlist.ts'
import { storeOption, withIssuer } from './issuer.ts'
import { tellProposed } from './money-decisions.ts'
import { CliError, exitStatus, result } from './output.ts'
import { table } from './table.ts'

interface StoreOptions {
  store: string
  json?: boolean
}

type Book = Issuer['book']

const cardArgument = ['<card>', 'the card: 16 hex digits', id8] as const

const closureText = (outcome: Exclude<ClosureOutcome, Proposed>, { currency, timeZone }: Book): string => {
  const money = (minor: number) => `${formatAmount(minor, currency)} ${currency}`
  if (outcome.outcome === 'waiting')
    return [
      `Card ${outcome.cardId} is blocked. As far as is known it holds ${money(outcome.remainingMinor)}${outcome.creditsMinor === 0 ? '' : `, and ${money(outcome.creditsMinor)} of open credits go with it`}.`,
      `Terminals may still bring what it spent: its money goes after ${clockTimes(timeZone)(outcome.readyAt)}, with the same command.`,
      "Now, at the issuer's own risk: --at-issuers-risk.",
    ].join('\n')
  return [
    `Card ${outcome.cardId} is closed: ${money(outcome.amountMinor)} ${outcome.replacement === undefined ? 'is paid out through the bank' : `goes to card ${outcome.replacement}`}.`,
    ...(outcome.credits.length === 0
      ? []
      : [
          `With it went open credits of ${money(outcome.creditsMinor)}${outcome.replacement === undefined ? ', paid out too:' : '; the new card loads each of them:'}`,
          ...outcome.credits.map((credit) => `  ${credit.reference}  ${money(credit.amountMinor)}`),
        ]),
    ...(outcome.unbackedMinor === 0
      ? []
      : [`${money(outcome.unbackedMinor)} on it came from nothing that is known: it stays until a person decides.`]),
    ...(outcome.reference === undefined
      ? []
      : [
          `At any terminal, with the new card: farthing card load ${formatAmount(outcome.amountMinor, currency)} --data DIR --paid-by credit:${outcome.reference}`,
        ]),
  ].join('\n')
}

const tellClosure = (options: StoreOptions, outcome: ClosureOutcome, book: Book): void => {
  if (outcome.outcome === 'proposed') {
    tellProposed(options, outcome, book.currency)
    return
  }
  if (outcome.outcome === 'waiting') process.exitCode = exitStatus.refused
  result(options, withIsoTimes(outcome), () => closureText(outcome, book))
}

const riskOption = [
  '--at-issuers-risk',
  "now, before what terminals hold can have come: what it spent there is the issuer's loss",
] as const

/** Adds block, unblock, replace and stock to `farthing card`. */
export const addCardLife = (card: Command): void => {
  card
    .command('block')
    .argument('[card]', 'the card: 16 hex digits', id8)
    .description('put a card, or a file of them, on the hotlist; terminals refuse them from their next sync on')
    .requiredOption(...storeOption)
    .option('--reason <text>', 'why: others will ask', 'not given')
    .option('--file <file>', 'card numbers, one a line, or - for standard input')
    .action((cardId: string | undefined, options: StoreOptions & { file?: string; reason: string }) => {
      const { file } = options
      if (file !== undefined && cardId === undefined) return blockFile({ ...options, file })
      if (file !== undefined || cardId === undefined)
        throw new CliError(exitStatus.usage, 'Give one card number, or --file FILE.')
      return withIssuer(options.store, async (issuer) => {
        const blocked = await blockForReason(issuer, commandCaller(), { cardId, reason: options.reason })
        result(
          options,
          { ...blocked, hotlisted: true },
          () =>
            `Card ${blocked.cardId} is on the hotlist${blocked.serial === undefined ? '; the first publish will carry it' : ''}. Terminals refuse it from their next sync on.`,
        )
      })
    })
  card
    .command('unblock')
    .argument(...cardArgument)
    .description('take a card off the hotlist, if no terminal has blocked it for good')
    .requiredOption(...storeOption)
    .requiredOption('--reason <text>', 'why: others will ask')
    .action((cardId: string, options: StoreOptions & { reason: string }) =>
      withIssuer(options.store, async (issuer) => {
        const unblocked = await unblockForReason(issuer, commandCaller(), { cardId, reason: options.reason })
        result(
          options,
          { ...unblocked, hotlisted: false },
          () =>
            `Card ${unblocked.cardId} is off the hotlist. A terminal that has not synced since may still block it for good.`,
        )
      }),
    )
  card
    .command('replace')
    .argument(...cardArgument)
    .description('give the remaining value of a dead or lost card to another one; blocks it at once')
    .requiredOption(...storeOption)
    .requiredOption('--with <card>', 'the new card, personalised already: 16 hex digits', id8)
    .option('--reason <text>', 'why: others will ask', 'dead or lost')
    .option(...riskOption)
    .action((cardId: string, options: StoreOptions & { with: string; reason: string; atIssuersRisk?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const outcome = await closeCard(issuer, commandCaller(), {
          cardId,
          kind: 'replace',
          replacement: options.with,
          reason: options.reason,
          atIssuersRisk: options.atIssuersRisk === true,
        })
        tellClosure(options, outcome, issuer.book)
      }),
    )
  card
    .command('stock')
    .description('cards that were made here and never used')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        const found = await stock(issuer, 1000)
        result(options, withIsoTimes(found), () =>
          [
            table(
              ['card', 'made', 'expires', 'holds at most', ''],
              found.cards.map((each) => [
                each.cardId,
                isoDay(each.personalisedAt ?? each.registeredAt),
                each.expiresAt === undefined ? '' : isoDay(each.expiresAt),
                each.balanceMaxMinor === undefined ? '' : formatAmount(each.balanceMaxMinor, issuer.book.currency),
                each.personalisedAt === undefined
                  ? 'never finished: put that card in the reader again, or forget it'
                  : '',
              ]),
            ),
            `${found.total} cards in stock.`,
          ].join('\n'),
        )
      }),
    )
}

const historyLine = (row: HistoryRow, { currency, timeZone }: Book): string[] => [
  `#${row.counter}${row.lastCounter === undefined ? '' : `-${row.lastCounter}`}`,
  row.kind,
  row.amountMinor === undefined ? '' : formatAmount(row.amountMinor, currency),
  row.balanceAfterMinor === undefined ? '' : formatAmount(row.balanceAfterMinor, currency),
  row.at === undefined ? '' : clockTimes(timeZone)(row.at),
  row.terminalId ?? '',
  row.remark ?? '',
]

/** Adds refund, keep, closures and history to `farthing issuer card`. */
export const addIssuerCardLife = (card: Command): void => {
  card
    .command('refund')
    .argument(...cardArgument)
    .description('pay the remaining value out through the bank; blocks the card at once')
    .requiredOption(...storeOption)
    .option('--reason <text>', 'why: others will ask', "its holder's wish")
    .option(...riskOption)
    .action((cardId: string, options: StoreOptions & { reason: string; atIssuersRisk?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const outcome = await closeCard(issuer, commandCaller(), {
          cardId,
          kind: 'refund',
          reason: options.reason,
          atIssuersRisk: options.atIssuersRisk === true,
        })
        tellClosure(options, outcome, issuer.book)
      }),
    )
  card
    .command('keep')
    .argument(...cardArgument)
    .description('withdraw a replacement or refund that waits: the card was found')
    .requiredOption(...storeOption)
    .requiredOption('--reason <text>', 'why: others will ask')
    .action((cardId: string, options: StoreOptions & { reason: string }) =>
      withIssuer(options.store, async (issuer) => {
        const kept = await keepCard(issuer, commandCaller(), { cardId, reason: options.reason })
        result(options, kept, () => `Card ${cardId} is kept. It is still blocked: farthing card unblock ${cardId}.`)
      }),
    )
  card
    .command('closures')
    .description('replacements and refunds that wait, and those that are due')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        const closures = await dueClosures(issuer, 1000)
        result(options, withIsoTimes({ closures }), () =>
          closures.length === 0
            ? 'Nothing waits.'
            : table(
                ['card', 'what', 'new card', 'when', ''],
                closures.map((each) => [
                  each.cardId,
                  each.kind,
                  each.replacement ?? '',
                  isoDay(each.readyAt),
                  each.due ? 'due: give the same command again' : '',
                ]),
              ),
        )
      }),
    )
  card
    .command('history')
    .argument(...cardArgument)
    .description('what is known of a card, counter by counter: records, holes, doubts, loads, money back')
    .requiredOption(...storeOption)
    .option('--after <counter>', 'from behind this counter', count)
    .action((cardId: string, options: StoreOptions & { after?: number }) =>
      withIssuer(options.store, async (issuer) => {
        const { overview, page } = await issuer.store.read(async (db) => ({
          overview: await cardOverview(db, cardId),
          page: await cardHistory(db, cardId, {
            limit: 200,
            direction: 'ascending',
            ...(options.after === undefined ? {} : { after: `${options.after}/9/0` }),
          }),
        }))
        const { currency } = issuer.book
        result(options, withIsoTimes({ ...overview, ...page }), () =>
          [
            `Card ${cardId}: ${overview.status}, ${formatAmount(overview.balanceMinor, currency)} ${currency} after #${overview.counter}.`,
            table(
              ['counter', 'what', currency, 'balance', 'when', 'terminal', ''],
              page.rows.map((row) => historyLine(row, issuer.book)),
            ),
            ...(page.next === undefined ? [] : [`More: --after ${page.next.split('/')[0]}`]),
          ].join('\n'),
        )
      }),
    )
}
