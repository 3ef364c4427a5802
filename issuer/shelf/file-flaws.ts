/**
 * Whether a file is what its name says, and is there to its end, as far as its own lengths and marks tell without decoding it.
 * A download that broke off is found so; what is wrong inside is found by whoever reads it (previews.ts).
 */
import { soundBegins } from './preview-sound.ts'

/** `otherKind`: not what its type says. `otherLetters`: no text in UTF-8. `cutOff`: its end is missing. */
export type Flaw = 'otherKind' | 'otherLetters' | 'cutOff'

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const begins = (bytes: Uint8Array, offset: number, text: string): boolean =>
  Buffer.from(bytes.subarray(offset, offset + text.length)).toString('latin1') === text

/** Looked for in the last bytes alone. */
const endsWith = (bytes: Uint8Array, mark: string, within: number): boolean =>
  Buffer.from(bytes.subarray(Math.max(0, bytes.length - within))).includes(mark, 0, 'latin1')

const isText = (bytes: Uint8Array): boolean => {
  try {
    return !new TextDecoder('utf-8', { fatal: true }).decode(bytes).includes('\0')
  } catch {
    return false
  }
}

/** What is written while it is recorded says the most that fits, with or without a sign: no file that is sold is nearly so long. */
const riffUnknown = 0x7fff_0000

const isRiffWhole = (bytes: Uint8Array): boolean => {
  const length = bytes.length < 12 ? 0 : viewOf(bytes).getUint32(4, true)
  return length >= riffUnknown || (length > 4 && 8 + length <= bytes.length)
}

/** PNG (W3C), 5.3: chunks, of which the last is IEND. */
const isPngWhole = (bytes: Uint8Array): boolean => {
  for (let at = 8; at + 12 <= bytes.length; at += 12 + viewOf(bytes).getUint32(at))
    if (begins(bytes, at + 4, 'IEND')) return true
  return false
}

/** ITU T.81, B.1.1: in the picture's own data, which follows its segments, FF D9 stands at the end alone. A thumbnail has its own. */
const isJpegWhole = (bytes: Uint8Array): boolean => {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    if (bytes[at + 1] === 0xda) return Buffer.from(bytes.subarray(at)).includes('\xff\xd9', 0, 'latin1')
    at += bytes[at + 1] === 0xff ? 1 : 2 + viewOf(bytes).getUint16(at + 2)
  }
  return false
}

/** Xing's header, in the first frame of what most encoders write, may say how many bytes there are from that frame on. */
const isMp3Whole = (bytes: Uint8Array): boolean => {
  const sound = Buffer.from(bytes.subarray(soundBegins(bytes)))
  const head = sound.toString('latin1', 0, 64).search(/Xing|Info/)
  if (head < 0 || head + 16 > sound.length) return sound.length > 0
  const flags = sound.readUInt32BE(head + 4)
  return (flags & 2) === 0 || sound.readUInt32BE(head + 8 + (flags & 1) * 4) <= sound.length
}

/** RFC 3533, 6: pages, each with the lengths of its segments. What follows the last of them is not of it. */
const isOggWhole = (bytes: Uint8Array): boolean => {
  let at = 0
  while (begins(bytes, at, 'OggS')) {
    const segments = bytes[at + 26] ?? 0
    const lengths = bytes.subarray(at + 27, at + 27 + segments)
    at += 27 + segments + lengths.reduce((sum, length) => sum + length, 0)
  }
  return at <= bytes.length && at > 0
}

/** ISO/IEC 14496-12, 4.2: boxes, of which "moov" says where the film is; many writers put it last. */
const isMp4Whole = (bytes: Uint8Array): boolean => {
  const view = viewOf(bytes)
  let hasMoov = false
  let at = 0
  while (at + 8 <= bytes.length) {
    const short = view.getUint32(at)
    const length =
      short === 0
        ? bytes.length - at
        : short === 1 && at + 16 <= bytes.length
          ? Number(view.getBigUint64(at + 8))
          : short
    if (length < 8) return false
    hasMoov ||= begins(bytes, at + 4, 'moov')
    at += length
  }
  return hasMoov && at <= bytes.length
}

