import { setImmediate as nextTurn } from 'node:timers/promises'
import { strFromU8, strToU8, unzipSync, type Zippable, zipSync } from 'fflate'
import { PDFDocument, PDFName, StandardFonts } from 'pdf-lib'
import { describe, expect, test } from 'vitest'
import { previewApart } from './preview-apart.ts'
import { type Preview, previewOf as previewOrWhy } from './previews.ts'

/** Of what cannot be read there is none either. */
const previewOf = async (...of: Parameters<typeof previewOrWhy>): Promise<Preview | undefined> => {
  const made = await previewOrWhy(...of)
  return made === 'unreadable' ? undefined : made
}

const bytes = (text: string) => new TextEncoder().encode(text)
const latin1 = (of: Uint8Array | undefined) => Buffer.from(of ?? []).toString('latin1')

/** Pages that each say their number, uncompressed; page 1 points at the last one. */
const pdf = async (count: number): Promise<Uint8Array> => {
  const document = await PDFDocument.create()
  const font = await document.embedFont(StandardFonts.Helvetica)
  const pages = Array.from({ length: count }, (_, index) => {
    const page = document.addPage([300, 400])
    page.drawText(`page ${index + 1}`, { font })
    return page
  })
  const last = pages.at(-1)
  const link = document.context.obj({
    Type: 'Annot',
    Subtype: 'Link',
    Rect: [0, 0, 100, 100],
    Dest: [last?.ref ?? null, PDFName.of('Fit')],
  })
  pages[0]?.node.set(PDFName.of('Annots'), document.context.obj([document.context.register(link)]))
  return document.save({ useObjectStreams: false })
}

const chapter = (name: string, letters: number, head = '') =>
  strToU8(
    `<html xmlns="http://www.w3.org/1999/xhtml"><head>${head}</head><body><p>${name} ${'word '.repeat(letters / 5)}</p></body></html>`,
  )

const epub = (changes: Zippable = {}): Uint8Array => {
  const names = ['one', 'two', 'three', 'four', 'five', 'six']
  return zipSync({
    mimetype: [strToU8('application/epub+zip'), { level: 0 }],
    'META-INF/container.xml': strToU8(
      '<container><rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
    ),
    'OEBPS/book.opf': strToU8(
      `<package xmlns:dc="x"><metadata><dc:title>A &amp; B</dc:title><dc:language>en</dc:language></metadata><manifest>
      <item id="css" href="a%20b.css" media-type="text/css"/><item id="pic" href="pic.png" media-type="image/png"/>
      <item id="other" href="other.png" media-type="image/png"/>
      ${names.map((name) => `<item href="${name}.xhtml" id="${name}" media-type="application/xhtml+xml"/>`).join('')}
      </manifest><spine>${names.map((name) => `<itemref idref="${name}"/>`).join('')}</spine></package>`,
    ),
    'OEBPS/a b.css': strToU8('body { background: url("pic.png") }'),
    'OEBPS/pic.png': strToU8('picture'),
    'OEBPS/other.png': strToU8('of chapter six'),
    ...Object.fromEntries(
      names.map((name) => [
        `OEBPS/${name}.xhtml`,
        chapter(name, 2000, '<link rel="stylesheet" href="a%20b.css"/><a href="six.xhtml">end</a>'),
      ]),
    ),
    ...changes,
  })
}

/** MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes and 26 ms a frame. */
const mp3 = (frames: number): Uint8Array => {
  const frame = (index: number) => {
    const made = Buffer.alloc(417, index % 200)
    made.set([0xff, 0xfb, 0x90, 0x00])
    return made
  }
  const info = frame(0)
  info.write('Info', 36, 'latin1')
  const tag = Buffer.concat([Buffer.from('ID3\x04\x00\x00\x00\x00\x00\x05', 'latin1'), Buffer.from('title')])
  return Buffer.concat([tag, info, ...Array.from({ length: frames }, (_, index) => frame(index))])
}

const wav = (seconds: number): Uint8Array => {
  const made = Buffer.alloc(44 + seconds * 8000, 1)
  made.write('RIFF', 0)
  made.writeUInt32LE(made.length - 8, 4)
  made.write('WAVEfmt ', 8)
  made.writeUInt32LE(16, 16)
  made.writeUInt16LE(1, 20)
  made.writeUInt16LE(1, 22)
  made.writeUInt32LE(8000, 24)
  made.writeUInt32LE(8000, 28)
  made.writeUInt16LE(1, 32)
  made.writeUInt16LE(8, 34)
  made.write('data', 36)
  made.writeUInt32LE(seconds * 8000, 40)
  return made
}

