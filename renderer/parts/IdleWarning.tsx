/** Asks before an untouched screen goes back to the start; any touch stays. */
import type { ReactElement } from 'react'
import { idleNow } from '../store.ts'
import { Button } from './Button.tsx'
import { useEngine, usePage, useWords } from './engine-context.ts'

export function IdleWarning(): ReactElement | null {
  const engine = useEngine()
  const secondsLeft = usePage((state) => {
    const idle = idleNow(state)
    return idle.name === 'warning' ? idle.secondsLeft : undefined
  })
  const { words, language } = useWords()
  if (secondsLeft === undefined) return null
  return (
    <div className="veil" lang={language}>
      <div className="sheet" role="alertdialog" aria-labelledby="idle-question">
        <h2 id="idle-question">{words.idle.question}</h2>
        <p>{words.idle.left(secondsLeft)}</p>
        <Button action="stay" weight="main" onClick={() => engine.touch()}>
          {words.idle.stay}
        </Button>
      </div>
    </div>
  )
}
