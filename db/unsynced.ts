/**
 * What the issuer has not taken yet, in sums. Kept by blocks of entry numbers, so that an acknowledgement in a queue of a
 * hundred thousand costs a look at one block, and a sale in the meantime waits for no count over the whole queue.
 */
import type { ReadableDatabase } from './open.ts'

export interface Unsynced {
  readonly count: number
  readonly amountMinor: number
  /** UNIX seconds of the oldest entry that the issuer has not taken; absent when there is none. */
  readonly oldestTime: number | undefined
}

interface Block {
  count: number
  amountMinor: number
  oldestTime: number
}

const blockEntries = 1000
const blockOf = (entryNo: number): number => Math.floor(entryNo / blockEntries)

interface BlockRow {
  block: number
  count: number
  amount: number
  oldest: number
}

/** The first entry that is in no taken batch: batches are taken in order or not at all. */
export const firstUnsynced = (database: ReadableDatabase, epoch: number): number => {
  const row = database
    .prepare(
      `SELECT coalesce(
         (SELECT first_entry FROM batch WHERE epoch = @epoch AND verdict IS NULL ORDER BY batch_no LIMIT 1),
         (SELECT first_entry + count FROM batch WHERE epoch = @epoch ORDER BY batch_no DESC LIMIT 1),
         1) AS first`,
    )
    .get({ epoch }) as { first: number }
  return row.first
}

const readBlocks = (
  database: ReadableDatabase,
  within: { readonly epoch: number; readonly first: number; readonly end: number },
): BlockRow[] =>
  database
    .prepare(
      `SELECT entry_no / ${blockEntries} AS block, count(*) AS count, sum(value_minor) AS amount, min(appended_time) AS oldest
       FROM entry WHERE epoch = @epoch AND entry_no >= @first AND entry_no < @end GROUP BY block ORDER BY block`,
    )
    .all(within) as BlockRow[]

const sumUp = (blocks: Iterable<Block>): Unsynced => {
  let count = 0
  let amountMinor = 0
  let oldestTime: number | undefined
  for (const block of blocks) {
    count += block.count
    amountMinor += block.amountMinor
    oldestTime = Math.min(oldestTime ?? block.oldestTime, block.oldestTime)
  }
  return { count, amountMinor, oldestTime }
}

/** Counts over everything that waits: for whoever looks once. */
export const readUnsynced = (database: ReadableDatabase, epoch: number): Unsynced =>
  tallyUnsynced(database, epoch).sum()

export type UnsyncedTally = ReturnType<typeof tallyUnsynced>

/** For the one writer: follows what it appends and what the issuer takes. */
export const tallyUnsynced = (database: ReadableDatabase, epoch: number) => {
  const blocks = new Map<number, Block>()
  const read = (first: number, end: number): void => {
    for (const row of readBlocks(database, { epoch, first, end }))
      blocks.set(row.block, { count: row.count, amountMinor: row.amount, oldestTime: row.oldest })
  }
  read(firstUnsynced(database, epoch), Number.MAX_SAFE_INTEGER)
  return {
    sum: (): Unsynced => sumUp(blocks.values()),
    append(entry: { readonly entryNo: number; readonly valueMinor: number; readonly time: number }): void {
      const number = blockOf(entry.entryNo)
      const block = blocks.get(number) ?? { count: 0, amountMinor: 0, oldestTime: entry.time }
      block.count += 1
      block.amountMinor += entry.valueMinor
      block.oldestTime = Math.min(block.oldestTime, entry.time)
      blocks.set(number, block)
    },
    /** After an answer: forgets what is taken. */
    settle(): void {
      const first = firstUnsynced(database, epoch)
      const number = blockOf(first)
      for (const each of blocks.keys()) if (each <= number) blocks.delete(each)
      read(first, (number + 1) * blockEntries)
    },
  }
}
