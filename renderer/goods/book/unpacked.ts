/**
 * The files of an EPUB (a ZIP archive), unpacked one by one when they are asked for. Whoever packed it may lie: every size
 * has a limit, and a file that unpacks to more than it announced is cut off there.
 */
import { unzipSync } from 'fflate'

const filesMax = 20_000
const fileBytesMax = 64 * 1024 * 1024
/** Text is parsed into a document, which takes many times as much. */
const textBytesMax = 8 * 1024 * 1024

export interface Unpacked {
  loadText(name: string): string | null
  loadBlob(name: string): Blob | null
  getSize(name: string): number
}

/** @throws Error when it is no archive, or has more files than a book has */
export function unpacked(archive: Uint8Array): Unpacked {
  const sizes = new Map<string, number>()
  unzipSync(archive, {
    filter({ name, originalSize }) {
      if (sizes.size >= filesMax) throw new Error('an archive of too many files')
      sizes.set(name, originalSize)
      return false
    },
  })
  const bytesOf = (name: string, bytesMax: number): Uint8Array<ArrayBuffer> | null => {
    const size = sizes.get(name)
    if (size === undefined || size > bytesMax) return null
    const bytes = unzipSync(archive, { filter: (file) => file.name === name && file.originalSize === size })[name]
    return bytes === undefined ? null : new Uint8Array(bytes)
  }
  return {
    loadText(name) {
      const bytes = bytesOf(name, textBytesMax)
      return bytes === null ? null : new TextDecoder(bytes[0] === 0xff ? 'utf-16le' : 'utf-8').decode(bytes)
    },
    loadBlob(name) {
      const bytes = bytesOf(name, fileBytesMax)
      return bytes === null ? null : new Blob([bytes])
    },
    getSize: (name) => sizes.get(name) ?? 0,
  }
}
