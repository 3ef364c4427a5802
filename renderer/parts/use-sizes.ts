/** The sizes of this screen (sizes.ts), following the window; its height is what is left for the screens. */
import { useMemo, useSyncExternalStore } from 'react'
import { directionOf } from '../language/bidi.ts'
import { curtainOf, type Sizes, sizesOf, transcriptOf } from '../sizes.ts'
import { languageOf } from '../store.ts'
import { statusOf, usePage } from './engine-context.ts'

function follow(changed: () => void): () => void {
  window.addEventListener('resize', changed)
  return () => window.removeEventListener('resize', changed)
}

export interface ScreenSizes {
  readonly widthPx: number
  readonly heightPx: number
  readonly sizes: Sizes
  /** Left free above and below. */
  readonly curtainPx: number
  readonly transcriptPx: number
  /** Whether anything would move: a small screen is in reach as a whole. */
  readonly canLower: boolean
}

export function useSizes(): ScreenSizes {
  const widthPx = Math.max(
    1,
    useSyncExternalStore(follow, () => window.innerWidth),
  )
  const heightPx = Math.max(
    1,
    useSyncExternalStore(follow, () => window.innerHeight),
  )
  const diagonalMm = usePage((state) => statusOf(state).diagonalMm)
  const { largeType, inReach, spoken } = usePage((state) => state.comfort)
  const sizes = useMemo(
    () => sizesOf({ widthPx, heightPx, diagonalMm, largeType, inReach }),
    [widthPx, heightPx, diagonalMm, largeType, inReach],
  )
  const loweredPx = curtainOf({ heightPx, millimetre: sizes.millimetre })
  const curtainPx = inReach ? loweredPx : 0
  const language = usePage(languageOf)
  const transcriptPx = spoken ? transcriptOf(sizes, directionOf(language) === 'rtl' ? 1.5 : 1.3) : 0
  return {
    widthPx,
    heightPx: heightPx - curtainPx - transcriptPx,
    sizes,
    curtainPx,
    transcriptPx,
    canLower: loweredPx > 0,
  }
}
