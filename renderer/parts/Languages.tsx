/** The languages of this kiosk, each by its own name: on the first screen in a row, elsewhere behind one button. */
import { type ReactElement, useRef, useState } from 'react'
import { dictionaryOf } from '../language/language.ts'
import { Button } from './Button.tsx'
import { useEngine, usePage, useStatus, useWords } from './engine-context.ts'
import { Icon } from './Icon.tsx'
import { useDialogFocus } from './use-focus.ts'

export function LanguageButtons({ onChosen }: { onChosen: () => void }): ReactElement {
  const engine = useEngine()
  const { language } = useWords()
  const { languages } = useStatus()
  return (
    <div className="languages">
      {languages.map((tag) => (
        <Button
          key={tag}
          action="language"
          data-language={tag}
          lang={tag}
          aria-pressed={tag === language}
          onClick={() => {
            engine.setLanguage(tag)
            onChosen()
          }}
        >
          {dictionaryOf(tag).autonym}
        </Button>
      ))}
    </div>
  )
}

/** Nothing where there is but one language. */
export function LanguageSwitch(): ReactElement | null {
  const { words } = useWords()
  const { languages } = useStatus()
  const [open, setOpen] = useState(false)
  if (languages.length < 2) return null
  return (
    <>
      <Button
        action="languages"
        className="button-icon"
        aria-label={words.bar.language}
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <Icon name="globe" />
      </Button>
      {open && <LanguageSheet close={() => setOpen(false)} />}
    </>
  )
}

function LanguageSheet({ close }: { close: () => void }): ReactElement {
  const { words } = useWords()
  const sheet = useRef<HTMLDivElement>(null)
  const engine = useEngine()
  const lessMotion = usePage((state) => state.comfort.lessMotion)
  useDialogFocus(sheet, '[aria-pressed="true"]')
  return (
    <div className="veil">
      <div ref={sheet} className="sheet tone-paper" role="dialog" aria-modal="true" aria-labelledby="languages-title">
        <h2 id="languages-title">{words.bar.language}</h2>
        <LanguageButtons onChosen={close} />
        <div className="choices">
          <Button action="less-motion" aria-pressed={lessMotion} onClick={() => engine.toggle('lessMotion')}>
            <Icon name="still" /> {words.bar.lessMotion}
          </Button>
          <Button action="close-languages" data-back="" onClick={close}>
            <Icon name="close" /> {words.bar.close}
          </Button>
        </div>
      </div>
    </div>
  )
}
