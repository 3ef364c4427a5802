/**
 * One round over all cases: brings their files up to what the books say now, in short transactions about some cards each, so that a
 * batch that comes meanwhile waits for one of them at most, and no more than that is in memory. A round that is cut off in the
 * middle has done what it did; the next one finds the rest.
 */
import { sql } from 'kysely'
import { spanOfDay } from '../business-days.ts'
import type { Part } from '../explain/read.ts'
import { type Reading, readReports } from '../explain/reports.ts'
import { businessDays } from '../facts.ts'
import type { Issuer } from '../issuer.ts'
import type { StoreReader } from '../store.ts'
import { freshLoadsFrom, type Reconciled, reconcileIn } from './reconcile.ts'

/** In one transaction. */
export const cardsPerStep = 100

/** Cards to look at, and how far these reach. */
interface Found<Place> {
  readonly cardIds: readonly string[]
  /** Absent: these are the last. */
  readonly next: Place | undefined
}

/** Conditions are those of partial indexes: they are written out. */
const oddRows = [
  'seam WHERE card_no IS NOT NULL',
  'note WHERE card_no IS NOT NULL',
  'courier_only WHERE card_no IS NOT NULL',
  'alarm WHERE card_no IS NOT NULL',
  'settlement WHERE exception IS NOT NULL',
  "settlement WHERE order_type = 'reversal'",
  "load_authorisation WHERE state <> 'settled'",
].map((rows) => sql.raw(rows))

/** Cards that have what may be a case, and no file that stands. */
const findOddCards =
  (freshFrom: number) =>
  async (db: StoreReader, after: number): Promise<Found<number>> => {
    const sources = oddRows.map(
      (rows) =>
        sql`SELECT card_no FROM (SELECT DISTINCT card_no FROM ${rows} AND card_no > ${after} ORDER BY card_no LIMIT ${cardsPerStep}) AS source`,
    )
    const numbers = await sql<{ card_no: number }>`
      ${sql.join(sources, sql` UNION `)} ORDER BY card_no LIMIT ${cardsPerStep}`.execute(db)
    const last = numbers.rows.at(-1)?.card_no
    if (last === undefined) return { cardIds: [], next: undefined }
    const within = (column: string) => sql`${sql.ref(column)} > ${after} AND ${sql.ref(column)} <= ${last}`
    const { rows } = await sql<{ card_id: string }>`
      WITH odd (card_no) AS (
        SELECT card_no FROM seam WHERE ${within('card_no')}
        UNION SELECT card_no FROM note WHERE ${within('card_no')}
        UNION SELECT card_no FROM courier_only WHERE ${within('card_no')}
        UNION SELECT card_no FROM alarm WHERE ${within('card_no')}
        UNION SELECT card_no FROM settlement WHERE exception IS NOT NULL AND ${within('card_no')}
        UNION SELECT reversal.card_no FROM settlement AS reversal
          LEFT JOIN settlement AS payment
            ON payment.card_no = reversal.card_no AND payment.counter = reversal.counter - 1
          WHERE reversal.order_type = 'reversal'
            AND (payment.order_type IS NULL OR payment.order_type <> 'payment' OR payment.exception IS NOT NULL)
            AND ${within('reversal.card_no')}
        UNION SELECT card_no FROM load_authorisation
          WHERE state <> 'settled' AND (state <> 'standing' OR order_time < ${freshFrom}) AND ${within('card_no')}
      )
      SELECT card.card_id FROM odd JOIN card ON card.card_no = odd.card_no
      WHERE NOT EXISTS (SELECT 1 FROM case_file WHERE case_file.card_id = card.card_id AND case_file.state <> 'closed')`.execute(
      db,
    )
    return {
      cardIds: rows.map(({ card_id }) => card_id),
      next: numbers.rows.length < cardsPerStep ? undefined : last,
    }
  }

const foundIds = (rows: readonly { readonly card_id: string }[]): Found<string> => ({
  cardIds: rows.map(({ card_id }) => card_id),
  next: rows.length < cardsPerStep ? undefined : rows.at(-1)?.card_id,
})

/** Cards, known or not, that an entry was refused about. */
const findRefusedCards = async (db: StoreReader, after: string): Promise<Found<string>> => {
  const { rows } = await sql<{ card_id: string }>`
    SELECT DISTINCT card_id FROM entry_exception WHERE card_id > ${after} ORDER BY card_id LIMIT ${cardsPerStep}`.execute(
    db,
  )
  return foundIds(rows)
}

/** Cards with files that stand, or with a decision that stands, which what came since may take back. */
const findFiledCards =
  (lastCaseNo: number) =>
  async (db: StoreReader, after: string): Promise<Found<string>> => {
    const { rows } = await sql<{ card_id: string }>`
      SELECT card_id FROM (
        SELECT DISTINCT card_id FROM case_file
        WHERE state <> 'closed' AND card_id > ${after} AND case_no <= ${lastCaseNo} ORDER BY card_id LIMIT ${cardsPerStep}
      ) AS standing
      UNION SELECT card_id FROM (
        SELECT DISTINCT card_id FROM case_decision JOIN case_file ON case_file.case_no = case_decision.case_no
        WHERE case_decision.state IN ('proposed', 'booked') AND card_id > ${after} ORDER BY card_id LIMIT ${cardsPerStep}
      ) AS decided
      ORDER BY card_id LIMIT ${cardsPerStep}`.execute(db)
    return foundIds(rows)
  }

const readLastCaseNo = async (db: StoreReader): Promise<number> => {
  const row = await db.selectFrom('case_file').select('case_no').orderBy('case_no', 'desc').limit(1).executeTakeFirst()
  return row?.case_no ?? 0
}

/**
 * Another process that does the same meanwhile waits for a step, and then finds nothing to do about its cards.
 * @param options.rest is awaited after each step, so that others come in between; what it throws ends the round
 */
export const reconcileCases = async (
  issuer: Issuer,
  options: { readonly rest?: (tookMs: number) => Promise<void> } = {},
): Promise<Reconciled> => {
  const step = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const begun = performance.now()
    const result = await work()
    await options.rest?.(performance.now() - begun)
    return result
  }
  const reading: Reading = (work) => step(() => issuer.store.read(work))
  const reports = await readReports(reading)
  const sums = { opened: 0, closed: 0, reopened: 0, takenBack: 0 }
  const reconcile = async (part: Part): Promise<void> => {
    const done = await step(() => issuer.store.write((db) => reconcileIn(issuer, db, { part, reports })))
    sums.opened += done.opened
    sums.closed += done.closed
    sums.reopened += done.reopened
    sums.takenBack += done.takenBack
  }
  const walk = async <Place>(
    from: Place,
    find: (db: StoreReader, after: Place) => Promise<Found<Place>>,
  ): Promise<void> => {
    for (let after: Place | undefined = from; after !== undefined; ) {
      const place: Place = after
      const { cardIds, next } = await reading((db) => find(db, place))
      if (cardIds.length > 0) await reconcile({ cardIds })
      after = next
    }
  }
  const dayOf = businessDays(issuer.book.timeZone)
  const freshFrom = spanOfDay(dayOf, freshLoadsFrom(issuer)).since
  const lastCaseNo = await reading(readLastCaseNo)
  await reconcile('noCard')
  await walk(0, findOddCards(freshFrom))
  await walk('', findRefusedCards)
  await walk('', findFiledCards(lastCaseNo))
  return sums
}
