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

/** "amountMinor" is "amount_minor". */
const headName = (member: string): string => member.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/**
 * A list's export: columns of one spelling, and the currency in one of its own where there are amounts (docs/OPERATIONS.md,
 * Files for spreadsheets).
 * @param members as the rows' members are called
 */
export const csvTable = (members: readonly string[], currency: string) => {
  const last = (cell: string): readonly string[] => (members.some((each) => each.endsWith('Minor')) ? [cell] : [])
  return {
    // With a mark, so that spreadsheets read UTF-8.
    head: `\uFEFF${csvLine([...members.map(headName), ...last('currency')])}`,
    lineOf: (cells: readonly Cell[]): string => csvLine([...cells, ...last(currency)]),
  }
}
