/** Language, contrast and size of type: within reach wherever the customer has time. */
import type { ReactElement } from 'react'
import { dictionaryOf } from '../language/language.ts'
import { Button } from './Button.tsx'
import { useEngine, usePage, useStatus, useWords } from './engine-context.ts'
import { Icon } from './Icon.tsx'

export function ComfortBar(): ReactElement {
  const engine = useEngine()
  const { words, language } = useWords()
  const { languages } = useStatus()
  const { highContrast, largeType } = usePage((state) => state.comfort)
  const nextLanguage = languages[(languages.indexOf(language) + 1) % languages.length]
  return (
    <div className="comfort">
      {nextLanguage !== undefined && nextLanguage !== language && (
        <Button
          action="language"
          data-language={nextLanguage}
          lang={nextLanguage}
          onClick={() => engine.setLanguage(nextLanguage)}
        >
          {dictionaryOf(nextLanguage).autonym}
        </Button>
      )}
      <ComfortToggles highContrast={highContrast} largeType={largeType} labels={words.bar} />
    </div>
  )
}

interface TogglesProps {
  readonly highContrast: boolean
  readonly largeType: boolean
  readonly labels: { readonly contrast: string; readonly largeType: string }
}

export function ComfortToggles({ highContrast, largeType, labels }: TogglesProps): ReactElement {
  const engine = useEngine()
  return (
    <>
      <Button
        action="contrast"
        className="button-icon"
        aria-label={labels.contrast}
        aria-pressed={highContrast}
        onClick={() => engine.toggleContrast()}
      >
        <Icon name="contrast" />
      </Button>
      <Button
        action="large-type"
        className="button-icon"
        aria-label={labels.largeType}
        aria-pressed={largeType}
        onClick={() => engine.toggleLargeType()}
      >
        <span className="type-sign" aria-hidden="true">
          <span>A</span>
          <span>A</span>
        </span>
      </Button>
    </>
  )
}
