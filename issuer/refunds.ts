/**
 * Refunds that an operator asked for at a terminal (PROTOCOL.md, Refunds). Money back is a person's decision: the operator is that
 * person, named in the journal, for sales of that very terminal and up to a limit. Beyond it, or where something is odd, an alarm
 * brings it before a person here. The journal's entry is the terminal's last word: it never releases those goods again.
 */

import type { Selectable } from 'kysely'
import * as v from 'valibot'
import { currencyOf } from '../protocol/currency.ts'
import type { JournalEntry } from '../protocol/journal.ts'
import { refundDetailsSchema } from '../protocol/journal.ts'
import { cardId, terminalId } from '../protocol/quantities.ts'
import { parseRecord } from '../protocol/record.ts'
import type { Actor } from './actor.ts'
import { noteChange } from './audit-log.ts'
import { Books, type KnownTerminal } from './books.ts'
import { isDeceptive } from './deceptive-text.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import type { DeviceRefundTable, RefundState } from './journal-tables.ts'
import { bookMoneyBack, moneyBackStand, readPayment } from './money-back.ts'
import { wasOperator } from './operators.ts'
import { setSetting, setting } from './settings.ts'
import type { StoreReader, StoreWriter } from './store.ts'

const refundMaxName = 'refundMinorMax'
/** Where nobody chose: units of the currency. */
const refundUnitsMax = 50
/** Decided in one go: the rest with the next document. */
const decidedMax = 500

/** Up to here an operator at a terminal gives money back; 0: a person here decides each. */
export const refundMinorMax = async (issuer: Pick<Issuer, 'book'>, db: StoreReader): Promise<number> => {
  const set = await setting(db, refundMaxName)
  return set === undefined ? refundUnitsMax * 10 ** currencyOf(issuer.book.currency).decimals : Number(set)
}

/** @throws IssuerError `input` */
export const setRefundMinorMax = (issuer: Issuer, by: Actor, amountMinor: number): Promise<void> => {
  if (!Number.isSafeInteger(amountMinor) || amountMinor < 0)
    throw new IssuerError('input', 'The limit of refunds is an amount, or 0 for none.')
  return issuer.store.write(async (db) => {
    const before = await refundMinorMax(issuer, db)
    await setSetting(db, refundMaxName, String(amountMinor))
    await noteChange(
      db,
      { name: by.name, at: issuer.clock() },
      { action: 'operator.refundMax', subject: 'issuer', before: { amountMinor: before }, after: { amountMinor } },
    )
  })
}

/** Keeps what an entry asks for, once a payment. @returns false: the entry says nothing that could be decided */
export const askRefund = async (
  db: StoreWriter,
  asked: {
    readonly terminal: KnownTerminal
    readonly entry: JournalEntry
    readonly document: string
    readonly now: number
  },
): Promise<boolean> => {
  const { entry, terminal, document, now } = asked
  const details = v.safeParse(refundDetailsSchema, entry.details)
  if (!details.success) return false
  const { cardId: card, counter, terminalSeq, amountMinor, reason } = details.output
  await db
    .insertInto('device_refund')
    .values({
      terminal_no: terminal.terminalNo,
      card_id: card,
      counter,
      terminal_seq: terminalSeq,
      amount_minor: amountMinor,
      reason,
      operator_card: entry.operator?.cardId ?? null,
      operator_name: entry.operator?.name ?? null,
      document,
      asked_at: Math.floor(Date.parse(entry.at) / 1000),
      received_at: now,
      state: 'waiting',
      why: null,
      decided_at: null,
    })
    // The same payment again, as when an answer was lost and the terminal began a new epoch.
    .onConflict((conflict) => conflict.columns(['terminal_no', 'card_id', 'counter']).doNothing())
    .execute()
  return true
}

type Verdict =
  | { readonly state: 'waiting' }
  | { readonly state: Extract<RefundState, 'person' | 'refused'>; readonly why: string }
  | {
      readonly state: 'booked'
      readonly payment: NonNullable<Awaited<ReturnType<typeof readPayment>>>
      readonly onlyCounter?: number
    }

type Refund = Selectable<DeviceRefundTable>

const person = (why: string): Verdict => ({ state: 'person', why })

/** In the order in which a person would ask. */
const judge = async (issuer: Issuer, db: StoreWriter, refund: Refund): Promise<Verdict> => {
  const card = await db.selectFrom('card').select('card_no').where('card_id', '=', refund.card_id).executeTakeFirst()
  const payment = card && (await readPayment(db, card.card_no, refund.counter))
  if (payment === undefined || payment.settlement_mac === null) return { state: 'waiting' }
  const { order } = parseRecord(Uint8Array.from(payment.record))
  if (order.type !== 'payment') return person(`#${refund.counter} of the card is no payment.`)
  if (payment.terminal_no !== refund.terminal_no || order.terminalSeq !== refund.terminal_seq)
    return person('The payment is not one that this terminal sold.')
  if (refund.amount_minor > payment.amount_minor) return person('It is more than the price.')
  if (payment.money_back_at !== null) return { state: 'refused', why: 'The money was given back already.' }
  const stand = await moneyBackStand(db, payment)
  if (stand.refusal !== undefined) return person(stand.refusal)
  // A hole behind it may yet be a reversal.
  if (stand.risk !== undefined) return { state: 'waiting' }
  const { operator_card: operatorCard, terminal_no: terminalNo, asked_at: at } = refund
  if (operatorCard === null || !(await wasOperator(db, { cardId: operatorCard, terminalNo, at })))
    return person('Who asked for it is no operator of this terminal.')
  if (isDeceptive(refund.reason)) return person('Its reason has letters that hide what it says.')
  if (refund.amount_minor > (await refundMinorMax(issuer, db)))
    return person('It is more than an operator at a terminal may give back.')
  return { state: 'booked', payment, ...(stand.onlyCounter === undefined ? {} : { onlyCounter: stand.onlyCounter }) }
}

