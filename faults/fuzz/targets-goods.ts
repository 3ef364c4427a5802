/** Goods as their readers meet them: books at the kiosk and at the issuer, PDFs, sounds. */
import assert from 'node:assert/strict'
import { strToU8, zipSync } from 'fflate'
import { PDFDocument, StandardFonts } from 'pdf-lib'
import { flawOf } from '../../issuer/shelf/file-flaws.ts'
import { epubPreview } from '../../issuer/shelf/preview-epub.ts'
import { pdfPreview } from '../../issuer/shelf/preview-pdf.ts'
import { mp3Preview, wavPreview } from '../../issuer/shelf/preview-sound.ts'
import { previewTypes } from '../../protocol/bulletin.ts'
import { unpacked } from '../../renderer/goods/book/unpacked.ts'
import type { Chance } from '../../simulate/chance.ts'
import { bytesOf, refusing, refusingLater, type Target } from './target.ts'

const chapter = (name: string): Uint8Array =>
  strToU8(
    `<html><head><link rel="stylesheet" href="a.css"/></head><body><p>${name} ${'word '.repeat(400)}</p></body></html>`,
  )

const names = ['one', 'two', 'three', 'four'] as const
const container = strToU8('<container><rootfiles><rootfile full-path="O/b.opf"/></rootfiles></container>')
const bookPackage = strToU8(
  `<package><metadata><dc:title>A</dc:title></metadata><manifest><item id="css" href="a.css" media-type="text/css"/>${names.map((name) => `<item id="${name}" href="${name}.xhtml" media-type="application/xhtml+xml"/>`).join('')}</manifest><spine>${names.map((name) => `<itemref idref="${name}"/>`).join('')}</spine></package>`,
)
const book = (level: 0 | 6): Uint8Array =>
  zipSync(
    {
      mimetype: [strToU8('application/epub+zip'), { level: 0 }],
      'META-INF/container.xml': container,
      'O/b.opf': bookPackage,
      'O/a.css': strToU8('p { background: url("../x.png") }'),
      ...Object.fromEntries(names.map((name) => [`O/${name}.xhtml`, chapter(name)])),
    },
    { level },
  )

const zipWords = [
  'PK\u0001\u0002',
  'PK\u0003\u0004',
  'PK\u0005\u0006',
  'PK\u0006\u0006',
  'PK\u0006\u0007',
  '../../x',
  '/x',
  '__proto__',
]

/** Above what a file and a text may have, and well below what would be felt. */
const fileBytesMax = 64 * 1024 * 1024
const textLettersMax = 8 * 1024 * 1024

const listSignature = Buffer.from('PK\u0001\u0002', 'latin1')
/** A number of the list of files, chosen where a lie matters: sizes, counts, places, ways of packing. */
const lieInList = (input: Uint8Array, chance: Chance): Uint8Array => {
  const bytes = Buffer.from(input)
  const places = [...bytes.keys()].filter((at) => bytes.subarray(at, at + 4).equals(listSignature))
  if (places.length === 0 || chance.hit(0.5)) return input
  const at = chance.pick(places) + chance.pick([8, 10, 20, 24, 28, 30, 32, 42])
  if (at + 4 > bytes.length) return input
  bytes.writeUInt32LE(
    chance.pick([0, 1, 99, 65_535, 8_388_609, 67_108_865, 0x7fffffff, 0xffffffff, chance.below(4096)]),
    at,
  )
  return new Uint8Array(bytes)
}

const unpackedBook: Target = {
  name: 'book',
  kind: 'bytes',
  inputs: 4_000,
  lengthMax: 32 * 1024,
  words: zipWords,
  open: () => ({
    seeds: [book(6), book(0), zipSync({ bomb: new Uint8Array(256 * 1024) }), zipSync({})],
    mend: lieInList,
    run(input) {
      const files = refusing(Error, () => unpacked(input))
      if (files === undefined) return
      for (const name of [
        'mimetype',
        'META-INF/container.xml',
        'O/b.opf',
        'O/one.xhtml',
        'bomb',
        '../../x',
        '__proto__',
      ]) {
        const text = files.loadText(name)
        const blob = files.loadBlob(name)
        assert((text?.length ?? 0) <= textLettersMax && (blob?.size ?? 0) <= fileBytesMax)
        assert((blob?.size ?? 0) <= files.getSize(name), `${name} is more than it says`)
      }
    },
  }),
}

