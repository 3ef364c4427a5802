/** What every screen has: its name for a driver, the merchant, what is to be known, the body, and the actions below. */
import type { ReactElement, ReactNode } from 'react'
import type { ScreenName } from '../idle.ts'
import { usePage, useStatus, useWords } from './engine-context.ts'
import { Icon } from './Icon.tsx'
import { Merchant } from './Merchant.tsx'

/** The ground tells the phases apart from three metres away. */
export type Tone = 'paper' | 'ink' | 'working' | 'done' | 'stop'

interface FrameProps {
  readonly screen: ScreenName
  readonly tone: Tone
  readonly children: ReactNode
  readonly actions?: ReactNode
  readonly className?: string
}

export function Frame({ screen, tone, children, actions, className }: FrameProps): ReactElement {
  const { online } = useStatus()
  const { words, language } = useWords()
  const failed = usePage((state) => state.failed)
  const notCharged = usePage((state) => state.notCharged)
  return (
    <main data-screen={screen} className={`screen tone-${tone} ${className ?? ''}`} lang={language}>
      <header className="screen-head">
        <Merchant />
        {failed ? (
          <span className="notice" role="alert">
            {words.failed}
          </span>
        ) : notCharged ? (
          <span className="notice notice-good" role="status">
            <Icon name="shield" /> {words.declined.notCharged}
          </span>
        ) : (
          !online && (
            <span className="notice">
              <Icon name="offline" /> {words.offline}
            </span>
          )
        )}
      </header>
      <div className="screen-body">{children}</div>
      {actions !== undefined && <footer className="screen-foot">{actions}</footer>}
    </main>
  )
}
