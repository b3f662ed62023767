import type { ForeignKey, Relation } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import type { Problem } from '../errors.js'
import { relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import { DOOMED, type Edge, isNotDoomed, markDoomed, referringTo } from './doomed-rows.js'
import { findHeld, findLost } from './held-rows.js'
import type { Load } from './load.js'

interface Followed {
  readonly notes: readonly string[]
  readonly problems: readonly Problem[]
  /** Whether there is a table of what goes (`DOOMED`). */
  readonly hasDoomed: boolean
}

/** What the planned deletes will do to rows that refer to them: a line for the plan for each foreign key that acts, and what would stop the import. */
export async function followDeletes(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
): Promise<Followed> {
  const { edges, unreadable } = await markDoomed(session, context, loads.values())
  const notes: string[] = []
  const problems: Problem[] = []
  for (const edge of edges) {
    if (edge.key.onDelete === 'no action' || edge.key.onDelete === 'restrict')
      problems.push(...(await findHeld(session, context, loads, edge)))
    else notes.push(...(await describeAction(session, context, edge)))
  }
  if (edges.length > 0) problems.push(...(await findLost(session, context, loads)))
  notes.push(
    ...unreadable.map(
      ({ child, parent, key }) =>
        `${relationLabel(child)}: the role may not read which rows refer to rows of ${relationLabel(parent)} that go (${key.name}, on delete ${key.onDelete})`,
    ),
  )
  return { notes, problems, hasDoomed: edges.length + unreadable.length > 0 }
}

async function describeAction(session: Session, context: SqlContext, edge: Edge): Promise<string[]> {
  const { child, parent, key } = edge
  const [row] = await session.query<{ rows: number }>(
    key.onDelete === 'cascade'
      ? `select count(*) as rows from ${DOOMED} d where d.key = ${key.oid}`
      : `select count(*) as rows from ${referringTo(context, edge)} where ${isNotDoomed('c')}`,
  )
  if ((row?.rows ?? 0) === 0) return []
  const what = { cascade: 'deleted', 'set null': 'set to null', 'set default': 'set to the default' } as const
  const will = what[key.onDelete as keyof typeof what]
  return [
    `${relationLabel(child)}.${key.columns.join(', ')}: ${row?.rows} rows will be ${will}, because they refer to rows of ${relationLabel(parent)} that go`,
  ]
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
