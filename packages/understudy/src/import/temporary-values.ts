import { baseTypeOf, type Column, type Type } from '../catalog/catalog.js'
import { quoteIdentifier, quoteQualified } from '../database/quoting.js'
import type { RelationName } from '../model/model.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'

type Types = SqlContext['types']

/** The number of the row among those that step aside, from 1 on. */
const NUMBER = 'x.number'

/**
 * Values that a column may hold for the time being, unlike those of other rows, as expressions over the row `t` and `x.number`: null where that is
 * allowed and unlike itself, else one made of the row's own, else any that the type can have. Whether the rules of the table allow it, only the
 * attempt tells.
 */
export function temporaryValues(
  context: SqlContext,
  name: RelationName,
  column: Column,
  { mayBeNull }: { readonly mayBeNull: boolean },
): string[] {
  const values = [
    ...(column.isNullable && mayBeNull ? ['null'] : []),
    ...unusedValues(context, name, column),
    ...valuesOf(context.types, column.typeOid, `t.${quoteIdentifier(column.name)}`),
    ...sharedValues(context, name, column),
  ]
  return values.map((value) => `(${value})::${column.type}`)
}

/** Of numbers, and of types that have but a few values, those that no row has. */
function unusedValues(context: SqlContext, name: RelationName, column: Column): string[] {
  const type = baseTypeOf(context, column.typeOid)
  const relation = fromRelation(context, name)
  const used = `select ${quoteIdentifier(column.name)}::${quoteQualified(type)} from ${relation}`
  const nth = (values: string) => `(array(select v from (${values} except ${used}) u(v) order by v))[${NUMBER}::int]`
  const all = allValues(type)
  if (all !== null) return [nth(`select unnest(${all})`)]
  if (type.schema !== 'pg_catalog' || !/^(int[248]|float[48]|numeric)$/.test(type.name)) return []
  return [
    `-1000 - ${NUMBER}`,
    `(select max(v) from (${used}) u(v)) + ${NUMBER}`,
    nth(`select generate_series(1, 2 * (select count(*) from ${relation}))::${type.name}`),
  ]
}

/** Values that others may have as well: a key that holds under a condition only lets go of rows to which it does not apply. */
function sharedValues(context: SqlContext, name: RelationName, column: Column): string[] {
  const own = quoteIdentifier(column.name)
  const all = allValues(baseTypeOf(context, column.typeOid))
  const values =
    all === null
      ? `select distinct ${own} as v from ${fromRelation(context, name)} where ${own} is not null`
      : `select unnest(${all}) as v`
  return [0, 1, 2, 3].map((nth) => `(select v from (${values}) u order by v offset ${nth} limit 1)`)
}

/** The values of a type that has but a few, as an array. */
function allValues(type: Type): string | null {
  if (type.kind === 'enum') return `enum_range(null::${quoteQualified(type)})`
  return type.schema === 'pg_catalog' && type.name === 'bool' ? 'array[false, true]' : null
}

/** Values of a type, made of its parts' where it has some. `own` is the value that the row has now. */
function valuesOf(types: Types, oid: number, own: string): string[] {
  const type = types.get(oid)
  if (type === undefined) return []
  const cast = (value: string) => `(${value})::${quoteQualified(type)}`
  const all = allValues(type)
  if (all !== null)
    return [`${NUMBER}::int`, `cardinality(${all}) + 1 - ${NUMBER}::int`].map((nth) => `(${all})[${nth}]`)
  if (type.base !== null) {
    const base = types.get(type.base)
    return base === undefined ? [] : valuesOf(types, base.oid, `(${own})::${quoteQualified(base)}`).map(cast)
  }
  if (type.element !== null) {
    const first = `(${own})[array_lower(${own}, 1)]`
    // The last has a length of its own.
    const values = [
      ...valuesOf(types, type.element, first).map((value) => `array[${value}]`),
      `array_fill(${first}, array[10 + ${NUMBER}::int])`,
    ]
    return values.map(cast)
  }
  if (type.kind === 'composite') return compositesOf(types, type, own)
  const texts = readableTexts()
  if (type.kind === 'range') return texts.map((text) => cast(rangeText(text)))
  if (type.kind === 'multirange') return texts.map((text) => cast(`'{' || ${rangeText(text)} || '}'`))
  return [...ownValues(type, own), ...texts.map((text) => `(${text})::text`)].map(cast)
}

/** The row's own value but for one of its fields. */
function compositesOf(types: Types, type: Type, own: string): string[] {
  const fields = type.attributes.map((each) => `(${own}).${quoteIdentifier(each.name)}`)
  return type.attributes.flatMap((attribute, index) =>
    valuesOf(types, attribute.typeOid, fields[index] ?? 'null').map(
      (value) => `row(${fields.with(index, value).join(', ')})::${quoteQualified(type)}`,
    ),
  )
}

/** One value only, so that ranges that must not overlap do not. */
function rangeText(text: string): string {
  return `'["' || ${text} || '","' || ${text} || '"]'`
}

/** Values made of the one that the row has. */
function ownValues(type: Type, own: string): string[] {
  if (type.schema !== 'pg_catalog') return []
  switch (type.name) {
    case 'text':
    case 'varchar':
      return [
        `'p' || ${NUMBER} || '_' || ${own}`,
        `${own} || '_' || ${NUMBER}`,
        `substr(md5(${own} || ${NUMBER}), 1, 8)`,
      ]
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return [
        `case when isfinite(${own}) then ${own} + (${NUMBER} || ' years')::interval else date '3000-01-01' + ${NUMBER}::int end`,
      ]
    default:
      return []
  }
}

/** Texts that some type or other reads as a value far from usual ones, each with the row's number in it. */
function readableTexts(): string[] {
  const words = [`'understudy ' || ${NUMBER}`, `'u' || ${NUMBER}`]
  const numbers = [`-1000 - ${NUMBER}`, `2000000000 + ${NUMBER}`, `30000 + ${NUMBER}`]
  // Not equal either where only whole seconds are kept.
  const time = `(time '23:59:59.999999' - ${NUMBER} * interval '1.000001 seconds')`
  const moments = [
    `(date '3000-01-01' + ${NUMBER}::int)`,
    time,
    `${time} || '+15:59'`,
    `100000 + ${NUMBER} || ' years'`,
  ]
  const digests = [
    `md5(${NUMBER}::text)`,
    `'\\x' || md5(${NUMBER}::text)`,
    `substr(md5(${NUMBER}::text), 1, 12)`,
    `substr(md5(${NUMBER}::text), 1, 16)`,
  ]
  const addresses = [`pg_catalog.host(inet '255.0.0.0' + ${NUMBER})`, `'FFFFFFFF/' || to_hex(${NUMBER})`]
  const documents = [`'{"understudy": ' || ${NUMBER} || '}'`, `'understudy=>' || ${NUMBER}`]
  // The lowest bits first: the rest may be cut off.
  const bits = [`reverse((-${NUMBER})::int::bit(32)::text)`]
  // Of private use, where one character is all there is room for.
  const characters = [`chr((57344 + ${NUMBER} % 6400)::int)`, `chr((1 + ${NUMBER} % 127)::int)`]
  return [...words, ...numbers, ...moments, ...digests, ...addresses, ...documents, ...bits, ...characters].map(
    (text) => `(${text})`,
  )
}
