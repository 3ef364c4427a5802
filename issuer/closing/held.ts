/** What is in a merchant's account and not to be paid yet, and what waits for a person: both are carried over. */
import { sql } from 'kysely'
import type { CarriedException, HeldPayment } from '../console-contract/statement.ts'
import { isoTime } from '../iso-times.ts'
import type { StoreReader } from '../store.ts'

export interface Until {
  readonly merchantNo: number
  /** What was booked later is not looked at. */
  readonly untilDay: string
}

/** Payments of the merchant's terminals that were booked until the day. */
const payments = (db: StoreReader, { merchantNo, untilDay }: Until) =>
  db
    .selectFrom('settlement')
    .innerJoin('terminal', 'terminal.terminal_no', 'settlement.terminal_no')
    .innerJoin('card', 'card.card_no', 'settlement.card_no')
    .innerJoin('account', (join) =>
      join.onRef('account.account_no', '=', 'settlement.booked_to').on('account.kind', '=', 'payable'),
    )
    .select(['settlement.card_no', 'settlement.counter', 'terminal.terminal_id', 'card.card_id'])
    .select('terminal.name as terminal_name')
    .select(['settlement.amount_minor', 'settlement.order_time'])
    .where('account.merchant_no', '=', merchantNo)
    .where('settlement.order_type', '=', 'payment')
    .where('settlement.exception', 'is', null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('transfer')
          .select('transfer_no')
          .whereRef('transfer.card_no', '=', 'settlement.card_no')
          .whereRef('transfer.counter', '=', 'settlement.counter')
          .whereRef('transfer.to_account', '=', 'settlement.booked_to')
          .where('transfer.business_day', '<=', untilDay),
      ),
    )

/** What takes from the merchant's account already: a reversal, a hole that is explained as one, money that was given back. */
const undone = sql<boolean>`(
  EXISTS (SELECT 1 FROM seam WHERE seam.card_no = settlement.card_no
    AND seam.after_counter = settlement.counter AND seam.explanation = 'reversal')
  OR EXISTS (SELECT 1 FROM settlement AS reversal JOIN account AS reversed ON reversed.account_no = reversal.booked_from
    WHERE reversal.card_no = settlement.card_no AND reversal.counter = settlement.counter + 1
    AND reversal.order_type = 'reversal' AND reversed.kind = 'payable')
  OR EXISTS (SELECT 1 FROM money_back WHERE money_back.card_no = settlement.card_no
    AND money_back.counter = settlement.counter AND money_back.charged = 'merchant'))`

/** A person decided what the hole behind it was: nobody waits for it any more. */
const decided = sql<boolean>`EXISTS (SELECT 1 FROM case_file JOIN case_decision ON case_decision.case_no = case_file.case_no
  WHERE case_file.cause = 'hole' AND case_file.card_id = card.card_id AND case_file.counter = settlement.counter + 1
  AND case_decision.state = 'booked')`

/** Payments right before a hole: what is missing may undo them. */
const beforeHoles = (db: StoreReader, until: Until) =>
  payments(db, until)
    .innerJoin('seam', (join) =>
      join
        .onRef('seam.card_no', '=', 'settlement.card_no')
        .onRef('seam.after_counter', '=', 'settlement.counter')
        .on(sql<boolean>`seam.before_counter - seam.after_counter > 1`)
        .on('seam.explanation', '<>', 'reversal'),
    )
    .where(sql<boolean>`NOT ${undone}`)
    .where(sql<boolean>`NOT ${decided}`)
    .execute()

