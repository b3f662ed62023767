import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { decidingConditions, identitySelect, joinAlternative, leafExpressions } from './identity-sql.js'
import { Joins } from './joins.js'
import { leavesOf } from './leaves.js'
import { type Alternative, type ContentColumn, type ContentRelation, relationLabel } from './model.js'
import { catalogRelation, fromRelation, type SqlContext } from './sql-context.js'
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
}

const MAX_SAMPLES = 5

/**
 * Looks for rows whose identity is null or shared, and for references to nothing, in the relations given. Where the catalog already rules
 * them out (a valid unique key without nulls, a validated foreign key) no row is read.
 */
export async function findIdentityProblems(
  session: Session,
  context: SqlContext,
  relations: readonly ContentRelation[],
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const relation of relations) {
    if (relation.identity.kind !== 'content') {
      findings.push(...(await findNullIdentities(session, context, relation)))
      findings.push(...(await findDuplicateIdentities(session, context, relation)))
    }
    findings.push(...(await findDanglingReferences(session, context, relation)))
  }
  return findings
}

/** One line for people: `events: 2 rows share an identity (xmlid): "a", "b"`. */
export function describeFinding(finding: Finding): string {
  const rows = finding.rows === 1 ? '1 row' : `${finding.rows} rows`
  const what = {
    'null identity': `${rows} without an identity (${finding.columns} is null)`,
    'duplicate identity': `${finding.rows === 1 ? '1 identity' : `${finding.rows} identities`} shared by several rows (${finding.columns})`,
    'dangling reference': `${rows} whose ${finding.columns} points to no row`,
    'no plain list': `${rows} whose ${finding.columns} is declared to list references and is no plain list (of one dimension from 1 on; in JSON an array)`,
  }[finding.kind]
  return `${finding.relation}: ${what}: ${finding.samples.join(', ')}${finding.rows > finding.samples.length ? ', …' : ''}`
}

export async function findNullIdentities(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
): Promise<Finding[]> {
  const leaves = leavesOf(context.model, relation)
  const [leaf] = leaves
  if (leaves.length !== 1 || leaf === undefined || !leaf.isNullable) return []
  const rows = await session.query<{ sample: string; total: number }>(
    `select coalesce(s.master, '') as sample, s.total
       from (select to_json(${masterOf(relation)})::text as master, count(*) over () as total
               from (${identitySelect(context, relation, relation.surrogate)}) i
              where i.l1 is null
              order by 1
              limit ${MAX_SAMPLES}) s`,
  )
  return toFinding(relation, 'null identity', identityColumns(relation), rows, relation.surrogate.join(', '))
}

function masterOf(relation: ContentRelation): string {
  if (relation.surrogate.length === 0) return 'null::text'
  if (relation.surrogate.length === 1) return 'i.t1'
  return `json_build_array(${relation.surrogate.map((_, index) => `i.t${index + 1}`).join(', ')})`
}

export async function findDuplicateIdentities(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
): Promise<Finding[]> {
  if (isKeptUnique(context, relation)) return []
  const leaves = leavesOf(context.model, relation).map((_, index) => `l${index + 1}`)
  const rows = await session.query<{ sample: string; total: number }>(
    `select json_build_array(${leaves.map((leaf) => `${leaf}::text`).join(', ')})::text as sample, count(*) over () as total
       from (${identitySelect(context, relation, [])}) i
      ${leaves.length === 1 ? 'where l1 is not null' : ''}
      group by ${leaves.join(', ')}
     having count(*) > 1
      limit ${MAX_SAMPLES}`,
  )
  return toFinding(relation, 'duplicate identity', identityColumns(relation), rows, '')
}

/** Whether a key of the relation itself keeps the identity unique. */
export function isKeptUnique(context: SqlContext, relation: ContentRelation): boolean {
  if (relation.identity.kind === 'content') return false
  const { columns } = relation.identity
  const { uniqueKeys, columns: all } = catalogRelation(context, relation)
  const isNullable = (name: string) => all.find((column) => column.name === name)?.isNullable ?? true
  return uniqueKeys.some(
    (key) =>
      key.isValid &&
      !key.isPartial &&
      !key.hasExpressions &&
      key.columns.every((name) => columns.includes(name)) &&
      (key.isNullsNotDistinct || columns.length === 1 || key.columns.every((name) => !isNullable(name))),
  )
}

function identityColumns(relation: ContentRelation): string {
  return relation.identity.kind === 'content' ? '' : relation.identity.columns.join(', ')
}

