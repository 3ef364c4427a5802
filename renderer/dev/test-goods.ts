/** For tests: goods as long and as large as they come, made on the spot. */

import { strToU8, type Zippable, zipSync } from 'fflate'
import PdfDocument from 'pdfkit'

export interface BookWish {
  readonly chapters: number
  /** Of each chapter. */
  readonly paragraphs?: number
  readonly language?: string
  readonly paragraph?: string
  /** Stands at the end of each chapter's body. */
  readonly more?: string
  /** Beside the chapters, by name. */
  readonly files?: Readonly<Record<string, { readonly bytes: Uint8Array; readonly mediaType: string }>>
}

const sentence = 'The keeper lit the lamp, wrote the hour into the book, and looked out over the water. '

/** An EPUB 3 with a table of contents, links from each chapter to the next, and a style sheet. */
export function bookOf({
  chapters,
  paragraphs = 12,
  language = 'en',
  paragraph = sentence.repeat(5),
  more = '',
  files = {},
}: BookWish): Uint8Array {
  const names = Array.from({ length: chapters }, (_, chapter) => `chapter-${chapter + 1}.xhtml`)
  const page = (title: string, body: string) =>
    `<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" xml:lang="${language}"><head><title>${title}</title><link rel="stylesheet" href="book.css"/></head><body>${body}</body></html>`
  const others = Object.entries(files)
  const manifest = [
    '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
    '<item id="css" href="book.css" media-type="text/css"/>',
    ...names.map((name, at) => `<item id="c${at}" href="${name}" media-type="application/xhtml+xml"/>`),
    ...others.map(([name, { mediaType }], at) => `<item id="f${at}" href="${name}" media-type="${mediaType}"/>`),
  ]
  const archive: Zippable = {
    mimetype: [strToU8('application/epub+zip'), { level: 0 }],
    'META-INF/container.xml': strToU8(
      '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
    ),
    'OPS/book.opf': strToU8(
      `<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">test-book</dc:identifier><dc:title>The lighthouse keeper’s year</dc:title><dc:language>${language}</dc:language></metadata><manifest>${manifest.join('')}</manifest><spine>${names.map((_, at) => `<itemref idref="c${at}"/>`).join('')}</spine></package>`,
    ),
    'OPS/nav.xhtml': strToU8(
      page(
        'Contents',
        `<nav epub:type="toc"><ol>${names.map((name, at) => `<li><a href="${name}">Chapter ${at + 1}</a></li>`).join('')}</ol></nav>`,
      ),
    ),
    'OPS/book.css': strToU8('h1 { color: rgb(1, 2, 3); text-align: center; }'),
  }
  for (const [at, name] of names.entries()) {
    const next = names[at + 1] ?? names[0]
    archive[`OPS/${name}`] = strToU8(
      page(
        `Chapter ${at + 1}`,
        `<h1>Chapter ${at + 1}</h1>${`<p>${paragraph}</p>`.repeat(paragraphs)}<p><a id="on" href="${next}">On</a></p>${more}`,
      ),
    )
  }
  for (const [name, { bytes }] of others) archive[`OPS/${name}`] = [bytes, { level: 0 }]
  return zipSync(archive, { level: 1 })
}

/** Pages of A4 with a headline and text. */
export async function pdfOfPages(pages: number): Promise<Uint8Array> {
  const document = new PdfDocument({ autoFirstPage: false, size: 'A4' })
  const chunks: Buffer[] = []
  document.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise((resolve) => document.on('end', resolve))
  for (let page = 1; page <= pages; page += 1) {
    document.addPage().fontSize(40).text(`Page ${page}`).fontSize(14).text(sentence.repeat(12))
  }
  document.end()
  await ended
  return new Uint8Array(Buffer.concat(chunks))
}

const wavRate = 8_000

/** So much of a quiet tone, as a WAV file of one byte a sample. */
export function wavOf(seconds: number): Uint8Array {
  const length = seconds * wavRate
  const bytes = Buffer.alloc(44 + length)
  bytes.write('RIFF', 0)
  bytes.writeUInt32LE(36 + length, 4)
  bytes.write('WAVEfmt ', 8)
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(wavRate, 24)
  bytes.writeUInt32LE(wavRate, 28)
  bytes.writeUInt16LE(1, 32)
  bytes.writeUInt16LE(8, 34)
  bytes.write('data', 36)
  bytes.writeUInt32LE(length, 40)
  bytes.fill(Buffer.from([128, 134, 136, 134, 128, 122, 120, 122]), 44)
  return bytes
}

/** A picture of this size, one plain colour, as a file of a few bytes a line. */
export function bitmapOf(width: number, height: number): Uint8Array {
  const row = Math.ceil(width / 32) * 4
  const bytes = Buffer.alloc(62 + row * height)
  bytes.write('BM', 0)
  bytes.writeUInt32LE(bytes.length, 2)
  bytes.writeUInt32LE(62, 10)
  bytes.writeUInt32LE(40, 14)
  bytes.writeInt32LE(width, 18)
  bytes.writeInt32LE(height, 22)
  bytes.writeUInt16LE(1, 26)
  bytes.writeUInt16LE(1, 28)
  bytes.writeUInt32LE(row * height, 34)
  bytes.writeUInt32LE(0x00aa7733, 54)
  bytes.writeUInt32LE(0x00ffffff, 58)
  return bytes
}
