import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { columnExpressions } from '../model/identity-sql.js'
import { leavesOf } from '../model/leaves.js'
import { relationLabel } from '../model/model.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'
import { type Load, sameRow } from './load.js'
import { matched, ownLeafExpressions } from './match.js'

interface Duplicates {
  readonly relation: string
  readonly columns: string
  readonly identities: number
  /** Up to five of them, as JSON. */
  readonly samples: readonly string[]
}

const MAX_SAMPLES = 5

/**
 * Refuses an archive in which two lines have the same identity: which of them would win? Every relation concerned is named. Lines that are
 * equal as a whole never come here: the archive's reader refuses them.
 */
export async function refuseDuplicates(session: Session, context: SqlContext, loads: readonly Load[]): Promise<void> {
  const found: Duplicates[] = []
  for (const load of loads) {
    if (load.relation.identity.kind === 'content' || !load.hasDifferences) continue
    const duplicates =
      (await findAmongDiffering(session, context, load)) ?? (await findBesideUnchanged(session, context, load))
    if (duplicates !== null) found.push(duplicates)
  }
  if (found.length === 0) return
  throw new UnderstudyError('IMPORT_REFUSED', 'several rows of the archive have the same identity', {
    detail: found.map(describeDuplicates).join('\n'),
    hint: 'An export never writes such an archive: take another copy of it, or export again.',
  })
}

async function findAmongDiffering(session: Session, context: SqlContext, load: Load): Promise<Duplicates | null> {
  const leaves = ownLeafExpressions(context, load.relation, 'p')
  return await read(
    session,
    context,
    load,
    `select ${leaves.map((leaf, index) => `${leaf} as l${index + 1}`).join(', ')}
       from ${load.parsed} p
      group by ${leaves.map((_, index) => index + 1).join(', ')}
     having count(*) > 1`,
  )
}

/**
 * A line that changes a row of the target, while another line has that row as it is. Only the rows about to be changed are written as lines
 * again, so an import without changes pays nothing.
 */
async function findBesideUnchanged(session: Session, context: SqlContext, load: Load): Promise<Duplicates | null> {
  if (load.counts.updates === 0 || load.counts.unchanged === 0) return null
  const { columns, joins } = columnExpressions(context, load.relation, load.relation.columns)
  const line = `(select row_to_json(x.*)::text from (select ${columns.join(', ')}) x)`
  const leaves = ownLeafExpressions(context, load.relation, 'p')
  return await read(
    session,
    context,
    load,
    `select ${leaves.map((leaf, index) => `${leaf} as l${index + 1}`).join(', ')}
       from (select w.n, ${line} as line
               from pg_temp.${matched(load)} w
               join ${fromRelation(context, load.relation)} s on ${sameRow(context, load, 's', 'w')} ${joins}
              where not w.is_new
             offset 0) t
       join ${load.stage} g on g.line = t.line
       join ${load.parsed} p on p.n = t.n`,
  )
}

async function read(session: Session, context: SqlContext, load: Load, select: string): Promise<Duplicates | null> {
  const leaves = leavesOf(context.model, load.relation)
  const rows = await session.query<{ sample: string; total: number }>(
    `select json_build_array(${leaves.map((_, index) => `d.l${index + 1}::text`).join(', ')})::text as sample, count(*) over () as total
       from (${select}) d
      order by 1
      limit ${MAX_SAMPLES}`,
  )
  const [first] = rows
  if (first === undefined) return null
  return {
    relation: relationLabel(load.relation),
    columns: leaves.map(({ path }) => path).join(', '),
    identities: first.total,
    samples: rows.map((row) => row.sample),
  }
}

function describeDuplicates({ relation, columns, identities, samples }: Duplicates): string {
  const count = identities === 1 ? '1 identity is' : `${identities} identities are`
  return `${relation}: ${count} borne by several rows (${columns}): ${samples.join(', ')}${identities > samples.length ? ', …' : ''}`
}
