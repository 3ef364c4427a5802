/** The few signs of the kiosk, drawn with one stroke. Decoration: a label always says the same. */
import type { ReactElement } from 'react'

const paths = {
  back: 'M15 5 8 12l7 7',
  close: 'M6 6l12 12M18 6 6 18',
  tick: 'M5 12.5 10 17.5 19.5 7',
  contrast: 'M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  phone: 'M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM11 18h2',
  offline: 'M3 9a13 13 0 0 1 18 0M6.5 13a8 8 0 0 1 11 0M12 18h.01M4 3l16 18',
  shield: 'M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 12l2.2 2.2L15.5 10',
  card: 'M4 6h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM3 10h18',
  backspace: 'M9 5h11a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H9l-6-7zM12 9l6 6M18 9l-6 6',
  print: 'M7 9V4h10v5M7 17H4v-7h16v7h-3M7 14h10v6H7z',
  globe: 'M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18zM3.5 9h17M3.5 15h17M12 3c-5 5-5 13 0 18M12 3c5 5 5 13 0 18',
  wheelchair: 'M10 4.5h.01M10 8v6h5l3 5.5 1.8-.9M10 10.5h4.5M7.6 11.6a5 5 0 1 0 6.9 6.4',
  ear: 'M7 10a5.5 5.5 0 1 1 11 0c0 3.4-3.2 4.2-3.6 7.2-.3 2-1.500 3.300-3.400 3.300-1.700 0-2.900-1.100-3.300-2.700M10 10a2.500 2.500 0 1 1 5 0c0 1.600-1.700 1.900-2 3.600',
  still: 'M9 6v12M15 6v12',
  slower: 'M12 6 6 12l6 6M19 6l-6 6 6 6',
  faster: 'M5 6l6 6-6 6M12 6l6 6-6 6',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 1 0 0-13zM15.3 15.3 20.5 20.5',
  up: 'M5 15l7-7 7 7',
  down: 'M5 9l7 7 7-7',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18zM12 7.5V12l3 2',
  stack: 'M12 4l9 4.5-9 4.5-9-4.5zM3.5 12.5 12 17l8.5-4.5M3.5 16.5 12 21l8.5-4.5',
  person: 'M12 4a4 4 0 1 0 0 8 4 4 0 1 0 0-8zM4.5 20.5c.8-4 3.7-6 7.5-6s6.7 2 7.5 6',
  again: 'M20 12a8 8 0 1 1-2.5-5.8M20 3v4h-4',
  left: 'M15 5 8 12l7 7',
  right: 'M9 5l7 7-7 7',
  list: 'M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01',
  typeSmaller: 'M8.5 17 12 8l3.5 9M9.8 14h4.4',
  typeLarger: 'M5.5 20 12 4l6.5 16M8 14h8',
  play: 'M8 5v14l11-7z',
  pause: 'M8 5v14M16 5v14',
  rewind: 'M11 7l-6 5 6 5zM19 7l-6 5 6 5z',
  forward: 'M13 7l6 5-6 5zM5 7l6 5-6 5z',
  look: 'M2.5 12C5 7.5 8.2 5.5 12 5.5s7 2 9.5 6.5c-2.5 4.5-5.7 6.5-9.5 6.5S5 16.5 2.5 12zM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6z',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }): ReactElement {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}
