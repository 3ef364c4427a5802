/** A picture, whole. */
import { type ReactElement, useState } from 'react'
import { Unreadable } from './ContentView.tsx'

export function PictureView({ contentUrl, title }: { contentUrl: string; title: string }): ReactElement {
  const [broken, setBroken] = useState(false)
  const [ready, setReady] = useState(false)
  if (broken) return <Unreadable />
  return (
    <img
      className="picture"
      src={contentUrl}
      alt={title}
      data-ready={ready ? 'true' : undefined}
      onLoad={() => setReady(true)}
      onError={() => setBroken(true)}
    />
  )
}
