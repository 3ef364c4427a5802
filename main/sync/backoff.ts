/** Bounded exponential backoff with full jitter, so that a thousand kiosks do not return in one instant. */

export interface BackoffLimits {
  readonly firstMs: number
  readonly maxMs: number
}

export const syncBackoff: BackoffLimits = { firstMs: 1_000, maxMs: 30_000 }

/**
 * @param failures how many tries in a row have failed, 1 and more
 * @param random 0 to 1
 * @returns milliseconds to wait: between half and all of the doubled step, never above `maxMs`
 */
export const backoffMs = (failures: number, limits: BackoffLimits, random: number): number => {
  const step = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(30, failures - 1))
  return Math.round(step / 2 + (step / 2) * random)
}
