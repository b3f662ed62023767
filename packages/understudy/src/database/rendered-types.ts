/** How the values of a column are written: as they come, with the quotes of a string, in the form that JSON has for them, or as what they are the key of. */
export type Kind = 'string' | 'number' | 'boolean' | 'timestamp' | 'json' | 'key'

/** By oid, the types that are rendered here (pg_type.dat). A domain is described as the type under it. */
export const KINDS: ReadonlyMap<number, Kind> = new Map([
  [16, 'boolean'],
  [20 /* int8 */, 'number'],
  [21 /* int2 */, 'number'],
  [23 /* int4 */, 'number'],
  [25 /* text */, 'string'],
  [114, 'json'],
  [700 /* float4 */, 'number'],
  [701 /* float8 */, 'number'],
  [1042 /* bpchar */, 'string'],
  [1043 /* varchar */, 'string'],
  [1082 /* date */, 'string'],
  [1083 /* time */, 'string'],
  [1114, 'timestamp'],
  [1184 /* timestamptz */, 'timestamp'],
  [1266 /* timetz */, 'string'],
  [1700 /* numeric */, 'number'],
  [2950 /* uuid */, 'string'],
  [3802 /* jsonb */, 'json'],
])

const MINUS = 0x2d
const NINE = 0x39

/** By its first two bytes: `NaN`, `Infinity` and `-Infinity` are strings in JSON. */
export function isNoNumber(first: number, second: number): boolean {
  return (first === MINUS ? second : first) > NINE
}
