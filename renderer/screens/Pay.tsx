/** Where to hold the card; and, once it is there, that it must stay. */
import type { ReactElement } from 'react'
import type { KioskScreen } from '../../preload/contract.ts'
import { Button } from '../parts/Button.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { HoldStill } from '../parts/HoldStill.tsx'
import { Icon } from '../parts/Icon.tsx'
import { TapHint } from '../parts/TapHint.tsx'
import { TimeLeft } from '../parts/TimeLeft.tsx'

export function Pay({ screen }: { screen: Extract<KioskScreen, { name: 'pay' }> }): ReactElement {
  const engine = useEngine()
  const { words, money } = useWords()
  const { readerPosition } = useStatus()
  const { item, phase, endsAt } = screen
  if (phase === 'working') return <HoldStill screen="pay" />
  const twoCards = phase === 'twoCards'
  return (
    <Frame
      screen="pay"
      tone="paper"
      className={`reader-${readerPosition}`}
      actions={
        <>
          <Button action="cancel" onClick={() => void engine.cancel()}>
            <Icon name="close" /> {words.bar.cancel}
          </Button>
          <TimeLeft endsAt={endsAt} />
        </>
      }
    >
      <div className="tap" data-phase={phase}>
        <div className="tap-words">
          <p className="tap-item">
            <ContentText texts={item.title} />
            <strong className="tap-price">{money(item.priceMinor)}</strong>
          </p>
          <h1 className="display" aria-live="assertive">
            {twoCards ? words.pay.twoCards : words.pay.headline}
          </h1>
          <p className="lead">{twoCards ? words.pay.twoCardsTodo : words.pay.where[readerPosition]}</p>
        </div>
        <TapHint reader={readerPosition} away={twoCards} />
      </div>
    </Frame>
  )
}
