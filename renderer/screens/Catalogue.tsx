/** Everything there is to buy here, as large as it can be. */
import { type ReactElement, type RefObject, useEffect, useRef, useState } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import { Button } from '../parts/Button.tsx'
import { ComfortBar } from '../parts/ComfortBar.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { Cover } from '../parts/Cover.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { Icon } from '../parts/Icon.tsx'
import { useSizes } from '../parts/use-sizes.ts'
import { columnsOf } from '../sizes.ts'

/** From here on the customer is told how many are left. */
const scarceCountMax = 5

/** Cards drawn at once: more than any screen holds, few enough that the first touch is answered at once. */
const cardsAtOnce = 24

/** How many cards are drawn: more whenever the end of the shelf comes near. */
function useGrowingCount(end: RefObject<Element | null>): number {
  const [count, setCount] = useState(cardsAtOnce)
  // biome-ignore lint/correctness/useExhaustiveDependencies: with every growth there is another end to watch.
  useEffect(() => {
    if (end.current === null) return
    const watch = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) setCount((before) => before + cardsAtOnce)
      },
      { root: end.current.parentElement, rootMargin: '0% 0% 150% 0%' },
    )
    watch.observe(end.current)
    return () => watch.disconnect()
  }, [end, count])
  return count
}

export function Catalogue(): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const { catalogue } = useStatus()
  const { widthPx, heightPx, sizes } = useSizes()
  const end = useRef<HTMLLIElement>(null)
  const shownCount = useGrowingCount(end)
  const columns = columnsOf({ widthPx, heightPx, items: catalogue.length, text: sizes.text })
  const shape = columns === 1 ? 'shelf-rows' : catalogue.length <= columns ? 'shelf-row' : ''
  return (
    <Frame
      screen="catalogue"
      tone="paper"
      actions={
        <>
          <Button action="back" onClick={() => engine.open({ name: 'attract' })}>
            <Icon name="back" /> {words.bar.startOver}
          </Button>
          <ComfortBar />
        </>
      }
    >
      <h1 className="title">{words.catalogue.headline}</h1>
      <ul className={`shelf ${shape}`} style={{ '--columns': columns }}>
        {catalogue.slice(0, shownCount).map((item) => (
          <li key={item.id}>
            <ItemCard item={item} onPress={() => engine.open({ name: 'item', itemId: item.id })} />
          </li>
        ))}
        {shownCount < catalogue.length && <li ref={end} className="shelf-end" aria-hidden="true" />}
      </ul>
    </Frame>
  )
}

function ItemCard({ item, onPress }: { item: CatalogueItem; onPress: () => void }): ReactElement {
  const { words, money } = useWords()
  const soldOut = item.stock === 0
  return (
    <button
      type="button"
      data-action="open"
      data-item-id={item.id}
      className="card"
      disabled={soldOut}
      onClick={onPress}
    >
      <Cover item={item} />
      <span className="card-words">
        <ContentText className="card-title" texts={item.title} />
        <ContentText className="card-summary" texts={item.summary} />
        <span className="card-price">
          {soldOut ? words.catalogue.soldOut : money(item.priceMinor)}
          {item.stock !== undefined && item.stock > 0 && item.stock <= scarceCountMax && (
            <span className="card-left">{words.catalogue.left(item.stock)}</span>
          )}
        </span>
      </span>
    </button>
  )
}
