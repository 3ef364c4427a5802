/** Finding an item by a few letters, on keys on the screen or real ones: what fits stands above them as they are typed. */
import { type ReactElement, useEffect, useMemo } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import { Button } from '../parts/Button.tsx'
import { SpeechSwitch } from '../parts/ComfortBar.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { Icon } from '../parts/Icon.tsx'
import { ItemCard } from '../parts/ItemCard.tsx'
import { Keyboard } from '../parts/Keyboard.tsx'
import { found, indexOf } from '../search.ts'

/** Whoever sees more than this types another letter. */
const shownCountMax = 40
const queryLengthMax = 40

export function Search({ query }: { query: string }): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const { catalogue, categories } = useStatus()
  const index = useMemo(() => indexOf(catalogue, categories), [catalogue, categories])
  const items = useMemo(() => found(index, query), [index, query])
  const type = (letter: string) => engine.browse({ query: `${query}${letter}`.slice(0, queryLengthMax) })
  const drop = () => engine.browse({ query: [...query].slice(0, -1).join('') })
  const close = () => engine.browse({ query: undefined })
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return
      if (/^\p{L}$/u.test(event.key)) type(event.key)
      else if (event.key === 'Backspace') drop()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  })
  return (
    <Frame screen="catalogue" tone="paper" className="search-screen">
      <div className="search">
        <h1 className="unseen">{words.search.open}</h1>
        <div className="search-line">
          <Button action="back" className="button-icon" aria-label={words.search.close} onClick={close}>
            <Icon name="back" />
          </Button>
          <p className="search-query" role="status" aria-label={`${words.search.query}: ${query}`}>
            <Icon name="search" />
            {query === '' ? (
              <span className="search-hint">{words.search.hint}</span>
            ) : (
              <bdi className="search-typed">{query}</bdi>
            )}
          </p>
          <SpeechSwitch />
        </div>
        <p className="unseen" role="status">
          {words.search.found(items.length)}
        </p>
        {items.length === 0 ? <Nothing query={query} onEverything={close} /> : <Found items={items} />}
        <Keyboard type={type} drop={drop} empty={query === ''} />
      </div>
    </Frame>
  )
}

function Found({ items }: { items: readonly CatalogueItem[] }): ReactElement {
  const engine = useEngine()
  return (
    <div className="shelf">
      <ul className="search-found" data-grid="">
        {items.slice(0, shownCountMax).map((item) => (
          <li key={item.id}>
            <ItemCard small item={item} onPress={({ id }) => engine.open({ name: 'item', itemId: id })} />
          </li>
        ))}
      </ul>
    </div>
  )
}

function Nothing({ query, onEverything }: { query: string; onEverything: () => void }): ReactElement {
  const { words } = useWords()
  return (
    <div className="search-nothing">
      <div>
        <p className="lead">{words.search.nothing(query)}</p>
        <p>{words.search.nothingTodo}</p>
      </div>
      <Button action="everything" onClick={onEverything}>
        {words.search.everything}
      </Button>
    </div>
  )
}
