import { strToU8, type Zippable, zipSync } from 'fflate'
import { expect, test } from 'vitest'
import { unpacked } from './unpacked.ts'

const text = (letters: number) => strToU8('a'.repeat(letters))
const archiveOf = (files: Zippable) => Buffer.from(zipSync(files))
const endOf = (archive: Buffer) => archive.length - 22
const listOf = (archive: Buffer) => archive.readUInt32LE(endOf(archive) + 16)

/** The same archive, whose list names its files so many times. */
const repeated = (archive: Buffer, times: number): Buffer => {
  const [list, end] = [listOf(archive), endOf(archive)]
  const entries = archive.subarray(list, end)
  const whole = Buffer.concat([
    archive.subarray(0, list),
    Buffer.alloc(entries.length * times, entries),
    archive.subarray(end),
  ])
  for (const at of [8, 10]) whole.writeUInt16LE(whole.readUInt16LE(endOf(whole) + at) * times, endOf(whole) + at)
  return whole
}

test('files that are packed, and such as are not, in any alphabet', async () => {
  const book = unpacked(
    archiveOf({ mimetype: [strToU8('application/epub+zip'), { level: 0 }], 'Kapitel/ä.xhtml': text(70_000) }),
  )
  expect(book.loadText('mimetype')).toBe('application/epub+zip')
  expect(book.loadText('Kapitel/ä.xhtml')).toBe('a'.repeat(70_000))
  expect(book.getSize('Kapitel/ä.xhtml')).toBe(70_000)
  expect((await book.loadBlob('mimetype')?.text()) ?? '').toBe('application/epub+zip')
  expect([book.loadText('constructor'), book.loadText('../mimetype'), book.getSize('__proto__')]).toEqual([
    null,
    null,
    0,
  ])
})

test('a comment at the end hides nothing', () => {
  const archive = archiveOf({ a: text(3) })
  archive.writeUInt16LE(5, endOf(archive) + 20)
  expect(unpacked(Buffer.concat([archive, Buffer.from('hello')])).loadText('a')).toBe('aaa')
})

test('a chapter that the list names twenty thousand times is unpacked once', () => {
  const book = unpacked(repeated(archiveOf({ a: text(50_000) }), 20_000))
  const startMs = performance.now()
  expect(book.loadText('a')?.length).toBe(50_000)
  expect(performance.now() - startMs).toBeLessThan(2_000)
})

test.each<[string, () => Buffer]>([
  ['that is none', () => Buffer.from('<html></html>'.repeat(10))],
  ['that is empty', () => Buffer.alloc(0)],
  ['of more files than a book has', () => repeated(archiveOf({ a: text(1) }), 20_001)],
  [
    'whose files share bytes, and together unpack to many gigabytes',
    () => repeated(archiveOf({ a: text(8_000_000) }), 1_000),
  ],
  [
    'that says it has four thousand million files in a hundred bytes',
    () => {
      const long = Buffer.alloc(56)
      long.writeUInt32LE(0x06064b50, 0)
      long.writeUInt32LE(0xffffffff, 32)
      const locator = Buffer.alloc(20)
      locator.writeUInt32LE(0x07064b50, 0)
      const end = Buffer.alloc(22)
      end.writeUInt32LE(0x06054b50, 0)
      for (const at of [8, 10]) end.writeUInt16LE(1, at)
      return Buffer.concat([long, locator, end])
    },
  ],
  [
    'whose list is beyond its end',
    () => {
      const archive = archiveOf({ a: text(1) })
      archive.writeUInt32LE(0xfffffff0, endOf(archive) + 16)
      return archive
    },
  ],
])('an archive %s is no book, and that is seen at once', (_name, make) => {
  expect(() => unpacked(make())).toThrow(Error)
})

test.each<[string, Zippable, (archive: Buffer, list: number) => void]>([
  [
    'that is stored, and longer than it says',
    { a: [text(9_000_000), { level: 0 }] },
    (all, at) => all.writeUInt32LE(1, at + 24),
  ],
  ['that unpacks to more than it says', { a: text(9_000_000) }, (all, at) => all.writeUInt32LE(1, at + 24)],
  ['whose bytes are beyond the end', { a: text(9) }, (all, at) => all.writeUInt32LE(0xfffffff0, at + 42)],
  ['that is longer packed than the archive', { a: text(9) }, (all, at) => all.writeUInt32LE(1_000_000, at + 20)],
  ['in a packing that nobody knows', { a: text(9) }, (all, at) => all.writeUInt16LE(99, at + 10)],
  ['that is encrypted', { a: text(9) }, (all, at) => all.writeUInt16LE(1, at + 8)],
  ['of more text than is read', { a: text(9_000_000) }, () => undefined],
])('a file %s is not there; the others are', (_name, files, lie) => {
  const archive = archiveOf({ ...files, b: text(2) })
  lie(archive, listOf(archive))
  const book = unpacked(archive)
  expect(book.loadText('a')).toBeNull()
  expect(book.loadText('b')).toBe('aa')
})
