/** The ledger's entry (104 bytes) and its hash chain (PROTOCOL.md, Documents). */
import { sha256 } from '@noble/hashes/sha2.js'
import { ascii, ByteReader, ByteWriter, concat, isZero, requireInteger, requireLength, u32Max } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { idBytes, type Mac, mac, macLength, type TerminalId, type UnixTime, unixTime } from './quantities.ts'
import { type CardRecord, encodeRecord, parseRecord, recordLength } from './record.ts'

export const entryLength = 104
export const headLength = 32

/** The wire's numbers are these positions. */
export const entryStatuses = [undefined, 'captured', 'inDoubt', 'void', 'witness', 'owed', 'abandoned'] as const
export type EntryStatus = Exclude<(typeof entryStatuses)[number], undefined>

/** These say that no settlement MAC was seen: it is zeros. */
const withoutSettlement: readonly EntryStatus[] = ['inDoubt', 'void', 'abandoned']
export const paysNothing = (status: EntryStatus): boolean => withoutSettlement.includes(status)

export interface Entry {
  readonly record: CardRecord
  readonly settlementMac: Mac
  readonly status: EntryStatus
  /** 0 in the first entry about a record. */
  readonly resolvedTime: UnixTime
}

const requireSettlementOfStatus = (entry: Pick<Entry, 'status' | 'settlementMac'>): void => {
  if (paysNothing(entry.status) && !isZero(entry.settlementMac))
    throw new ProtocolError('reserved', 'entry.settlementMac', `must be zeros when ${entry.status}`)
}

/** @param bytes exactly 104 @throws ProtocolError */
export const parseEntry = (bytes: Uint8Array): Entry => {
  const reader = new ByteReader(bytes, entryLength, 'entry')
  const record = parseRecord(reader.bytes(recordLength))
  const settlementMac = mac(reader.bytes(macLength))
  const status = entryStatuses[reader.u8()]
  if (status === undefined) throw new ProtocolError('range', 'entry.status')
  reader.reserved(3, 'entry')
  const entry = { record, settlementMac, status, resolvedTime: unixTime(reader.u32()) }
  reader.end('entry')
  requireSettlementOfStatus(entry)
  return entry
}

/** @returns 104 bytes @throws ProtocolError */
export const encodeEntry = (entry: Entry): Uint8Array => {
  requireSettlementOfStatus(entry)
  return new ByteWriter(entryLength)
    .bytes(encodeRecord(entry.record), recordLength, 'entry.record')
    .bytes(entry.settlementMac, macLength, 'entry.settlementMac')
    .u8(entryStatuses.indexOf(entry.status))
    .zeros(3)
    .u32(entry.resolvedTime, 'entry.resolvedTime')
    .done()
}

/** head_0 = SHA-256("farthing ledger" || terminalId || epoch u32) @returns 32 bytes */
export const firstHead = (terminal: TerminalId, epoch: number): Uint8Array => {
  const epochBytes = new ByteWriter(4).u32(requireInteger(epoch, { max: u32Max, field: 'epoch' })).done()
  return sha256(concat(ascii('farthing ledger'), idBytes(terminal), epochBytes))
}

/** head_i = SHA-256(head_(i-1) || entry_i) @returns 32 bytes */
export const nextHead = (head: Uint8Array, entry: Uint8Array): Uint8Array =>
  sha256(concat(requireLength(head, headLength, 'head'), requireLength(entry, entryLength, 'entry')))
