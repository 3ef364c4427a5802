/** The time that is left, as a ring that empties and as a number. */
import { type ReactElement, useState } from 'react'
import { usePage } from './engine-context.ts'

const circumference = 2 * Math.PI * 42

export function Countdown({ endsAt, label }: { endsAt: string; label: (seconds: number) => string }): ReactElement {
  const nowMs = usePage((state) => state.nowMs)
  const leftMs = Math.max(0, Date.parse(endsAt) - nowMs)
  const [wholeMs] = useState(leftMs)
  const seconds = Math.ceil(leftMs / 1000)
  const part = wholeMs === 0 ? 0 : Math.min(1, leftMs / wholeMs)
  return (
    <div className="countdown" role="timer" aria-label={label(seconds)}>
      <svg viewBox="0 0 100 100" aria-hidden="true">
        <circle cx="50" cy="50" r="42" className="countdown-track" />
        <circle
          cx="50"
          cy="50"
          r="42"
          className="countdown-left"
          strokeDasharray={circumference}
          strokeDashoffset={circumference * (1 - part)}
          transform="rotate(-90 50 50)"
        />
      </svg>
      <span>{seconds}</span>
    </div>
  )
}
