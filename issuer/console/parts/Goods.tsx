/** Goods as customers get them, before they are sold. What can run in them runs in no page of the console. */
import { addressOf } from '../api/client.ts'
import { formatCount } from './format.ts'
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
  const address = addressOf(`/catalogue/contents/${contentHash}/preview`, { mediaType })
  if (mediaType.startsWith('image/')) return <img className="goods-picture" src={address} alt={title} />
  if (mediaType.startsWith('audio/'))
    // biome-ignore lint/a11y/useMediaCaption: these are the goods as they are sold.
    return <audio className="goods-sound" controls src={address} aria-label={title} />
  if (mediaType.startsWith('video/'))
    // biome-ignore lint/a11y/useMediaCaption: these are the goods as they are sold.
    return <video className="goods-picture" controls src={address} aria-label={title} />
  if (mediaType === 'application/pdf')
    return <iframe className="goods-frame" src={`${address}#toolbar=0&navpanes=0&view=FitH`} title={title} />
  if (mediaType.startsWith('text/')) return <iframe className="goods-frame" src={address} title={title} sandbox="" />
  return (
    <p className="hint">
      There is no preview of <Code>{mediaType}</Code>.
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
