/** All batches as they came. */
import { type BatchRow, batchesPage } from '../../console-contract/batches.ts'
import { type Column, DataTable } from '../parts/DataTable.tsx'
import { FilterDay, FilterSelect, Filters, FilterText } from '../parts/Filters.tsx'
import { PageHead } from '../parts/layout.tsx'
import { BatchLink, pathTo, TerminalLink } from '../parts/links.tsx'
import { useList } from '../parts/use-list.ts'
import { Count, DateTime } from '../parts/values.tsx'
import { WordBadge } from '../parts/WordBadge.tsx'
import { verdictWord } from '../parts/words.ts'

const columns: readonly Column<BatchRow>[] = [
  { id: 'batch', title: 'Batch', cell: (row) => <BatchLink {...row} short /> },
  { id: 'terminal', title: 'Terminal', cell: (row) => <TerminalLink id={row.terminalId} /> },
  { id: 'merchant', title: 'Merchant', wide: true, priority: 2, cell: (row) => row.merchant },
  { id: 'received', title: 'Received', sort: 'received', cell: (row) => <DateTime at={row.receivedAt} /> },
  { id: 'verdict', title: 'Verdict', cell: (row) => <WordBadge word={verdictWord(row.verdict)} /> },
  {
    id: 'first',
    title: 'First entry',
    align: 'end',
    priority: 3,
    cell: (row) => <Count of={row.firstEntry} />,
  },
  { id: 'entries', title: 'Entries', sort: 'entries', align: 'end', cell: (row) => <Count of={row.entries} /> },
  { id: 'accepted', title: 'Accepted', align: 'end', priority: 3, cell: (row) => <Count of={row.accepted} /> },
  { id: 'exceptions', title: 'Exceptions', align: 'end', cell: (row) => <Count of={row.exceptions} /> },
]

export default function Batches() {
  const list = useList({
    path: '/batches',
    page: batchesPage,
    sort: 'received',
    filters: ['terminal', 'from', 'until', 'exceptions'],
    live: ['batches'],
  })
  return (
    <>
      <PageHead title="Batches" lead="What terminals sealed and sent, as it came, with what became of it." />
      <DataTable
        caption="Batches"
        noun={['batch', 'batches']}
        list={list}
        columns={columns}
        rowKey={(row) => `${row.terminalId}/${row.epoch}/${row.batchNo}`}
        rowHref={pathTo.batch}
        empty={{
          title: 'No batch yet',
          text: 'A kiosk sends its sales in batches as soon as it is enrolled and reaches the issuer.',
        }}
        filters={
          <Filters list={list}>
            <FilterText list={list} name="terminal" label="Terminal’s id" />
            <FilterDay list={list} name="from" label="From" />
            <FilterDay list={list} name="until" label="Until" />
            <FilterSelect list={list} name="exceptions" label="Exceptions" options={[['some', 'Some']]} />
          </Filters>
        }
      />
    </>
  )
}
