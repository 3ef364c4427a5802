/** Fetches what was bought, once, from the page's own origin; nothing of it outlives the screen. */
import { useEffect, useState } from 'react'

export type Content<T> =
  | { readonly name: 'loading' }
  | { readonly name: 'unreadable' }
  | { readonly name: 'ready'; readonly value: T }

/** `read` must be a stable function: it runs again when it changes. */
export function useContent<T>(contentUrl: string, read: (response: Response) => Promise<T>): Content<T> {
  const [content, setContent] = useState<Content<T>>({ name: 'loading' })
  useEffect(() => {
    const leaving = new AbortController()
    const load = async () => {
      const response = await fetch(contentUrl, { signal: leaving.signal })
      if (!response.ok) throw new Error(`the goods answered ${response.status}`)
      return await read(response)
    }
    load().then(
      (value) => {
        if (!leaving.signal.aborted) setContent({ name: 'ready', value })
      },
      () => {
        if (!leaving.signal.aborted) setContent({ name: 'unreadable' })
      },
    )
    return () => leaving.abort()
  }, [contentUrl, read])
  return content
}
