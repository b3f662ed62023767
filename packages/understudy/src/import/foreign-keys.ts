import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../database/quoting.js'
import type { RelationName } from '../model/model.js'
import { catalogRelation, type SqlContext } from '../model/sql-context.js'
import type { Load } from './load.js'

/** A foreign key that was taken off for a bulk load, with all that it takes to put it back. */
export interface DetachedForeignKey {
  readonly relation: RelationName
  readonly name: string
  readonly definition: string
  readonly comment: string | null
}

/** Below this many new rows the checks row by row cost less than the locks and the validation of the whole table. */
const MIN_ROWS_TO_DETACH = 20_000

/** Whether a relation of ours was empty and gets so many rows that checking and indexing them at the end is worth the locks. */
export function isBulk(context: SqlContext, load: Load): boolean {
  return (
    load.rowsBefore === 0 &&
    load.counts.inserts >= MIN_ROWS_TO_DETACH &&
    catalogRelation(context, load.relation).isOwned
  )
}

/**
 * Takes off the foreign keys of tables that were empty and get many rows: checking a table once at the end takes half the time of checking
 * every row (`bench/`). Only where the table is ours, both sides are ordinary tables of ours, and the checks are switched on as usual; the
 * statement holds an exclusive lock on both tables until the commit.
 */
export async function detachForeignKeys(
  session: Session,
  context: SqlContext,
  loads: readonly Load[],
): Promise<DetachedForeignKey[]> {
  const bulk = loads.filter((load) => isBulk(context, load) && catalogRelation(context, load.relation).kind === 'table')
  if (bulk.length === 0) return []
  const keys = await session.query<DetachableRow>(
    `select n.nspname::text as schema, c.relname::text as table_name, o.conname::text as name,
            pg_catalog.pg_get_constraintdef(o.oid) as definition,
            pg_catalog.obj_description(o.oid, 'pg_constraint') as comment
       from pg_catalog.pg_constraint o
       join pg_catalog.pg_class c on c.oid = o.conrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       join pg_catalog.pg_class target on target.oid = o.confrelid
      where o.contype = 'f' /* foreign key */
        and o.conrelid in (${bulk.map((load) => `${quoteLiteral(quoteQualified(load.relation))}::regclass`).join(', ')})
        and o.conparentid = 0 and o.convalidated
        and target.relkind = 'r' /* ordinary table */
        and pg_catalog.pg_has_role(target.relowner, 'USAGE')
        and not exists (select from pg_catalog.pg_trigger t where t.tgconstraint = o.oid and t.tgenabled <> 'O' /* as created */)
        and not exists (select from pg_catalog.pg_depend d
                         where d.refclassid = 'pg_catalog.pg_constraint'::regclass and d.refobjid = o.oid and d.deptype = 'n' /* something needs it */)
      order by 1, 2, 3`,
  )
  const detached = keys.map((key) => ({
    relation: { schema: key.schema, name: key.table_name },
    name: key.name,
    definition: key.definition,
    comment: key.comment,
  }))
  for (const [table, group] of byTable(detached)) {
    await session.execute(
      `alter table ${table} ${group.map(({ name }) => `drop constraint ${quoteIdentifier(name)}`).join(', ')}`,
    )
  }
  return detached
}

interface DetachableRow {
  schema: string
  table_name: string
  name: string
  definition: string
  comment: string | null
}

/** Puts the foreign keys back, which checks every row; a failure names the constraint and rolls everything back. */
export async function attachForeignKeys(session: Session, keys: readonly DetachedForeignKey[]): Promise<void> {
  for (const [table, group] of byTable(keys)) {
    const constraints = group.map(({ name, definition }) => `add constraint ${quoteIdentifier(name)} ${definition}`)
    await session.execute(`alter table ${table} ${constraints.join(', ')}`)
    for (const { name, comment } of group) {
      if (comment !== null) {
        await session.execute(`comment on constraint ${quoteIdentifier(name)} on ${table} is ${quoteLiteral(comment)}`)
      }
    }
  }
}

function byTable(keys: readonly DetachedForeignKey[]): Map<string, DetachedForeignKey[]> {
  const groups = new Map<string, DetachedForeignKey[]>()
  for (const key of keys) {
    const table = quoteQualified(key.relation)
    groups.set(table, [...(groups.get(table) ?? []), key])
  }
  return groups
}
