/** What the page and the book reader in its frame say to each other. */

/** How the book is to look; lengths in CSS pixels. */
export interface BookDress {
  readonly textPx: number
  readonly ink: string
  readonly paper: string
  /** Whether the book's own colours stand: somebody who asked for contrast reads all of it in ink on paper. */
  readonly ownColours: boolean
}

export type ToReader =
  | { readonly say: 'open'; readonly bytes: ArrayBuffer; readonly dress: BookDress }
  | { readonly say: 'dress'; readonly dress: BookDress }
  | { readonly say: 'next' | 'previous' }
  /** A place of the table of contents. */
  | { readonly say: 'chapter'; readonly chapter: number }
  /** 0 to 1 of the whole book. */
  | { readonly say: 'fraction'; readonly fraction: number }

export interface Chapter {
  readonly label: string
  readonly depth: number
}

export type FromReader =
  /** The reader listens. */
  | { readonly say: 'here' }
  | { readonly say: 'opened'; readonly chapters: readonly Chapter[]; readonly rightToLeft: boolean }
  | { readonly say: 'unreadable' }
  | {
      readonly say: 'at'
      readonly fraction: number
      /** The entry of the table of contents that this place belongs to; -1: none. */
      readonly chapter: number
      readonly first: boolean
      readonly last: boolean
    }
  /** A finger or a key in the book. */
  | { readonly say: 'touched' }
