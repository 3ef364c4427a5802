/** The card works: nothing to press, nothing to read but this. */
import type { ReactElement } from 'react'
import { useWords } from './engine-context.ts'
import { Frame } from './Frame.tsx'

export function HoldStill({ screen }: { screen: 'pay' | 'pin' | 'top-up' | 'recover' | 'operator' }): ReactElement {
  const { words } = useWords()
  return (
    <Frame screen={screen} tone="working">
      <div className="hold" data-phase="working">
        <svg className="hold-sign" viewBox="0 0 200 140" aria-hidden="true">
          <rect x="8" y="8" width="184" height="124" rx="16" className="hold-card" />
          <rect x="32" y="44" width="40" height="32" rx="6" className="hold-chip" />
          <g className="hold-dots">
            <circle cx="100" cy="104" r="7" />
            <circle cx="128" cy="104" r="7" />
            <circle cx="156" cy="104" r="7" />
          </g>
        </svg>
        <h1 className="display" aria-live="assertive">
          {words.pay.working}
        </h1>
        <p className="lead">{words.pay.workingHint}</p>
      </div>
    </Frame>
  )
}
