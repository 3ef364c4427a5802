/** Crockford's base32: what people type, read out and scan. In capitals it is the alphanumeric mode of a QR code. */
import { ProtocolError } from './errors.ts'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const letterBits = 5
const letterValues = new Map([...alphabet].map((letter, value) => [letter, value]))

/** As a person may have typed it: any case, O for 0, I or L for 1, any grouping. @returns capitals without grouping, perhaps no base32 */
export const typedLetters = (typed: string): string =>
  typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')

/** How many letters so many bytes take. */
export const base32Length = (bytes: number): number => Math.ceil((bytes * 8) / letterBits)

/** Bits that are left over in the last letter are zero. */
export const encodeBase32 = (bytes: Uint8Array): string => {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (bits += 8; bits >= letterBits; bits -= letterBits)
      text += alphabet.charAt((held >> (bits - letterBits)) & 0x1f)
  }
  return bits === 0 ? text : text + alphabet.charAt((held << (letterBits - bits)) & 0x1f)
}

/**
 * @param letters capitals without grouping @param length in bytes
 * @throws ProtocolError `length`; `range` for another letter; `reserved` where bits that are left over are not zero
 */
export const decodeBase32 = (letters: string, length: number, field: string): Uint8Array => {
  if (letters.length !== base32Length(length))
    throw new ProtocolError('length', field, `${base32Length(length)} letters, not ${letters.length}`)
  const bytes = new Uint8Array(length)
  let held = 0
  let bits = 0
  let at = 0
  for (const letter of letters) {
    const value = letterValues.get(letter)
    if (value === undefined) throw new ProtocolError('range', field, 'not a letter of base32')
    held = ((held << letterBits) | value) & 0xfff
    bits += letterBits
    if (bits >= 8) {
      bits -= 8
      bytes[at] = (held >> bits) & 0xff
      at += 1
    }
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw new ProtocolError('reserved', field)
  return bytes
}
