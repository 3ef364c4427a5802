/** Language, contrast, size of type, reach and speech: five signs, the same on every screen with time for them. */
import type { ReactElement } from 'react'
import type { ComfortSwitch } from '../store.ts'
import { Button } from './Button.tsx'
import { useEngine, usePage, useWords } from './engine-context.ts'
import { Icon, type IconName } from './Icon.tsx'
import { LanguageSwitch } from './Languages.tsx'
import { useSizes } from './use-sizes.ts'

export function ComfortBar(): ReactElement {
  return (
    <div className="comfort">
      <LanguageSwitch />
      <ComfortToggles />
    </div>
  )
}

export function ComfortToggles(): ReactElement {
  const { words } = useWords()
  const { canLower } = useSizes()
  return (
    <>
      <Toggle comfort="highContrast" action="contrast" label={words.bar.contrast} icon="contrast" />
      <Toggle comfort="largeType" action="large-type" label={words.bar.largeType} />
      {canLower && <Toggle comfort="inReach" action="reach" label={words.bar.reach} icon="wheelchair" />}
      <SpeechSwitch />
    </>
  )
}

/** On every screen, also where there is room for nothing else. */
export function SpeechSwitch(): ReactElement {
  const { words } = useWords()
  return <Toggle comfort="spoken" action="speech" label={words.bar.speech} icon="ear" />
}

interface ToggleProps {
  readonly comfort: ComfortSwitch
  readonly action: string
  readonly label: string
  /** Without one: the letter of this language, small and large. */
  readonly icon?: IconName
}

function Toggle({ comfort, action, label, icon }: ToggleProps): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const pressed = usePage((state) => state.comfort[comfort])
  return (
    <Button
      action={action}
      className="button-icon"
      aria-label={label}
      aria-pressed={pressed}
      onClick={() => engine.toggle(comfort)}
    >
      {icon === undefined ? <span className="type-sign" data-sign={words.bar.typeSign} /> : <Icon name={icon} />}
    </Button>
  )
}
