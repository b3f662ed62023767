import type { ElementKind } from './array-value.js'
import type { Lookup } from './lookup.js'
import type { Encoder } from './port.js'

/**
 * How the values of a column are written: `string` and `json` are their bytes, with quotes or without; `number` is the text of one; `key` is a text that
 * stands for something; the others have the binary form of their type.
 */
export type Kind =
  | 'string'
  | 'json'
  | 'number'
  | 'key'
  | 'boolean'
  | 'integer'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid'
  | 'jsonb'
  | 'escaped jsonb'
  | 'array'

/** By oid, the types whose binary form is rendered here (pg_type.dat). A domain is described as the type under it. */
const BINARY_KINDS: ReadonlyMap<number, Kind> = new Map([
  [16, 'boolean'],
  [20 /* int8 */, 'integer'],
  [21 /* int2 */, 'integer'],
  [23 /* int4 */, 'integer'],
  [25 /* text */, 'string'],
  [114, 'json'],
  [1042 /* bpchar */, 'string'],
  [1043 /* varchar */, 'string'],
  [1082, 'date'],
  [1114, 'timestamp'],
  [1184, 'timestamptz'],
  [2950, 'uuid'],
  [3802, 'jsonb'],
])

/** Those whose text is what JSON has, but for quotes. */
const TEXT_KINDS: ReadonlyMap<number, Kind> = new Map([
  [700 /* float4 */, 'number'],
  [701 /* float8 */, 'number'],
  [1083 /* time */, 'string'],
  [1266 /* timetz */, 'string'],
  [1700 /* numeric */, 'number'],
])

/** Arrays whose elements are rendered here. */
const ELEMENT_KINDS: ReadonlyMap<number, ElementKind> = new Map([
  [1000 /* bool[] */, 'boolean'],
  [1005 /* int2[] */, 'integer'],
  [1007 /* int4[] */, 'integer'],
  [1009 /* text[] */, 'string'],
  [1014 /* bpchar[] */, 'string'],
  [1015 /* varchar[] */, 'string'],
  [1016 /* int8[] */, 'integer'],
])

const JSONB = 3802

export interface Rendering {
  readonly kind: Kind
  /** What has to be selected of the column, to be sent in binary. */
  readonly select: (column: string) => string
  /** Of a `key`. */
  readonly lookup?: Lookup | undefined
  /** Of an `array`. */
  readonly element?: ElementKind | undefined
}

/** How a column of a type is sent and rendered. What is not known here the server turns into JSON. */
export function renderingOf(
  typeOid: number,
  { lookup, encoder }: { readonly lookup?: Lookup | undefined; readonly encoder?: Encoder | undefined } = {},
): Rendering {
  if (lookup !== undefined) return { kind: 'key', select: asText, lookup }
  if (encoder !== undefined) {
    const element = ELEMENT_KINDS.get(typeOid)
    if (encoder.encoding === 'array' && element !== undefined) return { kind: 'array', select: asItIs, element }
    if (encoder.encoding === 'jsonb' && typeOid === JSONB) return { kind: 'escaped jsonb', select: asItIs }
    return { kind: 'json', select: (column) => `to_json(${encoder.toSql(column)})` }
  }
  const binary = BINARY_KINDS.get(typeOid)
  if (binary !== undefined) return { kind: binary, select: asItIs }
  const textual = TEXT_KINDS.get(typeOid)
  if (textual !== undefined) return { kind: textual, select: asText }
  return { kind: 'json', select: (column) => `to_json(${column})` }
}

function asItIs(column: string): string {
  return column
}

function asText(column: string): string {
  return `${column}::text`
}
