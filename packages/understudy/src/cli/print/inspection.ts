import type { InspectedRelation, Inspection } from '../engine.js'
import type { Style } from './colours.js'
import { type Column, formatTable, printable } from './table.js'
import { formatCount } from './units.js'

const COLUMNS: readonly Column[] = [
  { title: 'relation' },
  { title: 'rows', align: 'right' },
  { title: 'identity' },
  { title: 'reason' },
  { title: 'references' },
  { title: 'notes' },
]

export function renderInspection(inspection: Inspection, style: Style): string[] {
  const { relations, cycles, warnings } = inspection
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', style.bold(title), ...lines.map((line) => `  ${printable(line)}`)]
  return [
    inspection.database,
    '',
    ...formatTable(
      COLUMNS,
      relations.map((relation) => relationRow(relation, style)),
    ),
    ...section(
      'Cycles',
      cycles.map(({ relations, binding }) => `${relations.join(' → ')}: ${binding}`),
    ),
    ...section('Warnings', warnings),
  ]
}

function relationRow({ relation, rows, identity, references, notes }: InspectedRelation, style: Style): string[] {
  const columns = identity.columns.length > 0 ? ` (${identity.columns.map(printable).join(', ')})` : ''
  const colour = { key: style.green, origin: style.yellow, content: style.cyan }[identity.kind] ?? style.red
  return [
    printable(relation),
    formatCount(rows),
    colour(`${identity.kind}${columns}`),
    identity.reason,
    references.map(printable).join(', '),
    notes.map(printable).join('; '),
  ]
}
