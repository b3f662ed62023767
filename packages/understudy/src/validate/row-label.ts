import { quoteLiteral } from '../database/quoting.js'
import { leafExpressions } from '../model/identity-sql.js'
import type { Joins } from '../model/joins.js'
import type { ContentRelation } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import { masterExpression } from '../model/surrogate-sql.js'

/** The row behind the alias `s` as a check names it: by its identity, which is the same in every database, or else by its surrogate key. */
export function rowLabel(context: SqlContext, relation: ContentRelation, joins: Joins): string {
  if (relation.identity.kind === 'key') return joined(leafExpressions(context, relation, 's', joins))
  if (relation.surrogate.length === 0) return `'row ' || s.ctid::text`
  return `${quoteLiteral(`${relation.surrogate.join(', ')} `)} || to_json(${masterExpression(relation)})::text`
}

/** `a, b`, with `null` where a part is missing. */
function joined(parts: readonly string[]): string {
  return parts.map((part) => `coalesce((${part})::text, 'null')`).join(` || ', ' || `)
}
