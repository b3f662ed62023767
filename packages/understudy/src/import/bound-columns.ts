import { decidingReference } from '../model/discriminator.js'
import type { Reference } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import type { Load } from './load.js'

/** What `bindReferences` reads of the parsed records. */
export function columnsToBind(context: SqlContext, load: Load): string[] {
  const { relation, slots } = load
  const position = (name: string) => relation.columns.findIndex((column) => column.name === name) + 1
  const deciding = slots.flatMap(({ translation: { discriminator } }) => {
    if (discriminator === null) return []
    const isReference = decidingReference(context.model, relation, discriminator) !== null
    return [`${isReference ? 'r' : 'c'}${position(discriminator)}`]
  })
  const plain = plainReferences(load).flatMap(({ columns }) => columns.map((name) => `c${position(name)}`))
  return [...new Set([...slots.map(({ id }) => `r${id}`), ...deciding, ...plain])]
}

/** The columns of `bound`. */
export function boundColumns(load: Load): string[] {
  return [
    'n',
    ...load.slots.flatMap(({ id }) => [`b${id}`, `m${id}`]),
    ...plainReferences(load).map((_, index) => `m_${index}`),
  ]
}

/** Foreign keys whose values travel as they are: nothing to translate, but the row that they name must exist. */
export function plainReferences(load: Load): Reference[] {
  return load.relation.references.filter(
    (reference) =>
      reference.kind === 'foreign key' &&
      reference.columns.every((name) => {
        const column = load.relation.columns.find((each) => each.name === name)
        return column !== undefined && column.translation === undefined && column.fields === undefined
      }),
  )
}
