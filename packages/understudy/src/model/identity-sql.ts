import { quoteIdentifier, quoteLiteral } from '../database/quoting.js'
import { encodeExpression } from './encodings.js'
import { type Leaf, leavesOf } from './leaves.js'
import { type Alternative, type ContentRelation, relationLabel, relationOf, type Translation } from './model.js'
import { fromRelation, type SqlContext } from './sql-context.js'

/** Collects the joins of one select and hands out their aliases. */
export class Joins {
  readonly #clauses: string[] = []

  add(table: string, condition: (alias: string) => string): string {
    const alias = `j${this.#clauses.length + 1}`
    this.#clauses.push(`left join ${table} ${alias} on ${condition(alias)}`)
    return alias
  }

  toString(): string {
    return this.#clauses.join('\n')
  }
}

/**
 * A select that names every row of a relation: `t1…` are the columns asked for, `l1…` the leaves of its identity. References in an identity
 * are joined, recursively; the planner flattens the nesting.
 */
export function identitySelect(context: SqlContext, relation: ContentRelation, columns: readonly string[]): string {
  const joins = new Joins()
  const leaves = leafExpressions(context, relation, 's', joins)
  const list = [
    ...columns.map((column, index) => `s.${quoteIdentifier(column)} as t${index + 1}`),
    ...leaves.map((leaf, index) => `${leaf} as l${index + 1}`),
  ]
  return `select ${list.join(', ')} from ${fromRelation(context, relation)} s ${joins}`
}

/** The leaves of the identity of the row behind `alias`, one expression each. */
export function leafExpressions(context: SqlContext, relation: ContentRelation, alias: string, joins: Joins): string[] {
  if (relation.identity.kind === 'origin') return [originExpression(context, relation, alias, joins)]
  if (relation.identity.kind === 'content') throw new Error(`${relationLabel(relation)} has no leaves`)
  return relation.identity.columns.flatMap((name) => {
    const translation = relation.columns.find((column) => column.name === name)?.translation
    const [alternative] = translation?.alternatives ?? []
    if (alternative === undefined) return [`${alias}.${quoteIdentifier(name)}`]
    const join = joinAlternative(context, alternative, (column) => `${alias}.${quoteIdentifier(column)}`, joins)
    return join.leaves
  })
}

/** Joins the row that an alternative points to; `found` is null where there is none. */
export function joinAlternative(
  context: SqlContext,
  alternative: Alternative,
  value: (column: string) => string,
  joins: Joins,
  extraCondition = '',
): { found: string; leaves: string[] } {
  const target = relationOf(context.model, alternative.target)
  const source = `(${identitySelect(
    context,
    target,
    alternative.join.map((pair) => pair.targetColumn),
  )})`
  const cast = alternative.isTextual ? '::text' : ''
  const alias = joins.add(source, (name) => {
    const pairs = alternative.join.map((pair, index) => `${name}.t${index + 1}${cast} = ${value(pair.column)}${cast}`)
    return pairs.join(' and ') + extraCondition
  })
  return { found: `${alias}.t1`, leaves: leavesOf(context.model, target).map((_, index) => `${alias}.l${index + 1}`) }
}

/** A row that came from elsewhere keeps its recorded origin; a row born here is `<instance>:<surrogate key>`. */
function originExpression(context: SqlContext, relation: ContentRelation, alias: string, joins: Joins): string {
  const key = localKeyExpression(relation, alias)
  const here = `${quoteLiteral(`${context.instance ?? UNKNOWN_INSTANCE}:`)} || ${key}`
  if (context.instance === null) return here
  const label = quoteLiteral(relationLabel(relation))
  const origin = joins.add('understudy.origin', (name) => `${name}.relation = ${label} and ${name}.local_key = ${key}`)
  return `coalesce(${origin}.origin, ${here})`
}

/** Stands in for the instance of a database that may not hold a registry. */
export const UNKNOWN_INSTANCE = '00000000-0000-0000-0000-000000000000'

/** A row's surrogate key as one text, the registry's `local_key`. */
export function localKeyExpression(relation: ContentRelation, alias: string): string {
  return relation.surrogate.map((column) => `${alias}.${quoteIdentifier(column)}::text`).join(` || ',' || `)
}

/** An identity as one JSON value: the leaf itself, or an array of several. */
export function identityJson(leaves: readonly Leaf[], expressions: readonly string[], found: string): string {
  const encoded = leaves.map((leaf, index) => encodeExpression(leaf.encoding, expressions[index] ?? 'null'))
  if (encoded.length === 1) return encoded[0] ?? 'null'
  return `case when ${found} is null then null else json_build_array(${encoded.join(', ')}) end`
}

/** The identity that a translated value travels as. */
export function translateExpression(
  context: SqlContext,
  translation: Translation,
  value: (column: string) => string,
  joins: Joins,
): string {
  const parts = translation.alternatives.map((alternative) => {
    const condition =
      translation.discriminator === null || alternative.when === null
        ? ''
        : ` and ${value(translation.discriminator)}::text = ${quoteLiteral(alternative.when)}`
    const { found, leaves } = joinAlternative(context, alternative, value, joins, condition)
    const target = relationOf(context.model, alternative.target)
    return { alternative, json: identityJson(leavesOf(context.model, target), leaves, found) }
  })
  if (translation.discriminator === null) return parts[0]?.json ?? 'null'
  const discriminator = value(translation.discriminator)
  const cases = parts.map(
    ({ alternative, json }) => `when ${quoteLiteral(alternative.when ?? '')} then to_json(${json})`,
  )
  return `case ${discriminator}::text ${cases.join(' ')} end`
}
