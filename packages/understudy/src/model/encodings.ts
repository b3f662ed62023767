import { baseTypeOf, type Catalog, type Type } from '../catalog/catalog.js'
import type { Encoder } from '../database/port.js'
import type { ContentColumn, Encoding } from './model.js'

/** Types that `to_json` writes and a record function reads back without loss. */
const JSON_TYPES = new Set([
  'bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'varchar', 'bpchar',
  'date', 'time', 'timetz', 'timestamp', 'timestamptz',
]) // biome-ignore format: one list

/** Chooses how values of a type travel. The measurements behind each choice: `docs/archive-format.md`. */
export function encodingOf(catalog: Catalog, typeOid: number): Encoding {
  const type = baseTypeOf(catalog, typeOid)
  if (isBuiltin(type)) {
    if (JSON_TYPES.has(type.name)) return 'json'
    if (type.name === 'jsonb') return 'jsonb'
    if (type.name === 'json') return 'document'
    if (type.name === 'money') return 'money'
    const element = type.element === null ? undefined : catalog.types.get(type.element)
    if (element !== undefined && isBuiltin(element) && JSON_TYPES.has(element.name)) return 'array'
  }
  return type.hasTextCast ? 'output' : 'text'
}

function isBuiltin(type: Type): boolean {
  return type.schema === 'pg_catalog'
}

/** The SQL that encodes a value; `row_to_json` or `json_build_array` around it does the rest. */
export function encodeExpression(encoding: Encoding, value: string): string {
  switch (encoding) {
    case 'json':
      return value
    case 'array': {
      // The first question answers nearly all; asking for six bounds of every value cost a quarter of an export.
      const bounds = [1, 2, 3, 4, 5, 6].map((dimension) => `coalesce(array_lower(${value}, ${dimension}), 1) = 1`)
      return `case when coalesce(array_ndims(${value}), 1) = 1 and coalesce(array_lower(${value}, 1), 1) = 1 then to_json(${value}) when ${bounds.join(' and ')} then to_json(${value}) else to_json(${value}::text) end`
    }
    case 'jsonb':
      return `case when ${value} ? '$json' or ${value} = 'null' then jsonb_build_object('$json', ${value}) else ${value} end`
    case 'text':
    case 'document':
      return `${value}::text`
    case 'output':
      return `case when ${value} is null then null else format('%s', ${value}) end`
    case 'money':
      return `${value}::numeric`
  }
}

/** What a driver may do to a column's bare values itself; undefined where the column's SQL does something else, or nothing. */
export function encoderOf({ encoding, mask, fields, translation }: ContentColumn): Encoder | undefined {
  if (mask !== undefined || fields !== undefined || translation !== undefined) return undefined
  if (encoding !== 'array' && encoding !== 'jsonb') return undefined
  return { encoding, toSql: (value) => encodeExpression(encoding, value) }
}

/** The type under which a record function must read an encoded value, before `decodeExpression`. */
export function recordType(encoding: Encoding, type: string): string {
  if (encoding === 'document') return 'text'
  if (encoding === 'money') return 'numeric'
  return type
}

/** The SQL that makes the column's own value of what the record function read. */
export function decodeExpression(encoding: Encoding, type: string, value: string): string {
  if (encoding === 'document' || encoding === 'money') return `${value}::${type}`
  if (encoding === 'jsonb')
    return `case when ${value} ? '$json' and jsonb_typeof(${value}) = 'object' then ${value} -> '$json' else ${value} end`
  return value
}

/** A value inside an identity: as in a line, but documents and arrays as their text, so that `->>` gives it back whole. */
export function encodeLeaf(encoding: Encoding, value: string): string {
  return encodeExpression(isTextLeaf(encoding) ? 'text' : encoding, value)
}

/** The type under which a record function must read an identity of one value, before `decodeLeaf`. */
export function leafRecordType(encoding: Encoding, type: string): string {
  return isTextLeaf(encoding) ? 'text' : recordType(encoding, type)
}

export function decodeLeaf(encoding: Encoding, type: string, value: string): string {
  return isTextLeaf(encoding) || encoding === 'money' ? `${value}::${type}` : value
}

function isTextLeaf(encoding: Encoding): boolean {
  return encoding === 'array' || encoding === 'jsonb' || encoding === 'document'
}
