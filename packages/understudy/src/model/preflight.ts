import type { Session } from '../database/port.js'
import { findDanglingReferences } from './dangling-references.js'
import { type Finding, MAX_SAMPLES, toFinding } from './finding.js'
import { identitySelect } from './identity-sql.js'
import { leavesOf } from './leaves.js'
import type { ContentRelation } from './model.js'
import { catalogRelation, type SqlContext } from './sql-context.js'

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
