/** A picture: whole at first, then as near as one likes. */
import { type ReactElement, useRef, useState } from 'react'
import { Unreadable } from './ContentView.tsx'
import { useKeptMiddle, ZoomButtons, zooms } from './zoom.tsx'

/** Unpacked it takes four bytes a pixel: 8K is 33 million. What is larger goes to the customer's own device. */
const picturePixelsMax = 60_000_000

export function PictureView({ contentUrl, title }: { contentUrl: string; title: string }): ReactElement {
  const [broken, setBroken] = useState(false)
  const [ready, setReady] = useState(false)
  const [zoom, setZoom] = useState(0)
  const scroller = useRef<HTMLDivElement>(null)
  const factor = zooms[zoom] ?? 1
  useKeptMiddle(scroller, factor)
  if (broken) return <Unreadable />
  return (
    <div className="viewer">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keypad. */}
      <div ref={scroller} className="viewer-stage picture-stage" dir="ltr" tabIndex={0}>
        <img
          className="picture"
          src={contentUrl}
          alt={title}
          decoding="async"
          style={{ '--zoom': factor }}
          // Not drawn, and so not unpacked, before its size is known.
          hidden={!ready}
          data-ready={ready ? 'true' : undefined}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
            if (naturalWidth * naturalHeight > picturePixelsMax) setBroken(true)
            else setReady(true)
          }}
          onError={() => setBroken(true)}
        />
      </div>
      <div className="viewer-bar">
        <ZoomButtons zoom={zoom} onZoom={setZoom} />
      </div>
    </div>
  )
}
