/** The journal: transfers with where they went from and to, why, and on which document. */
import { Link } from 'wouter'
import { type TransferRow, transfersPage } from '../../console-contract/ledger.ts'
import type { Query } from '../api/query.ts'
import { AccountLink, causeName, causeOptions } from './accounts.tsx'
import { type Column, DataTable } from './DataTable.tsx'
import { FilterDay, FilterSelect, Filters, FilterText } from './Filters.tsx'
import { DocumentLink, pathTo } from './links.tsx'
import { useList } from './use-list.ts'
import { Code, DateTime, Money, None } from './values.tsx'

function Document({ row }: { row: TransferRow }) {
  if (row.periodNo !== undefined) return <Link href={pathTo.period(row.periodNo)}>{row.document}</Link>
  return <DocumentLink name={row.document} />
}

/** @param about the account that is looked at: its side is the sign */
const columnsFor = (about: number | undefined): readonly Column<TransferRow>[] => [
  { id: 'booked', title: 'Booked', sort: 'booked', cell: (row) => <DateTime at={row.bookedAt} /> },
  { id: 'cause', title: 'Cause', cell: (row) => causeName(row.cause) },
  { id: 'from', title: 'From', cell: (row) => <AccountLink account={row.from} /> },
  { id: 'to', title: 'To', cell: (row) => <AccountLink account={row.to} /> },
  {
    id: 'card',
    title: 'Card',
    priority: 3,
    cell: (row) =>
      row.cardId === undefined ? (
        <None />
      ) : (
        <Link href={pathTo.counter(row.cardId, row.counter ?? 0)}>
          <Code>{`${row.cardId}${row.counter === undefined ? '' : ` #${row.counter}`}`}</Code>
        </Link>
      ),
  },
  { id: 'document', title: 'Document', priority: 2, cell: (row) => <Document row={row} /> },
  {
    id: 'amount',
    title: 'Amount',
    align: 'end',
    cell: (row) =>
      about === undefined ? (
        <Money minor={row.amountMinor} />
      ) : (
        <Money minor={row.to.accountNo === about ? row.amountMinor : -row.amountMinor} sign />
      ),
  },
]

export function Journal({ fixed = {}, accountNo }: { fixed?: Query; accountNo?: number }) {
  const list = useList({
    path: '/transfers',
    page: transfersPage,
    sort: 'booked',
    filters: [...('merchantNo' in fixed || accountNo !== undefined ? [] : ['merchantNo']), 'day', 'cause', 'card'],
    fixed: accountNo === undefined ? fixed : { ...fixed, accountNo },
    live: ['books'],
  })
  return (
    <DataTable
      caption="Journal"
      noun={['transfer', 'transfers']}
      list={list}
      columns={columnsFor(accountNo)}
      rowKey={(row) => row.transferNo}
      empty={{ title: 'Nothing was booked yet', text: 'Every movement of money stands here with its document.' }}
      filters={
        <Filters list={list}>
          <FilterDay list={list} name="day" label="Business day" />
          <FilterSelect list={list} name="cause" label="Cause" options={causeOptions} />
          <FilterText list={list} name="card" label="Card, 16 digits" />
        </Filters>
      }
    />
  )
}
