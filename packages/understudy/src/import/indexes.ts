import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../database/quoting.js'
import { catalogRelation, type SqlContext } from '../model/sql-context.js'
import { isBulk } from './foreign-keys.js'
import type { Load } from './load.js'

/** An index that was taken off for a bulk load, with all that it takes to make it again. */
export interface DetachedIndex {
  readonly schema: string
  readonly name: string
  readonly definition: string
  readonly comment: string | null
}

/**
 * Takes off the indexes of tables that were empty and get many rows, as far as no constraint stands on them: building an index of sorted
 * values once takes a third of the time of adding each. Only plain ones, so that `pg_get_indexdef` says all there is to say.
 */
export async function detachIndexes(
  session: Session,
  context: SqlContext,
  loads: readonly Load[],
): Promise<DetachedIndex[]> {
  const bulk = loads.filter((load) => isBulk(context, load) && catalogRelation(context, load.relation).kind === 'table')
  if (bulk.length === 0) return []
  const indexes = await session.query<DetachedIndex & Record<string, unknown>>(
    `select n.nspname::text as schema, c.relname::text as name,
            pg_catalog.pg_get_indexdef(i.indexrelid) as definition,
            pg_catalog.obj_description(i.indexrelid, 'pg_class') as comment
       from pg_catalog.pg_index i
       join pg_catalog.pg_class c on c.oid = i.indexrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where i.indrelid in (${bulk.map((load) => `${quoteLiteral(quoteQualified(load.relation))}::regclass`).join(', ')})
        and not i.indisunique and not i.indisprimary and not i.indisexclusion
        and i.indisvalid and not i.indisclustered and not i.indisreplident
        and c.reltablespace = 0 /* the database's own */
        and i.indexprs is null
        and not exists (select from pg_catalog.pg_attribute a
                         where a.attrelid = i.indexrelid and to_jsonb(a) ->> 'attstattarget' not in ('-1'))
        and not exists (select from pg_catalog.pg_inherits h where h.inhrelid = i.indexrelid)
        and not exists (select from pg_catalog.pg_depend d
                         where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = i.indexrelid and d.deptype in ('e', 'x') /* of an extension */)
        and not exists (select from pg_catalog.pg_depend d
                         where d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = i.indexrelid /* something needs it */)
      order by 1, 2`,
  )
  for (const index of indexes) await session.execute(`drop index ${quoteQualified(index)}`)
  return indexes.map(({ schema, name, definition, comment }) => ({ schema, name, definition, comment }))
}

export async function attachIndexes(session: Session, indexes: readonly DetachedIndex[]): Promise<void> {
  for (const { schema, name, definition, comment } of indexes) {
    await session.execute(definition)
    if (comment !== null) {
      await session.execute(
        `comment on index ${quoteIdentifier(schema)}.${quoteIdentifier(name)} is ${quoteLiteral(comment)}`,
      )
    }
  }
}
