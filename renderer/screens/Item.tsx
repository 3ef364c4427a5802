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
import { ItemCard, isScarce } from '../parts/ItemCard.tsx'
import { useBuy } from '../parts/use-buy.tsx'
import { insteadOf } from '../store.ts'

/** What one can see at a glance. */
const alternativesMax = 2
/** A longer title is a sentence, and is set as one. */
const headlineLengthMax = 80

export function Item({ item }: { item: CatalogueItem }): ReactElement {
  const engine = useEngine()
  const { words, money, percent, titleOf } = useWords()
  const { taxBasisPoints } = item
  const soldOut = item.stock === 0
  const sentence = titleOf(item).length > headlineLengthMax
  const { buy, question } = useBuy()
  const buyButton = soldOut ? undefined : (
    <Button action="buy" weight="main" onClick={() => buy(item)}>
      {words.item.buy(money(item.priceMinor))}
    </Button>
  )
  const preview = usePreview(item, buyButton)
  const looking = preview.opened !== undefined
  return (
    <Frame
      screen="item"
      tone="paper"
      actions={
        <>
          <Button action="back" onClick={looking ? preview.close : () => engine.open({ name: 'catalogue' })}>
            <Icon name="back" /> {words.bar.back}
          </Button>
          <ComfortBar />
        </>
      }
    >
      {preview.opened}
      <article className="item" hidden={looking} data-item-id={item.id}>
        <div className="item-picture">
          <Cover item={item} />
        </div>
        <div className="item-words">
          <div className="item-text scrolls">
            <p className="kind">{words.kind[item.kind].name}</p>
            <ContentText as="h1" className={sentence ? 'title title-long' : 'title'} texts={item.title} />
            <p className="item-price">
              <strong>{money(item.priceMinor)}</strong>
              {taxBasisPoints > 0 && <span>{words.item.tax(percent(taxBasisPoints))}</span>}
            </p>
            <ContentText as="p" className="item-summary" texts={item.summary} />
            {!soldOut && <Facts item={item} />}
          </div>
          {soldOut ? (
            <Instead item={item} />
          ) : (
            <div className="item-do">
              {preview.button}
              {buyButton}
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
  const { words, soon, count } = useWords()
  const { ageMin, soldUntil, printed, stock } = item
  return (
    <ul className="facts">
      <li>
        <Icon name={printed ? 'print' : 'phone'} /> {printed ? words.item.print : words.kind[item.kind].how}
      </li>
      {stock !== undefined && isScarce(item) && (
        <li>
          <Icon name="stack" /> {words.catalogue.left(stock)}
        </li>
      )}
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
      <div className="instead-head">
        <p className="mark mark-strong">{words.catalogue.soldOut}</p>
        {others.length > 0 && <h2>{words.item.instead}</h2>}
      </div>
      <div className="instead-row" data-grid="">
        {others.map((other) => (
          <ItemCard key={other.id} small item={other} onPress={({ id }) => engine.open({ name: 'item', itemId: id })} />
        ))}
      </div>
    </section>
  )
}
