/** A statement as it is read on the page: the sum first, then how it came about, then what is carried over. */
import { Link } from 'wouter'
import type { CarriedException, HeldPayment, Statement } from '../../console-contract/statement.ts'
import {
  accountLines,
  cashLines,
  hasCash,
  notPaidWords,
  reasonInWords,
  type StatementLine,
} from '../../console-contract/statement-lines.ts'
import { PlainTable } from './DataTable.tsx'
import { Card, Stat, Stats, Strip } from './layout.tsx'
import { pathTo, TerminalLink } from './links.tsx'
import { Code, Count, DateTime, Day, Money, None } from './values.tsx'

/** Such as "1 payment". */
export const paymentsOf = (count: number): string => `${count} ${count === 1 ? 'payment' : 'payments'}`

export function StatementSums({ statement }: { statement: Statement }) {
  const { payoutMinor, dueMinor, held, feeMinor, closingMinor, notPaid } = statement
  return (
    <Stats>
      <Stat
        label="Payout"
        value={<Money minor={payoutMinor} />}
        note={notPaid === undefined ? `to ${statement.merchant.iban ?? ''}` : notPaidWords[notPaid]}
        {...(notPaid === 'noBankAccount' ? { tone: 'warn' } : {})}
      />
      <Stat
        label="Fees"
        value={<Money minor={feeMinor} />}
        note={`of ${statement.sales.count} ${statement.sales.count === 1 ? 'sale' : 'sales'}`}
      />
      <Stat
        label="Held"
        value={<Money minor={held.amountMinor} />}
        note={`${paymentsOf(held.count)}, carried over`}
        {...(held.count > 0 ? { tone: 'warn' } : {})}
      />
      <Stat label="Carried over" value={<Money minor={closingMinor} />} note="owed to the merchant afterwards" />
      <Stat
        label="Due from merchant"
        value={<Money minor={dueMinor} />}
        note="cash, or paid too much"
        {...(dueMinor > 0 ? { tone: 'warn' } : {})}
      />
    </Stats>
  )
}

function Lines({ title, lines }: { title: string; lines: readonly StatementLine[] }) {
  const sum = lines.find(({ isSum }) => isSum)
  return (
    <Card title={title} flush>
      <PlainTable
        caption={title}
        rows={lines.filter(({ isSum }) => !isSum)}
        rowKey={(line) => line.label}
        columns={[
          { id: 'label', title: 'Line', wide: true, cell: (line) => line.label },
          {
            id: 'count',
            title: 'Number',
            align: 'end',
            cell: (line) => (line.count === undefined ? null : <Count of={line.count} />),
          },
          { id: 'amount', title: 'Amount', align: 'end', cell: (line) => <Money minor={line.amountMinor} /> },
        ]}
        {...(sum === undefined ? {} : { foot: [sum.label, '', <Money key="sum" minor={sum.amountMinor} strong />] })}
      />
    </Card>
  )
}

type Open = HeldPayment | CarriedException

function OpenRows({ title, rows, count }: { title: string; rows: readonly Open[]; count: number }) {
  return (
    <Card title={title} aside={`${count} in all`} flush>
      <PlainTable<Open>
        caption={title}
        rows={rows}
        rowKey={(row) => `${row.terminalId}/${row.cardId}/${row.counter}/${row.at}/${row.reason}`}
        columns={[
          { id: 'reason', title: 'Reason', wide: true, cell: (row) => reasonInWords(row.reason) },
          { id: 'terminal', title: 'Terminal', cell: (row) => <TerminalLink id={row.terminalId} /> },
          {
            id: 'card',
            title: 'Card',
            cell: (row) =>
              row.cardId === undefined ? (
                <None />
              ) : (
                <Link href={pathTo.counter(row.cardId, row.counter ?? 0)}>
                  <Code>{`${row.cardId} #${row.counter ?? ''}`}</Code>
                </Link>
              ),
          },
          { id: 'at', title: 'Time', cell: (row) => <DateTime at={row.at} /> },
          { id: 'amount', title: 'Amount', align: 'end', cell: (row) => <Money minor={row.amountMinor} /> },
        ]}
      />
    </Card>
  )
}

function Days({ statement, merchantNo }: { statement: Statement; merchantNo: number }) {
  const { days } = statement
  const journal = (day: string) => `/ledger?tab=journal&merchantNo=${merchantNo}&day=${day}`
  return (
    <Card title="By day" flush>
      <PlainTable
        caption="By day"
        rows={days}
        rowKey={({ day }) => day}
        columns={[
          {
            id: 'day',
            title: 'Day booked',
            cell: ({ day }) => (
              <Link href={journal(day)}>
                <Day day={day} />
              </Link>
            ),
          },
          { id: 'sales', title: 'Sales', align: 'end', cell: (row) => <Count of={row.sales.count} /> },
          { id: 'amount', title: 'Amount', align: 'end', cell: (row) => <Money minor={row.sales.amountMinor} /> },
          { id: 'reversals', title: 'Reversed', align: 'end', cell: (row) => <Count of={row.reversals.count} /> },
          {
            id: 'reversed',
            title: 'Amount',
            align: 'end',
            cell: (row) => <Money minor={0 - row.reversals.amountMinor} />,
          },
          {
            id: 'loads',
            title: 'Cash for loads',
            align: 'end',
            cell: (row) => <Money minor={row.loads.amountMinor} />,
          },
        ]}
      />
      <p className="card-note">
        Each sale stands on the day that it was booked here. The <Link href="/">Overview</Link> counts it at the time of
        the sale: what a kiosk reports late stands there earlier.
      </p>
    </Card>
  )
}

export function StatementView({ statement, merchantNo }: { statement: Statement; merchantNo: number }) {
  const { held, exceptions, days } = statement
  return (
    <div className="stack">
      <StatementSums statement={statement} />
      <div className="halves">
        <Lines title="Account" lines={accountLines(statement)} />
        {hasCash(statement) ? <Lines title="Cash for loads" lines={cashLines(statement)} /> : null}
      </div>
      {held.count === 0 ? null : (
        <OpenRows title="Held: paid when what follows is known" rows={held.payments} count={held.count} />
      )}
      {exceptions.count === 0 ? (
        <Strip tone="good">No exception of this merchant was carried over.</Strip>
      ) : (
        <OpenRows title="Exceptions carried over: in no sum above" rows={exceptions.list} count={exceptions.count} />
      )}
      {days.length === 0 ? null : <Days statement={statement} merchantNo={merchantNo} />}
    </div>
  )
}
