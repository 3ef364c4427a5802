/** A picture: whole at first, then as near as one likes. */
import { type ReactElement, useEffect, useEffectEvent, useRef, useState } from 'react'
import { Unreadable } from './ContentView.tsx'
import { useKeptMiddle, ZoomButtons, zooms } from './zoom.tsx'

/** Unpacked it takes four bytes a pixel: 8K is 33 million. What is larger goes to the customer's own device. */
const picturePixelsMax = 60_000_000
/**
 * What the browser unpacks it keeps for whoever comes next, until memory runs short. A larger picture is therefore unpacked
 * here, at the size that it is shown at, and given back when it is left.
 */
const keptPixelsMax = 2_000_000

interface Picture {
  readonly contentUrl: string
  readonly title: string
  readonly factor: number
}
interface Size {
  readonly width: number
  readonly height: number
}

export function PictureView({ contentUrl, title }: { contentUrl: string; title: string }): ReactElement {
  const [broken, setBroken] = useState(false)
  const [size, setSize] = useState<Size>()
  /** A drawing has no points, and what was cut off is shown as far as it goes: both by the browser alone. */
  const [kept, setKept] = useState(false)
  const [zoom, setZoom] = useState(0)
  const scroller = useRef<HTMLDivElement>(null)
  const factor = zooms[zoom] ?? 1
  useKeptMiddle(scroller, factor)
  if (broken) return <Unreadable />
  const picture: Picture = { contentUrl, title, factor }
  return (
    <div className="viewer">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keypad. */}
      <div ref={scroller} className="viewer-stage picture-stage" dir="ltr" tabIndex={0}>
        {size !== undefined && size.width * size.height > keptPixelsMax && !kept ? (
          <LargePicture {...picture} size={size} onFailed={() => setKept(true)} />
        ) : (
          <img
            className="picture"
            src={contentUrl}
            alt={title}
            decoding="async"
            style={{ '--zoom': factor }}
            // Not drawn, and so not unpacked, before its size is known.
            hidden={size === undefined}
            data-ready={size === undefined ? undefined : 'true'}
            onLoad={({ currentTarget: { naturalWidth: width, naturalHeight: height } }) => {
              if (width * height > picturePixelsMax) setBroken(true)
              else setSize({ width, height })
            }}
            onError={() => setBroken(true)}
          />
        )}
      </div>
      <div className="viewer-bar">
        <ZoomButtons zoom={zoom} onZoom={setZoom} />
      </div>
    </div>
  )
}

/**
 * By halves, of which each point is the middle of four. At once, finely, the browser makes a row of smaller ones to choose from,
 * a third as large again as half the picture is, and keeps it.
 */
async function shrunk(points: ImageBitmap, width: number): Promise<ImageBitmap> {
  let left = points
  while (left.width > width) {
    const larger = left
    left = await createImageBitmap(larger, {
      resizeWidth: Math.max(width, Math.ceil(larger.width / 2)),
      resizeQuality: 'low',
    })
    larger.close()
  }
  return left
}

interface LargePictureProps extends Picture {
  readonly size: Size
  readonly onFailed: () => void
}

function LargePicture({ contentUrl, title, factor, size, onFailed }: LargePictureProps): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [ready, setReady] = useState(false)
  const failed = useEffectEvent(onFailed)
  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('bitmaprenderer')
    if (!element || !context) return
    const leaving = new AbortController()
    let file: Promise<Blob> | undefined
    let lastTurn = 0
    const unpack = async ({ width, height }: Size) => {
      lastTurn += 1
      const turn = lastTurn
      const share = Math.min(1, (width / size.width) * devicePixelRatio, (height / size.height) * devicePixelRatio)
      file ??= fetch(contentUrl, { signal: leaving.signal }).then((response) => response.blob())
      const points = await shrunk(await createImageBitmap(await file), Math.max(1, Math.round(size.width * share)))
      if (leaving.signal.aborted || turn !== lastTurn) return points.close()
      element.width = points.width
      element.height = points.height
      context.transferFromImageBitmap(points)
      setReady(true)
    }
    const watch = new ResizeObserver(([entry]) => {
      if (entry !== undefined)
        unpack(entry.contentRect).catch(() => {
          if (!leaving.signal.aborted) failed()
        })
    })
    watch.observe(element)
    return () => {
      leaving.abort()
      watch.disconnect()
      context.transferFromImageBitmap(null)
    }
  }, [contentUrl, size])
  return (
    <canvas
      ref={canvas}
      className="picture"
      role="img"
      aria-label={title}
      style={{ '--zoom': factor }}
      data-ready={ready ? 'true' : undefined}
    />
  )
}
