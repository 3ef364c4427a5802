/** `farthing issuer cases ...`: discrepancies as work (docs/OPERATIONS.md, Cases). */
import { Command } from 'commander'
import { clockTimes } from '../issuer/business-days.ts'
import { caseStates, type DecisionKind } from '../issuer/case-tables.ts'
import {
  addCaseNote,
  approveCase,
  assignCase,
  closeCase,
  decideCase,
  keepCase,
  refuseCase,
} from '../issuer/cases/actions.ts'
import { type CaseDetail, type CaseRow, listCases, showCase } from '../issuer/cases/case-view.ts'
import { reconcileCases } from '../issuer/cases/round.ts'
import { isRiskUnknown } from '../issuer/console-contract/case-risk.ts'
import { causes } from '../issuer/explain/case.ts'
import type { Issuer } from '../issuer/issuer.ts'
import { formatAmount } from '../protocol/currency.ts'
import { count, dayEnd, id8 } from './arguments.ts'
import { commandCaller } from './caller.ts'
import { terminalText } from './explain-text.ts'
import { CliError, exitStatus, result } from './output.ts'
import { table } from './table.ts'

interface StoreOptions {
  store: string
  json?: boolean
}
type WithIssuer = <Result>(url: string, work: (issuer: Issuer) => Promise<Result>) => Promise<Result>

const oneOf = <Value extends string>(values: readonly Value[], text: string | undefined): Value | undefined => {
  if (text === undefined) return undefined
  const found = values.find((value) => value === text)
  if (found === undefined) throw new CliError(exitStatus.usage, `"${text}" is none of ${values.join(', ')}.`)
  return found
}

const show = (issuer: Issuer, caseNo: number): Promise<CaseDetail> =>
  issuer.store.read((db) => showCase(db, caseNo, issuer.clock()))

const aboutText = ({ cardId, counter, lastCounter, terminalId, reason }: CaseRow): string =>
  [
    cardId === undefined ? '' : `card ${cardId}`,
    counter === undefined ? '' : lastCounter === undefined ? `#${counter}` : `#${counter}-${lastCounter}`,
    terminalId === undefined ? '' : `terminal ${terminalId}`,
    reason ?? '',
  ]
    .filter((part) => part !== '')
    .join(' ')

export const casesText = (
  listed: { readonly cases: readonly CaseRow[]; readonly total: number; readonly atRiskMinor: number },
  currency: string,
): string => {
  const money = (minor: number) => formatAmount(minor, currency)
  if (listed.total === 0) return 'There are none.'
  return [
    table(
      ['case', 'state', 'due', `at risk ${currency}`, 'owner', 'cause', 'about'],
      listed.cases.map((row) => [
        String(row.caseNo),
        row.state,
        `${row.dueAt.slice(0, 10)}${row.overdue ? ' !' : ''}`,
        isRiskUnknown(row) ? 'unknown' : money(row.atRiskMinor),
        row.owner ?? '-',
        row.cause,
        aboutText(row),
      ]),
    ),
    `${listed.total} in all, ${money(listed.atRiskMinor)} ${currency} at risk.${listed.cases.length < listed.total ? ` The first ${listed.cases.length} are listed.` : ''}`,
  ].join('\n\n')
}

