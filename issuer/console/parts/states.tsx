/** What stands where nothing is, where something is coming, and where it failed. */
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Button } from './Button.tsx'
import { PageHead } from './layout.tsx'

export function EmptyState({ title, text, children }: { title: string; text: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      <p>{text}</p>
      {children === undefined ? null : <div className="empty-actions">{children}</div>}
    </div>
  )
}

export function ErrorState({ error, retry }: { error: Error; retry: () => void }) {
  return (
    <div className="empty is-error" role="alert">
      <p className="empty-title">This cannot be shown now</p>
      <p>{error.message}</p>
      <div className="empty-actions">
        <Button onPress={retry}>Try again</Button>
      </div>
    </div>
  )
}

export function Loading({ lines = 4 }: { lines?: number }) {
  return (
    <div className="loading" role="status">
      <span className="unseen">Loading</span>
      {Array.from({ length: lines }, (_, line) => `line ${line}`).map((line) => (
        <span key={line} className="bone" />
      ))}
    </div>
  )
}

/** Shows an answer, or that it is coming, or why it does not: then under `head`, where the answer is a whole page. */
export function Answer<Data>({
  of,
  children,
  lines,
  head,
}: {
  of: UseQueryResult<Data>
  children: (data: Data) => ReactNode
  lines?: number
  /** What is known of the page before its answer: what it is called, and the page above. */
  head?: { readonly title: string; readonly above: readonly [string, string]; readonly code?: boolean }
}) {
  if (of.data !== undefined) return children(of.data)
  return (
    <>
      {head === undefined ? null : <PageHead title={head.title} trail={[head.above]} code={head.code ?? false} />}
      {of.error === null ? (
        <Loading lines={lines ?? 4} />
      ) : (
        <ErrorState error={of.error} retry={() => void of.refetch()} />
      )}
    </>
  )
}
