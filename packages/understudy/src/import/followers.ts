import type { ForeignKey, Relation } from '../catalog/catalog.js'
import { quoteIdentifier } from '../database/quoting.js'
import { type RelationName, relationLabel } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext, sameValue } from '../model/sql-context.js'
import { type Load, sameRow } from './load.js'

/** Rows that gave up a value for the time being although others refer to it, and the foreign keys by which these moved along. */
export interface ParkedValues {
  readonly load: Load
  readonly column: string
  /** The temporary table `(h…, o…, value)`: `o<k>` is what column k of the relation held, `value` what the parked column holds meanwhile. */
  readonly table: string
  readonly followers: readonly Follower[]
}

/** A foreign key whose rows must hold what the parked rows hold at the end of every statement. */
export interface Follower {
  readonly relation: Relation
  /** Its columns, each with the parked relation's that it goes by, directly or through others. */
  readonly pairs: readonly { readonly own: string; readonly parked: string }[]
}

/**
 * The foreign keys, at whatever distance, by which rows refer to a column, and which neither carry them along nor wait until the end of the
 * transaction.
 */
export function followersOf(context: SqlContext, name: RelationName, column: string): Follower[] {
  const tables = [...context.relations.values()].filter((relation) => !relation.isPartition)
  const root = catalogRelation(context, name)
  const followers: Follower[] = []
  const seen = new Set<number>()
  const follow = (target: Relation, parkedBy: ReadonlyMap<string, string>) => {
    for (const relation of tables) {
      for (const key of relation.foreignKeys) {
        const parked = key.targetColumns.map((each) => parkedBy.get(each))
        const isHit = key.target === target.oid && !key.isInherited && !seen.has(key.oid) && parked.includes(column)
        if (!isHit || !staysBehind(key)) continue
        seen.add(key.oid)
        const pairs = key.columns.flatMap((own, index) => {
          const by = parked[index]
          return by === undefined ? [] : [{ own, parked: by }]
        })
        if (pairs.length < key.columns.length) continue
        followers.push({ relation, pairs })
        follow(relation, new Map(pairs.map(({ own, parked: by }) => [own, by])))
      }
    }
  }
  follow(root, new Map(root.columns.map((each) => [each.name, each.name])))
  return followers
}

/** Whether a foreign key passes a change of one of the columns on to the rows that refer to it. A null they would keep: nothing leads back from it. */
export function carriesAlong(context: SqlContext, name: RelationName, columns: readonly string[]): boolean {
  const { oid } = catalogRelation(context, name)
  return [...context.relations.values()].some(({ foreignKeys }) =>
    foreignKeys.some(
      (key) =>
        key.target === oid &&
        key.onUpdate !== 'no action' &&
        key.onUpdate !== 'restrict' &&
        key.targetColumns.some((each) => columns.includes(each)),
    ),
  )
}

/** `restrict` is checked at once however the key is declared. */
function staysBehind({ onUpdate, isDeferrable }: ForeignKey): boolean {
  return onUpdate === 'restrict' || (onUpdate === 'no action' && !isDeferrable)
}

/**
 * The rows that park, what they hold and what they will hold: `value` may read `t`, their row, and `x.number`. Not those that would hold what they
 * hold already: they would stand in the way as before.
 */
export function parkingSelect(context: SqlContext, parked: ParkedValues, rows: string, value: string): string {
  const { load, column, followers } = parked
  const names = [...new Set([column, ...followers.flatMap(({ pairs }) => pairs.map((pair) => pair.parked))])]
  const before = names.map((name) => `t.${quoteIdentifier(name)} as ${heldColumn(context, load, name)}`)
  const handles = load.handle.map((_, index) => `x.h${index + 1}`)
  const isSame = sameValue(context, load.relation, column, `q.${heldColumn(context, load, column)}`, 'q.value')
  return `select q.*
            from (select ${[...handles, ...before].join(', ')}, ${value} as value
                    from ${fromRelation(context, load.relation)} t
                    join (${rows}) x on ${sameRow(context, load, 't', 'x')}) q
           where (${isSame}) is not true`
}

