import { relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import { findWritingTriggers } from '../model/writing-triggers.js'
import type { ImportRun } from './import-run.js'
import type { Load } from './load.js'
import { triggerPolicy } from './triggers.js'

/**
 * A line for the plan for each constraint trigger that will fire and that writes. Constraint triggers are not suspended, because most of them check. Where all
 * triggers fire, somebody has said so.
 */
export async function describeFiring(run: ImportRun, context: SqlContext, loads: readonly Load[]): Promise<string[]> {
  const suspending = loads.filter(({ relation }) => triggerPolicy(run.settings, context, relation) === 'suspend')
  const concerned = suspending.map(({ relation, counts }) => ({ ...relation, counts }))
  const found = await findWritingTriggers(run.session, context, concerned)
  return found.flatMap(({ relation, trigger: { name, function: called, events }, verb }) => {
    const { inserts, updates, deletes } = relation.counts
    const rows = (events.inserts ? inserts : 0) + (events.updates ? updates : 0) + (events.deletes ? deletes : 0)
    if (rows === 0) return []
    const what = `${rows} ${rows === 1 ? 'row' : 'rows'}`
    return [
      `${relationLabel(relation)}: the constraint trigger ${name} fires for ${what}, and its function ${called} ${verb}; constraint triggers are not suspended`,
    ]
  })
}
