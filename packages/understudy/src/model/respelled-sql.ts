import { quoteIdentifier } from '../database/quoting.js'
import type { Joins } from './joins.js'
import type { Leaf } from './leaves.js'
import { type ContentRelation, relationLabel } from './model.js'
import { catalogRelation, type SqlContext, sameValue } from './sql-context.js'

/** A value of a row's own key, as it is or as it will be written. */
export function keyExpression(
  context: SqlContext,
  relation: ContentRelation,
  name: string,
  alias: string,
  joins: Joins,
): string {
  const value = `${alias}.${quoteIdentifier(name)}`
  const respelled = context.respelled?.get(relationLabel(relation))
  const column = respelled?.columns.get(name)
  if (respelled === undefined || column === undefined) return value
  const join = joins.add(respelled.table, (each) => respelled.isRow(alias, each))
  return `coalesce(${join}.${column.after}, ${value})`
}

/** A column's value, as it is or as a foreign key with `on update cascade` will carry it along. */
export function plainExpression(context: SqlContext, relation: ContentRelation, name: string, joins: Joins): string {
  const value = `s.${quoteIdentifier(name)}`
  if (context.respelled === undefined || context.respelled.size === 0) return value
  for (const key of catalogRelation(context, relation).foreignKeys) {
    if (key.onUpdate !== 'cascade' || !key.columns.includes(name)) continue
    const target = context.model.relations.find(
      (each) => context.relations.get(relationLabel(each))?.oid === key.target,
    )
    const respelled = target === undefined ? undefined : context.respelled.get(relationLabel(target))
    const columns = key.targetColumns.flatMap((each) => respelled?.columns.get(each) ?? [])
    const carried = columns[key.columns.indexOf(name)]
    const isWhole = columns.length === key.targetColumns.length
    if (target === undefined || respelled === undefined || carried === undefined || !isWhole) continue
    const join = joins.add(respelled.table, (alias) =>
      key.columns
        .map((own, index) => {
          const before = `${alias}.${columns[index]?.before}`
          return sameValue(context, target, key.targetColumns[index] ?? '', before, `s.${quoteIdentifier(own)}`)
        })
        .join(' and '),
    )
    return `case when ${join}.${carried.before} is null then ${value} else ${join}.${carried.after} end`
  }
  return value
}

/** The leaves of a reference within a row's own key, as they are or as those of the target that the row waits for. */
export function awaitedLeaves(
  context: SqlContext,
  relation: ContentRelation,
  name: string,
  alias: string,
  joins: Joins,
  leaves: readonly Leaf[],
  present: readonly string[],
): string[] {
  const waits = context.standIns?.columns.get(relationLabel(relation))?.get(name)
  if (context.standIns === undefined || waits === undefined) return [...present]
  const standIn = joins.add(context.standIns.table, (each) => waits(alias, each))
  return leaves.map((leaf, index) => {
    if (leaf.isDocument === true)
      return `case when ${standIn}.local_key is null then ${present[index]} else ${standIn}.identity::jsonb::text end`
    const text = leaves.length === 1 ? `(${standIn}.identity #>> '{}')` : `(${standIn}.identity ->> ${index})`
    return `case when ${standIn}.local_key is null then ${present[index]} else ${text}::${leaf.type} end`
  })
}
