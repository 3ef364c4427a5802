/** The time of the clock on the wall, for ages that grow while a page stays open. */
import { useSyncExternalStore } from 'react'

const stepMs = 30_000
let now = Date.now()

const subscribe = (changed: () => void): (() => void) => {
  const timer = setInterval(() => {
    now = Date.now()
    changed()
  }, stepMs)
  return () => clearInterval(timer)
}

/** UNIX milliseconds, new every half minute. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now)
