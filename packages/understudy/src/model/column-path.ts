import { baseTypeOf, type Catalog, type Column, type Relation } from '../catalog/catalog.js'
import { findConfiguredRelation } from './content-relations.js'
import { relationLabel, type Translation } from './model.js'

/** A column, or a field of a composite one. */
export interface ColumnPlace {
  readonly relation: Relation
  readonly column: Column
  readonly field: string | null
}

/** Resolves `table.column`, `schema.table.column` or either with `.field` behind. */
export function findColumnPath(catalog: Catalog, path: string): ColumnPlace | string {
  const parts = path.split('.')
  let complaint = 'expected table.column'
  for (let length = Math.min(2, parts.length - 1); length >= 1; length--) {
    const relation = findConfiguredRelation(catalog, parts.slice(0, length).join('.'))
    if (typeof relation === 'string') {
      complaint = relation
      continue
    }
    const [columnName, field, ...rest] = parts.slice(length)
    const column = relation.columns.find((each) => each.name === columnName)
    if (column === undefined || rest.length > 0) {
      complaint = `${relationLabel(relation)} has no column ${columnName}`
      continue
    }
    if (field === undefined) return { relation, column, field: null }
    if (baseTypeOf(catalog, column.typeOid).attributes.some((each) => each.name === field))
      return { relation, column, field }
    complaint = `${column.type} has no attribute ${field}`
  }
  return complaint
}

export function typeAt(catalog: Catalog, column: Column, field: string | null) {
  const outer = baseTypeOf(catalog, column.typeOid)
  const attribute = outer.attributes.find((each) => each.name === field)
  return attribute === undefined ? outer : baseTypeOf(catalog, attribute.typeOid)
}

export function shapeOf(catalog: Catalog, column: Column, field: string | null): Translation['shape'] {
  const type = typeAt(catalog, column, field)
  if (type.element !== null) return 'array'
  return type.schema === 'pg_catalog' && (type.name === 'jsonb' || type.name === 'json') ? 'jsonb array' : 'value'
}
