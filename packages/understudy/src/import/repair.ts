import type { Session } from '../database/port.js'
import { relationLabel } from '../model/model.js'
import { catalogRelation, type SqlContext } from '../model/sql-context.js'
import { allocateKeys } from './allocate.js'
import { applyLoads } from './apply.js'
import { bindReferences, plainReferences } from './bind.js'
import { createLoad, hasChanges, type Load } from './load.js'
import { matchRows } from './match.js'
import { parseStaged } from './parse.js'

/**
 * An update of a referenced value carries the rows that refer to it along (`on update cascade`), also those that the archive has as they were
 * before. Reads these relations once more and writes what is no longer as the archive says. Returns the loads that it wrote.
 */
export async function repairCascades(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
): Promise<Load[]> {
  const concerned = [...loads.values()].filter((load) => isCarriedAlong(context, load, loads))
  const repaired: Load[] = []
  for (const [index, load] of concerned.entries()) {
    const again = {
      ...createLoad(context, load.relation, load.entry, `again_${index + 1}`),
      stage: load.stage,
      rowsBefore: 1,
    }
    await parseStaged(session, context, again)
    await matchRows(session, context, again)
    if (!hasChanges(again)) continue
    await allocateKeys(session, context, again, { isDryRun: true })
    await bindReferences(session, context, again, new Map())
    await applyLoads(session, context, new Map([[relationLabel(load.relation), again]]), () => {})
    repaired.push(again)
  }
  return repaired
}

function isCarriedAlong(context: SqlContext, load: Load, loads: ReadonlyMap<string, Load>): boolean {
  const plain = new Set(plainReferences(load).map((reference) => reference.name))
  return catalogRelation(context, load.relation).foreignKeys.some((key) => {
    if (!plain.has(key.name) || key.onUpdate === 'no action' || key.onUpdate === 'restrict') return false
    const target = [...context.relations.values()].find((relation) => relation.oid === key.target)
    const other = target === undefined ? undefined : loads.get(relationLabel(target))
    return other !== undefined && other.counts.updates > 0
  })
}
