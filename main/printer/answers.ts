/**
 * What a printer says, byte by byte: answers in real time (DLE EOT), answers in turn (GS r), the four bytes that some send by
 * themselves whenever something changes (automatic status back, GS a), and XON and XOFF. The fixed bits tell them apart, but
 * for the last three of the four, which look like answers in turn: that the paper is out would be heard as *printed*.
 * Source: Epson's ESC/POS command reference, "Identification of the transmission status".
 */

export type AnswerKind = 'now' | 'inTurn'

/** Bytes of automatic status back after its first. */
const restOfStatus = 3

/** @returns a function that is told each byte of one connection, and says what it answers, if anything */
export const answerReader = (): ((byte: number) => AnswerKind | undefined) => {
  let rest = 0
  return (byte) => {
    if ((byte & 0x93) === 0x12) return 'now'
    if ((byte & 0x93) === 0x10) {
      rest = restOfStatus
      return undefined
    }
    if ((byte & 0x90) !== 0) return undefined
    if (rest === 0) return 'inTurn'
    rest -= 1
    return undefined
  }
}
