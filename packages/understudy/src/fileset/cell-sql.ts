import { quoteIdentifier, quoteLiteral } from '../database/quoting.js'
import { encodeExpression, encodeLeaf } from '../model/encodings.js'
import { identityJson } from '../model/identity-sql.js'
import type { Leaf } from '../model/leaves.js'
import type { ContentColumn } from '../model/model.js'
import { cellsOf, type FilledFile, type Heading, heldColumns, linkedColumns } from './filled-file.js'
import type { Cell, Through } from './headings.js'

/** A select of a file's rows as records, as an export would write them; the place of each row stands as its `master_id`. */
export function recordSelect(file: FilledFile): string {
  const headings = cellsOf(file)
  const own = headings.flatMap(({ cell, name }) =>
    cell.kind === 'own' ? [`x.${name} as ${quoteIdentifier(cell.key)}`] : [],
  )
  const columns = heldColumns(file).map(
    (column) => `${columnExpression(headings, column)} as ${quoteIdentifier(column.key)}`,
  )
  const master = headings.find(({ cell }) => cell.kind === 'master')
  const list = [`${master === undefined ? placeOf(file) : `x.${master.name}`} as master_id`, ...own, ...columns]
  return `select row_to_json(r.*) from (select ${list.join(', ')} from ${typedRows(file)}) r`
}

/** The rows that a cell with several identities makes in the relation that links; an identity that stands twice in a cell makes one. */
export function linkSelect(file: FilledFile, heading: Heading, through: Through, leaf: Leaf): string {
  const element = encodeLeaf(leaf.encoding, castLeaf(leaf, `(e.value #>> '{}')`))
  const columns = linkedColumns(through).map((column) => {
    const value = column === through.column ? element : ownIdentity(file)
    return `${value} as ${quoteIdentifier(column.key)}`
  })
  return `select row_to_json(r.*)
    from (select distinct on (s.line, ${element}) ${placeOf(file)} as master_id, ${columns.join(', ')}
            from ${typedRows(file)}
           cross join lateral json_array_elements(x.${heading.name}) e(value)) r`
}

/** `events.csv:12`, by which errors of the import name the row. */
function placeOf({ name }: FilledFile): string {
  return `(${quoteLiteral(`${name}:`)} || s.line)`
}

/** The staged rows as `s`, and their cells as `x`, each of the type that it must fit. */
export function typedRows(file: FilledFile, typed: (heading: Heading) => string = cellType): string {
  const fields = cellsOf(file).map((heading) => `${heading.name} ${typed(heading)}`)
  return `${file.stage} s cross join lateral json_to_record(s.cells::json) as x(${fields.join(', ')})`
}

/** The type under which a record function reads a cell: its column's input function says whether the text fits. */
export function cellType({ cell }: Heading): string {
  switch (cell.kind) {
    case 'value':
      return cell.column.encoding === 'jsonb' || cell.column.encoding === 'document' ? 'text' : cell.column.type
    case 'leaf':
      return isTextLeaf(cell.leaf) ? 'text' : cell.leaf.type
    case 'own':
      return cell.type
    case 'master':
      return 'text'
    case 'elements':
    case 'links':
    case 'json':
      return 'json'
  }
}

/** The value of a column in a record, from the cells that hold it. */
function columnExpression(headings: readonly Heading[], column: ContentColumn): string {
  const cells = headings.filter(({ cell }) => 'column' in cell && cell.column === column)
  const [first] = cells
  if (first === undefined) throw new Error(`no heading holds ${column.name}`)
  if (first.cell.kind !== 'leaf') return valueExpression(first.cell, `x.${first.name}`)
  const parts = cells
    .flatMap(({ cell, name }) => (cell.kind === 'leaf' ? [{ cell, name: `x.${name}` }] : []))
    .toSorted((a, b) => a.cell.position - b.cell.position)
  const names = parts.map(({ name }) => name)
  return identityJson(
    parts.map(({ cell }) => cell.leaf),
    names,
    `coalesce(${names.map((name) => `${name}::text`).join(', ')})`,
  )
}

/** What the cell's text becomes in a record. */
export function valueExpression(cell: Cell, value: string): string {
  switch (cell.kind) {
    case 'value': {
      const { encoding } = cell.column
      if (encoding === 'jsonb') return encodeExpression(encoding, `(${value}::jsonb)`)
      return encoding === 'document' ? `${value}::json::text` : encodeExpression(encoding, value)
    }
    case 'elements':
    case 'links':
      return elementsExpression(cell.leaves, value)
    case 'leaf':
      return encodeLeaf(cell.leaf.encoding, value)
    default:
      return value
  }
}

/** A JSON array of identities, each as an export writes it. */
function elementsExpression(leaves: readonly Leaf[], value: string): string {
  const [only, ...others] = leaves
  const parts = leaves.map((leaf, index) => castLeaf(leaf, `(e.value ->> ${index})`))
  const element =
    only !== undefined && others.length === 0
      ? encodeLeaf(only.encoding, castLeaf(only, `(e.value #>> '{}')`))
      : identityJson(leaves, parts, `case when json_typeof(e.value) = 'array' then true end`)
  const list = `select coalesce(json_agg(${element} order by e.position), '[]') from json_array_elements(${value}) with ordinality e(value, position)`
  return `case when ${value} is null then null when json_typeof(${value}) <> 'array' then ${value} else (${list}) end`
}

/** The row's own identity, as rows that point to it have it. */
export function ownIdentity(file: FilledFile): string {
  const parts = ownLeaves(file)
  return parts.length === 1 ? (parts[0] ?? 'null') : `json_build_array(${parts.join(', ')})`
}

/** The leaves of the row's own identity, in their order. */
export function ownLeaves(file: FilledFile): string[] {
  const headings = cellsOf(file)
  const { identity } = file.relation
  if (identity.kind === 'content') return []
  if (identity.kind === 'origin')
    return headings.flatMap(({ cell, name }) => (cell.kind === 'own' ? [`x.${name}`] : []))
  return identity.columns.flatMap((column) =>
    headings
      .flatMap(({ cell, name }) => ('column' in cell && cell.column.name === column ? [{ cell, name }] : []))
      .toSorted((a, b) => positionOf(a.cell) - positionOf(b.cell))
      .map(({ cell, name }) =>
        encodeLeaf(cell.kind === 'leaf' ? cell.leaf.encoding : cell.column.encoding, `x.${name}`),
      ),
  )
}

function positionOf(cell: Cell): number {
  return cell.kind === 'leaf' ? cell.position : 0
}

function castLeaf(leaf: Leaf, value: string): string {
  return isTextLeaf(leaf) ? value : `${value}::${leaf.type}`
}

function isTextLeaf({ encoding }: Leaf): boolean {
  return encoding === 'array' || encoding === 'jsonb' || encoding === 'document'
}
