import type { Column, Sequence } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../database/quoting.js'
import { identitySelect } from '../model/identity-sql.js'
import { type Leaf, leavesOf } from '../model/leaves.js'
import { type ContentRelation, relationOf } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext } from '../model/sql-context.js'
import { analyzeTemporary, isTypedTranslation, type Load } from './load.js'
import { bare } from './parse.js'

/** Finds for every parsed record the row of the target with the same identity: `rows (n, is_new, h…)`. */
export async function matchRows(session: Session, context: SqlContext, load: Load): Promise<void> {
  const handles = load.handle.map((_, index) => `t.t${index + 1} as h${index + 1}`)
  const hasMatches = load.relation.identity.kind !== 'content' && load.rowsBefore > 0
  const nulls = load.handle.map((name, index) => `null::${columnType(context, load.relation, name)} as h${index + 1}`)
  const select = hasMatches
    ? `select p.n, t.found is null as is_new, ${handles.join(', ')}
         from ${load.parsed} p
         left join (select true as found, i.* from (${identitySelect(context, load.relation, load.handle)}) i) t
           on ${sameIdentity(context, load.relation, 't', 'p')}`
    : `select p.n, true as is_new, ${nulls.join(', ')} from ${load.parsed} p`
  await session.execute(`create temporary table ${matched(load)} on commit drop as ${select}`)
  if (!load.hasDifferences) {
    load.counts.unchanged = load.entry.records
    return
  }
  const [counts] = await session.query<{ inserts: number; updates: number; distinct_updates: number }>(
    `select count(*) filter (where is_new) as inserts,
            count(*) filter (where not is_new) as updates
       from pg_temp.${matched(load)}`,
  )
  load.counts.inserts = counts?.inserts ?? 0
  load.counts.updates = counts?.updates ?? 0
  load.counts.unchanged = load.entry.records - load.counts.inserts - load.counts.updates
}

function matched(load: Load): string {
  return `${bare(load.rows)}_matched`
}

/**
 * Gives every new row its surrogate key by the column's own default: `rows (n, is_new, h…, k…)`. With `isDryRun` the keys stay null, so that
 * nothing is burnt.
 */
export async function allocateKeys(
  session: Session,
  context: SqlContext,
  load: Load,
  isDryRun: boolean,
): Promise<void> {
  const columns = catalogRelation(context, load.relation).columns
  const keys: string[] = []
  for (const [index, name] of load.relation.surrogate.entries()) {
    const column = columns.find((each) => each.name === name)
    if (column === undefined) throw new Error(`${name} is not in the target`)
    const isNeeded = !isDryRun && load.counts.inserts > 0
    if (isNeeded && column.sequence !== null)
      await advanceSequence(session, context, load.relation, column, column.sequence)
    const value = isNeeded ? defaultExpression(context, load.relation, column) : `null::${column.type}`
    keys.push(`case when m.is_new then (${value})::${column.type} end as k${index + 1}`)
  }
  const list = ['m.*', ...keys].join(', ')
  await session.execute(
    `create temporary table ${bare(load.rows)} on commit drop as
     select ${list} from pg_temp.${matched(load)} m join ${load.parsed} p on p.n = m.n`,
  )
  await analyzeTemporary(session, load, load.rows)
}

/** A column without a default takes the next number, or, where it is no number, the value that it had in the source. */
function defaultExpression(context: SqlContext, relation: ContentRelation, column: Column): string {
  if (column.identity !== null && column.sequence !== null)
    return `nextval(${quoteLiteral(quoteQualified(column.sequence))}::regclass)`
  if (column.default !== null) return column.default
  const name = quoteIdentifier(column.name)
  if (/^(smallint|integer|bigint|numeric)/.test(column.type)) {
    return `(select coalesce(max(${name}), 0) from ${fromRelation(context, relation)}) + row_number() over (partition by m.is_new order by m.n)`
  }
  return `(p.master::json #>> '{}')`
}

/**
 * Moves a sequence beyond every id that stands in the column. `alter sequence … restart` gives it a new file, so that a rollback brings back
 * the old value, which `setval` would not. Without ownership the sequence is moved only where it lags.
 */
async function advanceSequence(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
  column: Column,
  sequence: Sequence,
): Promise<void> {
  const name = quoteQualified(sequence)
  const [state] = await session.query<{ next: string; lags: boolean }>(
    `select greatest(q.next, q.highest + q.step)::text as next, q.highest >= q.next as lags
       from (select case when s.is_called then s.last_value + d.seqincrement else s.last_value end as next,
                    coalesce((select max(${quoteIdentifier(column.name)}) from ${fromRelation(context, relation)}), 0)::int8 as highest,
                    d.seqincrement as step
               from ${name} s
               join pg_catalog.pg_sequence d on d.seqrelid = ${quoteLiteral(name)}::regclass) q`,
  )
  if (state === undefined) return
  if (sequence.isOwned) await session.execute(`alter sequence ${name} restart with ${state.next}`)
  else if (state.lags)
    await session.query(`select setval(${quoteLiteral(name)}::regclass, $1::int8, false)`, [state.next])
}

/** `a.l1 = b.…` for every leaf of a relation's own identity; `b` is an alias of its parsed table. */
export function sameIdentity(context: SqlContext, relation: ContentRelation, a: string, b: string): string {
  const own = ownLeafExpressions(context, relation, b)
  return leavesOf(context.model, relation)
    .map((leaf, index) => sameLeaf(leaf, `${a}.l${index + 1}`, own[index] ?? 'null'))
    .join(' and ')
}

/** `=`, or for a leaf that may be null the comparison of one-element arrays: it holds for two nulls and can be hashed, which `is not distinct from` cannot. */
export function sameLeaf(leaf: Leaf, a: string, b: string): string {
  return leaf.isNullable ? `array[${a}] = array[${b}]` : `${a} = ${b}`
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
  return slotLeafExpressions(
    context,
    `${alias}.r${position + 1}`,
    relationOf(context.model, target.target),
    isTypedTranslation(context, translation),
  )
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
  return catalogRelation(context, relation).columns.find((column) => column.name === name)?.type ?? 'text'
}
