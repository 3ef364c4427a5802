/** A list that the server pages, filters and sorts: its state is the address, so that a link shows the same rows. */
import { useCallback } from 'react'
import type * as v from 'valibot'
import { useSearchParams } from 'wouter'
import { addressOf } from '../api/client.ts'
import type { Topic } from '../api/live.ts'
import { type Query, useApi } from '../api/query.ts'

export type Direction = 'ascending' | 'descending'

/** Cursors of the pages before, by a page's own: this visit's way through the lists. */
const before = new Map<string, string | undefined>()

interface PageShape<Row> {
  readonly rows: readonly Row[]
  readonly next?: string | undefined
  readonly total?: number | undefined
}

/** One list, as `DataTable` and `Filters` take it. */
export interface ListState<Row> {
  readonly rows: readonly Row[] | undefined
  readonly total: number | undefined
  /** The first fetch is under way. */
  readonly loading: boolean
  /** What is shown is about to be replaced. */
  readonly stale: boolean
  readonly error: Error | null
  readonly retry: () => void
  readonly sort: string
  readonly direction: Direction
  /** A second time the same column: the other way round. */
  readonly sortBy: (column: string) => void
  readonly filter: (name: string) => string
  readonly setFilter: (name: string, value: string) => void
  readonly filtered: boolean
  readonly clearFilters: () => void
  readonly first: boolean
  readonly previous: (() => void) | undefined
  readonly next: (() => void) | undefined
  /** Of the file with all rows. */
  readonly exportAddress: string
}

/**
 * @param options.page the contract's shape of a page, such as `terminalsPage`
 * @param options.filters the names of the query's filters
 * @param options.fixed filters that this page sets and no one changes, such as the terminal it is about
 * @param options.scope tells two lists on one page apart: its parameters bear this name before theirs
 */
export const useList = <Row>(options: {
  readonly path: string
  readonly page: v.GenericSchema<unknown, PageShape<Row>>
  readonly sort: string
  readonly direction?: Direction
  readonly filters?: readonly string[]
  readonly fixed?: Query
  readonly live?: readonly Topic[]
  readonly scope?: string
  readonly limit?: number
}): ListState<Row> => {
  const [search, setSearch] = useSearchParams()
  const named = (name: string) => (options.scope === undefined ? name : `${options.scope}.${name}`)
  const read = (name: string) => search.get(named(name)) ?? ''
  const sort = read('sort') || options.sort
  const direction: Direction =
    read('direction') === 'ascending' || (read('direction') === '' && options.direction === 'ascending')
      ? 'ascending'
      : 'descending'
  const after = read('after') || undefined
  const names = options.filters ?? []
  const filters = Object.fromEntries(names.map((name) => [name, read(name)]))
  const query: Query = { ...options.fixed, ...filters, sort, direction, limit: options.limit ?? 50, after }
  const answer = useApi(options.page, options.path, {
    query,
    keep: true,
    ...(options.live === undefined ? {} : { live: options.live }),
  })

  const change = useCallback(
    (changes: Readonly<Record<string, string | undefined>>, replace: boolean) =>
      setSearch(
        (old) => {
          const params = new URLSearchParams(old)
          for (const [name, value] of Object.entries(changes))
            if (value === undefined || value === '') params.delete(name)
            else params.set(name, value)
          return params
        },
        { replace },
      ),
    [setSearch],
  )
  const page = answer.data
  const place = (cursor: string) => `${options.path} ${cursor}`
  const nextCursor = page?.next
  return {
    rows: page?.rows,
    total: page?.total,
    loading: answer.isPending,
    stale: answer.isPlaceholderData,
    error: answer.error,
    retry: () => void answer.refetch(),
    sort,
    direction,
    sortBy: (column) =>
      change(
        {
          [named('sort')]: column,
          [named('direction')]: column === sort && direction === 'descending' ? 'ascending' : 'descending',
          [named('after')]: undefined,
        },
        true,
      ),
    filter: read,
    setFilter: (name, value) => change({ [named(name)]: value, [named('after')]: undefined }, true),
    filtered: names.some((name) => read(name) !== ''),
    clearFilters: () => change(Object.fromEntries([...names, 'after'].map((name) => [named(name), undefined])), true),
    first: after === undefined,
    previous: after === undefined ? undefined : () => change({ [named('after')]: before.get(place(after)) }, false),
    next:
      nextCursor === undefined
        ? undefined
        : () => {
            before.set(place(nextCursor), after)
            change({ [named('after')]: nextCursor }, false)
          },
    exportAddress: addressOf(options.path, {
      ...options.fixed,
      ...filters,
      sort,
      direction,
      format: 'csv',
    }),
  }
}
