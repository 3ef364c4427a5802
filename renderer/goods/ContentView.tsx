/** Shows content by its media type; what cannot be shown here is still the customer's. */
import { lazy, type ReactElement, Suspense } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import { useWords } from '../parts/engine-context.ts'
import { ArticleView } from './ArticleView.tsx'
import { PictureView } from './PictureView.tsx'

// The PDF renderer is large: it is loaded when the first PDF is opened, not before the first touch.
const PdfView = lazy(() => import('./PdfView.tsx'))

export function ContentView({ contentUrl, item }: { contentUrl: string; item: CatalogueItem }): ReactElement {
  const { titleOf } = useWords()
  const { mediaType } = item
  if (mediaType === 'application/pdf') {
    return (
      <Suspense fallback={<Opening />}>
        <PdfView contentUrl={contentUrl} />
      </Suspense>
    )
  }
  if (mediaType.startsWith('text/'))
    return <ArticleView contentUrl={contentUrl} marked={mediaType.startsWith('text/markdown')} />
  if (mediaType.startsWith('image/')) return <PictureView contentUrl={contentUrl} title={titleOf(item)} />
  return <Unreadable />
}

export function Opening(): ReactElement {
  const { words } = useWords()
  return (
    <p className="opening" role="status">
      {words.goods.loading}
    </p>
  )
}

export function Unreadable(): ReactElement {
  const { words } = useWords()
  return <NotHere what={words.goods.unreadable} todo={words.goods.unreadableTodo} />
}

/** Instead of the content: what is the matter, and how the customer gets it all the same. */
export function NotHere({ what, todo }: { what: string; todo: string }): ReactElement {
  return (
    <div className="unreadable" role="alert" data-ready="true">
      <h1 className="title">{what}</h1>
      <p className="lead">{todo}</p>
    </div>
  )
}
