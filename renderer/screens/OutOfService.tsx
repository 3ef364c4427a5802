/** Closed, and why, in the words of whoever stands before it. */
import type { ReactElement } from 'react'
import type { OutOfServiceReason } from '../../preload/contract.ts'
import { ComfortBar } from '../parts/ComfortBar.tsx'
import { usePage, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { HelpLine } from '../parts/HelpLine.tsx'
import { restsNow } from '../store.ts'

export function OutOfService({ reason }: { reason: OutOfServiceReason }): ReactElement {
  const { words } = useWords()
  const resting = usePage(restsNow)
  const { what, why } = words.outOfService.reason[reason]
  return (
    <Frame screen="out-of-service" tone="ink" className={resting ? 'resting' : ''} actions={<ComfortBar />}>
      <div className="closed" data-reason={reason}>
        <svg className="closed-sign" viewBox="0 0 120 120" aria-hidden="true">
          <circle cx="60" cy="60" r="52" />
          <path d={reason === 'starting' ? 'M60 30v32l20 14' : 'M36 60h48'} />
        </svg>
        <h1 className="display">{what}</h1>
        <p className="lead">{why}</p>
        {reason !== 'starting' && <p className="closed-hint">{words.outOfService.notCharged}</p>}
        {reason !== 'starting' && <HelpLine />}
      </div>
    </Frame>
  )
}
