import type { ForeignKey, Relation } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { relationLabel } from '../model/model.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'
import { type Load, sameRow } from './load.js'

/** What the planned deletes will do to rows that refer to them: one line for the plan for each foreign key that acts. */
export async function describeCascades(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
): Promise<string[]> {
  const notes: string[] = []
  for (const load of loads.values()) {
    // A row that gives way to the one that it stood in for goes only where nothing is left that refers to it.
    if (load.counts.deletes === 0 || load.relation.identity.kind !== 'content') continue
    for (const { child, key } of actingKeys(context, load)) {
      const own = loads.get(relationLabel(child))
      const pairs = key.columns.map(
        (name, index) => `c.${quoteIdentifier(name)} = t.${quoteIdentifier(key.targetColumns[index] ?? '')}`,
      )
      const isPlanned =
        own === undefined || own.counts.deletes === 0
          ? 'false'
          : `exists (select from ${own.extra} x where ${sameRow(context, own, 'c', 'x')})`
      const [row] = await session.query<{ rows: number }>(
        `select count(*) as rows
           from ${fromRelation(context, child)} c
           join ${fromRelation(context, load.relation)} t on ${pairs.join(' and ')}
           join ${load.extra} d on ${sameRow(context, load, 't', 'd')}
          where not ${isPlanned}`,
      )
      if ((row?.rows ?? 0) === 0) continue
      const what =
        key.onDelete === 'cascade' ? 'deleted' : key.onDelete === 'set null' ? 'set to null' : 'set to the default'
      notes.push(
        `${relationLabel(child)}.${key.columns.join(', ')}: ${row?.rows} rows will be ${what}, because they refer to rows of ${relationLabel(load.relation)} that go`,
      )
    }
  }
  return notes
}

function actingKeys(context: SqlContext, load: Load): { child: Relation; key: ForeignKey }[] {
  const oid = context.relations.get(relationLabel(load.relation))?.oid
  return [...context.relations.values()]
    .filter((child) => !child.isPartition)
    .flatMap((child) =>
      child.foreignKeys
        .filter(
          (key) =>
            key.target === oid && !key.isInherited && key.onDelete !== 'no action' && key.onDelete !== 'restrict',
        )
        .map((key) => ({ child, key })),
    )
}

/** The relations whose rows foreign keys change or delete in turn when rows of the loads are updated or deleted, at whatever distance. */
export function carriedAlong(context: SqlContext, loads: readonly Load[]): Relation[] {
  const acts = (action: ForeignKey['onDelete']) => action !== 'no action' && action !== 'restrict'
  const tables = [...context.relations.values()].filter((relation) => !relation.isPartition)
  const reached = new Set<Relation>()
  const follow = (oid: number | undefined) => {
    for (const child of tables) {
      const isHit = child.foreignKeys.some((key) => key.target === oid && (acts(key.onUpdate) || acts(key.onDelete)))
      if (!isHit || reached.has(child)) continue
      reached.add(child)
      follow(child.oid)
    }
  }
  for (const { relation, counts } of loads) {
    if (counts.updates + counts.deletes > 0) follow(context.relations.get(relationLabel(relation))?.oid)
  }
  return [...reached]
}
