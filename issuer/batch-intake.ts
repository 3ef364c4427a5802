/** A batch is opened and its proofs are checked before the books are touched, so that the writer's time is short. */
import { hash } from 'node:crypto'
import { type BatchHeader, batchHeaderLength, parseBatchHeader, requireBatchSeal } from '../protocol/batch.ts'
import { entryLength, entryStatuses, headLength, paysNothing } from '../protocol/entry.ts'
import { ProtocolError } from '../protocol/errors.ts'
import type { MacKey } from '../protocol/mac.ts'
import { macLength } from '../protocol/quantities.ts'
import { recordLength } from '../protocol/record.ts'
import { findTerminals } from './books.ts'
import { GroupCommit } from './group-commit.ts'
import type { Issuer } from './issuer.ts'

export type DocumentRefusal = 'unknownTerminal' | 'forged' | 'layout'

export interface RefusedDocument {
  readonly refused: DocumentRefusal
  /** For a person. */
  readonly sentence: string
}

export const refuseDocument = (refused: DocumentRefusal, what: string): RefusedDocument => ({
  refused,
  sentence: {
    unknownTerminal: `${what}: this issuer has no such terminal. Was it made for another issuer?`,
    forged: `${what}: its seal is wrong. It was damaged or forged on the way, or made for another issuer.`,
    layout: `${what}: its bytes are not laid out as PROTOCOL.md says. It was damaged on the way.`,
  }[refused],
})

export type IngestResult = { readonly ack: Uint8Array } | RefusedDocument

export interface OpenedBatch {
  readonly batch: BatchHeader
  readonly bytes: Buffer
  readonly key: MacKey
  /** Whether the entries lead from the header's head to the batch's. */
  readonly chained: boolean
  /** By entry: 1 where its card made its record. */
  readonly proven: Uint8Array
  /** Came over the network, not with a courier. */
  readonly direct?: boolean
}

/** Where an entry has its status. */
export const statusAt = recordLength + macLength

export const entryAt = (index: number): number => batchHeaderLength + index * entryLength

const isChained = (bytes: Buffer, count: number): boolean => {
  const link = Buffer.alloc(headLength + entryLength)
  bytes.copy(link, 0, batchHeaderLength - headLength, batchHeaderLength)
  for (let index = 0; index < count; index += 1) {
    bytes.copy(link, headLength, entryAt(index), entryAt(index + 1))
    // As latin1, one character a byte: see settlement-proof.ts.
    link.write(hash('sha256', link, 'binary'), 0, 'latin1')
  }
  return link.compare(bytes, entryAt(count), entryAt(count) + headLength, 0, headLength) === 0
}

const provenEntries = ({ proofs }: Issuer, bytes: Buffer, count: number): Uint8Array => {
  const proven = new Uint8Array(count)
  for (let index = 0; index < count; index += 1) {
    const status = entryStatuses[bytes[entryAt(index) + statusAt] ?? 0]
    if (status !== undefined && !paysNothing(status)) proven[index] = proofs.proves(bytes, entryAt(index)) ? 1 : 0
  }
  return proven
}

/** @param given as they came */
export const openBatch = async (issuer: Issuer, given: Uint8Array): Promise<OpenedBatch | DocumentRefusal> => {
  try {
    const bytes = Buffer.from(given.buffer, given.byteOffset, given.length)
    const batch = parseBatchHeader(bytes)
    const terminals = await issuer.store.read((db) => findTerminals(db, [batch.terminalId]))
    if (!terminals.has(batch.terminalId)) return 'unknownTerminal'
    const key = issuer.keys.terminalMac(batch.keyVersion, batch.terminalId)
    if (key === undefined) return 'forged'
    requireBatchSeal(key, bytes)
    const { count } = batch
    return { batch, bytes, key, chained: isChained(bytes, count), proven: provenEntries(issuer, bytes, count) }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return error.code === 'forged' ? 'forged' : 'layout'
  }
}

export type BatchIntake = GroupCommit<OpenedBatch, IngestResult>

export const newBatchIntake = (): BatchIntake =>
  new GroupCommit<OpenedBatch, IngestResult>({ weightMax: 30_000, quietMs: 2, gatherMs: 50 })
