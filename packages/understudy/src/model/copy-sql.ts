import type { Column } from '../catalog/catalog.js'
import { quoteIdentifier } from '../database/quoting.js'

/**
 * A copy of other values (`relations.….copies`) in SQL, for the row `row`: its value as it should be, and whether it is another one. The
 * configured expression names the row as `<relation>.<column>`, and other relations as the application does: under its search path.
 */
export function copyExpression(
  relation: { readonly name: string },
  column: Column,
  expression: string,
  row: string,
): { readonly value: string; readonly isStale: string } {
  const value = `(select (${expression})::${column.type} from (select ${row}.*) ${quoteIdentifier(relation.name)})`
  const cast = column.equality === null ? '::text' : ''
  return { value, isStale: `${row}.${quoteIdentifier(column.name)}${cast} is distinct from ${value}${cast}` }
}