describe('a PDF', () => {
  test.each([
    [3, 1],
    [8, 2],
    [30, 3],
  ])('of %i pages shows the first %i', async (all, some) => {
    const preview = await previewOf(await pdf(all), 'application/pdf')
    expect((await PDFDocument.load(preview?.bytes ?? new Uint8Array())).getPageCount()).toBe(some)
  })

  test('of two pages shows none: half of it is not a third', async () => {
    expect(await previewOf(await pdf(2), 'application/pdf')).toBeUndefined()
  })

  test('does not take along the page that a link leads to', async () => {
    const whole = await pdf(9)
    const preview = await previewOf(whole, 'application/pdf')
    const part = await PDFDocument.load(preview?.bytes ?? new Uint8Array())
    const pages = part.context
      .enumerateIndirectObjects()
      .filter(([, object]) => /\/Type \/Page\b(?!s)/.test(object.toString()))
    expect(pages).toHaveLength(3)
  })

  test('does not take along pictures of other pages, though all pages share one list of them', async () => {
    const document = await PDFDocument.create()
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    )
    const shared = document.context.obj({ XObject: document.context.obj({}) })
    for (let index = 0; index < 6; index += 1) {
      const page = document.addPage()
      page.drawImage(await document.embedPng(png))
      const own = page.node.Resources()?.lookup(PDFName.of('XObject'))
      for (const [name, value] of (own as ReturnType<typeof document.context.obj> & Map<PDFName, never>).entries())
        (shared.lookup(PDFName.of('XObject')) as never as Map<PDFName, never>).set(name, value)
      page.node.set(PDFName.of('Resources'), shared)
    }
    const preview = await previewOf(await document.save(), 'application/pdf')
    const part = await PDFDocument.load(preview?.bytes ?? new Uint8Array())
    const images = part.context
      .enumerateIndirectObjects()
      .filter(([, object]) => /\/Subtype \/Image/.test(object.toString()))
    const pages = part.getPageCount()
    expect(pages).toBe(2)
    // Each picture has its transparency beside it.
    expect(images.length).toBeLessThanOrEqual(2 * pages)
    expect(images.length).toBeGreaterThan(0)
  })
})

describe('an EPUB', () => {
  test('shows its first chapter with what that needs, and no word of the others', async () => {
    const preview = await previewOf(epub(), 'application/epub+zip')
    const files = unzipSync(preview?.bytes ?? new Uint8Array())
    expect(Object.keys(files).sort()).toEqual([
      'META-INF/container.xml',
      'OEBPS/a b.css',
      'OEBPS/one.xhtml',
      'OEBPS/pic.png',
      'mimetype',
      'preview-nav.xhtml',
      'preview.opf',
    ])
    const book = strFromU8(files['preview.opf'] ?? new Uint8Array())
    expect(book).toContain('<dc:title>A &amp; B</dc:title>')
    expect(book).toContain('href="OEBPS/a%20b.css"')
    expect(book.match(/<itemref /g)).toHaveLength(1)
    // The container says first, unpacked, what it is.
    expect(latin1(preview?.bytes.subarray(30, 58))).toBe('mimetypeapplication/epub+zip')
  })

  test('goes on after a title page until there is something to read', async () => {
    const preview = await previewOf(epub({ 'OEBPS/one.xhtml': chapter('title', 20) }), 'application/epub+zip')
    expect(Object.keys(unzipSync(preview?.bytes ?? new Uint8Array()))).toContain('OEBPS/two.xhtml')
  })

  test.each([
    ['is locked', epub({ 'META-INF/encryption.xml': strToU8('<encryption/>') })],
    ['is one chapter in fact', epub({ 'OEBPS/one.xhtml': chapter('all', 60_000) })],
    ['is damaged', epub().slice(0, 900)],
    ['is none', bytes('PK nothing')],
  ])('that %s shows nothing', async (_, content) => {
    expect(await previewOf(content, 'application/epub+zip')).toBeUndefined()
  })

  test.each([
    ['opens no chapter', epub({ 'OEBPS/book.opf': strToU8('<package/>') }), 'unreadable'],
    [
      'is locked',
      epub({ 'META-INF/encryption.xml': strToU8('<enc:EncryptionMethod Algorithm="http://x/aes128-cbc"/>') }),
      'unreadable',
    ],
    [
      'has mangled fonts',
      epub({
        'META-INF/encryption.xml': strToU8('<EncryptionMethod Algorithm="http://www.idpf.org/2008/embedding"/>'),
      }),
      undefined,
    ],
  ])('that %s is told from others', async (_, content, made) => {
    expect(await previewOrWhy(content, 'application/epub+zip')).toBe(made)
  })

  test('that keeps its reader busy for hours shows nothing, and the issuer goes on meanwhile', async () => {
    const mediaType = 'application/epub+zip'
    expect(await previewApart({ content: epub(), mediaType })).toEqual({ preview: await previewOf(epub(), mediaType) })
    const content = epub({ 'OEBPS/one.xhtml': strToU8('<'.repeat(2_000_000)) })
    let turns = 0
    const turning = setInterval(() => {
      turns += 1
    }, 10)
    expect(await previewApart({ content, mediaType }, 300)).toEqual({
      problem: 'No preview was made: its reader was still busy after 0.3 seconds.',
    })
    clearInterval(turning)
    expect(turns).toBeGreaterThan(5)
  })

  test('is read after those that came before it, and not at all where too many wait', async () => {
    const mediaType = 'application/epub+zip'
    const busy = { content: epub({ 'OEBPS/one.xhtml': strToU8('<'.repeat(2_000_000)) }), mediaType }
    const ended: number[] = []
    const all = Array.from({ length: 8 }, (_, place) =>
      previewApart(place === 0 ? busy : { content: epub(), mediaType }, 200).finally(() => ended.push(place)),
    )
    expect((await previewApart({ content: epub(), mediaType })).problem).toContain('8 others are being made')
    await Promise.all(all)
    expect(ended).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect((await previewApart({ content: epub(), mediaType })).preview).toBeDefined()
  })
})

