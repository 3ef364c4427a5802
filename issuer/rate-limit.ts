/** Counts failed tries by address, in memory: slows guessing down. The code's 80 bits are what stops it. */

export interface RateLimit {
  /** @returns false when this address has failed too often of late */
  readonly allows: (address: string) => boolean
  readonly countFailure: (address: string) => void
}

/** @param limits.addressesMax beyond it the oldest address is forgotten @param nowSeconds the clock */
export const rateLimit = (
  limits: { readonly failuresMax: number; readonly windowSeconds: number; readonly addressesMax: number },
  nowSeconds: () => number,
): RateLimit => {
  const failures = new Map<string, { count: number; since: number }>()
  const current = (address: string) => {
    const found = failures.get(address)
    return found !== undefined && nowSeconds() - found.since < limits.windowSeconds ? found : undefined
  }
  return {
    allows: (address) => (current(address)?.count ?? 0) < limits.failuresMax,
    countFailure: (address) => {
      const { count, since } = current(address) ?? { count: 0, since: nowSeconds() }
      failures.delete(address)
      const [oldest] = failures.keys()
      if (failures.size >= limits.addressesMax && oldest !== undefined) failures.delete(oldest)
      failures.set(address, { count: count + 1, since })
    },
  }
}
