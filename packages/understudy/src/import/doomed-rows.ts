import type { ForeignKey, Relation } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral } from '../database/quoting.js'
import { relationLabel } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext, sameValue } from '../model/sql-context.js'
import { type Load, sameRow } from './load.js'
import { goingRows } from './row-names.js'

/**
 * The temporary table of rows of the target that will be gone, by the place where they stand: those that the plan deletes (`round` 0), and those that
 * foreign keys with `on delete cascade` delete in turn, at whatever distance; `reason` says with what.
 */
export const DOOMED = 'pg_temp.understudy_doomed'

/** A foreign key by which rows of `child` refer to rows of `parent`. */
export interface Edge {
  readonly child: Relation
  readonly parent: Relation
  readonly key: ForeignKey
}

/**
 * Marks all that the planned deletes of rows known by their content will take along. Returns the foreign keys that lead to relations of which rows
 * may go, and apart from them those whose relations the role may not read. Without any there is no table.
 */
export async function markDoomed(
  session: Session,
  context: SqlContext,
  loads: Iterable<Load>,
): Promise<{ readonly edges: readonly Edge[]; readonly unreadable: readonly Edge[] }> {
  // A row that gives way to the one that it stood in for goes only where nothing is left that refers to it.
  const starting = [...loads].filter(
    ({ relation, counts }) => relation.identity.kind === 'content' && counts.deletes > 0,
  )
  const all = edgesFrom(
    context,
    starting.map(({ relation }) => catalogRelation(context, relation)),
  )
  if (all.length === 0) return { edges: [], unreadable: [] }
  const readable = await readableRelations(session, all)
  const edges = all.filter(({ child }) => readable.has(child.oid))
  await session.execute(
    `create temporary table understudy_doomed (relation oid, part oid, place tid, name text, reason text, key oid, round int) on commit drop`,
  )
  for (const load of starting) await session.execute(insertPlanned(context, load))
  await session.execute(`analyze ${DOOMED}`)
  await followCascades(
    session,
    context,
    edges,
    new Set(starting.map((load) => catalogRelation(context, load.relation).oid)),
  )
  return { edges, unreadable: all.filter(({ child }) => !readable.has(child.oid)) }
}

/** One statement for each foreign key and step of the way, as long as there are rows on it. */
async function followCascades(
  session: Session,
  context: SqlContext,
  edges: readonly Edge[],
  start: ReadonlySet<number>,
): Promise<void> {
  const cascading = edges.filter(({ key }) => key.onDelete === 'cascade')
  let reached = start
  for (let round = 1; reached.size > 0; round++) {
    const next = new Set<number>()
    for (const edge of cascading.filter(({ parent }) => reached.has(parent.oid))) {
      const rows = await session.execute(insertCarried(context, edge, round))
      if (rows > 0) next.add(rootOf(context, edge.child).oid)
    }
    reached = next
  }
}

function insertPlanned(context: SqlContext, load: Load): string {
  return `insert into ${DOOMED}
    select ${catalogRelation(context, load.relation).oid}, t.tableoid, t.ctid, g.name, null, null, 0
      from (${goingRows(context, load)}) g
      join ${fromRelation(context, load.relation)} t on ${sameRow(context, load, 't', 'g')}`
}

function insertCarried(context: SqlContext, edge: Edge, round: number): string {
  const { child, parent, key } = edge
  const reason = quoteLiteral(` of ${relationLabel(parent)} by ${key.name}`)
  return `insert into ${DOOMED}
    select ${rootOf(context, child).oid}, c.tableoid, c.ctid, ${keyText(child, 'c')}, 'goes with ' || d.name || ${reason}, ${key.oid}, ${round}
      from ${referringTo(context, edge)}
       and d.round = ${round - 1}
     where ${isNotDoomed('c')}`
}

/** A `from` clause: the rows `c` of the child that refer to rows `t` of the parent that are doomed, `d`. Conditions may be added to it. */
export function referringTo(context: SqlContext, { child, parent, key }: Edge): string {
  const pairs = key.columns.map((name, index) => {
    const target = key.targetColumns[index] ?? ''
    return sameValue(context, parent, target, `t.${quoteIdentifier(target)}`, `c.${quoteIdentifier(name)}`)
  })
  return `${DOOMED} d
      join ${fromRelation(context, parent)} t on t.tableoid = d.part and t.ctid = d.place
      join ${fromRelation(context, child)} c on d.relation = ${parent.oid} and ${pairs.join(' and ')}`
}

export function isNotDoomed(alias: string): string {
  return `not exists (select from ${DOOMED} x where x.part = ${alias}.tableoid and x.place = ${alias}.ctid)`
}

/** `id 3`; nothing else names the rows of every relation. */
function keyText({ uniqueKeys }: Relation, alias: string): string {
  const names = uniqueKeys.find((each) => each.isPrimary)?.columns ?? []
  if (names.length === 0) return `'a row'`
  const values = names.map((name) => `${alias}.${quoteIdentifier(name)}::text`)
  return `${quoteLiteral(`${names.join(', ')} `)} || concat_ws(', ', ${values.join(', ')})`
}

/** The foreign keys to these relations, and to those from which a delete would go on. */
function edgesFrom(context: SqlContext, start: readonly Relation[]): Edge[] {
  const tables = [...context.relations.values()]
  const edges: Edge[] = []
  const seen = new Set<Relation>()
  const follow = (parent: Relation) => {
    if (seen.has(parent)) return
    seen.add(parent)
    for (const child of tables) {
      for (const key of child.foreignKeys) {
        if (key.target !== parent.oid || key.isInherited || !key.isEnforced || key.isPeriod) continue
        edges.push({ child, parent, key })
        if (key.onDelete === 'cascade') follow(rootOf(context, child))
      }
    }
  }
  for (const relation of start) follow(relation)
  return edges
}

/** A partition may have foreign keys of its own; what refers to its rows refers to its root. */
function rootOf(context: SqlContext, relation: Relation): Relation {
  if (!relation.isPartition) return relation
  const parent = [...context.relations.values()].find(({ oid }) => relation.parents.includes(oid))
  return parent === undefined ? relation : rootOf(context, parent)
}

/** The rows that cascades delete, by relation: their names, up to `limit`, and how many they are. */
export async function readCarried(
  session: Session,
  context: SqlContext,
  limit: number,
): Promise<{ readonly label: string; readonly total: number; readonly names: readonly string[] }[]> {
  const rows = await session.query<{ relation: number; total: number; names: string }>(
    `select q.relation::int8 as relation, q.total, json_agg(q.name order by q.number)::text as names
       from (select d.relation, d.name, count(*) over (partition by d.relation) as total,
                    row_number() over (partition by d.relation order by d.part, d.place) as number
               from ${DOOMED} d
              where d.round > 0) q
      where q.number <= $1::bigint
      group by q.relation, q.total`,
    [limit],
  )
  return [...context.relations.entries()].flatMap(([label, { oid }]) =>
    rows
      .filter(({ relation }) => relation === oid)
      .map(({ total, names }) => ({ label, total, names: JSON.parse(names) as string[] })),
  )
}

async function readableRelations(session: Session, edges: readonly Edge[]): Promise<ReadonlySet<number>> {
  const oids = [...new Set(edges.map(({ child }) => child.oid))]
  const rows = await session.query<{ oid: number }>(
    `select c.oid::int8 as oid
       from unnest(array[${oids.join(', ')}]::oid[]) c(oid)
      where pg_catalog.has_table_privilege(c.oid, 'select') and not pg_catalog.row_security_active(c.oid)`,
  )
  return new Set(rows.map(({ oid }) => oid))
}
