import { quoteLiteral } from '../database/quoting.js'
import { leafExpressions } from './identity-sql.js'
import type { Joins } from './joins.js'
import { type ContentRelation, relationLabel } from './model.js'
import type { SqlContext } from './sql-context.js'
import { masterExpression } from './surrogate-sql.js'

/** Rows that cannot be told apart, cannot be named, or point nowhere. */
export interface Finding {
  readonly relation: string
  readonly kind: 'null identity' | 'duplicate identity' | 'dangling reference' | 'no plain list'
  /** The columns concerned. */
  readonly columns: string
  readonly rows: number
  /** Up to five of them. */
  readonly samples: readonly string[]
  /** Of a declared reference: the one value that all these rows hold, where it looks like one that stands for no row. */
  readonly none?: string | undefined
}

/** One of the rows that are shown, with the number of all of them. */
export interface SampleRow {
  readonly sample: string
  readonly total: number
}

export const MAX_SAMPLES = 5

/** One line for people: `events: 2 rows share an identity (xmlid): "a", "b"`. */
export function describeFinding(finding: Finding): string {
  const rows = finding.rows === 1 ? '1 row' : `${finding.rows} rows`
  const what = {
    'null identity': `${rows} without an identity (${finding.columns} is null)`,
    'duplicate identity': `${finding.rows === 1 ? '1 identity' : `${finding.rows} identities`} shared by several rows (${finding.columns})`,
    'dangling reference': `${rows} whose ${finding.columns} points to no row`,
    'no plain list': `${rows} whose ${finding.columns} is declared to list references and is no plain list (of one dimension from 1 on; in JSON an array)`,
  }[finding.kind]
  return `${finding.relation}: ${what}: ${finding.samples.join(', ')}${finding.rows > finding.samples.length ? ', …' : ''}${suggestNone(finding)}`
}

/** As the configuration would say it. */
function suggestNone({ none }: Finding): string {
  if (none === undefined) return ''
  const value = /^-?\d{1,15}$/.test(none) ? none : quoteLiteral(none)
  return `; all hold ${value}: if that means that there is no row, add \`none: ${value}\` to the reference`
}

/** A row as messages name it: by its surrogate key, or by its identity where it has none. */
export function rowLabel(context: SqlContext, relation: ContentRelation, joins: Joins): string {
  if (relation.surrogate.length > 0)
    return `'${relation.surrogate.join(', ').replaceAll("'", "''")} ' || to_json(${masterExpression(relation)})::text`
  if (relation.identity.kind === 'content') return `'row ' || s.ctid::text`
  const leaves = leafExpressions(context, relation, 's', joins)
  return `json_build_array(${leaves.map((leaf) => `(${leaf})::text`).join(', ')})::text`
}

export function toFinding(
  relation: ContentRelation,
  kind: Finding['kind'],
  columns: string,
  rows: readonly SampleRow[],
  sampleLabel: string,
): Finding[] {
  const [first] = rows
  if (first === undefined) return []
  const samples = rows.map((row) => (sampleLabel === '' ? row.sample : `${sampleLabel} ${row.sample}`))
  return [{ relation: relationLabel(relation), kind, columns, rows: first.total, samples }]
}
