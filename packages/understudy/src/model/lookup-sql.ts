import { identityJson, identitySelect } from './identity-sql.js'
import { leavesOf } from './leaves.js'
import {
  type Alternative,
  type ContentColumn,
  type ContentRelation,
  isVarying,
  type RelationName,
  relationOf,
} from './model.js'
import { catalogRelation, type SqlContext } from './sql-context.js'

/** Types, by oid, whose values are equal exactly when their texts are: int8, int2, int4, uuid (pg_type.dat). */
const KEY_TYPES = new Set([20, 21, 23, 2950])

/**
 * Where a column points to, if each of its values can be looked up by its text alone: one target, found by one column. Null where it takes a join,
 * which it does in any case for a column that the relation's identity is made of, because the records are ordered by that.
 */
export function lookupTarget(
  context: SqlContext,
  relation: ContentRelation,
  column: ContentColumn,
): Alternative | null {
  const { translation } = column
  const [target, ...others] = translation?.alternatives ?? []
  if (translation === undefined || target === undefined || others.length > 0) return null
  if (translation.shape !== 'value' || isVarying(translation) || target.join.length !== 1) return null
  if (column.mask !== undefined || column.fields !== undefined) return null
  if (relation.identity.kind === 'key' && relation.identity.columns.includes(column.name)) return null
  const ends = [typeOf(context, relation, column.name), typeOf(context, target.target, target.targetColumn)]
  return ends.every((type) => type !== undefined && KEY_TYPES.has(type)) ? target : null
}

/** A select of lines, `<key>:<JSON>`: for each row of the target the identity that references to it travel as. */
export function lookupLines(context: SqlContext, { target, targetColumn }: Alternative): string {
  const relation = relationOf(context.model, target)
  const leaves = leavesOf(context.model, relation)
  const expressions = leaves.map((_, index) => `t.l${index + 1}`)
  const json = identityJson(leaves, expressions, 't.t1')
  return `select t.t1::text || ':' || coalesce(to_json(${json})::text, 'null')
    from (${identitySelect(context, relation, [targetColumn])}) t where t.t1 is not null`
}

function typeOf(context: SqlContext, name: RelationName, column: string): number | undefined {
  return catalogRelation(context, name).columns.find((each) => each.name === column)?.typeOid
}
