/** A table of text: numbers to the right, words to the left. */

const isNumber = (text: string): boolean => /^-?\d[\d.]*$/.test(text)

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const numeric = head.map((_, at) => rows.length > 0 && rows.every((row) => isNumber(row[at] ?? '')))
  const render = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (numeric[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [render(head), rule, ...rows.map(render)].join('\n')
}
