/** Closed periods as a table: of all merchants, or of one. */
import { Link } from 'wouter'
import { type PeriodRow, periodsPage } from '../../console-contract/settlement.ts'
import { addressOf } from '../api/client.ts'
import { type Column, DataTable } from './DataTable.tsx'
import { FilterDay, FilterSelect, Filters, FilterText } from './Filters.tsx'
import { MerchantLink, pathTo } from './links.tsx'
import { useList } from './use-list.ts'
import { Badge, Day, Money } from './values.tsx'

function Paid({ row }: { row: PeriodRow }) {
  if (row.payoutMinor === 0) return <Badge>Nothing paid</Badge>
  if (row.runNo === undefined) return <Badge tone="warn">Not in a file yet</Badge>
  return <Badge tone="good">{`In file ${row.runNo}`}</Badge>
}

const columns: readonly Column<PeriodRow>[] = [
  {
    id: 'period',
    title: 'Statement',
    sort: 'period',
    cell: (row) => <Link href={pathTo.period(row.periodNo)}>{`No. ${row.periodNo}`}</Link>,
  },
  {
    id: 'merchant',
    title: 'Merchant',
    wide: true,
    cell: (row) => <MerchantLink no={row.merchantNo} name={row.merchant} />,
  },
  { id: 'from', title: 'From', priority: 2, cell: (row) => <Day day={row.fromDay} /> },
  { id: 'until', title: 'Until', sort: 'until', cell: (row) => <Day day={row.untilDay} /> },
  { id: 'payout', title: 'Payout', sort: 'payout', align: 'end', cell: (row) => <Money minor={row.payoutMinor} /> },
  { id: 'closing', title: 'Carried over', align: 'end', cell: (row) => <Money minor={row.closingMinor} /> },
  { id: 'cash', title: 'Cash owed', align: 'end', priority: 2, cell: (row) => <Money minor={row.cashOwedMinor} /> },
  { id: 'paid', title: 'Payment', priority: 2, cell: (row) => <Paid row={row} /> },
  {
    id: 'files',
    title: 'Statement files',
    priority: 3,
    cell: (row) => (
      <>
        <a href={addressOf(`/periods/${row.periodNo}/pdf`)} download>
          PDF
        </a>{' '}
        <a href={addressOf(`/periods/${row.periodNo}/csv`)} download>
          CSV
        </a>
      </>
    ),
  },
]

export function Periods({ merchantNo }: { merchantNo?: number }) {
  const list = useList({
    path: '/periods',
    page: periodsPage,
    sort: 'period',
    filters: [...(merchantNo === undefined ? ['q'] : []), 'until', 'state'],
    fixed: merchantNo === undefined ? {} : { merchantNo },
    live: ['books'],
    scope: 'periods',
  })
  return (
    <DataTable
      caption="Closed periods"
      noun={['period', 'periods']}
      list={list}
      columns={merchantNo === undefined ? columns : columns.filter(({ id }) => id !== 'merchant')}
      rowKey={(row) => row.periodNo}
      rowHref={(row) => pathTo.period(row.periodNo)}
      empty={{
        title: 'No period was closed yet',
        text: 'Closing charges fees, sets cash for loads off and pays the rest. Each period follows the one before without a gap.',
      }}
      filters={
        <Filters list={list}>
          {merchantNo === undefined ? <FilterText list={list} name="q" label="Merchant" /> : null}
          <FilterDay list={list} name="until" label="Until" />
          <FilterSelect
            list={list}
            name="state"
            label="Payment"
            options={[
              ['unpaid', 'Not in a file yet'],
              ['paid', 'In a file'],
              ['nothingPaid', 'Nothing paid'],
            ]}
          />
        </Filters>
      }
    />
  )
}
