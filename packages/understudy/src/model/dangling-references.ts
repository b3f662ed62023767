import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { meansNone } from './bare-values.js'
import { type Finding, MAX_SAMPLES, rowLabel, type SampleRow, toFinding } from './finding.js'
import { decidingConditions, joinAlternative } from './identity-sql.js'
import { Joins } from './joins.js'
import type { Alternative, ContentColumn, ContentRelation, Translation } from './model.js'
import { catalogRelation, fromRelation, type SqlContext } from './sql-context.js'

/** Rows of a relation that point to no row, and lists of references that cannot be carried over. */
export async function findDanglingReferences(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const pointing of relation.columns.flatMap(pointingOf)) {
    const { path, column, translation } = pointing
    findings.push(...(await findOtherShapes(session, context, relation, pointing)))
    if (translation.onDangling === 'null') continue
    for (const [index, alternative] of translation.alternatives.entries()) {
      if (translation.shape === 'value' && isEnforced(context, relation, column, alternative)) continue
      const select = danglingSelect(context, relation, pointing, index)
      const rows = await session.query<SampleRow & { only: string | null }>(select)
      const canBeNone = path === column && translation.shape === 'value' && isOnlyDeclared(relation, column)
      const none = canBeNone ? likelyNone(rows[0]) : undefined
      findings.push(...toFinding(relation, 'dangling reference', path, rows, '').map((each) => ({ ...each, none })))
    }
  }
  return findings
}

/** A place that holds references: a column, or a field of a composite one. */
interface Pointing {
  /** `column` or `column.field`. */
  readonly path: string
  readonly column: string
  readonly translation: Translation
  /** What it holds, of the row `s`; given the column that is asked for, where it may be another. */
  readonly value: (column: string) => string
}

function pointingOf({ name, translation, fields = [] }: ContentColumn): Pointing[] {
  const own = (column: string) => `s.${quoteIdentifier(column)}`
  const inside = fields.flatMap((field) => {
    if (field.translation === undefined) return []
    const value = () => `(${own(name)}).${quoteIdentifier(field.name)}`
    return [{ path: `${name}.${field.name}`, column: name, translation: field.translation, value }]
  })
  return translation === undefined ? inside : [{ path: name, column: name, translation, value: own }, ...inside]
}

/** `sample`, `total`, and as `only` the value that all of these rows hold, if there is one. */
function danglingSelect(
  context: SqlContext,
  relation: ContentRelation,
  { column: name, translation, value: readColumn }: Pointing,
  index: number,
): string {
  const alternative = translation.alternatives[index] as Alternative
  const joins = new Joins()
  const value = readColumn(name)
  const { element, source } = elementsOf(translation, value)
  const isList = translation.shape !== 'value'
  const { found } = joinAlternative(context, alternative, (column) => (isList ? element : readColumn(column)), joins)
  const decides = decidingConditions(context, relation, translation, readColumn, joins)[index]
  const conditions = [
    ...(isList ? [`${element} is not null`] : alternative.join.map((pair) => `${readColumn(pair.column)} is not null`)),
    `${found} is null`,
    ...(decides === undefined ? [] : [decides]),
    ...(translation.none === undefined ? [] : [`not ${meansNone(translation, value)}`]),
  ]
  const [lowest, highest] = ['min', 'max'].map((pick) => `${pick}((${value})::text collate "C") over ()`)
  return `select ${rowLabel(context, relation, joins)} || ' -> ' || ${element}::text as sample, count(*) over () as total,
                 case when ${lowest} = ${highest} then ${lowest} end as only
            from ${fromRelation(context, relation)} s ${source} ${joins}
           where ${conditions.join(' and ')}
           limit ${MAX_SAMPLES}`
}

/** The value, or the elements of a list, and what unfolds it. */
function elementsOf({ shape }: Translation, value: string): { element: string; source: string } {
  switch (shape) {
    case 'value':
      return { element: value, source: '' }
    case 'array':
      return { element: 'e.value', source: `cross join lateral unnest(${value}) e(value)` }
    case 'jsonb array': {
      const list = `case when jsonb_typeof(${value}::jsonb) = 'array' then ${value}::jsonb end`
      return { element: `(e.value #>> '{}')`, source: `cross join lateral jsonb_array_elements(${list}) e(value)` }
    }
  }
}

/** Only the elements of a list are carried over: dimensions and bounds would be lost, a single value stay an id of the source. Objects are no references. */
async function findOtherShapes(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
  { path, column, translation, value: readColumn }: Pointing,
): Promise<Finding[]> {
  if (translation.shape === 'value') return []
  const value = readColumn(column)
  const isOther =
    translation.shape === 'array'
      ? `(array_ndims(${value}) > 1 or array_lower(${value}, 1) <> 1)`
      : `jsonb_typeof(${value}::jsonb) in ('number', 'string')`
  const joins = new Joins()
  const label = rowLabel(context, relation, joins)
  const rows = await session.query<{ sample: string; total: number }>(
    `select ${label} || ' -> ' || left(${value}::text, 60) as sample, count(*) over () as total
       from ${fromRelation(context, relation)} s ${joins}
      where ${isOther}
      limit ${MAX_SAMPLES}`,
  )
  return toFinding(relation, 'no plain list', path, rows, '')
}

function isOnlyDeclared({ references }: ContentRelation, column: string): boolean {
  return references.every(({ kind, columns }) => kind === 'declared' || !columns.includes(column))
}

/** The one value that all rows hold, where several do or where it is nobody's id; else one row may well be just wrong. */
function likelyNone(first: { readonly total: number; readonly only: string | null } | undefined): string | undefined {
  if (first === undefined || first.only === null) return undefined
  return first.total > 1 || /^(0|-\d+|[0-]*|)$/.test(first.only) ? first.only : undefined
}

/**
 * Whether a validated foreign key already promises that the column's rows exist. One that is null in another column promises nothing, so every column
 * must be one that the value is looked up by, or never null.
 */
function isEnforced(context: SqlContext, relation: ContentRelation, column: string, { join }: Alternative): boolean {
  const { foreignKeys, columns } = catalogRelation(context, relation)
  const isGiven = (name: string) =>
    join.some((pair) => pair.column === name) || columns.find((each) => each.name === name)?.isNullable === false
  const names = new Set(
    relation.references
      .filter((each) => each.kind === 'foreign key' && each.columns.includes(column))
      .map((each) => each.name),
  )
  return foreignKeys.some((key) => names.has(key.name) && key.isValidated && key.columns.every(isGiven))
}
