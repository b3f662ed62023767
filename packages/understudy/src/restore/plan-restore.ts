import type { Session } from '../database/port.js'
import type { ImportRun } from '../import/import-run.js'
import type { Load } from '../import/load.js'
import { stageArchive } from '../import/prepare.js'
import { lineSelect } from '../model/line-sql.js'
import { relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'

/** What a restore would do, or did, in counts. */
export interface RestorePlan {
  readonly archive: { readonly id: string; readonly name: string; readonly createdAt: string }
  /** Where it goes, safe to print. */
  readonly target: string
  readonly relations: readonly RestoredRelation[]
}

export interface RestoredRelation {
  readonly relation: string
  readonly records: number
  readonly unchanged: number
  /** Rows that are there and get their archived values back. */
  readonly changed: number
  /** Rows that are gone and come back. */
  readonly returning: number
  /** Rows that came after the archive was taken, and go. */
  readonly removed: number
}

/** Compares the archive with the database, row by row, by the keys that rows have here. Leaves temporary tables behind. */
export async function planRestore(run: ImportRun): Promise<RestorePlan> {
  const { context, loads } = await stageArchive(run)
  const relations: RestoredRelation[] = []
  for (const load of loads.values()) relations.push(await compareRows(run.session, context, load))
  return {
    archive: { id: run.index.id, name: run.path.replace(/^.*[\\/]/, ''), createdAt: run.index.created_at },
    target: run.target,
    relations,
  }
}

async function compareRows(session: Session, context: SqlContext, load: Load): Promise<RestoredRelation> {
  const { relation } = load
  const here = relation.surrogate.map((_, index) => `to_jsonb(l.t${index + 1})`)
  const key =
    here.length === 0
      ? { staged: identityIn(load, 's.line'), live: identityIn(load, 'l.line') }
      : { staged: 's.master::jsonb', live: here.length === 1 ? here[0] : `jsonb_build_array(${here.join(', ')})` }
  // Rows that are equal in all that tells them apart are numbered.
  const numbered = (expression: string | undefined, line: string) =>
    `${expression} as key, ${line} as line, row_number() over (partition by ${expression} order by ${line} collate "C") as n`
  const lines = lineSelect(context, relation, relation.columns, relation.surrogate)
  const [row] = await session.query<Omit<RestoredRelation, 'relation' | 'records'>>(
    `select count(*) filter (where a.line = t.line) as unchanged,
            count(*) filter (where a.line <> t.line) as changed,
            count(*) filter (where t.line is null) as returning,
            count(*) filter (where a.line is null) as removed
       from (select ${numbered(key.staged, 's.line')} from ${load.stage} s) a
       full join (select ${numbered(key.live, 'l.line')} from (${lines}) l) t on t.key = a.key and t.n = a.n`,
  )
  const counts = row ?? { unchanged: 0, changed: 0, returning: 0, removed: 0 }
  return { relation: relationLabel(relation), records: load.entry.records, ...counts }
}

/** Without a surrogate key a row is known by its identity, or by all of it. */
function identityIn({ relation }: Load, line: string): string {
  if (relation.identity.kind !== 'key') return `to_jsonb(${line})`
  const names = new Set(relation.identity.columns)
  const keys = relation.columns.filter(({ name }) => names.has(name)).map(({ key }) => key.replaceAll("'", "''"))
  return `jsonb_build_array(${keys.map((key) => `${line}::jsonb -> '${key}'`).join(', ')})`
}
