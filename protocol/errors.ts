/** The one error that a parser of this folder throws, whatever bytes it is given. */

export type ProtocolErrorCode =
  /** Too short, too long, or a length field that contradicts the bytes. */
  | 'length'
  /** Not the document, template or tag that was expected. */
  | 'magic'
  /** A version that this program does not speak. */
  | 'version'
  /** A reserved or forced-zero field is not zero. */
  | 'reserved'
  /** A number or enumeration outside its range. */
  | 'range'
  /** Not valid JSON, not canonical (RFC 8785), or not of the document's shape. */
  | 'json'
  /** A seal, MAC, tag or signature that does not verify. */
  | 'forged'

/** Bytes that are not what they claim to be. `field` names the culprit in protocol.md's words. */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode
  readonly field: string
  constructor(code: ProtocolErrorCode, field: string, detail?: string) {
    super(`${field}: ${code}${detail === undefined ? '' : ` (${detail})`}`)
    this.name = 'ProtocolError'
    this.code = code
    this.field = field
  }
}

/** @returns undefined when the bytes are not what they claim to be @throws whatever is no ProtocolError: a bug */
export const parsed = <Result>(parse: () => Result): Result | undefined => {
  try {
    return parse()
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
