/** Invites: what there is, from what price, in which languages, and that a card can be looked into. Any touch starts. */
import type { ReactElement } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import { Button } from '../parts/Button.tsx'
import { ComfortToggles } from '../parts/ComfortBar.tsx'
import { Cover } from '../parts/Cover.tsx'
import { useEngine, usePage, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { HelpLine } from '../parts/HelpLine.tsx'
import { Icon } from '../parts/Icon.tsx'
import { LanguageButtons } from '../parts/Languages.tsx'
import { restsNow } from '../store.ts'

/** More would not be seen, and would cost the machine. */
const coversMax = 12

const rows = ['upper', 'lower'] as const
/** Covers in one turn of a row: wide enough for any screen, whatever there is to sell. */
const turnCoversMin = 6

/** A few of each shelf in turn, none of them sold out, so that the first glance shows how much there is. */
function shownOf(catalogue: readonly CatalogueItem[]): readonly CatalogueItem[] {
  const shelves = Map.groupBy(
    catalogue.filter(({ stock }) => stock !== 0),
    ({ category }) => category,
  )
  const places = [...shelves.values()].flatMap((items) => items.map((item, place) => ({ item, place })))
  return places
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item)
    .slice(0, coversMax)
}

/** Two equal turns, so that a row can drift for ever; each row has its own half of what is shown. */
function placesOf(row: (typeof rows)[number], count: number): readonly { key: string; place: number }[] {
  if (count === 0) return []
  const own = count < turnCoversMin ? count : Math.ceil(count / 2)
  const first = row === 'upper' ? 0 : Math.floor(count / 2)
  const turn = Math.ceil(turnCoversMin / own) * own
  return Array.from({ length: turn * 2 }, (_, at) => ({ key: `${row}-${at}`, place: (first + (at % own)) % count }))
}

export function Attract(): ReactElement {
  const engine = useEngine()
  const { words, money } = useWords()
  const { catalogue } = useStatus()
  const resting = usePage(restsNow)
  const cheapestMinor = catalogue.length === 0 ? undefined : Math.min(...catalogue.map((item) => item.priceMinor))
  const start = () => engine.open({ name: 'catalogue' })
  return (
    <Frame
      screen="attract"
      tone="ink"
      className={resting ? 'resting' : ''}
      actions={
        <>
          <LanguageButtons onChosen={start} />
          <div className="comfort">
            <ComfortToggles />
          </div>
        </>
      }
    >
      <div className="attract-start">
        <Covers items={shownOf(catalogue)} />
        <div className="attract-words">
          <h1 className="display">{words.attract.headline}</h1>
          <p className="lead">
            {cheapestMinor !== undefined && <strong>{words.attract.from(money(cheapestMinor))} </strong>}
            <span className="attract-how">{words.attract.how}</span>
          </p>
          <Button action="start" weight="main" className="attract-call" onClick={start}>
            <span>{words.attract.start}</span>
          </Button>
          <p className="attract-balance">
            <Icon name="card" /> {words.attract.balance}
          </p>
          <HelpLine />
        </div>
      </div>
    </Frame>
  )
}

function Covers({ items }: { items: readonly CatalogueItem[] }): ReactElement {
  const { money } = useWords()
  return (
    <span className="attract-covers" aria-hidden="true">
      {rows.map((row) => (
        <span className="attract-drift" key={row}>
          {placesOf(row, items.length).map(({ key, place }) => {
            const item = items[place]
            return (
              item !== undefined && (
                <span className="attract-cover" key={key}>
                  <Cover item={item} />
                  <span className="mark">{money(item.priceMinor)}</span>
                </span>
              )
            )
          })}
        </span>
      ))}
    </span>
  )
}
