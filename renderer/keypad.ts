/**
 * The whole kiosk by twelve keys, or by a keyboard (EN 301 549, clauses 5 and 8.4): 8 and 6 go on, 2 and 4 go back, in
 * a grid they go as they stand; 5 or Enter chooses, star or Escape leaves, hash says it again with the keys, 0 turns
 * speech on and off, 1 and 3 make it slower and faster. A screen on which figures are typed takes its keys first, in
 * the capture phase, and marks them as taken (preventDefault).
 *
 * Works on what stands on the page, so that every screen has it: a grid is `data-grid`, the way back `data-back` or
 * one of the actions below.
 */

export type Step = 'up' | 'down' | 'next' | 'previous' | 'choose' | 'back' | 'help' | 'speech' | 'slower' | 'faster'

const steps: Readonly<Record<string, Step>> = {
  2: 'up',
  ArrowUp: 'up',
  8: 'down',
  ArrowDown: 'down',
  5: 'choose',
  '*': 'back',
  Escape: 'back',
  '#': 'help',
  0: 'speech',
  1: 'slower',
  3: 'faster',
}
const right = new Set(['6', 'ArrowRight'])
const left = new Set(['4', 'ArrowLeft'])

/** What a key means where nothing is typed; left and right by the way of reading. */
export function stepOf(key: string, direction: 'ltr' | 'rtl'): Step | undefined {
  if (right.has(key)) return direction === 'ltr' ? 'next' : 'previous'
  if (left.has(key)) return direction === 'ltr' ? 'previous' : 'next'
  return Object.hasOwn(steps, key) ? steps[key] : undefined
}

const canFocus =
  'button:enabled, a[href], input:enabled, select:enabled, audio[controls], video[controls], [tabindex="0"]'
/** The way out of a screen, the nearest first. */
const waysBack = ['[data-back]', '[data-action="back"]', '[data-action="cancel"]', '[data-action="finish"]']

/** What lies on top: a dialog, else the whole page. */
export function topLayer(): Element {
  return [...document.querySelectorAll('[role="dialog"], [role="alertdialog"]')].at(-1) ?? document.body
}

/** Everything that can be pressed or scrolled, in the order of the page. */
export function reachable(layer: Element = topLayer()): readonly HTMLElement[] {
  return [...layer.querySelectorAll<HTMLElement>(canFocus)].filter((element) => element.checkVisibility())
}

/** Moves the focus; after the last comes the first, so that nothing is a trap. */
export function moveFocus(step: 'up' | 'down' | 'next' | 'previous'): void {
  const all = reachable()
  const now = document.activeElement
  if (now instanceof HTMLElement && (step === 'up' || step === 'down')) {
    if (scrolled(now, step)) return
    const grid = now.closest('[data-grid]')
    if (grid !== null) {
      const beyond = inGrid(grid, now, step) ?? besideGrid(grid, all, step)
      beyond?.focus()
      return
    }
  }
  nextOf(all, now, step === 'down' || step === 'next')?.focus()
}

function nextOf(all: readonly HTMLElement[], now: Element | null, forward: boolean): HTMLElement | undefined {
  const place = now instanceof HTMLElement ? all.indexOf(now) : -1
  if (place >= 0) return all.at((place + (forward ? 1 : -1)) % all.length)
  // A heading, or nothing: what stands next to it.
  const isAfter = (element: Element) =>
    now !== null &&
    now !== document.body &&
    (now.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING) > 0
  const after = all.findIndex(isAfter)
  return forward ? all[Math.max(0, after)] : all.at((after < 0 ? all.length : after) - 1)
}

/** The nearest in the next row, or undefined where there is none. */
function inGrid(grid: Element, now: HTMLElement, step: 'up' | 'down'): HTMLElement | undefined {
  const from = now.getBoundingClientRect()
  const distances = reachable(grid).flatMap((element) => {
    const to = element.getBoundingClientRect()
    const rows = step === 'down' ? to.top - from.bottom : from.top - to.bottom
    const aside = Math.max(0, Math.abs((to.left + to.right) / 2 - (from.left + from.right) / 2) - to.width / 2)
    return rows < -1 ? [] : [{ element, far: rows * 1_000 + aside }]
  })
  return distances.toSorted((a, b) => a.far - b.far)[0]?.element
}