export const caseText = (shown: CaseDetail, { currency, timeZone }: Issuer['book']): string => {
  const clockTime = clockTimes(timeZone)
  const shortTime = (iso: string) => clockTime(Date.parse(iso) / 1000)
  const money = (minor: number) => `${formatAmount(minor, currency)} ${currency}`
  const waits = [
    ...(shown.suspenseMinor === 0 ? [] : [`${money(shown.suspenseMinor)} in suspense`]),
    ...(shown.holesMinor === 0 ? [] : [`${money(shown.holesMinor)} in holes`]),
  ]
  const suspects = shown.hole?.suspects ?? []
  return [
    [
      `Case ${shown.caseNo}: ${shown.title}, ${shown.state}`,
      `About ${aboutText(shown)}${shown.merchant === undefined ? '' : ` (${shown.merchant})`}, ${money(shown.amountMinor)}, day ${shown.day}`,
      ...(waits.length === 0 ? [] : [`Waits: ${waits.join(', ')}`]),
      `At risk: ${isRiskUnknown(shown) ? 'unknown' : money(shown.atRiskMinor)}. Due ${shown.dueAt.slice(0, 10)}${shown.overdue ? ', OVERDUE' : ''}. Owner: ${shown.owner ?? 'nobody'}`,
      shown.detail,
      ...suspects.map(
        (suspect, index) =>
          `${index === 0 ? 'Likely' : 'Or'} ${terminalText(suspect)} (${suspect.merchant}): ${suspect.why}.`,
      ),
      `What to do: ${shown.todo}`,
    ].join('\n'),
    ...(shown.decisions.length === 0
      ? []
      : [
          [
            'Decisions:',
            ...shown.decisions.map(
              (each) =>
                `  ${each.decisionNo} ${each.kind} ${money(each.suspenseMinor + each.holesMinor)}${each.merchant === undefined ? '' : ` (${each.merchant})`}, ${each.state}, by ${each.proposedBy}${each.approvedBy === undefined || each.approvedBy === each.proposedBy ? '' : ` and ${each.approvedBy}`}: ${each.reason}`,
            ),
          ].join('\n'),
        ]),
    ...(shown.notes.length === 0
      ? []
      : [['Notes:', ...shown.notes.map(({ at, author, text }) => `  ${shortTime(at)} ${author}: ${text}`)].join('\n')]),
    [
      'Timeline:',
      ...shown.timeline.map(({ at, kind, who, document, detail }) =>
        `  ${shortTime(at)} ${kind} ${[who, document, detail].filter((part) => part !== undefined).join(', ')}`.trimEnd(),
      ),
    ].join('\n'),
  ].join('\n\n')
}

interface DecideOptions extends StoreOptions {
  pay?: boolean
  charge?: boolean
  writeOff?: boolean
  credit?: boolean
  keep?: boolean
  reason: string
  merchant?: string
  card?: string
  due?: number
}

const kindOf = (options: DecideOptions): DecisionKind | 'keep' => {
  const chosen = (
    [
      [options.pay, 'payMerchant'],
      [options.charge, 'chargeMerchant'],
      [options.writeOff, 'writeOff'],
      [options.credit, 'creditCard'],
      [options.keep, 'keep'],
    ] as const
  ).flatMap(([said, kind]) => (said === true ? [kind] : []))
  const [kind, ...more] = chosen
  if (kind === undefined || more.length > 0)
    throw new CliError(exitStatus.usage, 'Say one of --pay, --charge, --write-off, --credit, --keep.')
  return kind
}

