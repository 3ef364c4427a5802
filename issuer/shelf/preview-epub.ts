/**
 * The first chapters of an EPUB as a smaller EPUB (EPUB 3.3, Open Container Format and Package Document): the documents that
 * come first in reading order, what they show, and a package that names nothing else.
 */
import { posix } from 'node:path'
import { strFromU8, strToU8, unzipSync, type Zippable, zipSync } from 'fflate'
import { previewShare } from './preview-share.ts'

/** A title page alone is no preview: documents are added until there is this much to read, or a third is reached. */
const lettersWanted = 1200
const filesMax = 10_000
/** What readers undo by themselves (EPUB 3.3, Resource obfuscation, and Adobe's); everything else in a book's encryption is a lock. */
const fontMangling = ['http://www.idpf.org/2008/embedding', 'http://ns.adobe.com/pdf/enc#RC']
const unpackedBytesMax = 256 * 1024 * 1024

const attribute = (tag: string, name: string): string | undefined => {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(tag)
  return found === null ? undefined : plain(found[1] ?? found[2] ?? '')
}
const tags = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<(?:[\\w.-]+:)?${name}\\b[^>]*>`, 'g'))].map(([tag]) => tag)
const plain = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&')
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
const letters = (xhtml: string): number =>
  xhtml
    .replace(/^[\s\S]*<body\b/i, '')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/\s+/g, ' ').length

/** What a document or a style sheet shows: addresses inside the book. */
const shownBy = (text: string): string[] =>
  [
    ...text.matchAll(/\b(?:src|href|xlink:href|poster)\s*=\s*["']([^"'#]+)/g),
    ...text.matchAll(/url\(\s*["']?([^"')#]+)/g),
    ...text.matchAll(/@import\s+["']([^"']+)/g),
  ].map(([, address]) => plain(address ?? ''))

type Files = Readonly<Record<string, Uint8Array>>

/** @throws Error when it would unfold to more than a book has */
const unpacked = (content: Uint8Array): Files => {
  let files = 0
  let bytes = 0
  return unzipSync(content, {
    filter: ({ originalSize }) => {
      files += 1
      bytes += originalSize
      if (files > filesMax || bytes > unpackedBytesMax) throw new Error('too large')
      return true
    },
  })
}

interface Resource {
  readonly id: string
  readonly path: string
  readonly mediaType: string
}

const inside = (from: string, address: string): string => {
  let decoded = address
  try {
    decoded = decodeURIComponent(address)
  } catch {
    // As it stands.
  }
  return posix.normalize(posix.join(posix.dirname(from), decoded))
}

/** Style sheets, pictures and fonts of the kept documents; never another document. */
const neededBy = (
  documents: readonly Resource[],
  files: Files,
  byPath: ReadonlyMap<string, Resource>,
): Set<Resource> => {
  const kept = new Set(documents)
  for (const { path } of kept) {
    const file = files[path]
    if (file === undefined || !/\.(x?html?|css|svg)$/i.test(path)) continue
    for (const address of shownBy(strFromU8(file))) {
      const resource = byPath.get(inside(path, address))
      if (
        resource !== undefined &&
        /^(image|font)\/|css$|^application\/(vnd\.ms-opentype|font-|x-font)/.test(resource.mediaType)
      )
        kept.add(resource)
    }
  }
  return kept
}

/** @returns undefined when it has too few documents to show some. @throws when it is no EPUB that can be read */
export const epubPreview = (content: Uint8Array): Uint8Array | undefined => {
  const files = unpacked(content)
  const text = (path: string): string => strFromU8(files[path] ?? new Uint8Array(0))
  const encrypted = tags(text('META-INF/encryption.xml'), 'EncryptionMethod')
  if (encrypted.some((tag) => !fontMangling.includes(attribute(tag, 'Algorithm') ?? '')))
    throw new Error('it is locked: no kiosk can open it')
  if (files['META-INF/encryption.xml'] !== undefined) return undefined
  const packagePath = attribute(tags(text('META-INF/container.xml'), 'rootfile')[0] ?? '', 'full-path') ?? ''
  const book = text(packagePath)
  const resources = tags(book, 'item').flatMap((tag): Resource[] => {
    const [id, href, mediaType] = [attribute(tag, 'id'), attribute(tag, 'href'), attribute(tag, 'media-type')]
    return id === undefined || href === undefined || mediaType === undefined
      ? []
      : [{ id, path: inside(packagePath, href), mediaType }]
  })
  const byId = new Map(resources.map((resource) => [resource.id, resource]))
  const byPath = new Map(resources.map((resource) => [resource.path, resource]))
  const spine = tags(book, 'itemref').flatMap((tag) => {
    const resource = byId.get(attribute(tag, 'idref') ?? '')
    return resource !== undefined && files[resource.path] !== undefined ? [resource] : []
  })
  if (spine.length === 0) throw new Error('it names no chapter that is in it')
  const lengths = spine.map(({ path }) => letters(text(path)))
  const all = lengths.reduce((sum, length) => sum + length, 0)
  let read = 0
  let count = 0
  for (const length of lengths) {
    if (read >= lettersWanted || (read + length) * previewShare > all || (count + 1) * previewShare > spine.length)
      break
    read += length
    count += 1
  }
  if (read === 0) return undefined
  const documents = spine.slice(0, count)
  const kept = neededBy(documents, files, byPath)
  const title = /<dc:title\b[^>]*>([\s\S]*?)<\/dc:title>/.exec(book)?.[1] ?? ''
  const language = /<dc:language\b[^>]*>([\s\S]*?)<\/dc:language>/.exec(book)?.[1]?.trim() ?? 'und'
  const href = (path: string) => escaped(path.split('/').map(encodeURIComponent).join('/'))
  const named = [...kept].map((resource, index) => ({ ...resource, id: `r${index}` }))
  const nav = `<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title>${title}</title></head><body><nav epub:type="toc"><ol>${documents
    .map(({ path }, index) => `<li><a href="${href(path)}">${index + 1}</a></li>`)
    .join('')}</ol></nav></body></html>`
  const opf = `<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">preview</dc:identifier><dc:title>${title}</dc:title><dc:language>${escaped(language)}</dc:language><meta property="dcterms:modified">2000-01-01T00:00:00Z</meta></metadata><manifest><item id="nav" href="preview-nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>${named
    .map(({ id, path, mediaType }) => `<item id="${id}" href="${href(path)}" media-type="${escaped(mediaType)}"/>`)
    .join('')}</manifest><spine>${named
    .slice(0, documents.length)
    .map(({ id }) => `<itemref idref="${id}"/>`)
    .join('')}</spine></package>`
  const container = `<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="preview.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`
  const mtime = new Date('2000-01-01T00:00:00Z')
  const part: Zippable = {
    mimetype: [strToU8('application/epub+zip'), { level: 0, mtime }],
    'META-INF/container.xml': [strToU8(container), { mtime }],
    'preview.opf': [strToU8(opf), { mtime }],
    'preview-nav.xhtml': [strToU8(nav), { mtime }],
  }
  for (const { path } of kept) {
    const file = files[path]
    if (file !== undefined) part[path] = [file, { mtime }]
  }
  return zipSync(part)
}
