/**
 * Previews: a part of what is sold, made of it without being told how. Never more than a third of it; where a part cannot be
 * cut out safely there is none, and a person may give one.
 */
import { shownLimits } from '../../protocol/bulletin.ts'
import { epubPreview } from './preview-epub.ts'
import { pdfPreview } from './preview-pdf.ts'
import { previewShare } from './preview-share.ts'
import { mp3Preview, wavPreview } from './preview-sound.ts'

export interface Preview {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

const textLettersMax = 1500

/** Whole paragraphs from the start. */
const textPreview = (content: Uint8Array): Uint8Array | undefined => {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(content)
  const most = Math.min(textLettersMax, Math.floor(text.length / previewShare))
  // As far as it may reach, and its last paragraph's end.
  const start = text.slice(0, 2 * (most + 2)).replaceAll('\r\n', '\n')
  const end = start.lastIndexOf('\n\n', most)
  return end <= 0 ? undefined : new TextEncoder().encode(`${start.slice(0, end)}\n`)
}

type Maker = (content: Uint8Array) => Uint8Array | undefined | Promise<Uint8Array | undefined>
const makers: Readonly<Record<string, Maker>> = {
  'application/pdf': pdfPreview,
  'application/epub+zip': epubPreview,
  'text/markdown': textPreview,
  'text/plain': textPreview,
  'audio/mpeg': mp3Preview,
  'audio/wav': wavPreview,
}

/** @returns undefined: of this kind none is made, or it is too short to show a part of; `unreadable`: it is damaged, locked, or not what its type says */
export const previewOf = async (
  content: Uint8Array,
  mediaType: string,
): Promise<Preview | 'unreadable' | undefined> => {
  const make = makers[mediaType]
  if (make === undefined) return undefined
  try {
    const bytes = await make(content)
    return bytes === undefined || bytes.length === 0 || bytes.length > shownLimits.preview.bytesMax
      ? undefined
      : { mediaType, bytes }
  } catch {
    // Libraries throw whatever they like at a damaged file, which is sold all the same if somebody wants to.
    return 'unreadable'
  }
}
