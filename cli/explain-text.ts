/** The explanation of a day as a page of text (docs/OPERATIONS.md, Reconcile). */
import { advice, type Case, type Cause, causes } from '../issuer/explain/case.ts'
import type { AccountSum, Explanation } from '../issuer/explain/explain.ts'
import { formatAmount } from '../protocol/currency.ts'
import { table } from './table.ts'

const widthMax = 110

const wrap = (text: string, indent: string): string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > widthMax) {
      lines.push(indent + line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, indent + line]
}

const counterText = ({ counter, lastCounter }: Case): string =>
  counter === undefined ? '-' : lastCounter === undefined ? `#${counter}` : `#${counter}-${lastCounter}`

interface Words {
  readonly money: (minor: number) => string
  /** An ISO time as the book's clocks show it. */
  readonly time: (iso: string) => string
}

const signed = (minor: number, words: Words): string => `${minor > 0 ? '+' : ''}${words.money(minor)}`

/** What of the two accounts stands there on account of these cases. */
const accountText = (cases: readonly Case[], words: Words): string[] => {
  const suspense = cases.reduce((sum, each) => sum + each.suspenseMinor, 0)
  const holes = cases.reduce((sum, each) => sum + each.holesMinor, 0)
  return [
    ...(suspense === 0 ? [] : [`${signed(suspense, words)} in suspense`]),
    ...(holes === 0 ? [] : [`${signed(holes, words)} in holes`]),
  ]
}

const withoutAmount: readonly Cause[] = ['alarm', 'missingBatches', 'notReported']

/** By its name, where it has one, and its id. */
export const terminalText = (terminal: {
  readonly terminalId: string
  readonly terminalName?: string | undefined
}): string => `${terminal.terminalName === undefined ? '' : `"${terminal.terminalName}" `}${terminal.terminalId}`

const headline = (each: Case, words: Words): string =>
  [
    ...(each.cardId === undefined
      ? []
      : [`card ${each.cardId}${each.counter === undefined ? '' : ` ${counterText(each)}`}`]),
    ...(withoutAmount.includes(each.cause) ? [] : [words.money(each.amountMinor)]),
    ...(each.terminalId === undefined
      ? []
      : [
          `${each.cause === 'hole' && each.state === 'open' ? 'likely ' : ''}terminal ${terminalText({ ...each, terminalId: each.terminalId })} (${each.merchant})`,
        ]),
    ...(each.reason === undefined ? [] : [each.reason]),
    ...accountText([each], words),
  ].join(', ')

const suspectLines = ({ hole, lastCounter }: Case): string[] =>
  (hole?.suspects ?? []).flatMap((suspect, index) => {
    const which = lastCounter !== undefined && suspect.counter !== undefined ? ` for #${suspect.counter}` : ''
    const start = `${index === 0 ? 'Likely' : 'Or'}${which}`
    return wrap(`${start} ${terminalText(suspect)} (${suspect.merchant}): ${suspect.why}.`, '      ')
  })

const caseLines = (each: Case, words: Words): string[] => {
  const more = each.hole?.moreSuspects ?? 0
  return [
    `  ${headline(each, words)}`,
    ...wrap(each.detail, '      '),
    ...suspectLines(each),
    ...(more === 0 ? [] : [`      And ${more} more that may have.`]),
  ]
}

const sectionOf = (cause: Cause, cases: readonly Case[], words: Words): string => {
  const { title, todo } = advice[cause]
  const waits = cases.some((each) => each.suspenseMinor !== 0 || each.holesMinor !== 0)
  const sum = cases.reduce((total, { amountMinor }) => total + amountMinor, 0)
  // Where a part of it waits in an account, that part is what adds up.
  const amount = waits
    ? accountText(cases, words)
    : sum === 0 || withoutAmount.includes(cause)
      ? []
      : [words.money(sum)]
  return [
    [`${title}: ${cases.length}`, ...amount].join(', '),
    ...wrap(`What to do: ${todo}`, '  '),
    ...cases.flatMap((each) => caseLines(each, words)),
  ].join('\n')
}

