/** Pictures and logos as they are given: what they are is read from their bytes, and what a kiosk could not show is refused. */
import type { pictureTypes } from '../../protocol/bulletin.ts'
import { IssuerError } from '../errors.ts'

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

/** What would run, fetch, or unfold to more than it is. An image element runs and fetches nothing; this is the second lock. */
const unwanted =
  /<!DOCTYPE|<!ENTITY|<script|<foreignObject|<iframe|\son\w+\s*=|(?:href|src)\s*=\s*["']\s*(?!#|data:image\/)/i

const svgSize = (text: string): Size | undefined => {
  const root = /<svg\b[^>]*>/.exec(text)?.[0]
  if (root === undefined || !/<\/svg>\s*$/.test(text)) return undefined
  const box = /\bviewBox\s*=\s*["']\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)\s*["']/.exec(root)
  const side = (name: string): number =>
    Number(new RegExp(`\\s${name}\\s*=\\s*["']([\\d.]+)(?:px)?["']`).exec(root)?.[1])
  const [width, height] = box === null ? [side('width'), side('height')] : [Number(box[1]), Number(box[2])]
  return width > 0 && height > 0 ? { width, height } : undefined
}

const svgText = (bytes: Uint8Array): string | undefined => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return /^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--[\s\S]*?-->\s*)*(?:<!DOCTYPE[^>]*>\s*)?<svg[\s>]/i.test(text)
      ? text
      : undefined
  } catch {
    return undefined
  }
}

const found = (bytes: Uint8Array): { mediaType: PictureType; size: Size | undefined } | undefined => {
  if (at(bytes, 0, '\x89PNG\r\n\x1a\n')) return { mediaType: 'image/png', size: pngSize(bytes) }
  if (at(bytes, 0, '\xff\xd8\xff')) return { mediaType: 'image/jpeg', size: jpegSize(bytes) }
  if (at(bytes, 0, 'RIFF') && at(bytes, 8, 'WEBP')) return { mediaType: 'image/webp', size: webpSize(bytes) }
  const text = svgText(bytes)
  return text === undefined ? undefined : { mediaType: 'image/svg+xml', size: svgSize(text) }
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
  const picture = found(bytes)
  if (picture === undefined) throw no('is no PNG, JPEG, WebP or SVG.')
  const { mediaType, size } = picture
  if (size === undefined || size.width === 0 || size.height === 0) throw no('is damaged: it does not say its size.')
  if (mediaType === 'image/svg+xml') {
    if (unwanted.test(new TextDecoder().decode(bytes)))
      throw no('is more than a picture: take out scripts, entities, and addresses outside of it.')
  } else if (size.width > pixelsMax || size.height > pixelsMax)
    throw no(
      `has ${size.width} × ${size.height} pixels: up to ${pixelsMax} × ${pixelsMax} are shown, so make it smaller.`,
    )
  return { mediaType, ...size }
}
