import type { ArchiveIndex } from '../archive/archive-index.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteQualified } from '../database/quoting.js'
import { attachForeignKeys, type DetachedForeignKey } from '../import/foreign-keys.js'
import { resumeTriggers, type SuspendedTrigger, suspendTriggers } from '../import/triggers.js'
import { type RelationName, relationLabel } from '../model/model.js'

/** What was taken off the relations while they are filled anew. */
export interface TakenOff {
  readonly foreignKeys: readonly DetachedForeignKey[]
  readonly triggers: readonly SuspendedTrigger[]
}

/**
 * Empties the archive's relations: foreign keys on and to them come off, user triggers are suspended, and what the registry knows of their rows goes
 * too. Rows are never deleted one by one: a cascade would reach relations that are not in the archive.
 */
export async function emptyRelations(session: Session, index: ArchiveIndex): Promise<TakenOff> {
  const relations = await presentRelations(session, index)
  if (relations.length === 0) return { foreignKeys: [], triggers: [] }
  const foreignKeys = await takeOffForeignKeys(session, relations)
  const triggers = await suspendTriggers(session, relations)
  const names = relations.map((relation) => `${relation.isPartitioned ? '' : 'only '}${quoteQualified(relation)}`)
  await session.script(`truncate ${names.join(', ')}`)
  const labels = relations.map(relationLabel)
  await session.execute('delete from understudy.origin where relation = any($1::text[])', [labels])
  await session.execute('delete from understudy.late_reference where relation = any($1::text[])', [labels])
  return { foreignKeys, triggers }
}

/** Puts back what was taken off; a foreign key that does not hold any more is an error, and names the constraint. */
export async function putBack(session: Session, { foreignKeys, triggers }: TakenOff): Promise<void> {
  await attachForeignKeys(session, foreignKeys)
  await resumeTriggers(session, triggers)
}

interface PresentRelation extends RelationName {
  readonly oid: number
  readonly isPartitioned: boolean
}

async function presentRelations(session: Session, index: ArchiveIndex): Promise<PresentRelation[]> {
  return await session.query<PresentRelation & Record<string, unknown>>(
    `select c.oid::int8 as oid, n.nspname::text as schema, c.relname::text as name, c.relkind = 'p' as "isPartitioned"
       from unnest($1::text[], $2::text[]) wanted(schema, name)
       join pg_catalog.pg_namespace n on n.nspname = wanted.schema
       join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = wanted.name and c.relkind in ('r', 'p')
      order by 2, 3`,
    [index.files.map(({ schema }) => schema), index.files.map(({ relation }) => relation)],
  )
}

/** A partition's copy of a constraint (conparentid) comes and goes with its root's. */
async function takeOffForeignKeys(
  session: Session,
  relations: readonly PresentRelation[],
): Promise<DetachedForeignKey[]> {
  const rows = await session.query<{
    schema: string
    table: string
    name: string
    definition: string
    comment: string | null
  }>(
    `select n.nspname::text as schema, c.relname::text as table, o.conname::text as name,
            pg_catalog.pg_get_constraintdef(o.oid) as definition,
            pg_catalog.obj_description(o.oid, 'pg_constraint') as comment
       from pg_catalog.pg_constraint o
       join pg_catalog.pg_class c on c.oid = o.conrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where o.contype = 'f' /* foreign key */ and o.conparentid = 0
        and (o.conrelid = any($1::int8[]::oid[]) or o.confrelid = any($1::int8[]::oid[])
             or o.conrelid in (select t.relid from unnest($1::int8[]) r(oid) cross join pg_catalog.pg_partition_tree(r.oid::oid::regclass) t))
      order by 1, 2, 3`,
    [relations.map(({ oid }) => oid)],
  )
  for (const { schema, table, name } of rows) {
    await session.execute(
      `alter table ${quoteQualified({ schema, name: table })} drop constraint ${quoteIdentifier(name)}`,
    )
  }
  return rows.map(({ schema, table, ...key }) => ({ relation: { schema, name: table }, ...key }))
}
