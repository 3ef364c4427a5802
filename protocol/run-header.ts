/** The first 64 bytes of a run of entries that a terminal cuts from one of its chains: a batch or a journal (PROTOCOL.md). */
import { ascii, ByteReader, ByteWriter, requireInteger, toHex, u32Max } from './bytes.ts'
import { headLength } from './entry.ts'
import { idBytes, idLength, type TerminalId, terminalId } from './quantities.ts'

export const runHeaderLength = 64

export interface RunHeader {
  readonly keyVersion: number
  readonly terminalId: TerminalId
  readonly epoch: number
  /** Of the document, from 1. */
  readonly no: number
  /** The number, from 1, of its first entry within the epoch. */
  readonly firstEntry: number
  readonly count: number
  readonly previousHead: Uint8Array
}

/** What differs between the two kinds of documents; the names are those of errors. */
export interface RunKind {
  readonly magic: 'FBAT' | 'FJRN'
  readonly name: 'batch' | 'journal'
  readonly noName: 'batchNo' | 'journalNo'
  readonly countMin: number
  readonly countMax: number
}

const requireCount = ({ name, countMin, countMax }: RunKind, count: number): number =>
  requireInteger(count, { min: countMin, max: countMax, field: `${name}.count` })

/** @returns 64 bytes @throws ProtocolError */
export const encodeRunHeader = (kind: RunKind, header: RunHeader): Uint8Array => {
  const { name, noName } = kind
  return new ByteWriter(runHeaderLength)
    .bytes(ascii(kind.magic), 4, 'magic')
    .u8(1)
    .u8(header.keyVersion, `${name}.keyVersion`)
    .zeros(2)
    .bytes(idBytes(header.terminalId), idLength, `${name}.terminalId`)
    .u32(header.epoch, `${name}.epoch`)
    .u32(header.no, `${name}.${noName}`)
    .u32(header.firstEntry, `${name}.firstEntry`)
    .u32(requireCount(kind, header.count))
    .bytes(header.previousHead, headLength, `${name}.previousHead`)
    .done()
}

/** @param bytes of the whole document @throws ProtocolError `length`, `magic`, `version`, `reserved`, `range` */
export const parseRunHeader = (kind: RunKind, bytes: Uint8Array): RunHeader => {
  const { magic, name, noName } = kind
  const reader = new ByteReader(bytes.subarray(0, runHeaderLength), runHeaderLength, name)
  reader.magic(magic)
  reader.version(name)
  const keyVersion = reader.u8()
  reader.reserved(2, name)
  const terminal = terminalId(toHex(reader.bytes(idLength)))
  const epoch = reader.u32()
  const no = requireInteger(reader.u32(), { min: 1, max: u32Max, field: `${name}.${noName}` })
  const firstEntry = requireInteger(reader.u32(), { min: 1, max: u32Max, field: `${name}.firstEntry` })
  const count = requireCount(kind, reader.u32())
  requireInteger(firstEntry + count - 1, { max: u32Max, field: `${name}.lastEntry` })
  return { keyVersion, terminalId: terminal, epoch, no, firstEntry, count, previousHead: reader.bytes(headLength) }
}
