const DIMENSION_BYTES = 8
const HEADER_BYTES = 12

/** How the elements of an array are read: texts, integers or booleans. */
export type ElementKind = 'string' | 'integer' | 'boolean'

interface Dimension {
  readonly length: number
  readonly lowerBound: number
}

/**
 * An array in its binary form (`array_send`) as JSON in Latin-1, a character a byte: nested arrays, or, where a lower bound is not 1, the text of its output
 * function as a JSON string.
 */
export function arrayJson(value: Buffer, kind: ElementKind): string {
  const dimensions = dimensionsOf(value)
  const elements = elementsOf(value, HEADER_BYTES + dimensions.length * DIMENSION_BYTES, kind)
  if (dimensions.length === 0) return '[]'
  if (dimensions.every(({ lowerBound }) => lowerBound === 1))
    return nested(elements.map(elementJson(kind)), dimensions, '[]')
  const bounds = dimensions.map(({ length, lowerBound }) => `[${lowerBound}:${lowerBound + length - 1}]`)
  return JSON.stringify(`${bounds.join('')}=${nested(elements.map(elementText), dimensions, '{}')}`)
}

function dimensionsOf(value: Buffer): Dimension[] {
  return Array.from({ length: value.readInt32BE(0) }, (_, index) => {
    const at = HEADER_BYTES + index * DIMENSION_BYTES
    return { length: value.readInt32BE(at), lowerBound: value.readInt32BE(at + 4) }
  })
}

/** The text of each element by its output function, or null. */
function elementsOf(value: Buffer, from: number, kind: ElementKind): (string | null)[] {
  const elements: (string | null)[] = []
  for (let at = from; at < value.length; ) {
    const length = value.readInt32BE(at)
    at += 4
    elements.push(length < 0 ? null : elementOf(value.subarray(at, at + length), kind))
    at += Math.max(0, length)
  }
  return elements
}

function elementOf(bytes: Buffer, kind: ElementKind): string {
  if (kind === 'string') return bytes.toString('latin1')
  if (kind === 'boolean') return bytes[0] === 0 ? 'f' : 't'
  return bytes.length === 8 ? String(bytes.readBigInt64BE()) : String(bytes.readIntBE(0, bytes.length))
}

function elementJson(kind: ElementKind): (text: string | null) => string {
  if (kind === 'string') return (text) => JSON.stringify(text)
  if (kind === 'boolean') return (text) => (text === null ? 'null' : String(text === 't'))
  return (text) => text ?? 'null'
}

/** As `array_out` quotes it (manual, "Array Input and Output Syntax"). */
function elementText(text: string | null): string {
  if (text === null) return 'NULL'
  const isPlain = text !== '' && !/^null$/i.test(text) && !/["\\{}, \t\n\v\f\r]/.test(text)
  return isPlain ? text : `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** The elements in the order in which they lie, between the brackets of each dimension. */
function nested(elements: readonly string[], dimensions: readonly Dimension[], [open, close]: string): string {
  let parts = elements
  for (const { length } of dimensions.toReversed()) {
    const groups: string[] = []
    for (let at = 0; at < parts.length; at += length)
      groups.push(`${open}${parts.slice(at, at + length).join()}${close}`)
    parts = groups
  }
  return parts.join()
}
