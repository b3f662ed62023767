import { baseTypeOf, type Catalog, type Relation } from '../catalog/catalog.js'
import type { Alternative, JoinPair, Translation } from './model.js'
import type { FoundReference, FoundTarget } from './references.js'

/** What the search needs to know of every content relation. */
export interface Place {
  readonly relation: Relation
  readonly references: readonly FoundReference[]
  readonly surrogate: readonly string[]
}

/**
 * Finds how the value of a column travels where it names a row: through a reference whose target column is a surrogate, or through one whose
 * target column names a row in its turn (a tenant's id inside a composite key). A column whose chain ends at a plain value has none.
 */
export function findTranslation(
  catalog: Catalog,
  places: ReadonlyMap<number, Place>,
  place: Place,
  column: string,
  field: string | null,
): Translation | string | null {
  const found = place.references
    .filter((reference) => reference.columns.includes(column) && reference.field === field)
    .map((reference) => translateThrough(places, reference, column, []))
    .filter((each) => each !== null)
  const best = found.toSorted((a, b) => joinWidth(a) - joinWidth(b))[0]
  if (best === undefined) return null
  const other = found.find((each) => targetOf(each) !== targetOf(best))
  return other === undefined
    ? withComparison(catalog, best, place, column, field)
    : `its references disagree: ${targetOf(best)} and ${targetOf(other)}`
}

function translateThrough(
  places: ReadonlyMap<number, Place>,
  reference: FoundReference,
  column: string,
  path: readonly string[],
): Translation | null {
  const alternatives = reference.targets.map((target) => alternativeFor(places, reference, target, column, path))
  const whole = alternatives.filter((each) => each !== null)
  if (whole.length === 0) return null
  return {
    shape: reference.shape,
    discriminator: reference.discriminator,
    onDangling: reference.onDangling,
    none: reference.none,
    alternatives: whole,
  }
}

function alternativeFor(
  places: ReadonlyMap<number, Place>,
  reference: FoundReference,
  target: FoundTarget,
  column: string,
  path: readonly string[],
): Alternative | null {
  const position = reference.columns.indexOf(column)
  const targetColumn = target.columns[position]
  const targetPlace = places.get(target.relation.oid)
  if (targetColumn === undefined || targetPlace === undefined) return null
  const name = { schema: target.relation.schema, name: target.relation.name }
  const pairs = reference.columns.map((each, index) => ({ column: each, targetColumn: target.columns[index] ?? '' }))
  if (targetPlace.surrogate.includes(targetColumn) || isLocalResult(targetPlace, targetColumn)) {
    const isAloneUnique = target.relation.uniqueKeys.some(
      (key) =>
        key.columns.length === 1 &&
        key.columns[0] === targetColumn &&
        key.isValid &&
        !key.isPartial &&
        !key.hasExpressions,
    )
    return {
      when: target.when,
      target: name,
      targetColumn,
      isTextual: false,
      join: isAloneUnique ? [{ column, targetColumn }] : pairs,
    }
  }
  const step = `${target.relation.oid}.${targetColumn}`
  if (path.includes(step)) return null
  for (const next of targetPlace.references) {
    if (
      !next.columns.includes(targetColumn) ||
      next.shape !== 'value' ||
      next.field !== null ||
      next.discriminator !== null
    )
      continue
    const onward = translateThrough(places, next, targetColumn, [...path, step])?.alternatives[0]
    const join = onward === undefined ? null : compose(pairs, onward.join)
    if (onward !== undefined && join !== null) return { ...onward, when: target.when, join }
  }
  return null
}

/** Whether a column is computed from values that mean something in one database only, and so does its own value. */
function isLocalResult({ relation, references, surrogate }: Place, name: string): boolean {
  const column = relation.columns.find((each) => each.name === name)
  const from = column?.generatedFrom ?? []
  return from.some((each) => surrogate.includes(each) || references.some(({ columns }) => columns.includes(each)))
}

/** Columns here -> columns there -> columns at the end; null where a pair on the way is not covered. */
function compose(here: readonly JoinPair[], there: readonly JoinPair[]): JoinPair[] | null {
  const composed: JoinPair[] = []
  for (const { column, targetColumn } of there) {
    const first = here.find((pair) => pair.targetColumn === column)
    if (first === undefined) return null
    composed.push({ column: first.column, targetColumn })
  }
  return composed
}

/** A declared reference may compare a text with a number; a foreign key never does. */
function withComparison(
  catalog: Catalog,
  translation: Translation,
  place: Place,
  column: string,
  field: string | null,
): Translation {
  const own = elementType(catalog, place.relation, column, field)
  const alternatives = translation.alternatives.map((alternative) => {
    const { schema, name } = alternative.target
    const target = catalog.relations.find((relation) => relation.schema === schema && relation.name === name)
    const other = target === undefined ? own : elementType(catalog, target, alternative.targetColumn, null)
    return { ...alternative, isTextual: alternative.join.length === 1 && family(own) !== family(other) }
  })
  return { ...translation, alternatives }
}

/** The name of the type of a column's values, or of its elements. */
export function elementType(catalog: Catalog, relation: Relation, column: string, field: string | null): string {
  const oid = relation.columns.find((each) => each.name === column)?.typeOid ?? 0
  const outer = baseTypeOf(catalog, oid)
  const attribute = outer.attributes.find((each) => each.name === field)
  const type = attribute === undefined ? outer : baseTypeOf(catalog, attribute.typeOid)
  return type.element === null ? type.name : baseTypeOf(catalog, type.element).name
}

/** Types that compare with each other as they are. */
export function family(type: string): string {
  if (type === 'int2' || type === 'int4' || type === 'int8') return 'integer'
  return type === 'varchar' ? 'text' : type
}

function joinWidth(translation: Translation): number {
  return Math.max(...translation.alternatives.map((each) => each.join.length))
}

function targetOf(translation: Translation): string {
  return translation.alternatives
    .map((each) => `${each.target.schema}.${each.target.name}(${each.targetColumn})`)
    .join(' or ')
}
