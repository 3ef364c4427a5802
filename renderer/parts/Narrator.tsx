/**
 * The spoken kiosk: says each screen, what has the focus and what happens, and shows at the foot what it says. Any key
 * or touch silences it at once. It is there only as long as the customer wants it.
 */
import { type ReactElement, useEffect, useMemo, useRef, useState } from 'react'
import { reachable, topLayer } from '../keypad.ts'
import { controlIn, type Line, linesOf, newLines, systemVoice, systemVoices } from '../speech.ts'
import { Button } from './Button.tsx'
import { useEngine, usePage, useStatus, useWords } from './engine-context.ts'
import { Icon } from './Icon.tsx'

export function Narrator(): ReactElement | null {
  const spoken = usePage((state) => state.comfort.spoken)
  useEffect(() => {
    systemVoices()
  }, [])
  return spoken ? <Speaking /> : null
}

/** The dialog, or the screen: what is spoken whole when it comes. */
function seenNow(): { readonly layer: Element; readonly name: string } {
  const top = topLayer()
  const screen = document.querySelector<HTMLElement>('main')
  if (top !== document.body) return { layer: top, name: top.getAttribute('aria-labelledby') ?? '' }
  return { layer: screen ?? top, name: screen?.dataset.screen ?? '' }
}

/** The transcript shows what is heard now. */
function follow(text: string): void {
  const lines = [...document.querySelectorAll('.transcript-text span')]
  lines.find((line) => line.textContent?.trim() === text)?.scrollIntoView({ block: 'nearest' })
}

function useNarration(): { readonly lines: readonly Line[]; readonly again: () => void } {
  const { words, language } = useWords()
  const { volume } = useStatus()
  const rate = usePage((state) => state.comfort.speechRate)
  const helpCount = usePage((state) => state.helpCount)
  const [lines, setLines] = useState<readonly Line[]>([])
  const engine = useEngine()
  const voice = useMemo(() => systemVoice(engine), [engine])
  const manner = useRef({ rate, volume, words, language })
  manner.current = { rate, volume, words, language }
  const say = useRef((said: readonly Line[], now: boolean) => {
    if (said.length === 0) return
    if (now) voice.hush()
    voice.say(said, { ...manner.current, onLine: ({ text }) => follow(text) })
    setLines(said)
  })

  /** The screen, how much can be chosen there, and on request by which keys. */
  const whole = useRef((withKeys: boolean): readonly Line[] => {
    const { layer } = seenNow()
    const { words: spokenWords, language: spokenLanguage } = manner.current
    const count = reachable(layer).length
    const hints = [
      ...(count === 0 ? [] : [spokenWords.speech.choices(count)]),
      ...(withKeys ? [spokenWords.speech.keys] : []),
    ]
    return [...linesOf(layer), ...hints.map((text) => ({ text, language: spokenLanguage }))]
  })

  useEffect(() => {
    const hush = () => voice.hush()
    for (const event of ['keydown', 'pointerdown'] as const) window.addEventListener(event, hush, { capture: true })
    return () => {
      for (const event of ['keydown', 'pointerdown'] as const)
        window.removeEventListener(event, hush, { capture: true })
      hush()
    }
  }, [voice])

  // What changes on the page and where the focus goes belong together: both are said once the page has settled.
  useEffect(() => {
    let before: { name: string; lines: readonly Line[] } = { name: '', lines: [] }
    let focused: Element | undefined
    let settling: number | undefined
    const settle = () => {
      settling = undefined
      const { layer, name } = seenNow()
      const present = linesOf(layer)
      const control = focused === undefined ? [] : controlIn(focused, manner.current.words)
      if (name !== before.name) say.current([...whole.current(before.name === ''), ...control], true)
      else if (focused !== undefined) say.current([...newLines(before.lines, present), ...control], true)
      else say.current(newLines(before.lines, present), false)
      before = { name, lines: present }
      focused = undefined
    }
    const changed = () => {
      settling ??= requestAnimationFrame(settle)
    }
    const focus = ({ target }: Event) => {
      if (target instanceof Element) focused = target
      changed()
    }
    const watch = new MutationObserver(changed)
    watch.observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
      attributeFilter: ['aria-label', 'aria-pressed'],
    })
    document.addEventListener('focusin', focus)
    // A bar that was moved says where it is now.
    document.addEventListener('input', focus)
    changed()
    return () => {
      watch.disconnect()
      document.removeEventListener('focusin', focus)
      document.removeEventListener('input', focus)
      if (settling !== undefined) cancelAnimationFrame(settling)
    }
  }, [])

  const helped = useRef(helpCount)
  useEffect(() => {
    if (helped.current === helpCount) return
    helped.current = helpCount
    say.current(whole.current(true), true)
  }, [helpCount])

  return { lines, again: () => say.current(whole.current(false), true) }
}

function Speaking(): ReactElement {
  const engine = useEngine()
  const { words, language } = useWords()
  const { lines, again } = useNarration()
  return (
    <aside className="transcript tone-ink" aria-label={words.speech.transcript} lang={language}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keypad. */}
      <div className="transcript-text" role="log" aria-live="polite" aria-label={words.speech.transcript} tabIndex={0}>
        {lines.map((line) => (
          <span key={line.text} lang={line.language}>
            {line.text}{' '}
          </span>
        ))}
      </div>
      <div className="comfort">
        <Button action="speech-again" className="button-icon" aria-label={words.speech.repeat} onClick={again}>
          <Icon name="again" />
        </Button>
        <Button
          action="speech-slower"
          className="button-icon"
          aria-label={words.speech.slower}
          onClick={() => engine.changeSpeechRate(-1)}
        >
          <Icon name="slower" />
        </Button>
        <Button
          action="speech-faster"
          className="button-icon"
          aria-label={words.speech.faster}
          onClick={() => engine.changeSpeechRate(1)}
        >
          <Icon name="faster" />
        </Button>
      </div>
    </aside>
  )
}