test('large goods of any kind are looked through beside the issuer, however small the parts that they say to have', async () => {
  const content = new Uint8Array(Buffer.alloc(27 * 160_000, `OggS${'\0'.repeat(23)}`, 'latin1'))
  let turns = 0
  let made: unknown
  void previewApart({ content, mediaType: 'audio/ogg' }).then((preview) => {
    made = preview
  })
  while (made === undefined) {
    await nextTurn()
    turns += 1
  }
  // Looked through here, it would be done within one or two.
  expect(turns).toBeGreaterThan(50)
  expect(made).toEqual({})
})

describe('text', () => {
  test('of Windows shows the same as any other', async () => {
    const text = `${'A line.\n'.repeat(20)}\n`.repeat(40)
    const shown = latin1((await previewOf(bytes(text.replaceAll('\n', '\r\n')), 'text/plain'))?.bytes)
    expect(shown).toBe(latin1((await previewOf(bytes(text), 'text/plain'))?.bytes))
    expect(shown.length).toBeGreaterThan(1000)
  })

  test('shows whole paragraphs of its first third', async () => {
    const text = Array.from({ length: 30 }, (_, index) => `Paragraph ${index + 1} ${'word '.repeat(20)}`).join('\n\n')
    const shown = latin1((await previewOf(bytes(text), 'text/markdown'))?.bytes)
    expect(text.startsWith(shown.trimEnd())).toBe(true)
    expect(shown.length).toBeLessThanOrEqual(text.length / 3)
    expect(shown.endsWith('word \n')).toBe(true)
  })

  test('that is one paragraph, or none, shows nothing', async () => {
    expect(await previewOf(bytes('word '.repeat(1000)), 'text/plain')).toBeUndefined()
    expect(await previewOf(Uint8Array.of(0xff, 0xfe, 0), 'text/plain')).toBeUndefined()
  })
})

describe('sound', () => {
  test('of two minutes in MP3 shows twenty seconds of whole frames, and not how long it is', async () => {
    const preview = await previewOf(mp3(4595), 'audio/mpeg')
    expect(preview?.bytes.length).toBe(765 * 417)
    expect(latin1(preview?.bytes)).not.toContain('Info')
    expect(latin1(preview?.bytes)).not.toContain('title')
  })

  test('of six seconds shows a third', async () => {
    expect((await previewOf(mp3(230), 'audio/mpeg'))?.bytes.length).toBe(76 * 417)
    expect((await previewOf(wav(6), 'audio/wav'))?.bytes.length).toBe(44 + 16_000)
  })

  test('is found behind the zeros that fill a tag up', async () => {
    const whole = mp3(230)
    const filled = Buffer.concat([whole.subarray(0, 15), Buffer.alloc(3000), whole.subarray(15)])
    expect(await previewOf(filled, 'audio/mpeg')).toEqual(await previewOf(whole, 'audio/mpeg'))
  })

  test('in WAV says how long the part is', async () => {
    const preview = Buffer.from((await previewOf(wav(100), 'audio/wav'))?.bytes ?? [])
    expect(preview.length).toBe(44 + 160_000)
    expect(preview.readUInt32LE(4)).toBe(preview.length - 8)
    expect(preview.readUInt32LE(40)).toBe(160_000)
  })

  test('that is none is unreadable', async () => {
    for (const mediaType of ['audio/mpeg', 'audio/wav'])
      expect(await previewOrWhy(bytes('ID3 not sound at all'), mediaType)).toBe('unreadable')
  })
})

test('of pictures and films no preview is made', async () => {
  expect(await previewOf(bytes('x'), 'image/png')).toBeUndefined()
  expect(await previewOrWhy(bytes('x'), 'video/mp4')).toBeUndefined()
  expect(await previewOrWhy(bytes('x'), 'application/pdf')).toBe('unreadable')
})
