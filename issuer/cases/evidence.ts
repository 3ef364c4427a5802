/** What is known around a case: the card's line with its proofs computed anew, terminals' words, refused entries, batches. */
import { parseRecord } from '../../protocol/record.ts'
import { balanceBeforeMinor } from '../card-line.ts'
import type { EvidenceShape, LineShape } from '../console-contract/cases.ts'
import { isoTime } from '../iso-times.ts'
import type { Issuer } from '../issuer.ts'
import { isProven } from '../settlement.ts'
import type { StoreReader } from '../store.ts'
import type { CaseFile } from './reconcile.ts'

/** Counters on either side, and at most of a long hole. */
const besideMax = 3
const lineMax = 40
const rowsMax = 20
const batchesMax = 5

const cardNoOf = async (db: StoreReader, cardId: string): Promise<number | undefined> =>
  (await db.selectFrom('card').select('card_no').where('card_id', '=', cardId).executeTakeFirst())?.card_no

interface Range {
  readonly cardNo: number
  readonly first: number
  readonly last: number
}

const readLine = async (
  issuer: Issuer,
  db: StoreReader,
  { cardNo, first, last }: Range,
): Promise<EvidenceShape['line']> => {
  const rows = await db
    .selectFrom('settlement')
    .innerJoin('terminal', 'terminal.terminal_no', 'settlement.terminal_no')
    .select(['counter', 'record', 'settlement_mac', 'order_type', 'source', 'exception', 'terminal_id'])
    .where('card_no', '=', cardNo)
    .where('counter', '>=', first - besideMax)
    .where('counter', '<=', last + besideMax)
    .orderBy('counter')
    .limit(lineMax)
    .execute()
  const known = new Map(rows.map((row) => [row.counter, row]))
  const mark = rows.at(-1)?.counter ?? 0
  const counters = Array.from(
    { length: Math.min(last + besideMax, Math.max(mark, last)) - Math.max(1, first - besideMax) + 1 },
    (_, index) => Math.max(1, first - besideMax) + index,
  )
  return counters.slice(0, lineMax).map((counter): LineShape => {
    const row = known.get(counter)
    const subject = counter >= first && counter <= last
    if (row === undefined) return { counter, subject, known: false }
    const bytes = new Uint8Array(row.record)
    const record = parseRecord(bytes)
    const mac = row.settlement_mac
    const right = mac !== null && isProven(issuer, { bytes, settlementMac: new Uint8Array(mac) })
    return {
      counter,
      subject,
      known: true,
      type: row.order_type,
      amountMinor: record.order.amountMinor,
      balanceBeforeMinor: balanceBeforeMinor(record),
      balanceAfterMinor: record.balanceAfterMinor,
      terminalId: row.terminal_id,
      source: row.source,
      ...(row.exception === null ? {} : { exception: row.exception }),
      proof: mac === null ? 'none' : right ? 'right' : 'wrong',
      orderedAt: isoTime(record.order.time),
    }
  })
}

const readDoubts = async (db: StoreReader, { cardNo, first, last }: Range): Promise<EvidenceShape['doubts']> => {
  const rows = await db
    .selectFrom('note')
    .innerJoin('terminal', 'terminal.terminal_no', 'note.terminal_no')
    .select(['counter', 'terminal_id', 'order_type', 'amount_minor', 'order_time'])
    .select(['in_doubt', 'voided', 'abandoned', 'owed'])
    .where('card_no', '=', cardNo)
    .where('counter', '>=', first - 1)
    .where('counter', '<=', last + 1)
    .orderBy('counter')
    .limit(rowsMax)
    .execute()
  return rows.map((row) => ({
    counter: row.counter,
    terminalId: row.terminal_id,
    type: row.order_type,
    amountMinor: row.amount_minor,
    orderedAt: isoTime(row.order_time),
    says: [
      ...(row.in_doubt > 0 ? (['inDoubt'] as const) : []),
      ...(row.voided > 0 ? (['void'] as const) : []),
      ...(row.abandoned > 0 ? (['abandoned'] as const) : []),
      ...(row.owed > 0 ? (['owed'] as const) : []),
    ],
  }))
}

/** Of the counters of the card; of a terminal where the case names no card. */
const readEntries = async (db: StoreReader, file: CaseFile): Promise<EvidenceShape['entries']> => {
  const { card_id: cardId, counter, last_counter: lastCounter, terminal_id: terminalId } = file
  if (cardId === null && terminalId === null) return []
  const rows = await db
    .selectFrom('entry_exception')
    .innerJoin('terminal', 'terminal.terminal_no', 'entry_exception.terminal_no')
    .select(['terminal_id', 'entry_exception.epoch', 'batch_no', 'entry', 'reason', 'amount_minor', 'noted_at'])
    .$if(cardId !== null, (query) => query.where('card_id', '=', cardId))
    .$if(cardId !== null && counter !== null, (query) =>
      query.where('counter', '>=', counter ?? 0).where('counter', '<=', lastCounter ?? counter ?? 0),
    )
    .$if(cardId === null, (query) => query.where('terminal_id', '=', terminalId ?? ''))
    .orderBy('exception_no', 'desc')
    .limit(rowsMax)
    .execute()
  return rows.map((row) => ({
    terminalId: row.terminal_id,
    epoch: row.epoch,
    batchNo: row.batch_no,
    entry: row.entry,
    reason: row.reason,
    ...(row.amount_minor === null ? {} : { amountMinor: row.amount_minor }),
    notedAt: isoTime(row.noted_at),
  }))
}

const readBatches = async (db: StoreReader, terminalId: string): Promise<EvidenceShape['batches']> => {
  const rows = await db
    .selectFrom('batch_span')
    .innerJoin('terminal', 'terminal.terminal_no', 'batch_span.terminal_no')
    .select(['batch_span.epoch', 'batch_no', 'entry_count', 'received_at'])
    .where('terminal_id', '=', terminalId)
    .orderBy('batch_span.epoch', 'desc')
    .orderBy('batch_no', 'desc')
    .limit(batchesMax)
    .execute()
  return rows.map((row) => ({
    terminalId,
    epoch: row.epoch,
    batchNo: row.batch_no,
    entries: row.entry_count,
    receivedAt: isoTime(row.received_at),
  }))
}

export const readEvidence = async (issuer: Issuer, db: StoreReader, file: CaseFile): Promise<EvidenceShape> => {
  const cardNo = file.card_id === null ? undefined : await cardNoOf(db, file.card_id)
  const range =
    cardNo === undefined || file.counter === null
      ? undefined
      : { cardNo, first: file.counter, last: file.last_counter ?? file.counter }
  return {
    line: range === undefined ? [] : await readLine(issuer, db, range),
    doubts: range === undefined ? [] : await readDoubts(db, range),
    entries: await readEntries(db, file),
    batches: file.terminal_id === null ? [] : await readBatches(db, file.terminal_id),
  }
}
