/** A PDF (pdf.js): only the pages in sight exist, each with its text for whoever hears it; a bar to go to any page. */
import { useVirtualizer } from '@tanstack/react-virtual'
import { GlobalWorkerOptions, getDocument, type PDFDocumentProxy, RenderingCancelledException } from 'pdfjs-dist'
import workerUrl from 'pdfjs-dist/build/pdf.worker.min.mjs?url'
import { type ReactElement, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useWords } from '../parts/engine-context.ts'
import { Opening, Unreadable } from './ContentView.tsx'
import { Scrubber } from './Scrubber.tsx'
import { useKeptMiddle, ZoomButtons, zooms } from './zoom.tsx'

GlobalWorkerOptions.workerSrc = workerUrl

/** A canvas takes four bytes a pixel, and three may be in sight. */
const canvasPixelsMax = 8_000_000
/** A file may say that it has any number of pages, of any shape. */
const pagesMax = 5_000
const ratioMax = 10
/** One step less than `zooms` begin with. */
const wholePage = -1
const wholeShareMax = 0.9
/** Of one page's text. */
const heardCharactersMax = 20_000

type Opened =
  | { readonly name: 'loading' }
  | { readonly name: 'unreadable' }
  | { readonly name: 'ready'; readonly document: PDFDocumentProxy; readonly ratio: number }

const ratioOf = ({ width, height }: { width: number; height: number }): number => {
  const ratio = height / width
  return ratio > 0 ? Math.min(Math.max(ratio, 1 / ratioMax), ratioMax) : 1
}

export default function PdfView({ contentUrl }: { contentUrl: string }): ReactElement {
  const opened = useDocument(contentUrl)
  if (opened.name === 'loading') return <Opening />
  if (opened.name === 'unreadable') return <Unreadable />
  return <Pages document={opened.document} firstRatio={opened.ratio} />
}

function Pages({ document, firstRatio }: { document: PDFDocumentProxy; firstRatio: number }): ReactElement {
  const { words } = useWords()
  const [zoom, setZoom] = useState(0)
  const scroller = useRef<HTMLDivElement>(null)
  const stage = useSize(scroller)
  /** As a page is seen whole: where that is much smaller than as wide as the stage, it can be had. */
  const whole = stage.heightPx / (stage.widthPx * firstRatio)
  const factor = zoom === wholePage ? whole : (zooms[zoom] ?? 1)
  const widthPx = stage.widthPx * factor
  /** Until a page was seen it is taken to have the first one's shape. */
  const [ratios, setRatios] = useState<ReadonlyMap<number, number>>(new Map())
  const count = Math.min(document.numPages, pagesMax)
  const pages = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => widthPx * (ratios.get(index + 1) ?? firstRatio),
    gap: 12,
    overscan: factor === 1 ? 1 : 0,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: the places of all pages follow from these.
  useLayoutEffect(() => pages.measure(), [widthPx, ratios])
  useKeptMiddle(scroller, factor)
  const onRatio = useCallback(
    (page: number, ratio: number) =>
      setRatios((before) => (before.get(page) === ratio ? before : new Map(before).set(page, ratio))),
    [],
  )
  const middle = (pages.scrollOffset ?? 0) + (pages.scrollRect?.height ?? 0) / 2
  const present = Math.min((pages.getVirtualItemForOffset(middle)?.index ?? 0) + 1, count)
  return (
    <div className="viewer pdf">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keypad. */}
      <div ref={scroller} className="viewer-stage pdf-pages" dir="ltr" tabIndex={0}>
        <div className="pdf-roll" style={{ '--length': pages.getTotalSize(), '--zoom': factor }}>
          {widthPx > 0 &&
            pages.getVirtualItems().map(({ key, index, start, size }) => (
              <div key={key} className="pdf-page" style={{ '--from': start, '--length': size }}>
                <PdfPage
                  document={document}
                  page={index + 1}
                  widthPx={widthPx}
                  label={words.goods.page(index + 1, count)}
                  onRatio={onRatio}
                />
              </div>
            ))}
        </div>
      </div>
      <div className="viewer-bar">
        {count > 1 && (
          <>
            <Scrubber
              label={words.goods.place}
              text={words.goods.page(present, count)}
              min={1}
              max={count}
              step={1}
              value={present}
              onChange={(page) => pages.scrollToIndex(page - 1, { align: 'start' })}
            />
            <bdi className="viewer-place" dir="ltr">
              {present} / {count}
            </bdi>
          </>
        )}
        <ZoomButtons zoom={zoom} least={whole < wholeShareMax ? wholePage : 0} onZoom={setZoom} />
      </div>
    </div>
  )
}

