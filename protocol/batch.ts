/** The batch: a run of entries that a terminal seals and sends (PROTOCOL.md, Documents). */
import { ByteReader, ByteWriter, concat, requireInteger, requireLength, toHex, u32Max } from './bytes.ts'
import { entryLength, headLength } from './entry.ts'
import { ProtocolError } from './errors.ts'
import { type MacKey, macTag, requireSeal, seal, sealLength } from './mac.ts'
import { idBytes, idLength, type TerminalId, terminalId } from './quantities.ts'

export const batchHeaderLength = 64
export const batchEntriesMax = 10_000
export const batchBytesMax = batchHeaderLength + batchEntriesMax * entryLength + headLength + sealLength

export interface Batch {
  readonly keyVersion: number
  readonly terminalId: TerminalId
  readonly epoch: number
  /** From 1. */
  readonly batchNo: number
  /** The number, from 1, of its first entry within the epoch. */
  readonly firstEntry: number
  readonly previousHead: Uint8Array
  /** Each 104 bytes, not yet parsed: one bad entry does not spoil the rest. */
  readonly entries: readonly Uint8Array[]
  /** The chain's head after the last entry. */
  readonly head: Uint8Array
}

/**
 * Reads the layout; the seal and the chain are the caller's next checks.
 * @throws ProtocolError `length`, `magic`, `version`, `reserved`, `range`
 */
export const parseBatch = (bytes: Uint8Array): Batch => {
  if (bytes.length < batchHeaderLength + headLength + sealLength || bytes.length > batchBytesMax)
    throw new ProtocolError('length', 'batch', `${bytes.length} bytes`)
  const reader = new ByteReader(bytes, bytes.length, 'batch')
  reader.magic('FBAT')
  reader.version('batch')
  const keyVersion = reader.u8()
  reader.reserved(2, 'batch')
  const terminal = terminalId(toHex(reader.bytes(idLength)))
  const epoch = reader.u32()
  const batchNo = requireInteger(reader.u32(), { min: 1, max: u32Max, field: 'batch.batchNo' })
  const firstEntry = requireInteger(reader.u32(), { min: 1, max: u32Max, field: 'batch.firstEntry' })
  const count = requireInteger(reader.u32(), { max: batchEntriesMax, field: 'batch.count' })
  const previousHead = reader.bytes(headLength)
  requireInteger(firstEntry + count - 1, { max: u32Max, field: 'batch.lastEntry' })
  if (bytes.length !== batchHeaderLength + count * entryLength + headLength + sealLength)
    throw new ProtocolError('length', 'batch', `count ${count} contradicts ${bytes.length} bytes`)
  const entries = Array.from({ length: count }, () => reader.bytes(entryLength))
  const head = reader.bytes(headLength)
  return { keyVersion, terminalId: terminal, epoch, batchNo, firstEntry, previousHead, entries, head }
}

/** @throws ProtocolError `forged` */
export const requireBatchSeal = (terminalKey: MacKey, bytes: Uint8Array): void =>
  requireSeal(terminalKey, macTag.batch, bytes)

/** @returns the sealed batch @throws ProtocolError */
export const encodeBatch = (terminalKey: MacKey, batch: Batch): Uint8Array => {
  requireInteger(batch.entries.length, { max: batchEntriesMax, field: 'batch.count' })
  const header = new ByteWriter(batchHeaderLength)
    .bytes(
      Uint8Array.from('FBAT', (letter) => letter.charCodeAt(0)),
      4,
      'magic',
    )
    .u8(1)
    .u8(batch.keyVersion, 'batch.keyVersion')
    .zeros(2)
    .bytes(idBytes(batch.terminalId), idLength, 'batch.terminalId')
    .u32(batch.epoch, 'batch.epoch')
    .u32(batch.batchNo, 'batch.batchNo')
    .u32(batch.firstEntry, 'batch.firstEntry')
    .u32(batch.entries.length)
    .bytes(batch.previousHead, headLength, 'batch.previousHead')
    .done()
  for (const entry of batch.entries) requireLength(entry, entryLength, 'entry')
  return seal(
    terminalKey,
    macTag.batch,
    concat(header, ...batch.entries, requireLength(batch.head, headLength, 'batch.head')),
  )
}
