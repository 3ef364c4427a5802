/** Seeded chance: the same seed and label give the same run on every machine. */
import { createHash } from 'node:crypto'

export interface Chance {
  /** 0 and more, below 1. */
  fraction(): number
  /** An integer from 0, below `limit`. */
  below(limit: number): number
  hit(probability: number): boolean
  /** @throws Error for an empty list */
  pick<Value>(values: readonly Value[]): Value
  bytes(length: number): Uint8Array
}

/** sfc32 (PractRand's small fast counter), seeded by SHA-256 of its label. */
export const chanceOf = (...label: readonly (string | number)[]): Chance => {
  const seed = createHash('sha256').update(label.join('/')).digest()
  let [a, b, c, count] = [seed.readInt32LE(0), seed.readInt32LE(4), seed.readInt32LE(8), 1]
  const u32 = (): number => {
    const sum = (((a + b) | 0) + count) | 0
    count = (count + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  const below = (limit: number): number => Math.floor((u32() / 2 ** 32) * limit)
  return {
    fraction: () => u32() / 2 ** 32,
    below,
    hit: (probability) => u32() / 2 ** 32 < probability,
    pick(values) {
      const picked = values[below(values.length)]
      if (picked === undefined) throw new Error('nothing to pick from')
      return picked
    },
    bytes: (length) => Uint8Array.from({ length }, () => u32() & 0xff),
  }
}
