/** The card's PIN, key by key: every digit goes to main at once, and the page knows only how many there are. */
import type { ReactElement } from 'react'
import { type KioskScreen, type PinKey, pinKeys } from '../../preload/contract.ts'
import { Button } from '../parts/Button.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { Countdown } from '../parts/Countdown.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { HoldStill } from '../parts/HoldStill.tsx'
import { Icon } from '../parts/Icon.tsx'
import { TapHint } from '../parts/TapHint.tsx'

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
      className={`reader-${readerPosition}`}
      actions={
        <>
          <Button action="cancel" onClick={() => void engine.cancel()}>
            <Icon name="close" /> {words.bar.cancel}
          </Button>
          <Countdown key={endsAt} endsAt={endsAt} label={words.pay.seconds} />
        </>
      }
    >
      <div className="tap" data-phase={phase}>
        <div className="tap-words">
          <p className="tap-item">
            <ContentText texts={item.title} />
            <strong>{money(amountMinor)}</strong>
          </p>
          <h1 className="display" aria-live="assertive">
            {tapping ? words.pin.tap : words.pin.headline}
          </h1>
          {phase === 'wrong' && (
            <p className="lead missing" role="alert">
              {words.pin.wrong}
            </p>
          )}
          {phase === 'wrongCard' && (
            <p className="lead missing" role="alert">
              {words.recover.wrongCard}
            </p>
          )}
          <p className="lead">{tapping ? words.pay.where[readerPosition] : words.pin.tries(triesLeft)}</p>
        </div>
        {tapping ? <TapHint reader={readerPosition} away={false} /> : <Keys screen={screen} />}
      </div>
    </Frame>
  )
}

function Keys({ screen }: { screen: PinScreen }): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const { digits, digitsMin, digitsMax } = screen
  return (
    <div className="pin" dir="ltr">
      <p className="pin-digits" role="status" aria-label={words.pin.entered(digits)}>
        {Array.from({ length: Math.max(digitsMin, digits) }, (_, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a place is all that a hidden digit is
          <span key={place} data-filled={place < digits} />
        ))}
      </p>
      <div className="pin-keys">
        {keyRows.map((key) => (
          <Button
            key={key}
            action="pin-key"
            data-key={key}
            weight={key === 'enter' ? 'main' : 'quiet'}
            aria-label={key === 'back' ? words.pin.back : key === 'enter' ? words.pin.enter : key}
            disabled={key === 'enter' ? digits < digitsMin : key === 'back' ? digits === 0 : digits >= digitsMax}
            onClick={() => void engine.pinKey(key)}
          >
            {key === 'back' ? <Icon name="backspace" /> : key === 'enter' ? <Icon name="tick" /> : key}
          </Button>
        ))}
      </div>
    </div>
  )
}

/** The keys of a keypad or keyboard that mean the same. */
export const pinKeyOf = (key: string): PinKey | undefined =>
  key === 'Backspace' ? 'back' : key === 'Enter' ? 'enter' : pinKeys.find((known) => known === key)
