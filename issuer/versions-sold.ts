/**
 * When each version of an article was sold, by the bulletins that were signed (PROTOCOL.md, What the issuer checks). A sale at
 * its price counts if some bulletin allowed it at that moment: an offline kiosk goes on at the old price until the bulletin that
 * it has says otherwise, or expires.
 */
import { sql } from 'kysely'
import { type Bulletin, secondsOf } from '../protocol/bulletin.ts'
import type { StoreWriter } from './store.ts'

const rowsPerInsert = 400
/** A customer who saw a price pays it, though it changed while he looked for his card. */
export const priceToleranceSeconds = 3600

interface Span {
  readonly item_id: string
  readonly version: number
  /** 0: it was there before anybody could tell; who had it could sell it. */
  readonly sold_from: number
  readonly sold_until: number
}

const spansOf = (bulletin: Pick<Bulletin, 'items' | 'coming' | 'expiresAt'>): readonly Span[] => {
  const changes = Map.groupBy(bulletin.coming ?? [], ({ item }) => item.id)
  const expiry = secondsOf(bulletin.expiresAt)
  const items = new Map(bulletin.items.map((item) => [item.id, item]))
  return [...new Set([...items.keys(), ...changes.keys()])].flatMap((id): Span[] => {
    const item = items.get(id)
    const line = [
      ...(item === undefined ? [] : [{ from: 0, version: item.version }]),
      ...(changes.get(id) ?? []).map((change) => ({ from: secondsOf(change.from), version: change.item.version })),
    ]
    return line.map(({ from, version }, index) => ({
      item_id: id,
      version,
      sold_from: from,
      sold_until: Math.max(from, Math.min(expiry, line[index + 1]?.from ?? expiry)),
    }))
  })
}

/** A later bulletin prolongs what an earlier one sold, and never cuts it short. */
export const noteSold = async (db: StoreWriter, bulletin: Bulletin): Promise<void> => {
  const spans = spansOf(bulletin)
  for (let at = 0; at < spans.length; at += rowsPerInsert)
    await db
      .insertInto('version_sold')
      .values(spans.slice(at, at + rowsPerInsert))
      .onConflict((conflict) =>
        conflict.columns(['item_id', 'version']).doUpdateSet({
          sold_until: sql<number>`CASE WHEN excluded.sold_until > version_sold.sold_until
            THEN excluded.sold_until ELSE version_sold.sold_until END`,
        }),
      )
      .execute()
}
