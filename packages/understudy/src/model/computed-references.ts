import type { Catalog } from '../catalog/catalog.js'
import { type ContentModel, type ContentRelation, findRelation, type Reference, relationLabel } from './model.js'
import { createSqlContext } from './sql-context.js'

/** A reference by a generated column: it does not travel, and what it is computed from may name another row elsewhere. */
export interface ComputedReference {
  readonly relation: string
  readonly column: string
  /** The relation that it refers to. */
  readonly target: string
  /** The columns that its expression reads. */
  readonly from: readonly string[]
}

/**
 * References by generated columns to values that mean something in this database only, where no column that the expression reads is a reference
 * itself. By relation and column, in the model's order. Looks at the catalog only, not at rows.
 */
export function findComputedReferences(catalog: Catalog, model: ContentModel): ComputedReference[] {
  const { relations } = createSqlContext(catalog, model, null)
  return model.relations.flatMap((relation) => {
    const columns = relations.get(relationLabel(relation))?.columns ?? []
    const generated = columns.filter(({ isGenerated }) => isGenerated)
    return generated.flatMap(({ name, generatedFrom }) => {
      if (generatedFrom.some((each) => isReference(relation, each))) return []
      const reference = relation.references.find((each) => refersToLocalValue(model, each, name))
      if (reference === undefined) return []
      const target = relationLabel(reference.target)
      return [{ relation: relationLabel(relation), column: name, target, from: generatedFrom }]
    })
  })
}

export function describeComputed({ target, from }: Pick<ComputedReference, 'target' | 'from'>): string {
  const source = from.length === 0 ? 'from no column' : `from ${from.join(', ')}`
  return `is computed ${source}, where no reference is declared: elsewhere it refers to another row of ${target}, or to none`
}

function isReference(relation: ContentRelation, column: string): boolean {
  return relation.references.some(({ columns }) => columns.includes(column))
}

/** Whether a column refers to a surrogate key, or to a column that travels as the identity of another row. */
function refersToLocalValue(
  model: ContentModel,
  { columns, target, targetColumns }: Reference,
  column: string,
): boolean {
  const other = findRelation(model, target)
  const named = targetColumns[columns.indexOf(column)]
  if (other === undefined || named === undefined) return false
  return other.surrogate.includes(named) || other.columns.some(({ name, translation }) => name === named && translation)
}
