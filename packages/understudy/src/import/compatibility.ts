import type { ArchiveIndex } from '../archive/archive-index.js'
import type { Catalog, Column, Relation } from '../catalog/catalog.js'
import type { Problem } from '../errors.js'
import { type ContentModel, type ContentRelation, findRelation, relationLabel } from '../model/model.js'
import { plainProblem } from './problems.js'

/**
 * Compares the archive's relations with the target's: every relation and column that is missing or otherwise, by name, at once. `own` is the
 * target's own model: a column that is a reference there must have travelled as one.
 */
export function findIncompatibilities(index: ArchiveIndex, catalog: Catalog, own: ContentModel): Problem[] {
  const relations = new Map(catalog.relations.map((relation) => [relationLabel(relation), relation]))
  const problems: Problem[] = []
  for (const entry of index.files) {
    const label = relationLabel({ schema: entry.schema, name: entry.relation })
    const archived = findRelation(index.model, { schema: entry.schema, name: entry.relation })
    const relation = relations.get(label)
    if (archived === undefined) problems.push(misfit(label, null, 'the archive does not describe it'))
    else if (relation === undefined) {
      if (entry.records > 0)
        problems.push(
          misfit(
            label,
            null,
            `the target has no such relation (${entry.records} records in ${entry.file})`,
            entry.records,
          ),
        )
    } else problems.push(...compareRelation(archived, relation, findRelation(own, archived)))
  }
  return problems
}

function misfit(relation: string, column: string | null, message: string, rows = 0): Problem {
  return plainProblem('incompatible', relation, column, message, rows)
}

function compareRelation(archived: ContentRelation, relation: Relation, own: ContentRelation | undefined): Problem[] {
  const label = relationLabel(archived)
  if (relation.kind !== 'table' && relation.kind !== 'partitioned table')
    return [misfit(label, null, `is a ${relation.kind} in the target`)]
  if (relation.isPartition) return [misfit(label, null, 'is a partition in the target; import into its root')]
  if (relation.rules.length > 0) {
    const rules = relation.rules.join(', ')
    return [misfit(label, null, `has rewrite rules in the target (${rules}), which change what is written`)]
  }
  const problems: Problem[] = []
  for (const column of archived.columns) {
    const there = relation.columns.find((each) => each.name === column.name)
    if (there === undefined) problems.push(misfit(label, column.name, 'the target has no such column'))
    else if (there.isGenerated) problems.push(misfit(label, column.name, 'is generated in the target'))
    else if (!fits(column.type, there.type) && !fits(column.type, there.baseType))
      problems.push(misfit(label, column.name, `is ${column.type} in the archive and ${there.type} in the target`))
    const here = own?.columns.find((each) => each.name === column.name)
    if (here?.translation !== undefined && column.translation === undefined && column.fields === undefined) {
      const message = 'refers to rows in the target, but the archive holds bare values, which mean nothing here'
      problems.push(misfit(label, column.name, message))
    }
  }
  for (const name of archived.surrogate) {
    if (!relation.columns.some((column) => column.name === name))
      problems.push(misfit(label, name, 'the target has no such key column'))
  }
  return [...problems, ...missingValues(archived, relation)]
}

/** Columns that the archive does not bring and that nothing else would fill. */
function missingValues(archived: ContentRelation, relation: Relation): Problem[] {
  const brought = new Set([...archived.columns.map((column) => column.name), ...archived.surrogate])
  const isLeft = (column: Column) =>
    !brought.has(column.name) &&
    !column.isGenerated &&
    !column.isNullable &&
    column.default === null &&
    column.identity === null
  const message = 'must not be null in the target, and the archive has no values for it'
  return relation.columns.filter(isLeft).map(({ name }) => misfit(relationLabel(archived), name, message))
}

/** The same type, or one that reads the other's texts as they are, if it takes them: that each value is asked. A domain is asked by its checks. */
function fits(from: string, to: string): boolean {
  if (from === to) return true
  if (from.endsWith('[]') && to.endsWith('[]')) return fits(from.slice(0, -2), to.slice(0, -2))
  const texts = /^(text|character varying(\(\d+\))?)$/
  const integers = ['smallint', 'integer', 'bigint']
  return (texts.test(from) && texts.test(to)) || (integers.includes(from) && integers.includes(to))
}
