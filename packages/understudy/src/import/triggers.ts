import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../database/quoting.js'
import { type RelationName, relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'

/** A trigger that fires on ordinary writes, on a relation or one of its partitions. */
export interface SuspendedTrigger {
  readonly schema: string
  readonly name: string
  readonly trigger: string
  readonly state: 'origin' | 'always'
}

/**
 * Suspends the user triggers of the relations that will be written, by name, on every partition. Constraint triggers are left alone: most of
 * them check; those that write are told of (`firing-triggers.ts`). Returns what `resumeTriggers` needs to restore each to its exact state.
 */
export async function suspendTriggers(
  session: Session,
  relations: readonly RelationName[],
): Promise<SuspendedTrigger[]> {
  const triggers = await findFiringTriggers(session, relations)
  for (const statement of alterStatements(triggers, () => 'disable trigger')) await session.execute(statement)
  return triggers
}

export async function resumeTriggers(session: Session, triggers: readonly SuspendedTrigger[]): Promise<void> {
  if (triggers.length === 0) return
  const statements = alterStatements(triggers, ({ state }) =>
    state === 'always' ? 'enable always trigger' : 'enable trigger',
  )
  for (const statement of statements) await session.execute(statement)
}

/** tgenabled: O fires on ordinary writes, A always. A clone on a partition has a state of its own. */
async function findFiringTriggers(session: Session, relations: readonly RelationName[]): Promise<SuspendedTrigger[]> {
  if (relations.length === 0) return []
  const roots = relations.map((relation) => `${quoteLiteral(quoteQualified(relation))}::regclass`)
  return await session.query<SuspendedTrigger & Record<string, unknown>>(
    `with recursive tree as (
       select unnest(array[${roots.join(', ')}])::oid as oid
       union
       select i.inhrelid from tree join pg_catalog.pg_inherits i on i.inhparent = tree.oid
         join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relispartition
     )
     select n.nspname::text as schema, c.relname::text as name, t.tgname::text as trigger,
            case t.tgenabled when 'A' then 'always' else 'origin' end as state
       from tree
       join pg_catalog.pg_trigger t on t.tgrelid = tree.oid
       join pg_catalog.pg_class c on c.oid = t.tgrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where not t.tgisinternal and t.tgconstraint = 0 and t.tgenabled in ('O', 'A')
      order by 1, 2, 3`,
  )
}

/** One statement per relation, `only`, so that a partition keeps a state that differs from its root's. */
function alterStatements(
  triggers: readonly SuspendedTrigger[],
  action: (trigger: SuspendedTrigger) => string,
): string[] {
  const byRelation = new Map<string, string[]>()
  for (const trigger of triggers) {
    const relation = quoteQualified(trigger)
    const actions = byRelation.get(relation) ?? []
    actions.push(`${action(trigger)} ${quoteIdentifier(trigger.trigger)}`)
    byRelation.set(relation, actions)
  }
  return [...byRelation].map(([relation, actions]) => `alter table only ${relation} ${actions.join(', ')}`)
}

/** Whether a relation's triggers are suspended while it is written, or fire. */
export function triggerPolicy(settings: Settings, context: SqlContext, relation: RelationName): 'suspend' | 'fire' {
  return context.configured.get(relationLabel(relation))?.triggers ?? settings.triggers
}
