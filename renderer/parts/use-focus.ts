/** Where the focus is: on a new screen at its heading, on one that is returned to where it was, in a dialog inside. */
import { type RefObject, useEffect, useRef } from 'react'
import type { PageState } from '../store.ts'
import { usePage } from './engine-context.ts'

/** What tells two screens apart for somebody who does not see them. */
function placeOf({ kiosk, page }: PageState): string {
  if (kiosk?.screen.name !== 'browse') return kiosk?.screen.name ?? ''
  return page.name === 'item' ? `item ${page.itemId}` : page.name
}

/** Finds the same control again when its screen is drawn anew. */
function selectorOf(element: Element): string | undefined {
  if (!(element instanceof HTMLElement) || element.dataset.action === undefined) return undefined
  const names = ['data-action', 'data-item-id', 'data-counter', 'data-key', 'data-language']
  return names
    .flatMap((name) =>
      element.hasAttribute(name) ? [`[${name}=${CSS.escape(element.getAttribute(name) ?? '')}]`] : [],
    )
    .join('')
}

function focusHeading(): void {
  const heading = document.querySelector<HTMLElement>('main h1')
  if (heading === null) return
  heading.tabIndex = -1
  heading.focus({ preventScroll: true })
}

export function useScreenFocus(): void {
  const place = usePage(placeOf)
  const screen = usePage((state) => state.kiosk?.screen)
  const left = useRef(new Map<string, string>())
  useEffect(() => {
    const { current } = left
    const selector = current.get(place)
    if (place === 'attract') current.clear()
    else {
      const known = selector === undefined ? null : document.querySelector<HTMLElement>(`main ${selector}:enabled`)
      if (known === null) focusHeading()
      else known.focus()
    }
    const keep = ({ target }: FocusEvent) => {
      const found =
        target instanceof Element && target.closest('[role="dialog"]') === null ? selectorOf(target) : undefined
      if (found !== undefined) current.set(place, found)
    }
    document.addEventListener('focusin', keep)
    return () => document.removeEventListener('focusin', keep)
  }, [place])
  // What had the focus may be gone with a phase of the same screen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: every state of the screen may take it away.
  useEffect(() => {
    if (document.activeElement === document.body && place !== 'attract') focusHeading()
  }, [screen, place])
}

/** The first of `target` gets the focus; who had it before gets it back. */
export function useDialogFocus(dialog: RefObject<HTMLElement | null>, target: string): void {
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.querySelector<HTMLElement>(target)?.focus()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
    }
  }, [dialog, target])
}
