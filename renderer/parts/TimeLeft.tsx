/** At the foot of a screen that main ends: the time that is left, and in its last seconds the question for more. */
import { type ReactElement, useState } from 'react'
import { askedForTime } from '../store.ts'
import { Button } from './Button.tsx'
import { ComfortBar } from './ComfortBar.tsx'
import { Countdown } from './Countdown.tsx'
import { useEngine, usePage, useWords } from './engine-context.ts'

export function TimeLeft({ endsAt }: { endsAt: string }): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const asked = usePage(askedForTime)
  /** Main gives more time only so often: what it left as it was is not offered again. */
  const [wishedAt, setWishedAt] = useState<string>()
  return (
    <div className="time-left">
      {asked ? (
        <>
          <p role="alert">{words.idle.ending}</p>
          {wishedAt !== endsAt && (
            <Button
              action="stay"
              weight="main"
              onClick={() => {
                setWishedAt(endsAt)
                void engine.stay()
              }}
            >
              {words.idle.more}
            </Button>
          )}
        </>
      ) : (
        <ComfortBar />
      )}
      <Countdown key={endsAt} endsAt={endsAt} label={words.pay.seconds} />
    </div>
  )
}
