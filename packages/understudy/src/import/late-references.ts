import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral } from '../database/quoting.js'
import { useSearchPath } from '../database/settings.js'
import { identitySelect } from '../model/identity-sql.js'
import { leavesOf } from '../model/leaves.js'
import {
  type ContentColumn,
  type ContentRelation,
  findRelation,
  type Reference,
  relationLabel,
} from '../model/model.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'
import { isRegistryReadable } from '../registry/registry.js'
import { discriminates, rowsNamed } from './bind.js'
import { handleColumns, type Load, type Slot, sameRow } from './load.js'
import { sameLeaf } from './match.js'
import { bare } from './parse.js'
import type { Placeholder } from './placeholders.js'
import { writtenValues } from './write.js'

/** The temporary table of a load's references without a target: `late (n, slot, identity, stand_in)`. */
export function lateTable(load: Load): string {
  return `${load.rows}_late`
}

/**
 * Remembers the references that `bound` marks as missing, with what will stand in for them, before that is put in their place: the value of a
 * placeholder of the relation that they name, or null.
 */
export async function rememberLate(
  session: Session,
  context: SqlContext,
  load: Load,
  slot: Slot,
  placeholders: ReadonlyMap<string, Placeholder>,
): Promise<void> {
  await createLateTable(session, load)
  for (const alternative of slot.translation.alternatives) {
    const label = relationLabel(alternative.target)
    const standIn = placeholders.get(label)?.values.get(alternative.targetColumn) ?? null
    const missing = `from ${load.bound} b join ${load.parsed} p on p.n = b.n where b.m${slot.id} and ${discriminates(context, load, slot, alternative)}`
    await session.execute(
      `insert into ${lateTable(load)}
       select p.n, ${quoteLiteral(slot.column.name)}, ${quoteLiteral(label)}, to_json(p.r${slot.id}), $1::text ${missing}`,
      [standIn],
    )
    const value = standIn === null ? `null::${slot.type}` : `${quoteLiteral(standIn)}::${slot.type}`
    await session.execute(
      `update ${load.bound} set b${slot.id} = ${value}, m${slot.id} = false where n in (select p.n ${missing})`,
    )
  }
}

/**
 * The same for a foreign key whose values travel as they are; null stands in. Only one that holds the whole identity of its target, in one
 * column, can be found again: else false comes back.
 */
export async function rememberPlain(
  session: Session,
  context: SqlContext,
  load: Load,
  { reference, index }: { readonly reference: Reference; readonly index: number },
): Promise<boolean> {
  const target = findRelation(context.model, reference.target)
  const [column = ''] = reference.columns
  if (target === undefined || !namesWhole(target, reference)) return false
  const position = load.relation.columns.findIndex(({ name }) => name === column) + 1
  await createLateTable(session, load)
  await session.execute(
    `insert into ${lateTable(load)}
     select p.n, ${quoteLiteral(column)}, ${quoteLiteral(relationLabel(target))}, to_json(p.c${position}::text), null
       from ${load.bound} b join ${load.parsed} p on p.n = b.n where b.m_${index}`,
  )
  return true
}

/** Whether one column holds what its target is known by. */
function namesWhole({ identity }: ContentRelation, { columns, targetColumns }: Reference): boolean {
  return (
    columns.length === 1 &&
    identity.kind === 'key' &&
    identity.columns.length === 1 &&
    identity.columns[0] === targetColumns[0]
  )
}

/** A select of the columns of each record that wait for their target: `(n, columns)`. */
export async function waitingColumns(session: Session, load: Load): Promise<string> {
  await createLateTable(session, load)
  return `select n, array_agg(slot) as columns from ${lateTable(load)} group by n`
}

async function createLateTable(session: Session, load: Load): Promise<void> {
  await session.execute(
    `create temporary table if not exists ${bare(lateTable(load))} (n bigint, slot text, target text, identity json, stand_in text) on commit drop`,
  )
}

