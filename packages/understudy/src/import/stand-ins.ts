import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral } from '../database/quoting.js'
import type { Problem } from '../errors.js'
import { identitySelect } from '../model/identity-sql.js'
import { leavesOf } from '../model/leaves.js'
import { type ContentRelation, relationLabel } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext, type StandIns, sameValue } from '../model/sql-context.js'
import { isRegistryReadable } from '../registry/registry.js'
import { isNamed, isUpdatedBy, type LateColumn, localKey, namedBy, readLateColumns } from './late-references.js'
import { handleColumns, type Load, sameRow } from './load.js'
import { matched, sameLeaf } from './match.js'
import { bare } from './parse.js'
import { plural } from './problems.js'

const TABLE = 'pg_temp.understudy_stand_ins'

interface Named {
  /** In it a row whose identity holds what stands in for a missing target bears the identity that it waits for. */
  readonly context: SqlContext
  /** By label, the table `(h…, local_key, other)` of waiting rows that stand beside the very row that they stand in for. */
  readonly doubles: ReadonlyMap<string, string>
}

/**
 * A row whose identity refers to a missing target is the row that the archive means, by whatever it holds meanwhile. Only where somebody else has made that
 * row as well is it a double, which bears no such identity.
 */
export async function nameStandIns(session: Session, context: SqlContext): Promise<Named> {
  const nothing = { context, doubles: new Map() }
  if (!(await isRegistryReadable(session, 'late_reference'))) return nothing
  const late = (await readLateColumns(session, context)).filter(
    ({ relation, column }) => relation.identity.kind === 'key' && relation.identity.columns.includes(column.name),
  )
  if (late.length === 0) return nothing
  const waiting = late.map(
    ({ relation, which, isWaiting }) =>
      `select l.* from understudy.late_reference l join ${fromRelation(context, relation)} t on ${isWaiting} where ${which}`,
  )
  await session.execute(`drop table if exists ${TABLE}`)
  await session.execute(`create temporary table ${bare(TABLE)} on commit drop as ${waiting.join(' union all ')}`)
  const named = { ...context, standIns: standInsOf(context, late) }
  const doubles = new Map<string, string>()
  for (const [index, relation] of [...new Set(late.map((each) => each.relation))].entries()) {
    const table = `pg_temp.understudy_doubles_${index + 1}`
    if (await findDoubles(session, named, relation, table)) doubles.set(relationLabel(relation), table)
  }
  return { context: named, doubles }
}

function standInsOf(context: SqlContext, late: readonly LateColumn[]): StandIns {
  const standIns = new Map<string, Map<string, (row: string, standIn: string) => string>>()
  for (const { label, relation, column } of late) {
    const columns = standIns.get(label) ?? new Map()
    columns.set(column.name, (row: string, standIn: string) =>
      [
        `${standIn}.relation = ${quoteLiteral(label)}`,
        `${standIn}.column_name = ${quoteLiteral(column.name)}`,
        `${standIn}.local_key = ${localKey(handleColumns(context, relation), row)}`,
      ].join(' and '),
    )
    standIns.set(label, columns)
  }
  return { table: TABLE, columns: standIns }
}

async function findDoubles(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
  table: string,
): Promise<boolean> {
  const handle = handleColumns(context, relation)
  const key = (alias: string) =>
    `json_build_array(${handle.map((_, i) => `${alias}.t${i + 1}::text`).join(', ')})::text`
  const names = identitySelect(context, relation, handle)
  const isSame = leavesOf(context.model, relation).map((leaf, index) =>
    sameLeaf(context, leaf, `a.l${index + 1}`, `b.l${index + 1}`),
  )
  const keys = `select local_key from ${TABLE} where relation = ${quoteLiteral(relationLabel(relation))}`
  await session.execute(`drop table if exists ${table}`)
  const rows = await session.execute(
    `create temporary table ${bare(table)} on commit drop as
     select distinct on (${key('a')}) ${handle.map((_, i) => `a.t${i + 1} as h${i + 1}`).join(', ')}, ${key('a')} as local_key, ${key('b')} as other
       from (${names}) a
       join (${names}) b on ${isSame.join(' and ')} and ${key('a')} <> ${key('b')}
      where ${key('a')} in (${keys}) and (${key('b')} not in (${keys}) or ${key('b')} < ${key('a')})
      order by ${key('a')}, ${key('b')}`,
  )
  if (rows === 0) return false
  await session.execute(
    `delete from ${TABLE} s using ${table} d where s.local_key = d.local_key and s.relation = ${quoteLiteral(relationLabel(relation))}`,
  )
  return true
}

/** A double of a relation that the archive brings goes; but one that others would still refer to is a problem. */
export async function planGivingWay(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
  doubles: ReadonlyMap<string, string>,
): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const [label, table] of doubles) {
    const load = loads.get(label)
    if (load === undefined) continue
    const handles = load.handle.map((_, index) => `h${index + 1}`).join(', ')
    load.counts.deletes = await session.execute(
      `create temporary table ${bare(load.extra)} on commit drop as select ${handles} from ${table}`,
    )
    for (const { child, select } of referring(context, loads, load, table)) {
      const cases = await session.query<{ local_key: string; other: string }>(select)
      if (cases.length === 0) continue
      const message = `${plural(cases.length, 'row stands in for one that is', 'rows stand in for some that are')} there by now, and rows of ${child} refer to it`
      problems.push(standInProblem(load.relation, load.handle, message, cases))
    }
  }
  return problems
}

