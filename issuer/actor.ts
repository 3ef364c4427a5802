/** The person who decides, as the books and the audit log name him. */
import { isDeceptive } from './deceptive-text.ts'
import { IssuerError } from './errors.ts'

export interface Actor {
  /** A console user's name, or "cli:USER". */
  readonly name: string
}

const ofCommand = 'cli:'
/** A machine may call its user "Anna" whom the console, which keeps lower case, calls "anna". */
const personOf = (name: string): string => {
  const plain = name.startsWith(ofCommand) ? name.slice(ofCommand.length) : name
  return plain.normalize('NFKC').trim().toLowerCase()
}

/** Console and command call one person by the same name, but for case and space around it: that is no second person. */
export const isSamePerson = (one: string, other: string): boolean => personOf(one) === personOf(other)

const reasonLengthMax = 500

/** @returns it trimmed @throws IssuerError `input` */
export const requireReason = (reason: string): string => {
  const text = reason.trim()
  if (text === '' || text.length > reasonLengthMax)
    throw new IssuerError('input', `Give a reason of 1 to ${reasonLengthMax} characters: others will ask.`)
  if (isDeceptive(text))
    throw new IssuerError('input', 'A reason has no control characters, and none that turn the direction of writing.')
  return text
}
