import type { UniqueKey } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral } from '../database/quoting.js'
import type { Problem } from '../errors.js'
import { isTakenFromArchive } from '../model/choose-identity.js'
import { identitySelect } from '../model/identity-sql.js'
import { leavesOf } from '../model/leaves.js'
import { catalogRelation, fromRelation, type SqlContext, sameOrBothNull, sameValue } from '../model/sql-context.js'
import { hasChanges, type Load, sameRow } from './load.js'
import { bare } from './parse.js'
import { plural, readProblem } from './problems.js'
import { writtenValues } from './write.js'

/** A unique key other than the identity, over columns that the import writes. */
export interface WatchedKey {
  readonly load: Load
  readonly key: UniqueKey
  /** The temporary table of rows that stand in the way: `(n, h…, is_new, is_passing)`. */
  readonly parking: string
  /** Of these, the rows that must step aside. */
  readonly mustPark: string
}

/**
 * Finds the values of unique keys that collide with rows of the target. Those that only collide on the way, because the other row is about
 * to get another value, go to a parking table; the rest are collisions.
 */
export async function findCollisions(
  session: Session,
  context: SqlContext,
  loads: Iterable<Load>,
): Promise<{ collisions: Problem[]; parked: WatchedKey[] }> {
  const collisions: Problem[] = []
  const parked: WatchedKey[] = []
  for (const load of loads) {
    if (!hasChanges(load) || load.rowsBefore === 0 || load.relation.identity.kind === 'content') continue
    collisions.push(...(await findTakenKeys(session, context, load)))
    for (const [index, key] of watchedKeys(context, load).entries()) {
      // New rows come after the updates; but within that statement a foreign key would follow the value to the row that gives it up.
      const mustPark = isReferenced(context, load, key) ? 'is_passing' : 'is_passing and not is_new'
      const watched = { load, key, parking: `${load.rows}_parking_${index}`, mustPark }
      await session.execute(
        `create temporary table ${bare(watched.parking)} on commit drop as ${wayQuery(context, watched)}`,
      )
      const [ways] = await session.query<{ passing: boolean | null; staying: boolean | null }>(
        `select bool_or(${mustPark}) as passing, bool_or(not is_passing) as staying from ${watched.parking}`,
      )
      if (ways?.staying === true) collisions.push(...(await readCollisions(session, context, watched)))
      if (ways?.passing === true) parked.push(watched)
    }
  }
  return { collisions, parked }
}

/** New rows whose surrogate key nothing generates bring it from the archive, where another row of the target may have it. */
async function findTakenKeys(session: Session, context: SqlContext, load: Load): Promise<Problem[]> {
  const [name, ...others] = load.relation.surrogate
  const column = catalogRelation(context, load.relation).columns.find((each) => each.name === name)
  if (name === undefined || others.length > 0 || column === undefined || !isTakenFromArchive(column)) return []
  const taken = `${load.parsed} p
       join ${load.rows} w on w.n = p.n and w.is_new
       join ${fromRelation(context, load.relation)} t on t.${quoteIdentifier(name)}::text = p.master::json #>> '{}'`
  const [found] = await session.query<{ any: boolean }>(`select exists (select from ${taken}) as any`)
  if (found?.any !== true) return []
  const { handle, identity } = otherRow(context, load)
  return await readProblem(
    session,
    load,
    { kind: 'taken value', columns: [name], message: takenUnder('its key') },
    `select p.n, p.master as value, ${identity} as other, null::bigint as other_n
       from ${taken}
       ${handle((column) => `t.${quoteIdentifier(column)}`)}`,
  )
}

function takenUnder(key: string): (rows: number) => string {
  return (rows) => `${plural(rows, 'value is', 'values are')} taken by another row of the target under ${key}`
}

