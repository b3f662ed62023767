import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { type ContentColumn, type ContentRelation, ownedRelations, relationLabel } from '../model/model.js'
import { orderByTargets } from '../model/order.js'
import { catalogRelation, fromRelation, type Respelled, type SqlContext } from '../model/sql-context.js'
import { type Load, sameRow } from './load.js'
import { matched } from './match.js'
import { bare } from './parse.js'

/** A context in which the target reads as it will once the loads that `respell` was told of are written. */
export function respelling(context: SqlContext): SqlContext & { readonly respelled: Map<string, Respelled> } {
  return { ...context, respelled: new Map() }
}

/**
 * What others name a row by may be written otherwise in the archive: the identity 1.0 as 1.00, or a code that `on update cascade` carries on to
 * them. Rows known by their content show it. Where the target holds such rows, keeps of a relation's updates those that will read otherwise.
 */
export async function respell(
  session: Session,
  context: SqlContext & { readonly respelled: Map<string, Respelled> },
  load: Load,
  loads: ReadonlyMap<string, Load>,
): Promise<void> {
  if (load.relation.identity.kind === 'content' || load.counts.updates === 0) return
  const contents = [...loads.values()].filter(({ relation }) => relation.identity.kind === 'content')
  const names = contents.length === 0 ? [] : shownColumns(context, load.relation, contents)
  if (names.length === 0) return
  // Images of whole rows are compared: with a bare `row(…)` the operator would go to its columns, which have none of that name.
  const columns = names.map((name, index) => {
    const position = load.relation.columns.findIndex((column) => isPlain(column, name)) + 1
    const own = `t.${quoteIdentifier(name)}`
    const aliases = { name, before: `o${index + 1}`, after: `c${index + 1}` }
    // A part of a key that is itself a reference only tells which row is meant.
    if (position === 0) return { ...aliases, old: own, fresh: own }
    const { type } = load.relation.columns[position - 1] as ContentColumn
    return { ...aliases, old: `(${own})::${type}`, fresh: `(p.c${position})::${type}` }
  })
  const table = `${load.rows}_respelled`
  const handles = load.handle.map((_, index) => `m.h${index + 1}`)
  const values = columns.flatMap(({ before, after, old, fresh }) => [`${old} as ${before}`, `${fresh} as ${after}`])
  const row = (side: 'old' | 'fresh') => `row(${columns.map((column) => column[side]).join(', ')})::record`
  const rows = await session.execute(
    `create temporary table ${bare(table)} on commit drop as
     select ${[...handles, ...values].join(', ')}
       from pg_temp.${matched(load)} m
       join ${load.parsed} p on p.n = m.n
       join ${fromRelation(context, load.relation)} t on ${sameRow(context, load, 't', 'm')}
      where not m.is_new and ${row('old')} operator(pg_catalog.*<>) ${row('fresh')}`,
  )
  if (rows === 0) return
  context.respelled.set(relationLabel(load.relation), {
    table,
    columns: new Map(columns.map(({ name, before, after }) => [name, { before, after }])),
    isRow: (alias, respelled) => sameRow(context, load, alias, respelled),
  })
}

/** The columns that rows known by their content show of the rows that they refer to, and that may be written otherwise; whole keys where they are carried along. */
function shownColumns(context: SqlContext, relation: ContentRelation, contents: readonly Load[]): string[] {
  const { oid, columns } = catalogRelation(context, relation)
  const plain = (name: string) => relation.columns.some((column) => isPlain(column, name))
  const own = relation.identity.kind === 'key' ? relation.identity.columns : []
  const spelled = columns.filter((column) => column.hasSpellings && own.includes(column.name)).map(({ name }) => name)
  const carried = contents
    .flatMap((content) => catalogRelation(context, content.relation).foreignKeys)
    .filter((key) => key.target === oid && key.onUpdate === 'cascade' && key.targetColumns.some(plain))
    .flatMap((key) => key.targetColumns)
  return [...new Set([...spelled.filter(plain), ...carried])]
}

function isPlain(column: ContentColumn, name: string): boolean {
  return column.name === name && column.translation === undefined && column.fields === undefined
}

/** The order in which rows can be found again: those that a relation is known by first. */
export function matchOrder(context: SqlContext, loads: ReadonlyMap<string, Load>): Load[] {
  const targetsOf = (label: string): string[] => {
    const { relation } = loads.get(label) as Load
    const { identity } = relation
    const names = identity.kind === 'key' ? identity.columns : relation.columns.map((column) => column.name)
    if (identity.kind === 'origin') return []
    const named = relation.references.filter((reference) => reference.columns.some((name) => names.includes(name)))
    const owned = identity.kind === 'content' ? ownedRelations(context.model, relation) : []
    return [...named.map(({ target }) => target), ...owned.map((each) => each.relation)]
      .map(relationLabel)
      .filter((target) => loads.has(target))
  }
  return orderByTargets([...loads.keys()], targetsOf)
    .flat()
    .map((label) => loads.get(label) as Load)
}
