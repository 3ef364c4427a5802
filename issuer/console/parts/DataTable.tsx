/** A list as a table: sorts, pages and exports on the server's side; j and k walk through its rows. */
import { type KeyboardEvent, type MouseEvent, type ReactNode, useRef } from 'react'
import { useLocation } from 'wouter'
import { Button } from './Button.tsx'
import { formatCount } from './format.ts'
import { Icon } from './Icon.tsx'
import { EmptyState, ErrorState } from './states.tsx'
import type { ListState } from './use-list.ts'

export interface Column<Row> {
  readonly id: string
  readonly title: string
  /** The query's name of the sorting; absent: it cannot be sorted by this. */
  readonly sort?: string
  readonly cell: (row: Row) => ReactNode
  /** Figures stand at the end, so that their digits stand under each other. */
  readonly align?: 'end'
  /** Left out where there is no room: 1 stays always (as absent), 3 goes first. */
  readonly priority?: 1 | 2 | 3
  /** Takes the room that is left. */
  readonly wide?: boolean
  /** Somebody else's words, of any length: cut off where they would push the figures out of sight. */
  readonly short?: boolean
}

export interface DataTableProps<Row> {
  /** What the table is, for those who do not see it; shown when `title` is absent nowhere. */
  readonly caption: string
  readonly list: ListState<Row>
  readonly columns: readonly Column<Row>[]
  readonly rowKey: (row: Row) => string | number
  /** Where a click on a row leads. The first column's link should lead there, too. */
  readonly rowHref?: (row: Row) => string
  /** When there is nothing at all, without a filter: what would stand here and how it comes to be. */
  readonly empty: { readonly title: string; readonly text: string; readonly action?: ReactNode }
  /** What rows are called, such as ["terminal", "terminals"]. */
  readonly noun: readonly [string, string]
  /** Actions beside the export, above the rows. */
  readonly actions?: ReactNode
  /** Filters, from `Filters`. */
  readonly filters?: ReactNode
}

const isInteractive = (target: EventTarget): boolean =>
  target instanceof Element && target.closest('a, button, input, select, label, textarea, dialog') !== null

/** Moves the focus from row to row, by the first link of each. */
const walk = (event: KeyboardEvent<HTMLTableSectionElement>): void => {
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key]
  if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return
  // What is typed into a row's dialog is no walk.
  if (event.target instanceof Element && event.target.closest('dialog, input, select, textarea') !== null) return
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('tr > :first-child a')]
  const row = event.target instanceof Element ? event.target.closest('tr') : null
  const at = links.findIndex((link) => row?.contains(link))
  const next = links[at + step]
  if (next === undefined) return
  event.preventDefault()
  next.focus()
}

function Head<Row>({ columns, list }: Pick<DataTableProps<Row>, 'columns' | 'list'>) {
  return (
    <thead>
      <tr>
        {columns.map((column) => {
          const sorted = column.sort !== undefined && column.sort === list.sort
          const classes = cellClasses(column)
          if (column.sort === undefined)
            return (
              <th key={column.id} scope="col" className={classes}>
                {column.title}
              </th>
            )
          const by = column.sort
          return (
            <th key={column.id} scope="col" className={classes} aria-sort={sorted ? list.direction : 'none'}>
              <button type="button" className="sort" onClick={() => list.sortBy(by)}>
                {column.title}
                <Icon name={sorted && list.direction === 'ascending' ? 'up' : 'down'} />
              </button>
            </th>
          )
        })}
      </tr>
    </thead>
  )
}

const cellClasses = <Row,>({ align, priority, wide, short }: Column<Row>): string =>
  [
    align === 'end' ? 'at-end' : '',
    priority === undefined ? '' : `priority-${priority}`,
    wide ? 'is-wide' : '',
    short ? 'is-short' : '',
  ]
    .filter(Boolean)
    .join(' ')

const skeletonRows = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

function Skeleton<Row>({ columns }: { columns: readonly Column<Row>[] }) {
  return skeletonRows.map((row) => (
    <tr key={row}>
      {columns.map((column) => (
        <td key={column.id} className={cellClasses(column)}>
          <span className="bone" />
        </td>
      ))}
    </tr>
  ))
}

