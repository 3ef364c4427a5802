/** Keys that work everywhere: / to search, ? for this list, g and a letter to go. */
import { useEffect } from 'react'

export const keyHelp: readonly (readonly [string, string])[] = [
  ['/', 'Search'],
  ['j or ↓', 'Next row of a list'],
  ['k or ↑', 'Row before'],
  ['Enter', 'Open the row'],
  ['g, then a letter', 'Go to a page: the letter stands beside its name'],
  ['Esc', 'Close what stands over the page'],
  ['?', 'This list'],
]

const goMsMax = 1_500

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.closest('input, textarea, select, dialog[open]') !== null)

export const useKeys = (act: {
  readonly search: () => void
  readonly help: () => void
  readonly go: (letter: string) => void
  readonly enterList: () => void
}): void => {
  useEffect(() => {
    let goBefore = 0
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return
      if (event.timeStamp < goBefore) {
        goBefore = 0
        act.go(event.key)
        return
      }
      if (event.key === '/') act.search()
      else if (event.key === '?') act.help()
      else if (event.key === 'j') act.enterList()
      else if (event.key === 'g') goBefore = event.timeStamp + goMsMax
      else return
      event.preventDefault()
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [act])
}
