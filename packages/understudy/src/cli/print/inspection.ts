import type { InspectedRelation, Inspection } from '../../inspect/inspect-database.js'
import type { Reference } from '../../model/model.js'
import type { Style } from './colours.js'
import { type Column, formatTable, printable } from './table.js'
import { formatCount } from './units.js'

const COLUMNS: readonly Column[] = [
  { title: 'relation' },
  { title: 'rows', align: 'right' },
  { title: 'identity' },
  { title: 'reason', isWrapped: true },
  { title: 'references', isWrapped: true },
  { title: 'notes', isWrapped: true },
]

interface RenderOptions {
  readonly style: Style
  /** Of the terminal; undefined where nothing needs to be broken. */
  readonly width: number | undefined
}

/** The model as a table, then what is special about it and what is doubtful. */
export function renderInspection(inspection: Inspection, { style, width }: RenderOptions): string[] {
  const { label, relations, cycles, leftOut, proposals, warnings, problems } = inspection
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', style.bold(title), ...lines.map((line) => `  ${printable(line)}`)]
  return [
    label,
    '',
    ...formatTable(
      COLUMNS,
      relations.map((relation) => relationRow(relation, inspection, style)),
      width,
    ),
    ...section(
      'Left out',
      leftOut.map((one) => `${one.label}: ${one.reason}`),
    ),
    ...section(
      'Cycles',
      cycles.map((cycle) => `${cycle.relations.join(', ')}: ${cycle.binding}`),
    ),
    ...section(
      'Keys that the rows suggest',
      proposals.map((one) => `${one.relation} (${one.columns.join(', ')}) over ${formatCount(one.rows)} rows`),
    ),
    ...section(
      'Warnings',
      warnings.map(({ relation, column, message }) => `${relation}${column === null ? '' : `.${column}`} ${message}`),
    ),
    ...section(style.red('Problems: no export until they are mended'), problems),
  ]
}

function relationRow(
  { relation, rows, identity, references }: InspectedRelation,
  { warnings }: Inspection,
  style: Style,
): string[] {
  const colour = { key: style.green, origin: style.yellow, content: style.cyan }[identity.kind]
  const notes = warnings.filter((warning) => warning.relation === relation)
  return [
    printable(relation),
    formatCount(rows),
    colour(printable(`${identity.kind}${identityColumns(identity)}`)),
    printable(identity.reason),
    printable(references.map(describeReference).join(', ')),
    printable(notes.map(({ kind, column }) => (column === null ? kind : `${kind}: ${column}`)).join(', ')),
  ]
}

function identityColumns(identity: InspectedRelation['identity']): string {
  if (identity.kind === 'content') return identity.owner === null ? '' : ` of ${identity.owner}`
  return ` (${identity.columns.join(', ')})`
}

function describeReference({ columns, target, isLate }: Reference): string {
  return `${columns.join('+')} → ${target.name}${isLate ? ' (late)' : ''}`
}