function Foot<Row>({ list, noun }: Pick<DataTableProps<Row>, 'list' | 'noun'>) {
  const { rows, total } = list
  const [one, many] = noun
  const says =
    rows === undefined
      ? ''
      : total === undefined
        ? `More than ${formatCount(10_000)} ${many}`
        : `${formatCount(total)} ${total === 1 ? one : many}`
  return (
    <div className="table-foot">
      <p aria-live="polite">{list.stale ? 'Fetching …' : says}</p>
      <nav aria-label={`Pages of ${many}`} className="pager">
        <Button small onPress={list.previous}>
          <Icon name="left" /> Previous
        </Button>
        <Button small onPress={list.next}>
          Next <Icon name="right" />
        </Button>
      </nav>
    </div>
  )
}

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, list, columns, rowKey, rowHref, empty, actions, filters } = props
  const [, navigate] = useLocation()
  const body = useRef<HTMLTableSectionElement>(null)
  const open = (event: MouseEvent, row: Row) => {
    if (rowHref === undefined || isInteractive(event.target) || window.getSelection()?.isCollapsed === false) return
    navigate(rowHref(row))
  }
  const nothing = list.rows?.length === 0
  return (
    <section className="card table-card" aria-label={caption}>
      <div className="table-tools">
        {filters}
        <div className="table-actions">
          {actions}
          <a className="button is-small" href={list.exportAddress} download>
            <Icon name="export" /> Export
          </a>
        </div>
      </div>
      {list.error !== null && list.rows === undefined ? (
        <ErrorState error={list.error} retry={list.retry} />
      ) : nothing && list.first ? (
        list.filtered ? (
          <EmptyState title="Nothing matches" text="No rows have all of these properties.">
            <Button onPress={list.clearFilters}>Clear filters</Button>
          </EmptyState>
        ) : (
          <EmptyState title={empty.title} text={empty.text}>
            {empty.action}
          </EmptyState>
        )
      ) : (
        <>
          {list.error === null ? null : (
            <p className="strip tone-bad" role="alert">
              {list.error.message}
            </p>
          )}
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys. */}
          <section className="table-scroll" aria-label={`${caption}, rows`} tabIndex={0}>
            <table className={list.stale ? 'is-stale' : ''} aria-busy={list.loading || list.stale}>
              <caption className="unseen">{caption}</caption>
              <Head columns={columns} list={list} />
              <tbody ref={body} onKeyDown={walk}>
                {list.rows === undefined ? (
                  <Skeleton columns={columns} />
                ) : (
                  list.rows.map((row) => (
                    <tr
                      key={rowKey(row)}
                      className={rowHref === undefined ? '' : 'is-open'}
                      onClick={(event) => open(event, row)}
                    >
                      {columns.map((column, index) =>
                        index === 0 ? (
                          <th key={column.id} scope="row" className={cellClasses(column)}>
                            {column.cell(row)}
                          </th>
                        ) : (
                          <td key={column.id} className={cellClasses(column)}>
                            {column.cell(row)}
                          </td>
                        ),
                      )}
                    </tr>
                  ))
                )}
              </tbody>
            </table>
          </section>
          <Foot list={list} noun={props.noun} />
        </>
      )}
    </section>
  )
}

/** A short table without pages, inside a card: every number in it may be a link. */
export function PlainTable<Row>({
  caption,
  columns,
  rows,
  rowKey,
  foot,
}: {
  caption: string
  columns: readonly Omit<Column<Row>, 'sort'>[]
  rows: readonly Row[]
  rowKey: (row: Row) => string | number
  /** A row of sums. */
  foot?: readonly ReactNode[]
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: it is no set of fields; a card around it is the landmark already.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys.
    <div role="group" className="table-scroll" aria-label={caption} tabIndex={0}>
      <table>
        <caption className="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.id} scope="col" className={cellClasses(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column, index) =>
                index === 0 ? (
                  <th key={column.id} scope="row" className={cellClasses(column)}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.id} className={cellClasses(column)}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
        {foot === undefined ? null : (
          <tfoot>
            <tr>
              {columns.map((column, index) =>
                index === 0 ? (
                  <th key={column.id} scope="row" className={cellClasses(column)}>
                    {foot[index]}
                  </th>
                ) : (
                  <td key={column.id} className={cellClasses(column)}>
                    {foot[index]}
                  </td>
                ),
              )}
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  )
}
