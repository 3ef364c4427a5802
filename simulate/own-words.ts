/** What terminals told the issuer of their own orders, in batches that were taken: read from the archive, not from the wire. */
import { parseBatch } from '../protocol/batch.ts'
import { toHex } from '../protocol/bytes.ts'
import { type EntryStatus, parseEntry } from '../protocol/entry.ts'
import { parsed } from '../protocol/errors.ts'
import { encodeRecord } from '../protocol/record.ts'

/** By record in hex. */
export type OwnWords = ReadonlyMap<string, ReadonlySet<EntryStatus>>

export const readOwnWords = (batches: readonly Uint8Array[]): OwnWords => {
  const words = new Map<string, Set<EntryStatus>>()
  for (const bytes of batches)
    for (const entryBytes of parseBatch(new Uint8Array(bytes)).entries) {
      // A rogue's entry may be of no layout.
      const entry = parsed(() => parseEntry(entryBytes))
      if (entry === undefined || entry.status === 'witness') continue
      const hex = toHex(encodeRecord(entry.record))
      words.set(hex, (words.get(hex) ?? new Set<EntryStatus>()).add(entry.status))
    }
  return words
}
