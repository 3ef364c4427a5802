/** Language, contrast and size of type: within reach wherever the customer has time. */
import type { ReactElement } from 'react'
import { Button } from './Button.tsx'
import { useEngine, usePage, useWords } from './engine-context.ts'
import { Icon } from './Icon.tsx'
import { LanguageSwitch } from './Languages.tsx'

export function ComfortBar(): ReactElement {
  return (
    <div className="comfort">
      <LanguageSwitch />
      <ComfortToggles />
    </div>
  )
}

export function ComfortToggles(): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const { highContrast, largeType } = usePage((state) => state.comfort)
  return (
    <>
      <Button
        action="contrast"
        className="button-icon"
        aria-label={words.bar.contrast}
        aria-pressed={highContrast}
        onClick={() => engine.toggleContrast()}
      >
        <Icon name="contrast" />
      </Button>
      <Button
        action="large-type"
        className="button-icon"
        aria-label={words.bar.largeType}
        aria-pressed={largeType}
        onClick={() => engine.toggleLargeType()}
      >
        <span className="type-sign" aria-hidden="true">
          <span>{words.bar.typeSign}</span>
          <span>{words.bar.typeSign}</span>
        </span>
      </Button>
    </>
  )
}
