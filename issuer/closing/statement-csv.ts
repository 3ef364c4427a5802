/** A statement as a table (RFC 4180) for a spreadsheet: one line for each sum, day, held payment and exception. */
import { formatAmount } from '../../protocol/currency.ts'
import { csvLine } from '../console-api/csv.ts'
import type { Statement } from '../console-contract/statement.ts'
import { accountLines, cashLines, reasonInWords, type StatementLine } from '../console-contract/statement-lines.ts'

const head = ['section', 'label', 'day', 'terminal', 'terminal_name', 'card', 'counter', 'count', 'amount', 'currency']

export const statementCsv = (statement: Statement): string => {
  const { currency } = statement
  const money = (minor: number) => formatAmount(minor, currency)
  const sums = (section: string, lines: readonly StatementLine[]) =>
    lines.map(({ label, count, amountMinor }) => [
      ...[section, label, statement.untilDay, '', '', '', ''],
      ...[count ?? '', money(amountMinor), currency],
    ])
  const days = statement.days.flatMap(({ day, sales, reversals, loads }) => [
    ['day', 'Sales', day, '', '', '', '', sales.count, money(sales.amountMinor), currency],
    ['day', 'Reversed sales', day, '', '', '', '', reversals.count, money(-reversals.amountMinor), currency],
    ['day', 'Loads paid in cash', day, '', '', '', '', loads.count, money(loads.amountMinor), currency],
  ])
  const open = (
    section: string,
    rows: readonly {
      readonly reason: string
      readonly terminalId: string
      readonly terminalName?: string | undefined
      readonly cardId?: string | undefined
      readonly counter?: number | undefined
      readonly amountMinor?: number | undefined
      readonly at: string
    }[],
  ) =>
    rows.map((row) => [
      ...[section, reasonInWords(row.reason), row.at, row.terminalId, row.terminalName ?? ''],
      ...[row.cardId ?? '', row.counter ?? ''],
      ...['', row.amountMinor === undefined ? '' : money(row.amountMinor), currency],
    ])
  const { merchant, periodNo } = statement
  const facts = [
    ['statement', `${merchant.legalName ?? merchant.name}, ${statement.fromDay} to ${statement.untilDay}`],
    ['statement', periodNo === undefined ? 'Preview' : `Statement ${periodNo}`],
  ].map((cells) => [...cells, statement.untilDay, '', '', '', '', '', '', currency])
  const rows = [
    head,
    ...facts,
    ...sums('account', accountLines(statement)),
    ...sums('cash', cashLines(statement)),
    ...days,
    ...open('held', statement.held.payments),
    ...open('exception', statement.exceptions.list),
  ]
  return rows.map(csvLine).join('')
}
