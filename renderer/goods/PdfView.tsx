/** A PDF (pdf.js), drawn page by page as it comes into sight, with two buttons for its size. */
import {
  GlobalWorkerOptions,
  getDocument,
  type PDFDocumentProxy,
  type PDFPageProxy,
  RenderingCancelledException,
} from 'pdfjs-dist'
import workerUrl from 'pdfjs-dist/build/pdf.worker.min.mjs?url'
import { type ReactElement, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { Button } from '../parts/Button.tsx'
import { useWords } from '../parts/engine-context.ts'
import { Icon } from '../parts/Icon.tsx'
import { Opening, Unreadable } from './ContentView.tsx'

GlobalWorkerOptions.workerSrc = workerUrl

const zooms = [1, 1.5, 2.25, 3.4] as const
/** A canvas beyond this is slow to draw and may be refused. */
const canvasPixelsMax = 16_000_000
/** A file may say that it has any number of pages. */
const pagesMax = 2_000
/** Pages out of sight give their pixels back. */
const nearness = '100% 0%'

type Opened =
  | { readonly name: 'loading' }
  | { readonly name: 'unreadable' }
  | { readonly name: 'ready'; readonly document: PDFDocumentProxy; readonly ratio: number }

export default function PdfView({ contentUrl }: { contentUrl: string }): ReactElement {
  const opened = useDocument(contentUrl)
  const [zoom, setZoom] = useState(0)
  const { words } = useWords()
  const pagesRef = useRef<HTMLDivElement>(null)
  useKeptMiddle(pagesRef, zooms[zoom] ?? 1)
  if (opened.name === 'loading') return <Opening />
  if (opened.name === 'unreadable') return <Unreadable />
  const pages = Array.from({ length: Math.min(opened.document.numPages, pagesMax) }, (_, index) => index + 1)
  return (
    <div className="pdf">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keypad. */}
      <div ref={pagesRef} className="pdf-pages" dir="ltr" tabIndex={0}>
        {pages.map((page) => (
          <PdfPage
            key={page}
            document={opened.document}
            page={page}
            firstRatio={opened.ratio}
            zoom={zooms[zoom] ?? 1}
            label={words.goods.page(page, pages.length)}
          />
        ))}
      </div>
      <div className="pdf-zoom">
        <Button
          action="closer"
          className="button-icon"
          aria-label={words.goods.closer}
          disabled={zoom === zooms.length - 1}
          onClick={() => setZoom((before) => Math.min(zooms.length - 1, before + 1))}
        >
          <Icon name="plus" />
        </Button>
        <Button
          action="further"
          className="button-icon"
          aria-label={words.goods.further}
          disabled={zoom === 0}
          onClick={() => setZoom((before) => Math.max(0, before - 1))}
        >
          <Icon name="minus" />
        </Button>
      </div>
    </div>
  )
}

/** What stood in the middle still stands there when the size changes. */
function useKeptMiddle(scroller: RefObject<HTMLDivElement | null>, zoom: number): void {
  const before = useRef(zoom)
  useLayoutEffect(() => {
    const element = scroller.current
    const growth = zoom / before.current
    before.current = zoom
    if (element === null || growth === 1) return
    const { clientWidth, clientHeight, scrollLeft, scrollTop } = element
    element.scrollTo(
      (scrollLeft + clientWidth / 2) * growth - clientWidth / 2,
      (scrollTop + clientHeight / 2) * growth - clientHeight / 2,
    )
  }, [scroller, zoom])
}

function useDocument(contentUrl: string): Opened {
  const [opened, setOpened] = useState<Opened>({ name: 'loading' })
  useEffect(() => {
    let left = false
    const task = getDocument({ url: contentUrl, useWasm: false, enableXfa: false, stopAtErrors: false })
    const open = async () => {
      const document = await task.promise
      const { width, height } = (await document.getPage(1)).getViewport({ scale: 1 })
      return { document, ratio: height / width }
    }
    open().then(
      (ready) => {
        if (!left) setOpened({ name: 'ready', ...ready })
      },
      () => {
        if (!left) setOpened({ name: 'unreadable' })
      },
    )
    return () => {
      left = true
      void task.destroy()
    }
  }, [contentUrl])
  return opened
}

interface PdfPageProps {
  readonly document: PDFDocumentProxy
  readonly page: number
  /** Until a page is known it is taken to have the first one's shape. */
  readonly firstRatio: number
  readonly zoom: number
  readonly label: string
}

function PdfPage({ document, page, firstRatio, zoom, label }: PdfPageProps): ReactElement {
  const frame = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [near, setNear] = useState(page === 1)
  const [ratio, setRatio] = useState(firstRatio)
  const [drawn, setDrawn] = useState(false)

  useEffect(() => {
    const element = frame.current
    if (element === null) return
    const watch = new IntersectionObserver(([entry]) => setNear(entry?.isIntersecting ?? false), {
      root: element.parentElement,
      rootMargin: nearness,
    })
    watch.observe(element)
    return () => watch.disconnect()
  }, [])

  useEffect(() => {
    if (!near || canvas.current === null || frame.current === null) return
    const target = canvas.current
    return drawing({
      document,
      page,
      target,
      widthPx: frame.current.clientWidth,
      zoom,
      onRatio: setRatio,
      onDrawn: () => setDrawn(true),
    })
  }, [document, page, near, zoom])

  return (
    <div ref={frame} className="pdf-page" style={{ '--ratio': ratio, '--zoom': zoom }}>
      {!drawn && <Opening />}
      {near && <canvas ref={canvas} role="img" aria-label={label} />}
    </div>
  )
}

interface Drawing {
  readonly document: PDFDocumentProxy
  readonly page: number
  readonly target: HTMLCanvasElement
  readonly widthPx: number
  readonly zoom: number
  readonly onRatio: (ratio: number) => void
  readonly onDrawn: () => void
}

/** Draws one page; the function it returns stops the drawing and gives the pixels back. */
function drawing({ document, page, target, widthPx, onRatio, onDrawn }: Drawing): () => void {
  let stop: (() => void) | undefined
  let left = false
  const draw = async (proxy: PDFPageProxy) => {
    const natural = proxy.getViewport({ scale: 1 })
    onRatio(natural.height / natural.width)
    const wanted = (widthPx * devicePixelRatio) / natural.width
    const scale = Math.min(wanted, Math.sqrt(canvasPixelsMax / (natural.width * natural.height)))
    const viewport = proxy.getViewport({ scale })
    target.width = Math.round(viewport.width)
    target.height = Math.round(viewport.height)
    const task = proxy.render({ canvas: target, viewport })
    stop = () => task.cancel()
    await task.promise
    target.dataset.ready = 'true'
    onDrawn()
  }
  document
    .getPage(page)
    .then((proxy) => (left ? undefined : draw(proxy)))
    .catch((cause: unknown) => {
      // A page that cannot be drawn stays white; the others, and the claim, are still there.
      if (!(cause instanceof RenderingCancelledException)) target.dataset.broken = 'true'
    })
  return () => {
    left = true
    stop?.()
    target.width = 0
    target.height = 0
  }
}
