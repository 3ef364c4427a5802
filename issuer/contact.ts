/**
 * Contact: a terminal that has sold nothing has no new batch to send, and is not silent for that. It proves that it is there with
 * the newest batch that it has, sealed, once more; an older one is a courier's copy and proves nothing.
 */
import { sql } from 'kysely'
import type { StoreWriter } from './store.ts'

/** Ingest must stay fast: the time is kept no more exactly than this. */
const contactSeconds = 60

/** A batch that is here already came again, byte for byte, over the network. Its terminal's row is locked. */
export const noteContact = async (
  db: StoreWriter,
  terminal: { readonly terminalNo: number; readonly epoch: number },
  batch: { readonly epoch: number; readonly batchNo: number },
  now: number,
): Promise<void> => {
  if (batch.epoch !== terminal.epoch) return
  const { terminalNo } = terminal
  const known = await db
    .selectFrom('terminal_contact')
    .select('contact_at')
    .where('terminal_no', '=', terminalNo)
    .executeTakeFirst()
  if (known !== undefined && known.contact_at > now - contactSeconds) return
  const { newest, count } = await db
    .selectFrom('batch')
    .select((eb) => [
      eb.fn.max<number | string>('batch_no').as('newest'),
      eb.fn.countAll<number | string>().as('count'),
    ])
    .where('terminal_no', '=', terminalNo)
    .where('epoch', '=', batch.epoch)
    .executeTakeFirstOrThrow()
  // With a batch missing before it, it still holds something.
  if (Number(newest) !== batch.batchNo || Number(count) !== batch.batchNo) return
  await db
    .insertInto('terminal_contact')
    .values({ terminal_no: terminalNo, contact_at: now })
    .onConflict((conflict) => conflict.column('terminal_no').doUpdateSet({ contact_at: now }))
    .execute()
}

/** UNIX seconds, of the terminal of the query around it: the arrival of its newest batch; 0: none ever came. */
export const lastBatchAt = sql<number>`coalesce((SELECT max(received_at) FROM batch WHERE batch.terminal_no = terminal.terminal_no), 0)`

/** As `lastBatchAt`, or its contact, where that was later. */
export const reportedAt = sql<number>`coalesce((
  SELECT max(said.at) FROM (
    SELECT max(received_at) AS at FROM batch WHERE batch.terminal_no = terminal.terminal_no
    UNION ALL
    SELECT contact_at AS at FROM terminal_contact WHERE terminal_contact.terminal_no = terminal.terminal_no
  ) AS said
), 0)`
