/** What a file of goods is, by its name's extension; and the extension of what is handed out. */

const mediaTypes = {
  pdf: 'application/pdf',
  epub: 'application/epub+zip',
  md: 'text/markdown',
  txt: 'text/plain',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  ogg: 'audio/ogg',
  mp4: 'video/mp4',
  webm: 'video/webm',
} as const

export const knownExtensions: readonly string[] = Object.keys(mediaTypes)

/** @param fileName with or without folders @returns undefined: its extension says nothing */
export const mediaTypeOf = (fileName: string): string | undefined => {
  const extension = /\.([^./\\]+)$/.exec(fileName)?.[1]?.toLowerCase() ?? ''
  return Object.entries(mediaTypes).find(([known]) => known === extension)?.[1]
}

/** @returns such as "city-map.pdf" */
export const fileNameOf = (item: { readonly id: string; readonly mediaType: string }): string => {
  const extension = Object.entries(mediaTypes).find(([, mediaType]) => mediaType === item.mediaType)?.[0]
  return extension === undefined ? item.id : `${item.id}.${extension}`
}

/** Media: what is looked at or heard; everything else is a document. */
export const isMedia = (mediaType: string): boolean => /^(image|audio|video)\//.test(mediaType)
