/** Letters to press, where no keyboard is: as the language has them, and Latin ones one key away. */
import { type ReactElement, useState } from 'react'
import { figureKeys, keyboardsOf } from '../keyboard.ts'
import { directionOf } from '../language/bidi.ts'
import { roomOf } from '../sizes.ts'
import { Button } from './Button.tsx'
import { useWords } from './engine-context.ts'
import { Icon } from './Icon.tsx'
import { useSizes } from './use-sizes.ts'

interface KeyboardProps {
  readonly type: (letter: string) => void
  readonly drop: () => void
  readonly empty: boolean
}

export function Keyboard({ type, drop, empty }: KeyboardProps): ReactElement {
  const { words, language } = useWords()
  const { heightPx, sizes } = useSizes()
  const roomy = roomOf({ heightPx, text: sizes.text }) === 'ample'
  const keyboards = keyboardsOf(language)
  const [turned, setTurned] = useState(0)
  const rows = keyboards[turned % keyboards.length] ?? keyboards[0]
  return (
    // A keyboard stands as its letters are written: Arabic from the right, Latin from the left.
    <div className="keyboard" dir={turned === 0 ? directionOf(language) : 'ltr'} data-grid="">
      {[...(roomy ? [figureKeys] : []), ...rows].map((row) => (
        <div className="keyboard-row" key={row.join('')}>
          {row.map((key) => (
            <Button key={key} action="letter" data-key={key} className="key" onClick={() => type(key)}>
              {key}
            </Button>
          ))}
        </div>
      ))}
      <div className="keyboard-row">
        {keyboards.length > 1 && (
          <Button
            action="letters"
            className="key key-wide"
            aria-label={words.search.letters}
            onClick={() => setTurned((turned + 1) % keyboards.length)}
          >
            <span aria-hidden="true">
              {(keyboards[(turned + 1) % keyboards.length] ?? rows)[1]?.slice(0, 3).join(' ')}
            </span>
          </Button>
        )}
        <Button action="letter" data-key=" " className="key key-space" disabled={empty} onClick={() => type(' ')}>
          {words.search.space}
        </Button>
        <Button
          action="letter-back"
          className="key key-wide"
          aria-label={words.pin.back}
          disabled={empty}
          onClick={drop}
        >
          <Icon name="backspace" />
        </Button>
      </div>
    </div>
  )
}
