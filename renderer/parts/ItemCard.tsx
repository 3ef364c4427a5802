/** An item to choose: its picture, its name and its price; upright on the shelf, or small in a row. */
import { memo, type ReactElement } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import { ContentText } from './ContentText.tsx'
import { Cover } from './Cover.tsx'
import { useWords } from './engine-context.ts'

/** From here on the customer is told how many are left. */
const scarceCountMax = 5

export const isScarce = ({ stock }: CatalogueItem): boolean =>
  stock !== undefined && stock > 0 && stock <= scarceCountMax

interface ItemCardProps {
  readonly item: CatalogueItem
  readonly onPress: (item: CatalogueItem) => void
  readonly action?: string
  readonly small?: boolean
}

export const ItemCard = memo(function ItemCard({
  item,
  onPress,
  action = 'open',
  small = false,
}: ItemCardProps): ReactElement {
  const { money } = useWords()
  return (
    <button
      type="button"
      data-action={action}
      data-item-id={item.id}
      className={small ? 'card card-small' : 'card'}
      data-sold-out={item.stock === 0 ? '' : undefined}
      onClick={() => onPress(item)}
    >
      <span className="card-picture">
        <Cover item={item} />
        {!small && <Mark item={item} />}
      </span>
      <span className="card-words">
        <ContentText className="card-title" texts={item.title} />
        <ContentText className="card-summary" texts={item.summary} />
        <span className="card-price">{money(item.priceMinor)}</span>
      </span>
    </button>
  )
})

/** The one thing to know before it is opened, the most pressing first. */
function Mark({ item }: { item: CatalogueItem }): ReactElement | null {
  const { words, soon, count } = useWords()
  const { stock, soldUntil, ageMin } = item
  if (stock === 0) return <span className="mark mark-strong">{words.catalogue.soldOut}</span>
  if (stock !== undefined && isScarce(item)) return <span className="mark">{words.catalogue.left(stock)}</span>
  if (soldUntil !== undefined) return <span className="mark">{words.catalogue.until(soon(soldUntil))}</span>
  return ageMin === undefined ? null : <span className="mark">{words.catalogue.age(count(ageMin))}</span>
}