/** Zeros until it is laid out. */
function useSize(element: { readonly current: HTMLElement | null }): { widthPx: number; heightPx: number } {
  const [size, setSize] = useState({ widthPx: 0, heightPx: 0 })
  useLayoutEffect(() => {
    if (element.current === null) return
    const measured = element.current
    const read = () => setSize({ widthPx: measured.clientWidth, heightPx: measured.clientHeight })
    read()
    const watch = new ResizeObserver(read)
    watch.observe(measured)
    return () => watch.disconnect()
  }, [element])
  return size
}

function useDocument(contentUrl: string): Opened {
  const [opened, setOpened] = useState<Opened>({ name: 'loading' })
  useEffect(() => {
    let left = false
    const task = getDocument({ url: contentUrl, useWasm: false, enableXfa: false, stopAtErrors: false })
    const open = async () => {
      const document = await task.promise
      return { document, ratio: ratioOf((await document.getPage(1)).getViewport({ scale: 1 })) }
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
  readonly widthPx: number
  readonly label: string
  readonly onRatio: (page: number, ratio: number) => void
}

function PdfPage({ document, page, widthPx, label, onRatio }: PdfPageProps): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [drawn, setDrawn] = useState(false)
  const [heard, setHeard] = useState('')

  useEffect(() => {
    if (canvas.current === null) return
    return drawing({
      document,
      page,
      target: canvas.current,
      widthPx,
      onRatio,
      onDrawn: (text) => {
        setDrawn(true)
        setHeard(text)
      },
    })
  }, [document, page, widthPx, onRatio])

  return (
    <>
      {!drawn && <Opening />}
      <canvas ref={canvas} role="img" aria-label={label} />
      <p className="only-heard">{heard}</p>
    </>
  )
}

interface Drawing {
  readonly document: PDFDocumentProxy
  readonly page: number
  readonly target: HTMLCanvasElement
  readonly widthPx: number
  readonly onRatio: (page: number, ratio: number) => void
  /** With the page's text. */
  readonly onDrawn: (text: string) => void
}

/** Draws one page; the function it returns stops the drawing and gives the pixels back. */
function drawing({ document, page, target, widthPx, onRatio, onDrawn }: Drawing): () => void {
  let release: (() => void) | undefined
  let left = false
  const draw = async () => {
    const proxy = await document.getPage(page)
    if (left) return
    const natural = proxy.getViewport({ scale: 1 })
    onRatio(page, ratioOf(natural))
    const wanted = (widthPx * devicePixelRatio) / natural.width
    const viewport = proxy.getViewport({
      scale: Math.min(wanted, Math.sqrt(canvasPixelsMax / (natural.width * natural.height))),
    })
    target.width = Math.max(1, Math.floor(viewport.width))
    target.height = Math.max(1, Math.floor(viewport.height))
    const task = proxy.render({ canvas: target, viewport })
    release = () => {
      task.cancel()
      // Fonts and pictures of a page out of sight are not kept; a page that is still being drawn keeps them until its end.
      task.promise.catch(() => {}).finally(() => proxy.cleanup())
    }
    await task.promise
    if (left) return
    target.dataset.ready = 'true'
    onDrawn('')
    const { items } = await proxy.getTextContent()
    const text = items.map((item) => ('str' in item ? item.str : '')).join(' ')
    if (!left) onDrawn(text.slice(0, heardCharactersMax))
  }
  draw().catch((cause: unknown) => {
    // A page that cannot be drawn stays white; the others, and the claim, are still there.
    if (!(cause instanceof RenderingCancelledException)) target.dataset.broken = 'true'
  })
  return () => {
    left = true
    release?.()
    target.width = 0
    target.height = 0
  }
}
