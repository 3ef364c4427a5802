/** Comma-separated values (RFC 4180), safe to open in a spreadsheet. */

export type Cell = string | number | undefined

/**
 * Text that a spreadsheet would take for a formula is marked as text (OWASP, CSV Injection), also where it would pass over
 * white space first, or takes wide letters for the plain ones; numbers, negative ones too, stay numbers.
 */
const isFormula = (text: string): boolean => /^\s*[=+\-@\t\r\n＝＋－＠]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text)

export const csvCell = (cell: Cell): string => {
  const plain = cell === undefined ? '' : String(cell)
  const text = isFormula(plain) ? `'${plain}` : plain
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** @returns one line with its end */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(',')}\r\n`