export const caseCommands = (withIssuer: WithIssuer, storeOption: readonly [string, string]): Command => {
  const cases = new Command('cases').description('what does not add up, as work')
  const about = (name: string, description: string) =>
    cases
      .command(`${name} <number>`)
      .description(description)
      .requiredOption(...storeOption)
  /** Does something with a case, and shows what it is then. */
  const act = (
    number: string,
    options: StoreOptions,
    work: (issuer: Issuer, action: { caseNo: number; by: string }) => Promise<unknown>,
  ) =>
    withIssuer(options.store, async (issuer) => {
      const caseNo = count(number)
      await work(issuer, { caseNo, by: commandCaller().name })
      const shown = await show(issuer, caseNo)
      result(options, shown, () => caseText(shown, issuer.book))
    })

  cases
    .command('list')
    .description('those that are not closed, the most urgent first')
    .requiredOption(...storeOption)
    .option('--state <state>', `${caseStates.join(', ')}, or all`)
    .option('--cause <cause>', causes.join(', '))
    .option('--owner <name>', 'whose they are')
    .option('--terminal <hex>', 'about this terminal: 16 hex digits', id8)
    .option('--card <hex>', 'about this card: 16 hex digits', id8)
    .option('--overdue', 'whose due date has passed')
    .option('--limit <n>', 'how many at most', count)
    .action(
      (
        options: StoreOptions & {
          state?: string
          cause?: string
          owner?: string
          terminal?: string
          card?: string
          overdue?: boolean
          limit?: number
        },
      ) =>
        withIssuer(options.store, async (issuer) => {
          const state = oneOf([...caseStates, 'all'] as const, options.state)
          const cause = oneOf(causes, options.cause)
          await reconcileCases(issuer)
          const listed = await issuer.store.read((db) =>
            listCases(
              db,
              {
                ...(state === undefined ? {} : { state }),
                ...(cause === undefined ? {} : { cause }),
                ...(options.owner === undefined ? {} : { owner: options.owner }),
                ...(options.terminal === undefined ? {} : { terminalId: options.terminal }),
                ...(options.card === undefined ? {} : { cardId: options.card }),
                ...(options.overdue === undefined ? {} : { overdue: options.overdue }),
                ...(options.limit === undefined ? {} : { limit: options.limit }),
              },
              issuer.clock(),
            ),
          )
          result(options, listed, () => casesText(listed, issuer.book.currency))
        }),
    )

  cases
    .command('sync')
    .description('bring the files up to what the books say now')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        const done = await reconcileCases(issuer)
        result(
          options,
          done,
          () =>
            `Opened ${done.opened}, closed ${done.closed}, reopened ${done.reopened}; decisions taken back: ${done.takenBack}.`,
        )
      }),
    )

  about('show', 'what is known of one, and what to do').action((number: string, options: StoreOptions) =>
    act(number, options, (issuer) => reconcileCases(issuer)),
  )

  about('assign', 'give it an owner, or a new due date')
    .option('--owner <name>', 'absent: nobody')
    .option('--due <day>', 'such as 2026-11-30', dayEnd)
    .action((number: string, options: StoreOptions & { owner?: string; due?: number }) =>
      act(number, options, (issuer, action) =>
        assignCase(issuer, {
          ...action,
          ...(options.owner === undefined ? {} : { owner: options.owner }),
          ...(options.due === undefined ? {} : { dueAt: options.due }),
        }),
      ),
    )

  about('note', 'write something down')
    .requiredOption('--text <text>', 'what')
    .action((number: string, options: StoreOptions & { text: string }) =>
      act(number, options, (issuer, action) => addCaseNote(issuer, { ...action, text: options.text })),
    )

  about('close', 'it is seen to, and holds no money')
    .requiredOption('--text <text>', 'why nothing is left to do')
    .action((number: string, options: StoreOptions & { text: string }) =>
      act(number, options, (issuer, action) => closeCase(issuer, { ...action, text: options.text })),
    )

  about('decide', 'say where its money goes')
    .requiredOption('--reason <text>', 'why')
    .option('--pay', 'to the merchant')
    .option('--charge', 'the merchant bears it')
    .option('--write-off', 'the issuer bears it')
    .option('--credit', 'to the card, with its next load')
    .option('--keep', 'it stays where it is for now')
    .option('--merchant <name>', 'another one than the case names')
    .option('--card <hex>', 'another one than the case names: 16 hex digits', id8)
    .option('--due <day>', 'with --keep: until when', dayEnd)
    .action((number: string, options: DecideOptions) =>
      act(number, options, (issuer, action) => {
        const kind = kindOf(options)
        const { reason } = options
        if (kind === 'keep')
          return keepCase(issuer, { ...action, reason, ...(options.due === undefined ? {} : { dueAt: options.due }) })
        return decideCase(issuer, {
          ...action,
          kind,
          reason,
          ...(options.merchant === undefined ? {} : { merchant: options.merchant }),
          ...(options.card === undefined ? {} : { cardId: options.card }),
        })
      }),
    )

  about('approve', "agree to another person's decision").action((number: string, options: StoreOptions) =>
    act(number, options, approveCase),
  )

  about('refuse', 'a decision that waits for approval is not to be')
    .requiredOption('--reason <text>', 'why not')
    .action((number: string, options: StoreOptions & { reason: string }) =>
      act(number, options, (issuer, action) => refuseCase(issuer, { ...action, reason: options.reason })),
    )
  return cases
}
