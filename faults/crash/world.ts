/** Clock and chance that repeat, in whichever process. */
import type { World } from '../../main/terminal.ts'
import { chanceOf } from '../../simulate/chance.ts'

export const startTime = 1_790_000_000

/** The same bytes in every process that is given the same seed. */
export const seededBytes = (seed: number): ((length: number) => Uint8Array) => {
  const chance = chanceOf('faults', seed)
  return (length) => chance.bytes(length)
}

export const world = (seed: number): World => ({ clock: () => startTime + 60, randomBytes: seededBytes(seed) })
