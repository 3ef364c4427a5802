/** Shows content by its media type; what cannot be shown here is still the customer's. */
import { createContext, lazy, type ReactElement, Suspense, useContext } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import { useWords } from '../parts/engine-context.ts'
import { ArticleView } from './ArticleView.tsx'
import { MediaView } from './MediaView.tsx'
import { PictureView } from './PictureView.tsx'

// What is large is loaded when it is first needed, not before the first touch.
const PdfView = lazy(() => import('./PdfView.tsx'))
const EpubView = lazy(() => import('./EpubView.tsx'))

interface ContentViewProps {
  readonly contentUrl: string
  readonly mediaType: string
  readonly item: CatalogueItem
}

export function ContentView({ contentUrl, mediaType, item }: ContentViewProps): ReactElement {
  const { titleOf } = useWords()
  switch (shapeOf(mediaType)) {
    case 'pdf':
      return (
        <Suspense fallback={<Opening />}>
          <PdfView key={contentUrl} contentUrl={contentUrl} />
        </Suspense>
      )
    case 'book':
      return (
        <Suspense fallback={<Opening />}>
          <EpubView key={contentUrl} contentUrl={contentUrl} />
        </Suspense>
      )
    case 'text':
      return <ArticleView key={contentUrl} contentUrl={contentUrl} marked={mediaType.startsWith('text/markdown')} />
    case 'picture':
      return <PictureView key={contentUrl} contentUrl={contentUrl} title={titleOf(item)} />
    case 'sound':
      return <MediaView key={contentUrl} contentUrl={contentUrl} item={item} film={false} />
    case 'film':
      return <MediaView key={contentUrl} contentUrl={contentUrl} item={item} film />
    case 'unknown':
      return <Unreadable />
  }
}

export type Shape = 'pdf' | 'book' | 'text' | 'picture' | 'sound' | 'film' | 'unknown'

export function shapeOf(mediaType: string): Shape {
  if (mediaType === 'application/pdf') return 'pdf'
  if (mediaType === 'application/epub+zip') return 'book'
  if (mediaType.startsWith('text/')) return 'text'
  if (mediaType.startsWith('image/')) return 'picture'
  if (mediaType.startsWith('audio/')) return 'sound'
  if (mediaType.startsWith('video/')) return 'film'
  return 'unknown'
}

export function Opening(): ReactElement {
  const { words } = useWords()
  return (
    <p className="opening" role="status">
      {words.goods.loading}
    </p>
  )
}

/** How the customer has what is shown: by a claim besides, here alone, or not yet, when nothing may sound as if he had. */
export const Had = createContext<'claim' | 'here' | 'preview'>('here')

export function Unreadable(): ReactElement {
  const { words } = useWords()
  const had = useContext(Had)
  switch (had) {
    case 'claim':
      return <NotHere what={words.goods.unreadable} todo={words.goods.unreadableTodo} />
    case 'here':
      return <NotHere what={words.goods.owed} todo={words.goods.owedTodo} />
    case 'preview':
      return <NotHere what={words.item.noPreview} todo={words.item.noPreviewTodo} />
  }
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
