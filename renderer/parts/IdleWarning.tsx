/** Asks before an untouched screen goes back to the start; any touch stays. */
import { type ReactElement, useRef } from 'react'
import { idleNow } from '../store.ts'
import { Button } from './Button.tsx'
import { useEngine, usePage, useWords } from './engine-context.ts'
import { useDialogFocus } from './use-focus.ts'

export function IdleWarning(): ReactElement | null {
  const secondsLeft = usePage((state) => {
    const idle = idleNow(state)
    return idle.name === 'warning' ? idle.secondsLeft : undefined
  })
  return secondsLeft === undefined ? null : <Question secondsLeft={secondsLeft} />
}

function Question({ secondsLeft }: { secondsLeft: number }): ReactElement {
  const engine = useEngine()
  const { words, language } = useWords()
  const sheet = useRef<HTMLDivElement>(null)
  useDialogFocus(sheet, '[data-action="stay"]')
  return (
    <div className="veil" lang={language}>
      <div
        ref={sheet}
        className="sheet tone-paper"
        role="alertdialog"
        aria-modal="true"
        aria-labelledby="idle-question"
      >
        <h2 id="idle-question">{words.idle.question}</h2>
        <p role="timer">{words.idle.left(secondsLeft)}</p>
        <Button action="stay" weight="main" data-back="" onClick={() => engine.touch()}>
          {words.idle.stay}
        </Button>
      </div>
    </div>
  )
}
