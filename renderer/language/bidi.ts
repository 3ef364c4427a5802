/** Writing direction (UAX #9): which way a language is written, and parts of a sentence that nothing may reorder. */
import { scriptOf } from '../../protocol/language.ts'

export type Direction = 'ltr' | 'rtl'

/** ISO 15924: the scripts in use that are written from right to left. */
const rightToLeft = new Set(['Adlm', 'Arab', 'Hebr', 'Mand', 'Nkoo', 'Rohg', 'Samr', 'Syrc', 'Thaa'])

/** The direction of a BCP 47 tag; left to right when it is none. */
export function directionOf(language: string): Direction {
  return rightToLeft.has(scriptOf(language)?.script ?? '') ? 'rtl' : 'ltr'
}

/** Keeps its own direction, given by its first strong character: amounts as Intl marks them. */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`
}

/** Is read from left to right whatever stands around it: digits of a card, codes. */
export function leftToRight(text: string): string {
  return `\u2066${text}\u2069`
}
