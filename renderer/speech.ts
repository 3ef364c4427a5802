/**
 * What is on the page, in words for somebody who does not see it, and the system's voice for it. Reads the page as it
 * stands, so that every screen is spoken without a script of its own: headings, paragraphs, list items and messages in
 * their order; of a control its name, what it is, and whether it is on. Figures that tick and decoration stay unsaid,
 * and so does what is marked `data-private`.
 */
import { type FarthingBridge, spokenLengthMax } from '../preload/contract.ts'
import { nearestOf } from '../protocol/language.ts'
import type { Dictionary } from './language/language.ts'

/** A piece of speech in one language. */
export interface Line {
  readonly text: string
  readonly language: string
}

const said = 'h1, h2, h3, p, li, [role="status"], [role="alert"]'
const unsaid = 'button, [aria-hidden="true"], [role="timer"], [role="img"], [data-private], svg, script, style'
/** A text that is read when it is reached, not with its screen; a short one says `data-said`. */
const readAtFocus = '[tabindex="0"]:not([data-said])'
/** Beyond it nobody listens; the text itself is there to be read again. */
const charactersMax = 4_000

/** A screen in words. */
export function linesOf(layer: Element): readonly Line[] {
  return [...layer.querySelectorAll<HTMLElement>(said)]
    .filter((element) => element.parentElement?.closest(said) === null)
    .filter((element) => element.closest(`${unsaid}, ${readAtFocus}`) === null && element.checkVisibility())
    .flatMap((element) => linesIn(element))
}

/** One element in words: its label, or its text by language. */
function linesIn(element: Element): readonly Line[] {
  const label = element.getAttribute('aria-label')
  if (label !== null) return [{ text: label, language: languageAt(element) }]
  const lines: { text: string; language: string }[] = []
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  let length = 0
  while (texts.nextNode() && length < charactersMax) {
    const { parentElement, textContent } = texts.currentNode
    const text = (textContent ?? '').replace(/[\s\u200b]+/g, ' ').trim()
    if (text === '' || parentElement === null || isUnsaid(parentElement, element)) continue
    length += text.length
    const language = languageAt(parentElement)
    const last = lines.at(-1)
    if (last?.language === language) last.text += ` ${text}`
    else lines.push({ text, language })
  }
  return lines
}

/** Within `element`, which itself is wanted. */
function isUnsaid(part: Element, element: Element): boolean {
  if (!part.checkVisibility()) return true
  const found = part.closest(unsaid)
  return found !== null && found !== element && element.contains(found)
}

function languageAt(element: Element): string {
  return element.closest<HTMLElement>('[lang]')?.lang ?? 'en'
}

/** What has the focus; nothing of a heading, which is spoken with its screen. */
export function controlIn(element: Element, words: Dictionary): readonly Line[] {
  const language = document.documentElement.lang
  if (element.matches('h1, h2, body')) return []
  const place = element.getAttribute('aria-valuetext')
  if (place !== null) return [...linesIn(element), { text: place, language }]
  if (element.matches('[data-private]')) return [{ text: words.speech.digitKey, language }]
  const name = linesIn(element)
  if (!element.matches('button')) return name
  const pressed = element.getAttribute('aria-pressed')
  const state = pressed === null ? words.speech.button : pressed === 'true' ? words.speech.on : words.speech.off
  return [...name, { text: state, language }]
}

/** `now` without what was said `before`. */
export function newLines(before: readonly Line[], now: readonly Line[]): readonly Line[] {
  const known = new Set(before.map(({ text }) => text))
  return now.filter(({ text }) => !known.has(text))
}

export interface Manner {
  readonly rate: number
  readonly volume: number
  /** Called as a line begins to be heard. */
  readonly onLine: (line: Line) => void
}

export interface Voice {
  /** After what it is saying now; hush() first to say it at once. */
  say(lines: readonly Line[], manner: Manner): void
  hush(): void
}

/** The machine's speech service, behind the bridge. */
export type SpeechService = Pick<FarthingBridge, 'speak' | 'hush'>

/** They come some time after the first who asks: asked at the page's start, they are there when somebody listens. */
export const systemVoices = (): readonly SpeechSynthesisVoice[] =>
  typeof window.speechSynthesis === 'object' ? window.speechSynthesis.getVoices() : []

/**
 * The browser's voices where it has any (Web Speech API, on Windows), silent in a language that it has none for; else the
 * machine's speech service, which main asks, and which chooses a voice by itself.
 */
export function systemVoice(service: SpeechService): Voice {
  return {
    say(lines, manner) {
      const voices = systemVoices()
      for (const line of lines)
        if (voices.length > 0) speakByBrowser(line, manner, voices)
        else speakByService(line, manner, service)
    },
    hush() {
      service.hush().catch(() => undefined)
      if (typeof window.speechSynthesis === 'object') window.speechSynthesis.cancel()
    },
  }
}

function speakByService(line: Line, { rate, onLine }: Manner, service: SpeechService): void {
  service.speak(line.text.slice(0, spokenLengthMax), line.language, rate).then(
    (begun) => begun && onLine(line),
    () => undefined,
  )
}

function speakByBrowser(line: Line, { rate, volume, onLine }: Manner, voices: readonly SpeechSynthesisVoice[]): void {
  const lang = nearestOf(
    voices.map((voice) => voice.lang),
    line.language,
  )
  const voice = voices.find((one) => one.lang === lang)
  if (voice === undefined) return
  const utterance = new SpeechSynthesisUtterance(line.text)
  utterance.addEventListener('start', () => onLine(line))
  Object.assign(utterance, { voice, lang, rate, volume })
  window.speechSynthesis.speak(utterance)
}
