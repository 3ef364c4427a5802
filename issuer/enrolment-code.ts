/**
 * The one-time enrolment code: 80 random bits in Crockford's base32, in groups that a person can read out
 * (PROTOCOL.md, Enrolment). Only its hash is kept.
 */
import { createHash } from 'node:crypto'
import { encodeBase32, typedLetters } from '../protocol/base32.ts'
import { requireLength } from '../protocol/bytes.ts'

const codeBytes = 10
const letters = 16
const groupLetters = 4

/** @param random 10 fresh random bytes @returns such as "7KQ2-0F9M-XW3T-H5RA" */
export const enrolmentCode = (random: Uint8Array): string =>
  encodeBase32(requireLength(random, codeBytes, 'random bytes')).replace(
    new RegExp(`.{${groupLetters}}(?=.)`, 'g'),
    '$&-',
  )

export const enrolmentCodeRandomBytes = codeBytes

/** Hashes a code as a person may have typed it: any case, O for 0, I or L for 1, any grouping. @returns undefined if it is no code */
export const enrolmentCodeHash = (typed: string): string | undefined => {
  if (typed.length > 100) return undefined
  const code = typedLetters(typed)
  if (code.length !== letters || !/^[0-9A-HJKMNP-TV-Z]+$/.test(code)) return undefined
  return createHash('sha256').update(`farthing enrolment ${code}`).digest('hex')
}
