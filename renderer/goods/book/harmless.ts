/**
 * Takes out of a chapter what a book on a kiosk has no use for: scripts, frames, forms, and whatever names another place to
 * load from. The policy of the reader's host forbids all of it anyway; this is the second lock.
 */

const unwanted = 'script, iframe, frame, object, embed, applet, form, base, meta[http-equiv], portal, fencedframe'
const documents = ['application/xhtml+xml', 'text/html', 'image/svg+xml'] as const

/** @returns the type to show it as: a document under another name would come past what follows, so it is text */
export function harmlessType(mediaType: string): string {
  const known: readonly string[] = documents
  return known.includes(mediaType) || !/html|xml|xsl|svg/i.test(mediaType) ? mediaType : 'text/plain'
}

/** @returns the chapter without them; what is no document comes back as it is */
export function harmless(text: string, mediaType: string): string {
  const type = documents.find((known) => known === mediaType)
  if (type === undefined) return text
  const chapter = new DOMParser().parseFromString(text, type)
  for (const element of chapter.querySelectorAll(unwanted)) element.remove()
  // A transformation (XSLT) would make another document of it.
  for (const node of [...chapter.childNodes])
    if (node instanceof ProcessingInstruction && !/\stype\s*=\s*["']text\/css["']/.test(` ${node.data}`)) node.remove()
  for (const link of chapter.querySelectorAll('link'))
    if (link.getAttribute('rel')?.toLowerCase() !== 'stylesheet') link.remove()
  for (const element of chapter.querySelectorAll('*'))
    for (const { name } of [...element.attributes])
      if (/^on/i.test(name) || name === 'ping' || name === 'srcset' || name === 'autofocus')
        element.removeAttribute(name)
  return new XMLSerializer().serializeToString(chapter)
}