function heldColumn(context: SqlContext, load: Load, name: string): string {
  return `o${catalogRelation(context, load.relation).columns.findIndex((each) => each.name === name) + 1}`
}

/** One update for each relation concerned, because a statement writes a row but once: parks the rows, and what refers to them with them. */
export function parkStatements(context: SqlContext, parked: ParkedValues): string[] {
  const { load, column } = parked
  const label = relationLabel(load.relation)
  const own = { table: parked.table, column, value: 'value', on: (x: string) => sameRow(context, load, 'j', x) }
  const moves = movesOf(context, parked, 'parked')
  return [...new Set([label, ...moves.keys()])].map((each) =>
    moveStatement(context, each, [...(each === label ? [own] : []), ...(moves.get(each) ?? [])], 'true'),
  )
}

/** The way back of what moved along, within the statement that writes the parked rows. A row that this statement writes anyway is left to it. */
export function returnStatements(
  context: SqlContext,
  parked: readonly ParkedValues[],
  component: readonly Load[],
): string[] {
  const moves = new Map<string, Move[]>()
  for (const each of parked) {
    for (const [label, added] of movesOf(context, each, 'back')) {
      moves.set(label, [...(moves.get(label) ?? []), ...added])
    }
  }
  return [...moves].map(([label, added]) => {
    const load = component.find(({ relation, counts }) => relationLabel(relation) === label && counts.updates > 0)
    const isLeft =
      load === undefined
        ? 'true'
        : `not exists (select from ${load.rows} w where not w.is_new and ${sameRow(context, load, 'j', 'w')})`
    return moveStatement(context, label, added, isLeft)
  })
}

interface Move {
  readonly table: string
  readonly column: string
  /** The column of the table that holds what the moved column gets. */
  readonly value: string
  readonly on: (alias: string) => string
}

/** By label, what the followers' rows get: what the parked rows hold meanwhile, or what they held. */
function movesOf(context: SqlContext, parked: ParkedValues, direction: 'parked' | 'back'): Map<string, Move[]> {
  const { load, table, column, followers } = parked
  const held = (name: string) => heldColumn(context, load, name)
  const moves = new Map<string, Move[]>()
  for (const { relation, pairs } of followers) {
    const on = (alias: string) =>
      pairs
        .map(({ own, parked: by }) => {
          const there = by === column && direction === 'back' ? 'value' : held(by)
          return sameValue(context, load.relation, by, `j.${quoteIdentifier(own)}`, `${alias}.${there}`)
        })
        .join(' and ')
    const value = direction === 'back' ? held(column) : 'value'
    const moved = pairs.filter((pair) => pair.parked === column)
    const label = relationLabel(relation)
    moves.set(label, [...(moves.get(label) ?? []), ...moved.map(({ own }) => ({ table, column: own, value, on }))])
  }
  return moves
}

function moveStatement(context: SqlContext, label: string, moves: readonly Move[], condition: string): string {
  const relation = context.relations.get(label)
  if (relation === undefined) throw new Error(`${label} is not in this database`)
  const from = fromRelation(context, relation)
  const columns = [...new Set(moves.map((move) => move.column))]
  const sets = columns.map((column) => {
    const values = moves.flatMap((move, index) => (move.column === column ? [`x${index}.${move.value}`] : []))
    return `${quoteIdentifier(column)} = coalesce(${[...values, `j.${quoteIdentifier(column)}`].join(', ')})`
  })
  const joins = moves.map(({ table, on }, index) => `left join ${table} x${index} on ${on(`x${index}`)}`)
  const isMoved = moves.map(({ value }, index) => `x${index}.${value} is not null`).join(' or ')
  return `update ${from} t set ${sets.join(', ')}
            from ${from} j ${joins.join(' ')}
           where t.tableoid = j.tableoid and t.ctid = j.ctid and (${isMoved}) and ${condition}`
}
