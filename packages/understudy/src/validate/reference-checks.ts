import type { Catalog } from '../catalog/catalog.js'
import { quoteIdentifier } from '../database/quoting.js'
import { meansNone } from '../model/bare-values.js'
import { selectContentRelations } from '../model/content-relations.js'
import { decidingConditions } from '../model/identity-sql.js'
import { Joins } from '../model/joins.js'
import { type ContentRelation, relationLabel, relationOf } from '../model/model.js'
import { type FoundReference, type FoundTarget, findReferences } from '../model/references.js'
import type { ModelSettings } from '../model/settings.js'
import { fromRelation, type SqlContext, sameValue } from '../model/sql-context.js'
import { elementType, family } from '../model/translations.js'
import { type Check, findOffending } from './check.js'
import { rowLabel } from './row-label.js'

/**
 * A check for every reference, declared ones too: its values have their rows. Validated foreign keys are looked at like the rest, for a
 * restore or a load with triggers disabled leaves rows that they never saw.
 */
export function referenceChecks(catalog: Catalog, context: SqlContext, settings: ModelSettings): Check[] {
  const { candidates } = selectContentRelations(catalog, settings, [])
  const found = findReferences(catalog, candidates, settings, [])
  return candidates.flatMap(({ relation }) => {
    const content = relationOf(context.model, relation)
    return (found.get(relation.oid) ?? []).flatMap((reference) =>
      reference.targets.map((target) => referenceCheck(catalog, context, { relation: content, reference, target })),
    )
  })
}

interface Pointing {
  readonly relation: ContentRelation
  readonly reference: FoundReference
  readonly target: FoundTarget
}

function referenceCheck(catalog: Catalog, context: SqlContext, pointing: Pointing): Check {
  const { relation, reference, target } = pointing
  const path = [...reference.columns, reference.field].filter((each) => each !== null)
  const column = reference.field === null ? path.join(', ') : path.join('.')
  const when = target.when === null ? '' : ` where ${reference.discriminator} is ${target.when}`
  return {
    name: `${relationLabel(relation)}.${column} points to rows of ${relationLabel(target.relation)}${when}`,
    section: 'references',
    severity: reference.onDangling === 'null' ? 'warning' : 'error',
    find: (session) => findOffending(session, danglingSelect(catalog, context, pointing)),
  }
}

/** The rows that point to nothing, each value with them. */
function danglingSelect(catalog: Catalog, context: SqlContext, pointing: Pointing): string {
  const { relation, reference, target } = pointing
  const { values, source } = pointingValues(reference)
  const joins = new Joins()
  const label = rowLabel(context, relation, joins)
  const same = values.map((value, index) => {
    const column = target.columns[index] ?? ''
    const there = `t.${quoteIdentifier(column)}`
    return isTextual(catalog, pointing, index)
      ? `${there}::text = (${value})::text`
      : sameValue(context, target.relation, column, there, value)
  })
  const conditions = [
    ...values.map((value) => `${value} is not null`),
    ...(reference.none === undefined ? [] : values.map((value) => `not ${meansNone(reference, value)}`)),
    ...deciding(context, pointing, joins),
    `not exists (select from ${fromRelation(context, target.relation)} t where ${same.join(' and ')})`,
  ]
  return `select ${label} || ' -> ' || ${values.map((value) => `(${value})::text`).join(` || ', ' || `)} as sample
            from ${fromRelation(context, relation)} s ${source} ${joins}
           where ${conditions.join(' and ')}`
}

/** The expressions that hold the reference's values, and what unfolds those of an array. */
function pointingValues({ columns, field, shape }: FoundReference): { values: string[]; source: string } {
  const plain = columns.map((column) => `s.${quoteIdentifier(column)}`)
  const [only = ''] = plain
  const value = field === null ? only : `(${only}).${quoteIdentifier(field)}`
  switch (shape) {
    case 'value':
      return { values: field === null ? plain : [value], source: '' }
    case 'array':
      return { values: ['e.value'], source: `cross join lateral unnest(${value}) e(value)` }
    case 'jsonb array': {
      const array = `case when jsonb_typeof(${value}::jsonb) = 'array' then ${value}::jsonb end`
      return { values: ['e.value'], source: `cross join lateral jsonb_array_elements_text(${array}) e(value)` }
    }
  }
}

/** The condition that the row means this target, where a column beside the value decides. */
function deciding(context: SqlContext, { relation, reference, target }: Pointing, joins: Joins): string[] {
  const { discriminator } = reference
  const value = (column: string) => `s.${quoteIdentifier(column)}`
  return decidingConditions(context, relation, { discriminator, alternatives: [target] }, value, joins)
}

/** A declared reference may compare a text with a number. */
function isTextual(catalog: Catalog, { relation, reference, target }: Pointing, index: number): boolean {
  if (reference.kind === 'foreign key') return false
  if (reference.shape === 'jsonb array') return true
  const own = catalog.relations.find((each) => each.schema === relation.schema && each.name === relation.name)
  if (own === undefined) return true
  const here = elementType(catalog, own, reference.columns[index] ?? '', reference.field)
  return family(here) !== family(elementType(catalog, target.relation, target.columns[index] ?? '', null))
}