/** RFC 8794, 4: a number whose first bit that is set tells its bytes. @returns undefined when it is not there or says "unknown" */
const ebmlLength = (bytes: Uint8Array, at: number): { readonly value: number; readonly bytes: number } | undefined => {
  const first = bytes[at] ?? 0
  const count = Math.clz32(first) - 23
  if (first === 0 || at + count > bytes.length) return undefined
  const rest = bytes.subarray(at + 1, at + count)
  const value = rest.reduce((sum, byte) => sum * 256 + byte, first & (0xff >> count))
  return value === 2 ** (7 * count) - 1 ? undefined : { value, bytes: count }
}

/** RFC 9559, 5.1: the header and one segment, whose length a live recording leaves unknown. */
const isWebmWhole = (bytes: Uint8Array): boolean => {
  const header = ebmlLength(bytes, 4)
  if (header === undefined) return false
  const segmentAt = 4 + header.bytes + header.value
  if (!begins(bytes, segmentAt, '\x18\x53\x80\x67')) return false
  const segment = ebmlLength(bytes, segmentAt + 4)
  return segment === undefined || segmentAt + 4 + segment.bytes + segment.value <= bytes.length
}

interface Kind {
  readonly is: (bytes: Uint8Array) => boolean
  /** Absent: it does not tell where it ends. */
  readonly isWhole?: (bytes: Uint8Array) => boolean
}

const kinds: Readonly<Record<string, Kind>> = {
  // Readers look for its beginning and its end near those of the file (ISO 32000-1, annex H.3).
  'application/pdf': {
    is: (bytes) => Buffer.from(bytes.subarray(0, 1024)).includes('%PDF-', 0, 'latin1'),
    isWhole: (bytes) => endsWith(bytes, '%%EOF', 1024),
  },
  // APPNOTE.TXT, 4.3.16: the directory's end, with a comment of up to 65,535 bytes behind it.
  'application/epub+zip': {
    is: (bytes) => begins(bytes, 0, 'PK\x03\x04'),
    isWhole: (bytes) => endsWith(bytes, 'PK\x05\x06', 22 + 65_535),
  },
  'text/markdown': { is: isText },
  'text/plain': { is: isText },
  'audio/mpeg': {
    is: (bytes) => begins(bytes, 0, 'ID3') || (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0),
    isWhole: isMp3Whole,
  },
  'audio/wav': { is: (bytes) => begins(bytes, 0, 'RIFF') && begins(bytes, 8, 'WAVE'), isWhole: isRiffWhole },
  'audio/ogg': { is: (bytes) => begins(bytes, 0, 'OggS'), isWhole: isOggWhole },
  'video/mp4': { is: (bytes) => begins(bytes, 4, 'ftyp'), isWhole: isMp4Whole },
  'video/webm': { is: (bytes) => begins(bytes, 0, '\x1a\x45\xdf\xa3'), isWhole: isWebmWhole },
  'image/png': { is: (bytes) => begins(bytes, 0, '\x89PNG\r\n\x1a\n'), isWhole: isPngWhole },
  'image/jpeg': { is: (bytes) => begins(bytes, 0, '\xff\xd8\xff'), isWhole: isJpegWhole },
  'image/webp': { is: (bytes) => begins(bytes, 0, 'RIFF') && begins(bytes, 8, 'WEBP'), isWhole: isRiffWhole },
}

/** @returns undefined: none that can be seen from outside, or its type is none that is looked at */
export const flawOf = (bytes: Uint8Array, mediaType: string): Flaw | undefined => {
  const kind = kinds[mediaType]
  if (kind === undefined) return undefined
  if (!kind.is(bytes)) return kind.is === isText ? 'otherLetters' : 'otherKind'
  return kind.isWhole === undefined || kind.isWhole(bytes) ? undefined : 'cutOff'
}

/** The end of a sentence that begins with the file, and what to do. */
export const flawSays: Readonly<Record<Flaw, string>> = {
  otherKind: 'is not what its name says. Look what it is, and give it its right ending or choose another.',
  otherLetters: 'is no text in UTF-8. Save it in that encoding, or look what it is.',
  cutOff: 'ends too early, as after a broken download. Copy or export it again.',
}
