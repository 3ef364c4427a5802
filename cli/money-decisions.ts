/** `farthing issuer decisions ...`: what waits for a second person (docs/OPERATIONS.md, Two people). */
import { Command } from 'commander'
import { proposalDaysMax } from '../issuer/console-contract/proposal.ts'
import { isoDay, withIsoTimes } from '../issuer/iso-times.ts'
import {
  isProposalOver,
  type MoneyDecision,
  type Proposed,
  refuseDecision,
  type WaitingDecision,
  waitingDecisions,
} from '../issuer/second-person.ts'
import { formatAmount } from '../protocol/currency.ts'
import { count } from './arguments.ts'
import { commandCaller } from './caller.ts'
import { storeOption, withIssuer } from './issuer.ts'
import { exitStatus, result } from './output.ts'
import { table } from './table.ts'

interface StoreOptions {
  store: string
  json?: boolean
}

/** What the second person types, but for the store. */
const commandFor = (decision: MoneyDecision, currency: string): string => {
  switch (decision.kind) {
    case 'vouchers':
      return `farthing issuer voucher add --amount ${formatAmount(decision.eachMinor, currency)} --count ${decision.count} --expires ${isoDay(decision.expiresAt)} --out FILE`
    case 'refund':
      return `farthing issuer card refund ${decision.cardId}${decision.atIssuersRisk ? ' --at-issuers-risk' : ''}`
    case 'moneyBack':
      return `farthing issuer money-back ${decision.cardId} ${decision.counter} --at-risk-of ${decision.atRiskOf} --reason WHY`
  }
}

/** Nothing was done yet: says what to do. */
export const tellProposed = (
  options: { json?: boolean },
  { outcome, decisionNo, amountMinor, proposedBy }: Proposed,
  currency: string,
): void => {
  process.exitCode = exitStatus.refused
  result(options, { outcome, decisionNo, amountMinor, proposedBy }, () =>
    [
      `Nothing is done yet: ${formatAmount(amountMinor, currency)} ${currency} is over what one person decides alone in a day. It waits as decision ${decisionNo}.`,
      `It is done when another person gives the same command within ${proposalDaysMax} days, as "farthing issuer decisions list" tells it.`,
      `It is refused with: farthing issuer decisions refuse ${decisionNo} --reason WHY`,
    ].join('\n'),
  )
}

const listText = (
  waiting: readonly WaitingDecision[],
  { currency, now }: { readonly currency: string; readonly now: number },
): string =>
  waiting.length === 0
    ? 'Nothing waits.'
    : [
        table(
          ['no', currency, 'by', 'why', 'another person agrees with'],
          waiting.map(({ decisionNo, decision, proposedBy, proposedAt, reason }) => [
            String(decisionNo),
            formatAmount(decision.amountMinor, currency),
            proposedBy,
            reason,
            isProposalOver(proposedAt, now)
              ? `(older than ${proposalDaysMax} days: proposed anew, or refused)`
              : commandFor(decision, currency),
          ]),
        ),
        'One is refused with: farthing issuer decisions refuse NO --reason WHY',
      ].join('\n')

export const moneyDecisionCommands = (): Command => {
  const decisions = new Command('decisions').description(
    'vouchers on trust, refunds and money back that wait for a second person',
  )
  decisions
    .command('list')
    .description('those that wait, and how another person agrees')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        const waiting = await issuer.store.read(waitingDecisions)
        const { currency } = issuer.book
        result(options, withIsoTimes({ currency, decisions: waiting }), () =>
          listText(waiting, { currency, now: issuer.clock() }),
        )
      }),
    )
  decisions
    .command('refuse')
    .argument('<no>', 'the decision', count)
    .description('it is not to be, or is taken back')
    .requiredOption(...storeOption)
    .requiredOption('--reason <text>', 'why not')
    .action((decisionNo: number, options: StoreOptions & { reason: string }) =>
      withIssuer(options.store, async (issuer) => {
        const refused = await refuseDecision(issuer, commandCaller(), { decisionNo, reason: options.reason })
        result(options, refused, () => `Decision ${decisionNo} is refused: nothing of it is done.`)
      }),
    )
  return decisions
}
