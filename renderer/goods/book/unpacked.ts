/**
 * The files of an EPUB (a ZIP archive; PKWARE's APPNOTE, 4.3), unpacked one by one when they are asked for. Whoever packed it
 * may lie: its list is read once and counted while it is read, each size has a limit, all together have one, and a file that
 * unpacks to more than it announced is none. Archives of more than 4 GB (ZIP64) are not read.
 */
import { Inflate, strFromU8 } from 'fflate'

const filesMax = 20_000
/** As they say, unpacked: many entries may share the same packed bytes. */
const bookBytesMax = 1024 * 1024 * 1024
const fileBytesMax = 64 * 1024 * 1024
/** Text is parsed into a document, which takes many times as much. */
const textBytesMax = 8 * 1024 * 1024
/** A piece unpacks to a thousand times as much at the most; after each it is counted. */
const pieceBytes = 4096

export interface Unpacked {
  loadText(name: string): string | null
  loadBlob(name: string): Blob | null
  getSize(name: string): number
}

interface Entry {
  readonly method: number
  readonly encrypted: boolean
  readonly packedBytes: number
  readonly bytes: number
  /** Of its own header. */
  readonly offset: number
}

const endSignature = 0x06054b50
const endLength = 22
const commentLengthMax = 65_535
const entrySignature = 0x02014b50
const entryLength = 46
const fileSignature = 0x04034b50
const fileHeaderLength = 30
const stored = 0
const deflated = 8

/** The end of the list stands at the end of the archive, before a comment. @throws Error when there is none */
function endOf(view: DataView): number {
  const last = view.byteLength - endLength
  for (let at = last; at >= Math.max(0, last - commentLengthMax); at -= 1)
    if (view.getUint32(at, true) === endSignature) return at
  throw new Error('no archive')
}

/** @throws Error when the list is none, or of more than a book has */
function entriesOf(archive: Uint8Array, view: DataView): ReadonlyMap<string, Entry> {
  const end = endOf(view)
  const count = view.getUint16(end + 10, true)
  if (count > filesMax) throw new Error('an archive of too many files')
  const entries = new Map<string, Entry>()
  let at = view.getUint32(end + 16, true)
  let bytes = 0
  for (let no = 0; no < count; no += 1) {
    if (at + entryLength > end || view.getUint32(at, true) !== entrySignature) throw new Error('a damaged archive')
    const flags = view.getUint16(at + 8, true)
    const nameEnd = at + entryLength + view.getUint16(at + 28, true)
    const entry: Entry = {
      method: view.getUint16(at + 10, true),
      encrypted: (flags & 0x1) !== 0,
      packedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    }
    bytes += entry.bytes
    if (bytes > bookBytesMax) throw new Error('an archive that unpacks to too much')
    entries.set(strFromU8(archive.subarray(at + entryLength, nameEnd), (flags & 0x800) === 0), entry)
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  return entries
}

/** @throws Error when it is damaged, or unpacks to more than `bytes` */
function inflated(packed: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes)
  let length = 0
  const inflate = new Inflate((piece) => {
    // Sets nothing beyond the end: throws.
    whole.set(piece, length)
    length += piece.length
  })
  for (let from = 0; from < packed.length; from += pieceBytes)
    inflate.push(packed.subarray(from, from + pieceBytes), from + pieceBytes >= packed.length)
  return whole.subarray(0, length)
}

/** @throws Error as above, or when the entry leads nowhere */
function bytesOf(archive: Uint8Array, view: DataView, entry: Entry): Uint8Array<ArrayBuffer> {
  const { offset, packedBytes, bytes, method } = entry
  if (view.getUint32(offset, true) !== fileSignature) throw new Error('no file where it should be')
  const from = offset + fileHeaderLength + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true)
  const packed = archive.subarray(from, from + packedBytes)
  if (packed.length !== packedBytes) throw new Error('a file beyond the end')
  if (method === deflated) return inflated(packed, bytes)
  if (method !== stored || packedBytes !== bytes) throw new Error('packed in a way that no book is')
  return new Uint8Array(packed)
}

/** @throws Error when it is no archive, or more than a book is */
export function unpacked(archive: Uint8Array): Unpacked {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength)
  const entries = entriesOf(archive, view)
  const read = (name: string, bytesMax: number): Uint8Array<ArrayBuffer> | null => {
    const entry = entries.get(name)
    if (entry === undefined || entry.encrypted || entry.bytes > bytesMax) return null
    try {
      return bytesOf(archive, view, entry)
    } catch {
      // As if it were not there: the other chapters can be read.
      return null
    }
  }
  return {
    loadText(name) {
      const bytes = read(name, textBytesMax)
      return bytes === null ? null : new TextDecoder(bytes[0] === 0xff ? 'utf-16le' : 'utf-8').decode(bytes)
    },
    loadBlob(name) {
      const bytes = read(name, fileBytesMax)
      return bytes === null ? null : new Blob([bytes])
    },
    getSize: (name) => entries.get(name)?.bytes ?? 0,
  }
}
