import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral } from '../database/quoting.js'
import { pinSettings } from '../database/settings.js'
import { identitySelect } from '../model/identity-sql.js'
import { leavesOf } from '../model/leaves.js'
import { findRelation, relationLabel, relationOf } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext } from '../model/sql-context.js'
import type { Load, Slot } from './load.js'
import { sameLeaf } from './match.js'
import { bare } from './parse.js'
import { writtenValues } from './write.js'

/** The temporary table of a load's references without a target: `late (n, slot, identity, stand_in)`. */
export function lateTable(load: Load): string {
  return `${load.rows}_late`
}

/** Remembers the references that `bound` marks as missing, with what will stand in for them, before that is put in their place. */
export async function rememberLate(
  session: Session,
  load: Load,
  slot: Slot,
  standIn: string | null,
  placeholder: string | null,
): Promise<void> {
  await session.execute(
    `create temporary table if not exists ${bare(lateTable(load))} (n bigint, slot text, target text, identity json, stand_in text) on commit drop`,
  )
  const target = slot.translation.alternatives[0]?.target
  await session.execute(
    `insert into ${lateTable(load)}
     select p.n, ${quoteLiteral(slot.column.name)}, ${quoteLiteral(target === undefined ? '' : relationLabel(target))}, to_json(p.r${slot.id}), $1::text
       from ${load.bound} b join ${load.parsed} p on p.n = b.n
      where b.m${slot.id}`,
    [placeholder],
  )
  const value = standIn === null ? `null::${slot.type}` : `${quoteLiteral(standIn)}::${slot.type}`
  await session.execute(`update ${load.bound} b set b${slot.id} = ${value}, m${slot.id} = false where b.m${slot.id}`)
}

/** Writes what was remembered into the registry, under the rows' keys, which are known now. */
export async function recordLate(session: Session, load: Load, archiveId: string): Promise<void> {
  const [found] = await session.query<{ exists: boolean }>(
    `select to_regclass(${quoteLiteral(lateTable(load))}) is not null as exists`,
  )
  if (found?.exists !== true) return
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

/**
 * Gives late references of this and earlier imports their real target, where it has arrived. A row whose column holds something other than
 * the stand-in by now was changed by hand: its entry is dropped and the row left alone. Returns how many were resolved.
 */
export async function resolveLate(session: Session, context: SqlContext): Promise<number> {
  const open = await session.query<{ relation: string; column: string; target: string }>(
    `select distinct relation, column_name as "column", target from understudy.late_reference order by 1, 2, 3`,
  )
  let resolved = 0
  for (const { relation, column, target } of open)
    resolved += await resolveColumn(session, context, relation, column, target)
  return resolved
}

async function resolveColumn(
  session: Session,
  context: SqlContext,
  label: string,
  name: string,
  targetLabel: string,
): Promise<number> {
  const relation = context.model.relations.find((each) => relationLabel(each) === label)
  const target = context.model.relations.find((each) => relationLabel(each) === targetLabel)
  const column = relation?.columns.find((each) => each.name === name)
  const alternative = column?.translation?.alternatives.find((each) => relationLabel(each.target) === targetLabel)
  if (relation === undefined || target === undefined || column === undefined || alternative === undefined) return 0
  if (!context.relations.has(label) || findRelation(context.model, relation) === undefined) return 0
  const key = catalogRelation(context, relation).uniqueKeys.find((each) => each.isPrimary)?.columns ?? []
  if (key.length === 0) return 0
  const leaves = leavesOf(context.model, relationOf(context.model, target))
  const named = leaves.map((leaf, index) => {
    const text = leaves.length === 1 ? `(l.identity #>> '{}')` : `(l.identity ->> ${index})`
    return sameLeaf(context, leaf, `i.l${index + 1}`, `${text}::${leaf.type}`)
  })
  const own = `t.${quoteIdentifier(name)}`
  const keys = key.map((each) => `t.${quoteIdentifier(each)}::text`).join(', ')
  const which = `l.relation = ${quoteLiteral(label)} and l.column_name = ${quoteLiteral(name)} and l.target = ${quoteLiteral(targetLabel)}`
  await session.execute(
    `delete from understudy.late_reference l
      where ${which}
        and not exists (select from ${fromRelation(context, relation)} t
                         where json_build_array(${keys})::text = l.local_key and ${own}::text is not distinct from l.stand_in)`,
  )
  // A generated column's function may name a table without its schema.
  await pinSettings(session, { searchPath: 'own' })
  const updated = await session.execute(
    `update ${fromRelation(context, relation)} t set ${quoteIdentifier(name)} = i.t1
       from understudy.late_reference l
       join (${identitySelect(context, target, [alternative.targetColumn])}) i on ${named.join(' and ')}
      where ${which} and json_build_array(${keys})::text = l.local_key`,
  )
  await pinSettings(session)
  if (updated > 0) {
    await session.execute(
      `delete from understudy.late_reference l
        using (${identitySelect(context, target, [alternative.targetColumn])}) i
        where ${which} and ${named.join(' and ')}`,
    )
  }
  return updated
}
