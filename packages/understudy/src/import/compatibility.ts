import type { ArchiveIndex } from '../archive/archive-index.js'
import type { Catalog, Column, Relation } from '../catalog/catalog.js'
import { isFilled } from '../model/choose-identity.js'
import { type ContentModel, type ContentRelation, findRelation, relationLabel } from '../model/model.js'

/**
 * Compares the archive's relations with the target's: every relation and column that is missing or otherwise, by name, at once. `own` is the
 * target's own model: a column that is a reference there must have travelled as one.
 */
export function findIncompatibilities(index: ArchiveIndex, catalog: Catalog, own: ContentModel): string[] {
  const relations = new Map(catalog.relations.map((relation) => [relationLabel(relation), relation]))
  const problems: string[] = []
  for (const entry of index.files) {
    const label = relationLabel({ schema: entry.schema, name: entry.relation })
    const archived = findRelation(index.model, { schema: entry.schema, name: entry.relation })
    const relation = relations.get(label)
    if (archived === undefined) problems.push(`${label}: the archive does not describe it`)
    else if (relation === undefined) {
      if (entry.records > 0)
        problems.push(`${label}: the target has no such relation (${entry.records} records in ${entry.file})`)
    } else problems.push(...compareRelation(archived, relation, findRelation(own, archived)))
  }
  return problems
}

function compareRelation(archived: ContentRelation, relation: Relation, own: ContentRelation | undefined): string[] {
  const label = relationLabel(archived)
  if (relation.kind !== 'table' && relation.kind !== 'partitioned table')
    return [`${label}: is a ${relation.kind} in the target`]
  if (relation.isPartition) return [`${label}: is a partition in the target; import into its root`]
  if (relation.rules.length > 0)
    return [`${label}: has rewrite rules in the target (${relation.rules.join(', ')}), which change what is written`]
  const problems: string[] = []
  for (const column of archived.columns) {
    const there = relation.columns.find((each) => each.name === column.name)
    if (there === undefined) problems.push(`${label}.${column.name}: the target has no such column`)
    else if (there.isGenerated) problems.push(`${label}.${column.name}: is generated in the target`)
    else if (!fits(column.type, there.type))
      problems.push(`${label}.${column.name}: is ${column.type} in the archive and ${there.type} in the target`)
    const here = own?.columns.find((each) => each.name === column.name)
    if (here?.translation !== undefined && column.translation === undefined && column.fields === undefined) {
      problems.push(
        `${label}.${column.name}: refers to rows in the target, but the archive holds bare values, which mean nothing here`,
      )
    }
  }
  for (const name of archived.surrogate) {
    if (!relation.columns.some((column) => column.name === name))
      problems.push(`${label}.${name}: the target has no such key column`)
  }
  return [...problems, ...missingValues(archived, relation)]
}

/** Columns that the archive does not bring and that nothing else would fill. */
function missingValues(archived: ContentRelation, relation: Relation): string[] {
  const brought = new Set([...archived.columns.map((column) => column.name), ...archived.surrogate])
  const isLeft = (column: Column) =>
    !brought.has(column.name) &&
    !column.isGenerated &&
    !column.isNullable &&
    column.default === null &&
    !isFilled(relation, column.name)
  return relation.columns
    .filter(isLeft)
    .map(
      (column) =>
        `${relationLabel(archived)}.${column.name}: must not be null in the target, and the archive has no values for it`,
    )
}

/** The same type, or one that reads every text of the other as it is. */
function fits(from: string, to: string): boolean {
  if (from === to) return true
  const texts = /^(text|character varying(\(\d+\))?)$/
  const integers = ['smallint', 'integer', 'bigint']
  return (texts.test(from) && texts.test(to)) || (integers.includes(from) && integers.includes(to))
}
