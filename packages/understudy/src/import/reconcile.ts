import type { FileEntry } from '../archive/archive-index.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import type { Problem } from '../errors.js'
import { lineSelect } from '../model/line-sql.js'
import { type ContentRelation, relationLabel, relationOf } from '../model/model.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'
import { readHistory } from '../registry/history.js'
import type { ImportRun } from './import-run.js'
import { type Load, sameRow } from './load.js'
import { matchedLines } from './parse.js'
import { plainProblem, plural } from './problems.js'

/**
 * Finds what would double rows or mix histories: an `init` into relations that hold rows of their own, and rows known by their origin on both
 * sides of which the registry knows none.
 */
export async function findUnrelated(
  session: Session,
  context: SqlContext,
  loads: readonly Load[],
  run: ImportRun,
): Promise<Problem[]> {
  const problems: Problem[] = []
  const history = await readHistory(session)
  for (const load of loads) {
    const label = relationLabel(load.relation)
    const matched = await countMatched(session, load)
    if (run.mode === 'init' && load.rowsBefore > matched) {
      const rows = load.rowsBefore - matched
      const message = `the target holds ${plural(rows, 'row that the archive does', 'rows that the archive does')} not have`
      problems.push(plainProblem('not empty', label, null, message, rows))
    } else if (run.mode !== 'init' && load.relation.identity.kind === 'origin' && load.entry.records > 0) {
      if (run.index.source.instance === null && !run.isFileset) {
        const message = 'the archive does not say where its rows were born, since its source has no registry'
        problems.push(plainProblem('unrelated rows', label, null, message, load.entry.records))
      } else if (load.rowsBefore > 0 && matched === 0 && !sharesHistory(context, load, run, history)) {
        const message = 'both sides hold rows without a natural key, and nothing tells which are the same'
        problems.push(plainProblem('unrelated rows', label, null, message, load.rowsBefore))
      }
    }
  }
  return problems
}

/** Rows of the target that the archive has too, changed or not. */
async function countMatched(session: Session, load: Load): Promise<number> {
  if (load.relation.identity.kind !== 'content') return load.counts.unchanged + load.counts.updates
  const [row] = await session.query<{ rows: number }>(`select count(*) as rows from ${matchedLines(load)}`)
  return row?.rows ?? 0
}

/**
 * Whether the two databases have had rows of the relation from one instance, be it one of them: then every row that either knows from elsewhere
 * has its origin recorded, and the others are new.
 */
function sharesHistory(
  context: SqlContext,
  load: Load,
  run: ImportRun,
  history: ReadonlyMap<string, readonly string[]>,
): boolean {
  const here = new Set([context.instance, ...(history.get(relationLabel(load.relation)) ?? [])])
  return instancesOf(load.entry, run).some((instance) => here.has(instance))
}

/** The instances whose rows of a relation an archive may hold. */
export function instancesOf(entry: FileEntry, run: ImportRun): readonly string[] {
  const { instance } = run.index.source
  return instance === null ? [] : [instance, ...(entry.instances ?? [])]
}

/**
 * An owned row that the archive does not have goes, where the archive has its owner or its owner goes too: the owner's content is what the
 * archive says. A relation known by its content without an owner keeps what it has.
 */
export async function planOwnedDeletes(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
): Promise<void> {
  const settled = new Set<Load>()
  const settle = async (load: Load): Promise<void> => {
    if (settled.has(load) || load.relation.identity.kind !== 'content') return
    settled.add(load)
    const { owner } = load.relation.identity
    const target = owner === null ? undefined : ownerOf(context, load.relation, owner)
    const ownerLoad = target === undefined ? undefined : loads.get(relationLabel(target.relation))
    if (owner === null || target === undefined || ownerLoad === undefined) {
      await session.execute(`delete from ${load.extra}`)
      return
    }
    await settle(ownerLoad)
    const links = load.handle.map((_, index) => `x.h${index + 1} = c.t${index + 1}`).join(' and ')
    await session.execute(
      `delete from ${load.extra} x
        where not exists (select from (${childrenOf(context, load, owner)}) c
                            join (${settledOwners(context, ownerLoad, target.column)}) o on o.t1 = c.owner
                           where ${links})`,
    )
    const [row] = await session.query<{ rows: number }>(`select count(*) as rows from ${load.extra}`)
    load.counts.deletes = row?.rows ?? 0
  }
  for (const load of loads.values()) await settle(load)
}

function ownerOf(
  context: SqlContext,
  relation: ContentRelation,
  owner: string,
): { relation: ContentRelation; column: string } | undefined {
  for (const reference of relation.references) {
    const position = reference.columns.indexOf(owner)
    const column = reference.targetColumns[position]
    if (column !== undefined) return { relation: relationOf(context.model, reference.target), column }
  }
  return undefined
}

function childrenOf(context: SqlContext, load: Load, owner: string): string {
  const handles = load.handle.map((name, index) => `s.${quoteIdentifier(name)} as t${index + 1}`)
  return `select ${handles.join(', ')}, s.${quoteIdentifier(owner)} as owner from ${fromRelation(context, load.relation)} s`
}

/** The target's rows whose content is settled by the archive, by their key: those that it has too, and those that go. */
function settledOwners(context: SqlContext, load: Load, column: string): string {
  const rows = (table: string, condition: string) =>
    `select t.${quoteIdentifier(column)} as t1 from ${table} w join ${fromRelation(context, load.relation)} t
       on ${sameRow(context, load, 't', 'w')} where ${condition}`
  if (load.relation.identity.kind === 'content')
    return `${rows(matchedLines(load), 'true')} union all ${rows(load.extra, 'true')}`
  return `select l.t1 from (${lineSelect(context, load.relation, load.relation.columns, [column])}) l
            join ${load.stage} s on s.line = l.line
          union all ${rows(`${load.rows}_matched`, 'not w.is_new')}`
}
