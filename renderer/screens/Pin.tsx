/** The card's PIN, key by key: every digit goes to main at once, and the page knows only how many there are. */
import { type ReactElement, useEffect } from 'react'
import { type KioskScreen, type PinKey, pinKeys } from '../../preload/contract.ts'
import { goBack, reachable } from '../keypad.ts'
import { Button } from '../parts/Button.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { HoldStill } from '../parts/HoldStill.tsx'
import { Icon } from '../parts/Icon.tsx'
import { TapHint } from '../parts/TapHint.tsx'
import { TimeLeft } from '../parts/TimeLeft.tsx'

type PinScreen = Extract<KioskScreen, { name: 'pin' }>

/** As on a telephone, whatever the language's direction. */
const keyRows: readonly PinKey[] = ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'back', '0', 'enter']

export function Pin({ screen }: { screen: PinScreen }): ReactElement {
  const engine = useEngine()
  const { words, money } = useWords()
  const { readerPosition } = useStatus()
  const { item, amountMinor, phase, endsAt, triesLeft } = screen
  if (phase === 'working') return <HoldStill screen="pin" />
  const tapping = phase === 'tap' || phase === 'wrongCard'
  return (
    <Frame
      screen="pin"
      tone="paper"
      className={tapping ? `reader-${readerPosition}` : ''}
      actions={
        <>
          <Button action="cancel" onClick={() => void engine.cancel()}>
            <Icon name="close" /> {words.bar.cancel}
          </Button>
          <TimeLeft endsAt={endsAt} />
        </>
      }
    >
      <div className={tapping ? 'tap' : 'entry'} data-phase={phase}>
        <div className={tapping ? 'tap-words' : 'entry-words'}>
          <p className="tap-item">
            <ContentText texts={item.title} />
            <strong className="tap-price">{money(amountMinor)}</strong>
          </p>
          <h1 className="display">{tapping ? words.pin.tap : words.pin.headline}</h1>
          {(phase === 'wrong' || phase === 'wrongCard') && (
            <p className="lead missing" role="alert">
              <Icon name="close" /> {phase === 'wrong' ? words.pin.wrong : words.recover.wrongCard}
            </p>
          )}
          <p className="lead">{tapping ? words.pay.where[readerPosition] : words.pin.tries(triesLeft)}</p>
        </div>
        {tapping ? (
          <TapHint reader={readerPosition} away={false} />
        ) : (
          <PinKeys screen={screen} onKey={(key) => void engine.pinKey(key)} />
        )}
      </div>
    </Frame>
  )
}

export function PinKeys({
  screen,
  disabled = false,
  onKey,
}: {
  screen: Pick<PinScreen, 'digits' | 'digitsMin' | 'digitsMax'>
  disabled?: boolean
  onKey: (key: PinKey) => void
}): ReactElement {
  const { words } = useWords()
  const { digits, digitsMin, digitsMax } = screen
  const off = (key: PinKey) =>
    disabled || (key === 'enter' ? digits < digitsMin : key === 'back' ? digits === 0 : digits >= digitsMax)
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const key = pinKeyOf(event.key)
      if (key === undefined || event.ctrlKey || event.altKey || event.metaKey) return
      // Enter on a key that was reached by Tab presses that key.
      if (event.key === 'Enter' && reachable().some((element) => element === document.activeElement)) return
      event.preventDefault()
      if (event.repeat) return
      if (!off(key)) onKey(key)
      else if (event.key === '*') goBack()
    }
    window.addEventListener('keydown', press, { capture: true })
    return () => window.removeEventListener('keydown', press, { capture: true })
  })
  return (
    <div className="pin" dir="ltr">
      <p className="unseen">{words.speech.pinKeys}</p>
      <p className="pin-digits" role="status" aria-label={words.pin.entered(digits)}>
        {Array.from({ length: Math.max(digitsMin, digits) }, (_, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a place is all that a hidden digit is
          <span key={place} data-filled={place < digits} />
        ))}
      </p>
      <div className="pin-keys" data-grid="">
        {keyRows.map((key) => (
          <Button
            key={key}
            action="pin-key"
            data-key={key}
            data-private={key === 'back' || key === 'enter' ? undefined : ''}
            weight={key === 'enter' ? 'main' : 'quiet'}
            aria-label={key === 'back' ? words.pin.back : key === 'enter' ? words.pin.enter : key}
            disabled={off(key)}
            onClick={() => onKey(key)}
          >
            {key === 'back' ? <Icon name="backspace" /> : key === 'enter' ? <Icon name="tick" /> : key}
          </Button>
        ))}
      </div>
    </div>
  )
}

const keysOf: Readonly<Record<string, PinKey>> = { Backspace: 'back', '*': 'back', Enter: 'enter', '#': 'enter' }

/** The keys of a keypad or keyboard that mean the same. */
export const pinKeyOf = (key: string): PinKey | undefined =>
  (Object.hasOwn(keysOf, key) ? keysOf[key] : undefined) ?? pinKeys.find((known) => known === key)
