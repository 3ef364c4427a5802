/**
 * The book reader: foliate-js in a frame on a host of its own (main/app-scheme.ts says why). It gets the book's bytes and
 * the customer's wishes from the page, and says where it is. Nothing else goes in or out.
 */
import bookFace from '@fontsource-variable/inter/files/inter-latin-opsz-normal.woff2?url'
import { EPUB, type Section, type Target, type TocEntry } from 'foliate-js/epub.js'
import { Paginator } from 'foliate-js/paginator.js'
import { harmless, harmlessType } from './harmless.ts'
import type { BookDress, Chapter, FromReader, ToReader } from './messages.ts'
import { unpacked } from './unpacked.ts'

/** A table of contents is shown whole. */
const chaptersMax = 2_000
const depthMax = 6

// foliate-js lets chapters run scripts, for the sake of another browser's bug. The policy forbids it here; so does the frame.
HTMLIFrameElement.prototype.setAttribute = function (name: string, value: string) {
  Element.prototype.setAttribute.call(this, name, name === 'sandbox' ? 'allow-same-origin' : value)
}

/** To whoever frames this: the policy lets only the app do that. */
const tell = (message: FromReader) => window.parent.postMessage(message, '*')
const touched = () => tell({ say: 'touched' })

interface Place extends Chapter {
  readonly target: Target | null
}

function placesOf(book: EPUB): readonly Place[] {
  const places: Place[] = []
  const add = (entries: readonly TocEntry[], depth: number) => {
    for (const { label, href, subitems } of entries) {
      if (places.length >= chaptersMax) return
      const name = label?.trim().slice(0, 300) ?? ''
      if (name !== '') places.push({ label: name, depth, target: href === undefined ? null : targetOf(book, href) })
      if (subitems && depth < depthMax) add(subitems, depth + 1)
    }
  }
  add(book.toc ?? [], 0)
  return places.filter(({ target }) => target !== null)
}

function targetOf(book: EPUB, href: string): Target | null {
  try {
    const target = book.resolveHref(href)
    return target === null || target.index < 0 ? null : target
  } catch {
    // A broken link leads nowhere.
    return null
  }
}

/** Chapters differ in length; their bytes say how much of the book each is. */
function weightsOf(sections: readonly Section[]): { starts: readonly number[]; total: number } {
  const starts: number[] = []
  let total = 0
  for (const { size, linear } of sections) {
    starts.push(total)
    total += linear === 'no' ? 0 : Math.max(size, 1)
  }
  return { starts, total: Math.max(total, 1) }
}

/** What the book's own style sheets may overrule, before them; and what they may not, after them. */
const sheetBefore = `
  @font-face { font-family: "Inter Variable"; src: url("${new URL(bookFace, window.location.href).href}"); font-weight: 100 900; }
  html { font-family: "Inter Variable", sans-serif; }
  h1 { font-size: 1.4em; }
  h2 { font-size: 1.2em; }
  h1, h2, h3 { line-height: 1.2; }
`
/** Whatever a book has coloured: drawings keep their own. */
const sheetPlain = (ink: string) => `
  body { color: ${ink} !important; }
  body *:not(svg, svg *) { color: inherit !important; background-color: transparent !important; border-color: currentcolor !important; }
`
const sheetAfter = ({ textPx, ink, paper, ownColours }: BookDress) => `
  html { font-size: ${textPx}px !important; color: ${ink}; background: ${paper}; }
  body { font-size: 1em; line-height: 1.5; color: ${ink}; background: ${paper} !important; }
  p, li, blockquote, dd, td { line-height: 1.5; }
  a:any-link { color: inherit; text-decoration-thickness: 0.08em; }
  pre { white-space: pre-wrap !important; }
  img, svg, video { max-width: 100%; }
  ${ownColours ? '' : sheetPlain(ink)}
`

