/**
 * How values cross the port, the same for both drivers: every parameter is sent as text and takes the type that its cast
 * says, every column comes back as text and is decoded by the OID of its type.
 */
type Decoder = (text: string) => unknown

const asText: Decoder = (text) => text

const decoders: ReadonlyMap<number, Decoder> = new Map<number, Decoder>([
  [16 /* bool */, (text) => text === 't'],
  [20 /* int8 */, Number],
  [21 /* int2 */, Number],
  [23 /* int4 */, Number],
  [26 /* oid */, Number],
  [700 /* float4 */, Number],
  [701 /* float8 */, Number],
  [114 /* json */, (text) => JSON.parse(text)],
  [3802 /* jsonb */, (text) => JSON.parse(text)],
  [1003 /* name[] */, decodeTextArray],
  [1009 /* text[] */, decodeTextArray],
])

/** The decoder of a type. What is not listed stays the text that the server sent: dates, numeric, uuid, enums, domains of text. */
export function decoderFor(typeOid: number): Decoder {
  return decoders.get(typeOid) ?? asText
}

/** The types that have a decoder of their own. */
export function decodedTypes(): readonly number[] {
  return [...decoders.keys()]
}

/**
 * A parameter as the text of its type's input function: arrays become `{…}`, bytes `\x…`, other objects JSON.
 * An array for a json column must be given as `JSON.stringify(…)`.
 */
export function encodeValue(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}`
  if (Array.isArray(value)) return `{${value.map(encodeElement).join(',')}}`
  if (typeof value === 'object') return JSON.stringify(value)
  return String(value)
}

function encodeElement(value: unknown): string {
  const text = encodeValue(value)
  if (text === null) return 'NULL'
  if (Array.isArray(value)) return text
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** Reads the text of a one-dimensional array (PostgreSQL manual, "Array Input and Output Syntax"). */
export function decodeTextArray(text: string): (string | null)[] {
  const elements: (string | null)[] = []
  // An element is quoted, with backslash escapes, or bare; a bound such as [0:1]= may stand before the brace.
  for (const [element, quoted] of text.slice(text.indexOf('{')).matchAll(/"((?:[^"\\]|\\.)*)"|[^{},"]+/gs)) {
    if (quoted !== undefined) elements.push(quoted.replaceAll(/\\(.)/gs, '$1'))
    else elements.push(element === 'NULL' ? null : element)
  }
  return elements
}
