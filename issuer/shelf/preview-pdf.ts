/** The first pages of a PDF, and nothing else of it: what a page refers to would come along unseen. */
import { decodePDFRawStream, PDFArray, PDFDict, PDFDocument, PDFName, type PDFPage, PDFRawStream } from 'pdf-lib'
import { previewShare } from './preview-share.ts'

const pagesMax = 3

/** What may lead from a page to other pages, or to files beside them. */
const loose = ['Annots', 'B', 'AA', 'Metadata', 'PieceInfo', 'StructParents', 'Thumb', 'PresSteps', 'DPart', 'AF']

/** The operators of a page, as text; undefined: they cannot be read, and so nobody knows what the page uses. */
const operatorsOf = (page: PDFPage): string | undefined => {
  const contents = page.node.Contents()
  const streams =
    contents instanceof PDFArray ? contents.asArray().map((each) => page.doc.context.lookup(each)) : [contents]
  let text = ''
  for (const stream of streams) {
    if (stream === undefined) continue
    if (!(stream instanceof PDFRawStream)) return undefined
    text += `${Buffer.from(decodePDFRawStream(stream).decode()).toString('latin1')}\n`
  }
  return text
}

/** Many writers give all pages one list of pictures: of it, a page takes along what it draws. */
const keepOwnPictures = (page: PDFPage): boolean => {
  const resources = page.node.Resources()
  const all = resources?.lookupMaybe(PDFName.of('XObject'), PDFDict)
  if (resources === undefined || all === undefined) return true
  const operators = operatorsOf(page)
  if (operators === undefined) return false
  const drawn = new Set([...operators.matchAll(/\/([^\s/<>[\]()]+)\s+Do\b/g)].map(([, name]) => `/${name}`))
  const own = page.doc.context.obj({})
  for (const [name, value] of all.entries()) if (drawn.has(name.asString())) own.set(name, value)
  const pruned = resources.clone()
  pruned.set(PDFName.of('XObject'), own)
  page.node.set(PDFName.of('Resources'), pruned)
  return true
}

/** @returns undefined when it has too few pages to show some. @throws what pdf-lib throws at a damaged or locked file */
export const pdfPreview = async (content: Uint8Array): Promise<Uint8Array | undefined> => {
  // Else it writes a line to the issuer's log for every object that is damaged, and there may be millions.
  const whole = await PDFDocument.load(content, { updateMetadata: false, throwOnInvalidObject: true })
  const count = Math.min(pagesMax, Math.floor(whole.getPageCount() / previewShare))
  if (count === 0) return undefined
  for (const page of whole.getPages().slice(0, count)) {
    for (const name of loose) page.node.delete(PDFName.of(name))
    if (!keepOwnPictures(page)) return undefined
  }
  const part = await PDFDocument.create({ updateMetadata: false })
  const pages = await part.copyPages(
    whole,
    Array.from({ length: count }, (_, index) => index),
  )
  for (const page of pages) part.addPage(page)
  return part.save()
}
