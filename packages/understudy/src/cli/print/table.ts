import { stripVTControlCharacters } from 'node:util'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** Aligned lines under a heading, two blanks between columns, nothing trailing. Cells may be coloured. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const heading = columns.map(({ title }) => title)
  const widths = columns.map((_, index) => Math.max(...[heading, ...rows].map((row) => widthOf(row[index] ?? ''))))
  const format = (row: readonly string[]) =>
    columns
      .map(({ align }, index) => pad(row[index] ?? '', widths[index] ?? 0, align))
      .join('  ')
      .trimEnd()
  return [format(heading), format(widths.map((width) => '─'.repeat(width))), ...rows.map(format)]
}

/** A name as it is safe to print: a relation may be called anything, terminal commands included. */
export function printable(text: string): string {
  const asEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, asEscape)
}

function pad(cell: string, width: number, align: Column['align'] = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(cell)))
  return align === 'right' ? blanks + cell : cell + blanks
}

function widthOf(cell: string): number {
  const visible = stripVTControlCharacters(cell)
  return [...visible].filter((character) => !/\p{Mn}/u.test(character)).length
}