async function show(bytes: ArrayBuffer, dress: BookDress): Promise<(wish: ToReader) => void> {
  const book = await new EPUB({
    ...unpacked(new Uint8Array(bytes)),
    sha1: async (text) => new Uint8Array(await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))),
  }).init()
  if (book.sections.length === 0) throw new Error('a book without chapters')
  book.transformTarget.addEventListener('data', (event) => {
    if (!(event instanceof CustomEvent)) return
    const { detail } = event
    detail.type = harmlessType(detail.type)
    detail.data = Promise.resolve(detail.data).then((data: unknown) =>
      typeof data === 'string' ? harmless(data, detail.type) : data,
    )
  })
  const places = placesOf(book)
  const { starts, total } = weightsOf(book.sections)
  const pages = new Paginator()
  pages.setAttribute('margin', '20px')
  pages.setAttribute('gap', '6%')
  // Its size may change, or end with the frame, while a chapter is on its way in: that one is laid out when it is there.
  const layOut = pages.render.bind(pages)
  pages.render = () => {
    if (pages.getContents().every(({ doc }) => doc?.body)) layOut()
  }
  const dressed = (next: BookDress) => {
    document.body.style.background = next.paper
    document.body.style.color = next.ink
    // A line holds some seventy letters, whatever their size.
    pages.setAttribute('max-inline-size', `${Math.round(next.textPx * 34)}px`)
    pages.setStyles([sheetBefore, sheetAfter(next)])
  }

  let wanted: (() => Promise<unknown>) | undefined
  let moving = false
  /** The paginator forgets what is asked of it while it moves: the newest wish waits for it. */
  const move = async (step: () => Promise<unknown>) => {
    wanted = step
    if (moving) return
    moving = true
    try {
      while (wanted !== undefined) {
        const next: () => Promise<unknown> = wanted
        wanted = undefined
        await next()
      }
    } finally {
      moving = false
    }
  }

  const follow = (index: number, href: string) => {
    const section = book.sections[index]
    if (section === undefined || book.isExternal(href)) return
    const target = targetOf(book, section.resolveHref(href))
    if (target !== null) void move(() => pages.goTo(target))
  }
  pages.addEventListener('load', (event) => {
    if (!(event instanceof CustomEvent)) return
    const { doc, index }: { doc: Document; index: number } = event.detail
    const turn = (key: KeyboardEvent) => {
      touched()
      turnByKey(key)
    }
    doc.addEventListener('pointerdown', touched)
    doc.addEventListener('keydown', turn)
    doc.addEventListener('click', (click) => {
      const link = linkAt(click.target, doc.defaultView)
      if (link === null) return
      click.preventDefault()
      follow(index, link)
    })
  })
  pages.addEventListener('relocate', (event) => {
    if (!(event instanceof CustomEvent)) return
    const { index, fraction }: { index: number; fraction?: number } = event.detail
    const weight = (starts[index + 1] ?? total) - (starts[index] ?? 0)
    tell({
      say: 'at',
      fraction: ((starts[index] ?? 0) + weight * Math.min(Math.max(fraction ?? 0, 0), 1)) / total,
      chapter: places.findLastIndex(({ target }) => target !== null && target.index <= index),
      first: pages.atStart,
      last: pages.atEnd,
    })
  })
  const turnByKey = ({ key }: KeyboardEvent) => {
    const forward = document.body.dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
    const back = document.body.dir === 'rtl' ? 'ArrowRight' : 'ArrowLeft'
    if (key === forward || key === 'PageDown') void move(() => pages.next())
    if (key === back || key === 'PageUp') void move(() => pages.prev())
  }
  document.addEventListener('keydown', turnByKey)
  document.addEventListener('keydown', touched)
  document.addEventListener('pointerdown', touched)

  const language = languageOf(book)
  if (language !== undefined) document.documentElement.lang = language
  const rightToLeft = isRightToLeft(book.dir, language)
  document.body.dir = rightToLeft ? 'rtl' : 'ltr'
  document.body.replaceChildren(pages)
  pages.open(book)
  dressed(dress)
  tell({
    say: 'opened',
    chapters: places.map(({ label, depth }) => ({ label, depth })),
    rightToLeft,
  })
  await pages.goTo({
    index: Math.max(
      book.sections.findIndex(({ linear }) => linear !== 'no'),
      0,
    ),
    anchor: 0,
  })

  return (wish) => {
    switch (wish.say) {
      case 'open':
        return
      case 'dress':
        dressed(wish.dress)
        return
      case 'next':
        void move(() => pages.next())
        return
      case 'previous':
        void move(() => pages.prev())
        return
      case 'chapter': {
        const target = places[wish.chapter]?.target
        if (target) void move(() => pages.goTo(target))
        return
      }
      case 'fraction': {
        const at = Math.min(Math.max(wish.fraction, 0), 0.999_999) * total
        const index = starts.findLastIndex((start) => start <= at)
        const weight = (starts[index + 1] ?? total) - (starts[index] ?? 0)
        const anchor = Math.min((at - (starts[index] ?? 0)) / Math.max(weight, 1), 1)
        void move(() => pages.goTo({ index, anchor }))
      }
    }
  }
}

/** A chapter is another realm: its elements are no instances of this one's classes. */
function linkAt(place: EventTarget | null, realm: typeof globalThis | null): string | null {
  if (realm === null || !(place instanceof realm.Element)) return null
  const link = place.closest('a')
  return link === null ? null : (link.getAttribute('href') ?? link.getAttribute('xlink:href') ?? '')
}

const rightToLeftLanguages = /^(ar|he|fa|ur|yi|ps|sd|ug|dv)\b/i

function languageOf({ metadata: { language } }: EPUB): string | undefined {
  return typeof language === 'string' ? language : language?.[0]
}

function isRightToLeft(direction: string | null | undefined, language: string | undefined): boolean {
  if (direction === 'rtl' || direction === 'ltr') return direction === 'rtl'
  return language !== undefined && rightToLeftLanguages.test(language)
}

let opened: ((wish: ToReader) => void) | undefined
/** Only the page around this frame may wish for anything; a chapter in it may not. */
window.addEventListener('message', ({ source, data }: MessageEvent<ToReader>) => {
  if (source !== window.parent) return
  if (data.say !== 'open') opened?.(data)
  else
    show(data.bytes, data.dress).then(
      (take) => {
        opened = take
      },
      () => tell({ say: 'unreadable' }),
    )
})
tell({ say: 'here' })
