/** The sizes of this screen (sizes.ts), following the window. */
import { useMemo, useSyncExternalStore } from 'react'
import { type Sizes, sizesOf } from '../sizes.ts'
import { usePage, useStatus } from './engine-context.ts'

function follow(changed: () => void): () => void {
  window.addEventListener('resize', changed)
  return () => window.removeEventListener('resize', changed)
}

export function useSizes(): { widthPx: number; heightPx: number; sizes: Sizes } {
  const widthPx = Math.max(
    1,
    useSyncExternalStore(follow, () => window.innerWidth),
  )
  const heightPx = Math.max(
    1,
    useSyncExternalStore(follow, () => window.innerHeight),
  )
  const { diagonalMm } = useStatus()
  const largeType = usePage((state) => state.comfort.largeType)
  const sizes = useMemo(
    () => sizesOf({ widthPx, heightPx, diagonalMm, largeType }),
    [widthPx, heightPx, diagonalMm, largeType],
  )
  return { widthPx, heightPx, sizes }
}
