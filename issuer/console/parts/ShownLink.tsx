/** A link that shows one row of a list beside it, and keeps the list as it is filtered and sorted. */
import type { ReactNode } from 'react'
import { Link, useLocation, useSearchParams } from 'wouter'

export function ShownLink({ id, children }: { id: string; children?: ReactNode }) {
  const [path] = useLocation()
  const [search] = useSearchParams()
  const query = new URLSearchParams(search)
  query.set('shown', id)
  return <Link href={`${path}?${query}`}>{children ?? id}</Link>
}