function besideGrid(grid: Element, all: readonly HTMLElement[], step: 'up' | 'down'): HTMLElement | undefined {
  const inside = all.filter((element) => grid.contains(element))
  return step === 'down' ? nextOf(all, inside.at(-1) ?? null, true) : nextOf(all, inside[0] ?? null, false)
}

/** A text that scrolls is read to its end before the focus leaves it. */
function scrolled(element: HTMLElement, step: 'up' | 'down'): boolean {
  if (element.matches('button') || element.scrollHeight <= element.clientHeight + 2) return false
  const before = element.scrollTop
  element.scrollTop += element.clientHeight * (step === 'down' ? 0.8 : -0.8)
  return element.scrollTop !== before
}

/** Of a bar's length. */
const barShare = 20

/** A bar goes along its length by the keys of its direction; those across leave it. */
function moveBar(bar: HTMLInputElement, forward: boolean): void {
  const step = Math.max(Number(bar.step) || 1, (Number(bar.max) - Number(bar.min)) / barShare)
  // Past React's own setter, which would take the change for its own and tell nobody.
  const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value') ?? {}
  set?.call(bar, String(Number(bar.value) + (forward ? step : -step)))
  bar.dispatchEvent(new Event('input', { bubbles: true }))
}

/** Presses what has the focus; where nothing has it, the first thing gets it. */
export function choose(): void {
  const now = document.activeElement
  const all = reachable()
  const chosen = all.find((element) => element === now)
  if (chosen === undefined) nextOf(all, now, true)?.focus()
  else chosen.click()
}

/** Leaves the screen or the dialog. What ends everything is first shown, and left with the second press. */
export function goBack(): void {
  const layer = topLayer()
  const way = waysBack
    .flatMap((selector) => [...layer.querySelectorAll<HTMLElement>(selector)])
    .find((element) => element.matches(':enabled') && element.checkVisibility())
  if (way === undefined) return
  if (way.dataset.action === 'finish' && document.activeElement !== way) way.focus()
  else way.click()
}

interface Keypad {
  readonly toggleSpeech: () => void
  readonly help: () => void
  readonly changeRate: (step: 1 | -1) => void
}

/** Follows the keys until the returned function is called. */
export function followKeypad(keypad: Keypad): () => void {
  const act: Readonly<Record<Step, () => void>> = {
    up: () => moveFocus('up'),
    down: () => moveFocus('down'),
    next: () => moveFocus('next'),
    previous: () => moveFocus('previous'),
    choose,
    back: goBack,
    help: keypad.help,
    speech: keypad.toggleSpeech,
    slower: () => keypad.changeRate(-1),
    faster: () => keypad.changeRate(1),
  }
  const press = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return
    if (event.target instanceof HTMLInputElement && event.target.type !== 'range' && event.key !== 'Escape') return
    if (event.key === 'Tab') keepInside(event)
    const nothingToPress = event.key === 'Enter' && !reachable().some((element) => element === document.activeElement)
    const step = nothingToPress ? 'choose' : stepOf(event.key, directionHere())
    // A key that is held down acts once: nobody is to be quick in letting go.
    if (event.repeat && (event.key === 'Enter' || event.key === ' ')) event.preventDefault()
    if (step === undefined) return
    event.preventDefault()
    if (event.target instanceof HTMLInputElement && (step === 'next' || step === 'previous'))
      moveBar(event.target, step === 'next')
    else if (!event.repeat) act[step]()
  }
  window.addEventListener('keydown', press)
  return () => window.removeEventListener('keydown', press)
}

/** Which way it goes on where the focus is: letters of a code, a book or a player may go another way than the page. */
function directionHere(): 'ltr' | 'rtl' {
  return getComputedStyle(document.activeElement ?? document.body).direction === 'rtl' ? 'rtl' : 'ltr'
}

/** Tab stays within a dialog. */
function keepInside(event: KeyboardEvent): void {
  const layer = topLayer()
  if (layer === document.body) return
  event.preventDefault()
  nextOf(reachable(layer), document.activeElement, !event.shiftKey)?.focus()
}
