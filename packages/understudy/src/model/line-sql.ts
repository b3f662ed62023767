import { quoteIdentifier } from '../database/quoting.js'
import { encodeExpression } from './encodings.js'
import { Joins, leafExpressions, translateExpression } from './identity-sql.js'
import type { ContentColumn, ContentRelation, Field, Translation } from './model.js'
import { fromRelation, type SqlContext } from './sql-context.js'

/**
 * A select of a relation's records, one JSON line each: `{"master_id":…,` and the columns. In order of identity as text, so that the same
 * content gives the same bytes in every database.
 */
export function recordSelect(context: SqlContext, relation: ContentRelation): string {
  if (relation.identity.kind === 'content') return contentRecordSelect(context, relation)
  const { columns, joins } = columnExpressions(context, relation, relation.columns)
  const order = leafExpressions(context, relation, 's', joins).map((leaf) => `(${leaf})::text collate "C"`)
  return `select row_to_json(r.*)
    from (select ${[`${masterExpression(relation)} as master_id`, ...columns].join(', ')}
            from ${fromRelation(context, relation)} s ${joins}
           order by ${order.join(', ')}) r`
}

/** A row known by its content is ordered by its line, to which `master_id` does not belong. */
function contentRecordSelect(context: SqlContext, relation: ContentRelation): string {
  const { columns, joins } = columnExpressions(context, relation, relation.columns)
  return `select case when l.line = '{}' then l.head || '}' else l.head || ',' || substr(l.line, 2) end
    from (select '{"master_id":' || coalesce(to_json(${masterExpression(relation)})::text, 'null') as head,
                 (select row_to_json(x.*)::text from (select ${columns.join(', ')}) x) as line
            from ${fromRelation(context, relation)} s ${joins}) l
   order by l.line collate "C", l.head collate "C"`
}

/**
 * A select of canonical lines as `line`, and of the columns of `beside` as `t1…`. `columns` gives the order of the line, which is the archive's,
 * not this database's.
 */
export function lineSelect(
  context: SqlContext,
  relation: ContentRelation,
  columns: readonly ContentColumn[],
  beside: readonly string[] = [],
): string {
  const expressions = columnExpressions(context, relation, columns)
  const from = `from ${fromRelation(context, relation)} s ${expressions.joins}`
  const line = `(select row_to_json(x.*)::text from (select ${expressions.columns.join(', ')}) x)`
  const keys = beside.map((column, index) => `, s.${quoteIdentifier(column)} as t${index + 1}`)
  if (beside.length > 0) return `select ${line} as line${keys.join('')} ${from}`
  return `select row_to_json(r.*)::text as line from (select ${expressions.columns.join(', ')} ${from}) r`
}

/** The surrogate key as one JSON value: itself, an array of several, null where the relation has none. */
export function masterExpression(relation: ContentRelation): string {
  const columns = relation.surrogate.map((column) => `s.${quoteIdentifier(column)}`)
  if (columns.length === 0) return 'null::text'
  return columns.length === 1 ? (columns[0] ?? 'null') : `json_build_array(${columns.join(', ')})`
}

/** Where a row known by its origin carries it, first in its line. */
export const ORIGIN_KEY = '$origin'

function columnExpressions(
  context: SqlContext,
  relation: ContentRelation,
  columns: readonly ContentColumn[],
): { columns: string[]; joins: Joins } {
  const joins = new Joins()
  const origin =
    relation.identity.kind === 'origin'
      ? leafExpressions(context, relation, 's', joins).map((leaf) => `${leaf} as "${ORIGIN_KEY}"`)
      : []
  const list = columns.map((column) => `${columnExpression(context, column, joins)} as ${quoteIdentifier(column.key)}`)
  return { columns: [...origin, ...list], joins }
}

function columnExpression(context: SqlContext, column: ContentColumn, joins: Joins): string {
  const value = `s.${quoteIdentifier(column.name)}`
  if (column.mask !== undefined) return encodeExpression(column.encoding, `(${column.mask})::${column.type}`)
  if (column.fields !== undefined) return compositeExpression(context, column.fields, value, joins)
  if (column.translation === undefined) return encodeExpression(column.encoding, value)
  return translatedExpression(context, column.translation, value, column.name, joins)
}

/** A composite as a JSON object: `is not distinct from null` asks for the value itself, where `is null` would also hold for a row of nulls. */
function compositeExpression(context: SqlContext, fields: readonly Field[], value: string, joins: Joins): string {
  const pairs = fields.map((field) => {
    const part = `(${value}).${quoteIdentifier(field.name)}`
    const json =
      field.translation === undefined
        ? encodeExpression(field.encoding, part)
        : translatedExpression(context, field.translation, part, null, joins)
    return `'${field.name.replaceAll("'", "''")}', ${json}`
  })
  return `case when ${value} is not distinct from null then null else json_build_object(${pairs.join(', ')}) end`
}

function translatedExpression(
  context: SqlContext,
  translation: Translation,
  value: string,
  columnName: string | null,
  joins: Joins,
): string {
  const readColumn = (column: string) => (columnName === null ? value : `s.${quoteIdentifier(column)}`)
  if (translation.shape === 'value') return translateExpression(context, translation, readColumn, joins)
  return elementsExpression(context, translation, value)
}

/** The elements of an array, each as the identity of its row, in their order. */
function elementsExpression(context: SqlContext, translation: Translation, value: string): string {
  const joins = new Joins()
  const isJson = translation.shape === 'jsonb array'
  const element = isJson ? `(e.value #>> '{}')` : 'e.value'
  const json = translateExpression(context, translation, () => element, joins)
  const unnest = isJson ? `jsonb_array_elements(${value}::jsonb)` : `unnest(${value})`
  const list = `select coalesce(json_agg(${json} order by e.position), '[]') from ${unnest} with ordinality e(value, position) ${joins}`
  if (!isJson) return `case when ${value} is null then null else (${list}) end`
  return `case when ${value} is null then null when jsonb_typeof(${value}::jsonb) <> 'array' then json_build_object('$json', ${value}) else (${list}) end`
}