const bringBeforePerson = async (db: StoreWriter, refund: Refund, now: number): Promise<void> => {
  const terminal = await db
    .selectFrom('terminal')
    .select('terminal_id')
    .where('terminal_no', '=', refund.terminal_no)
    .executeTakeFirstOrThrow()
  const id = cardId(refund.card_id)
  const books = await Books.open(db, {
    document: refund.document,
    now,
    counters: new Map([[id, [refund.counter]]]),
    terminals: [],
  })
  const card = books.card(id)
  books.alarm({
    kind: 'refundAsked',
    ...(card === undefined ? {} : { card }),
    counter: refund.counter,
    terminal: { terminalNo: refund.terminal_no, terminalId: terminalId(terminal.terminal_id) },
  })
  await books.write()
}

const decide = async (issuer: Issuer, db: StoreWriter, refundNo: number): Promise<void> => {
  const refund = await db
    .selectFrom('device_refund')
    .selectAll()
    .where('refund_no', '=', refundNo)
    .where('state', '=', 'waiting')
    .executeTakeFirst()
  if (refund === undefined) return
  const now = issuer.clock()
  const verdict = await judge(issuer, db, refund)
  if (verdict.state === 'waiting') return
  if (verdict.state === 'booked') {
    const { payment, onlyCounter } = verdict
    await bookMoneyBack(issuer, db, {
      by: { name: `operator ${refund.operator_name ?? ''} (${refund.operator_card ?? ''}) at ${payment.terminal_id}` },
      cardId: refund.card_id,
      payment,
      amountMinor: refund.amount_minor,
      charged: 'merchant',
      atRisk: false,
      reason: refund.reason,
      ...(onlyCounter === undefined ? {} : { onlyCounter }),
    })
    return
  }
  await db
    .updateTable('device_refund')
    .set({ state: verdict.state, why: verdict.why, decided_at: now })
    .where('refund_no', '=', refundNo)
    .execute()
  if (verdict.state === 'person') await bringBeforePerson(db, refund, now)
}

/** Those that `judge` says more of than "wait"; but a terminalSeq that is another's stands in the record alone, and is seen when the hole is closed. */
const dueRefunds = (db: StoreReader) =>
  db
    .selectFrom('device_refund')
    .innerJoin('card', 'card.card_id', 'device_refund.card_id')
    .innerJoin('settlement', (join) =>
      join.onRef('settlement.card_no', '=', 'card.card_no').onRef('settlement.counter', '=', 'device_refund.counter'),
    )
    .select('refund_no')
    .where('state', '=', 'waiting')
    .where('settlement_mac', 'is not', null)
    .where((eb) => {
      const hole = eb
        .selectFrom('seam')
        .select('after_counter')
        .whereRef('seam.card_no', '=', 'settlement.card_no')
        .whereRef('seam.after_counter', '=', 'settlement.counter')
        .where('seam.before_counter', '>', eb('settlement.counter', '+', 1))
        .where('seam.explanation', '<>', 'reversal')
      return eb.or([
        eb.not(eb.exists(hole)),
        // What is odd about it is a person's at once, hole or not.
        eb('settlement.order_type', '<>', 'payment'),
        eb('settlement.exception', 'is not', null),
        eb('settlement.money_back_at', 'is not', null),
        eb('settlement.terminal_no', '<>', eb.ref('device_refund.terminal_no')),
        eb('settlement.amount_minor', '<', eb.ref('device_refund.amount_minor')),
      ])
    })

/**
 * Decides the refunds that wait and whose payment has been settled since. After every document that may have settled one;
 * doing it again is harmless, and two servers at once decide each once. One behind which a counter is missing is left where
 * it is, for it may have to wait for ever, and as many of them as may be must not keep the others from being looked at.
 * @returns how many were looked at
 * @throws the first fault of one of them; the others are decided all the same
 */
export const decideRefunds = async (issuer: Issuer): Promise<number> => {
  const due = await issuer.store.read((db) => dueRefunds(db).orderBy('refund_no').limit(decidedMax).execute())
  let fault: unknown
  for (const { refund_no } of due) {
    try {
      await issuer.store.write((db) => decide(issuer, db, refund_no))
    } catch (error) {
      fault ??= error
    }
  }
  if (fault !== undefined) throw fault
  return due.length
}