/** A hole that a day of patience closed is every late batch's; it is counted, and told in JSON. */
const isRoutine = ({ cause, opened, closed }: Case, words: Words): boolean => {
  const dayOf = (iso: string) => words.time(iso).slice(0, 10)
  return cause === 'hole' && opened !== undefined && closed !== undefined && dayOf(opened.at) === dayOf(closed.at)
}

const closedLines = (each: Case, words: Words): string[] => {
  const { opened, closed } = each
  const seen = opened === undefined ? [] : [`seen ${words.time(opened.at)}`]
  const by = closed?.document === undefined ? '' : ` by ${closed.document}`
  const ended = closed === undefined ? [] : [`closed ${words.time(closed.at)}${by}`]
  return [
    `  ${headline(each, words)}: ${advice[each.cause].title.toLowerCase()}`,
    `      ${[...seen, ...ended].join(', ')}`,
  ]
}

const closedText = (cases: readonly Case[], words: Words): string[] => {
  if (cases.length === 0) return []
  const told = cases.filter((each) => !isRoutine(each, words))
  const routine = cases.length - told.length
  return [
    [
      `Closed: ${cases.length}. Nothing is left to do.`,
      ...(routine === 0 ? [] : [`  Counters that came late, but on the day on which they were missed: ${routine}.`]),
      ...told.flatMap((each) => closedLines(each, words)),
    ].join('\n'),
  ]
}

const sumRow = (name: string, words: Words, of: (sum: AccountSum) => number, explained: Explanation): string[] => [
  name,
  words.money(of(explained.suspense)),
  words.money(of(explained.holes)),
]

const sumsText = (explained: Explanation, words: Words): string =>
  table(
    [explained.currency, 'suspense', 'holes'],
    [
      sumRow(explained.day === undefined ? 'the cases' : 'cases of this day', words, (sum) => sum.dayMinor, explained),
      ...(explained.day === undefined
        ? []
        : [sumRow('cases of other days', words, (sum) => sum.otherDaysMinor, explained)]),
      sumRow('in the accounts', words, (sum) => sum.balanceMinor, explained),
      sumRow('unexplained', words, (sum) => sum.unexplainedMinor, explained),
    ],
  )

const lastLine = ({ unexplainedMinor, unexplainedCount }: Explanation, amount: string): string =>
  unexplainedMinor === 0 && unexplainedCount === 0
    ? `Unexplained: ${amount} and no counter.`
    : `UNEXPLAINED: ${amount} and ${unexplainedCount} counters. This is a defect: stop, and call whoever runs the issuer.`

export const explanationText = (explained: Explanation): string => {
  const { timeZone } = explained
  const inZone = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short', timeZone })
  const words: Words = {
    money: (minor) => formatAmount(minor, explained.currency),
    time: (iso) => inZone.format(new Date(iso)),
  }
  const whole = explained.day === undefined
  const byCause = Map.groupBy(explained.open, ({ cause }) => cause)
  const sections = causes.flatMap((cause) => {
    const cases = byCause.get(cause)
    return cases === undefined ? [] : [sectionOf(cause, cases, words)]
  })
  return [
    [
      whole ? 'All business days' : `Business day ${explained.day}`,
      ` (${explained.timeZone}), amounts in ${explained.currency}.\n`,
      `Settled card movements: ${explained.settledCount}. Plain, by the entry of their own terminal: ${explained.plainCount}.`,
      explained.open.length === 0 ? ' Nothing is open.' : ' What is not plain follows.',
    ].join(''),
    ...sections,
    ...(explained.perhaps.length === 0
      ? []
      : [
          [
            'Perhaps of this day: counted on another, but made some time between.',
            ...explained.perhaps.flatMap((each) => [
              `  ${headline(each, words)}, counted on ${each.day}`,
              ...wrap(each.detail, '      '),
            ]),
          ].join('\n'),
        ]),
    ...closedText(explained.closed, words),
    sumsText(explained, words),
    lastLine(explained, `${words.money(explained.unexplainedMinor)} ${explained.currency}`),
  ].join('\n\n')
}
