/** How a code is written where somebody reads it: in groups; the long text of a ticket is for machines. */

import { parsed } from '../../protocol/errors.ts'
import { parseTicket, ticketNumber } from '../../protocol/ticket.ts'

const readCharactersMax = 32
const endCharacters = 6
const group = 4

/** A ticket's text is hundreds of characters: its ends tell it from another. */
export function shownCode(code: string): string {
  const ticket = parsed(() => parseTicket(code))
  if (ticket !== undefined) return ticketNumber(ticket)
  if (code.length > readCharactersMax) return `${code.slice(0, endCharacters)} … ${code.slice(-endCharacters)}`
  if (/[\s-]/.test(code) || code.length <= 2 * group - 2) return code
  return code.match(new RegExp(`.{1,${group}}`, 'gu'))?.join(' ') ?? code
}
