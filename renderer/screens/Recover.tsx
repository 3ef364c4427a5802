/** The card left too soon: the same card again ends it, and nobody is charged twice. */
import type { ReactElement } from 'react'
import type { KioskScreen } from '../../preload/contract.ts'
import { Button } from '../parts/Button.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { HoldStill } from '../parts/HoldStill.tsx'
import { TapHint } from '../parts/TapHint.tsx'
import { TimeLeft } from '../parts/TimeLeft.tsx'

export function Recover({ screen }: { screen: Extract<KioskScreen, { name: 'recover' }> }): ReactElement {
  const engine = useEngine()
  const { words, money } = useWords()
  const { readerPosition } = useStatus()
  const { item, amountMinor, phase, endsAt } = screen
  if (phase === 'working') return <HoldStill screen="recover" />
  const wrong = phase === 'wrongCard'
  return (
    <Frame
      screen="recover"
      tone="stop"
      className={`reader-${readerPosition}`}
      actions={
        <>
          <Button action="finish" onClick={() => void engine.finish()}>
            {words.bar.leave}
          </Button>
          <TimeLeft endsAt={endsAt} />
        </>
      }
    >
      <div className="tap" data-phase={phase}>
        <div className="tap-words">
          <p className="tap-item">
            <ContentText texts={item.title} />
            <strong>{words.recover.unfinished(money(amountMinor))}</strong>
          </p>
          <h1 className="display" aria-live="assertive">
            {wrong ? words.recover.wrongCard : words.recover.waiting}
          </h1>
          <p className="lead">{wrong ? words.recover.wrongCardWhy : words.recover.waitingWhy}</p>
          <p className="leave-hint">{words.recover.leaveHint}</p>
        </div>
        <TapHint reader={readerPosition} />
      </div>
    </Frame>
  )
}