/** Selects the doubles that rows of each relation refer to which the import leaves as they are. */
function referring(
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
  load: Load,
  table: string,
): { child: string; select: string }[] {
  const { oid } = catalogRelation(context, load.relation)
  return [...context.relations.values()]
    .filter((relation) => !relation.isPartition)
    .flatMap((child) => {
      const own = loads.get(relationLabel(child))
      const isMoved = own === undefined ? 'false' : isWritten(context, own, 'c')
      return child.foreignKeys
        .filter((key) => key.target === oid && !key.isInherited)
        .map((key) => {
          const pairs = key.columns.map((name, index) => {
            const target = key.targetColumns[index] ?? ''
            const [there, here] = [`t.${quoteIdentifier(target)}`, `c.${quoteIdentifier(name)}`]
            return sameValue(context, load.relation, target, there, here)
          })
          return {
            child: relationLabel(child),
            select: `select distinct d.local_key, d.other
                       from ${table} d
                       join ${fromRelation(context, load.relation)} t on ${sameRow(context, load, 't', 'd')}
                       join ${fromRelation(context, child)} c on ${pairs.join(' and ')}
                      where not (${isMoved})
                      order by 1`,
          }
        })
    })
}

/** Whether the import updates or deletes a row. */
function isWritten(context: SqlContext, load: Load, row: string): string {
  const conditions: string[] = []
  if (load.counts.updates > 0)
    conditions.push(
      `exists (select from pg_temp.${matched(load)} w where not w.is_new and ${sameRow(context, load, row, 'w')})`,
    )
  if (load.counts.deletes > 0)
    conditions.push(`exists (select from ${load.extra} w where ${sameRow(context, load, row, 'w')})`)
  return conditions.length === 0 ? 'false' : conditions.join(' or ')
}

/** Late references whose target has come, but would make their row the same as another under a unique key or the identity. */
export async function findTakenLate(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
): Promise<Problem[]> {
  if (!(await isRegistryReadable(session, 'late_reference'))) return []
  const problems: Problem[] = []
  for (const late of await readLateColumns(session, context)) {
    const { relation, column } = late
    const own = loads.get(late.label)
    const handle = handleColumns(context, relation)
    const isLeft = (row: string) => (own === undefined ? 'true' : `not (${isWritten(context, own, row)})`)
    for (const { name, columns } of keysWith(context, relation, column.name)) {
      const pairs = columns.map((each) => {
        const value = each === column.name ? 'i.t1' : `t.${quoteIdentifier(each)}`
        return sameValue(context, relation, each, `o.${quoteIdentifier(each)}`, value)
      })
      const cases = await session.query<{ local_key: string; other: string }>(
        `select l.local_key, ${localKey(handle, 'o')} as other
           from understudy.late_reference l
           join (${namedBy(context, loads, late)}) i on ${isNamed(context, late)}
           join ${fromRelation(context, relation)} t on ${late.isWaiting}
           join ${fromRelation(context, relation)} o on ${pairs.join(' and ')} and ${localKey(handle, 'o')} <> l.local_key
          where ${late.which} and not ${isUpdatedBy(context, own, 't')} and ${isLeft('t')} and ${isLeft('o')}
          order by 1`,
      )
      if (cases.length === 0) continue
      const message = `${plural(cases.length, 'row stands in', 'rows stand in')} although what it waits for in ${column.name} has come: another row has the same ${name}`
      problems.push(standInProblem(relation, handle, message, cases))
    }
  }
  return problems
}

function keysWith(
  context: SqlContext,
  relation: ContentRelation,
  column: string,
): { name: string; columns: readonly string[] }[] {
  const { uniqueKeys } = catalogRelation(context, relation)
  const keys = uniqueKeys
    .filter((key) => key.isValid && !key.isPartial && !key.hasExpressions && key.columns.includes(column))
    .map((key) => ({ name: key.name, columns: key.columns }))
  const own = relation.identity.kind === 'key' ? relation.identity.columns : []
  const isKey = keys.some((key) => key.columns.every((name) => own.includes(name)))
  return own.includes(column) && !isKey ? [...keys, { name: 'identity', columns: own }] : keys
}

function standInProblem(
  relation: ContentRelation,
  handle: readonly string[],
  message: string,
  cases: readonly { local_key: string; other: string }[],
): Problem {
  const nameOf = (key: string) => `${handle.join(', ')} ${(JSON.parse(key) as unknown[]).join(', ')}`
  return {
    kind: 'stand-in',
    relation: relationLabel(relation),
    column: null,
    message,
    rows: cases.length,
    cases: cases
      .slice(0, 1000)
      .map((each) => ({ identity: nameOf(each.local_key), value: null, other: nameOf(each.other) })),
  }
}
