/** The batch: a run of entries that a terminal seals and sends (PROTOCOL.md, Documents). */
import { ByteReader, ByteWriter, concat, requireInteger, requireLength, toHex, u32Max } from './bytes.ts'
import { entryLength, headLength } from './entry.ts'
import { ProtocolError } from './errors.ts'
import { type MacKey, macTag, requireSeal, seal, sealLength } from './mac.ts'
import { idBytes, idLength, type TerminalId, terminalId } from './quantities.ts'

export const batchHeaderLength = 64
export const batchEntriesMax = 10_000
export const batchBytesMax = batchHeaderLength + batchEntriesMax * entryLength + headLength + sealLength

export interface BatchHeader {
  readonly keyVersion: number
  readonly terminalId: TerminalId
  readonly epoch: number
  /** From 1. */
  readonly batchNo: number
  /** The number, from 1, of its first entry within the epoch. */
  readonly firstEntry: number
  readonly count: number
  readonly previousHead: Uint8Array
  /** The chain's head after the last entry. */
  readonly head: Uint8Array
}

export interface Batch extends Omit<BatchHeader, 'count'> {
  /** Each 104 bytes, not yet parsed: one bad entry does not spoil the rest. */
  readonly entries: readonly Uint8Array[]
}

/**
 * Reads all but the entries, which lie in `bytes` from `batchHeaderLength` on; the seal and the chain are the caller's next checks.
 * @throws ProtocolError `length`, `magic`, `version`, `reserved`, `range`
 */
export const parseBatchHeader = (bytes: Uint8Array): BatchHeader => {
  if (bytes.length < batchHeaderLength + headLength + sealLength || bytes.length > batchBytesMax)
    throw new ProtocolError('length', 'batch', `${bytes.length} bytes`)
  const reader = new ByteReader(bytes.subarray(0, batchHeaderLength), batchHeaderLength, 'batch')
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
  const headAt = batchHeaderLength + count * entryLength
  if (bytes.length !== headAt + headLength + sealLength)
    throw new ProtocolError('length', 'batch', `count ${count} contradicts ${bytes.length} bytes`)
  const head = bytes.slice(headAt, headAt + headLength)
  return { keyVersion, terminalId: terminal, epoch, batchNo, firstEntry, count, previousHead, head }
}

/** As `parseBatchHeader`, with the entries. @throws ProtocolError */
export const parseBatch = (bytes: Uint8Array): Batch => {
  const { count, ...header } = parseBatchHeader(bytes)
  const entries = Array.from({ length: count }, (_, index) => {
    const at = batchHeaderLength + index * entryLength
    return bytes.slice(at, at + entryLength)
  })
  return { ...header, entries }
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
