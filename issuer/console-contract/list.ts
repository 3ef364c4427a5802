/** What all tables of the console have in common: they page, filter, sort and export on the server's side. */
import * as v from 'valibot'

/** In the calendar, too: a 31st of February is none. */
export const dayText = v.pipe(
  v.string(),
  v.isoDate('A day is such as 2026-11-23.'),
  v.check((day) => new Date(`${day}T00:00:00Z`).getUTCDate() === Number(day.slice(8)), 'There is no such day.'),
)

export const pageRowsMax = 200
const pageRowsDefault = 50

/** Query of a list: its own filters, how it is sorted, and where its page begins. */
export const listQuery = <const Sort extends string, Filters extends v.ObjectEntries>(
  sorts: readonly [Sort, ...Sort[]],
  filters: Filters,
) =>
  v.object({
    ...filters,
    /** The first named is the default. */
    sort: v.optional(v.picklist(sorts), sorts[0]),
    direction: v.optional(v.picklist(['ascending', 'descending']), 'descending'),
    limit: v.optional(
      v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(pageRowsMax)),
      String(pageRowsDefault),
    ),
    /** Where the page before ended, as it said; absent: the first page. */
    after: v.optional(v.pipe(v.string(), v.maxLength(400))),
  })

/**
 * As the filter `format`: the list makes its export itself, with columns for people. Without it the adapter exports the
 * members of the rows. In both, `limit` and `after` say nothing then.
 */
export const exportFormat = v.optional(v.literal('csv'))

export const pageOf = <Row extends v.GenericSchema>(row: Row) =>
  v.object({
    rows: v.array(row),
    /** `after` of the next page; absent: this is the last. */
    next: v.optional(v.string()),
    /** How many rows there are with these filters; absent: more than are counted (10,000). */
    total: v.optional(v.number()),
  })
