/** What report and explanation are made of: the rows of one consistent picture, and the book's business days. */
import { sql } from 'kysely'
import type { StoreReader } from './store.ts'
import { withheldIn } from './withheld-units.ts'

export { businessDays, requireDay } from './business-days.ts'

/** What counters that are missing did to the balance. */
export const directionOf = (netMinor: number): 'debit' | 'credit' | 'none' =>
  netMinor < 0 ? 'debit' : netMinor > 0 ? 'credit' : 'none'

/** The condition of reversals is that of an index: it is written out. */
const besideOthers = sql<{ card_no: number; counter: number }>`(
  SELECT card_no, after_counter AS counter FROM seam
  UNION SELECT card_no, counter FROM note
  UNION SELECT card_no, reference AS counter FROM note
  UNION SELECT card_no, counter FROM settlement WHERE order_type = 'reversal')`

/** Read inside one transaction: rows of what is not plain. Plain sales and loads are added up by the database (report.ts). */
export const readFacts = async (db: StoreReader) => ({
  terminals: await db
    .selectFrom('terminal')
    .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
    .select(['terminal_no', 'terminal_id', 'terminal.name as terminal_name', 'merchant.name', 'epoch'])
    .orderBy('terminal_no')
    .execute(),
  cards: await db.selectFrom('card').selectAll().orderBy('card_no').execute(),
  /** Those that stand beside a gap, a reversal, or a note: what is held or undone is found by them. */
  settlements: await db
    .selectFrom('settlement')
    .innerJoin(besideOthers.as('beside'), (join) =>
      join.onRef('beside.card_no', '=', 'settlement.card_no').onRef('beside.counter', '=', 'settlement.counter'),
    )
    .select([
      'settlement.card_no',
      'settlement.counter',
      'terminal_no',
      'order_type',
      'amount_minor',
      'balance_after_minor',
      'order_time',
      'exception',
      'settlement_mac',
      'source',
      'settled_at',
    ])
    .select((eb) =>
      eb
        .selectFrom('account')
        .whereRef('account_no', '=', 'settlement.booked_from')
        .select('kind')
        .as('booked_from_kind'),
    )
    .orderBy('settlement.card_no')
    .orderBy('settlement.counter')
    .execute(),
  seams: await db.selectFrom('seam').selectAll().orderBy('card_no').orderBy('after_counter').execute(),
  /** With the proof of the same record, where its card gave one. */
  notes: await db
    .selectFrom('note')
    .leftJoin('settlement', (join) =>
      join
        .onRef('settlement.card_no', '=', 'note.card_no')
        .onRef('settlement.counter', '=', 'note.counter')
        .onRef('settlement.record', '=', 'note.record'),
    )
    .selectAll('note')
    .select('settlement.settlement_mac as proof')
    .execute(),
  withheld: await withheldIn(db),
  exceptions: await db.selectFrom('entry_exception').selectAll().orderBy('exception_no').execute(),
  moneyBacks: await db
    .selectFrom('money_back')
    .innerJoin('settlement', (join) =>
      join
        .onRef('settlement.card_no', '=', 'money_back.card_no')
        .onRef('settlement.counter', '=', 'money_back.counter'),
    )
    .select(['money_back.amount_minor', 'charged', 'terminal_no', 'order_time'])
    .execute(),
  alarms: await db.selectFrom('alarm').selectAll().orderBy('alarm_no').execute(),
  accounts: await db
    .selectFrom('account')
    .leftJoin('merchant', 'merchant.merchant_no', 'account.merchant_no')
    .select(['account_no', 'kind', 'balance_minor', 'name'])
    .orderBy('account_no')
    .execute(),
})
export type Facts = Awaited<ReturnType<typeof readFacts>>

export const keyOf = (cardNo: number, counter: number): string => `${cardNo}/${counter}`

/** The facts by where they are looked for. */
export const indexFacts = (facts: Pick<Facts, 'settlements' | 'notes' | 'seams'>) => {
  const settled = new Map(facts.settlements.map((row) => [keyOf(row.card_no, row.counter), row]))
  const proven = (cardNo: number, counter: number) => {
    const row = settled.get(keyOf(cardNo, counter))
    return row?.settlement_mac != null
  }
  const openNotes = facts.notes.filter(
    (note) => note.in_doubt > 0 && note.voided === 0 && note.abandoned === 0 && !proven(note.card_no, note.counter),
  )
  const held = new Set<string>()
  for (const seam of facts.seams)
    if (seam.before_counter - seam.after_counter > 1 && seam.explanation !== 'reversal')
      held.add(keyOf(seam.card_no, seam.after_counter))
  // Only who made the payment can be undoing it: another terminal's word holds back nobody's money.
  for (const note of openNotes) {
    const payment = keyOf(note.card_no, note.reference)
    if (note.order_type === 'reversal' && settled.get(payment)?.terminal_no === note.terminal_no) held.add(payment)
  }
  // A hole that is explained as a reversal undoes the payment just before it.
  const presumed = facts.seams
    .filter((seam) => seam.explanation === 'reversal')
    .map((seam) => settled.get(keyOf(seam.card_no, seam.after_counter)))
    .filter((row) => row !== undefined)
  const undone = new Set(presumed.map((row) => keyOf(row.card_no, row.counter)))
  for (const row of facts.settlements)
    if (row.order_type === 'reversal' && row.booked_from_kind === 'payable')
      undone.add(keyOf(row.card_no, row.counter - 1))
  return {
    settled,
    openNotes,
    held,
    presumed,
    undone,
    owed: facts.notes.filter((note) => note.owed > 0),
    // A terminal called it void, its card proves it paid: whoever brought which first.
    contradictions: facts.notes.filter((note) => note.voided > 0 && note.proof !== null),
  }
}
export type Index = ReturnType<typeof indexFacts>
