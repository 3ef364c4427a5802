/** How long an operator's card waits after wrong PINs (docs/OPERATIONS.md, At the kiosk: operator mode). Pure; the journal counts. */

/** Seconds after the first, second and so on in a row; the last one holds for all that follow. */
const waitSeconds = [0, 0, 30, 120, 600, 3600, 86_400] as const

/** @returns UNIX seconds from which on digits are taken again; a time that has passed: now */
export const pinRetryTime = ({ count, lastTime }: { readonly count: number; readonly lastTime: number }): number =>
  count === 0 ? 0 : lastTime + (waitSeconds[Math.min(count, waitSeconds.length) - 1] ?? 0)