/** Payments of which their own terminal says that it does not know whether they were undone. */
const inDoubt = (db: StoreReader, until: Until) =>
  payments(db, until)
    .innerJoin('note', (join) =>
      join
        .onRef('note.card_no', '=', 'settlement.card_no')
        .onRef('note.reference', '=', 'settlement.counter')
        .onRef('note.terminal_no', '=', 'settlement.terminal_no')
        .on('note.order_type', '=', 'reversal'),
    )
    .where('note.in_doubt', '>', 0)
    .where('note.voided', '=', 0)
    .where('note.abandoned', '=', 0)
    .where(
      sql<boolean>`NOT EXISTS (SELECT 1 FROM settlement AS proof WHERE proof.card_no = note.card_no
        AND proof.counter = note.counter AND proof.settlement_mac IS NOT NULL)`,
    )
    .where(sql<boolean>`NOT ${undone}`)
    .execute()

export const heldPayments = async (db: StoreReader, until: Until): Promise<HeldPayment[]> => {
  const found = new Map<string, HeldPayment>()
  const add = (reason: HeldPayment['reason'], rows: Awaited<ReturnType<typeof beforeHoles>>) => {
    for (const row of rows)
      found.set(`${row.card_no}/${row.counter}`, {
        reason,
        terminalId: row.terminal_id,
        ...(row.terminal_name === null ? {} : { terminalName: row.terminal_name }),
        cardId: row.card_id,
        counter: row.counter,
        amountMinor: row.amount_minor,
        at: isoTime(row.order_time),
      })
  }
  add('reversalInDoubt', await inDoubt(db, until))
  add('hole', await beforeHoles(db, until))
  return [...found.values()].toSorted(
    (a, b) => a.at.localeCompare(b.at) || a.cardId.localeCompare(b.cardId) || a.counter - b.counter,
  )
}

/** Seen to: a person decided its case or closed it, or its record came as it should after all. */
const seenTo = sql<boolean>`(
  EXISTS (SELECT 1 FROM case_file WHERE case_file.cause = 'exception' AND case_file.state = 'closed'
    AND case_file.terminal_id = terminal.terminal_id AND case_file.reason = entry_exception.reason
    AND case_file.card_id = entry_exception.card_id AND case_file.counter = entry_exception.counter)
  OR EXISTS (SELECT 1 FROM settlement JOIN card ON card.card_no = settlement.card_no
    WHERE card.card_id = entry_exception.card_id AND settlement.counter = entry_exception.counter
    AND settlement.settlement_mac IS NOT NULL AND settlement.exception IS NULL
    AND settlement.amount_minor = entry_exception.amount_minor AND settlement.order_time = entry_exception.order_time))`

/** Entries of the merchant's terminals that were not taken as they are, came until the end of the day, and wait for a person still. */
export const carriedExceptions = async (
  db: StoreReader,
  about: { readonly merchantNo: number; readonly before: number; readonly limit: number },
): Promise<{ readonly count: number; readonly amountMinor: number; readonly list: readonly CarriedException[] }> => {
  const of = db
    .selectFrom('entry_exception')
    .innerJoin('terminal', 'terminal.terminal_no', 'entry_exception.terminal_no')
    .where('terminal.merchant_no', '=', about.merchantNo)
    .where('noted_at', '<', about.before)
    .where(sql<boolean>`NOT ${seenTo}`)
  const { count, minor } = await of
    .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.sum<number | null>('amount_minor').as('minor')])
    .executeTakeFirstOrThrow()
  const rows = await of
    .select([
      'terminal_id',
      'terminal.name as terminal_name',
      'reason',
      'card_id',
      'counter',
      'amount_minor',
      'noted_at',
    ])
    .orderBy('exception_no')
    .limit(about.limit)
    .execute()
  return {
    count: Number(count),
    amountMinor: Number(minor ?? 0),
    list: rows.map((row) => ({
      terminalId: row.terminal_id,
      ...(row.terminal_name === null ? {} : { terminalName: row.terminal_name }),
      reason: row.reason,
      ...(row.card_id === null ? {} : { cardId: row.card_id }),
      ...(row.counter === null ? {} : { counter: row.counter }),
      ...(row.amount_minor === null ? {} : { amountMinor: row.amount_minor }),
      at: isoTime(row.noted_at),
    })),
  }
}
