/** How a code is written where somebody reads it: in groups; the long text of a ticket is for machines. */

const readCharactersMax = 32
const endCharacters = 6
const group = 4

/** A ticket's text is hundreds of characters: its ends tell it from another. */
export function shownCode(code: string): string {
  if (code.length > readCharactersMax) return `${code.slice(0, endCharacters)} … ${code.slice(-endCharacters)}`
  if (/[\s-]/.test(code) || code.length <= 2 * group - 2) return code
  return code.match(new RegExp(`.{1,${group}}`, 'gu'))?.join(' ') ?? code
}
