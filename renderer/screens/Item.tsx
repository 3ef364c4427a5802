/** One item: what it is, what it costs, how it is had. One thing to do: buy. */
import type { ReactElement } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import { usePreview } from '../goods/Preview.tsx'
import { Button } from '../parts/Button.tsx'
import { ComfortBar } from '../parts/ComfortBar.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { Cover } from '../parts/Cover.tsx'
import { useEngine, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { Icon } from '../parts/Icon.tsx'

export function Item({ item }: { item: CatalogueItem }): ReactElement {
  const engine = useEngine()
  const { words, money } = useWords()
  const soldOut = item.stock === 0
  const preview = usePreview(item)
  return (
    <Frame
      screen="item"
      tone="paper"
      actions={
        <>
          <Button action="back" onClick={() => engine.open({ name: 'catalogue' })}>
            <Icon name="back" /> {words.bar.back}
          </Button>
          <ComfortBar />
        </>
      }
    >
      {preview.opened}
      <article className="item" hidden={preview.opened !== undefined} data-item-id={item.id}>
        <Cover item={item} />
        <div className="item-words">
          <div className="item-text">
            <p className="kind">{words.kind[item.kind].name}</p>
            <ContentText as="h1" className="title" texts={item.title} />
            <ContentText as="p" className="item-summary" texts={item.summary} />
            <p className="item-how">
              <Icon name="phone" /> {words.kind[item.kind].how}
            </p>
          </div>
          {preview.button}
          <Button action="buy" weight="main" disabled={soldOut} onClick={() => void engine.buy(item.id)}>
            {soldOut ? words.catalogue.soldOut : words.item.buy(money(item.priceMinor))}
          </Button>
        </div>
      </article>
    </Frame>
  )
}
