/** Listens to what the issuer announces, and reads again what is shown of it. */
import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { type Topic, topics } from '../../console-contract/live.ts'
import { eventLines, isSignedOut } from './client.ts'

export type { Topic } from '../../console-contract/live.ts'

export type LiveState = 'connecting' | 'live' | 'lost'

/** Announcements in this time are one. */
const gatherMs = 300
const reconnectMsMin = 1_000
const reconnectMsMax = 30_000

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

interface Hearer {
  readonly heard: (topic: Topic) => void
  readonly changed: (state: LiveState) => void
  /** The session ended. */
  readonly signedOut: (error: unknown) => void
}

const listen = async ({ heard, changed, signedOut }: Hearer, signal: AbortSignal): Promise<void> => {
  let waitMs = reconnectMsMin
  let missed = false
  while (!signal.aborted) {
    try {
      for await (const line of eventLines('/live', signal)) {
        changed('live')
        waitMs = reconnectMsMin
        // What was announced while nobody listened was missed.
        if (missed) for (const topic of topics) heard(topic)
        missed = false
        const topic = topics.find((each) => line === `event: ${each}`)
        if (topic !== undefined) heard(topic)
      }
    } catch (error) {
      if (isSignedOut(error)) {
        signedOut(error)
        return
      }
      if (!signal.aborted) changed('lost')
    }
    missed = true
    await pause(waitMs, signal)
    waitMs = Math.min(waitMs * 2, reconnectMsMax)
  }
}

/** Keeps what is shown fresh as long as the shell stands. */
export const useLive = (client: QueryClient, signedOut: (error: unknown) => void): LiveState => {
  const [state, setState] = useState<LiveState>('connecting')
  useEffect(() => {
    const gathered = new Set<Topic>()
    let gathering: ReturnType<typeof setTimeout> | undefined
    const refresh = () => {
      gathering = undefined
      const heard = new Set(gathered)
      gathered.clear()
      void client.invalidateQueries({
        predicate: ({ queryKey, meta }) =>
          queryKey[0] === 'api' && (meta?.live === undefined || meta.live.some((topic) => heard.has(topic))),
      })
    }
    const stop = new AbortController()
    const heard = (topic: Topic) => {
      gathered.add(topic)
      gathering ??= setTimeout(refresh, gatherMs)
    }
    void listen({ heard, changed: setState, signedOut }, stop.signal)
    return () => {
      stop.abort()
      clearTimeout(gathering)
    }
  }, [client, signedOut])
  return state
}
