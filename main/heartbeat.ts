/**
 * Watches the page by its heartbeat: one that is silent has hung, one that grew without end is begun anew. Neither touches a
 * payment: main knows what is on the screen, and the new page shows it (ARCHITECTURE.md, The screen).
 */

/** The page beats every two seconds (renderer/mount.tsx); a start of a slow machine and a heavy document must not look like a hang. */
export const silenceMsMax = 10_000
export const firstBeatMsMax = 60_000

/** Of the page's script, in bytes: more than any goods need (they lie in main). */
export const heapBytesHigh = 256 * 1024 * 1024
/** With a customer in front of it, too. */
export const heapBytesMax = 1024 * 1024 * 1024

export type PageTrouble = 'silent' | 'grown'

export interface Heartbeat {
  /** The page lives, and its script holds so many bytes; 0: it cannot tell. */
  beat(heapBytes: number): void
  /** A new page is being loaded. */
  restarted(): void
  stop(): void
}

/**
 * @param idle whether nobody is in front of the screen
 * @param onTrouble called once a page; the next page is watched from `restarted` on
 */
export const watchHeartbeat = (options: {
  readonly idle: () => boolean
  readonly onTrouble: (trouble: PageTrouble) => void
}): Heartbeat => {
  let timer: NodeJS.Timeout | undefined
  const stop = () => {
    clearTimeout(timer)
    timer = undefined
  }
  const report = (trouble: PageTrouble) => {
    stop()
    options.onTrouble(trouble)
  }
  const expectWithin = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => report('silent'), ms)
    timer.unref()
  }
  expectWithin(firstBeatMsMax)
  return {
    beat(heapBytes) {
      if (timer === undefined) return
      expectWithin(silenceMsMax)
      if (heapBytes > heapBytesMax || (heapBytes > heapBytesHigh && options.idle())) report('grown')
    },
    restarted: () => expectWithin(firstBeatMsMax),
    stop,
  }
}
