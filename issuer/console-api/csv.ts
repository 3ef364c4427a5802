/** Comma-separated values (RFC 4180), safe to open in a spreadsheet. */

export type Cell = string | number | undefined

/** Text that a spreadsheet would take for a formula is marked as text; numbers, negative ones too, stay numbers. */
const isFormula = (text: string): boolean => /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text)

const csvCell = (cell: Cell): string => {
  const plain = cell === undefined ? '' : String(cell)
  const text = isFormula(plain) ? `'${plain}` : plain
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** @returns one line with its end */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(',')}\r\n`
