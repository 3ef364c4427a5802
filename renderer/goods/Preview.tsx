/** A part of the goods before they are paid: the button that opens it, and the viewer over the whole item. */
import { type ReactElement, type ReactNode, useEffect, useRef, useState } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import { Button } from '../parts/Button.tsx'
import { useWords } from '../parts/engine-context.ts'
import { Icon } from '../parts/Icon.tsx'
import { ContentView, Had, shapeOf } from './ContentView.tsx'

const wordOf = { pdf: 'look', book: 'look', text: 'look', picture: 'look', sound: 'listen', film: 'watch' } as const

interface ItemPreview {
  /** Undefined where there is nothing to look at. */
  readonly button: ReactNode
  /** Stands in the item's place while it is looked at. */
  readonly opened: ReactNode
  readonly close: () => void
}

/** @param buy the item's own button: whoever likes what he sees buys it there */
export function usePreview(item: CatalogueItem, buy: ReactNode): ItemPreview {
  const [open, setOpen] = useState(false)
  const { words } = useWords()
  const { preview } = item
  const shape = preview === undefined ? 'unknown' : shapeOf(preview.mediaType)
  const close = () => setOpen(false)
  if (preview === undefined || shape === 'unknown') return { button: undefined, opened: undefined, close }
  const word = wordOf[shape]
  return {
    close,
    button: (
      <Button action="preview" className="preview-open" onClick={() => setOpen(true)}>
        <Icon name={word === 'look' ? 'look' : 'play'} /> {words.item.preview[word]}
      </Button>
    ),
    opened: open ? <Preview item={item} preview={preview} buy={buy} onClose={close} /> : undefined,
  }
}

interface PreviewProps {
  readonly item: CatalogueItem
  readonly preview: NonNullable<CatalogueItem['preview']>
  readonly buy: ReactNode
  readonly onClose: () => void
}

function Preview({ item, preview, buy, onClose }: PreviewProps): ReactElement {
  const { words } = useWords()
  const frame = useRef<HTMLElement>(null)
  useEffect(() => {
    frame.current?.focus()
  }, [])
  return (
    <section ref={frame} className="preview" aria-label={words.item.isPreview} tabIndex={-1}>
      <header className="preview-head">
        <p>{words.item.isPreview}</p>
        <div className="choices">
          <Button action="close-preview" data-back="" onClick={onClose}>
            <Icon name="close" /> {words.item.closePreview}
          </Button>
          {buy}
        </div>
      </header>
      <div className="goods-shown">
        <Had value="preview">
          <ContentView contentUrl={preview.url} mediaType={preview.mediaType} item={item} />
        </Had>
      </div>
    </section>
  )
}