/** Whoever makes a preview catches all that it throws; what counts is that it ends, in bounds. */
const bookPreview: Target = {
  name: 'book-preview',
  kind: 'bytes',
  inputs: 6_000,
  lengthMax: 32 * 1024,
  words: [...zipWords, '<item ', 'href="', '<itemref idref="one"/>', '&amp;', '<dc:title>', "='"],
  open: () => ({
    seeds: [book(6), book(0)],
    mend: lieInList,
    run(input) {
      const preview = refusing(Error, () => epubPreview(input))
      if (preview === undefined) return
      const part = unpacked(preview)
      assert.equal(part.loadText('mimetype'), 'application/epub+zip')
      assert(part.loadText('preview.opf') !== null)
    },
  }),
}

const pdfPages: Target = {
  name: 'pdf-preview',
  kind: 'bytes',
  inputs: 1_600,
  lengthMax: 24 * 1024,
  words: [
    'obj',
    'endobj',
    'stream',
    '/Kids [2 0 R]',
    '/Count 999999999',
    '/Filter /FlateDecode',
    '/Parent 3 0 R',
    '<<',
    '>>',
    'R',
    'xref',
    '/Prev 9',
  ],
  open: async () => {
    const whole = await PDFDocument.create()
    const font = await whole.embedFont(StandardFonts.Helvetica)
    for (let page = 0; page < 12; page += 1) whole.addPage([200, 200]).drawText(`page ${page}`, { font })
    return {
      seeds: [await whole.save({ useObjectStreams: false }), await whole.save()],
      async run(input) {
        const preview = await refusingLater(Error, () => pdfPreview(input))
        assert(preview === undefined || Buffer.from(preview.subarray(0, 5)).toString() === '%PDF-')
      },
    }
  },
}

const frame = Uint8Array.from({ length: 417 }, (_, at) => [0xff, 0xfb, 0x90, 0x00][at] ?? 0)
const wav = Buffer.concat([
  bytesOf('RIFF\u0024\u0010\u0000\u0000WAVEfmt \u0010\u0000\u0000\u0000\u0001\u0000\u0001\u0000'),
  Uint8Array.of(0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0),
  bytesOf('data\u0000\u0010\u0000\u0000'),
  new Uint8Array(4096),
])

const sounds: Target = {
  name: 'sound-preview',
  kind: 'bytes',
  inputs: 12_000,
  lengthMax: 32 * 1024,
  words: ['ID3', 'Xing', 'Info', 'RIFF', 'WAVE', 'fmt ', 'data', 'LIST'],
  open: () => ({
    seeds: [
      Buffer.concat([bytesOf('ID3\u0004\u0000\u0000\u0000\u0000\u0000\u0000'), ...Array(40).fill(frame)]),
      wav,
    ].map((bytes) => new Uint8Array(bytes)),
    run(input) {
      for (const preview of [mp3Preview, wavPreview]) {
        const part = refusing(Error, () => preview(input))
        assert(part === undefined || (part.length > 0 && part.length <= input.length), 'a part is more than the whole')
      }
    },
  }),
}

const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))
/** The smallest whole file of each kind that tells where it ends by lengths of its own. */
const wholeFiles = [
  ['audio/ogg', latin1(`${'OggS\u0000\u0002'.padEnd(26, '\u0000')}\u0001\u0005sound`)],
  ['video/mp4', latin1('\u0000\u0000\u0000\u000cftypisom\u0000\u0000\u0000\u0008moov')],
  ['video/webm', latin1('\u001aE\u00df\u00a3\u0081x\u0018S\u0080g\u0083abc')],
  ['image/png', latin1('\u0089PNG\r\n\u001a\n\u0000\u0000\u0000\u0000IEND\u00aeB`\u0082')],
  ['image/jpeg', latin1('\u00ff\u00d8\u00ff\u00e0\u0000\u0004ab\u00ff\u00da\u0000\u0002picture\u00ff\u00d9')],
  ['audio/wav', wav],
  ['audio/mpeg', frame],
] as const

/** Nobody catches what is thrown on the way through a file by its own lengths. */
const fileFlaws: Target = {
  name: 'file-flaws',
  kind: 'bytes',
  inputs: 12_000,
  lengthMax: 8 * 1024,
  words: ['OggS', 'ftyp', 'moov', 'mdat', 'IEND', 'Xing', 'Info', 'ID3', 'RIFF', 'WEBP'],
  open: () => ({
    seeds: wholeFiles.map(([, bytes]) => new Uint8Array(bytes)),
    run(input) {
      for (const type of previewTypes) flawOf(input, type)
    },
    check() {
      for (const [type, bytes] of wholeFiles) assert.equal(flawOf(bytes, type), undefined, `a whole ${type}`)
    },
  }),
}

export const goodsTargets: readonly Target[] = [unpackedBook, bookPreview, pdfPages, sounds, fileFlaws]
