/** Goods as customers get them, before they are sold. What can run in them runs in no page of the console. */
import { useState } from 'react'
import { addressOf } from '../api/client.ts'
import { formatCount } from './format.ts'
import { Strip } from './layout.tsx'
import { Code } from './values.tsx'
import './goods.css'

export function GoodsPreview({
  contentHash,
  mediaType,
  title,
}: {
  contentHash: string
  mediaType: string
  title: string
}) {
  const [broken, setBroken] = useState<string>()
  const address = addressOf(`/catalogue/contents/${contentHash}/preview`, { mediaType })
  const onError = () => setBroken(address)
  if (broken === address)
    return (
      <Strip tone="bad">
        This browser cannot show it: it is damaged, or of a kind inside that browsers do not know. Look whether it opens
        elsewhere, and export it again before it is sold.
      </Strip>
    )
  if (mediaType.startsWith('image/'))
    return <img className="goods-picture" src={address} alt={title} onError={onError} />
  if (mediaType.startsWith('audio/'))
    // biome-ignore lint/a11y/useMediaCaption: these are the goods as they are sold.
    return <audio className="goods-sound" controls src={address} aria-label={title} onError={onError} />
  if (mediaType.startsWith('video/'))
    // biome-ignore lint/a11y/useMediaCaption: these are the goods as they are sold.
    return <video className="goods-picture" controls src={address} aria-label={title} onError={onError} />
  if (mediaType === 'application/pdf')
    return <iframe className="goods-frame" src={`${address}#toolbar=0&navpanes=0&view=FitH`} title={title} />
  if (mediaType.startsWith('text/')) return <iframe className="goods-frame" src={address} title={title} sandbox="" />
  return (
    <p className="hint">
      {mediaType === 'application/epub+zip' ? (
        'A browser opens no EPUB by itself: look at it on a kiosk.'
      ) : (
        <>
          <Code>{mediaType}</Code> is not shown here.
        </>
      )}
    </p>
  )
}

/** Such as "1.4 MB". */
export function Size({ bytes }: { bytes: number }) {
  const text =
    bytes < 1000
      ? `${formatCount(bytes)} bytes`
      : bytes < 1_000_000
        ? `${(bytes / 1000).toFixed(1)} kB`
        : `${(bytes / 1_000_000).toFixed(1)} MB`
  return <span className="figure">{text}</span>
}
