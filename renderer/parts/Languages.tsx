/** The languages of this kiosk, each by its own name: on the first screen in a row, elsewhere behind one button. */
import { type ReactElement, useEffect, useRef, useState } from 'react'
import { dictionaryOf } from '../language/language.ts'
import { Button } from './Button.tsx'
import { useEngine, useStatus, useWords } from './engine-context.ts'
import { Icon } from './Icon.tsx'

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
  useEffect(() => {
    sheet.current?.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus()
    const leave = (event: KeyboardEvent) => {
      if (event.key === 'Escape') close()
    }
    window.addEventListener('keydown', leave)
    return () => window.removeEventListener('keydown', leave)
  }, [close])
  return (
    <div className="veil">
      <div ref={sheet} className="sheet" role="dialog" aria-modal="true" aria-labelledby="languages-title">
        <h2 id="languages-title">{words.bar.language}</h2>
        <LanguageButtons onChosen={close} />
        <Button action="close-languages" onClick={close}>
          <Icon name="close" /> {words.bar.cancel}
        </Button>
      </div>
    </div>
  )
}
