import type { Catalog, Type } from '../catalog/catalog.js'
import type { ReferenceConfig } from '../config/define-config.js'
import { type ColumnPlace, shapeOf, typeAt } from './column-path.js'

/** The values that stand for no row in a declared reference, as the column writes them; undefined where there are none, a text where they cannot be. */
export function noneValues(
  catalog: Catalog,
  { relation, column, field }: ColumnPlace,
  { none }: Pick<ReferenceConfig, 'none'>,
): readonly string[] | undefined | string {
  if (none === undefined) return undefined
  if (field !== null || shapeOf(catalog, column, field) !== 'value')
    return `none: it stands for one value, and this is ${field === null ? 'a list' : 'a field'}`
  const key = relation.foreignKeys.find(({ columns }) => columns.includes(column.name))
  if (key !== undefined) return `none: the foreign key ${key.name} lets no value stand for no row`
  const type = typeAt(catalog, column, field)
  const texts = [none].flat().map((value) => [value, textOf(type, value)] as const)
  const unfit = texts.find(([, text]) => text === null)
  if (unfit !== undefined)
    return `none: ${JSON.stringify(unfit[0])} is no value of ${column.name}, of type ${column.type}`
  return texts.flatMap(([, text]) => text ?? [])
}

/** A value as a cast to text writes it; null where the type has no such value, or more than one way to write it. */
function textOf(type: Type, value: string | number): string | null {
  const text = String(value)
  switch (type.name) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'numeric':
      return /^(0|-?[1-9]\d*)$/.test(text) ? text : null
    case 'text':
    case 'varchar':
    case 'citext':
      return text
    case 'bpchar':
      return text.trimEnd()
    case 'uuid':
      return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text) ? text.toLowerCase() : null
    default:
      return null
  }
}
