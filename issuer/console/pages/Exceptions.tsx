/** Everything that does not add up, as work: what is at risk, whose it is, and until when. */
import { Link } from 'wouter'
import { isRiskUnknown } from '../../console-contract/case-risk.ts'
import { type CaseShape, casesPage, casesSummary } from '../../console-contract/cases.ts'
import { useApi } from '../api/query.ts'
import { reasonTitle, stateWords } from '../parts/case-words.ts'
import { type Column, DataTable } from '../parts/DataTable.tsx'
import { FilterSelect, Filters, FilterText } from '../parts/Filters.tsx'
import { PageHead, Stat, Stats, Tabs } from '../parts/layout.tsx'
import { pathTo, TerminalLink } from '../parts/links.tsx'
import { useList } from '../parts/use-list.ts'
import { Age, Badge, Code, Count, DateTime, Money, None } from '../parts/values.tsx'
import './cases.css'

const countersOf = ({ counter, lastCounter }: CaseShape): string =>
  counter === undefined ? '' : lastCounter === undefined ? `#${counter}` : `#${counter}–${lastCounter}`

function CaseCell({ row }: { row: CaseShape }) {
  return (
    <span className="case-cell">
      <Link href={pathTo.case(row.caseNo)}>{row.title}</Link>
      <span className="case-sub">
        {row.caseNo}
        {row.reason === undefined ? '' : ` · ${reasonTitle(row.reason)}`}
      </span>
    </span>
  )
}

function CardCell({ row }: { row: CaseShape }) {
  if (row.cardId === undefined) return <None />
  const href = row.counter === undefined ? pathTo.card(row.cardId) : pathTo.counter(row.cardId, row.counter)
  return (
    <span className="case-cell">
      <Link href={href}>
        <Code>{row.cardId}</Code>
      </Link>
      <span className="case-sub figure">{countersOf(row)}</span>
    </span>
  )
}

function TerminalCell({ row }: { row: CaseShape }) {
  if (row.terminalId === undefined) return <None />
  return (
    <span className="case-cell">
      <TerminalLink id={row.terminalId} />
      <span className="case-sub">{row.merchant}</span>
    </span>
  )
}

function Due({ row }: { row: CaseShape }) {
  if (row.state === 'closed') return <DateTime at={row.closedAt} />
  return (
    <span className={row.overdue ? 'case-overdue' : ''}>
      <DateTime at={row.dueAt} />
      {row.overdue ? <span className="case-sub"> overdue</span> : null}
    </span>
  )
}

const columns: readonly Column<CaseShape>[] = [
  { id: 'case', title: 'Case', sort: 'case', wide: true, cell: (row) => <CaseCell row={row} /> },
  {
    id: 'state',
    title: 'State',
    priority: 2,
    cell: ({ state }) => <Badge tone={stateWords[state].tone}>{stateWords[state].title}</Badge>,
  },
  {
    id: 'atRisk',
    title: 'At risk',
    sort: 'atRisk',
    align: 'end',
    cell: (row) => (isRiskUnknown(row) ? 'unknown' : <Money minor={row.atRiskMinor} strong />),
  },
  { id: 'card', title: 'Card', cell: (row) => <CardCell row={row} /> },
  { id: 'terminal', title: 'Terminal', cell: (row) => <TerminalCell row={row} /> },
  {
    id: 'age',
    title: 'Age',
    sort: 'opened',
    priority: 2,
    cell: (row) => (row.closedAt === undefined ? <Age since={row.openedAt} /> : <None says="closed" />),
  },
  { id: 'due', title: 'Due', sort: 'due', cell: (row) => <Due row={row} /> },
  { id: 'owner', title: 'Owner', priority: 3, cell: (row) => row.owner ?? <None says="nobody" /> },
]

const views = ['', 'mine', 'approval', 'overdue', 'closed', 'all'] as const
type View = (typeof views)[number]

export default function Exceptions() {
  const summary = useApi(casesSummary, '/cases-summary', { live: ['cases'] })
  const list = useList({
    path: '/cases',
    page: casesPage,
    sort: 'due',
    direction: 'ascending',
    filters: ['view', 'q', 'cause', 'owner', 'terminal', 'card'],
    live: ['cases'],
  })
  const view = views.find((each) => each === list.filter('view')) ?? ''
  const told = summary.data
  return (
    <>
      <PageHead title="Exceptions" lead="What does not add up, with what is known of it and what to do." />
      <div className="case-stats">
        <Stats>
          <Stat label="At risk" value={<Money minor={told?.atRiskMinor} />} note="in all that is not closed" />
          <Stat label="To do" value={<Count of={told?.count} />} note={`${told?.causes.length ?? 0} kinds`} />
          <Stat
            label="Overdue"
            value={<Count of={told?.overdueCount} />}
            href="/exceptions?view=overdue"
            {...((told?.overdueCount ?? 0) > 0 ? { tone: 'bad' as const } : {})}
          />
          <Stat
            label="To approve"
            value={<Count of={told?.approvalCount} />}
            href="/exceptions?view=approval"
            {...((told?.approvalCount ?? 0) > 0 ? { tone: 'warn' as const } : {})}
          />
        </Stats>
      </div>
      <Tabs<View>
        label="Which exceptions"
        at={view}
        onChange={(next) => list.setFilter('view', next)}
        tabs={[
          { id: '', title: 'To do', count: told?.count },
          { id: 'mine', title: 'Mine' },
          { id: 'approval', title: 'To approve', count: told?.approvalCount },
          { id: 'overdue', title: 'Overdue', count: told?.overdueCount },
          { id: 'closed', title: 'Closed' },
          { id: 'all', title: 'All' },
        ]}
      >
        <DataTable
          caption="Exceptions"
          noun={['case', 'cases']}
          list={list}
          columns={columns}
          rowKey={(row) => row.caseNo}
          rowHref={(row) => pathTo.case(row.caseNo)}
          empty={{
            title: 'Nothing is open',
            text: 'All that kiosks and couriers brought adds up. What does not stands here some seconds after it came.',
          }}
          filters={
            <Filters list={list}>
              <FilterText list={list} name="q" label="Card, terminal, merchant or number" />
              <FilterSelect
                list={list}
                name="cause"
                label="Cause"
                options={(told?.causes ?? []).map(({ cause, title, count }) => [cause, `${title} (${count})`])}
              />
              <FilterSelect
                list={list}
                name="owner"
                label="Owner"
                options={(told?.owners ?? []).map((owner) => [owner, owner])}
              />
            </Filters>
          }
        />
      </Tabs>
    </>
  )
}
