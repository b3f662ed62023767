/** One line of CSV, ended by LF: null is nothing, the empty text is `""`, what could be misread is quoted. */
export function csvLine(cells: readonly (string | null)[]): string {
  return `${cells.map(csvCell).join(',')}\n`
}

function csvCell(cell: string | null): string {
  if (cell === null) return ''
  return cell === '' || /[",;\t\r\n]|^\s|\s$|^\uFEFF/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}
