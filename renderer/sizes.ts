/**
 * Sizes that a standing stranger can read and hit: in millimetres, from the screen's real diagonal.
 * Larger screens are read from further away, so type and targets also grow with the screen; never below the floor.
 */

/** EN 301 549 and DIN 1450 as docs/ARCHITECTURE.md sums them up: the least height of a capital, the least target. */
export const capitalMmMin = 4.8
export const targetMmMin = 15
/** Of the bundled typeface (Inter): the height of a capital as a part of the type size. */
export const capitalOfType = 0.727

export interface Viewport {
  readonly widthPx: number
  readonly heightPx: number
  readonly diagonalMm: number
  readonly largeType: boolean
  /** Everything stands in the lower part: what is largest there is sized by it. */
  readonly inReach?: boolean
}

/** All in CSS pixels. */
export interface Sizes {
  readonly millimetre: number
  /** The smallest type there is on any screen. */
  readonly text: number
  readonly title: number
  readonly display: number
  readonly target: number
  readonly space: number
}

const largeTypeFactor = 1.3
const largeDisplayFactor = 1.15

/** @throws RangeError when a length is not positive. */
export function sizesOf({ widthPx, heightPx, diagonalMm, largeType, inReach = false }: Viewport): Sizes {
  if (!(widthPx > 0 && heightPx > 0 && diagonalMm > 0)) throw new RangeError('a screen has a positive size')
  const millimetre = Math.hypot(widthPx, heightPx) / diagonalMm
  const mean = Math.sqrt(widthPx * heightPx)
  const factor = largeType ? largeTypeFactor : 1
  const floor = ((capitalMmMin * 1.01) / capitalOfType) * millimetre
  const text = Math.max(floor, mean * 0.0205) * factor
  const leftPx = heightPx - (inReach ? curtainOf({ heightPx, millimetre }) : 0)
  return {
    millimetre,
    text,
    title: Math.max(text * 1.08, mean * 0.036 * factor),
    display: Math.max(text * 1.15, Math.sqrt(widthPx * leftPx) * 0.064 * (largeType ? largeDisplayFactor : 1)),
    target: Math.max(targetMmMin * 1.01 * millimetre, mean * 0.056),
    space: mean * 0.0115,
  }
}

/**
 * How much of the screen's height, counted from below, somebody who sits reaches: cabinets begin at about 0.95 m, and
 * the reach ends at 1.2 m (EN 301 549, 8.3).
 */
export const reachMm = 235
/** Less would not hold a screen. */
const reachShareMin = 0.5

/** What is left free above when everything stands in reach; nothing where the whole screen does. */
export function curtainOf({ heightPx, millimetre }: { heightPx: number; millimetre: number }): number {
  return Math.min(heightPx * (1 - reachShareMin), Math.max(0, heightPx - reachMm * millimetre))
}

/** The height of what is spoken, written at the foot: two lines, or a row of buttons. `leading`: from line to line, as a part of the type size. */
export function transcriptOf({ target, text, space }: Sizes, leading: number): number {
  return Math.max(target, text * leading * 2) + space
}

export type Room = 'tight' | 'snug' | 'ample'

/** How much fits below each other: where it is tight, only what must be known is shown. */
export function roomOf({ heightPx, text }: { heightPx: number; text: number }): Room {
  const lines = heightPx / text
  return lines < 17 ? 'tight' : lines < 26 ? 'snug' : 'ample'
}

/** How the catalogue is laid out: few things are shown large, many side by side. */
export function columnsOf({
  widthPx,
  heightPx,
  items,
  text,
}: {
  widthPx: number
  heightPx: number
  items: number
  text: number
}): number {
  const fitting = Math.max(1, Math.floor(widthPx / (text * 10.5)))
  const wished = widthPx > heightPx ? (items > 6 ? 4 : Math.min(3, Math.max(items, 1))) : items <= 4 ? 1 : 2
  return Math.min(fitting, wished)
}