/** Writes what was remembered into the registry, under the rows' keys, which are known now. */
export async function recordLate(session: Session, load: Load, archiveId: string): Promise<void> {
  const [found] = await session.query<{ exists: boolean }>(
    `select to_regclass(${quoteLiteral(lateTable(load))}) is not null as exists`,
  )
  // Where nothing but its place in the table finds a row, nothing finds it later.
  if (found?.exists !== true || load.handle.includes('ctid')) return
  const values = writtenValues(load, { parsed: 'p', bound: 'b' })
  const key = load.handle.map((name, index) => {
    const surrogate = load.relation.surrogate.indexOf(name)
    const fresh = surrogate >= 0 ? `w.k${surrogate + 1}` : (values.get(name) ?? 'null')
    return `(case when w.is_new then (${fresh})::text else w.h${index + 1}::text end)`
  })
  await session.execute(
    `insert into understudy.late_reference (relation, local_key, column_name, target, identity, stand_in, archive_id)
     select ${quoteLiteral(relationLabel(load.relation))}, json_build_array(${key.join(', ')})::text, l.slot, l.target, l.identity, l.stand_in, $1::uuid
       from ${lateTable(load)} l
       join ${load.parsed} p on p.n = l.n
       join ${load.rows} w on w.n = l.n
       join ${load.bound} b on b.n = l.n
     on conflict (relation, local_key, column_name)
     do update set target = excluded.target, identity = excluded.identity, stand_in = excluded.stand_in, archive_id = excluded.archive_id`,
    [archiveId],
  )
}

/** References of one column that wait for their target, of this and earlier imports. */
export interface PlannedLate {
  readonly relation: string
  readonly column: string
  readonly target: string
  /** How many this import gives their target. */
  readonly rows: number
}

export interface LateColumn {
  readonly label: string
  readonly relation: ContentRelation
  readonly column: ContentColumn
  readonly target: ContentRelation
  readonly targetColumn: string
  /** Selects the entries of `late_reference l`. */
  readonly which: string
  /** The row `t` behind an entry, still with what stands in. */
  readonly isWaiting: string
}

/** Counts the late references that the rows of this archive will resolve. A row that the archive itself updates gets its reference from there. */
export async function planLate(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
): Promise<PlannedLate[]> {
  if (!(await isRegistryReadable(session, 'late_reference'))) return []
  const planned: PlannedLate[] = []
  for (const late of await readLateColumns(session, context)) {
    const own = loads.get(late.label)
    const [row] = await session.query<{ rows: number }>(
      `select count(*) as rows
         from understudy.late_reference l
         join (${namedBy(context, loads, late)}) i on ${isNamed(context, late)}
         join ${fromRelation(context, late.relation)} t on ${late.isWaiting}
        where ${late.which} and not ${isUpdatedBy(context, own, 't')} and not ${isGiven(context, own, 't')}`,
    )
    const rows = row?.rows ?? 0
    const names = { relation: late.label, column: late.column.name, target: relationLabel(late.target) }
    if (rows > 0) planned.push({ ...names, rows })
  }
  return planned
}

/**
 * Gives late references of this and earlier imports their real target, where it has arrived. A row whose column holds something other than
 * the stand-in by now was changed by hand: its entry is dropped and the row left alone. Returns how many were resolved.
 */
export async function resolveLate(session: Session, context: SqlContext): Promise<number> {
  let resolved = 0
  for (const late of await readLateColumns(session, context)) resolved += await resolveColumn(session, context, late)
  return resolved
}

export async function readLateColumns(session: Session, context: SqlContext): Promise<LateColumn[]> {
  const open = await session.query<{ relation: string; column: string; target: string }>(
    `select distinct relation, column_name as "column", target from understudy.late_reference order by 1, 2, 3`,
  )
  return open.flatMap((each) => {
    const late = lateColumn(context, each)
    return late === undefined ? [] : [late]
  })
}

