import { quoteIdentifier, quoteLiteral } from '../database/quoting.js'
import { bareExpression, halfNullExpression, noneExpression } from './bare-values.js'
import { type DecidingReference, decidingLiteral, decidingReference, decidingText } from './discriminator.js'
import { encodeExpression, encodeLeaf } from './encodings.js'
import { Joins } from './joins.js'
import { keyLeaves, type Leaf, leavesOf } from './leaves.js'
import {
  type Alternative,
  type ContentColumn,
  type ContentRelation,
  type Field,
  isNamedContent,
  isVarying,
  ownedRelations,
  relationLabel,
  relationOf,
  type Translation,
} from './model.js'
import { DIGEST_KEY, NUMBER_KEY, ORIGIN_KEY } from './record-keys.js'
import { awaitedLeaves, keyExpression, plainExpression } from './respelled-sql.js'
import { fromRelation, type SqlContext, sameValue } from './sql-context.js'
import { localKeyExpression, masterExpression } from './surrogate-sql.js'

/**
 * A select that names every row of a relation: `t1…` are the columns asked for, `l1…` the leaves of its identity. References in an identity
 * are joined, recursively; the planner flattens the nesting.
 */
export function identitySelect(context: SqlContext, relation: ContentRelation, columns: readonly string[]): string {
  if (relation.identity.kind === 'content') return namedContentSelect(context, relation, columns)
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
    const column = relation.columns.find((each) => each.name === name)
    const translation = column?.translation
    const [alternative] = translation?.alternatives ?? []
    if (column === undefined || translation === undefined || alternative === undefined)
      return [keyExpression(context, relation, name, alias, joins)]
    const value = (each: string) => `${alias}.${quoteIdentifier(each)}`
    const leaves = keyLeaves(context.model, relation, column)
    const present = !isVarying(translation)
      ? joinAlternative(context, alternative, value, joins).leaves
      : [`(${translateExpression(context, relation, translation, value, joins)})::jsonb::text`]
    return awaitedLeaves(context, relation, name, alias, joins, leaves, present)
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
  const alias = joins.add(source, (name) => {
    const pairs = alternative.join.map((pair, index) => {
      const [there, here] = [`${name}.t${index + 1}`, value(pair.column)]
      if (alternative.isTextual) return `${there}::text = ${here}::text`
      return sameValue(context, alternative.target, pair.targetColumn, there, here)
    })
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

/** An identity as one JSON value: the leaf itself, or an array of several. */
export function identityJson(leaves: readonly Leaf[], expressions: readonly string[], found: string): string {
  const encoded = leaves.map((leaf, index) => encodeLeaf(leaf.encoding, expressions[index] ?? 'null'))
  if (encoded.length === 1) return encoded[0] ?? 'null'
  return `case when ${found} is null then null else json_build_array(${encoded.join(', ')}) end`
}

/** The identity that a value of a row of `relation` travels as. */
function translateExpression(
  context: SqlContext,
  relation: ContentRelation,
  translation: Translation,
  value: (column: string) => string,
  joins: Joins,
): string {
  const decides = decidingConditions(context, relation, translation, value, joins)
  const parts = translation.alternatives.map((alternative, index) => {
    const condition = decides[index] === undefined ? '' : ` and ${decides[index]}`
    const { found, leaves } = joinAlternative(context, alternative, value, joins, condition)
    const target = relationOf(context.model, alternative.target)
    return { alternative, json: identityJson(leavesOf(context.model, target), leaves, found) }
  })
  const bare = value(translation.alternatives[0]?.join[0]?.column ?? '')
  if (translation.discriminator === null) {
    const [part] = parts
    if (part === undefined) return 'null'
    return noneExpression(translation, halfNullExpression(part.alternative, part.json, value), bare)
  }
  const cases = parts.map(({ json }, index) => `when ${decides[index]} then to_json(${json})`)
  const decided = `case ${cases.join(' ')} when ${bare} is not null then ${bareExpression(bare)} end`
  return noneExpression(translation, decided, bare)
}

/** A column that decides, and the targets that it decides between: of a translation, or of a reference whose values travel as they are. */
export interface Deciding {
  readonly discriminator: string | null
  readonly alternatives: readonly { readonly when: string | null }[]
}

/** For each alternative the condition that the row means this one; none where there is nothing to decide. */
export function decidingConditions(
  context: SqlContext,
  relation: ContentRelation,
  { discriminator, alternatives }: Deciding,
  value: (column: string) => string,
  joins: Joins,
): string[] {
  if (discriminator === null) return []
  const reference = decidingReference(context.model, relation, discriminator)
  const decides = reference === null ? value(discriminator) : decidingIdentity(context, reference, value, joins)
  const text = decidingText(reference, decides)
  return alternatives.map(({ when }) => `${text} = ${decidingLiteral(reference, when ?? '')}`)
}

function decidingIdentity(
  context: SqlContext,
  { alternative }: DecidingReference,
  value: (column: string) => string,
  joins: Joins,
): string {
  const { found, leaves } = joinAlternative(context, alternative, value, joins)
  return identityJson(leavesOf(context.model, relationOf(context.model, alternative.target)), leaves, found)
}

export function columnExpressions(
  context: SqlContext,
  relation: ContentRelation,
  columns: readonly ContentColumn[],
): { columns: string[]; joins: Joins } {
  const joins = new Joins()
  const name = ownName(context, relation, joins)
  const list = columns.map(
    (column) => `${columnExpression(context, relation, column, joins)} as ${quoteIdentifier(column.key)}`,
  )
  return { columns: [...name, ...list], joins }
}

/** What a record must say of its own identity because no column of it does: an origin, or the digest and number of content that others name. */
function ownName(context: SqlContext, relation: ContentRelation, joins: Joins): string[] {
  if (relation.identity.kind === 'origin') {
    return leafExpressions(context, relation, 's', joins).map((leaf) => `${leaf} as "${ORIGIN_KEY}"`)
  }
  if (!isNamedContent(context.model, relation)) return []
  const alias = joins.add(`(${namedContentSelect(context, relation, relation.surrogate)})`, (name) =>
    relation.surrogate.map((column, index) => `${name}.t${index + 1} = s.${quoteIdentifier(column)}`).join(' and '),
  )
  const last = leavesOf(context.model, relation).length
  return [`${alias}.l${last - 1} as "${DIGEST_KEY}"`, `${alias}.l${last} as "${NUMBER_KEY}"`]
}

/**
 * Names every row of a relation known by its content: the leaves of its owner, a digest of the row and of all that it owns, bottom-up, and a
 * number among rows that are equal in both.
 */
function namedContentSelect(context: SqlContext, relation: ContentRelation, columns: readonly string[]): string {
  const owner = relation.identity.kind === 'content' ? relation.identity.owner : null
  const joins = new Joins()
  const above = ownerLeaves(context, relation, owner, joins)
  const list = [
    ...columns.map((column, index) => `s.${quoteIdentifier(column)} as t${index + 1}`),
    ...above.map((leaf, index) => `${leaf} as l${index + 1}`),
    'd.digest',
    'd.master',
  ]
  const digests = digestSelect(context, relation, owner, relation.surrogate)
  const own = relation.surrogate.map((column, index) => `d.t${index + 1} = s.${quoteIdentifier(column)}`)
  const names = [...columns.map((_, index) => `q.t${index + 1}`), ...above.map((_, index) => `q.l${index + 1}`)]
  const groups = [...above.map((_, index) => `q.l${index + 1}`), 'q.digest']
  const [digest, number] = [`l${above.length + 1}`, `l${above.length + 2}`]
  return `select ${[...names, `q.digest as ${digest}`, `row_number() over (partition by ${groups.join(', ')} order by q.master collate "C") as ${number}`].join(', ')}
    from (select ${list.join(', ')} from ${fromRelation(context, relation)} s ${joins} join (${digests}) d on ${own.join(' and ')}) q`
}

function ownerLeaves(context: SqlContext, relation: ContentRelation, owner: string | null, joins: Joins): string[] {
  const [alternative] = relation.columns.find((column) => column.name === owner)?.translation?.alternatives ?? []
  if (alternative === undefined) return []
  return joinAlternative(context, alternative, (column) => `s.${quoteIdentifier(column)}`, joins).leaves
}

/** `t…` for the columns asked for, `master`, and `digest`: of the row without its owner, and of the digests of what it owns. */
function digestSelect(
  context: SqlContext,
  relation: ContentRelation,
  owner: string | null,
  columns: readonly string[],
): string {
  const joins = new Joins()
  const parts = relation.columns
    .filter((column) => column.name !== owner)
    .map((column) => `${columnExpression(context, relation, column, joins)} as ${quoteIdentifier(column.key)}`)
  const owned = ownedRelations(context.model, relation).map(({ relation: child, column }) => {
    const pair = column.translation?.alternatives[0]
    const inner = `select c.t1, string_agg(c.digest, ',' order by c.digest collate "C") as digests
                     from (${digestSelect(context, child, column.name, [column.name])}) c group by c.t1`
    return joins.add(`(${inner})`, (name) => `${name}.t1 = s.${quoteIdentifier(pair?.targetColumn ?? '')}`)
  })
  const text = [
    `(select row_to_json(x.*)::text from (select ${parts.join(', ')}) x)`,
    ...owned.map((alias) => `coalesce(${alias}.digests, '')`),
  ]
  const list = columns.map((column, index) => `s.${quoteIdentifier(column)} as t${index + 1}`)
  return `select ${[...list, `to_json(${masterExpression(relation)})::text as master`, `md5(${text.join(` || '/' || `)}) as digest`].join(', ')}
            from ${fromRelation(context, relation)} s ${joins}`
}

function columnExpression(context: SqlContext, relation: ContentRelation, column: ContentColumn, joins: Joins): string {
  const value = `s.${quoteIdentifier(column.name)}`
  if (column.mask !== undefined) return encodeExpression(column.encoding, `(${column.mask})::${column.type}`)
  if (column.fields !== undefined) return compositeExpression(context, relation, column.fields, value, joins)
  if (column.translation === undefined)
    return encodeExpression(column.encoding, plainExpression(context, relation, column.name, joins))
  return translatedExpression(context, relation, column.translation, value, column.name, joins)
}

/** A composite as a JSON object: `is not distinct from null` asks for the value itself, where `is null` would also hold for a row of nulls. */
function compositeExpression(
  context: SqlContext,
  relation: ContentRelation,
  fields: readonly Field[],
  value: string,
  joins: Joins,
): string {
  const pairs = fields.map((field) => {
    const part = `(${value}).${quoteIdentifier(field.name)}`
    const json =
      field.translation === undefined
        ? encodeExpression(field.encoding, part)
        : translatedExpression(context, relation, field.translation, part, null, joins)
    return `'${field.name.replaceAll("'", "''")}', ${json}`
  })
  return `case when ${value} is not distinct from null then null else json_build_object(${pairs.join(', ')}) end`
}

function translatedExpression(
  context: SqlContext,
  relation: ContentRelation,
  translation: Translation,
  value: string,
  columnName: string | null,
  joins: Joins,
): string {
  const readColumn = (column: string) => (columnName === null ? value : `s.${quoteIdentifier(column)}`)
  if (translation.shape === 'value') return translateExpression(context, relation, translation, readColumn, joins)
  return elementsExpression(context, relation, translation, value)
}

/** The elements of an array, each as the identity of its row, in their order. */
function elementsExpression(
  context: SqlContext,
  relation: ContentRelation,
  translation: Translation,
  value: string,
): string {
  const joins = new Joins()
  const isJson = translation.shape === 'jsonb array'
  const element = isJson ? `(e.value #>> '{}')` : 'e.value'
  const json = translateExpression(context, relation, translation, () => element, joins)
  const unnest = isJson ? `jsonb_array_elements(${value}::jsonb)` : `unnest(${value})`
  const list = `select coalesce(json_agg(${json} order by e.position), '[]') from ${unnest} with ordinality e(value, position) ${joins}`
  if (!isJson) return `case when ${value} is null then null else (${list}) end`
  return `case when ${value} is null then null when jsonb_typeof(${value}::jsonb) <> 'array' then json_build_object('$json', ${value}) else (${list}) end`
}
