import { baseTypeOf, type Catalog, type Relation, type Type } from '../catalog/catalog.js'
import type { RelationConfig } from '../config/define-config.js'
import { quoteQualified } from '../database/quoting.js'
import { type ContentModel, type RelationName, relationLabel } from './model.js'

/** What SQL about a model needs to know of the database that it runs in. */
export interface SqlContext {
  readonly model: ContentModel
  readonly relations: ReadonlyMap<string, Relation>
  /** By oid. */
  readonly types: ReadonlyMap<number, Type>
  /** What the configuration says about single relations, by label. */
  readonly configured: ReadonlyMap<string, RelationConfig>
  /** The database's own instance, or null where it has no registry: then nothing is known of where rows were born. */
  readonly instance: string | null
  /** By label, rows that an import is about to write otherwise: with these, identities read as they will. */
  readonly respelled?: ReadonlyMap<string, Respelled> | undefined
  /** Rows that wait for a target that is part of their identity: with these, they bear that identity. */
  readonly standIns?: StandIns | undefined
}

export interface StandIns {
  /** The temporary table that holds `identity`, the identity of the missing target, as it travels. */
  readonly table: string
  /** By label and column, whether the row `row` waits by what `standIn` says. */
  readonly columns: ReadonlyMap<string, ReadonlyMap<string, (row: string, standIn: string) => string>>
}

/** Rows of a relation whose values will be written otherwise, as a temporary table of their handles and values. */
export interface Respelled {
  readonly table: string
  /** The table's columns that hold the value before and after, by the relation's column. */
  readonly columns: ReadonlyMap<string, { readonly before: string; readonly after: string }>
  /** Whether the relation's row `row` is the one in `respelled`. */
  readonly isRow: (row: string, respelled: string) => string
}

export function createSqlContext(
  catalog: Catalog,
  model: ContentModel,
  instance: string | null,
  configured: ReadonlyMap<string, RelationConfig> = new Map(),
): SqlContext {
  return {
    model,
    instance,
    configured,
    types: catalog.types,
    relations: new Map(catalog.relations.map((relation) => [relationLabel(relation), relation])),
  }
}

/** The catalog's relation of that name in this database. */
export function catalogRelation(context: SqlContext, name: RelationName): Relation {
  const relation = context.relations.get(relationLabel(name))
  if (relation === undefined) throw new Error(`${relationLabel(name)} is not in this database`)
  return relation
}

/**
 * Whether two values of a column are equal, by the operator of its type's own index. It is named with its schema, because the path that operators
 * are looked for on is empty, and `=` would compare a citext as text. For a domain over an enum the server finds none at all.
 */
export function sameValue(context: SqlContext, name: RelationName, column: string, a: string, b: string): string {
  const found = catalogRelation(context, name).columns.find((each) => each.name === column)
  if (found === undefined) return `${a} = ${b}`
  const type = baseTypeOf(context, found.typeOid)
  const isCast = type.kind === 'enum' && type.oid !== found.typeOid
  const [left, right] = isCast ? [a, b].map((value) => `(${value})::${found.baseType}`) : [a, b]
  return `${left} ${found.equality ?? '='} ${right}`
}

/**
 * Equality that holds for two nulls, of values of a type without domains: that of one-element arrays, which can be hashed, unlike `is not
 * distinct from`. In an array of arrays null and the empty one look the same, so that these are told apart beside it.
 */
export function sameOrBothNull(type: string, a: string, b: string): string {
  const equal = `array[(${a})::${type}] = array[(${b})::${type}]`
  return type.endsWith('[]') ? `${equal} and (${a} is null) = (${b} is null)` : equal
}

/** `only` keeps the rows of inheriting tables out, which are relations of their own; a partitioned table has no rows but its partitions'. */
export function fromRelation(context: SqlContext, name: RelationName): string {
  const isPartitioned = catalogRelation(context, name).kind === 'partitioned table'
  return isPartitioned ? quoteQualified(name) : `only ${quoteQualified(name)}`
}
