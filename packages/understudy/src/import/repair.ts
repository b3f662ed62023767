import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { lineSelect } from '../model/line-sql.js'
import { relationLabel } from '../model/model.js'
import { orderByTargets } from '../model/order.js'
import { catalogRelation, type SqlContext } from '../model/sql-context.js'
import { allocateKeys } from './allocate.js'
import { applyLoads } from './apply.js'
import { bindReferences } from './bind.js'
import { boundColumns, plainReferences } from './bound-columns.js'
import { createLoad, hasChanges, type Load } from './load.js'
import { matched, matchRows } from './match.js'
import { bare, matchedLines, pairContent, parseStaged } from './parse.js'

/**
 * An update of a referenced value carries the rows that refer to it along (`on update cascade`), also those that the archive has as they were
 * before. Reads these relations once more and writes what is no longer as the archive says. Returns the loads that it wrote.
 */
export async function repairCascades(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
): Promise<Load[]> {
  const concerned = targetsFirst(loads).filter((load) => isCarriedAlong(context, load, loads))
  const repaired: Load[] = []
  for (const [index, load] of concerned.entries()) {
    const again = {
      ...createLoad(context, load.relation, load.entry, `again_${index + 1}`),
      stage: load.stage,
      rowsBefore: 1,
    }
    if (load.relation.identity.kind === 'content') await matchCarried(session, context, load, again)
    else {
      await parseStaged(session, context, again)
      await matchRows(session, context, again)
    }
    if (!hasChanges(again)) continue
    await allocateKeys(session, context, again, { isDryRun: true })
    await bindAgain(session, context, load, again)
    await applyLoads(session, context, new Map([[relationLabel(load.relation), again]]), [], () => {})
    repaired.push(again)
  }
  return repaired
}

/** What refers to a row that was carried along may have followed it, and follows it back. */
function targetsFirst(loads: ReadonlyMap<string, Load>): Load[] {
  const targetsOf = (label: string) =>
    (loads.get(label)?.relation.references ?? [])
      .map(({ target }) => relationLabel(target))
      .filter((each) => loads.has(each))
  return orderByTargets([...loads.keys()], targetsOf).flatMap((component) =>
    component.flatMap((label) => loads.get(label) ?? []),
  )
}

/** A reference whose target is missing holds what was settled for it; any other has its target, if not at this moment. */
async function bindAgain(session: Session, context: SqlContext, load: Load, again: Load): Promise<void> {
  await bindReferences(session, context, again, new Map())
  const flags = plainReferences(load).map((_, index) => `m_${index} = false`)
  if (flags.length > 0) await session.execute(`update ${again.bound} set ${flags.join(', ')}`)
  if (!load.hasDifferences) return
  const columns = boundColumns(load).join(', ')
  await session.execute(`delete from ${again.bound} where n in (select n from ${load.bound})`)
  await session.execute(
    `insert into ${again.bound} (${columns}) select ${columns} from ${load.bound} where n in (select n from ${again.parsed})`,
  )
}

/**
 * Rows known by their content were paired with lines when these were equal, or were to be; the pairs that are equal no longer are found by their
 * key. Without a key, or with one that was carried along itself, it takes all lines to have their row still.
 */
async function matchCarried(session: Session, context: SqlContext, load: Load, again: Load): Promise<void> {
  if (load.handle.includes('ctid') || isHandleCarried(context, load)) {
    await pairContent(session, context, again)
    await parseStaged(session, context, again)
    if (again.hasDifferences) throw await carriedAway(session, again)
    return
  }
  const lines = lineSelect(context, load.relation, load.relation.columns, load.handle)
  const sameHandle = load.handle.map((_, index) => `l.t${index + 1} = m.h${index + 1}`).join(' and ')
  await session.execute(
    `create temporary table ${bare(matchedLines(again))} on commit drop as
     select s.n
       from ${load.stage} s
       left join ${matchedLines(load)} m on m.n = s.n
      where m.n is null or exists (select from (${lines}) l where ${sameHandle} and l.line = s.line)`,
  )
  await parseStaged(session, context, again)
  const handles = load.handle.map((_, index) => `m.h${index + 1}`).join(', ')
  again.counts.updates = await session.execute(
    `create temporary table ${matched(again)} on commit drop as
     select p.n, p.master, false as is_new, ${handles} from ${again.parsed} p join ${matchedLines(load)} m on m.n = p.n`,
  )
}

/** Whether a foreign key that carries rows along writes columns by which they were to be found again. */
function isHandleCarried(context: SqlContext, { relation, handle }: Load): boolean {
  return catalogRelation(context, relation).foreignKeys.some(
    ({ onUpdate, columns }) =>
      onUpdate !== 'no action' && onUpdate !== 'restrict' && columns.some((name) => handle.includes(name)),
  )
}

async function carriedAway(session: Session, { relation, parsed }: Load): Promise<UnderstudyError> {
  const [carried] = await session.query<{ rows: number }>(`select count(*) as rows from ${parsed}`)
  return new UnderstudyError(
    'IMPORT_REFUSED',
    `${relationLabel(relation)}: a change of what its rows refer to would carry ${carried?.rows} of them along (on update cascade), and without a key that stays they cannot be found again`,
    {
      hint: 'Nothing was written. Give the relation a primary key that holds none of these references, or declare the foreign key without on update cascade.',
    },
  )
}

function isCarriedAlong(context: SqlContext, load: Load, loads: ReadonlyMap<string, Load>): boolean {
  const plain = new Set(plainReferences(load).map((reference) => reference.name))
  return catalogRelation(context, load.relation).foreignKeys.some((key) => {
    if (!plain.has(key.name) || key.onUpdate === 'no action' || key.onUpdate === 'restrict') return false
    const target = [...context.relations.values()].find((relation) => relation.oid === key.target)
    const other = target === undefined ? undefined : loads.get(relationLabel(target))
    return other !== undefined && other.counts.updates > 0
  })
}
