/** The first seconds of an MP3 (by its frames) or a WAV, without decoding it. */
import { previewShare } from './preview-share.ts'

const secondsMax = 20

/** ISO/IEC 11172-3, 2.4.2.3, and its extension to low sampling rates: kbit/s of layer III by index. */
const kilobits = {
  mpeg1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  mpeg2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const
const samplingRates = [44_100, 48_000, 32_000]

interface Frame {
  readonly offset: number
  readonly length: number
  readonly seconds: number
}

const frameAt = (bytes: Uint8Array, offset: number): Frame | undefined => {
  const [first, second = 0, third = 0] = bytes.subarray(offset, offset + 4)
  // Sync, and layer III alone.
  if (first !== 0xff || (second & 0xe6) !== 0xe2) return undefined
  const version = (second >> 3) & 3
  const rate = samplingRates[(third >> 2) & 3]
  const kbits = (version === 3 ? kilobits.mpeg1 : kilobits.mpeg2)[third >> 4]
  if (version === 1 || rate === undefined || kbits === undefined || kbits === 0) return undefined
  const samplingRate = version === 3 ? rate : version === 2 ? rate / 2 : rate / 4
  const samples = version === 3 ? 1152 : 576
  const length = Math.floor((samples / 8) * ((kbits * 1000) / samplingRate)) + ((third >> 1) & 1)
  return { offset, length, seconds: samples / samplingRate }
}

/** ID3v2: ten bytes and a length of four times seven bits. Zeros that fill it up may stand behind it, too. */
export const soundBegins = (bytes: Uint8Array): number => {
  if (bytes[0] !== 0x49 || bytes[1] !== 0x44 || bytes[2] !== 0x33) return 0
  let at = 10 + [6, 7, 8, 9].reduce((length, byte) => length * 128 + ((bytes[byte] ?? 0) & 0x7f), 0)
  while (bytes[at] === 0) at += 1
  return at
}

/** A silent first frame tells the length of the whole, which a part must not. */
const isInfo = (bytes: Uint8Array, { offset, length }: Frame): boolean =>
  /Xing|Info|VBRI/.test(Buffer.from(bytes.subarray(offset, offset + Math.min(length, 64))).toString('latin1'))

/** @throws Error when there is no sound in it */
export const mp3Preview = (bytes: Uint8Array): Uint8Array | undefined => {
  const frames: Frame[] = []
  for (let offset = soundBegins(bytes); offset + 4 <= bytes.length; ) {
    const frame = frameAt(bytes, offset)
    if (frame === undefined || frame.offset + frame.length > bytes.length) break
    if (!isInfo(bytes, frame)) frames.push(frame)
    offset += frame.length
  }
  if (frames.length === 0) throw new Error('it has no frame of sound')
  const total = frames.reduce((sum, { seconds }) => sum + seconds, 0)
  const most = Math.min(secondsMax, total / previewShare)
  let heard = 0
  const part = frames.filter(({ seconds }) => {
    heard += seconds
    return heard <= most
  })
  return part.length === 0
    ? undefined
    : Buffer.concat(part.map(({ offset, length }) => bytes.subarray(offset, offset + length)))
}

/** Microsoft's RIFF: chunks of "fmt " and "data". Everything else in it stays behind. @throws Error when there is no sound in it */
export const wavPreview = (bytes: Uint8Array): Uint8Array | undefined => {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const chunks = new Map<string, Buffer>()
  for (let at = 12; at + 8 <= file.length; ) {
    const length = file.readUInt32LE(at + 4)
    chunks.set(file.toString('latin1', at, at + 4), file.subarray(at + 8, at + 8 + length))
    at += 8 + length + (length % 2)
  }
  const [format, data] = [chunks.get('fmt '), chunks.get('data')]
  if (format === undefined || format.length < 16 || data === undefined)
    throw new Error('it has no sound, or does not say of what kind')
  const bytesPerSecond = format.readUInt32LE(8)
  const block = format.readUInt16LE(12)
  if (bytesPerSecond === 0 || block === 0) return undefined
  const most = Math.min(secondsMax * bytesPerSecond, Math.floor(data.length / previewShare))
  const part = data.subarray(0, most - (most % block))
  if (part.length === 0) return undefined
  const head = Buffer.alloc(12)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(4 + 8 + format.length + 8 + part.length, 4)
  head.write('WAVE', 8, 'latin1')
  const chunk = (name: string, body: Buffer): Buffer => {
    const start = Buffer.alloc(8)
    start.write(name, 0, 'latin1')
    start.writeUInt32LE(body.length, 4)
    return Buffer.concat([start, body])
  }
  return Buffer.concat([head, chunk('fmt ', format), chunk('data', part)])
}