/** A row of the target as messages name it: `"eve" (id 1)`, where `handle` joins what the expression needs. */
function otherRow(
  context: SqlContext,
  load: Load,
): { handle: (value: (column: string) => string) => string; identity: string } {
  const { identity } = load.relation
  const keys = load.handle.map((_, index) => `i.t${index + 1}::text`)
  const byKey = `${quoteLiteral(`${load.handle.join(', ')} `)} || concat_ws(', ', ${keys.join(', ')})`
  const leaves = leavesOf(context.model, load.relation).map((_, index) => `i.l${index + 1}`)
  const byIdentity =
    leaves.length === 1 ? `to_json(${leaves[0]})::text` : `json_build_array(${leaves.join(', ')})::text`
  const isSame = identity.kind === 'key' && load.handle.every((name) => identity.columns.includes(name))
  return {
    identity: identity.kind !== 'key' ? byKey : isSame ? byIdentity : `${byIdentity} || ' (' || ${byKey} || ')'`,
    handle: (value) => {
      const pairs = load.handle.map((name, index) => {
        const [a, b] = [`i.t${index + 1}`, value(name)]
        const column = catalogRelation(context, load.relation).columns.find((each) => each.name === name)
        return column?.isNullable === true ? `array[${a}] = array[${b}]` : sameValue(context, load.relation, name, a, b)
      })
      return `left join (${identitySelect(context, load.relation, load.handle)}) i on ${pairs.join(' and ')}`
    },
  }
}

function isReferenced(context: SqlContext, load: Load, key: UniqueKey): boolean {
  const { oid } = catalogRelation(context, load.relation)
  return [...context.relations.values()].some(({ foreignKeys }) =>
    foreignKeys.some((each) => each.target === oid && each.targetColumns.some((name) => key.columns.includes(name))),
  )
}

function watchedKeys(context: SqlContext, { relation }: Load): UniqueKey[] {
  const written = new Set(relation.columns.map((column) => column.name))
  const identity = relation.identity.kind === 'content' ? [] : relation.identity.columns
  return catalogRelation(context, relation).uniqueKeys.filter(
    (key) =>
      key.isValid &&
      !key.isPartial &&
      !key.hasExpressions &&
      key.columns.every((name) => written.has(name)) &&
      !key.columns.every((name) => identity.includes(name)),
  )
}

/**
 * Pairs every row to be written with the other row of the target that has its value now. `is_passing` where that row is about to take
 * another value itself.
 */
function wayQuery(context: SqlContext, { load, key }: WatchedKey): string {
  const next = (suffix: string) => {
    const values = writtenValues(load, { parsed: `p${suffix}`, bound: `b${suffix}` })
    return key.columns.map((name) => values.get(name) ?? 'null')
  }
  const compare = (a: readonly string[], b: readonly string[]) =>
    a.map((left, index) => same(context, load, key, index, left, b[index] ?? 'null')).join(' and ')
  const current = key.columns.map((name) => `t.${quoteIdentifier(name)}`)
  const handle = load.handle.map((name, index) => ({ current: `t.${quoteIdentifier(name)}`, known: `h${index + 1}` }))
  const isSelf = sameRow(context, load, 't', 'w')
  const isOther = sameRow(context, load, 't', 'w2')
  return `select p.n, w.is_new, p.master,
                 ${handle.map(({ current: value, known }) => `${value} as ${known}`).join(', ')},
                 json_build_array(${current.map((column) => `${column}::text`).join(', ')})::text as value,
                 w2.n is not null and (${compare(next('2'), current)}) is not true as is_passing
            from ${load.parsed} p
            join ${load.rows} w on w.n = p.n
            left join ${load.bound} b on b.n = p.n
            join ${fromRelation(context, load.relation)} t on ${compare(next(''), current)}
            left join ${load.rows} w2 on not w2.is_new and ${isOther}
            left join ${load.parsed} p2 on p2.n = w2.n
            left join ${load.bound} b2 on b2.n = w2.n
           where w.is_new or not (${isSelf})`
}

function same(context: SqlContext, load: Load, key: UniqueKey, index: number, a: string, b: string): string {
  const name = key.columns[index] ?? ''
  const column = catalogRelation(context, load.relation).columns.find((each) => each.name === name)
  if (key.isNullsNotDistinct && column !== undefined) return sameOrBothNull(column.baseType, a, b)
  return sameValue(context, load.relation, name, a, b)
}

async function readCollisions(session: Session, context: SqlContext, watched: WatchedKey): Promise<Problem[]> {
  const { load, key, parking } = watched
  const { handle, identity } = otherRow(context, load)
  return await readProblem(
    session,
    load,
    { kind: 'taken value', columns: key.columns, message: takenUnder(key.name) },
    `select f.n, case when json_array_length(f.value::json) = 1 then (f.value::json -> 0)::text else f.value end as value,
            ${identity} as other, null::bigint as other_n
       from ${parking} f ${handle((column) => `f.h${load.handle.indexOf(column) + 1}`)}
      where not f.is_passing`,
  )
}
