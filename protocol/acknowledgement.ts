/** The acknowledgement: the issuer's sealed answer to one batch (PROTOCOL.md, Documents). */

import { batchEntriesMax } from './batch.ts'
import { ascii, ByteReader, ByteWriter, requireInteger, toHex, u32Max } from './bytes.ts'
import { headLength } from './entry.ts'
import { ProtocolError } from './errors.ts'
import { type MacKey, macTag, requireSeal, seal, sealLength } from './mac.ts'
import { idBytes, idLength, type TerminalId, terminalId } from './quantities.ts'

/** The wire's numbers are these positions. `outOfOrder` (4) is taken too: send the batch before it again. */
export const batchVerdicts = ['taken', 'fork', 'epochEnded', 'keyVersionEnded', 'outOfOrder'] as const
export type BatchVerdict = (typeof batchVerdicts)[number]

/** `taken` and `outOfOrder` have the batch in the issuer's archive; the others ask for a new enrolment. */
export const isTaken = (verdict: BatchVerdict): boolean => verdict === 'taken' || verdict === 'outOfOrder'

/** Why one entry is an exception, by the wire's number less one. */
export const exceptionReasons = [
  'layout',
  'terminal',
  'unknownCard',
  'keyVersion',
  'currency',
  'settlementMac',
  'clone',
  'balance',
  'itemOrPrice',
  'reversal',
  'load',
  'status',
  'limit',
] as const
export type ExceptionReason = (typeof exceptionReasons)[number]

export interface EntryException {
  /** The entry's number within the epoch. */
  readonly entry: number
  readonly reason: ExceptionReason
}

export interface Acknowledgement {
  readonly keyVersion: number
  readonly verdict: BatchVerdict
  readonly terminalId: TerminalId
  readonly epoch: number
  /** Of the batch; of the issuer's last one when not taken (0: none yet). */
  readonly batchNo: number
  readonly head: Uint8Array
  readonly accepted: number
  readonly exceptions: readonly EntryException[]
}

const fixedLength = 4 + 4 + 8 + 4 + 4 + headLength + 4 + 4
const exceptionLength = 8
export const acknowledgementBytesMax = fixedLength + batchEntriesMax * exceptionLength + sealLength

/**
 * Reads the layout; the seal is the caller's next check, and nothing is true before it.
 * @throws ProtocolError `length`, `magic`, `version`, `reserved`, `range`
 */
export const parseAcknowledgement = (bytes: Uint8Array): Acknowledgement => {
  if (bytes.length < fixedLength + sealLength) throw new ProtocolError('length', 'acknowledgement')
  const reader = new ByteReader(bytes, bytes.length, 'acknowledgement')
  reader.magic('FACK')
  reader.version('acknowledgement')
  const keyVersion = reader.u8()
  const verdict = batchVerdicts[reader.u8()]
  if (verdict === undefined) throw new ProtocolError('range', 'acknowledgement.verdict')
  reader.reserved(1, 'acknowledgement')
  const terminal = terminalId(toHex(reader.bytes(idLength)))
  const epoch = reader.u32()
  const batchNo = requireInteger(reader.u32(), {
    min: isTaken(verdict) ? 1 : 0,
    max: u32Max,
    field: 'acknowledgement.batchNo',
  })
  const head = reader.bytes(headLength)
  const accepted = requireInteger(reader.u32(), { max: batchEntriesMax, field: 'acknowledgement.accepted' })
  const count = requireInteger(reader.u32(), { max: batchEntriesMax, field: 'acknowledgement.exceptions' })
  if (bytes.length !== fixedLength + count * exceptionLength + sealLength)
    throw new ProtocolError('length', 'acknowledgement', `${count} exceptions contradict ${bytes.length} bytes`)
  requireInteger(accepted + count, { max: batchEntriesMax, field: 'acknowledgement.count' })
  if (!isTaken(verdict) && accepted + count > 0) throw new ProtocolError('reserved', 'acknowledgement.accepted')
  const exceptions = Array.from({ length: count }, () => {
    const entry = requireInteger(reader.u32(), { min: 1, max: u32Max, field: 'acknowledgement.entry' })
    const reason = exceptionReasons[reader.u8() - 1]
    if (reason === undefined) throw new ProtocolError('range', 'acknowledgement.reason')
    reader.reserved(3, 'acknowledgement')
    return { entry, reason }
  })
  return { keyVersion, verdict, terminalId: terminal, epoch, batchNo, head, accepted, exceptions }
}

/** Reads and verifies. @throws ProtocolError; `forged` when the seal is wrong */
export const openAcknowledgement = (terminalKey: MacKey, bytes: Uint8Array): Acknowledgement => {
  const acknowledgement = parseAcknowledgement(bytes)
  requireSeal(terminalKey, macTag.acknowledgement, bytes)
  return acknowledgement
}

/** @returns the sealed acknowledgement @throws ProtocolError */
export const encodeAcknowledgement = (terminalKey: MacKey, ack: Acknowledgement): Uint8Array => {
  const writer = new ByteWriter(fixedLength + ack.exceptions.length * exceptionLength)
    .bytes(ascii('FACK'), 4, 'magic')
    .u8(1)
    .u8(ack.keyVersion, 'acknowledgement.keyVersion')
    .u8(batchVerdicts.indexOf(ack.verdict))
    .zeros(1)
    .bytes(idBytes(ack.terminalId), idLength, 'acknowledgement.terminalId')
    .u32(ack.epoch, 'acknowledgement.epoch')
    .u32(ack.batchNo, 'acknowledgement.batchNo')
    .bytes(ack.head, headLength, 'acknowledgement.head')
    .u32(ack.accepted, 'acknowledgement.accepted')
    .u32(ack.exceptions.length)
  for (const { entry, reason } of ack.exceptions)
    writer
      .u32(entry, 'acknowledgement.entry')
      .u8(exceptionReasons.indexOf(reason) + 1)
      .zeros(3)
  return seal(terminalKey, macTag.acknowledgement, writer.done())
}
