/** One item: what it is, what it costs, how it is had. One thing to do: buy; or, where it is sold out, what else there is. */
import type { ReactElement } from 'react'
import { useShallow } from 'zustand/react/shallow'
import type { CatalogueItem } from '../../preload/contract.ts'
import { usePreview } from '../goods/Preview.tsx'
import { Button } from '../parts/Button.tsx'
import { ComfortBar } from '../parts/ComfortBar.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { Cover } from '../parts/Cover.tsx'
import { useEngine, usePage, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { Icon } from '../parts/Icon.tsx'
import { ItemCard } from '../parts/ItemCard.tsx'
import { useBuy } from '../parts/use-buy.tsx'
import { insteadOf } from '../store.ts'

/** What one can see at a glance. */
const alternativesMax = 2

export function Item({ item }: { item: CatalogueItem }): ReactElement {
  const engine = useEngine()
  const { words, money } = useWords()
  const soldOut = item.stock === 0
  const preview = usePreview(item)
  const { buy, question } = useBuy()
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
        <div className="item-picture">
          <Cover item={item} />
        </div>
        <div className="item-words">
          <div className="item-text">
            <p className="kind">{words.kind[item.kind].name}</p>
            <ContentText as="h1" className="title" texts={item.title} />
            <ContentText as="p" className="item-summary" texts={item.summary} />
            <Facts item={item} />
          </div>
          {soldOut ? (
            <Instead item={item} />
          ) : (
            <div className="item-do">
              {preview.button}
              <Button action="buy" weight="main" onClick={() => buy(item)}>
                {words.item.buy(money(item.priceMinor))}
              </Button>
            </div>
          )}
        </div>
      </article>
      {question}
    </Frame>
  )
}

/** What is to be known before it is bought. */
function Facts({ item }: { item: CatalogueItem }): ReactElement {
  const { words, money, percent, soon, count } = useWords()
  const { taxBasisPoints, ageMin, soldUntil, printed } = item
  return (
    <ul className="facts">
      <li className="fact-price">
        <strong>{money(item.priceMinor)}</strong>
        {taxBasisPoints > 0 && <span>{words.item.tax(percent(taxBasisPoints))}</span>}
      </li>
      <li>
        <Icon name={printed ? 'print' : 'phone'} /> {printed ? words.item.print : words.kind[item.kind].how}
      </li>
      {soldUntil !== undefined && (
        <li>
          <Icon name="clock" /> {words.item.until(soon(soldUntil))}
        </li>
      )}
      {ageMin !== undefined && (
        <li>
          <Icon name="person" /> {words.item.age(count(ageMin))}
        </li>
      )}
    </ul>
  )
}

function Instead({ item }: { item: CatalogueItem }): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const others = usePage(useShallow((state) => insteadOf(state, item).slice(0, alternativesMax)))
  return (
    <section className="instead">
      <p className="mark mark-strong">{words.catalogue.soldOut}</p>
      {others.length > 0 && (
        <>
          <h2>{words.item.instead}</h2>
          <div className="instead-row" data-grid="">
            {others.map((other) => (
              <ItemCard
                key={other.id}
                small
                item={other}
                onPress={({ id }) => engine.open({ name: 'item', itemId: id })}
              />
            ))}
          </div>
        </>
      )}
    </section>
  )
}
