import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { mediaTypeOf } from '../media-types.ts'
import { flawOf } from './file-flaws.ts'

const root = path.join(import.meta.dirname, '../..')
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
const cut = (bytes: Uint8Array, share: number): Uint8Array => bytes.subarray(0, Math.floor(bytes.length * share))
const shares = [0.1, 0.5, 0.9, 0.99]

describe.each([
  'resources/goods/river-path.pdf',
  'resources/goods/old-town-guide.epub',
  'resources/goods/harbour-bells.wav',
  'docs/pictures/item.png',
  'faults/stranger/harbour.webm',
])('%s', (file) => {
  const bytes = readFileSync(path.join(root, file))
  const mediaType = mediaTypeOf(file) ?? expect.fail('no type')

  test('is whole, and is not where its end is missing', () => {
    expect(flawOf(bytes, mediaType)).toBeUndefined()
    for (const share of shares) expect(flawOf(cut(bytes, share), mediaType)).toBe('cutOff')
  })

  test('is none where its name lies, or where there is nothing', () => {
    const others = ['application/pdf', 'application/epub+zip', 'audio/wav', 'image/png', 'video/webm']
    for (const other of others.filter((type) => type !== mediaType)) expect(flawOf(bytes, other)).toBe('otherKind')
    expect(flawOf(bytes, 'text/plain')).toBe('otherLetters')
    expect(flawOf(new Uint8Array(), mediaType)).toBe('otherKind')
  })
})

/** As their standards lay them out, with the lengths from and below which they might be all that there is. */
const made: readonly (readonly [mediaType: string, bytes: Buffer, mayBeAll: readonly [number, number]])[] = [
  // A thumbnail among its segments ends as the picture does.
  ['image/jpeg', latin1('\xff\xd8\xff\xe1\0\x0aEx\xff\xd8\xff\xd9..\xff\xda\0\x02data\xff\x00data\xff\xd9'), [0, 0]],
  ['image/webp', latin1('RIFF\x10\0\0\0WEBPVP8 12345678'), [0, 0]],
  // Before its header there is nothing that tells how long it is.
  ['audio/mpeg', latin1('ID3\x04\0\0\0\0\0\x02..\xff\xfb\x90\0Xing\0\0\0\x03\0\0\0\x01\0\0\0\x18data'), [13, 32]],
  // A page may be the last.
  ['audio/ogg', latin1(`OggS${'\0'.repeat(22)}\x02\x03\x04abcdefgOggS${'\0'.repeat(22)}\x01\x0512345`), [36, 40]],
  ['video/mp4', latin1('\0\0\0\x0cftypisom\0\0\0\x0cmdatfilm\0\0\0\x0cmoovtold'), [0, 0]],
  // Of 64 bits; and one to the end, wherever that is.
  ['video/mp4', latin1('\0\0\0\x0cftypisom\0\0\0\x01moov\0\0\0\0\0\0\0\x14told\0\0\0\x00mdatfilm'), [32, 44]],
]

describe.each(made.map((each) => ({ each })))('$each.0', ({ each: [mediaType, bytes, [from, until]] }) => {
  test('is whole, and is not where its end is missing', () => {
    expect(flawOf(bytes, mediaType)).toBeUndefined()
    for (let length = 12; length < bytes.length; length += 1) {
      const flaw = length >= from && length < until ? undefined : 'cutOff'
      expect([length, flawOf(bytes.subarray(0, length), mediaType)]).toEqual([length, flaw])
    }
  })
})

test('a recording that never knew its length is taken as it is', () => {
  for (const length of ['\xff\xff\xff\xff', '\x24\xf0\xff\x7f'])
    expect(flawOf(latin1(`RIFF${length}WAVEfmt `), 'audio/wav')).toBeUndefined()
  expect(
    flawOf(latin1('\x1a\x45\xdf\xa3\x81h\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff film'), 'video/webm'),
  ).toBeUndefined()
})

test('a text in another encoding is told from other files', () => {
  for (const [bytes, flaw] of [
    [Buffer.from('\ufeffStraße'), undefined],
    [latin1('Stra\xdfe'), 'otherLetters'],
    [Buffer.from('\ufeffStraße', 'utf16le'), 'otherLetters'],
  ] as const)
    expect(flawOf(bytes, 'text/plain')).toBe(flaw)
})

test('what nobody looks into has no flaw', () => {
  expect(flawOf(latin1('anything'), 'application/zip')).toBeUndefined()
})
