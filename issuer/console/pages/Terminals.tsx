/** All terminals: who reports, who is silent, and what each sold. */
import { type TerminalRow, terminalsPage } from '../../console-contract/terminals.ts'
import { type Column, DataTable } from '../parts/DataTable.tsx'
import { FilterSelect, Filters, FilterText } from '../parts/Filters.tsx'
import { PageHead } from '../parts/layout.tsx'
import { MerchantLink, pathTo, TerminalLink } from '../parts/links.tsx'
import { useList } from '../parts/use-list.ts'
import { Badge, Count, DateTime, Money } from '../parts/values.tsx'

function State({ row }: { row: TerminalRow }) {
  if (row.epoch === 0) return <Badge>Not enrolled</Badge>
  if (row.silent) return <Badge tone="warn">Silent</Badge>
  return <Badge tone="good">Reporting</Badge>
}

const columns: readonly Column<TerminalRow>[] = [
  { id: 'terminal', title: 'Terminal', sort: 'terminal', cell: (row) => <TerminalLink id={row.terminalId} /> },
  {
    id: 'merchant',
    title: 'Merchant',
    sort: 'merchant',
    wide: true,
    cell: (row) => <MerchantLink no={row.merchantNo} name={row.merchant} />,
  },
  { id: 'state', title: 'State', cell: (row) => <State row={row} /> },
  {
    id: 'reported',
    title: 'Last report',
    sort: 'reported',
    cell: (row) => <DateTime at={row.reportedAt} relative />,
  },
  { id: 'epoch', title: 'Epoch', align: 'end', priority: 3, cell: (row) => <Count of={row.epoch} /> },
  {
    id: 'today',
    title: 'Sales today',
    align: 'end',
    priority: 2,
    cell: (row) => <Count of={row.salesToday.count} />,
  },
  { id: 'todayAmount', title: 'Today', align: 'end', cell: (row) => <Money minor={row.salesToday.amountMinor} /> },
  {
    id: 'weekAmount',
    title: '7 days',
    sort: 'sales',
    align: 'end',
    cell: (row) => <Money minor={row.salesWeek.amountMinor} />,
  },
  {
    id: 'exceptions',
    title: 'Exceptions',
    align: 'end',
    priority: 2,
    cell: (row) => <Count of={row.exceptions} />,
  },
]

export default function Terminals() {
  const list = useList({
    path: '/terminals',
    page: terminalsPage,
    sort: 'reported',
    filters: ['q', 'state'],
    live: ['batches', 'terminals'],
  })
  return (
    <>
      <PageHead title="Terminals" />
      <DataTable
        caption="Terminals"
        noun={['terminal', 'terminals']}
        list={list}
        columns={columns}
        rowKey={(row) => row.terminalId}
        rowHref={(row) => pathTo.terminal(row.terminalId)}
        empty={{
          title: 'No terminals yet',
          text: 'A terminal belongs to a merchant and is enrolled with a one-time code. It stands here as soon as it is added.',
        }}
        filters={
          <Filters list={list}>
            <FilterText list={list} name="q" label="Terminal or merchant" />
            <FilterSelect
              list={list}
              name="state"
              label="State"
              options={[
                ['reporting', 'Reporting'],
                ['silent', 'Silent'],
                ['neverEnrolled', 'Not enrolled'],
              ]}
            />
          </Filters>
        }
      />
    </>
  )
}
