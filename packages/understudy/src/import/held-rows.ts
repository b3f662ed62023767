import type { Session } from '../database/port.js'
import type { Problem } from '../errors.js'
import { lineSelect } from '../model/line-sql.js'
import { relationLabel } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext } from '../model/sql-context.js'
import { DOOMED, type Edge, isNotDoomed, referringTo } from './doomed-rows.js'
import { type Load, sameRow } from './load.js'
import { matchedLines } from './parse.js'
import { MAX_CASES, plainProblem, plural, readProblem } from './problems.js'

/** The doomed rows that a foreign key which restricts does not let go, each with the number of rows that hold it. */
export async function findHeld(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
  edge: Edge,
): Promise<Problem[]> {
  const { child, parent, key } = edge
  const own = loads.get(relationLabel(child))
  // A deferrable key is asked at the end, when the row that refers is written as the archive has it; `restrict` is asked at once however it is declared.
  const mayLeave = key.isDeferrable && key.onDelete === 'no action' && own?.hasDifferences === true
  const stays =
    own !== undefined && mayLeave
      ? ` and not exists (select from ${own.rows} w where not w.is_new and ${sameRow(context, own, 'c', 'w')})`
      : ''
  const rows = await session.query<{ name: string; holders: number; total: number }>(
    `select d.name, count(*) as holders, count(*) over () as total
       from ${referringTo(context, edge)}
      where ${isNotDoomed('c')}${stays}
      group by d.part, d.place, d.name
      order by d.part, d.place
      limit ${MAX_CASES}`,
  )
  const [first] = rows
  if (first === undefined) return []
  const label = relationLabel(child)
  const message = `${plural(first.total, 'row is', 'rows are')} to be deleted that rows of ${label} refer to (${key.name}, on delete ${key.onDelete})`
  return [
    {
      ...plainProblem('held row', relationLabel(parent), null, message, first.total),
      cases: rows.map(({ name, holders }) => ({
        identity: name,
        value: null,
        other: `${plural(holders, 'row', 'rows')} of ${label}`,
      })),
    },
  ]
}

/** The rows of the archive that foreign keys would delete with rows that go: nothing would write those that are there as they should be. */
export async function findLost(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
): Promise<Problem[]> {
  const reached = await session.query<{ relation: number }>(
    `select distinct d.relation::int8 as relation from ${DOOMED} d where d.round > 0`,
  )
  const problems: Problem[] = []
  for (const load of loads.values()) {
    if (!reached.some(({ relation }) => relation === catalogRelation(context, load.relation).oid)) continue
    const message = (rows: number) =>
      `${plural(rows, 'row', 'rows')} of the archive would be deleted in turn (on delete cascade)`
    problems.push(
      ...(await readProblem(session, load, { kind: 'lost row', columns: [], message }, lostRecords(context, load))),
    )
  }
  return problems
}

function lostRecords(context: SqlContext, load: Load): string {
  const doomed = `${DOOMED} d
       join ${fromRelation(context, load.relation)} t on t.tableoid = d.part and t.ctid = d.place and d.round > 0`
  const select = (n: string, join: string) =>
    `select ${n} as n, null::text as value, d.reason as other, null::bigint as other_n from ${doomed} ${join}`
  if (load.relation.identity.kind === 'content')
    return select('m.n', `join ${matchedLines(load)} m on ${sameRow(context, load, 't', 'm')}`)
  const handles = load.handle.map((_, index) => `l.t${index + 1} as h${index + 1}`).join(', ')
  const lines = `select l.line, ${handles} from (${lineSelect(context, load.relation, load.relation.columns, load.handle)}) l`
  const unchanged = select(
    's.n',
    `join (${lines}) l on ${sameRow(context, load, 't', 'l')} join ${load.stage} s on s.line = l.line`,
  )
  if (!load.hasDifferences) return unchanged
  return `${unchanged} union all ${select('w.n', `join ${load.rows} w on not w.is_new and ${sameRow(context, load, 't', 'w')}`)}`
}