async function findDanglingReferences(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const column of relation.columns) {
    const { translation } = column
    if (translation === undefined) continue
    findings.push(...(await findOtherShapes(session, context, relation, column)))
    if (translation.onDangling === 'null') continue
    const value = `s.${quoteIdentifier(column.name)}`
    for (const [index, alternative] of translation.alternatives.entries()) {
      if (translation.shape === 'value' && isEnforced(context, relation, column.name, alternative)) continue
      const joins = new Joins()
      const isArray = translation.shape !== 'value'
      const element = translation.shape === 'array' ? 'e.value' : `(e.value #>> '{}')`
      const { found } = joinAlternative(
        context,
        alternative,
        (name) => (isArray ? element : `s.${quoteIdentifier(name)}`),
        joins,
      )
      const given = alternative.join.map((pair) => `s.${quoteIdentifier(pair.column)} is not null`).join(' and ')
      const unnest =
        translation.shape === 'array'
          ? `unnest(${value})`
          : `jsonb_array_elements(case when jsonb_typeof(${value}::jsonb) = 'array' then ${value}::jsonb end)`
      const decides = decidingConditions(context, relation, translation, (name) => `s.${quoteIdentifier(name)}`, joins)[
        index
      ]
      const rows = await session.query<{ sample: string; total: number }>(
        `select ${rowLabel(context, relation, joins)} || ' -> ' || ${isArray ? element : value}::text as sample, count(*) over () as total
           from ${fromRelation(context, relation)} s ${isArray ? `cross join lateral ${unnest} e(value)` : ''} ${joins}
          where ${isArray ? `${element} is not null` : given} and ${found} is null ${decides === undefined ? '' : `and ${decides}`}
          limit ${MAX_SAMPLES}`,
      )
      findings.push(...toFinding(relation, 'dangling reference', column.name, rows, ''))
    }
  }
  return findings
}

/** Only the elements of a list are carried over: dimensions and bounds would be lost, a single value stay an id of the source. Objects are no references. */
async function findOtherShapes(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
  { name, translation }: ContentColumn,
): Promise<Finding[]> {
  if (translation === undefined || translation.shape === 'value') return []
  const value = `s.${quoteIdentifier(name)}`
  const isOther =
    translation.shape === 'array'
      ? `(array_ndims(${value}) > 1 or array_lower(${value}, 1) <> 1)`
      : `jsonb_typeof(${value}::jsonb) in ('number', 'string')`
  const joins = new Joins()
  const label = rowLabel(context, relation, joins)
  const rows = await session.query<{ sample: string; total: number }>(
    `select ${label} || ' -> ' || left(${value}::text, 60) as sample, count(*) over () as total
       from ${fromRelation(context, relation)} s ${joins}
      where ${isOther}
      limit ${MAX_SAMPLES}`,
  )
  return toFinding(relation, 'no plain list', name, rows, '')
}

/** A row as messages name it: by its surrogate key, or by its identity where it has none. */
function rowLabel(context: SqlContext, relation: ContentRelation, joins: Joins): string {
  if (relation.surrogate.length > 0)
    return `'${relation.surrogate.join(', ').replaceAll("'", "''")} ' || to_json(${masterExpression(relation)})::text`
  if (relation.identity.kind === 'content') return `'row ' || s.ctid::text`
  const leaves = leafExpressions(context, relation, 's', joins)
  return `json_build_array(${leaves.map((leaf) => `(${leaf})::text`).join(', ')})::text`
}

/**
 * Whether a validated foreign key already promises that the column's rows exist. One that is null in another column promises nothing, so every column
 * must be one that the value is looked up by, or never null.
 */
function isEnforced(context: SqlContext, relation: ContentRelation, column: string, { join }: Alternative): boolean {
  const { foreignKeys, columns } = catalogRelation(context, relation)
  const isGiven = (name: string) =>
    join.some((pair) => pair.column === name) || columns.find((each) => each.name === name)?.isNullable === false
  const names = new Set(
    relation.references
      .filter((each) => each.kind === 'foreign key' && each.columns.includes(column))
      .map((each) => each.name),
  )
  return foreignKeys.some((key) => names.has(key.name) && key.isValidated && key.columns.every(isGiven))
}

function toFinding(
  relation: ContentRelation,
  kind: Finding['kind'],
  columns: string,
  rows: readonly { sample: string; total: number }[],
  sampleLabel: string,
): Finding[] {
  const [first] = rows
  if (first === undefined) return []
  const samples = rows.map((row) => (sampleLabel === '' ? row.sample : `${sampleLabel} ${row.sample}`))
  return [{ relation: relationLabel(relation), kind, columns, rows: first.total, samples }]
}
