/** The batch: a run of entries that a terminal seals and sends (PROTOCOL.md, Documents). */
import { concat, requireLength } from './bytes.ts'
import { entryLength, headLength } from './entry.ts'
import { ProtocolError } from './errors.ts'
import { type MacKey, macTag, requireSeal, seal, sealLength } from './mac.ts'
import type { TerminalId } from './quantities.ts'
import { encodeRunHeader, parseRunHeader, type RunKind, runHeaderLength } from './run-header.ts'

export const batchHeaderLength = runHeaderLength
export const batchEntriesMax = 10_000
export const batchBytesMax = batchHeaderLength + batchEntriesMax * entryLength + headLength + sealLength

const batchRun: RunKind = {
  magic: 'FBAT',
  name: 'batch',
  noName: 'batchNo',
  countMin: 0,
  countMax: batchEntriesMax,
}

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
  const { no: batchNo, ...header } = parseRunHeader(batchRun, bytes)
  const { count } = header
  const headAt = batchHeaderLength + count * entryLength
  if (bytes.length !== headAt + headLength + sealLength)
    throw new ProtocolError('length', 'batch', `count ${count} contradicts ${bytes.length} bytes`)
  const head = bytes.slice(headAt, headAt + headLength)
  return { ...header, batchNo, head }
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
  const header = encodeRunHeader(batchRun, { ...batch, no: batch.batchNo, count: batch.entries.length })
  for (const entry of batch.entries) requireLength(entry, entryLength, 'entry')
  return seal(
    terminalKey,
    macTag.batch,
    concat(header, ...batch.entries, requireLength(batch.head, headLength, 'batch.head')),
  )
}
