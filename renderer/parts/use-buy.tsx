/** Buying an item: at once, or after the customer has said that he is old enough for it. */
import { type ReactElement, type ReactNode, useRef, useState } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import { Button } from './Button.tsx'
import { useEngine, useWords } from './engine-context.ts'
import { useDialogFocus } from './use-focus.ts'

/** `question` is to stand on the screen: it is there while it is asked. */
export function useBuy(): { readonly buy: (item: CatalogueItem) => void; readonly question: ReactNode } {
  const engine = useEngine()
  const [asked, setAsked] = useState<CatalogueItem>()
  const ageMin = asked?.ageMin
  return {
    buy: (item) => {
      if (item.ageMin === undefined) void engine.buy(item.id)
      else setAsked(item)
    },
    question:
      asked === undefined || ageMin === undefined ? undefined : (
        <AgeQuestion
          ageMin={ageMin}
          onYes={() => {
            setAsked(undefined)
            void engine.buy(asked.id, ageMin)
          }}
          onNo={() => setAsked(undefined)}
        />
      ),
  }
}

function AgeQuestion({ ageMin, onYes, onNo }: { ageMin: number; onYes: () => void; onNo: () => void }): ReactElement {
  const { words, count } = useWords()
  const sheet = useRef<HTMLDivElement>(null)
  useDialogFocus(sheet, '[data-action="of-age"]')
  const years = count(ageMin)
  return (
    <div className="veil">
      <div ref={sheet} className="sheet tone-paper" role="dialog" aria-modal="true" aria-labelledby="age-question">
        <h2 id="age-question">{words.item.ageQuestion(years)}</h2>
        <p>{words.item.ageWhy(years)}</p>
        <div className="answers">
          <Button action="not-of-age" data-back="" onClick={onNo}>
            {words.item.no}
          </Button>
          <Button action="of-age" weight="main" onClick={onYes}>
            {words.item.yes}
          </Button>
        </div>
      </div>
    </div>
  )
}
