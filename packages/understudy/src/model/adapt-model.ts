import type { Catalog } from '../catalog/catalog.js'
import { type ContentModel, type ContentRelation, relationLabel } from './model.js'

/**
 * An archive's model with the types that the database at hand has, so that what is parsed fits where it goes. Its masks are SQL from outside and
 * left out, as are relations unknown here.
 */
export function modelForTarget(model: ContentModel, catalog: Catalog): ContentModel {
  const relations = new Map(catalog.relations.map((relation) => [relationLabel(relation), relation]))
  const adapted = model.relations.flatMap((archived): ContentRelation[] => {
    const relation = relations.get(relationLabel(archived))
    if (relation === undefined) return []
    const types = new Map(relation.columns.map((column) => [column.name, column]))
    return [
      {
        ...archived,
        columns: archived.columns.map((column) => {
          const there = types.get(column.name)
          return {
            ...column,
            mask: undefined,
            type: there?.baseType ?? column.type,
            isNullable: there?.isNullable ?? column.isNullable,
          }
        }),
      },
    ]
  })
  return { relations: adapted }
}
