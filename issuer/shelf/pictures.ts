/** Pictures and logos as they are given: what they are is read from their bytes, and what a kiosk could not show is refused. */
import type { pictureTypes } from '../../protocol/bulletin.ts'
import { IssuerError } from '../errors.ts'
import { flawOf, flawSays } from './file-flaws.ts'
import { isSvg, readSvg } from './svg.ts'

export type PictureType = (typeof pictureTypes)[number]

export interface Picture {
  readonly mediaType: PictureType
  readonly width: number
  readonly height: number
}

export const pixelsMax = 2048

const at = (bytes: Uint8Array, offset: number, text: string): boolean =>
  bytes.length >= offset + text.length && [...text].every((letter, i) => bytes[offset + i] === letter.charCodeAt(0))

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

type Size = Omit<Picture, 'mediaType'>

/** PNG (W3C), 5.6 and 11.2.1: the header is the first chunk. */
const pngSize = (bytes: Uint8Array): Size | undefined =>
  bytes.length < 33 || !at(bytes, 12, 'IHDR')
    ? undefined
    : { width: viewOf(bytes).getUint32(16), height: viewOf(bytes).getUint32(20) }

/** ITU T.81, B.2.2: the frame header, behind segments that each say how long they are. */
const jpegSize = (bytes: Uint8Array): Size | undefined => {
  const view = viewOf(bytes)
  let offset = 2
  while (offset + 9 <= bytes.length) {
    if (bytes[offset] !== 0xff) return undefined
    const marker = bytes[offset + 1] ?? 0
    if (marker === 0xff) {
      offset += 1
      continue
    }
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { width: view.getUint16(offset + 7), height: view.getUint16(offset + 5) }
    if (marker === 0xd9 || marker === 0xda) return undefined
    offset += 2 + view.getUint16(offset + 2)
  }
  return undefined
}

/** RFC 9649: lossy, lossless, and extended. */
const webpSize = (bytes: Uint8Array): Size | undefined => {
  if (bytes.length < 30) return undefined
  const view = viewOf(bytes)
  if (at(bytes, 12, 'VP8X'))
    return {
      width: 1 + (view.getUint32(24, true) & 0xffffff),
      height: 1 + (view.getUint16(27, true) | (view.getUint8(29) << 16)),
    }
  if (at(bytes, 12, 'VP8L')) {
    const packed = view.getUint32(21, true)
    return { width: 1 + (packed & 0x3fff), height: 1 + ((packed >>> 14) & 0x3fff) }
  }
  return at(bytes, 12, 'VP8 ')
    ? { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
    : undefined
}

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const rasterOf = (bytes: Uint8Array): { mediaType: PictureType; size: Size | undefined } | undefined => {
  if (at(bytes, 0, '\x89PNG\r\n\x1a\n')) return { mediaType: 'image/png', size: pngSize(bytes) }
  if (at(bytes, 0, '\xff\xd8\xff')) return { mediaType: 'image/jpeg', size: jpegSize(bytes) }
  if (at(bytes, 0, 'RIFF') && at(bytes, 8, 'WEBP')) return { mediaType: 'image/webp', size: webpSize(bytes) }
  return undefined
}

/** @returns the end of the sentence that says what stands against it */
const rasterOrReason = (bytes: Uint8Array): Picture | string => {
  const picture = rasterOf(bytes)
  if (picture === undefined) return 'is no PNG, JPEG, WebP or SVG.'
  const { mediaType, size } = picture
  if (size === undefined || size.width === 0 || size.height === 0) return 'is damaged: it does not say its size.'
  if (size.width > pixelsMax || size.height > pixelsMax)
    return `has ${size.width} × ${size.height} pixels: up to ${pixelsMax} × ${pixelsMax} are shown, so make it smaller.`
  return { mediaType, ...size }
}

/** What an SVG brings along is unpacked as any picture is. */
const embedded = (address: string): Picture | string => {
  const comma = address.indexOf(',')
  if (!/;\s*base64$/i.test(address.slice(0, comma)) || comma > 100) return 'has a picture in it that is not base64.'
  const picture = rasterOrReason(Buffer.from(address.slice(comma + 1), 'base64'))
  return typeof picture === 'string' ? `has a picture in it that ${picture}` : picture
}

const svgOrReason = (text: string): Picture | string => {
  const svg = readSvg(text)
  if (typeof svg === 'string') return svg
  const reason = svg.images
    .filter((address) => !address.trim().startsWith('#'))
    .map(embedded)
    .find((picture) => typeof picture === 'string')
  return reason ?? { mediaType: 'image/svg+xml', width: svg.width, height: svg.height }
}

/**
 * Reads what a picture is. @param given.bytesMax of its kind
 * @throws IssuerError `input`: none of the four formats, damaged, too many bytes or pixels, or an SVG that is more than a picture
 */
export const pictureOf = (given: { name: string; bytes: Uint8Array; bytesMax: number }): Picture => {
  const { name, bytes, bytesMax } = given
  const no = (why: string): IssuerError => new IssuerError('input', `The picture ${name} ${why}`)
  if (bytes.length > bytesMax)
    throw no(`has ${Math.ceil(bytes.length / 1024)} KiB: up to ${bytesMax / 1024} KiB are shown, so make it smaller.`)
  const text = textOf(bytes)
  const picture = text !== undefined && isSvg(text) ? svgOrReason(text) : rasterOrReason(bytes)
  if (typeof picture === 'string') throw no(picture)
  const flaw = flawOf(bytes, picture.mediaType)
  if (flaw !== undefined) throw no(flawSays[flaw])
  return picture
}
