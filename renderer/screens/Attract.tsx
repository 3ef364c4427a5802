/** Invites: what there is, from what price, in which languages. Any touch starts. */
import type { ReactElement } from 'react'
import { Button } from '../parts/Button.tsx'
import { ComfortToggles } from '../parts/ComfortBar.tsx'
import { Cover } from '../parts/Cover.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { LanguageButtons } from '../parts/Languages.tsx'

/** More would not be seen, and would cost the machine. */
const coversMax = 8

const rows = ['upper', 'lower'] as const
/** Covers in one turn of a row: wide enough for any screen, whatever there is to sell. */
const turnCoversMin = 6

/** Two equal turns, so that a row can drift for ever; the lower row starts elsewhere. */
function placesOf(row: (typeof rows)[number], count: number): readonly { key: string; place: number }[] {
  if (count === 0) return []
  const turn = Math.ceil(turnCoversMin / count) * count
  const first = row === 'upper' ? 0 : Math.ceil(count / 2)
  return Array.from({ length: turn * 2 }, (_, at) => ({ key: `${row}-${at}`, place: (first + at) % count }))
}

export function Attract(): ReactElement {
  const engine = useEngine()
  const { words, money } = useWords()
  const { catalogue } = useStatus()
  const cheapestMinor = catalogue.length === 0 ? undefined : Math.min(...catalogue.map((item) => item.priceMinor))
  const shown = catalogue.slice(0, coversMax)
  const start = () => engine.open({ name: 'catalogue' })
  return (
    <Frame
      screen="attract"
      tone="ink"
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
        <span className="attract-covers" aria-hidden="true">
          {rows.map((row) => (
            <span className="attract-drift" key={row}>
              {placesOf(row, shown.length).map(({ key, place }) => {
                const item = shown[place]
                return (
                  item !== undefined && (
                    <span className="attract-cover" key={key}>
                      <Cover item={item} />
                    </span>
                  )
                )
              })}
            </span>
          ))}
        </span>
        <div className="attract-words">
          <h1 className="display">{words.attract.headline}</h1>
          <p className="lead">
            {cheapestMinor !== undefined && <strong>{words.attract.from(money(cheapestMinor))} </strong>}
            {words.attract.how}
          </p>
          <Button action="start" weight="main" className="attract-call" onClick={start}>
            <span>{words.attract.start}</span>
          </Button>
        </div>
      </div>
    </Frame>
  )
}
