import { stripVTControlCharacters } from 'node:util'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** May be broken at blanks where the table is wider than the terminal. */
  readonly isWrapped?: boolean
}

const GAP = '  '
const NARROWEST = 12

/**
 * Aligned lines under a heading, two blanks between columns, nothing trailing. Cells may be coloured; those of wrapped columns may not.
 * Without a width no cell is broken.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width?: number,
): string[] {
  const heading = columns.map(({ title }) => title)
  const natural = columns.map((_, index) => Math.max(...[heading, ...rows].map((row) => widthOf(row[index] ?? ''))))
  const widths = width === undefined ? natural : shrink(columns, natural, width)
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, index) => pad(cells[index] ?? '', widths[index] ?? 0, align))
      .join(GAP)
      .trimEnd()
  const rule = line(widths.map((columnWidth) => '─'.repeat(columnWidth)))
  return [line(heading), rule, ...rows.flatMap((row) => wrapRow(row, columns, widths).map(line))]
}

/** A name as it is safe to print: a relation may be called anything, terminal commands included. */
export function printable(text: string): string {
  const asEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, asEscape)
}

/** Takes what is too much from the widest wrapped columns, down to a width at which words can still be read. */
function shrink(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const widths = [...natural]
  const excess = () => widths.reduce((sum, one) => sum + one, GAP.length * (columns.length - 1)) - width
  while (excess() > 0) {
    const wrapped = widths.map((one, index) => (columns[index]?.isWrapped ? one : 0))
    const widest = Math.max(...wrapped)
    if (widest <= NARROWEST) break
    widths[wrapped.indexOf(widest)] = widest - 1
  }
  return widths
}

function wrapRow(row: readonly string[], columns: readonly Column[], widths: readonly number[]): string[][] {
  const cells = columns.map(({ isWrapped }, index) =>
    isWrapped ? wrap(row[index] ?? '', widths[index] ?? 0) : [row[index] ?? ''],
  )
  const height = Math.max(...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, at) => cells.map((lines) => lines[at] ?? ''))
}

/** Breaks at blanks; a word that is too long stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

function pad(cell: string, width: number, align: Column['align'] = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(cell)))
  return align === 'right' ? blanks + cell : cell + blanks
}

function widthOf(cell: string): number {
  const visible = stripVTControlCharacters(cell)
  return [...visible].filter((character) => !/\p{Mn}/u.test(character)).length
}
