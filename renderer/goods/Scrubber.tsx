/** Where one is in something long, as a bar to drag: the browser's own, so that keys and speech know it. */
import type { ReactElement } from 'react'

interface ScrubberProps {
  readonly label: string
  /** The place in words. */
  readonly text: string
  readonly min: number
  readonly max: number
  readonly step: number
  readonly value: number
  readonly onChange: (value: number) => void
}

export function Scrubber({ label, text, min, max, step, value, onChange }: ScrubberProps): ReactElement {
  const share = max > min ? (value - min) / (max - min) : 0
  return (
    <input
      className="scrubber"
      type="range"
      aria-label={label}
      aria-valuetext={text}
      min={min}
      max={max}
      step={step}
      value={value}
      style={{ '--share': share }}
      onChange={(event) => onChange(Number(event.currentTarget.value))}
    />
  )
}
