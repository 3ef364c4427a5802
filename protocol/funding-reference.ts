/** What a load is paid with, other than cash: the reference on a voucher or of a credit, as its order commits to it (PROTOCOL.md, Loads). */
import { typedLetters } from './base32.ts'
import { ascii } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { shortHashOf } from './mac.ts'
import type { ShortHash } from './quantities.ts'

const lettersMin = 8
const lettersMax = 32

/**
 * Crockford's base32 as a person may have typed it: any case, O for 0, I or L for 1, any grouping.
 * @returns such as "7KQ20F9MXW3TH5RA" @throws ProtocolError `range`: no reference looks like that
 */
export const fundingReference = (typed: string): string => {
  const letters = typedLetters(typed)
  if (letters.length < lettersMin || letters.length > lettersMax || !/^[0-9A-HJKMNP-TV-Z]+$/.test(letters))
    throw new ProtocolError('range', 'funding reference', `${typed.length} characters`)
  return letters
}

/** The itemHash of a load's order. @throws ProtocolError `range` */
export const fundingHash = (reference: string): ShortHash => shortHashOf(ascii(fundingReference(reference)))
