import type { Column } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../database/quoting.js'
import { useSearchPath } from '../database/settings.js'
import { isNumberColumn, isTakenFromArchive } from '../model/choose-identity.js'
import type { ContentRelation, RelationName } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext } from '../model/sql-context.js'
import { computeGenerated } from './generated-values.js'
import { analyzeTemporary, type Load } from './load.js'
import { matched } from './match.js'
import { bare } from './parse.js'

/**
 * Gives every new row its surrogate key by the column's own default, in the order of the source's keys: `rows (n, is_new, h…, k…)`. With
 * `isDryRun` the keys stay null, so that nothing is burnt. The sequences must have been advanced before.
 */
export async function allocateKeys(
  session: Session,
  context: SqlContext,
  load: Load,
  { isDryRun, keepsKeys = false }: { readonly isDryRun: boolean; readonly keepsKeys?: boolean | undefined },
): Promise<void> {
  const columns = catalogRelation(context, load.relation).columns
  const isNeeded = !isDryRun && load.counts.inserts > 0
  const surrogate = load.relation.surrogate.map((name) => {
    const column = columns.find((each) => each.name === name)
    if (column === undefined) throw new Error(`${name} is not in the target`)
    return column
  })
  const keys = surrogate.map((column, index) => {
    const value = !isNeeded
      ? 'null'
      : keepsKeys
        ? masterKey(load.relation, index)
        : defaultExpression(context, load.relation, column)
    return `case when m.is_new then (${value})::${column.baseType} end as k${index + 1}`
  })
  const matchedRows = `pg_temp.${matched(load)}`
  // What was written later has the higher number: many an application orders by it.
  const isCounted = isNeeded && !keepsKeys && surrogate.some(isNumberColumn)
  const source = isCounted ? `(select m.* from ${matchedRows} m order by ${SOURCE_ORDER})` : matchedRows
  // A default may call a function that names a sequence without its schema.
  if (isNeeded) await useSearchPath(session, 'own')
  await session.execute(
    `create temporary table ${bare(load.rows)} on commit drop as
     select ${['m.*', ...keys].join(', ')} from ${source} m`,
  )
  if (isNeeded) await useSearchPath(session, 'none')
  await analyzeTemporary(session, load, load.rows)
  await computeGenerated(session, context, load)
}

/** As the source numbered its rows; where their keys are no numbers, as the archive has them. */
const SOURCE_ORDER = `case when m.master collate "C" between '-' and ':' then m.master::numeric end, m.n`

/** The key that the row had in the source: one value, or an array of several. */
function masterKey({ surrogate }: ContentRelation, index: number): string {
  return surrogate.length === 1 ? `(m.master::json #>> '{}')` : `(m.master::json ->> ${index})`
}

/** A column without a default takes the next number, or, where it is no number, the value that it had in the source. */
function defaultExpression(context: SqlContext, relation: ContentRelation, column: Column): string {
  if (column.identity !== null && column.sequence !== null) {
    return `nextval(${quoteLiteral(quoteQualified(column.sequence))}::regclass)`
  }
  if (column.default !== null) return column.default
  if (isTakenFromArchive(column)) return `(m.master::json #>> '{}')`
  const name = quoteIdentifier(column.name)
  return `(select coalesce(max(${name}), 0) from ${fromRelation(context, relation)}) + row_number() over (partition by m.is_new order by ${SOURCE_ORDER})`
}

/**
 * The expression that gives one new row a value of this column, as `allocateKeys` does for many; null where nothing but a person can. `load` tells of rows that
 * come and have their keys already.
 */
export function newKeyExpression(
  context: SqlContext,
  relation: RelationName,
  column: Column,
  load?: Load | undefined,
): string | null {
  if (column.identity !== null && column.sequence !== null)
    return `nextval(${quoteLiteral(quoteQualified(column.sequence))}::regclass)`
  if (column.default !== null) return column.default
  if (!isNumberColumn(column) || column.isNullable) return null
  const name = quoteIdentifier(column.name)
  const key = load === undefined ? 0 : load.relation.surrogate.indexOf(column.name) + 1
  const coming = key === 0 || load === undefined ? '' : `, (select max(k${key}) from ${load.rows})`
  return `greatest(0, (select max(${name}) from ${fromRelation(context, relation)})${coming}) + 1`
}
