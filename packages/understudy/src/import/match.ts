import type { Session } from '../database/port.js'
import { identitySelect } from '../model/identity-sql.js'
import { copyColumns, lineWithout } from '../model/kept-columns.js'
import { type Leaf, leavesOf } from '../model/leaves.js'
import { lineSelect } from '../model/line-sql.js'
import { type ContentRelation, isNamedContent, isVarying, relationOf } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext, sameOrBothNull, sameValue } from '../model/sql-context.js'
import { columnsToBind } from './bound-columns.js'
import { isTypedTranslation, type Load } from './load.js'
import { bare } from './parse.js'

export async function countTarget(session: Session, context: SqlContext, load: Load): Promise<void> {
  const [row] = await session.query<{ rows: number }>(
    `select count(*) as rows from ${fromRelation(context, load.relation)}`,
  )
  load.rowsBefore = row?.rows ?? 0
}

/** Finds for every parsed record the row of the target with the same identity: `rows (n, is_new, h…)`. */
export async function matchRows(session: Session, context: SqlContext, load: Load): Promise<void> {
  const handles = load.handle.map((_, index) => `t.t${index + 1} as h${index + 1}`)
  load.isAllNew = load.relation.identity.kind === 'content' || load.rowsBefore === 0
  const nulls = load.handle.map((name, index) => `null::${columnType(context, load.relation, name)} as h${index + 1}`)
  const known = [
    ...leafColumns(context, load.relation, 'p'),
    ...columnsToBind(context, load).map((name) => `p.${name}`),
  ]
  const select = load.isAllNew
    ? `select ${['p.n', 'p.master', 'true as is_new', ...nulls, ...known].join(', ')} from ${load.parsed} p`
    : `select p.n, p.master, t.found is null as is_new, ${handles.join(', ')}
         from ${load.parsed} p
         left join (select true as found, i.* from (${identitySelect(context, load.relation, load.handle)}) i) t
           on ${sameIdentity(context, load.relation, 't', 'p')}`
  // Where nothing can match there is nothing to keep: the view goes with the table that it reads.
  const kind = load.isAllNew ? `view ${matched(load)}` : `table ${matched(load)} on commit drop`
  await session.execute(`create temporary ${kind} as ${select}`)
  if (!load.isAllNew && load.hasDifferences) await dropCopiesOnly(session, context, load)
  if (!load.hasDifferences) {
    load.counts.unchanged = load.entry.records
    return
  }
  const [counts] = await session.query<{ inserts: number; updates: number }>(
    `select count(*) filter (where is_new) as inserts,
            count(*) filter (where not is_new) as updates
       from pg_temp.${matched(load)}`,
  )
  load.counts.inserts = counts?.inserts ?? 0
  load.counts.updates = counts?.updates ?? 0
  load.counts.unchanged = load.entry.records - load.counts.inserts - load.counts.updates
}

/**
 * Takes rows out of the import that differ from the target's in nothing but copies of other values (`relations.….copies`): these are computed
 * in the target, from rows that the source may not have.
 */
async function dropCopiesOnly(session: Session, context: SqlContext, load: Load): Promise<void> {
  const { relation } = load
  const copies = copyColumns(context, relation)
  if (copies.length === 0) return
  const others = relation.columns.filter((column) => !copies.includes(column))
  const keys = copies.map(({ key }) => key)
  const handles = load.handle.map((_, index) => `l.t${index + 1} = m.h${index + 1}`)
  await session.execute(
    `with equal as (
       delete from pg_temp.${matched(load)} m
        using ${load.stage} s, (${lineSelect(context, relation, others, load.handle)}) l
        where not m.is_new and s.n = m.n and ${handles.join(' and ')} and l.line = ${lineWithout('s.line', keys)}
       returning m.n)
     delete from ${load.parsed} p using equal where p.n = equal.n`,
  )
  const [found] = await session.query<{ any: boolean }>(`select exists (select from ${load.parsed}) as any`)
  load.hasDifferences = found?.any ?? false
}

/** The temporary table or view `(n, master, is_new, h…)`, before keys are allocated. */
export function matched(load: Load): string {
  return `${bare(load.rows)}_matched`
}

/** `a.l1 = b.…` for every leaf of a relation's own identity; `b` is an alias of its parsed table. */
export function sameIdentity(context: SqlContext, relation: ContentRelation, a: string, b: string): string {
  const own = ownLeafExpressions(context, relation, b)
  return leavesOf(context.model, relation)
    .map((leaf, index) => sameLeaf(context, leaf, `${a}.l${index + 1}`, own[index] ?? 'null'))
    .join(' and ')
}

/** Whether two leaves are the same; two nulls are, where the leaf may be null. */
export function sameLeaf(context: SqlContext, leaf: Leaf, a: string, b: string): string {
  if (leaf.isNullable) return sameOrBothNull(leaf.type, a, b)
  return leaf.column === null ? `${a} = ${b}` : sameValue(context, leaf.column.relation, leaf.column.name, a, b)
}

/** The leaves of a record's own identity, as expressions over its parsed table. */
export function ownLeafExpressions(context: SqlContext, relation: ContentRelation, alias: string): string[] {
  if (relation.identity.kind === 'origin') return [`${alias}.o`]
  if (relation.identity.kind === 'content') {
    const above =
      relation.identity.owner === null ? [] : columnLeaves(context, relation, relation.identity.owner, alias)
    return [...above, `${alias}.digest`, `${alias}.number`]
  }
  return relation.identity.columns.flatMap((name) => columnLeaves(context, relation, name, alias))
}

function columnLeaves(context: SqlContext, relation: ContentRelation, name: string, alias: string): string[] {
  const position = relation.columns.findIndex((column) => column.name === name)
  const translation = relation.columns[position]?.translation
  const [target] = translation?.alternatives ?? []
  if (translation === undefined || target === undefined) return [`${alias}.c${position + 1}`]
  if (isVarying(translation)) return [`${alias}.r${position + 1}::jsonb::text`]
  return slotLeafExpressions(
    context,
    `${alias}.r${position + 1}`,
    relationOf(context.model, target.target),
    isTypedTranslation(context, translation),
  )
}

/** These as `l1`, `l2`, …; none where nothing can name the rows. */
export function leafColumns(context: SqlContext, relation: ContentRelation, alias: string): string[] {
  if (relation.identity.kind === 'content' && !isNamedContent(context.model, relation)) return []
  return ownLeafExpressions(context, relation, alias).map((leaf, index) => `${leaf} as l${index + 1}`)
}

/** The leaves inside an identity that was parsed as `value`: one typed column, or JSON of one or several. */
export function slotLeafExpressions(
  context: SqlContext,
  value: string,
  target: ContentRelation,
  isTyped: boolean,
): string[] {
  const leaves = leavesOf(context.model, target)
  const [only] = leaves
  if (isTyped) return [value]
  if (leaves.length > 1) return leaves.map((leaf, index) => `(${value} ->> ${index})::${leaf.type}`)
  return [`(case when json_typeof(${value}) <> 'object' then ${value} #>> '{}' end)::${only?.type ?? 'text'}`]
}

function columnType(context: SqlContext, relation: ContentRelation, name: string): string {
  if (name === 'ctid') return 'tid'
  if (name === 'tableoid') return 'oid'
  return catalogRelation(context, relation).columns.find((column) => column.name === name)?.baseType ?? 'text'
}
