import { quoteIdentifier } from '../database/quoting.js'
import type { ContentRelation } from './model.js'

/** A row's surrogate key as one text, the registry's `local_key`. */
export function localKeyExpression(relation: ContentRelation, alias: string): string {
  return relation.surrogate.map((column) => `${alias}.${quoteIdentifier(column)}::text`).join(` || ',' || `)
}

/** The surrogate key as one JSON value: itself, an array of several, null where the relation has none. */
export function masterExpression(relation: ContentRelation): string {
  const columns = relation.surrogate.map((column) => `s.${quoteIdentifier(column)}`)
  if (columns.length === 0) return 'null::text'
  return columns.length === 1 ? (columns[0] ?? 'null') : `json_build_array(${columns.join(', ')})`
}
