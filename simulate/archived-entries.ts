/** What terminals told the issuer in batches that were taken: read from the archive, not from the wire. */
import { parseBatch } from '../protocol/batch.ts'
import { toHex } from '../protocol/bytes.ts'
import { type EntryStatus, parseEntry } from '../protocol/entry.ts'
import { parsed } from '../protocol/errors.ts'
import { type CardRecord, encodeRecord } from '../protocol/record.ts'

export interface ArchivedEntry {
  /** Whose batch it was. */
  readonly terminal: string
  readonly status: EntryStatus
  readonly record: CardRecord
  /** Of the record. */
  readonly hex: string
  readonly settlementMac: string
}

/** Of a witness anybody may speak; of the rest only who made the order. */
export const readArchivedEntries = (batches: readonly Uint8Array[]): readonly ArchivedEntry[] =>
  batches.flatMap((bytes) => {
    const batch = parseBatch(new Uint8Array(bytes))
    return batch.entries.flatMap((entryBytes) => {
      // A rogue's entry may be of no layout.
      const entry = parsed(() => parseEntry(entryBytes))
      if (entry === undefined) return []
      const { record, status } = entry
      if (status !== 'witness' && record.order.terminalId !== batch.terminalId) return []
      const hex = toHex(encodeRecord(record))
      return [{ terminal: batch.terminalId, status, record, hex, settlementMac: toHex(entry.settlementMac) }]
    })
  })

/** By record in hex: what its own terminal said of it. */
export type OwnWords = ReadonlyMap<string, ReadonlySet<EntryStatus>>

export const ownWordsOf = (entries: readonly ArchivedEntry[]): OwnWords => {
  const words = new Map<string, Set<EntryStatus>>()
  for (const { hex, status } of entries)
    if (status !== 'witness') words.set(hex, (words.get(hex) ?? new Set<EntryStatus>()).add(status))
  return words
}
