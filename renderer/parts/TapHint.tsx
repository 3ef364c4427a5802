/** Points to where this cabinet's reader is: a card that moves there, and a lit edge. */
import type { ReactElement } from 'react'
import type { KioskStatus } from '../../preload/contract.ts'

const turn: Readonly<Record<KioskStatus['readerPosition'], number>> = { below: 0, left: 90, above: 180, right: 270 }

interface TapHintProps {
  readonly reader: KioskStatus['readerPosition']
  /** A card is to be taken away from the reader, not held to it. */
  readonly away?: boolean
}

export function TapHint({ reader, away = false }: TapHintProps): ReactElement {
  return (
    <svg className="tap-hint" viewBox="0 0 200 200" aria-hidden="true">
      <g transform={`rotate(${turn[reader] + (away ? 180 : 0)} 100 100)`}>
        <g className="tap-card">
          <rect x="52" y="6" width="96" height="62" rx="9" className="tap-card-face" />
          <rect x="64" y="24" width="20" height="16" rx="3" className="tap-card-chip" />
        </g>
        <path className="tap-arrow tap-arrow-1" d="M62 104 100 132 138 104" />
        <path className="tap-arrow tap-arrow-2" d="M62 132 100 160 138 132" />
        <path className="tap-arrow tap-arrow-3" d="M62 160 100 188 138 160" />
      </g>
    </svg>
  )
}
