/** The parts of foliate-js that the reader uses; the package has no types of its own. */
declare module 'foliate-js/epub.js' {
  export interface TocEntry {
    readonly label?: string
    readonly href?: string
    readonly subitems?: readonly TocEntry[] | null
  }
  export interface Target {
    readonly index: number
    readonly anchor?: (document: Document) => unknown
  }
  export interface Section {
    readonly id: string
    readonly size: number
    readonly linear?: string | null
    resolveHref(href: string): string
  }
  export class EPUB {
    constructor(file: {
      loadText(name: string): string | null
      loadBlob(name: string): Blob | null
      getSize(name: string): number
      sha1(text: string): Promise<Uint8Array>
    })
    init(): Promise<this>
    readonly sections: readonly Section[]
    readonly toc?: readonly TocEntry[]
    readonly dir?: string | null
    readonly metadata: { readonly language?: string | readonly string[] }
    readonly transformTarget: EventTarget
    resolveHref(href: string): Target | null
    isExternal(href: string): boolean
    destroy(): void
  }
}

declare module 'foliate-js/paginator.js' {
  import type { EPUB, Target } from 'foliate-js/epub.js'
  /** Dispatches `load` ({ doc }) and `relocate` ({ index, fraction }). */
  export class Paginator extends HTMLElement {
    open(book: EPUB): void
    goTo(target: Target | { readonly index: number; readonly anchor: number }): Promise<void>
    next(): Promise<void>
    prev(): Promise<void>
    /** Before and after the book's own. */
    setStyles(css: readonly [string, string]): void
    destroy(): void
    /** Lays the present chapter out anew; also called by the paginator itself, when its size changes. */
    render(): void
    getContents(): readonly { readonly doc: Document | null }[]
    readonly atStart: boolean
    readonly atEnd: boolean
  }
}
