/** Everything there is to buy here, as large as it can be: by shelves, and by search where there is much of it. */
import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import { type ReactElement, type RefObject, useCallback, useLayoutEffect, useMemo, useRef } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import { Button } from '../parts/Button.tsx'
import { ComfortBar } from '../parts/ComfortBar.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { useEngine, usePage, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { Icon } from '../parts/Icon.tsx'
import { ItemCard } from '../parts/ItemCard.tsx'
import { useSizes } from '../parts/use-sizes.ts'
import { columnsOf } from '../sizes.ts'
import { Search } from './Search.tsx'

/** More than this is not looked through: it can be searched. */
const browsedCountMax = 24

/** Rows drawn above and below what is seen, so that a swipe never meets a gap. */
const rowsAhead = 2
/** A shelf of so many is drawn whole: it costs nothing, and all of it can be found by keys, voices and drivers. */
const drawnWholeMax = 60

/** More would be too narrow for a word in large type. */
const chipsInRowMax = 4

/** Of the height that is seen, with one press of a button. */
const pageShare = 0.85

export function Catalogue(): ReactElement {
  const query = usePage((state) => state.shelf.query)
  return query === undefined ? <Shelves /> : <Search query={query} />
}

function Shelves(): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const { catalogue, categories } = useStatus()
  const { categoryId, topPx } = usePage((state) => state.shelf)
  const { widthPx, heightPx, sizes } = useSizes()
  const known = useMemo(() => {
    const filled = new Set(catalogue.map(({ category }) => category))
    return categories.filter(({ id }) => filled.has(id))
  }, [catalogue, categories])
  const chosen = known.some(({ id }) => id === categoryId) ? categoryId : undefined
  const items = useMemo(
    () => (chosen === undefined ? catalogue : catalogue.filter(({ category }) => category === chosen)),
    [catalogue, chosen],
  )
  const landscape = widthPx > heightPx
  const rail = known.length > 1
  // The rail takes the place of a column, or a row of its own.
  const columns = columnsOf({
    widthPx: rail && landscape ? widthPx * 0.8 : widthPx,
    heightPx,
    items: rail ? catalogue.length : items.length,
    text: sizes.text,
  })
  const scroller = useRef<HTMLDivElement>(null)
  const gapPx = sizes.space * 1.6
  const rows = useVirtualizer({
    count: Math.ceil(items.length / columns),
    getScrollElement: () => scroller.current,
    // Until the first row has been measured: a picture, two lines and a price.
    estimateSize: () => (widthPx / columns) * 0.72 + sizes.text * 5,
    overscan: items.length <= drawnWholeMax ? items.length : rowsAhead,
    gap: gapPx,
    initialOffset: topPx,
    // So that the first drawing has its cards already.
    initialRect: { width: widthPx, height: heightPx },
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was measured is another size in another layout.
  useLayoutEffect(() => rows.measure(), [columns, sizes, heightPx, chosen])
  const open = useCallback(
    ({ id }: CatalogueItem) => {
      engine.browse({ topPx: scroller.current?.scrollTop ?? 0 })
      engine.open({ name: 'item', itemId: id })
    },
    [engine],
  )
  const choose = (wanted: string | undefined) => {
    engine.browse({ categoryId: wanted })
    scroller.current?.scrollTo({ top: 0 })
  }
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
      <div className={rail ? 'catalogue catalogue-railed' : 'catalogue'}>
        <div className="catalogue-head">
          <h1 className="title">{words.catalogue.headline}</h1>
          {catalogue.length > browsedCountMax && (
            <Button action="search" aria-label={words.search.open} onClick={() => engine.browse({ query: '' })}>
              <Icon name="search" /> <span>{words.search.open}</span>
            </Button>
          )}
          <PageButtons rows={rows} scroller={scroller} />
        </div>
        {rail && (
          <nav
            className="rail"
            aria-label={words.catalogue.shelves}
            data-grid=""
            style={{ '--columns': chipsInRow(known.length + 1) }}
          >
            <Button action="category" aria-pressed={chosen === undefined} onClick={() => choose(undefined)}>
              {words.catalogue.all}
            </Button>
            {known.map(({ id, title }) => (
              <Button key={id} action="category" data-key={id} aria-pressed={id === chosen} onClick={() => choose(id)}>
                <ContentText texts={title} />
              </Button>
            ))}
          </nav>
        )}
        <Shelf rows={rows} scroller={scroller} items={items} columns={columns} onPress={open} />
      </div>
    </Frame>
  )
}

/** Rows of equal length, so that no chip is left alone. */
function chipsInRow(count: number): number {
  return Math.ceil(count / Math.ceil(count / chipsInRowMax))
}

type Rows = Virtualizer<HTMLDivElement, Element>

interface ShelfProps {
  readonly rows: Rows
  readonly scroller: RefObject<HTMLDivElement | null>
  readonly items: readonly CatalogueItem[]
  readonly columns: number
  readonly onPress: (item: CatalogueItem) => void
}

/** Only the rows that are seen, and some ahead, are drawn; what is above and below them is left free. */
function Shelf({ rows, scroller, items, columns, onPress }: ShelfProps): ReactElement {
  const drawn = rows.getVirtualItems()
  const [first, last] = [drawn[0], drawn.at(-1)]
  const from = (first?.index ?? 0) * columns
  const to = ((last?.index ?? -1) + 1) * columns
  const shape = columns === 1 ? 'shelf-rows' : items.length <= columns ? 'shelf-row' : ''
  return (
    <div className="shelf" ref={scroller}>
      <ul
        className={`shelf-items ${shape}`}
        data-grid=""
        style={{
          '--columns': columns,
          paddingBlockStart: first?.start ?? 0,
          paddingBlockEnd: rows.getTotalSize() - (last?.end ?? 0),
        }}
      >
        {items.slice(from, to).map((item, at) => (
          <li
            key={item.id}
            aria-setsize={items.length}
            aria-posinset={from + at + 1}
            // The first of a row is as high as its row.
            {...(at % columns === 0 ? { ref: rows.measureElement, 'data-index': (from + at) / columns } : {})}
          >
            <ItemCard item={item} onPress={onPress} />
          </li>
        ))}
      </ul>
    </div>
  )
}

/** For whoever does not swipe: there only where there is more than is seen. */
function PageButtons({
  rows,
  scroller,
}: {
  rows: Rows
  scroller: RefObject<HTMLDivElement | null>
}): ReactElement | null {
  const { words } = useWords()
  const seenPx = rows.scrollRect?.height ?? 0
  const hiddenPx = rows.getTotalSize() - seenPx
  if (seenPx === 0 || hiddenPx < 2) return null
  const offset = rows.scrollOffset ?? 0
  const turn = (way: 1 | -1) => scroller.current?.scrollBy({ top: way * seenPx * pageShare, behavior: 'smooth' })
  return (
    <div className="page-buttons">
      <Button
        action="page-up"
        className="button-icon"
        aria-label={words.catalogue.up}
        disabled={offset < 2}
        onClick={() => turn(-1)}
      >
        <Icon name="up" />
      </Button>
      <Button
        action="page-down"
        className="button-icon"
        aria-label={words.catalogue.down}
        disabled={offset >= hiddenPx - 2}
        onClick={() => turn(1)}
      >
        <Icon name="down" />
      </Button>
    </div>
  )
}
