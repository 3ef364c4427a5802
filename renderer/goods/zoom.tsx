/** Larger and smaller, for what is looked at in a part that scrolls. */
import { type ReactElement, type RefObject, useLayoutEffect, useRef } from 'react'
import { Button } from '../parts/Button.tsx'
import { useWords } from '../parts/engine-context.ts'
import { Icon } from '../parts/Icon.tsx'

export const zooms = [1, 1.5, 2.25, 3.4] as const

interface ZoomButtonsProps {
  /** A place in `zooms`, or `least`. */
  readonly zoom: number
  readonly least?: number
  readonly onZoom: (zoom: number) => void
}

export function ZoomButtons({ zoom, least = 0, onZoom }: ZoomButtonsProps): ReactElement {
  const { words } = useWords()
  return (
    <>
      <Button
        action="further"
        className="button-icon"
        aria-label={words.goods.further}
        disabled={zoom <= least}
        onClick={() => onZoom(Math.max(least, zoom - 1))}
      >
        <Icon name="minus" />
      </Button>
      <Button
        action="closer"
        className="button-icon"
        aria-label={words.goods.closer}
        disabled={zoom === zooms.length - 1}
        onClick={() => onZoom(Math.min(zooms.length - 1, zoom + 1))}
      >
        <Icon name="plus" />
      </Button>
    </>
  )
}

/** What stood in the middle still stands there when the size changes. */
export function useKeptMiddle(scroller: RefObject<HTMLDivElement | null>, zoom: number): void {
  const before = useRef(zoom)
  useLayoutEffect(() => {
    const element = scroller.current
    const growth = zoom / before.current
    before.current = zoom
    if (element === null || growth === 1) return
    const { clientWidth, clientHeight, scrollLeft, scrollTop } = element
    element.scrollTo(
      (scrollLeft + clientWidth / 2) * growth - clientWidth / 2,
      (scrollTop + clientHeight / 2) * growth - clientHeight / 2,
    )
  }, [scroller, zoom])
}
