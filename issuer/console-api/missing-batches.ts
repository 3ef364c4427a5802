/** Batches are numbered from 1 in each epoch: where the newest number is greater than how many there are, some never came. */
import type { StoreReader } from '../store.ts'

export interface MissingBatches {
  readonly terminalId: string
  readonly epoch: number
  readonly missing: number
}

/** @param terminalNo absent: of all terminals */
export const missingBatchesOf = async (db: StoreReader, terminalNo?: number): Promise<MissingBatches[]> => {
  const rows = await db
    .selectFrom('batch')
    .innerJoin('terminal', 'terminal.terminal_no', 'batch.terminal_no')
    .select((eb) => [
      'terminal_id',
      'batch.epoch',
      eb.fn.max('batch_no').as('newest'),
      eb.fn.countAll<number>().as('count'),
    ])
    .$if(terminalNo !== undefined, (query) => query.where('batch.terminal_no', '=', terminalNo ?? 0))
    .groupBy(['terminal_id', 'batch.epoch'])
    .having((eb) => eb(eb.fn.max('batch_no'), '>', eb.fn.countAll<number>()))
    .orderBy('terminal_id')
    .orderBy('batch.epoch')
    .execute()
  return rows.map((row) => ({
    terminalId: row.terminal_id,
    epoch: row.epoch,
    missing: Number(row.newest) - Number(row.count),
  }))
}
