/** All cards: found by how the id begins, by state, by trouble. */
import { type CardRow, cardsPage } from '../../console-contract/cards.ts'
import { cardStates } from '../parts/card-words.ts'
import { type Column, DataTable } from '../parts/DataTable.tsx'
import { FilterSelect, Filters, FilterText } from '../parts/Filters.tsx'
import { PageHead } from '../parts/layout.tsx'
import { CardLink, pathTo } from '../parts/links.tsx'
import { useList } from '../parts/use-list.ts'
import { Badge, Count, DateTime, Money } from '../parts/values.tsx'

export function CardState({ status }: { status: CardRow['status'] }) {
  const { title, tone } = cardStates[status]
  return <Badge tone={tone}>{title}</Badge>
}

const columns: readonly Column<CardRow>[] = [
  { id: 'card', title: 'Card', sort: 'card', cell: (row) => <CardLink id={row.cardId} /> },
  { id: 'state', title: 'State', cell: (row) => <CardState status={row.status} /> },
  { id: 'balance', title: 'Balance', align: 'end', cell: (row) => <Money minor={row.balanceMinor} /> },
  { id: 'counter', title: 'Transactions', align: 'end', priority: 2, cell: (row) => <Count of={row.counter} /> },
  { id: 'holes', title: 'Holes', align: 'end', cell: (row) => <Count of={row.holes} /> },
  { id: 'alarms', title: 'Alarms', align: 'end', cell: (row) => <Count of={row.alarms} /> },
  { id: 'expires', title: 'Expires', priority: 3, cell: (row) => <DateTime at={row.expiresAt} relative /> },
  {
    id: 'registered',
    title: 'Registered',
    sort: 'recent',
    wide: true,
    cell: (row) => <DateTime at={row.registeredAt} />,
  },
]

export default function Cards() {
  const list = useList({
    path: '/cards',
    page: cardsPage,
    sort: 'recent',
    filters: ['q', 'status', 'trouble', 'stock'],
    live: ['cards', 'books'],
  })
  return (
    <>
      <PageHead title="Cards" />
      <DataTable
        caption="Cards"
        noun={['card', 'cards']}
        list={list}
        columns={columns}
        rowKey={(row) => row.cardId}
        rowHref={(row) => pathTo.card(row.cardId)}
        empty={{
          title: 'No cards yet',
          text: 'A card is made at the desk: put a blank one in the reader and run “farthing card personalise”.',
        }}
        filters={
          <Filters list={list}>
            <FilterText list={list} name="q" label="Card’s id begins with" />
            <FilterSelect
              list={list}
              name="status"
              label="State"
              options={[
                ['active', 'Active'],
                ['hotlisted', 'Blocked'],
                ['closing', 'Being closed'],
                ['closed', 'Closed'],
              ]}
            />
            <FilterSelect
              list={list}
              name="trouble"
              label="Trouble"
              options={[
                ['alarms', 'With alarms'],
                ['holes', 'With holes'],
              ]}
            />
            <FilterSelect list={list} name="stock" label="Stock" options={[['yes', 'Never used']]} />
          </Filters>
        }
      />
    </>
  )
}
