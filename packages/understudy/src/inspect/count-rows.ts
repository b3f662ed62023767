import type { Catalog } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { quoteLiteral } from '../database/quoting.js'
import { type ContentModel, relationLabel } from '../model/model.js'
import { createSqlContext, fromRelation } from '../model/sql-context.js'

const RELATIONS_PER_QUERY = 100

/** Rows per relation: the planner's estimate, or a count where the relation was never analyzed. */
export async function countRows(session: Session, catalog: Catalog, model: ContentModel): Promise<Map<string, number>> {
  const context = createSqlContext(catalog, model, null)
  const rows = new Map<string, number>()
  const unknown: string[] = []
  for (const relation of model.relations) {
    const label = relationLabel(relation)
    const estimate = context.relations.get(label)?.estimatedRows ?? -1
    if (estimate > 0) rows.set(label, Math.round(estimate))
    else
      unknown.push(`select ${quoteLiteral(label)} as label, count(*) as rows from ${fromRelation(context, relation)}`)
  }
  for (let start = 0; start < unknown.length; start += RELATIONS_PER_QUERY) {
    const part = unknown.slice(start, start + RELATIONS_PER_QUERY)
    const counted = await session.query<{ label: string; rows: number }>(part.join(' union all '))
    for (const { label, rows: count } of counted) rows.set(label, count)
  }
  return rows
}
