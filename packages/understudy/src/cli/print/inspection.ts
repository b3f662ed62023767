import type { InspectedReference, InspectedRelation, Inspection } from '../../inspect/inspect-database.js'
import { relationLabel } from '../../model/model.js'
import type { Style } from './colours.js'
import { type Column, formatTable, printable, wrap } from './table.js'
import { formatCount } from './units.js'

const COLUMNS: readonly Column[] = [
  { title: 'relation' },
  { title: 'rows', align: 'right' },
  { title: 'identity' },
  { title: 'reason', isWrapped: true },
]

/** Where there is no terminal: long lines are broken for people, and a relation keeps its line in the table for `grep`. */
const WIDTH_OF_LISTS = 120

const ARROW = ' → '
const UNBROKEN_ARROW = '\u00A0→\u00A0'

interface RenderOptions {
  readonly style: Style
  /** Of the terminal; undefined where there is none. */
  readonly width: number | undefined
}

/** The model as a table, then what refers to what, what is special about it, and what is doubtful. */
export function renderInspection(inspection: Inspection, { style, width }: RenderOptions): string[] {
  const { label, relations, cycles, leftOut, proposals, warnings, problems } = inspection
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', style.bold(title), ...lines.flatMap((line) => listItem(line, width))]
  return [
    label,
    '',
    ...formatTable(
      COLUMNS,
      relations.map((relation) => relationRow(relation, style)),
      width,
    ),
    ...section(
      'References',
      relations
        .filter(({ references }) => references.length > 0)
        .map(({ relation, references }) => `${relation}: ${references.map(describeReference).join(', ')}`),
    ),
    ...section('Masked and kept', relations.flatMap(describeColumns)),
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

/** Two blanks in front, four where it goes on in the next line. */
function listItem(text: string, width = WIDTH_OF_LISTS): string[] {
  const [first = '', ...rest] = wrap(printable(text).replaceAll(ARROW, UNBROKEN_ARROW), width - 4)
  return [`  ${first}`, ...rest.map((line) => `    ${line}`)].map((line) => line.replaceAll(UNBROKEN_ARROW, ARROW))
}

function relationRow({ relation, rows, identity }: InspectedRelation, style: Style): string[] {
  const colour = { key: style.green, origin: style.yellow, content: style.cyan }[identity.kind]
  return [
    printable(relation),
    formatCount(rows),
    colour(printable(`${identity.kind}${identityColumns(identity)}`)),
    printable(identity.reason),
  ]
}

function identityColumns(identity: InspectedRelation['identity']): string {
  if (identity.kind === 'content') return identity.owner === null ? '' : ` of ${identity.owner}`
  return ` (${identity.columns.join(', ')})`
}

function describeColumns({ relation, columns }: InspectedRelation): string[] {
  return columns.flatMap(({ name, mask, isKept }) => {
    const facts = [
      ...(mask === null ? [] : [`travels as ${mask}`]),
      ...(isKept ? ['keeps its own value where the row is there'] : []),
    ]
    return facts.length === 0 ? [] : [`${relation}.${name} ${facts.join(', and ')}`]
  })
}

function describeReference({ columns, target, isLate, isComputed }: InspectedReference): string {
  const remarks = [...(isComputed ? ['computed'] : []), ...(isLate ? ['late'] : [])]
  return `${columns.join('+')}${ARROW}${relationLabel(target)}${remarks.length === 0 ? '' : ` (${remarks.join(', ')})`}`
}
