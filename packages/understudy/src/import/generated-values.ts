import type { Column } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { useSearchPath } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { type ContentRelation, type RelationName, relationLabel } from '../model/model.js'
import { catalogRelation, type SqlContext } from '../model/sql-context.js'
import type { Load } from './load.js'
import { bare } from './parse.js'
import { describeProblem, plainProblem } from './problems.js'

/**
 * Computes what generated columns that others refer to will hold in the rows that come: `generated (n, g…)`. They do not travel, and stand in the target only
 * when the rows are written.
 */
export async function computeGenerated(session: Session, context: SqlContext, load: Load): Promise<void> {
  const names = computedColumns(context, load.relation)
  if (names.length === 0) return
  const columns = catalogRelation(context, load.relation).columns
  const generated = columns.filter(({ name }) => names.includes(name))
  refuseUnknown(load, generated)
  const known = generated.filter((column) => unknownColumns(load.relation, column).length === 0)
  const wanted = columns.filter(({ name }) => known.some(({ generatedFrom }) => generatedFrom.includes(name)))
  const values = wanted.map(({ name }) => `${incoming(load.relation, name)} as ${quoteIdentifier(name)}`)
  const list = generated.map((each, index) => `(${known.includes(each) ? each.generatedAs : 'null'}) as g${index + 1}`)
  // An expression may call a function that names a table without its schema.
  await useSearchPath(session, 'own')
  await session.execute(
    `create temporary table ${bare(generatedValues(load))} on commit drop as
     select i.n, c.*
       from (select ${['q.n', ...values].join(', ')} from ${load.parsed} q join ${load.rows} w on w.n = q.n) i
      cross join lateral (select ${list.join(', ')}) c`,
  )
  await useSearchPath(session, 'none')
}

/** The generated columns of a relation that others refer to, in its order. */
export function computedColumns(context: SqlContext, relation: RelationName): string[] {
  const label = relationLabel(relation)
  const generated = catalogRelation(context, relation).columns.filter(({ isGenerated }) => isGenerated)
  if (generated.length === 0) return []
  const named = new Set(
    context.model.relations.flatMap(({ references }) =>
      references.filter(({ target }) => relationLabel(target) === label).flatMap(({ targetColumns }) => targetColumns),
    ),
  )
  return generated.map(({ name }) => name).filter((name) => named.has(name))
}

/** The temporary table of these values. */
export function generatedValues(load: Load): string {
  return `${load.rows}_generated`
}

/** A select of the values of columns as the archive's records have them, or will; null where it cannot tell, or nothing comes. */
export function comingValues(context: SqlContext, load: Load, names: readonly string[]): string | null {
  const computed = computedColumns(context, load.relation)
  const values = names.map((name) => {
    const position = load.relation.columns.findIndex((column) => column.name === name) + 1
    return position > 0 ? `q.c${position}` : computed.includes(name) ? `g.g${computed.indexOf(name) + 1}` : null
  })
  if (values.includes(null)) return null
  if (!names.some((name) => computed.includes(name))) return `select ${values.join(', ')} from ${load.parsed} q`
  if (!load.hasDifferences) return null
  return `select ${values.join(', ')} from ${load.parsed} q join ${generatedValues(load)} g on g.n = q.n`
}

function incoming(relation: ContentRelation, name: string): string {
  const key = relation.surrogate.indexOf(name) + 1
  if (key > 0) return `w.k${key}`
  const position = relation.columns.findIndex((column) => column.name === name) + 1
  return `q.c${position}`
}

/** Columns whose values in new rows are known only when these are written: a reference, which is bound later, or one that the archive has not. */
function unknownColumns(relation: ContentRelation, { generatedFrom }: Column): string[] {
  return generatedFrom.filter((name) => {
    const column = relation.columns.find((each) => each.name === name)
    if (column === undefined) return !relation.surrogate.includes(name)
    return column.translation !== undefined || column.fields !== undefined
  })
}

function refuseUnknown({ relation, counts }: Load, generated: readonly Column[]): void {
  if (counts.inserts === 0) return
  const problems = generated.flatMap((column) => {
    const unknown = unknownColumns(relation, column)
    if (unknown.length === 0) return []
    const message = `other rows refer to this generated column, which is computed from ${unknown.join(', ')}: what new rows will hold cannot be told before they are written`
    return [plainProblem('incompatible', relationLabel(relation), column.name, message, counts.inserts)]
  })
  if (problems.length === 0) return
  throw new UnderstudyError('IMPORT_REFUSED', 'foreign keys refer to values that are computed of references', {
    detail: problems.map(describeProblem).join('\n'),
    hint: 'Let the foreign key refer to the primary key or to a plain column, or leave out what refers to it with --exclude. Nothing was written.',
    problems,
  })
}