/** Undefined where the relation, the column or the way to the target is not what it was, or no columns find the row again. */
function lateColumn(
  context: SqlContext,
  open: { relation: string; column: string; target: string },
): LateColumn | undefined {
  const relation = context.model.relations.find((each) => relationLabel(each) === open.relation)
  const target = context.model.relations.find((each) => relationLabel(each) === open.target)
  const column = relation?.columns.find((each) => each.name === open.column)
  if (relation === undefined || target === undefined || column === undefined) return
  const alternative = column.translation?.alternatives.find((each) => relationLabel(each.target) === open.target)
  const plain = relation.references.find(
    (each) => each.columns[0] === column.name && relationLabel(each.target) === open.target && namesWhole(target, each),
  )
  const targetColumn = alternative?.targetColumn ?? plain?.targetColumns[0]
  if (targetColumn === undefined) return
  if (!context.relations.has(open.relation) || !context.relations.has(open.target)) return
  const handle = handleColumns(context, relation)
  if (handle.includes('ctid')) return
  const own = `t.${quoteIdentifier(column.name)}`
  return {
    label: open.relation,
    relation,
    column,
    target,
    targetColumn,
    which: `l.relation = ${quoteLiteral(open.relation)} and l.column_name = ${quoteLiteral(column.name)} and l.target = ${quoteLiteral(open.target)}`,
    isWaiting: `${localKey(handle, 't')} = l.local_key and ${own}::text is not distinct from l.stand_in`,
  }
}

/** The rows that late references may name: those of the target, and those that this import makes. */
export function namedBy(context: SqlContext, loads: ReadonlyMap<string, Load>, late: LateColumn): string {
  return rowsNamed(context, loads, late.target, late.targetColumn)
}

export function isUpdatedBy(context: SqlContext, own: Load | undefined, row: string): string {
  if (own?.hasDifferences !== true) return 'false'
  return `exists (select from ${own.rows} w where not w.is_new and ${sameRow(context, own, row, 'w')})`
}

/** Whether the row gives way to the one that it stands in for. */
function isGiven(context: SqlContext, own: Load | undefined, row: string): string {
  if (own === undefined || own.relation.identity.kind !== 'key' || own.counts.deletes === 0) return 'false'
  return `exists (select from ${own.extra} w where ${sameRow(context, own, row, 'w')})`
}

/** A row's key as the registry has it. */
export function localKey(handle: readonly string[], row: string): string {
  return `json_build_array(${handle.map((name) => `${row}.${quoteIdentifier(name)}::text`).join(', ')})::text`
}

/** The row `i` is the one that the entry `l` names. */
export function isNamed(context: SqlContext, { target }: LateColumn): string {
  const leaves = leavesOf(context.model, target)
  return leaves
    .map((leaf, index) => {
      const text = leaves.length === 1 ? `(l.identity #>> '{}')` : `(l.identity ->> ${index})`
      return sameLeaf(context, leaf, `i.l${index + 1}`, `${text}::${leaf.type}`)
    })
    .join(' and ')
}

async function resolveColumn(session: Session, context: SqlContext, late: LateColumn): Promise<number> {
  const { relation, column, target, targetColumn, which, isWaiting } = late
  await session.execute(
    `delete from understudy.late_reference l
      where ${which} and not exists (select from ${fromRelation(context, relation)} t where ${isWaiting})`,
  )
  const named = `(${identitySelect(context, target, [targetColumn])}) i`
  // A generated column's function may name a table without its schema.
  await useSearchPath(session, 'own')
  const updated = await session.execute(
    `update ${fromRelation(context, relation)} t set ${quoteIdentifier(column.name)} = i.t1
       from understudy.late_reference l
       join ${named} on ${isNamed(context, late)}
      where ${which} and ${isWaiting}`,
  )
  await useSearchPath(session, 'none')
  if (updated > 0) {
    await session.execute(
      `delete from understudy.late_reference l using ${named} where ${which} and ${isNamed(context, late)}`,
    )
  }
  return updated
}
