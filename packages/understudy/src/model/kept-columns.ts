import type { RelationConfig } from '../config/define-config.js'
import { quoteLiteral } from '../database/quoting.js'
import { type ContentRelation, relationLabel } from './model.js'
import type { SqlContext } from './sql-context.js'

/** Why columns cannot be kept (`relations.….keep`): only a row that is found again has something to keep, and what it is found by is the same on both sides. */
export function keepProblems(
  relation: Pick<ContentRelation, 'schema' | 'name' | 'identity' | 'columns'>,
  { keep = [] }: RelationConfig,
): string[] {
  const path = `relations.${relationLabel(relation)}.keep`
  const { identity, columns } = relation
  if (identity.kind === 'content' && keep.length > 0)
    return [`${path}: rows known by their content are replaced where it differs, and keep nothing`]
  const own = identity.kind === 'key' ? identity.columns : []
  return keep.flatMap((name) => {
    if (!columns.some((column) => column.name === name)) return [`${path}: no column ${name} travels`]
    return own.includes(name) ? [`${path}: ${name} is part of the identity`] : []
  })
}

/** The columns of a relation that keep the target's own values, as far as they travel: by the configuration of the database at hand. */
export function keptColumns(context: SqlContext, relation: ContentRelation): ContentRelation['columns'] {
  if (relation.identity.kind === 'content') return []
  const kept = context.configured.get(relationLabel(relation))?.keep ?? []
  return relation.columns.filter(({ name }) => kept.includes(name))
}

/** The columns of a relation that every database computes for itself, as far as they travel: by the configuration of the database at hand. */
export function copyColumns(context: SqlContext, relation: ContentRelation): ContentRelation['columns'] {
  const identity = relation.identity.kind === 'content' ? [] : relation.identity.columns
  const { copies = {} } = context.configured.get(relationLabel(relation)) ?? {}
  return relation.columns.filter(({ name }) => Object.hasOwn(copies, name) && !identity.includes(name))
}

/** A line without some of its keys; every other value stays as it is, to the letter. */
export function lineWithout(line: string, keys: readonly string[]): string {
  if (keys.length === 0) return line
  return `(select ${joined('e.value::text')} from ${entries(line)} where e.key <> all (${textArray(keys)}))`
}

/** A line with the values that another has for some of the keys. */
export function lineWith(line: string, keys: readonly string[], other: string): string {
  const value = `case when e.key = any (${textArray(keys)}) then (${other}::json -> e.key)::text else e.value::text end`
  return `(select ${joined(value)} from ${entries(line)})`
}

function entries(line: string): string {
  return `json_each(${line}::json) with ordinality as e(key, value, place)`
}

function joined(value: string): string {
  return `'{' || coalesce(string_agg(to_json(e.key)::text || ':' || ${value}, ',' order by e.place), '') || '}'`
}

function textArray(values: readonly string[]): string {
  return `array[${values.map(quoteLiteral).join(', ')}]::text[]`
}
