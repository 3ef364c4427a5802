/** A bug in a screen shows a calm page, never a trace, and starts the page afresh; main and its payment are untouched. */
import { Component, type ReactElement, type ReactNode } from 'react'
import { directionOf } from '../language/bidi.ts'
import { dictionaryOf } from '../language/language.ts'

interface CalmBoundaryProps {
  readonly children: ReactNode
  readonly language: () => string
  /** Called once per fall. */
  readonly restart: () => void
}

export class CalmBoundary extends Component<CalmBoundaryProps, { readonly fallen: boolean }> {
  override state = { fallen: false }

  static getDerivedStateFromError(): { fallen: boolean } {
    return { fallen: true }
  }

  override componentDidCatch(): void {
    this.props.restart()
  }

  override render(): ReactNode {
    if (!this.state.fallen) return this.props.children
    return <Calm language={this.props.language()} />
  }
}

/** Needs no engine and no state, so that nothing can make it fall as well. */
export function Calm({ language }: { language: string }): ReactElement {
  const { broken } = dictionaryOf(language)
  return (
    <main data-screen="out-of-service" className="screen tone-ink" lang={language} dir={directionOf(language)}>
      <div className="screen-body middle">
        <h1 className="display">{broken.what}</h1>
        <p className="lead">{broken.why}</p>
      </div>
    </main>
  )
}
